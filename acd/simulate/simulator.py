"""The way in: one load, one staffing, one seed, one report. The only place of the simulator that makes chance."""

from __future__ import annotations

from random import Random

from acd.simulate.clockwork import Watcher
from acd.simulate.load import Load, Staffing
from acd.simulate.report import Report
from acd.simulate.world import Chances, World


def simulate(load: Load, staffing: Staffing, seed: int, watcher: Watcher | None = None) -> Report:
    """The same arguments give the same report, to the last digit. Raises `UnknownQueue` for a stream without one."""
    return World(load, staffing, chances(load, seed), watcher).run()


def chances(load: Load, seed: int) -> Chances:
    """One source of chance for each purpose."""

    def each(purpose: str) -> tuple[Random, ...]:
        return tuple(Random(f"{seed}/{purpose}/{stream}") for stream in range(len(load.streams)))

    return Chances(each("arrivals"), each("patience"), Random(f"{seed}/handling"))
