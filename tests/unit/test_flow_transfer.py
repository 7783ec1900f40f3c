"""A caller of a flow is put through to somebody: every way in which that ends, and none without an end."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pbx.facts import LegFailure, OrderFailed, PhoneChanged, PhoneState
from pbx.orders import Connect, HangUp, RingNumber, RingPhone, StartMusic, StopMusic, TakeBack
from tests.fakes.switch import PhoneScript
from tests.fakes.transfer_floor import ALLOWED, TransferFloor

WAYS = (
    (PhoneScript.rings_on(), "no_answer"),
    (PhoneScript.fails(LegFailure.BUSY, 17, after=1.0), "busy"),
    (PhoneScript.fails(LegFailure.REFUSED, 21, after=1.0), "refused"),
    (PhoneScript.fails(LegFailure.UNREACHABLE), "unreachable"),
    (PhoneScript.fails(LegFailure.FAILED, 38, after=1.0), "failed"),
)


@pytest.mark.parametrize("to", ["1001", ALLOWED])
def test_they_talk_and_the_flow_goes_on_when_the_other_one_hangs_up(to: str) -> None:
    floor = TransferFloor()
    floor.ask(to)
    assert floor.switch.sent(StartMusic)[0].channel == "ann"
    floor.time.advance(2.5)
    assert floor.talking
    assert floor.answers == []
    (leg,) = floor.legs()
    floor.switch.hang_up(leg)
    floor.time.advance(1)
    assert floor.answers == ["ok"]
    assert [kind for kind, _, _ in floor.notes if kind.startswith("transfer")] == [
        "transfer.started",
        "transfer.answered",
        "transfer.ended",
    ]
    assert floor.outcomes() == ["talked"]


@pytest.mark.parametrize(("script", "outcome"), WAYS)
@pytest.mark.parametrize("to", ["1001", ALLOWED])
def test_nobody_answers_and_the_flow_is_told_why(to: str, script: PhoneScript, outcome: str) -> None:
    floor = TransferFloor()
    floor.switch.phones[to] = script
    floor.ask(to, ring_s=10)
    floor.time.advance(30)
    assert floor.answers == floor.outcomes() == [outcome]
    assert floor.in_hand
    assert floor.switch.sent(StopMusic)[-1].channel == "ann"
    assert floor.legs() == []


def test_the_phone_shows_agents_who_calls_and_others_whom_they_called() -> None:
    floor = TransferFloor()
    floor.ask("1001", 17)
    ring = floor.switch.last(RingPhone)
    assert (ring.endpoint, ring.ring_s, ring.caller_number, ring.caller_name) == ("1001", 17, "+15550142", "Ann")
    floor = TransferFloor()
    floor.ask(ALLOWED)
    number = floor.switch.last(RingNumber)
    assert (number.number, number.caller_number, number.caller_name) == (ALLOWED, "100", "")


@pytest.mark.parametrize(
    "to",
    [
        "",
        "+",
        "+4930123",
        "900555",
        "15550199",
        "1003",
        "+1555019912345678901234567",  # 25 digits
        "+1555 0199",
        "+15550199@trunk2",
        "+15550199&PJSIP/1001",
        "+15550199\r\nVariable: X=1",
        "+15550199\n",
        "${EXTEN}",
        "+1555*99#",
        "+1555٠١٩٩",
    ],
)
def test_what_may_not_be_dialled_reaches_nobody(to: str) -> None:
    floor = TransferFloor()
    floor.ask(to)
    assert floor.answers == []  # never within the question
    floor.time.advance(1)
    assert floor.answers == ["not_allowed"]
    assert floor.switch.sent(RingPhone) == floor.switch.sent(RingNumber) == []
    assert "transfer.started" not in [kind for kind, _, _ in floor.notes]


@given(st.text(max_size=30) | st.from_regex(r"\+?1?555[0-9*#&@,$\r\n]{0,24}", fullmatch=True))
@settings(max_examples=100)
def test_whatever_is_typed_only_an_allowed_number_is_dialled(to: str) -> None:
    floor = TransferFloor()
    floor.ask(to)
    for order in floor.switch.sent(RingNumber):
        assert order.number.startswith("+1555")
        assert order.number[1:].isascii()
        assert order.number[1:].isdigit()
    for phone in floor.switch.sent(RingPhone):
        assert phone.endpoint in {"1001", "1002"}


def test_the_queues_offer_nobody_to_a_phone_that_rings_or_talks_for_the_flow() -> None:
    floor = TransferFloor()
    floor.distributor.login("1001")
    floor.ask("1001")
    floor.join("bob")
    assert len(floor.switch.sent(RingPhone)) == 1
    floor.switch.emit(PhoneChanged("1001", PhoneState.IDLE))  # of a call before this one
    floor.time.advance(1)
    floor.switch.emit(PhoneChanged("1001", PhoneState.RINGING))
    floor.time.advance(2)
    assert floor.talking
    floor.switch.emit(PhoneChanged("1001", PhoneState.BUSY))
    floor.time.advance(60)
    assert len(floor.switch.sent(RingPhone)) == 1
    (leg,) = floor.legs()
    floor.switch.hang_up(leg)
    assert len(floor.switch.sent(RingPhone)) == 1  # the phone is still in use, says the PBX
    floor.switch.emit(PhoneChanged("1001", PhoneState.IDLE))
    assert len(floor.switch.sent(RingPhone)) == 2  # bob's turn


def test_an_agent_with_a_caller_from_a_queue_is_busy_and_hears_nothing() -> None:
    floor = TransferFloor()
    floor.distributor.login("1001")
    floor.join("bob")
    floor.ask("1001")
    floor.time.advance(1)
    assert floor.answers == ["busy"]
    assert len(floor.switch.sent(RingPhone)) == 1  # for bob


@pytest.mark.parametrize("away", ["logged out", "paused", "wrapping up"])
def test_an_agent_who_takes_no_calls_from_queues_is_rung(away: str) -> None:
    floor = TransferFloor()
    if away != "logged out":
        floor.distributor.login("1001")
    if away == "paused":
        floor.distributor.pause("1001")
    if away == "wrapping up":
        floor.join("bob")
        floor.time.advance(3)
        floor.switch.hang_up("bob")
        floor.time.advance(0.1)
    floor.ask("1001")
    floor.time.advance(3)
    assert floor.talking


def test_the_caller_hangs_up_while_it_rings() -> None:
    floor = TransferFloor()
    floor.switch.phones["1001"] = PhoneScript.rings_on()
    floor.ask("1001")
    floor.time.advance(3)
    floor.hang_up()
    floor.time.advance(1)
    assert floor.legs() == []
    assert floor.outcomes() == ["caller_left"]
    assert floor.answers == []


def test_whoever_asked_changes_their_mind() -> None:
    floor = TransferFloor()
    floor.ask("1001")
    assert floor.asked is not None
    floor.asked.cancel()
    floor.asked.cancel()
    floor.time.advance(10)
    assert floor.legs() == []
    assert (floor.answers, floor.outcomes()) == ([], ["cancelled"])


def test_a_leg_that_answers_when_nobody_wants_it_any_more_is_hung_up() -> None:
    floor = TransferFloor()
    floor.switch.deaf_to.add(HangUp)
    floor.ask("1001")
    assert floor.asked is not None
    floor.asked.cancel()
    floor.switch.deaf_to.clear()
    floor.time.advance(10)
    assert floor.legs() == []
    assert not floor.talking


def test_the_end_of_the_ringing_was_never_told() -> None:
    floor = TransferFloor()
    del floor.switch.phones["1001"]  # it rings until somebody ends it
    floor.ask("1001", ring_s=10)
    floor.time.advance(14)
    assert floor.answers == []
    floor.time.advance(2)
    assert floor.answers == ["no_answer"]
    assert floor.legs() == []


@pytest.mark.parametrize("unknown", [False, True])
def test_the_dialling_is_refused_or_of_unknown_fate(unknown: bool) -> None:
    floor = TransferFloor()
    del floor.switch.phones["1001"]
    floor.ask("1001")
    leg = floor.switch.last(RingPhone).leg
    floor.switch.emit(OrderFailed(leg, "RingPhone", "refused", unknown))
    assert floor.answers == ["failed"]
    assert (leg in [one.channel for one in floor.switch.sent(HangUp)]) is unknown


def test_the_talk_cannot_be_begun_and_the_caller_comes_back() -> None:
    floor = TransferFloor()
    floor.switch.deaf_to.add(Connect)
    floor.ask("1001")
    floor.time.advance(3)
    assert not floor.in_hand
    floor.time.advance(10)
    assert [one.channel for one in floor.switch.sent(TakeBack)] == ["ann"]
    assert floor.answers == ["failed"]
    assert floor.legs() == []


def test_the_connection_is_refused() -> None:
    floor = TransferFloor()
    floor.switch.deaf_to.add(Connect)
    floor.ask("1001")
    floor.time.advance(2)
    floor.switch.emit(OrderFailed("ann", "Connect", "refused"))
    floor.time.advance(1)
    assert floor.answers == ["failed"]


def test_the_link_is_lost_while_it_rings_and_the_flow_asks_again() -> None:
    floor = TransferFloor()
    floor.ask("1001")
    floor.time.advance(1)
    (first,) = floor.legs()
    floor.switch.lose_link()
    floor.time.advance(1)
    floor.switch.restore_link(floor.switch.picture())
    floor.time.advance(0.1)
    (second,) = floor.legs()
    assert second != first
    assert floor.outcomes() == ["lost"]
    floor.time.advance(3)
    assert floor.talking


def test_the_link_is_lost_while_they_talk_and_while_the_talk_ends() -> None:
    floor = TransferFloor()
    floor.ask("1001")
    floor.time.advance(3)
    floor.switch.lose_link()
    (leg,) = floor.legs()
    sink, floor.switch.sink = floor.switch.sink, lambda _fact: None
    floor.switch.hang_up(leg)
    floor.time.advance(1)
    floor.switch.sink = sink
    floor.switch.restore_link(floor.switch.picture())
    floor.time.advance(1)
    assert floor.answers == ["ok"]
    assert len(floor.switch.sent(RingPhone)) == 1


def test_the_link_is_lost_while_they_are_being_connected() -> None:
    floor = TransferFloor()
    floor.switch.move_seconds = 1000.0
    floor.ask("1001")
    floor.time.advance(3)
    floor.transfer.unlinked()
    floor.time.advance(60)
    assert floor.transfer.stage == "connecting"  # nobody can say that they do not talk
    floor.transfer.linked()
    floor.time.advance(9)
    assert [one.channel for one in floor.switch.sent(TakeBack)] == ["ann"]


def test_a_second_transfer_is_one_of_its_own() -> None:
    floor = TransferFloor()
    floor.ask("1001")
    first = floor.asked
    floor.time.advance(3)
    floor.switch.hang_up(floor.legs()[0])
    floor.time.advance(1)
    floor.switch.phones["1002"] = PhoneScript.fails(LegFailure.BUSY, after=1.0)
    floor.ask("1002")
    assert first is not None
    first.cancel()
    floor.time.advance(2)
    assert floor.answers == ["ok", "busy"]


def test_what_became_of_an_earlier_talk_is_no_answer_in_another_node() -> None:
    floor = TransferFloor()
    floor.transfer.resume("put-through", talking=True)
    floor.transfer.returned()
    floor.node = "elsewhere"
    floor.ask("1001")
    floor.time.advance(3)
    assert floor.talking


def test_nor_in_the_same_one_when_the_caller_was_elsewhere_meanwhile() -> None:
    floor = TransferFloor()
    floor.transfer.resume("put-through", talking=True)
    floor.transfer.returned()
    floor.transfer.forget()
    floor.ask("1001")
    floor.time.advance(3)
    assert floor.talking


def test_after_a_restart_in_a_talk_the_flow_is_told_that_they_have_talked() -> None:
    floor = TransferFloor()
    floor.transfer.resume("put-through", talking=True)
    floor.transfer.returned()
    floor.ask("1001")
    floor.time.advance(1)
    assert floor.answers == ["ok"]
    assert floor.switch.sent(RingPhone) == []


# anything ------------------------------------------------------------------------------------------------------------

Act = Callable[[TransferFloor], None]


def _leg_ends(floor: TransferFloor) -> None:
    for leg in floor.legs():
        floor.switch.hang_up(leg)


def _order_fails(order: str, unknown: bool) -> Act:
    def act(floor: TransferFloor) -> None:
        channel = "ann" if order == "Connect" else next(iter(floor.rung()), "cb-none")
        floor.switch.emit(OrderFailed(channel, order, "refused", unknown))

    return act


def _lose_link(floor: TransferFloor) -> None:
    if floor.switch.up:
        floor.switch.lose_link()


def _find_link(floor: TransferFloor) -> None:
    if not floor.switch.up:
        floor.switch.restore_link(floor.switch.picture())


ACTS = st.one_of(
    st.just(TransferFloor.hang_up),
    st.just(_leg_ends),
    st.just(_lose_link),
    st.just(_find_link),
    st.builds(_order_fails, st.sampled_from(["Connect", "RingPhone", "RingNumber", "HangUp"]), st.booleans()),
    st.just(TransferFloor.give_up),
)
PAUSES = st.sampled_from((0.0, 0.0, 0.3, 1.0, 3.0, 9.0, 30.0))
DEAF = st.sets(st.sampled_from((Connect, HangUp, TakeBack, RingPhone, RingNumber)), max_size=1)
SCRIPTS = st.sampled_from([script for script, _ in WAYS] + [PhoneScript.answers(0.0), PhoneScript.answers(1.0)] * 3)


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from(["1001", ALLOWED, "+4930123"]),
    SCRIPTS,
    DEAF,
    st.sampled_from([0.0, 0.5]),
    st.lists(st.tuples(PAUSES, ACTS), max_size=7),
)
def test_whatever_happens_there_is_one_leg_and_one_answer(
    to: str, script: PhoneScript, deaf: set[type], slow: float, happens: list[tuple[float, Act]]
) -> None:
    floor = TransferFloor()
    floor.switch.phones[to] = script
    floor.switch.move_seconds = slow
    floor.switch.deaf_to |= deaf
    floor.ask(to, ring_s=10)
    for pause, act in happens:
        floor.time.advance(pause)
        act(floor)
    floor.switch.deaf_to.clear()
    _find_link(floor)
    for _ in range(20):
        floor.time.advance(2)
        floor.look()
    assert floor.most_legs <= 1
    ann = floor.switch.channels.get("ann")
    if floor.legs():  # nobody rings any more: they talk with her
        (leg,) = floor.legs()
        assert ann is not None
        assert ann.peer == leg
        floor.switch.hang_up(leg)
        floor.time.advance(1)
    assert floor.legs() == floor.rung() == []
    assert floor.wanted is None, "the flow waits for ever"
    assert (ann is not None) == floor.here
    assert floor.in_hand or not floor.here
    assert floor.transfer.stage == "idle"
