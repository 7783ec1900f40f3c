"""What comes after a talk: wrap-up and its extension, dispositions. And reasons for not being ready."""

from __future__ import annotations

from dataclasses import replace

import pytest

from acd import facts as f
from acd.errors import (
    DispositionOwed,
    NothingToClassify,
    NotInWrapUp,
    UnknownDisposition,
    UnknownReason,
    WrapUpAtItsLongest,
)
from acd.model import QueueSpec, Rules
from acd.states import AgentState
from tests.fakes.engine_driver import EngineDriver, agent_spec

SALES = QueueSpec("sales", wrap_up_s=10.0, wrap_up_max_s=60.0, dispositions={"1": "sold", "2": "callback"})
ASKING = replace(SALES, disposition_required=True)


def after_a_talk(queue: QueueSpec = SALES) -> EngineDriver:
    d = EngineDriver(queue, agents=(agent_spec("1001"),))
    d.join("anna")
    d.talk("anna")
    d.pass_time(30)
    d.end_talk("anna")
    assert d.state("1001") is AgentState.WRAP_UP
    return d


def codes(d: EngineDriver) -> list[tuple[str | None, str | None, str | None, object]]:
    return [(note.call, note.agent, note.queue, note.data["code"]) for note in d.notes("call.disposition")]


# Wrap-up


def test_an_extension_moves_the_end() -> None:
    d = after_a_talk()
    d.pass_time(4)
    d.tell(f.WrapUpExtended("1001", 20))
    d.pass_time(25.9)
    assert d.state("1001") is AgentState.WRAP_UP
    d.pass_time(0.2)
    assert d.state("1001") is AgentState.READY
    assert [note.data["seconds"] for note in d.notes("agent.wrap_up_extended")] == [20]


def test_extensions_end_at_the_longest_wrap_up_of_the_queue() -> None:
    d = after_a_talk()
    d.tell(f.WrapUpExtended("1001", 30))
    d.tell(f.WrapUpExtended("1001", 30))
    assert [note.data["seconds"] for note in d.notes("agent.wrap_up_extended")] == [30, 20]
    before = dict(d.timers)
    with pytest.raises(WrapUpAtItsLongest, match=r"The wrap-up of agent '1001' lasts 60 s already, the longest that"):
        d.tell(f.WrapUpExtended("1001", 1))
    assert d.timers == before
    d.pass_time(60)
    assert d.state("1001") is AgentState.READY


def test_a_wrap_up_longer_than_the_default_limit_is_no_contradiction() -> None:
    d = after_a_talk(QueueSpec("sales", wrap_up_s=900.0))
    d.pass_time(899)
    assert d.state("1001") is AgentState.WRAP_UP
    d.pass_time(1)
    assert d.state("1001") is AgentState.READY


def test_there_must_be_a_wrap_up_to_extend() -> None:
    d = after_a_talk()
    d.pass_time(10)
    with pytest.raises(NotInWrapUp, match=r"Agent '1001' is not in wrap-up: there is nothing to extend\."):
        d.tell(f.WrapUpExtended("1001", 30))


def test_an_extended_wrap_up_can_be_ended_early() -> None:
    d = after_a_talk()
    d.tell(f.WrapUpExtended("1001", 30))
    d.tell(f.AgentReady("1001"))
    assert d.state("1001") is AgentState.READY
    assert not d.timers


def test_after_a_restart_a_wrap_up_can_be_extended_too_and_ends() -> None:
    d = EngineDriver(SALES)
    d.tell(f.AgentSet(agent_spec("1001")))
    d.tell(f.AgentRestored("1001", AgentState.WRAP_UP, "", 100.0))
    d.tell(f.WrapUpExtended("1001", 10_000))
    d.pass_time(299)
    assert d.state("1001") is AgentState.WRAP_UP
    with pytest.raises(NothingToClassify):
        d.tell(f.DispositionGiven("1001", "sold"))
    d.pass_time(1)
    assert d.state("1001") is AgentState.READY


@pytest.mark.parametrize(("given", "lasts"), [("", 60), ("sold", 10)])
def test_after_a_restart_a_disposition_is_still_owed(given: str, lasts: float) -> None:
    d = EngineDriver(ASKING)
    d.tell(f.AgentSet(agent_spec("1001")))
    d.tell(f.AgentRestored("1001", AgentState.WRAP_UP, "", 995.0, "anna", "sales", given))
    d.pass_time(lasts - 1)
    assert d.state("1001") is AgentState.WRAP_UP
    d.pass_time(1)
    assert d.state("1001") is AgentState.READY
    assert codes(d) == ([] if given else [("anna", "1001", "sales", "none_given")])


def test_after_a_restart_it_can_be_given() -> None:
    d = EngineDriver(ASKING)
    d.tell(f.AgentSet(agent_spec("1001")))
    d.tell(f.AgentRestored("1001", AgentState.WRAP_UP, "", 995.0, "anna", "sales"))
    d.pass_time(20)
    d.tell(f.DispositionGiven("1001", "1"))
    assert codes(d) == [("anna", "1001", "sales", "sold")]
    assert d.state("1001") is AgentState.READY


def test_a_queue_that_went_with_the_restart_asks_for_nothing() -> None:
    d = EngineDriver(ASKING)
    d.tell(f.AgentSet(agent_spec("1001")))
    d.tell(f.AgentRestored("1001", AgentState.WRAP_UP, "", 995.0, "anna", "gone"))
    with pytest.raises(NothingToClassify):
        d.tell(f.DispositionGiven("1001", "1"))
    d.pass_time(10)
    assert d.state("1001") is AgentState.READY


# Dispositions


@pytest.mark.parametrize("word", ["sold", "1"])
def test_a_disposition_is_given_in_the_talk_or_its_wrap_up_by_name_or_digit(word: str) -> None:
    d = EngineDriver(SALES, agents=(agent_spec("1001"),))
    d.join("anna")
    d.talk("anna")
    d.tell(f.DispositionGiven("1001", word))
    d.end_talk("anna")
    d.tell(f.DispositionGiven("1001", "callback"))
    assert codes(d) == [("anna", "1001", "sales", "sold"), ("anna", "1001", "sales", "callback")]
    d.pass_time(10)
    assert d.state("1001") is AgentState.READY
    assert len(codes(d)) == 2


def test_a_disposition_belongs_to_a_talk() -> None:
    d = after_a_talk()
    d.pass_time(10)
    with pytest.raises(NothingToClassify, match=r"Agent '1001' is neither in a talk nor in its wrap-up"):
        d.tell(f.DispositionGiven("1001", "sold"))


def test_an_unknown_disposition() -> None:
    d = after_a_talk()
    with pytest.raises(
        UnknownDisposition, match=r"Queue 'sales' has no disposition 'won'\. It has: 1 sold, 2 callback\."
    ):
        d.tell(f.DispositionGiven("1001", "won"))
    d = after_a_talk(QueueSpec("sales"))
    with pytest.raises(UnknownDisposition, match=r"Queue 'sales' has no disposition '1'\. It has none at all\."):
        d.tell(f.DispositionGiven("1001", "1"))


def test_without_the_required_disposition_the_wrap_up_lasts_and_is_noted_in_the_end() -> None:
    d = after_a_talk(ASKING)
    d.pass_time(59)
    assert d.state("1001") is AgentState.WRAP_UP
    assert codes(d) == []
    d.pass_time(1)
    assert d.state("1001") is AgentState.READY
    assert codes(d) == [("anna", "1001", "sales", "none_given")]


def test_once_it_is_given_the_wrap_up_ends_as_usual() -> None:
    d = after_a_talk(ASKING)
    d.pass_time(3)
    d.tell(f.DispositionGiven("1001", "sold"))
    d.pass_time(6)
    assert d.state("1001") is AgentState.WRAP_UP
    d.pass_time(1)
    assert d.state("1001") is AgentState.READY
    assert [code for *_, code in codes(d)] == ["sold"]


def test_given_later_than_the_usual_wrap_up_it_ends_at_once() -> None:
    d = after_a_talk(ASKING)
    d.pass_time(30)
    d.join("bert")
    d.tell(f.DispositionGiven("1001", "2"))
    assert d.ringing() == {"1001": "bert"}


def test_a_queue_without_wrap_up_time_waits_for_what_it_requires() -> None:
    d = after_a_talk(replace(ASKING, wrap_up_s=0.0))
    d.tell(f.DispositionGiven("1001", "1"))
    assert d.state("1001") is AgentState.READY


def test_ready_before_what_is_owed() -> None:
    d = after_a_talk(ASKING)
    with pytest.raises(DispositionOwed, match=r"must say first what the talk led to: 1 sold, 2 callback\."):
        d.tell(f.AgentReady("1001"))
    assert d.state("1001") is AgentState.WRAP_UP


@pytest.mark.parametrize("when", ["in the talk", "in the wrap-up"])
def test_a_pause_or_log_out_waits_for_what_is_owed(when: str) -> None:
    d = EngineDriver(ASKING, agents=(agent_spec("1001"), agent_spec("1002")))
    for call in ("anna", "bert"):
        d.join(call)
        d.talk(call)
    away = (f.AgentPaused("1001", "lunch"), f.AgentLoggedOut("1002"))
    for fact in away if when == "in the talk" else ():
        d.tell(fact)
    for call in ("anna", "bert"):
        d.end_talk(call)
    for fact in away if when == "in the wrap-up" else ():
        d.tell(fact)
    assert d.state("1001") is d.state("1002") is AgentState.WRAP_UP
    d.tell(f.DispositionGiven("1001", "1"))
    assert d.state("1001") is AgentState.NOT_READY
    assert d.engine.floor.agents["1001"].reason == "lunch"
    d.pass_time(60)
    assert d.state("1002") is AgentState.LOGGED_OUT
    assert [(agent, code) for _, agent, _, code in codes(d)] == [("1001", "sold"), ("1002", "none_given")]


def test_a_removed_agent_is_not_kept_for_it() -> None:
    d = after_a_talk(ASKING)
    d.tell(f.AgentRemoved("1001"))
    assert d.engine.floor.agents == {}
    assert [code for *_, code in codes(d)] == ["none_given"]
    d = EngineDriver(ASKING, agents=(agent_spec("1001"),))
    d.join("anna")
    d.talk("anna")
    d.tell(f.AgentRemoved("1001"))
    d.end_talk("anna")
    assert d.engine.floor.agents == {}


def test_the_talk_of_a_removed_queue_still_ends_in_its_wrap_up() -> None:
    d = EngineDriver(ASKING, agents=(agent_spec("1001"),))
    d.join("anna")
    d.talk("anna")
    d.tell(f.QueueRemoved("sales"))
    d.end_talk("anna")
    d.tell(f.DispositionGiven("1001", "1"))
    d.pass_time(10)
    assert d.state("1001") is AgentState.READY


# Not ready


def test_reasons_are_those_of_the_site() -> None:
    d = EngineDriver(agents=(agent_spec("1001"),), rules=Rules(not_ready_reasons=("break", "lunch")))
    with pytest.raises(
        UnknownReason, match=r"There is no reason 'tea' for not being ready\. There are: break, lunch\."
    ):
        d.tell(f.AgentPaused("1001", "tea"))
    assert d.state("1001") is AgentState.READY
    for reason in ("lunch", ""):
        d.tell(f.AgentPaused("1001", reason))
    states = [(note.data["state"], note.data["reason"]) for note in d.notes("agent.state")]
    assert states[-2:] == [("not_ready", "lunch"), ("not_ready", "")]


def test_a_site_without_reasons_takes_any() -> None:
    d = EngineDriver(agents=(agent_spec("1001"),))
    d.tell(f.AgentPaused("1001", "tea"))
    assert d.engine.floor.agents["1001"].reason == "tea"


def test_how_many_misses_are_too_many_is_the_sites_rule() -> None:
    d = EngineDriver(agents=(agent_spec("1001"),), rules=Rules(max_misses=1))
    d.join("anna")
    d.fail("anna")
    assert d.state("1001") is AgentState.NOT_READY
    last = d.notes("agent.state")[-1]
    assert (last.agent, last.data["reason"]) == ("1001", "ring_no_answer")
