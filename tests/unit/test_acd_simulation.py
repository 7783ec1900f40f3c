"""A long day with a PBX that loses, delays, doubles and reorders: no rule broken, nobody stuck at the end."""

from __future__ import annotations

import subprocess
import sys
from contextlib import suppress
from itertools import count
from pathlib import Path

import pytest

from acd.engine import Engine
from acd.errors import AcdError
from acd.orders import MakeOffer, Order
from tests.fakes.faulty_world import FaultyWorld

ROOT = Path(__file__).parents[2]
QUIET = 0.3  # callers a second: agents wait for callers
CROWDED = 1.5  # callers wait for agents


@pytest.mark.parametrize(("seed", "load"), [(1, QUIET), (2, CROWDED)])
def test_a_long_day_ends_with_nobody_stuck(seed: int, load: float) -> None:
    world = FaultyWorld(seed, callers_per_s=load)
    world.run(facts=100_000, check_every=97)
    assert world.talks > 1_000, "the day must have been a day"
    assert world.elsewhere > 100, "many phones must have rung for one caller"
    assert world.referee.offers == world.offers, "the referee must have seen them all"
    assert world.referee.furthest_s <= 30.0, "nobody is overtaken by more than a head start"
    assert world.refused["UnknownAgent"] > 100, "people must have named agents who do not exist"
    assert world.refused["UnknownQueue"] > 10, "queues must have vanished"
    world.wind_down()
    engine = world.engine
    assert engine.offers.open == {}
    assert engine.offers.talks == {}
    assert engine.lines.callers == {}
    assert engine.outbox.timers == {}
    assert {agent.state for agent in engine.floor.agents.values()} == {"ready"}
    assert all(agent.free for agent in engine.floor.agents.values())


def test_agents_asked_each_other_and_callers_were_overtaken() -> None:
    """What the days above say nothing about unless it happens in them."""
    quiet, crowded = (FaultyWorld(seed, callers_per_s=load, history=False) for seed, load in ((3, QUIET), (4, CROWDED)))
    quiet.run(facts=20_000, check_every=20_000)
    crowded.run(facts=20_000, check_every=20_000)
    assert quiet.consults > 20
    assert crowded.referee.overtaken > 3
    assert crowded.referee.furthest_s > 1.0


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
    assert days[0].orders == days[1].orders


def test_the_facts_of_a_day_replayed_give_the_same_orders() -> None:
    """No clock, no chance, no memory of its own: who got whom can be worked out again from what was known."""
    day = FaultyWorld(8, callers_per_s=1.5)
    day.run(facts=20_000, check_every=20_000)
    ids = count(1)
    engine = Engine(day.queues, day.specs, lambda: f"cb-{next(ids)}")
    orders: list[Order] = []
    for fact, at in day.log:
        with suppress(AcdError):
            orders += engine.handle(fact, at)
    assert orders == day.orders
    assert sum(isinstance(order, MakeOffer) for order in orders) == day.offers > 1_000


DIGEST = """
from hashlib import sha256
from tests.fakes.faulty_world import FaultyWorld
day = FaultyWorld(9)
day.run(facts=3_000, check_every=3_000)
print(sha256(repr(day.orders).encode()).hexdigest())
"""


def test_the_order_of_hashes_decides_nothing() -> None:
    def digest(seed: str) -> bytes:
        return subprocess.check_output([sys.executable, "-c", DIGEST], cwd=ROOT, env={"PYTHONHASHSEED": seed})

    assert digest("1") == digest("2")
