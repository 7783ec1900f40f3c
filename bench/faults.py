"""Millions of facts of a contact centre whose PBX misbehaves, and no rule of routing broken.

    python -m bench.faults [--facts 2000000] [--first-seed 100]

Not a figure but a search: days in virtual time, each of another seed, quiet and crowded in turn. The PBX loses,
doubles, delays and reorders its facts; people log in twice, name agents who do not exist, ask each other; queues vanish
while callers wait, skills are renamed. After every fact a referee (`tests/fakes/referee.py`) judges what was offered to
whom, from the history alone; every 50th all invariants of the engine (`acd/invariants.py`) are checked; and each day
ends with nobody stuck. It stops at the first rule that is broken and says which seed repeats it.
"""

from __future__ import annotations

import argparse
import sys
import time

from bench.figures import table
from tests.fakes.faulty_world import FaultyWorld

A_DAY = 250_000  # facts
LOADS = (0.3, 0.8, 1.5)  # callers a second: from agents who wait to callers who wait
CHECK_EVERY = 50
HEADS = (
    "day",
    "facts",
    "hours",
    "offers",
    "talks",
    "answered elsewhere",
    "stale facts",
    "refused",
    "overtaken",
    "by, s",
)


def day(seed: int, load: float, facts: int) -> FaultyWorld:
    """One day, and its evening: everybody is served, and nobody and nothing is left."""
    world = FaultyWorld(seed, callers_per_s=load, history=False)
    world.run(facts, CHECK_EVERY)
    world.wind_down()
    engine = world.engine
    left = (engine.offers.open, engine.offers.talks, engine.lines.callers, engine.outbox.timers)
    assert not any(left), f"something is left: {left}"
    stuck = [agent.spec.id for agent in engine.floor.agents.values() if not agent.free]
    assert not stuck, f"agents are stuck: {stuck}"
    return world


def row(seed: int, world: FaultyWorld) -> list[str]:
    counts = [world.facts, world.now / 3600, world.offers, world.talks, world.elsewhere]
    counts += [sum(world.engine.ignored.values()), sum(world.refused.values()), world.referee.overtaken]
    return [f"seed {seed}", *(f"{count:,.0f}" for count in counts), f"{world.referee.furthest_s:.1f}"]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--facts", type=int, default=2_000_000)
    parser.add_argument("--first-seed", type=int, default=100)
    chosen = parser.parse_args()
    rows: list[list[str]] = []
    seed, told, begin = chosen.first_seed, 0, time.process_time()
    while told < chosen.facts:
        try:
            world = day(seed, LOADS[seed % len(LOADS)], min(A_DAY, chosen.facts - told))
        except AssertionError as broken:
            sys.exit(f"seed {seed}: {broken}")
        rows.append(row(seed, world))
        told += world.facts
        seed += 1
    print(table(HEADS, rows))
    print(f"{told:,} facts, {time.process_time() - begin:,.0f} s of CPU, no rule broken")


if __name__ == "__main__":
    main()
