"""A long day with a PBX that loses, delays, doubles and reorders: no rule broken, nobody stuck at the end."""

from __future__ import annotations

import pytest

from tests.fakes.faulty_world import FaultyWorld

QUIET = 0.3  # callers a second: agents wait for callers
CROWDED = 1.5  # callers wait for agents


@pytest.mark.parametrize(("seed", "load"), [(1, QUIET), (2, CROWDED)])
def test_a_long_day_ends_with_nobody_stuck(seed: int, load: float) -> None:
    world = FaultyWorld(seed, callers_per_s=load)
    world.run(facts=100_000, check_every=97)
    assert world.talks > 1_000, "the day must have been a day"
    world.wind_down()
    engine = world.engine
    assert engine.offers.open == {}
    assert engine.offers.talks == {}
    assert engine.lines.callers == {}
    assert engine.outbox.timers == {}
    assert {agent.state for agent in engine.floor.agents.values()} == {"ready"}
    assert all(agent.free for agent in engine.floor.agents.values())


@pytest.mark.parametrize("seed", range(20))
def test_every_single_fact_keeps_the_rules(seed: int) -> None:
    world = FaultyWorld(seed, queues=3, agents=4, callers_per_s=0.2)
    world.run(facts=1_000, check_every=1)
    world.wind_down()


def test_the_same_day_gives_the_same_decisions() -> None:
    days = [FaultyWorld(7) for _ in range(2)]
    for world in days:
        world.run(facts=5_000, check_every=5_000)
    assert days[0].now == days[1].now
    assert (days[0].offers, days[0].talks) == (days[1].offers, days[1].talks)
