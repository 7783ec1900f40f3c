"""What ought not to happen and does: the world changes under those who wait, and clocks are wrong.

Names of agents and queues that nobody knows, logging in twice, preferring somebody who is not there: see
`test_acd_agents.py`, `test_acd_callers.py` and `test_acd_skills.py`; all of it together, `test_acd_simulation.py`.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from acd import facts as f
from acd.errors import AlreadyLoggedIn, UnknownAgent, UnknownQueue
from acd.model import QueueSpec, WaitingCaller
from acd.skills import Need, Relaxed, Requirement
from tests.fakes.engine_driver import SALES, EngineDriver, agent_spec

SPANISH = QueueSpec("sales", ring_s=20, wrap_up_s=10.0, requirement=Requirement((Need("spanish", 2),)))
HOUR = 3600.0


def test_a_skill_renamed_with_the_agents_first_and_the_queue_later_costs_nobody_their_place() -> None:
    d = EngineDriver(SPANISH, agents=(agent_spec("a", spanish=3), agent_spec("b", spanish=3)))
    d.tell(f.AgentPaused("b", ""))
    d.join("anna")
    d.join("bert")
    d.join("carl")
    d.tell(f.AgentSet(agent_spec("a", castilian=3)))
    d.tell(f.AgentSet(agent_spec("b", castilian=3)))
    assert d.ringing() == {"a": "anna"}, "what rings, rings on"
    d.tell(f.AgentReady("b"))
    assert d.ringing() == {"a": "anna"}, "nobody has the skill by its old name"
    d.tell(f.QueueSet(replace(SPANISH, requirement=Requirement((Need("castilian", 2),)))))
    assert d.ringing() == {"a": "anna", "b": "bert"}
    assert d.engine.position("carl") == 3


def test_a_caller_who_brought_the_old_name_of_a_skill_is_served_once_the_need_relaxes() -> None:
    d = EngineDriver(SALES, agents=(agent_spec("a", castilian=3),))
    d.join("anna", requirement=Requirement((Need("spanish", 2),), relax=(Relaxed(30.0),)))
    assert d.ringing() == {}
    d.pass_time(30)
    assert d.ringing() == {"a": "anna"}


def test_a_queue_deleted_while_people_wait_ring_and_talk() -> None:
    agents = tuple(agent_spec(agent, "sales", "help") for agent in ("a", "b"))
    d = EngineDriver(SALES, QueueSpec("help"), agents=agents)
    d.join("talks")
    d.talk("talks")
    d.join("rings")
    d.join("waits")
    d.join("elsewhere", "help")
    d.tell(f.QueueRemoved("sales"))
    assert d.released() == {"rings": "unavailable", "waits": "unavailable"}
    assert d.ringing() == {"b": "elsewhere"}, "whose phone rang in vain is there for the other queue at once"
    assert d.state("a") == "talking"
    with pytest.raises(UnknownQueue):
        d.join("late")
    with pytest.raises(UnknownQueue):
        d.tell(f.QueueRemoved("sales"))
    d.end_talk("talks")
    d.pass_time(10)
    assert d.state("a") == "ready"
    d.tell(f.QueueSet(SALES))
    d.join("again")
    assert d.ringing() == {"a": "again", "b": "elsewhere"}


def test_a_second_login_and_a_stranger_change_nothing() -> None:
    d = EngineDriver(agents=(agent_spec("a"), agent_spec("b")))
    d.join("anna")
    orders = len(d.all)
    for agent, error in (("a", AlreadyLoggedIn), ("b", AlreadyLoggedIn), ("nobody", UnknownAgent)):
        with pytest.raises(error):
            d.tell(f.AgentLoggedIn(agent))
    with pytest.raises(UnknownAgent):
        d.tell(f.AgentRemoved("nobody"))
    assert len(d.all) == orders
    assert d.ringing() == {"a": "anna"}


def test_a_clock_that_jumps_an_hour_ahead_makes_every_deadline_fire_late_and_nobody_stuck() -> None:
    """A machine that was asleep: nothing was told for an hour, and then everything is due at once."""
    spec = replace(SALES, max_wait_s=120.0)
    d = EngineDriver(spec, agents=(agent_spec("a"), agent_spec("b"), agent_spec("c")))
    d.join("wraps_up")
    d.talk("wraps_up")
    d.join("rings")
    d.join("connects")
    d.answer("connects")
    d.end_talk("wraps_up")
    d.join("waits")
    d.now += HOUR
    for timer in sorted(d.timers, reverse=True):
        if timer in d.timers:
            del d.timers[timer]
            d.tell(f.TimerFired(timer))
    d.pass_time(10)
    assert {d.state(agent) for agent in ("a", "b", "c")} == {"ready"}
    assert set(d.released().values()) == {"timeout"}
    assert d.engine.lines.callers == {}
    d.join("anna")
    assert set(d.ringing().values()) == {"anna"}


def test_a_clock_that_went_back_an_hour_breaks_no_rule_and_changes_no_order() -> None:
    """Within a process the clock never does (`cordboard/clock.py`); the engine does not lean on it."""
    d = EngineDriver(SPANISH, agents=(agent_spec("a", spanish=3),))
    d.tell(f.AgentPaused("a", ""))
    d.join("anna")
    d.pass_time(1)
    d.join("bert")
    d.now -= HOUR
    d.tell(f.AgentReady("a"))
    assert d.ringing() == {"a": "anna"}
    assert d.serve("anna") == "a"
    assert d.ringing() == {"a": "bert"}
    assert d.serve("bert") == "a"


def test_a_caller_who_joined_in_the_future_is_served_and_waits_no_longer_than_the_limit_of_then() -> None:
    """The wall clock was set back between two lives of the service: the call's memory says an hour from now."""
    spec = replace(SPANISH, max_wait_s=60.0, requirement=Requirement((Need("spanish"),), relax=(Relaxed(30.0),)))
    d = EngineDriver(spec, agents=(agent_spec("a"),))
    d.tell(f.CallerJoined(WaitingCaller("future", "sales", d.now + HOUR)))
    d.join("anna")
    assert d.engine.position("anna") == 1
    d.pass_time(30)
    assert d.ringing() == {"a": "anna"}, "relaxed by her own clock"
    d.tell(f.CallerLeft("anna"))
    assert d.engine.position("future") == 1
    d.pass_time(HOUR)
    assert d.ringing() == {"a": "future"}, "relaxed at last"
    d.fail("future")
    d.pass_time(60)
    assert d.released() == {"future": "timeout"}


def test_a_caller_may_prefer_somebody_who_does_not_exist() -> None:
    d = EngineDriver(SALES, agents=(agent_spec("a"),))
    d.join("anna", preferred="nobody", preferred_s=30.0)
    assert d.ringing() == {"a": "anna"}
