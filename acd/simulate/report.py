"""What came out of a simulated day, every figure with its formula and how sure it is.

Confidence intervals are by batch means: the day is cut into `BATCHES` stretches of equal length, whose means are nearly
independent where single callers are not (who comes during a rush waits, and so does the next).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

BATCHES = 30
_STUDENT_T = {0.95: 2.0452, 0.99: 2.7564, 0.999: 3.6594}
"""Quantiles for 29 degrees of freedom, two-sided."""


@dataclass(frozen=True, slots=True)
class Estimate:
    mean: float
    error: float  # standard error of the mean

    def half_width(self, level: float = 0.95) -> float:
        return _STUDENT_T[level] * self.error

    def agrees_with(self, value: float, level: float = 0.95) -> bool:
        return abs(self.mean - value) <= self.half_width(level)

    def __str__(self) -> str:
        return f"{self.mean:.4g} ± {self.half_width():.2g}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """Of one stream or of all. Shares are of all callers who came, waits over all callers who came."""

    callers: int
    p_wait: Estimate  # no phone rang for them in the instant in which they came
    mean_wait_s: Estimate  # to the talk, the hang-up or the hand-back
    service_level: Estimate  # answered within `Load.within_s` / all who came
    p_abandon: Estimate  # hung up before they were answered
    p_released: Estimate  # handed back by a rule of the queue (overflow)
    longest_wait_s: float


@dataclass(frozen=True, slots=True)
class Report:
    total: Outcome
    streams: tuple[Outcome, ...]  # in the order of `Load.streams`
    occupancy: Estimate  # seconds in talk and wrap-up / seconds at work
    calls_by_agent: dict[str, int]
    decisions: int


def estimate(sums: Sequence[float], counts: Sequence[float]) -> Estimate:
    """The mean and its error from each batch's sum and count (a ratio, so that busy batches weigh more)."""
    total = sum(counts)
    if total == 0:
        return Estimate(0.0, 0.0)
    mean = sum(sums) / total
    n = len(sums)
    residuals = sum((one - mean * count) ** 2 for one, count in zip(sums, counts, strict=True))
    return Estimate(mean, sqrt(residuals * n / (n - 1)) / total)
