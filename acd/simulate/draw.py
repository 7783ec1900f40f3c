"""Callers drawn from an assumed load: how many in which hour, how long they talk, how long they wait.

Each caller's handling time and patience are drawn when they come, so that whoever is served first has them too. All
chance comes from outside.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from acd.simulate.day import Visit
from acd.simulate.load import Stream
from acd.simulate.world import Chance, handling_s


class Draw(Chance, Protocol):
    """`random.Random`, as far as it is needed."""

    def choice(self, values: Sequence[float], /) -> float: ...


@dataclass(frozen=True, slots=True)
class HourlyLoad:
    """Callers of one queue. They come at random (Poisson), in each hour as many as it says on average."""

    queue: str
    calls_per_h: tuple[float, ...]  # hour by hour from the day's beginning
    handling_s: float
    handling_spread: float | None = None  # standard deviation over mean (lognormal); None: exponential
    patience_s: float | None = None  # mean (exponential); None: they wait for ever


def visits(load: HourlyLoad, chance: Draw) -> list[Visit]:
    drawn: list[Visit] = []
    for hour, calls in enumerate(load.calls_per_h):
        if calls <= 0:
            continue
        stream = Stream(load.queue, calls, load.handling_s, load.handling_spread, load.patience_s)
        at = hour * 3600.0 + chance.expovariate(calls / 3600.0)
        while at < (hour + 1) * 3600.0:
            talk = handling_s(stream, chance)
            patience = chance.expovariate(1.0 / load.patience_s) if load.patience_s is not None else None
            drawn.append(Visit(at, load.queue, talk, patience))
            at += chance.expovariate(calls / 3600.0)
    return drawn
