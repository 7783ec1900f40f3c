"""What came out of many days, how sure it is, and whether two staffings differ by more than chance.

Each day is one sample: days are independent of each other where callers of a day are not. Two staffings met the same
callers, so their difference is taken day by day, and most of what chance did to both is gone from it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil, sqrt

from acd.simulate.day import Counts, DayCounts

_STUDENT_T = (  # 97.5 % quantiles for 1 to 30 degrees of freedom
    *(12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228),
    *(2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086),
    *(2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042),
)


def student_t(degrees: int) -> float:
    """The 97.5 % quantile; beyond the table by its expansion, good to three digits."""
    return _STUDENT_T[degrees - 1] if degrees <= len(_STUDENT_T) else 1.96 + 2.374 / degrees + 2.8 / degrees**2


@dataclass(frozen=True, slots=True)
class Measured:
    """`half_width` is of the 95 % confidence interval; None when there are too few days for one."""

    value: float
    half_width: float | None

    @property
    def clear_of_zero(self) -> bool:
        return self.half_width is not None and abs(self.value) > self.half_width


@dataclass(frozen=True, slots=True)
class Figure:
    """A ratio of sums over days, or a quantile over all callers."""

    name: str
    formula: str
    of: Callable[[list[Counts], DayCounts], tuple[float, float]] | None = None  # a day's sum and its count
    quantile: float | None = None
    percent: bool = False
    whole_day: bool = False  # of all queues together only


def figures(within_s: float) -> tuple[Figure, ...]:
    def callers(one: list[Counts]) -> float:
        return float(sum(len(counts.waits_s) for counts in one))

    def in_time(one: list[Counts]) -> float:
        return float(sum(wait <= within_s for counts in one for wait in counts.answered_s))

    return (
        Figure("calls a day", "callers who came / days", lambda one, _day: (callers(one), 1.0)),
        Figure(
            "mean wait, s",
            "seconds waited / all who came, those who hung up included",
            lambda one, _day: (sum(sum(counts.waits_s) for counts in one), callers(one)),
        ),
        *(
            Figure(f"wait of {share}, s", f"{quantile:.0%} of all who came waited no longer", quantile=quantile)
            for quantile, share in ((0.5, "half"), (0.8, "4 in 5"), (0.95, "19 in 20"))
        ),
        Figure(
            f"service level {within_s:g} s",
            f"answered within {within_s:g} s / all who came",
            lambda one, _day: (in_time(one), callers(one)),
            percent=True,
        ),
        Figure(
            "hung up",
            "hung up before they were answered / all who came",
            lambda one, _day: (float(sum(counts.abandoned for counts in one)), callers(one)),
            percent=True,
        ),
        Figure(
            "handed back",
            "sent on by a rule of the queue / all who came",
            lambda one, _day: (float(sum(counts.released for counts in one)), callers(one)),
            percent=True,
        ),
        Figure(
            "occupancy",
            "agents' seconds in talk and wrap-up / seconds at work, breaks left out",
            lambda _one, day: (day.busy_s, day.staffed_s),
            percent=True,
            whole_day=True,
        ),
    )


def measure(figure: Figure, days: Sequence[DayCounts], queue: str | None = None) -> Measured:
    """Of one queue, or of all together."""
    total, residuals = _ratio(figure, days, queue)
    return Measured(total, _half_width(residuals))


def difference(
    figure: Figure, before: Sequence[DayCounts], after: Sequence[DayCounts], queue: str | None = None
) -> Measured:
    """How much more it is after the change; the interval is of the differences day by day."""
    first, first_residuals = _ratio(figure, before, queue)
    second, second_residuals = _ratio(figure, after, queue)
    paired = [b - a for a, b in zip(first_residuals, second_residuals, strict=True)]
    return Measured(second - first, _half_width(paired))


def _ratio(figure: Figure, days: Sequence[DayCounts], queue: str | None) -> tuple[float, list[float]]:
    """The value, and how each day pulls it away from the mean of the days (the delta method's residuals)."""
    chosen = [[day.queues[queue]] if queue is not None else list(day.queues.values()) for day in days]
    if figure.quantile is not None:
        of_days = [_quantile([wait for counts in one for wait in counts.waits_s], figure.quantile) for one in chosen]
        whole = _quantile([wait for one in chosen for counts in one for wait in counts.waits_s], figure.quantile)
        mean = sum(of_days) / len(of_days)
        return whole, [(value - mean) / len(of_days) for value in of_days]
    assert figure.of is not None
    parts = [figure.of(one, day) for one, day in zip(chosen, days, strict=True)]
    count = sum(part[1] for part in parts)
    if count == 0:
        return 0.0, [0.0] * len(parts)
    value = sum(part[0] for part in parts) / count
    return value, [(part[0] - value * part[1]) / count for part in parts]


def _half_width(residuals: list[float]) -> float | None:
    n = len(residuals)
    if n < 2:
        return None
    return student_t(n - 1) * sqrt(sum(one * one for one in residuals) * n / (n - 1))


def _quantile(values: list[float], share: float) -> float:
    """The smallest wait that so large a share did not exceed."""
    if not values:
        return 0.0
    ordered = sorted(values)
    return ordered[max(0, ceil(share * len(ordered)) - 1)]
