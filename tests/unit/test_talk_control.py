"""What agents and supervisors do with a talk, against a PBX in memory."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from acd.destinations import ToAgent, ToFlow, ToNumber, ToQueue
from acd.errors import AcdError, AgentNotFree, NoTalk, NotPossible, UnknownQueue
from acd.reconcile import RecoveredCaller
from acd.talks import Layout
from pbx.facts import LegFailure, OrderFailed, PhoneHeld, PhoneResumed
from pbx.orders import Connect, Desk, HangUp, KeepAlive, Look, Part, RingNumber, RingPhone, TakeBack
from tests.fakes.switch import PhoneScript
from tests.fakes.talk_floor import OUTSIDE, TalkFloor


@pytest.fixture
def floor() -> TalkFloor:
    return TalkFloor()


def consulted(floor: TalkFloor, agent: str = "1002") -> tuple[str, str]:
    """Ann is on hold, 1001 talks with the other agent; both legs."""
    floor.control.consult("ann", ToAgent(agent))
    floor.time.advance(3)
    return floor.leg("1001"), floor.leg(agent)


def test_hold_and_resume(floor: TalkFloor) -> None:
    leg = floor.leg("1001")
    floor.control.hold("ann")
    floor.time.advance(1)
    assert floor.with_whom() == set()
    assert floor.state("1001") == "hold"
    floor.time.advance(7)
    floor.control.resume("ann")
    floor.time.advance(1)
    assert floor.with_whom() == {leg}
    assert floor.state("1001") == "talking"
    assert floor.kinds() == ["talk.held", "talk.resumed"]


def test_hold_by_the_phones_own_button(floor: TalkFloor) -> None:
    leg = floor.leg("1001")
    floor.switch.emit(PhoneHeld(leg))
    assert floor.state("1001") == "hold"
    floor.switch.emit(PhoneResumed(leg))
    assert floor.state("1001") == "talking"
    floor.switch.emit(PhoneHeld("ann"))  # the caller holds us: that is their affair
    assert floor.state("1001") == "talking"


def test_hanging_up_on_somebody_on_hold_lets_them_go_on(floor: TalkFloor) -> None:
    floor.control.hold("ann")
    floor.time.advance(1)
    floor.switch.hang_up(floor.leg("1001"))
    floor.time.advance(1)
    assert floor.back == [("ann", "talked")]
    assert floor.state("1001") == "wrap_up"


def test_a_caller_hangs_up_on_hold(floor: TalkFloor) -> None:
    floor.control.hold("ann")
    floor.time.advance(1)
    floor.switch.hang_up("ann")
    floor.time.advance(1)
    assert floor.switch.channels == {}
    assert floor.state("1001") == "wrap_up"
    assert floor.back == []


def test_those_on_hold_are_looked_after(floor: TalkFloor) -> None:
    floor.control.hold("ann")
    floor.time.advance(1)
    for _ in range(20):
        floor.time.advance(1)
        floor.distributor.talks.renew(floor.time.now())
    assert len(floor.switch.sent(KeepAlive)) == 2
    assert len(floor.switch.sent(Desk)) == 2


def test_what_is_asked_for_while_a_leg_is_told_to_stay_waits_for_it(floor: TalkFloor) -> None:
    """Asterisk refuses a Redirect while another is under way, and a leg that is on its way leaves any bridge again."""
    floor.control.hold("ann")
    floor.time.advance(1)
    connects = len(floor.switch.sent(Connect))
    floor.distributor.talks.renew(floor.time.now() + 60)
    floor.control.resume("ann")
    assert len(floor.switch.sent(Connect)) == connects
    floor.time.advance(1)
    assert floor.with_whom() == {floor.leg("1001")}


def test_consult_and_complete(floor: TalkFloor) -> None:
    first, second = consulted(floor)
    assert floor.with_whom(first) == {second}
    assert floor.states[:2] == ["hold", "talking"]
    floor.control.complete("ann")
    floor.time.advance(1)
    assert floor.with_whom() == {second}
    assert first not in floor.switch.channels
    assert floor.states[:2] == ["wrap_up", "talking"]
    assert floor.kinds() == ["talk.held", "talk.consulted", "talk.ended", "talk.started"]
    floor.switch.hang_up("ann")
    floor.time.advance(1)
    assert floor.state("1002") == "wrap_up"


def test_after_a_transfer_everything_can_be_done_again(floor: TalkFloor) -> None:
    _, second = consulted(floor)
    floor.control.complete("ann")
    floor.time.advance(1)
    floor.control.hold("ann")
    floor.time.advance(1)
    assert floor.state("1002") == "hold"
    floor.control.resume("ann")
    floor.time.advance(1)
    floor.control.consult("ann", ToAgent("1003"))
    floor.time.advance(3)
    floor.control.complete("ann")
    floor.time.advance(1)
    assert floor.with_whom() == {floor.leg("1003")}
    assert second not in floor.switch.channels


def test_consult_and_cancel(floor: TalkFloor) -> None:
    first, second = consulted(floor)
    floor.control.cancel("ann")
    floor.time.advance(1)
    assert floor.with_whom() == {first}
    assert second not in floor.switch.channels
    assert floor.states[:2] == ["talking", "ready"]


def test_cancel_while_the_phone_rings(floor: TalkFloor) -> None:
    floor.control.consult("ann", ToAgent("1002"))
    floor.time.advance(1)
    assert floor.switch.sent(Desk)[-1].ringing
    floor.control.cancel("ann")
    floor.time.advance(1)
    assert floor.with_whom() == {floor.leg("1001")}
    assert floor.states[:2] == ["talking", "ready"]


def test_nobody_answers_the_consultation(floor: TalkFloor) -> None:
    floor.switch.phones["1002"] = PhoneScript.fails(LegFailure.BUSY, 17)
    floor.control.consult("ann", ToAgent("1002"))
    floor.time.advance(2)
    assert floor.with_whom() == {floor.leg("1001")}


def test_the_consulted_one_hangs_up(floor: TalkFloor) -> None:
    first, second = consulted(floor)
    floor.switch.hang_up(second)
    floor.time.advance(1)
    assert floor.with_whom() == {first}


@pytest.mark.parametrize("answered", [False, True])
def test_hanging_up_in_a_consultation_completes_it(floor: TalkFloor, answered: bool) -> None:
    floor.control.consult("ann", ToAgent("1002"))
    floor.time.advance(3 if answered else 1)
    floor.switch.hang_up(floor.leg("1001"))
    floor.time.advance(4)
    assert floor.with_whom() == {floor.leg("1002")}
    assert floor.states[:2] in (["wrap_up", "talking"], ["ready", "talking"])


def test_a_conference_and_its_ends(floor: TalkFloor) -> None:
    first, second = consulted(floor)
    floor.control.conference("ann")
    floor.time.advance(1)
    assert floor.with_whom() == {first, second}
    assert floor.states[:2] == ["talking", "talking"]
    floor.switch.hang_up(first)
    floor.time.advance(1)
    assert floor.with_whom() == {second}
    assert floor.states[:2] == ["wrap_up", "talking"]
    floor.switch.hang_up(second)
    floor.time.advance(1)
    assert floor.back == [("ann", "talked")]


def test_the_third_leaves_the_conference(floor: TalkFloor) -> None:
    first, second = consulted(floor)
    floor.control.conference("ann")
    floor.time.advance(1)
    floor.control.cancel("ann")
    floor.time.advance(1)
    assert floor.with_whom() == {first}
    assert second not in floor.switch.channels


def test_the_caller_leaves_the_conference(floor: TalkFloor) -> None:
    consulted(floor)
    floor.control.conference("ann")
    floor.time.advance(1)
    floor.switch.hang_up("ann")
    floor.time.advance(1)
    assert floor.switch.channels == {}
    assert floor.states == ["wrap_up", "ready", "ready"]


def test_blind_to_an_agent(floor: TalkFloor) -> None:
    floor.control.transfer("ann", ToAgent("1002"))
    floor.time.advance(0.5)
    assert floor.states[:2] == ["wrap_up", "offering"]
    floor.time.advance(3)
    assert floor.with_whom() == {floor.leg("1002")}
    assert floor.state("1002") == "talking"


def test_blind_to_an_agent_who_does_not_answer_goes_back_to_the_same_place(floor: TalkFloor) -> None:
    floor.switch.phones["1002"] = PhoneScript.rings_on()
    floor.control.transfer("ann", ToAgent("1002"))
    floor.time.advance(11)
    assert floor.back == [("ann", ToQueue("sales", same_place=True))]
    assert floor.state("1002") == "ready"


def test_blind_to_a_queue(floor: TalkFloor) -> None:
    floor.control.transfer("ann", ToQueue("support"))
    floor.time.advance(1)
    assert floor.back == [("ann", ToQueue("support"))]
    assert floor.states == ["wrap_up", "offering", "ready"]


def test_blind_to_a_flow_and_back_to_the_queue(floor: TalkFloor) -> None:
    floor.control.transfer("ann", ToFlow("main", "100"))
    floor.time.advance(1)
    assert floor.back == [("ann", ToFlow("main", "100"))]
    other = TalkFloor()
    other.control.requeue("ann")
    other.time.advance(1)
    assert other.back == [("ann", ToQueue("sales", same_place=True))]
    assert other.kinds() == ["talk.transferred", "talk.ended"]


def test_from_hold_to_a_queue(floor: TalkFloor) -> None:
    floor.control.hold("ann")
    floor.time.advance(1)
    floor.control.transfer("ann", ToQueue("support"))
    floor.time.advance(1)
    assert floor.back == [("ann", ToQueue("support"))]
    assert floor.leg("1001") not in floor.switch.channels


def test_to_a_number_outside(floor: TalkFloor) -> None:
    floor.control.transfer("ann", ToNumber(OUTSIDE))
    floor.time.advance(3)
    outside = floor.switch.last(RingNumber).leg
    assert floor.with_whom() == {outside}
    assert floor.state("1001") == "wrap_up"
    assert floor.kinds()[-1] == "talk.outside_started"
    floor.switch.hang_up(outside)
    floor.time.advance(1)
    assert floor.back == [("ann", "talked")]
    assert floor.kinds()[-1] == "talk.outside_ended"


def test_consult_a_number_and_talk_the_three_of_us(floor: TalkFloor) -> None:
    floor.control.consult("ann", ToNumber(OUTSIDE))
    floor.time.advance(3)
    outside = floor.switch.last(RingNumber).leg
    assert floor.with_whom(outside) == {floor.leg("1001")}
    floor.control.conference("ann")
    floor.time.advance(1)
    assert floor.with_whom() == {floor.leg("1001"), outside}


def test_a_number_that_does_not_answer(floor: TalkFloor) -> None:
    floor.switch.phones[OUTSIDE] = PhoneScript.fails(LegFailure.UNREACHABLE)
    floor.control.transfer("ann", ToNumber(OUTSIDE))
    floor.time.advance(2)
    assert floor.back == [("ann", ToQueue("sales", same_place=True))]


def test_a_move_that_the_pbx_refuses_is_looked_after(floor: TalkFloor) -> None:
    floor.control.hold("ann")
    floor.switch.emit(OrderFailed("ann", Part.__name__, "refused"))
    assert floor.switch.sent(Look)


def test_a_move_that_never_arrives_ends_at_the_old_place_in_the_queue(floor: TalkFloor) -> None:
    floor.switch.deaf_to.add(Part)
    floor.control.hold("ann")
    floor.time.advance(8)
    assert floor.switch.sent(Look)
    floor.time.advance(4)
    assert floor.back == [("ann", ToQueue("sales", same_place=True))]
    assert floor.state("1001") == "wrap_up"


REFUSED: dict[str, Callable[[TalkFloor], None]] = {
    "resume without hold": lambda floor: floor.control.resume("ann"),
    "complete without consultation": lambda floor: floor.control.complete("ann"),
    "cancel without consultation": lambda floor: floor.control.cancel("ann"),
    "conference without consultation": lambda floor: floor.control.conference("ann"),
    "consult oneself": lambda floor: floor.control.consult("ann", ToAgent("1001")),
    "consult nobody": lambda floor: floor.control.consult("ann", ToAgent("1999")),
    "transfer to no queue": lambda floor: floor.control.transfer("ann", ToQueue("nowhere")),
    "a call that is not there": lambda floor: floor.control.hold("bob"),
}


@pytest.mark.parametrize("command", REFUSED.values(), ids=REFUSED)
def test_what_is_not_possible_changes_nothing(floor: TalkFloor, command: Callable[[TalkFloor], None]) -> None:
    with pytest.raises(AcdError):
        command(floor)
    floor.time.advance(10)
    assert floor.with_whom() == {floor.leg("1001")}
    assert floor.states == ["talking", "ready", "ready"]
    assert floor.kinds() == []


def test_the_errors_say_what_is_wrong(floor: TalkFloor) -> None:
    with pytest.raises(AgentNotFree, match="talking"):
        floor.control.consult("ann", ToAgent("1001"))
    with pytest.raises(UnknownQueue):
        floor.control.transfer("ann", ToQueue("nowhere"))
    with pytest.raises(NoTalk):
        floor.control.hold("bob")
    floor.control.consult("ann", ToAgent("1002"))
    with pytest.raises(NotPossible, match="not answered"):
        floor.control.conference("ann")
    with pytest.raises(NotPossible, match="consulted already"):
        floor.control.consult("ann", ToAgent("1003"))
    with pytest.raises(NotPossible):
        floor.control.hold("ann")


def test_an_untouched_talk_costs_nothing(floor: TalkFloor) -> None:
    assert floor.distributor.talks.layout("ann") == Layout.TOGETHER
    floor.switch.hang_up(floor.leg("1001"))
    floor.time.advance(1)
    assert floor.back == [("ann", "talked")]
    assert [type(order) for order in floor.switch.orders if not isinstance(order, RingPhone)][-1] is Connect
    assert not floor.switch.sent(TakeBack)
    assert not floor.switch.sent(HangUp)


def leg_of(floor: TalkFloor, agent: str, *, main: bool) -> None:
    """As control notes it on the leg, for a successor."""
    floor.switch.channels[floor.leg(agent)].memory = f'{{"c":"ann","m":{int(main)}}}'


def successor(floor: TalkFloor) -> TalkFloor:
    """A new distributor on the same PBX, which finds the caller in a talk."""
    new = TalkFloor(on=floor.switch, time=floor.time)
    caller = RecoveredCaller("ann", "sales", floor.time.now() - 60, "talk")
    new.distributor.reconcile(floor.switch.picture(), [caller])
    new.time.advance(1)
    return new


def test_a_successor_puts_a_held_talk_together_once(floor: TalkFloor) -> None:
    floor.control.hold("ann")
    floor.time.advance(1)
    leg_of(floor, "1001", main=True)
    connects = len(floor.switch.sent(Connect))
    new = successor(floor)
    assert len(floor.switch.sent(Connect)) == connects + 1
    assert new.with_whom() == {floor.leg("1001")}
    assert new.state("1001") == "talking"


def test_a_successor_leaves_a_conference_together_and_knows_whose_it_is(floor: TalkFloor) -> None:
    first, second = consulted(floor)
    floor.control.conference("ann")
    floor.time.advance(1)
    leg_of(floor, "1001", main=True)
    leg_of(floor, "1002", main=False)
    new = successor(floor)
    assert new.with_whom() == {first, second}
    assert new.state("1001") == "talking"
    floor.switch.hang_up(second)
    floor.time.advance(1)
    assert new.with_whom() == {first}


def test_a_successor_sends_a_caller_on_hold_home_whose_agent_is_gone(floor: TalkFloor) -> None:
    floor.control.hold("ann")
    floor.time.advance(1)
    del floor.switch.channels[floor.leg("1001")]
    new = successor(floor)
    assert new.back == [("ann", ToQueue("sales", same_place=True))]
