"""When a queue is open: weekly hours, holidays and days of their own, in one time zone. Pure functions of an instant.

Decides what wall-clock hours mean on the days on which clocks change: an hour that comes twice counts from its first
time to its last, an hour that does not come is the moment of the change. It refuses to know clocks and queues.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo

DAY_MINUTES = 24 * 60
HORIZON_DAYS = 400
"""As far as is looked for a change: a year of holidays and a bit."""

_ONE_DAY = timedelta(days=1)

Span = tuple[int, int]
"""Minutes of the day, from and to; an end that is not after the beginning lies on the next day."""


@dataclass(frozen=True, slots=True)
class OpeningHours:
    """`weekly`: seven days, Monday first. `days` take the place of the weekly hours, and of a holiday."""

    zone: tzinfo
    weekly: tuple[tuple[Span, ...], ...]
    holiday: Callable[[date], bool] = lambda _day: False
    days: Mapping[date, tuple[Span, ...]] | None = None

    def open_at(self, instant: float) -> bool:
        return any(begin <= instant < end for begin, end in self._around(instant, 1))

    def holiday_at(self, instant: float) -> bool:
        """Whether it is a holiday, or a day that is closed by its own date."""
        day = datetime.fromtimestamp(instant, self.zone).date()
        if self.days is not None and day in self.days:
            return not self.days[day]
        return self.holiday(day)

    def closed_since(self, instant: float) -> float:
        """When it closed, for an instant at which it is closed; 0 when it has not been open for a year."""
        ends = [end for begin, end in self._around(instant, -HORIZON_DAYS) if end <= instant]
        return ends[-1] if ends else 0.0

    def next_change(self, instant: float) -> float | None:
        """When it opens or closes next; None when nothing changes for a year."""
        for begin, end in self._around(instant, HORIZON_DAYS):
            if begin > instant:
                return begin
            if end > instant:
                return end if end - instant < HORIZON_DAYS * 86_400 else None
        return None

    def next_opening(self, instant: float) -> float | None:
        """The next moment at which it opens; an hour that has begun already does not count."""
        return next((begin for begin, _ in self._around(instant, HORIZON_DAYS) if begin > instant), None)

    def _around(self, instant: float, days: int) -> Iterator[tuple[float, float]]:
        """The stretches in which it is open, from the day before on (or from long ago on), in order and joined."""
        today = datetime.fromtimestamp(instant, self.zone).date()
        first, last = (today - 2 * _ONE_DAY, today + days * _ONE_DAY)
        if days < 0:
            first, last = last, today
        open_stretch: tuple[float, float] | None = None
        for begin, end in self._stretches(first, last):
            if open_stretch is not None and begin <= open_stretch[1]:
                open_stretch = (open_stretch[0], max(open_stretch[1], end))
                continue
            if open_stretch is not None:
                yield open_stretch
            open_stretch = (begin, end)
        if open_stretch is not None:
            yield open_stretch

    def _stretches(self, first: date, last: date) -> Iterator[tuple[float, float]]:
        day = first
        while day <= last:
            for begin, end in self._spans(day):
                until = end if end > begin else end + DAY_MINUTES
                opens, closes = self._instant(day, begin, last=False), self._instant(day, until, last=True)
                if opens < closes:
                    yield opens, closes
            day += _ONE_DAY

    def _spans(self, day: date) -> tuple[Span, ...]:
        if self.days is not None and day in self.days:
            return self.days[day]
        if self.holiday(day):
            return ()
        return self.weekly[day.weekday()]

    def _instant(self, day: date, minutes: int, *, last: bool) -> float:
        wall = datetime(day.year, day.month, day.day, tzinfo=self.zone) + timedelta(minutes=minutes)
        once, again = wall.replace(fold=0).timestamp(), wall.replace(fold=1).timestamp()
        if once > again:
            return self._change_between(again, once)
        return again if last else once

    def _change_between(self, before: float, after: float) -> float:
        """The second at which the clock was set forward."""
        offset = self._offset(before)
        while after - before > 1:
            middle = (before + after) // 2
            if self._offset(middle) == offset:
                before = middle
            else:
                after = middle
        return after

    def _offset(self, instant: float) -> timedelta | None:
        return datetime.fromtimestamp(instant, UTC).astimezone(self.zone).utcoffset()
