"""A moment as it is written in a case or at the command line: `2026-12-24 17:59 America/Bogota`."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_MOMENT = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})[ T]([0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?)(?: +([A-Za-z][\w+/-]*))?")


def moment(text: str) -> float:
    """Unix seconds; without a zone it is UTC. Raises ValueError with the reason."""
    found = _MOMENT.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text!r} is no moment such as 2026-12-24 17:59 America/Bogota")
    date, time, zone = found.groups()
    try:
        where = ZoneInfo(zone) if zone else UTC
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"there is no time zone {zone!r}; one is written like America/Bogota") from None
    try:
        return datetime.fromisoformat(f"{date} {time.zfill(5)}").replace(tzinfo=where).timestamp()
    except ValueError:
        raise ValueError(f"there is no moment {text!r}") from None


def written(at: float, zone: ZoneInfo) -> str:
    """With the seconds, in a flow's own zone."""
    return datetime.fromtimestamp(at, zone).strftime("%Y-%m-%d %H:%M:%S")
