"""Opening hours as an admin writes them become `OpeningHours`, or an explanation of what is wrong with them.

Decides how weekdays, times and holidays are written and read. It refuses to know when it is now.
"""

from __future__ import annotations

import zoneinfo
from collections.abc import Callable, Iterator
from datetime import date
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError

from ivr.hours import DAY_MINUTES, OpeningHours, Span
from ivr.node import Path, Strict, worded

WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def _known_zone(name: str) -> str:
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise PydanticCustomError("time_zone", "no such time zone; write it as Europe/Madrid") from None
    return name


TimeZone = Annotated[str, AfterValidator(_known_zone)]

if TYPE_CHECKING:
    Weekdays = str
    Day = str
    Times = str
else:
    _DAY_OF_WEEK = "(mon|tue|wed|thu|fri|sat|sun)"
    _TIME = "([01][0-9]|2[0-3]):[0-5][0-9]"
    Weekdays = worded(f"{_DAY_OF_WEEK}(-{_DAY_OF_WEEK})?", "a day or days of the week such as sat or mon-fri")
    Day = worded(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", "a date such as 2026-12-24")
    Times = worded(f"{_TIME}-({_TIME}|24:00)", "times of day such as 09:00-18:00")


class Holidays(Strict):
    """Public holidays, by the `holidays` library."""

    country: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
    subdivision: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9 -]{1,30}$")] | None = None


class Hours(Strict):
    """When it is open. `days` come before holidays, and those before the weekly hours."""

    time_zone: TimeZone
    weekly: dict[Weekdays, list[Times]]
    holidays: Holidays | None = None
    days: dict[Day, list[Times]] = Field(default_factory=dict, description="a date and its own hours; none: closed")


def opening(hours: Hours) -> OpeningHours:
    weekly: list[tuple[Span, ...]] = [()] * len(WEEK)
    for days, times in hours.weekly.items():
        for day in weekdays(days):
            weekly[day] = _spans(times)
    return OpeningHours(
        zoneinfo.ZoneInfo(hours.time_zone),
        tuple(weekly),
        _calendar(hours.holidays) if hours.holidays is not None else lambda _day: False,
        {date.fromisoformat(day): _spans(times) for day, times in hours.days.items()},
    )


def contradictions(hours: Hours) -> Iterator[tuple[Path, str]]:
    """What the pattern of a single value cannot tell, and where in `hours` it stands."""
    seen: dict[int, str] = {}
    for days, times in hours.weekly.items():
        for day in weekdays(days):
            if day in seen:
                yield ("weekly", days), f"{WEEK[day]} is in {seen[day]} already"
            seen[day] = days
        yield from ((("weekly", days, index), text) for index, text in _wrong_times(times))
    for day_text, times in hours.days.items():
        try:
            date.fromisoformat(day_text)
        except ValueError:
            yield ("days", day_text), f'there is no day "{day_text}"'
        yield from ((("days", day_text, index), text) for index, text in _wrong_times(times))
    if hours.holidays is not None:
        yield from _wrong_holidays(hours.holidays)


def weekdays(days: str) -> list[int]:
    """`mon`, or `fri-mon` with every day between, over the end of the week if need be."""
    first, _, last = days.partition("-")
    begin, end = WEEK.index(first), WEEK.index(last or first)
    return [(begin + n) % len(WEEK) for n in range((end - begin) % len(WEEK) + 1)]


def _spans(times: list[str]) -> tuple[Span, ...]:
    return tuple(sorted(_span(text) for text in times))


def _span(text: str) -> Span:
    begin, _, end = text.partition("-")
    return _minutes(begin), _minutes(end)


def _minutes(text: str) -> int:
    hours, _, minutes = text.partition(":")
    return int(hours) * 60 + int(minutes)


def _wrong_times(times: list[str]) -> Iterator[tuple[int, str]]:
    spans = sorted((*_span(text), index) for index, text in enumerate(times))
    for begin, end, index in spans:
        if begin == end:
            yield index, f'"{times[index]}" is no time at all; the whole day is "00:00-24:00"'
    for (begin, end, _), (later, _, index) in pairwise(spans):
        if later < (end if end > begin else end + DAY_MINUTES):
            yield index, f'"{times[index]}" begins before the hours before it end'


def _wrong_holidays(wanted: Holidays) -> Iterator[tuple[Path, str]]:
    import holidays  # takes a while, and few need it

    known = holidays.list_supported_countries()
    if wanted.country not in known:
        yield (
            ("holidays", "country"),
            f'the holidays of "{wanted.country}" are not known; a country is named like ES or US',
        )
    elif wanted.subdivision is not None and wanted.subdivision not in known[wanted.country]:
        shown = ", ".join(sorted(known[wanted.country])) or "none"
        yield (
            ("holidays", "subdivision"),
            f'"{wanted.subdivision}" is no part of {wanted.country} that is known: {shown}',
        )


def _calendar(wanted: Holidays) -> Callable[[date], bool]:
    return _holidays(wanted.country, wanted.subdivision)


@lru_cache(maxsize=64)
def _holidays(country: str, subdivision: str | None) -> Callable[[date], bool]:
    import holidays

    calendar = holidays.country_holidays(country, subdiv=subdivision)
    return lambda day: day in calendar
