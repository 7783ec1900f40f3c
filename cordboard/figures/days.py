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
