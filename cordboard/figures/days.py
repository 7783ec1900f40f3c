"""Where days and the steps of a report begin, as people in a time zone see it.

Decides that days, and steps within a day, follow the clock on the wall: a day with a change of clocks has 23 or 25
hours, and hours begin when that clock says so.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, tzinfo

from cordboard.figures.intervals import Intervals

DAY_S = 86_400
MOST = 2_000


class BadInterval(ValueError):
    """The text is for whoever asked."""


def midnight(time: float, zone: tzinfo) -> float:
    """The beginning of the day to which a moment belongs."""
    return _first_instant(datetime.fromtimestamp(time, zone), zone).timestamp()


def next_midnight(time: float, zone: tzinfo) -> float:
    return _first_instant(datetime.fromtimestamp(time, zone) + timedelta(days=1), zone).timestamp()


def day_in(zone: tzinfo) -> Callable[[float], tuple[float, float]]:
    """The midnights around a moment."""
    return lambda time: (midnight(time, zone), next_midnight(time, zone))


def at_clock(time: float, zone: tzinfo) -> str:
    """For people: the clock on the wall, with its distance from UTC."""
    return datetime.fromtimestamp(time, zone).isoformat(" ", "seconds")


_STEPS = {"m": 60, "h": 3600, "d": DAY_S}


def step_of(text: str) -> int:
    """`30m`, `1h`, `7d`, or seconds. Raises `BadInterval`."""
    number, unit = (text[:-1], _STEPS[text[-1]]) if text[-1:] in _STEPS else (text, 1)
    if not (number.isascii() and number.isdigit() and len(number) <= 8):
        raise BadInterval("a step is written as 30m, 1h, 7d or in seconds")
    return int(number) * unit


def moment(text: str, zone: tzinfo, now: float) -> float:
    """`now`, `today`, `yesterday`, a date, a date with a time (of that zone), or unix seconds. Raises `BadInterval`."""
    if text == "now":
        return now
    if text == "today":
        return midnight(now, zone)
    if text == "yesterday":
        return midnight(midnight(now, zone) - 1.0, zone)
    try:
        return float(text) if _is_number(text) else _in_zone(datetime.fromisoformat(text), zone)
    except (ValueError, OverflowError):
        raise BadInterval(
            "a time is written as 2026-07-01, 2026-07-01T08:00, today, yesterday, now or in unix seconds"
        ) from None


def _is_number(text: str) -> bool:
    """Unix seconds; a year of eight digits is a date."""
    whole, _, part = text.partition(".")
    return whole.isascii() and whole.isdigit() and len(whole) in (9, 10) and (not part or part.isdigit())


def _in_zone(written: datetime, zone: tzinfo) -> float:
    return (written if written.tzinfo is not None else written.replace(tzinfo=zone)).timestamp()


def split(begin: float, end: float, step_s: int | None, zone: tzinfo) -> Intervals:
    """From `begin` to `end`; with a step, borders stand at the multiples of it from midnight on.

    Raises `BadInterval`.
    """
    if not begin < end:
        raise BadInterval("the end must come after the beginning")
    if step_s is None:
        return Intervals([begin, end])
    if step_s < 60 or (step_s < DAY_S and DAY_S % step_s) or (step_s > DAY_S and step_s % DAY_S):
        raise BadInterval("a step must be at least a minute and divide the day, or be whole days")
    if (end - begin) / step_s > MOST:
        raise BadInterval(f"that would be more than {MOST} intervals")
    borders = [begin]
    day = midnight(begin, zone)
    while day < end:
        following = next_midnight(day, zone) if step_s <= DAY_S else _days_on(day, step_s // DAY_S, zone)
        border = day
        while border < min(following, end):
            if border > begin:
                borders.append(border)
            border += step_s if step_s < DAY_S else DAY_S * 400
        day = following
    return Intervals([*borders, end])


def _days_on(day: float, days: int, zone: tzinfo) -> float:
    for _ in range(days):
        day = next_midnight(day, zone)
    return day


def _first_instant(moment: datetime, zone: tzinfo) -> datetime:
    return datetime(moment.year, moment.month, moment.day, tzinfo=zone)
