"""When a queue does not keep a caller: so many wait already, or nobody is there to serve them."""

from __future__ import annotations

import pytest

from acd import facts as f
from acd.model import QueueSpec, WaitingCaller
from acd.skills import Need, Requirement
from tests.fakes.engine_driver import EngineDriver, agent_spec

SHORT = QueueSpec("sales", max_waiting=2)
STRICT = QueueSpec("sales", wrap_up_s=0.0, leave_when_empty=True)


def test_nobody_joins_behind_so_many() -> None:
    d = EngineDriver(SHORT)
    for call in ("anna", "bert", "carl"):
        d.join(call)
    assert d.released() == {"carl": "full"}
    assert d.notes("queue.left")[0].data == {"reason": "full"}
    assert d.engine.position("carl") is None


def test_there_is_room_again_when_somebody_leaves() -> None:
    d = EngineDriver(SHORT)
    for call in ("anna", "bert"):
        d.join(call)
    d.tell(f.CallerLeft("anna"))
    d.join("carl")
    assert d.released() == {}
    assert d.engine.position("carl") == 2


def test_a_head_start_that_puts_a_caller_before_the_others_lets_them_in() -> None:
    d = EngineDriver(SHORT)
    for call in ("anna", "bert"):
        d.join(call)
    d.join("vip", head_start=60)
    assert d.engine.position("vip") == 1
    assert d.released() == {}


def test_a_full_queue_takes_a_caller_whom_somebody_can_serve_at_once() -> None:
    d = EngineDriver(SHORT, agents=(agent_spec("1001"),))
    for call in ("anna", "bert"):
        d.join(call, requirement=Requirement((Need("spanish"),)))
    d.join("carl")
    assert d.ringing() == {"1001": "carl"}


def test_a_queue_of_no_waiting() -> None:
    d = EngineDriver(QueueSpec("sales", max_waiting=0), agents=(agent_spec("1001"),))
    d.join("anna")
    assert d.ringing() == {"1001": "anna"}
    d.join("bert")
    assert d.released() == {"bert": "full"}


def test_nobody_joins_a_queue_that_nobody_serves() -> None:
    d = EngineDriver(STRICT)
    d.join("anna")
    assert d.released() == {"anna": "empty"}


def test_a_pause_is_no_reason_to_send_callers_away() -> None:
    d = EngineDriver(STRICT, agents=(agent_spec("1001"),))
    d.tell(f.AgentPaused("1001", "lunch"))
    d.join("anna")
    assert d.released() == {}


@pytest.mark.parametrize(
    "fact", [f.AgentLoggedOut("1001"), f.AgentRemoved("1001"), f.AgentSet(agent_spec("1001", "x"))]
)
def test_when_the_last_agent_goes_everybody_is_handed_back(fact: f.Fact) -> None:
    d = EngineDriver(STRICT, agents=(agent_spec("1001"), agent_spec("1002")))
    for agent in ("1001", "1002"):
        d.tell(f.AgentPaused(agent, "lunch"))
    for call in ("anna", "bert"):
        d.join(call)
    d.tell(f.AgentLoggedOut("1002"))
    assert d.released() == {}
    d.tell(fact)
    assert d.released() == {"anna": "empty", "bert": "empty"}


def test_the_last_agent_finishes_their_talk_first() -> None:
    d = EngineDriver(STRICT, agents=(agent_spec("1001"),))
    for call in ("anna", "bert"):
        d.join(call)
    d.talk("anna")
    d.tell(f.AgentLoggedOut("1001"))
    assert d.released() == {}
    d.end_talk("anna")
    assert d.released() == {"bert": "empty"}


def test_while_the_pbx_cannot_be_seen_nobody_is_sent_away() -> None:
    d = EngineDriver(STRICT, agents=(agent_spec("1001"),))
    d.tell(f.AgentPaused("1001", "lunch"))
    d.join("anna")
    d.tell(f.SwitchLost())
    d.tell(f.AgentLoggedOut("1001"))
    d.tell(f.CallerJoined(WaitingCaller("bert", "sales", d.now)))
    assert d.released() == {}
    d.tell(f.SwitchFound())
    assert d.released() == {"anna": "empty", "bert": "empty"}


def test_the_rule_can_be_made_while_people_wait() -> None:
    d = EngineDriver(QueueSpec("sales"))
    d.join("anna")
    d.tell(f.QueueSet(STRICT))
    assert d.released() == {"anna": "empty"}
