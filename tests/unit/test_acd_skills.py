"""Who may be offered whom: skills, what relaxes with waiting, the agent of last time, and one order over everything."""

from __future__ import annotations

import pytest

from acd import facts as f
from acd.model import QueueSpec
from acd.skills import ANYBODY, Demand, Need, Relaxed, Requirement, course, stage_at
from tests.fakes.engine_driver import SALES, EngineDriver, agent_spec

SPANISH = Requirement((Need("spanish", 4),), relax=(Relaxed(30, (Need("spanish", 2),)), Relaxed(60)))


def test_only_an_agent_with_the_level_is_offered_the_caller() -> None:
    d = EngineDriver(agents=(agent_spec("low", spanish=3), agent_spec("none"), agent_spec("high", spanish=4)))
    d.join("anna", requirement=SPANISH)
    assert d.ringing() == {"high": "anna"}


def test_a_requirement_relaxes_ring_by_ring() -> None:
    d = EngineDriver(agents=(agent_spec("none"), agent_spec("low", spanish=2)))
    d.join("anna", requirement=SPANISH)
    d.pass_time(29)
    assert d.ringing() == {}
    d.pass_time(1)
    assert d.ringing() == {"low": "anna"}, "the second ring, though the other agent has been idle for longer"
    d.fail("anna")
    d.pass_time(29)
    d.fail("anna")
    d.pass_time(1)
    assert d.ringing() == {"none": "anna"}
    assert [note.data["stage"] for note in d.notes("queue.relaxed")] == [1, 2]


def test_the_queues_requirement_holds_for_callers_who_bring_none() -> None:
    queue = QueueSpec("sales", requirement=Requirement((Need("bikes"),)))
    d = EngineDriver(queue, agents=(agent_spec("1001"), agent_spec("1002", bikes=1)))
    d.join("anna")
    d.join("bert", requirement=Requirement())
    assert d.ringing() == {"1002": "anna", "1001": "bert"}


def test_nice_to_have_comes_before_the_strategy_and_bars_nobody() -> None:
    wish = Requirement(nice=(Need("ebikes", 2), Need("spanish")))
    d = EngineDriver(agents=(agent_spec("0"), agent_spec("1", ebikes=2), agent_spec("2", ebikes=3, spanish=1)))
    for call in ("anna", "bert", "carl"):
        d.join(call, requirement=wish)
    assert d.ringing() == {"2": "anna", "1": "bert", "0": "carl"}


def test_an_agent_takes_whoever_has_waited_longest_of_all_whom_they_can_serve() -> None:
    d = EngineDriver()
    d.join("hard", requirement=Requirement((Need("spanish", 5),)))
    d.pass_time(1)
    d.join("anna", requirement=Requirement((Need("spanish", 2),)))
    d.pass_time(1)
    d.join("bert")
    d.tell(f.AgentSet(agent_spec("1001", spanish=3)))
    d.tell(f.AgentLoggedIn("1001"))
    assert d.ringing() == {"1001": "anna"}
    assert d.engine.position("anna") == 2, "places are counted in the whole queue"


def test_a_new_skill_counts_at_once() -> None:
    d = EngineDriver(agents=(agent_spec("1001"),))
    d.join("anna", requirement=Requirement((Need("spanish"),)))
    d.tell(f.AgentSet(agent_spec("1001", spanish=1)))
    assert d.ringing() == {"1001": "anna"}


def test_a_changed_requirement_counts_for_those_who_wait() -> None:
    d = EngineDriver(QueueSpec("sales", requirement=SPANISH), agents=(agent_spec("1001", spanish=3),))
    d.join("anna")
    assert d.ringing() == {}
    d.tell(f.QueueSet(QueueSpec("sales", requirement=Requirement((Need("spanish", 3),)))))
    assert d.ringing() == {"1001": "anna"}


def test_a_caller_found_again_is_at_the_stage_that_their_wait_has_earned() -> None:
    d = EngineDriver(QueueSpec("sales", requirement=SPANISH), agents=(agent_spec("1001", spanish=2),))
    d.now += 100
    d.tell(f.SwitchLost())
    d.now -= 40
    d.join("anna")
    d.now += 40
    d.tell(f.SwitchFound())
    d.pass_time(0)
    assert d.ringing() == {"1001": "anna"}


def test_a_queues_head_start_is_its_weight_beside_other_queues() -> None:
    d = EngineDriver(SALES, QueueSpec("gold", head_start_s=60))
    d.join("old")
    d.pass_time(50)
    d.join("anna")
    d.join("bert", "gold")
    d.tell(f.AgentSet(agent_spec("1001", "sales", "gold")))
    d.tell(f.AgentLoggedIn("1001"))
    served: list[str] = []
    for _ in range(3):
        served += d.ringing().values()
        d.serve(served[-1])
    assert served == ["bert", "old", "anna"], "60 s ahead of who joins now, 10 s ahead of who joined 50 s ago"


def preferring() -> EngineDriver:
    d = EngineDriver(agents=(agent_spec("1001"), agent_spec("1002")))
    d.join("first")
    assert d.ringing() == {"1001": "first"}
    d.talk("first")
    return d


def test_the_preferred_agent_is_waited_for() -> None:
    d = preferring()
    d.join("anna", preferred="1001", preferred_s=30)
    assert d.ringing() == {}
    d.end_talk("first")
    d.pass_time(10)
    assert d.ringing() == {"1001": "anna"}


def test_but_not_for_longer_than_said() -> None:
    d = preferring()
    d.join("anna", preferred="1001", preferred_s=30)
    d.pass_time(30)
    assert d.ringing() == {"1002": "anna"}


@pytest.mark.parametrize(
    "fact",
    [
        f.AgentLoggedOut("1001"),
        f.AgentPaused("1001", "lunch"),
        f.AgentRemoved("1001"),
        f.AgentSet(agent_spec("1001", "other")),
    ],
)
def test_nobody_waits_for_an_agent_who_leaves(fact: f.Fact) -> None:
    d = preferring()
    d.join("anna", preferred="1001", preferred_s=300)
    d.tell(fact)
    d.end_talk("first")
    assert d.ringing()["1002"] == "anna"


def test_nobody_waits_for_an_agent_who_was_asked_and_did_not_come() -> None:
    d = EngineDriver(agents=(agent_spec("1001"), agent_spec("1002")))
    d.join("anna", preferred="1002", preferred_s=300)
    assert d.ringing() == {"1002": "anna"}
    d.fail("anna", f.OfferFailure.BUSY)
    assert d.ringing() == {"1001": "anna"}


@pytest.mark.parametrize("agent", ["nobody", "1003"])
def test_a_preferred_agent_who_is_not_there_is_no_reason_to_wait(agent: str) -> None:
    d = EngineDriver(QueueSpec("sales"), QueueSpec("help"), agents=(agent_spec("1001"), agent_spec("1003", "help")))
    d.join("anna", preferred=agent, preferred_s=300)
    assert d.ringing() == {"1001": "anna"}


def test_many_different_demands_leave_nothing_behind() -> None:
    d = EngineDriver(agents=tuple(agent_spec(str(n), spanish=5) for n in range(3)))
    for n in range(200):
        d.join(f"call{n}", requirement=Requirement((Need(f"skill{n}"),)))
        d.tell(f.CallerLeft(f"call{n}"))
    assert len(d.engine.floor.queues["sales"].all) <= 40


def test_the_course_of_a_caller() -> None:
    stages = course(SPANISH, "1001", 40)
    assert stages == (
        (0, Demand(agent="1001")),
        (40, Demand((Need("spanish", 2),))),
        (60, ANYBODY),
    )
    assert [stage_at(stages, waited) for waited in (0, 39, 40, 59.9995, 1000)] == [0, 0, 1, 2, 2]
    assert course(SPANISH)[0].demand.must == SPANISH.must


def test_a_requirement_that_grows_is_refused() -> None:
    with pytest.raises(ValueError, match="asks for more 'spanish'"):
        Requirement((Need("spanish", 2),), relax=(Relaxed(10, (Need("spanish", 3),)),))
    with pytest.raises(ValueError, match="asks for more 'bikes'"):
        Requirement((Need("spanish", 2),), relax=(Relaxed(10), Relaxed(20, (Need("bikes"),))))
    with pytest.raises(ValueError, match="cannot follow"):
        Requirement((Need("spanish", 2),), relax=(Relaxed(10), Relaxed(10)))
