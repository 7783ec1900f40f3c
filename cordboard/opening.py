"""The hours of a queue as they are configured become `OpeningHours`, or an explanation of what is wrong with them.

Decides how weekdays, times and holidays are read. It refuses to know when it is now.
"""

from __future__ import annotations

import zoneinfo
from collections.abc import Callable, Iterator
from datetime import date
from itertools import pairwise

from cordboard.config import Config, Holidays, Hours
from cordboard.doors import Hours as DoorHours
from cordboard.hours import DAY_MINUTES, OpeningHours, Span

WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

Path = tuple[str | int, ...]


def hours_of(config: Config) -> dict[str, DoorHours]:
    """Of every queue that has hours. The configuration was checked."""
    return {
        name: DoorHours(opening(queue.hours), queue.hours.at_close == "leave")
        for name, queue in config.queues.items()
        if queue.hours is not None
    }


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
    import holidays

    calendar = holidays.country_holidays(wanted.country, subdiv=wanted.subdivision)
    return lambda day: day in calendar
