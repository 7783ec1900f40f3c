"""How patient callers are, learned from those who hung up and those who were answered before they did.

Who was answered would have waited longer, nobody knows how long: their patience is censored, and a mean of those who
hung up alone would be far too short. Decides the estimators; refuses to know where waits come from.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Wait:
    seconds: float
    hung_up: bool  # False: answered, or taken out; they would have waited longer


def mean_patience(waits: Iterable[Wait]) -> float | None:
    """Maximum likelihood for an exponential patience: all seconds waited / those who hung up. None: nobody did."""
    seconds, hung_up = 0.0, 0
    for wait in waits:
        seconds += wait.seconds
        hung_up += wait.hung_up
    return seconds / hung_up if hung_up and seconds > 0 else None


def survival(waits: Sequence[Wait]) -> list[tuple[float, float]]:
    """Kaplan-Meier: after so many seconds this share still waits, had nobody been answered. No shape is assumed."""
    ordered = sorted(waits, key=lambda wait: (wait.seconds, not wait.hung_up))
    share, steps = 1.0, [(0.0, 1.0)]
    for index, wait in enumerate(ordered):
        if wait.hung_up:
            share *= 1.0 - 1.0 / (len(ordered) - index)
            if steps[-1][0] == wait.seconds:
                steps.pop()
            steps.append((wait.seconds, share))
    return steps


def median_patience(waits: Sequence[Wait]) -> float | None:
    """The first second at which half have gone; None when it was never seen."""
    return next((seconds for seconds, share in survival(waits) if share <= 0.5), None)
