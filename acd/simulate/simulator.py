"""The way in: one load, one staffing, one seed, one report. The only place of the simulator that makes chance."""

from __future__ import annotations

from random import Random

from acd.simulate.load import Load, Staffing
from acd.simulate.report import Report
from acd.simulate.world import Chances, World


def simulate(load: Load, staffing: Staffing, seed: int) -> Report:
    """The same arguments give the same report, to the last digit. Raises `UnknownQueue` for a stream without one."""
    streams = range(len(load.streams))

    def chances(purpose: str) -> tuple[Random, ...]:
        return tuple(Random(f"{seed}/{purpose}/{stream}") for stream in streams)

    handling = Random(f"{seed}/handling")
    return World(load, staffing, Chances(chances("arrivals"), chances("patience"), handling)).run()
