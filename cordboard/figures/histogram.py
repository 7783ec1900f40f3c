"""How long things lasted, counted in classes that hardly differ: quantiles of any number of values in bounded memory.

Decides the classes: a tenth of a second wide up to ten seconds, one per cent wide beyond. Two histograms add up to the
histogram of all their values, so an hour is the sum of its minutes.
"""

from __future__ import annotations

from collections import Counter
from math import ceil, exp, floor, log, log1p

_FINE_S = 0.1
_FINE_UP_TO_S = 10.0
_FINE_CLASSES = round(_FINE_UP_TO_S / _FINE_S)
_GROWTH = log1p(0.01)
LONGEST_S = 7 * 86_400.0
"""What lasted longer counts as this."""


class Histogram:
    __slots__ = ("counts",)

    def __init__(self) -> None:
        self.counts: Counter[int] = Counter()

    def add(self, seconds: float) -> None:
        self.counts[_class_of(seconds)] += 1

    def __iadd__(self, other: Histogram) -> Histogram:
        self.counts.update(other.counts)
        return self

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Histogram) and self.counts == other.counts

    __hash__ = None  # type: ignore[assignment]

    def __len__(self) -> int:
        return self.counts.total()

    def quantile(self, share: float) -> float | None:
        """At least `share` of all values do not exceed it (nearest rank), to half a class. None without values."""
        wanted = max(1, ceil(share * len(self)))
        seen = 0
        for one in sorted(self.counts):
            seen += self.counts[one]
            if seen >= wanted:
                return _middle_of(one)
        return None


def _class_of(seconds: float) -> int:
    if seconds < _FINE_UP_TO_S:
        return max(0, floor(seconds / _FINE_S))
    return _FINE_CLASSES + floor(log(min(seconds, LONGEST_S) / _FINE_UP_TO_S) / _GROWTH)


def _middle_of(one: int) -> float:
    if one < _FINE_CLASSES:
        return (one + 0.5) * _FINE_S
    return _FINE_UP_TO_S * exp((one - _FINE_CLASSES + 0.5) * _GROWTH)
