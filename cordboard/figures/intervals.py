"""Intervals of a report: in which of them a moment, or a stretch of time, lies.

It refuses to know calendars: borders are unix seconds (`days` makes them).
"""

from __future__ import annotations

from bisect import bisect_right


class Intervals:
    """Borders in unix seconds: interval `n` is from border `n` up to, not including, border `n + 1`."""

    __slots__ = ("borders",)

    def __init__(self, borders: list[float]) -> None:
        self.borders = borders

    def __len__(self) -> int:
        return len(self.borders) - 1

    def at(self, time: float) -> int | None:
        """Which interval a moment belongs to; None: none of them."""
        n = bisect_right(self.borders, time) - 1
        return n if 0 <= n < len(self) else None

    def parts(self, begin: float, end: float) -> list[tuple[int, int]]:
        """How a stretch of time lies over the intervals: (interval, milliseconds)."""
        begin, end = max(begin, self.borders[0]), min(end, self.borders[-1])
        found: list[tuple[int, int]] = []
        while begin < end:
            n = bisect_right(self.borders, begin) - 1
            stop = min(end, self.borders[n + 1])
            found.append((n, round(stop * 1000) - round(begin * 1000)))
            begin = stop
        return found
