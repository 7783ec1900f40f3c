"""Talk control when things come late, in another order, or not at all: each a thing that did go wrong once."""

from __future__ import annotations

import pytest

from acd.destinations import ToAgent, ToNumber, ToQueue
from acd.errors import NotPossible
from acd.reconcile import RecoveredCaller
from pbx.facts import (
    BridgeEntered,
    BridgeLeft,
    CallReturned,
    ChannelGone,
    Looked,
    OrderFailed,
    PhoneHeld,
    PhoneResumed,
    Place,
)
from pbx.orders import Connect, HangUp, Look, Part, Remember, RingNumber, RingPhone, SpyMode
from tests.fakes.switch import PhoneScript
from tests.fakes.talk_floor import OUTSIDE, TalkFloor


@pytest.fixture
def floor() -> TalkFloor:
    return TalkFloor()


def held_and_resumed(floor: TalkFloor) -> None:
    floor.control.hold("ann")
    floor.time.advance(1)
    floor.control.resume("ann")
    floor.time.advance(1)


def consulted(floor: TalkFloor) -> None:
    floor.control.consult("ann", ToAgent("1002"))
    floor.time.advance(3)


def look(floor: TalkFloor) -> None:
    floor.switch.emit(Looked(floor.switch.picture()))


def successor(floor: TalkFloor) -> TalkFloor:
    """A new service on the same PBX, which reads what was noted on the legs."""
    for order in floor.switch.sent(Remember):
        if order.channel in floor.switch.channels:
            floor.switch.channels[order.channel].memory = order.memory
    new = TalkFloor(on=floor.switch, time=floor.time)
    caller = RecoveredCaller("ann", "sales", floor.time.now() - 60, "talk")
    new.distributor.reconcile(floor.switch.picture(), [caller])
    new.time.advance(2)
    return new


@pytest.mark.parametrize("consulting", [False, True])
def test_whom_the_pbx_put_together_while_we_were_away_we_leave_together(floor: TalkFloor, consulting: bool) -> None:
    if consulting:
        consulted(floor)
    else:
        floor.control.hold("ann")
        floor.time.advance(1)
    floor.switch.lose_link()
    floor.time.advance(60)
    leg = floor.leg("1001")
    for one, peer in (("ann", leg), (leg, "ann")):
        floor.switch.channels[one].bridge, floor.switch.channels[one].peer = "bridge-99", peer
    floor.switch.channels["ann"].place = Place.TALK
    floor.switch.up = True
    for channel in ("ann", leg):  # the caller first, as the table of live channels tells it
        floor.switch.emit(BridgeEntered(channel, "bridge-99"))
    floor.distributor.reconcile(floor.switch.picture())
    floor.time.advance(1)
    assert floor.with_whom() == {leg}
    assert floor.state("1001") == "talking"
    assert floor.back == []


def test_a_caller_who_returns_before_the_leg_is_known_to_be_gone(floor: TalkFloor) -> None:
    held_and_resumed(floor)
    leg, ann = floor.leg("1001"), floor.switch.channels["ann"]
    bridge, ann.bridge, ann.peer = ann.bridge, "", ""
    del floor.switch.channels[leg]
    for fact in (BridgeLeft("ann", bridge), CallReturned("ann"), ChannelGone(leg, 16)):
        floor.switch.emit(fact)
    assert floor.back == [("ann", "talked")]
    floor.join("ann", "support", floor.time.now())
    floor.time.advance(4)
    floor.control.hold("ann")  # the next talk can be controlled like the first
    floor.time.advance(1)
    assert floor.state("1002") == "hold"


@pytest.mark.parametrize("person", [ToAgent("1002"), ToNumber(OUTSIDE)], ids=["agent", "number"])
def test_a_cancelled_leg_whose_end_is_told_late(floor: TalkFloor, person: ToAgent | ToNumber) -> None:
    floor.control.consult("ann", person)
    floor.time.advance(3)
    other = next(iter(floor.with_whom(floor.leg("1001"))))
    floor.switch.deaf_to.add(HangUp)
    floor.control.cancel("ann")
    floor.time.advance(1)
    floor.switch.deaf_to.clear()
    floor.switch.hang_up(other)
    floor.control.hold("ann")
    floor.time.advance(1)
    assert floor.state("1001") == "hold"


@pytest.mark.parametrize("unknown", [False, True])
def test_a_number_that_the_pbx_refuses_to_dial(floor: TalkFloor, unknown: bool) -> None:
    floor.switch.deaf_to.add(RingNumber)
    floor.control.transfer("ann", ToNumber(OUTSIDE))
    floor.time.advance(1)
    leg = floor.switch.last(RingNumber).leg
    floor.switch.emit(OrderFailed(leg, RingNumber.__name__, "refused", unknown))
    floor.time.advance(1)
    assert floor.back == [("ann", ToQueue("sales", same_place=True))]
    assert HangUp(leg) in floor.switch.sent(HangUp)


def test_a_talk_that_is_being_changed_is_not_taken_over(floor: TalkFloor) -> None:
    floor.distributor.supervision.watch("ann", "1003", SpyMode.LISTEN)
    floor.time.advance(3)
    floor.control.hold("ann")
    with pytest.raises(NotPossible, match="just being changed"):
        floor.distributor.supervision.take_over("ann", "1003")
    floor.time.advance(1)
    floor.distributor.supervision.take_over("ann", "1003")
    floor.time.advance(1)
    assert floor.with_whom() == {floor.leg("1003")}
    assert floor.state("1003") == "talking"


def test_a_supervisor_whose_phone_could_not_be_rung_can_try_again(floor: TalkFloor) -> None:
    floor.switch.deaf_to.add(RingPhone)
    floor.distributor.supervision.watch("ann", "1003", SpyMode.LISTEN)
    floor.switch.emit(OrderFailed(floor.switch.last(RingPhone).leg, RingPhone.__name__, "link down"))
    floor.switch.deaf_to.clear()
    floor.distributor.supervision.watch("ann", "1003", SpyMode.LISTEN)
    floor.time.advance(3)
    assert floor.distributor.supervision.of_call("ann") == [("1003", "listen")]


def test_a_hold_by_the_phones_button_outlasts_a_look(floor: TalkFloor) -> None:
    held_and_resumed(floor)
    floor.switch.emit(PhoneHeld(floor.leg("1001")))
    look(floor)
    assert floor.state("1001") == "hold"
    floor.switch.emit(PhoneResumed(floor.leg("1001")))
    assert floor.state("1001") == "talking"


def test_whoever_is_consulted_can_hold_and_resume_on_their_phone(floor: TalkFloor) -> None:
    consulted(floor)
    floor.switch.emit(PhoneHeld(floor.leg("1002")))
    assert floor.state("1002") == "hold"
    floor.switch.emit(PhoneResumed(floor.leg("1002")))
    assert floor.state("1002") == "talking"


def test_a_caller_who_hangs_up_during_a_transfer_costs_the_other_agent_nothing(floor: TalkFloor) -> None:
    floor.switch.phones["1002"] = PhoneScript.rings_on()
    floor.control.transfer("ann", ToAgent("1002"))
    floor.time.advance(2)
    floor.switch.hang_up("ann")
    floor.time.advance(1)
    assert [reason["reason"] for kind, _, reason in floor.notes if kind == "offer.withdrawn"] == ["caller_left"]
    assert not floor.distributor.engine.floor.agents["1002"].resting
    assert floor.state("1002") == "ready"


def test_an_agent_who_answers_a_transfer_and_is_gone_has_not_served_the_caller(floor: TalkFloor) -> None:
    floor.switch.phones["1002"] = PhoneScript.rings_on()
    floor.control.transfer("ann", ToAgent("1002"))
    floor.time.advance(2)
    floor.switch.deaf_to.add(Connect)
    floor.switch.answer_leg(floor.leg("1002"))
    floor.switch.deaf_to.clear()
    floor.switch.hang_up(floor.leg("1002"))
    floor.time.advance(5)
    assert floor.back[0] == ("ann", ToQueue("sales", same_place=True))
    assert floor.state("1002") == "ready"


def test_a_refused_move_is_looked_after_at_once(floor: TalkFloor) -> None:
    floor.switch.deaf_to.add(Part)
    floor.control.hold("ann")
    floor.switch.deaf_to.clear()
    floor.switch.emit(OrderFailed("ann", Part.__name__, "no such channel"))
    assert floor.switch.sent(Look)
    floor.time.advance(1)  # less than the deadline of a move
    assert floor.state("1001") == "hold"


def test_a_successor_ends_the_hold_that_it_found(floor: TalkFloor) -> None:
    floor.control.hold("ann")
    floor.time.advance(5)
    new = successor(floor)
    assert new.with_whom() == {floor.leg("1001")}
    assert "talk.held" not in new.kinds()  # it is on record already
    assert "talk.resumed" in new.kinds()


def test_a_successor_sends_the_caller_home_while_the_next_phone_only_rings(floor: TalkFloor) -> None:
    floor.switch.phones["1002"] = PhoneScript.rings_on()
    floor.control.transfer("ann", ToAgent("1002"))
    floor.time.advance(2)
    ringing = floor.leg("1002")
    new = successor(floor)
    assert new.back == [("ann", ToQueue("sales", same_place=True))]
    assert ringing not in floor.switch.channels


def test_a_successor_knows_both_agents_of_a_conference(floor: TalkFloor) -> None:
    consulted(floor)
    floor.control.conference("ann")
    floor.time.advance(1)
    first = floor.leg("1001")
    new = successor(floor)
    assert new.states[:2] == ["talking", "talking"]
    floor.switch.hang_up(first)
    floor.time.advance(1)
    assert new.with_whom() == {floor.leg("1002")}
    assert new.distributor.engine.offers.talks["ann"] == floor.leg("1002")


def test_who_holds_a_caller_whom_they_have_just_been_given_is_on_hold(floor: TalkFloor) -> None:
    consulted(floor)
    floor.control.complete("ann")
    floor.control.hold("ann")
    floor.time.advance(1)
    assert floor.state("1002") == "hold"
    floor.control.resume("ann")
    floor.time.advance(1)
    assert floor.state("1002") == "talking"
