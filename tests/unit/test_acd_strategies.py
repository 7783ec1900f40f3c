"""In which order free agents are chosen, one strategy at a time, by calls that are really offered and served."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import exp

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acd.facts import QueueSet
from acd.fading import Fading
from acd.model import QueueSpec
from acd.skills import Demand, Need, Requirement
from acd.strategies import Strategy, rank
from tests.fakes.engine_driver import EngineDriver, agent_spec

TEAM = tuple(agent_spec(agent) for agent in ("a", "b", "c"))


def desk(strategy: Strategy) -> EngineDriver:
    return EngineDriver(QueueSpec("sales", wrap_up_s=0.0, strategy=strategy), agents=TEAM)


def choices(d: EngineDriver, *talks: float) -> list[str]:
    """One caller after the other, each talking so long: whose phone rang."""
    chosen = []
    for n, talk_s in enumerate(talks):
        d.join(f"call{d.now}-{n}")
        chosen.append(d.serve(f"call{d.now}-{n}", talk_s))
        d.pass_time(1)
    return chosen


def test_longest_idle() -> None:
    assert choices(desk(Strategy.LONGEST_IDLE), 10, 10, 10, 10) == ["a", "b", "c", "a"]


def test_round_robin_keeps_the_turns_however_long_talks_last() -> None:
    d = desk(Strategy.ROUND_ROBIN)
    d.join("long")  # a
    d.talk("long")
    assert choices(d, 10, 10, 10) == ["b", "c", "b"]
    d.end_talk("long")
    assert choices(d, 10, 10) == ["a", "c"], "a is idle for the shortest time, yet it is their turn"


def test_round_robin_passes_on_who_does_not_answer() -> None:
    d = desk(Strategy.ROUND_ROBIN)
    d.join("anna")
    d.fail("anna")
    assert d.ringing() == {"b": "anna"}
    d.serve("anna")
    assert choices(d, 10, 10) == ["c", "a"]


def test_fewest_calls_lets_a_newcomer_catch_up() -> None:
    d = desk(Strategy.FEWEST_CALLS)
    assert sorted(choices(d, 10, 10, 10)) == ["a", "b", "c"]
    d.join("two")
    busy = next(iter(d.ringing()))
    d.serve("two")
    others = sorted({"a", "b", "c"} - {busy})
    assert sorted(choices(d, 10, 10)) == others


def test_least_occupied_counts_time_not_calls() -> None:
    d = desk(Strategy.LEAST_OCCUPIED)
    assert choices(d, 600, 60, 60) == ["a", "b", "c"]
    following = choices(d, *[60.0] * 8)
    assert "a" not in following, "ten minutes of a talk weigh more than five of one minute"
    assert set(following) == {"b", "c"}


def test_most_and_least_skilled() -> None:
    need = Requirement((Need("spanish", 2),))

    def first(strategy: Strategy, requirement: Requirement) -> str:
        agents = (
            agent_spec("master", spanish=5),
            agent_spec("all", spanish=2, bikes=3),
            agent_spec("fair", spanish=2),
        )
        d = EngineDriver(QueueSpec("sales", strategy=strategy), agents=agents)
        d.join("anna", requirement=requirement)
        return next(iter(d.ringing()))

    assert first(Strategy.MOST_SKILLED, need) == "master"
    assert first(Strategy.LEAST_SKILLED, need) == "fair"
    assert first(Strategy.MOST_SKILLED, Requirement()) == "master", "nothing asked: the longest idle"
    assert first(Strategy.LEAST_SKILLED, Requirement()) == "fair", "nothing asked: who has the fewest skills"


def test_a_changed_strategy_counts_at_once() -> None:
    d = EngineDriver(QueueSpec("sales"), agents=(agent_spec("a", spanish=1), agent_spec("b", spanish=3)))
    requirement = Requirement((Need("spanish"),))
    d.tell(QueueSet(QueueSpec("sales", strategy=Strategy.MOST_SKILLED)))
    d.join("anna", requirement=requirement)
    assert d.ringing() == {"b": "anna"}


@dataclass
class Someone:
    idle_since: float = 0.0
    turn: int = 0
    calls_of_late: float = 0.0
    work_of_late: float = 0.0
    skills: dict[str, int] = field(default_factory=dict)


@pytest.mark.parametrize("strategy", Strategy)
def test_equal_agents_are_told_apart_by_who_waited_longer(strategy: Strategy) -> None:
    longer, shorter = Someone(idle_since=1.0, turn=1), Someone(idle_since=2.0, turn=2)
    assert rank(strategy, longer, Demand()) < rank(strategy, shorter, Demand())


MOMENTS = st.lists(st.floats(0, 20_000), min_size=1, max_size=8)


@given(MOMENTS, MOMENTS, st.floats(0, 20_000))
def test_fading_sums_order_by_their_key_at_any_time(ours: list[float], theirs: list[float], later: float) -> None:
    now = 20_000 + later

    def fading(moments: list[float]) -> tuple[float, Fading]:
        total = Fading(3600.0)
        for at in moments:
            total.add_one(at)
        return sum(exp((at - now) / 3600.0) for at in moments), total

    (our_sum, our), (their_sum, their) = fading(ours), fading(theirs)
    assert our.value(now) == pytest.approx(our_sum)
    if our_sum < their_sum * 0.999:
        assert our.key < their.key


def test_fading_seconds_are_the_integral() -> None:
    long = Fading(3600.0)
    long.add_seconds(1000.0, 4600.0)
    assert long.value(4600.0) == pytest.approx(3600.0 * (1 - exp(-1)))
    long.add_seconds(5000.0, 5000.0)
    assert long.value(8200.0) == pytest.approx(3600.0 * (exp(-1) - exp(-2)))
