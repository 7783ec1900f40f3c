"""What an agent may count on: their turn, their rest, and that what they ask for happens."""

from __future__ import annotations

import pytest

from acd import facts as f
from acd.errors import AlreadyLoggedIn, NotLoggedIn, PhoneTaken, UnknownAgent
from acd.model import AgentSpec, QueueSpec
from acd.orders import MakeOffer, WithdrawOffer
from acd.states import AgentState
from tests.fakes.engine_driver import SALES, EngineDriver, agent_spec


def desk(*agents: str) -> EngineDriver:
    return EngineDriver(agents=tuple(agent_spec(agent) for agent in agents))


def test_the_longest_idle_agent_is_offered_the_call() -> None:
    d = desk("1003", "1001", "1002")
    for call in ("anna", "bert", "carl"):
        d.join(call)
    assert [order.agent for order in d.told(MakeOffer)] == ["1003", "1001", "1002"]


def test_logging_in_starts_at_the_back() -> None:
    d = desk("1001", "1002")
    d.tell(f.AgentLoggedOut("1001"))
    d.tell(f.AgentLoggedIn("1001"))
    d.join("anna")
    assert d.ringing() == {"1002": "anna"}


def test_wrap_up_ends_by_itself_and_starts_the_idle_time() -> None:
    d = desk("1001", "1002")
    d.join("anna")
    d.talk("anna")
    d.end_talk("anna")
    assert d.state("1001") is AgentState.WRAP_UP
    d.pass_time(9.9)
    assert d.state("1001") is AgentState.WRAP_UP
    d.pass_time(0.1)
    assert d.state("1001") is AgentState.READY
    d.join("bert")
    assert d.ringing() == {"1002": "bert"}


def test_wrap_up_may_be_ended_early() -> None:
    d = desk("1001")
    d.join("anna")
    d.talk("anna")
    d.join("bert")
    d.end_talk("anna")
    d.tell(f.AgentReady("1001"))
    assert d.ringing() == {"1001": "bert"}


def test_without_wrap_up_time_the_next_call_comes_at_once() -> None:
    d = EngineDriver(QueueSpec("sales", wrap_up_s=0), agents=(agent_spec("1001"),))
    d.join("anna")
    d.talk("anna")
    d.join("bert")
    d.end_talk("anna")
    assert d.ringing() == {"1001": "bert"}


def test_a_caller_who_hangs_up_while_it_rings_costs_the_agent_nothing() -> None:
    d = desk("1001", "1002")
    d.join("anna")
    d.pass_time(5)
    d.tell(f.CallerLeft("anna"))
    assert d.state("1001") is AgentState.READY
    d.join("bert")
    assert d.ringing() == {"1001": "bert"}


@pytest.mark.parametrize(
    "reason", [f.OfferFailure.NO_ANSWER, f.OfferFailure.BUSY, f.OfferFailure.REFUSED, f.OfferFailure.FAILED]
)
def test_an_offer_that_failed_on_the_agents_side_is_followed_by_a_rest(reason: f.OfferFailure) -> None:
    d = desk("1001")
    d.join("anna")
    d.fail("anna", reason)
    assert d.ringing() == {}
    d.pass_time(4.9)
    assert d.ringing() == {}
    d.pass_time(0.1)
    assert d.ringing() == {"1001": "anna"}


def test_a_missed_call_sends_the_agent_to_the_back() -> None:
    d = desk("1001", "1002", "1003")
    d.join("anna")
    d.fail("anna")
    d.talk("anna")
    d.pass_time(5)
    d.join("bert")
    d.join("carl")
    assert d.ringing() == {"1003": "bert", "1001": "carl"}


def test_saying_ready_ends_the_rest() -> None:
    d = desk("1001")
    d.join("anna")
    d.fail("anna", f.OfferFailure.BUSY)
    d.tell(f.AgentReady("1001"))
    assert d.ringing() == {"1001": "anna"}


def test_three_missed_calls_in_a_row_and_the_agent_is_not_there() -> None:
    d = desk("1001")
    d.join("anna")
    for _ in range(2):
        d.fail("anna")
        assert d.state("1001") is AgentState.READY
        d.pass_time(5)
    d.fail("anna")
    assert d.state("1001") is AgentState.NOT_READY
    assert d.engine.floor.agents["1001"].reason == "ring_no_answer"
    d.pass_time(60)
    assert d.ringing() == {}
    d.tell(f.AgentReady("1001"))
    assert d.ringing() == {"1001": "anna"}


def test_an_answer_forgives_earlier_misses() -> None:
    d = desk("1001")
    for call in ("anna", "bert", "carl"):
        d.join(call)
        d.fail(call)
        d.pass_time(5)
        d.talk(call)
        d.end_talk(call)
        d.pass_time(10)
    assert d.state("1001") is AgentState.READY


def test_busy_and_refused_are_no_misses() -> None:
    d = desk("1001")
    d.join("anna")
    for _ in range(5):
        d.fail("anna", f.OfferFailure.BUSY)
        d.pass_time(5)
    assert d.state("1001") is AgentState.OFFERING


def test_a_lost_phone_is_not_rung_until_it_is_back() -> None:
    d = desk("1001")
    d.tell(f.PhoneSeen("1001", reachable=False, busy=False))
    d.join("anna")
    d.pass_time(600)
    assert d.ringing() == {}
    assert d.state("1001") is AgentState.READY
    d.tell(f.PhoneSeen("1001", reachable=True, busy=False))
    assert d.ringing() == {"1001": "anna"}
    assert [note.data["state"] for note in d.notes("agent.phone")] == ["unreachable", "idle"]


def test_a_phone_that_could_not_be_reached_once_is_tried_again() -> None:
    """Whether it is registered the PBX says when that changes. A phone that answers 404 is registered all the time."""
    d = desk("1001")
    d.join("anna")
    d.fail("anna", f.OfferFailure.UNREACHABLE)
    assert d.ringing() == {}
    d.pass_time(5)
    assert d.ringing() == {"1001": "anna"}


def test_a_phone_in_another_call_is_not_rung() -> None:
    d = desk("1001", "1002")
    d.tell(f.PhoneSeen("1001", reachable=True, busy=True))
    d.join("anna")
    assert d.ringing() == {"1002": "anna"}
    d.join("bert")
    assert d.ringing() == {"1002": "anna"}
    d.tell(f.PhoneSeen("1001", reachable=True, busy=False))
    assert d.ringing() == {"1002": "anna", "1001": "bert"}


def test_a_phone_that_was_away_keeps_the_agents_turn() -> None:
    d = desk("1001", "1002")
    d.tell(f.PhoneSeen("1001", reachable=False, busy=False))
    d.tell(f.PhoneSeen("1001", reachable=True, busy=False))
    d.join("anna")
    assert d.ringing() == {"1001": "anna"}


@pytest.mark.parametrize("away", [f.AgentLoggedOut("1001"), f.AgentPaused("1001", "lunch")])
def test_stepping_away_while_it_rings_takes_the_offer_back(away: f.AgentLoggedOut | f.AgentPaused) -> None:
    d = desk("1001", "1002")
    d.join("anna")
    offer = d.offer("anna")
    assert WithdrawOffer(offer) in d.tell(away)
    assert d.state("1001") in (AgentState.LOGGED_OUT, AgentState.NOT_READY)
    assert d.ringing() == {"1002": "anna"}


def test_stepping_away_in_a_talk_happens_after_the_talk() -> None:
    d = desk("1001", "1002")
    d.join("anna")
    d.join("bert")
    d.talk("anna")
    d.talk("bert")
    d.tell(f.AgentPaused("1001", "lunch"))
    d.tell(f.AgentLoggedOut("1002"))
    assert d.state("1001") is d.state("1002") is AgentState.TALKING
    d.end_talk("anna")
    d.end_talk("bert")
    assert d.state("1001") is AgentState.NOT_READY
    assert d.engine.floor.agents["1001"].reason == "lunch"
    assert d.state("1002") is AgentState.LOGGED_OUT


def test_stepping_away_just_after_the_answer_does_not_drop_the_caller() -> None:
    d = desk("1001")
    d.join("anna")
    d.answer("anna")
    d.tell(f.AgentPaused("1001", "lunch"))
    d.tell(f.TalkStarted(d.offer("anna")))
    assert d.state("1001") is AgentState.TALKING
    d.end_talk("anna")
    assert d.state("1001") is AgentState.NOT_READY


def test_stepping_away_after_an_answer_that_led_nowhere() -> None:
    d = desk("1001")
    d.join("anna")
    d.answer("anna")
    d.tell(f.AgentLoggedOut("1001"))
    d.fail("anna", f.OfferFailure.LOST)
    assert d.state("1001") is AgentState.LOGGED_OUT


def test_saying_ready_in_a_talk_takes_the_pause_back() -> None:
    d = desk("1001")
    d.join("anna")
    d.talk("anna")
    d.tell(f.AgentPaused("1001", "lunch"))
    d.tell(f.AgentReady("1001"))
    d.end_talk("anna")
    assert d.state("1001") is AgentState.WRAP_UP


def test_an_agent_is_never_offered_two_calls() -> None:
    d = desk("1001")
    d.join("anna")
    d.join("bert")
    assert d.offered_calls() == ["anna"]
    d.talk("anna")
    assert d.offered_calls() == ["anna"]


@pytest.mark.parametrize("command", [f.AgentLoggedIn, f.AgentLoggedOut, f.AgentReady])
def test_an_agent_who_does_not_exist(command: type[f.AgentLoggedIn]) -> None:
    with pytest.raises(UnknownAgent, match=r"There is no agent '9999'\."):
        desk("1001").tell(command("9999"))


def test_logging_in_twice() -> None:
    with pytest.raises(AlreadyLoggedIn, match=r"Agent '1001' is already logged in, and ready\."):
        desk("1001").tell(f.AgentLoggedIn("1001"))


@pytest.mark.parametrize("command", [f.AgentLoggedOut("1001"), f.AgentPaused("1001", ""), f.AgentReady("1001")])
def test_commands_of_an_agent_who_is_not_logged_in(command: f.Fact) -> None:
    d = desk("1001")
    d.tell(f.AgentLoggedOut("1001"))
    before = len(d.all)
    with pytest.raises(NotLoggedIn, match=r"Agent '1001' is not logged in\."):
        d.tell(command)
    assert len(d.all) == before


def test_a_phone_belongs_to_one_agent() -> None:
    d = desk("1001")
    with pytest.raises(PhoneTaken, match=r"The phone '1001' already belongs to agent '1001'\."):
        d.tell(f.AgentSet(AgentSpec("1002", "Zoe", "1001")))
    assert "1002" not in d.engine.floor.agents


def test_an_agent_with_new_queues_is_found_in_them() -> None:
    d = EngineDriver(SALES, QueueSpec("help"), agents=(agent_spec("1001", "sales"),))
    d.join("anna", "help")
    assert d.ringing() == {}
    d.tell(f.AgentSet(agent_spec("1001", "help")))
    assert d.ringing() == {"1001": "anna"}


def test_a_removed_agent_leaves_at_once_or_after_the_talk() -> None:
    d = desk("1001", "1002", "1003")
    d.join("anna")
    d.talk("anna")
    d.join("bert")
    for agent in ("1001", "1002", "1003"):
        d.tell(f.AgentRemoved(agent))
    assert set(d.engine.floor.agents) == {"1001"}
    with pytest.raises(UnknownAgent):
        d.tell(f.AgentReady("1001"))
    d.end_talk("anna")
    assert d.engine.floor.agents == {}
    assert d.engine.position("bert") == 1


def test_agents_are_restored_as_they_were() -> None:
    specs = tuple(agent_spec(str(number)) for number in range(1, 6))
    d = EngineDriver(SALES)
    for spec in specs:
        d.tell(f.AgentSet(spec))
    d.tell(f.AgentRestored("1", AgentState.READY, "", 100.0))
    d.tell(f.AgentRestored("2", AgentState.NOT_READY, "lunch", 100.0))
    d.tell(f.AgentRestored("3", AgentState.TALKING, "", 100.0))
    d.tell(f.AgentRestored("4", AgentState.OFFERING, "", 50.0))
    d.tell(f.AgentRestored("9", AgentState.READY, "", 100.0))
    assert [d.state(str(n)) for n in range(1, 6)] == ["ready", "not_ready", "wrap_up", "ready", "logged_out"]
    d.join("anna")
    assert d.ringing() == {"4": "anna"}, "who was idle for longest before the restart still is"
    d.pass_time(10)
    assert d.state("3") is AgentState.READY


@pytest.mark.parametrize(
    ("before", "after"),
    [("talking", "wrap_up"), ("ready", "wrap_up"), ("not_ready", "not_ready"), ("logged_out", "logged_out")],
)
def test_a_talk_found_in_the_pbx_is_the_agents_talk_again(before: str, after: str) -> None:
    d = EngineDriver(SALES)
    d.tell(f.AgentSet(agent_spec("1001")))
    d.tell(f.AgentRestored("1001", AgentState(before), "", 100.0))
    d.tell(f.TalkRestored("cb-old", "anna", "1001", "sales"))
    assert d.state("1001") is AgentState.TALKING
    d.join("bert")
    d.pass_time(60)
    assert d.ringing() == {}
    d.end_talk("anna")
    assert d.state("1001") == after
