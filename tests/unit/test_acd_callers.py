"""What a caller may count on: their place, one agent at a time, and an end to waiting."""

from __future__ import annotations

import pytest

from acd import facts as f
from acd.errors import UnknownQueue
from acd.model import QueueSpec, WaitingCaller
from acd.orders import ConnectTalk, MakeOffer, QueueResult, ReleaseCaller, WithdrawOffer
from acd.states import AgentState
from tests.fakes.engine_driver import SALES, EngineDriver, agent_spec

HELP = QueueSpec("help", wrap_up_s=10.0)


def desk(*agents: str) -> EngineDriver:
    return EngineDriver(agents=tuple(agent_spec(agent) for agent in agents))


def test_a_free_agent_is_offered_the_call_at_once() -> None:
    d = desk("1001")
    d.join("anna")
    offer = d.told(MakeOffer)[0]
    assert (offer.agent, offer.endpoint, offer.caller.call, offer.ring_s) == ("1001", "1001", "anna", 20)


def test_answer_connects_and_the_bridge_makes_it_a_talk() -> None:
    d = desk("1001")
    d.join("anna")
    offer = d.offer("anna")
    assert ConnectTalk(offer, "anna", "1001") in d.answer("anna")
    assert d.state("1001") is AgentState.CONNECTING
    d.tell(f.TalkStarted(offer))
    assert d.state("1001") is AgentState.TALKING
    assert d.notes("queue.left")[0].data == {"reason": "answered"}
    assert d.engine.position("anna") is None


def test_first_come_first_served() -> None:
    d = desk("1001")
    for call in ("anna", "bert", "carl"):
        d.join(call)
        d.pass_time(1)
    for call in ("anna", "bert", "carl"):
        assert d.ringing() == {"1001": call}
        d.talk(call)
        d.end_talk(call)
        d.pass_time(10)


def test_an_agent_of_two_queues_takes_whoever_has_waited_longer() -> None:
    d = EngineDriver(SALES, HELP)
    d.join("anna", "help")
    d.pass_time(1)
    d.join("bert", "sales")
    d.tell(f.AgentSet(agent_spec("1001", "sales", "help")))
    d.tell(f.AgentLoggedIn("1001"))
    assert d.ringing() == {"1001": "anna"}


def test_a_head_start_counts_as_time_waited_and_order_never_flips() -> None:
    d = desk()
    d.join("anna")
    d.pass_time(30)
    d.join("bert")
    d.join("vip", head_start=20)
    d.join("star", head_start=40)
    assert [d.engine.position(call) for call in ("star", "anna", "vip", "bert")] == [1, 2, 3, 4]
    d.pass_time(100_000)
    assert [d.engine.position(call) for call in ("star", "anna", "vip", "bert")] == [1, 2, 3, 4]


def test_a_failed_offer_returns_the_caller_to_the_head() -> None:
    d = desk("1001", "1002")
    d.join("anna")
    d.pass_time(1)
    d.join("bert")
    d.pass_time(1)
    d.join("carl")
    d.fail("anna")
    assert d.engine.position("anna") == 1
    d.talk("bert")
    d.end_talk("bert")
    d.pass_time(5)
    assert d.ringing() == {"1001": "anna"}
    assert d.engine.position("anna") == 1


def test_a_failed_offer_goes_to_the_next_agent_at_once() -> None:
    d = desk("1001", "1002")
    d.join("anna")
    assert d.ringing() == {"1001": "anna"}
    d.fail("anna")
    assert d.ringing() == {"1002": "anna"}


def test_hanging_up_while_it_rings_takes_the_offer_back() -> None:
    d = desk("1001")
    d.join("anna")
    offer = d.offer("anna")
    assert WithdrawOffer(offer) in d.tell(f.CallerLeft("anna"))
    assert d.notes("offer.withdrawn")[0].data == {"offer": offer, "reason": "caller_left"}
    assert d.notes("queue.left")[0].data == {"reason": "abandoned"}
    assert d.engine.position("anna") is None


def test_a_leg_lost_before_the_talk_returns_the_caller_to_the_head() -> None:
    d = desk("1001", "1002")
    d.join("anna")
    d.answer("anna")
    d.fail("anna", f.OfferFailure.LOST)
    assert d.ringing() == {"1002": "anna"}


def test_a_talk_that_never_begins_is_given_up_after_five_seconds() -> None:
    d = desk("1001", "1002")
    d.join("anna")
    offer = d.offer("anna")
    d.answer("anna")
    d.pass_time(4.9)
    assert d.ringing() == {"1001": "anna"}
    assert WithdrawOffer(offer) in d.pass_time(0.2)
    assert d.ringing() == {"1002": "anna"}


def test_silence_of_the_pbx_ends_an_offer() -> None:
    d = desk("1001", "1002")
    d.join("anna")
    offer = d.offer("anna")
    d.pass_time(24.9)
    assert d.ringing() == {"1001": "anna"}
    assert WithdrawOffer(offer) in d.pass_time(0.2)
    assert d.ringing() == {"1002": "anna"}
    assert d.tell(f.OfferAnswered(offer)) == []


def test_max_wait_hands_the_caller_back() -> None:
    d = EngineDriver(QueueSpec("sales", max_wait_s=60))
    d.join("anna")
    assert d.pass_time(59) == []
    assert ReleaseCaller("anna", QueueResult.TIMEOUT) in d.pass_time(1)
    assert d.notes("queue.left")[0].data == {"reason": "timeout"}


def test_max_wait_is_kept_even_while_a_phone_rings() -> None:
    d = EngineDriver(QueueSpec("sales", max_wait_s=10), agents=(agent_spec("1001"),))
    d.join("anna")
    offer = d.offer("anna")
    orders = d.pass_time(10)
    assert WithdrawOffer(offer) in orders
    assert ReleaseCaller("anna", QueueResult.TIMEOUT) in orders
    assert d.state("1001") is AgentState.READY


def test_max_wait_does_not_take_an_answered_call_away() -> None:
    d = EngineDriver(QueueSpec("sales", max_wait_s=10), agents=(agent_spec("1001"),))
    d.join("anna")
    d.pass_time(8)
    d.answer("anna")
    d.pass_time(3)
    d.tell(f.TalkStarted(d.offer("anna")))
    assert d.told(ReleaseCaller) == []


def test_max_wait_that_passed_during_a_connection_that_failed() -> None:
    d = EngineDriver(QueueSpec("sales", max_wait_s=10), agents=(agent_spec("1001"), agent_spec("1002")))
    d.join("anna")
    d.pass_time(8)
    d.answer("anna")
    orders = d.pass_time(5)
    assert ReleaseCaller("anna", QueueResult.TIMEOUT) in orders
    assert d.ringing() == {}


def test_max_wait_counts_from_when_the_caller_joined() -> None:
    d = EngineDriver(QueueSpec("sales", max_wait_s=60))
    d.tell(f.CallerJoined(WaitingCaller("anna", "sales", d.now - 50)))
    assert ReleaseCaller("anna", QueueResult.TIMEOUT) in d.pass_time(10)


def test_joining_tells_the_position_and_every_change_of_it_is_noted() -> None:
    d = desk()
    for call in ("anna", "bert", "carl"):
        d.join(call)
        d.pass_time(1)
    assert [note.data["position"] for note in d.notes("queue.joined")] == [1, 2, 3]
    d.tell(f.CallerLeft("anna"))
    assert [(note.call, note.data["position"]) for note in d.notes("queue.position")] == [("bert", 1), ("carl", 2)]


def test_only_so_many_changes_of_position_are_noted() -> None:
    d = EngineDriver(QueueSpec("sales", noted_positions=3))
    for n in range(50):
        d.join(f"call{n:02}")
    d.tell(f.CallerLeft("call00"))
    assert [note.call for note in d.notes("queue.position")] == ["call01", "call02", "call03"]
    assert d.engine.position("call49") == 49


def test_a_caller_keeps_their_position_while_a_phone_rings_for_them() -> None:
    d = desk("1001")
    d.join("anna")
    d.join("bert")
    assert d.engine.position("anna") == 1
    assert d.engine.position("bert") == 2


def test_a_removed_queue_hands_everyone_back_and_lets_talks_go_on() -> None:
    d = desk("1001", "1002")
    for call in ("anna", "bert", "carl"):
        d.join(call)
    d.talk("anna")
    d.tell(f.QueueRemoved("sales"))
    assert [order.call for order in d.told(ReleaseCaller)] == ["bert", "carl"]
    assert {order.result for order in d.told(ReleaseCaller)} == {QueueResult.UNAVAILABLE}
    assert d.state("1001") is AgentState.TALKING
    d.end_talk("anna")
    with pytest.raises(UnknownQueue, match="There is no queue 'sales'"):
        d.join("dora")


def test_a_queue_that_is_added_finds_the_agents_who_serve_it() -> None:
    d = EngineDriver(SALES, agents=(agent_spec("1001", "sales", "help"),))
    d.tell(f.QueueSet(HELP))
    d.join("anna", "help")
    assert d.ringing() == {"1001": "anna"}


def test_a_new_max_wait_counts_for_those_who_wait_already() -> None:
    d = desk()
    d.join("anna")
    d.pass_time(30)
    d.tell(f.QueueSet(QueueSpec("sales", max_wait_s=40)))
    assert ReleaseCaller("anna", QueueResult.TIMEOUT) in d.pass_time(10)


def test_facts_about_what_is_not_there_change_nothing_and_are_counted() -> None:
    d = desk("1001")
    d.join("anna")
    offer = d.offer("anna")
    d.tell(f.CallerLeft("anna"))
    for late in (
        f.OfferRinging(offer),
        f.OfferAnswered(offer),
        f.OfferFailed(offer, f.OfferFailure.BUSY),
        f.TalkStarted(offer),
        f.TalkEnded(offer, f.EndedBy.AGENT),
        f.CallerLeft("anna"),
    ):
        assert d.tell(late) == []
    assert d.engine.ignored.total() == 6


def test_a_doubled_fact_changes_nothing() -> None:
    d = desk("1001")
    d.join("anna")
    assert d.join("anna") == []
    offer = d.offer("anna")
    for fact in (
        f.OfferRinging(offer),
        f.OfferAnswered(offer),
        f.TalkStarted(offer),
        f.TalkEnded(offer, f.EndedBy.AGENT),
    ):
        assert d.tell(fact) != []
        assert d.tell(fact) == []


def test_nothing_is_offered_and_nothing_expires_while_the_pbx_cannot_be_seen() -> None:
    d = EngineDriver(QueueSpec("sales", max_wait_s=60), agents=(agent_spec("1001"), agent_spec("1002")))
    d.join("anna")
    d.tell(f.SwitchLost())
    d.join("bert")
    d.pass_time(300)
    assert d.ringing() == {"1001": "anna"}
    assert d.told(ReleaseCaller) == []
    d.tell(f.SwitchFound())
    assert d.ringing() == {"1001": "anna", "1002": "bert"}


def test_callers_found_again_after_a_restart_are_served_in_their_old_order() -> None:
    d = desk("1001")
    d.tell(f.SwitchLost())
    d.tell(f.CallerJoined(WaitingCaller("bert", "sales", 500.0)))
    d.tell(f.CallerJoined(WaitingCaller("anna", "sales", 400.0)))
    d.tell(f.SwitchFound())
    assert d.ringing() == {"1001": "anna"}
