"""Calls as the PBX wrote them down itself: its lines, and what a line or several of them say about one call.

Decides which line can be believed, how the parts of a call become one call, and which of them are customers' calls. A
line holds what a stranger may have chosen (a caller number with quotes or a line feed in it), so none is trusted. Pure:
it refuses to know files, time and what the service knows of these calls.
"""

from __future__ import annotations

import csv
import re
from collections import deque
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from cordboard.features import FeatureCodes
from pbx.channel_text import endpoint
from pbx.facts import Origin

LONGEST_LINE = 4096
"""Characters; Asterisk 22 keeps at most 80 of a caller number and 256 of anything else in a CDR."""

FALLBACK = "fallback"
UNSEEN = "unseen"

_CALL_ID = re.compile(r"[A-Za-z0-9._-]{1,150}")
_SECONDS = re.compile(r"[0-9]{1,11}\.[0-9]{1,9}")


@dataclass(frozen=True, slots=True)
class UnattendedCall:
    """What the PBX knows of a call, or of a part of it."""

    call_id: str
    arrived_at: float
    answered_at: float | None
    ended_at: float
    caller: str
    dialled: str
    endpoint: str
    fallback: bool  # the plain dialplan served it, at least in part

    def joined(self, other: UnattendedCall) -> UnattendedCall:
        """Both parts as one. In any order, and a part that comes twice changes nothing."""
        first = min(self, other, key=lambda part: part.arrived_at)
        answers = [part.answered_at for part in (self, other) if part.answered_at is not None]
        return UnattendedCall(
            self.call_id,
            first.arrived_at,
            min(answers, default=None),
            max(self.ended_at, other.ended_at),
            first.caller,
            first.dialled,
            first.endpoint,
            self.fallback or other.fallback,
        )

    def origin(self, agents: Container[str]) -> Origin:
        return Origin.AGENT if self.endpoint in agents else Origin.PUBLIC

    def is_feature_call(self, agents: Container[str]) -> bool:
        """An agent's own business with the service, and no call of a customer."""
        return FeatureCodes.looks_like_one(self.dialled) and self.origin(agents) is Origin.AGENT

    def event_data(self, agents: Container[str]) -> dict[str, Any]:
        """Data of the event `call.imported`, from which the call's record follows."""
        return {
            "outcome": FALLBACK if self.fallback else UNSEEN,
            "arrived_at": self.arrived_at,
            "answered_at": self.answered_at,
            "ended_at": self.ended_at,
            "caller": self.caller,
            "dialled": self.dialled,
            "origin": self.origin(agents),
        }


@dataclass(slots=True)
class Reading:
    """What a file said: the calls by id, and how many of its lines were not to be understood."""

    calls: dict[str, UnattendedCall] = field(default_factory=dict)
    damaged: int = 0


def read_calls(lines: Iterable[str]) -> Reading:
    """`lines` are cut at line feeds alone and may still hold them, as a file opened with newline="\\n" gives them."""
    reading = Reading()
    for record in _records(lines):
        part = _part(record)
        if part is None:
            reading.damaged += 1
        else:
            before = reading.calls.get(part.call_id)
            reading.calls[part.call_id] = part if before is None else before.joined(part)
    return reading


def _records(lines: Iterable[str]) -> Iterator[str]:
    """Lines, put together where a line feed is inside of quotes. A quote that is never closed spoils one line only."""
    source, ahead = iter(lines), deque[str]()
    while (first := ahead.popleft() if ahead else next(source, None)) is not None:
        record, taken = first, 0
        while _is_open(record) and len(record) < LONGEST_LINE:
            if taken == len(ahead):
                if (more := next(source, None)) is None:
                    break
                ahead.append(more)
            record += ahead[taken]
            taken += 1
        if _is_open(record):
            record, taken = first, 0
        for _ in range(taken):
            ahead.popleft()
        if record.strip("\r\n"):
            yield record


def _is_open(record: str) -> bool:
    return record.count('"') % 2 == 1


def _part(record: str) -> UnattendedCall | None:
    try:
        ((call_id, _sequence, start, answer, end, caller, dialled, _application, _disposition, served_by, channel),) = (
            csv.reader([record], strict=True)
        )
    except (csv.Error, ValueError):
        return None
    arrived_at, answered_at, ended_at = _seconds(start), _seconds(answer), _seconds(end)
    if not _CALL_ID.fullmatch(call_id) or not arrived_at or answered_at is None or not ended_at:
        return None
    return UnattendedCall(
        call_id,
        arrived_at,
        answered_at or None,  # 0.000000: never answered
        max(arrived_at, ended_at),  # a clock may have been set back during the call
        _printable(caller),
        _printable(dialled),
        endpoint(channel),
        served_by == FALLBACK,
    )


def _seconds(text: str) -> float | None:
    return float(text) if _SECONDS.fullmatch(text) else None


def _printable(text: str) -> str:
    return "".join(char for char in text if char.isprintable())
