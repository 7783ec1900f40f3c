"""AMI events to facts: what each means, and what means nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pbx.agi import AsyncAgi
from pbx.facts import (
    BridgeEntered,
    BridgeLeft,
    CallArrived,
    CallReturned,
    ChannelGone,
    Fact,
    KeyPressed,
    LegAnswered,
    LegFailed,
    LegFailure,
    LegRinging,
    Origin,
    PhoneChanged,
    PhoneState,
    Snapshot,
)
from pbx.legs import OTHER_WITHIN, Legs
from pbx.translate import Translator
from pbx.wire import Message
from tests.fakes.virtual_time import VirtualTime
from tests.unit.test_agi import Line


class Ear:
    def __init__(self) -> None:
        self.facts: list[Fact] = []
        self.time = VirtualTime()
        self.legs = Legs(self.facts.append, self.time.after)
        self.agi = AsyncAgi(Line(), self.facts.append, self.time.after, "t-")
        self.translator = Translator(self.facts.append, self.agi, self.legs)

    def hear(self, event: str, **headers: object) -> list[Fact]:
        """The facts of one event."""
        before = len(self.facts)
        lines = [f"Event: {event}", "Privilege: call,all", *(f"{name}: {value}" for name, value in headers.items())]
        self.translator.event(Message("\r\n".join(lines).encode()))
        return self.facts[before:]


@pytest.fixture
def ear() -> Ear:
    return Ear()


def arrival(**changes: object) -> dict[str, object]:
    return {
        "Channel": "PJSIP/sip-trunk-00000a1f",
        "CallerIDNum": "+4930123",
        "CallerIDName": "Ada",
        "Language": "es",
        "Context": "cordboard-in",
        "Exten": "100",
        "Uniqueid": "pbx-17.3",
    } | changes


def test_a_caller_arrives(ear: Ear) -> None:
    assert ear.hear("AsyncAGIStart", **arrival()) == [
        CallArrived(
            channel="pbx-17.3",
            name="PJSIP/sip-trunk-00000a1f",
            origin=Origin.PUBLIC,
            endpoint="sip-trunk",
            dialled="100",
            caller_number="+4930123",
            caller_name="Ada",
            language="es",
        )
    ]


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("<unknown>", ""),
        ('\\"Ada\\" O\\\\x', '"Ada" O\\x'),
        ("a\\nb\\x", "a bx"),
        ("Zoë\u2028Uniqueid: 1", "Zoë Uniqueid: 1"),
        ("\x1b[2J\x1b]0;title\x9b31m\u202eadA\x7f", "[2J]0;title31madA"),
        ("=1+2\u00a0李", "=1+2 李"),
    ],
)
def test_caller_names_are_unescaped_and_harmless(ear: Ear, raw: str, shown: str) -> None:
    (fact,) = ear.hear("AsyncAGIStart", **arrival(CallerIDName=raw, CallerIDNum="<unknown>"))
    assert isinstance(fact, CallArrived)
    assert (fact.caller_name, fact.caller_number) == (shown, "")
    assert fact.channel == "pbx-17.3"


def test_a_callers_number_commands_no_terminal(ear: Ear) -> None:
    (fact,) = ear.hear("AsyncAGIStart", **arrival(CallerIDNum="+4930\x1b[31m\x9b"))
    assert isinstance(fact, CallArrived)
    assert fact.caller_number == "+4930[31m"


def test_the_door_tells_the_origin(ear: Ear) -> None:
    (fact,) = ear.hear("AsyncAGIStart", **arrival(Context="cordboard-agents", Exten="*11"))
    assert isinstance(fact, CallArrived)
    assert (fact.origin, fact.dialled) == (Origin.AGENT, "*11")
    assert ear.hear("AsyncAGIStart", **arrival(Context="cordboard-back")) == [CallReturned("pbx-17.3")]
    assert ear.hear("AsyncAGIStart", **arrival(Context="somebody-else")) == []
    assert ear.translator.unknown == 1


def test_keys(ear: Ear) -> None:
    assert ear.hear("DTMFEnd", Uniqueid="c", Digit="#", Direction="Received") == [KeyPressed("c", "#")]
    assert ear.hear("DTMFEnd", Uniqueid="c", Digit="#", Direction="Sent") == []


def test_bridges_and_phones(ear: Ear) -> None:
    assert ear.hear("BridgeEnter", BridgeUniqueid="b", Uniqueid="c") == [BridgeEntered("c", "b")]
    assert ear.hear("BridgeLeave", BridgeUniqueid="b", Uniqueid="c") == [BridgeLeft("c", "b")]
    assert ear.hear("DeviceStateChange", Device="PJSIP/1001", State="RINGING") == [
        PhoneChanged("1001", PhoneState.RINGING)
    ]
    assert ear.hear("DeviceStateChange", Device="PJSIP/1001", State="NEWER_STATE") == [
        PhoneChanged("1001", PhoneState.UNREACHABLE)
    ]
    assert ear.hear("DeviceStateChange", Device="Queue:x_avail", State="INUSE") == []


def test_hang_ups(ear: Ear) -> None:
    assert ear.hear("Hangup", Uniqueid="c", Cause=17) == [ChannelGone("c", 17)]
    assert ear.hear("Hangup", Uniqueid="c", Cause=0) == [ChannelGone("c", 16)]
    assert ear.hear("Hangup", Uniqueid="c", Cause="odd") == [ChannelGone("c", 16)]


def test_what_means_nothing_is_counted(ear: Ear) -> None:
    assert ear.hear("Newexten", Uniqueid="c") == []
    assert ear.hear("UserEvent", UserEvent="Other", Uniqueid="c") == []
    assert ear.translator.unknown == 2


def test_headers_missing_from_events_do_no_harm(ear: Ear) -> None:
    for name in list(ear.translator._handlers):
        ear.translator.event(Message(b"Event: " + name + b"\r\nPrivilege: call,all"))
    ear.translator.event(Message(b"Event: Hangup"))


# legs


def test_a_leg_rings_once_and_is_answered(ear: Ear) -> None:
    ear.legs.dialled("cb-1")
    assert ear.hear("Newstate", Uniqueid="cb-1", ChannelState=5) == [LegRinging("cb-1")]
    assert ear.hear("Newstate", Uniqueid="cb-1", ChannelState=5) == []
    assert ear.hear("Newstate", Uniqueid="other", ChannelState=5) == []
    assert ear.hear("Newstate", Uniqueid="cb-1", ChannelState=6) == []
    assert ear.hear("OriginateResponse", Response="Success", Uniqueid="cb-1", Reason=4) == []
    assert ear.hear("UserEvent", UserEvent="CordboardLeg", Uniqueid="cb-1") == [LegAnswered("cb-1")]
    assert ear.hear("Hangup", Uniqueid="cb-1", Cause=16) == [ChannelGone("cb-1", 16)]
    assert len(ear.legs) == 0


@pytest.mark.parametrize("order", ["hangup first", "response first"])
@pytest.mark.parametrize(
    ("rings", "cause", "reason", "failure"),
    [
        (True, 19, 3, LegFailure.NO_ANSWER),
        (False, 19, 3, LegFailure.UNREACHABLE),
        (True, 19, 0, LegFailure.REFUSED),
        (False, 19, 0, LegFailure.REFUSED),
        (True, 17, 0, LegFailure.BUSY),
        (True, 21, 0, LegFailure.REFUSED),
        (False, 18, 0, LegFailure.UNREACHABLE),
        (False, 1, 0, LegFailure.UNREACHABLE),
        (False, 38, 0, LegFailure.FAILED),
        (True, 16, 0, LegFailure.FAILED),
    ],
)
def test_a_leg_fails_once_whichever_telling_comes_first(
    ear: Ear, order: str, rings: bool, cause: int, reason: int, failure: LegFailure
) -> None:
    ear.legs.dialled("cb-1")
    if rings:
        ear.hear("Newstate", Uniqueid="cb-1", ChannelState=5)
    ear.facts.clear()
    tellings: list[Callable[[], object]] = [
        lambda: ear.hear("Hangup", Uniqueid="cb-1", Cause=cause),
        lambda: ear.hear("OriginateResponse", Response="Failure", Uniqueid="cb-1", Reason=reason),
    ]
    for tell in tellings if order == "hangup first" else reversed(tellings):
        tell()
    ear.time.advance(OTHER_WITHIN)
    assert ear.facts == [LegFailed("cb-1", failure, cause), ChannelGone("cb-1", cause)]
    assert len(ear.legs) == 0


@pytest.mark.parametrize(("rings", "failure"), [(True, LegFailure.NO_ANSWER), (False, LegFailure.UNREACHABLE)])
def test_a_hang_up_alone_is_enough(ear: Ear, rings: bool, failure: LegFailure) -> None:
    ear.legs.dialled("cb-1")
    if rings:
        ear.hear("Newstate", Uniqueid="cb-1", ChannelState=5)
    ear.facts.clear()
    ear.hear("Hangup", Uniqueid="cb-1", Cause=19)
    assert ear.facts == []
    ear.time.advance(OTHER_WITHIN)
    assert ear.facts == [LegFailed("cb-1", failure, 19), ChannelGone("cb-1", 19)]


@pytest.mark.parametrize(("reason", "failure"), [(0, LegFailure.UNREACHABLE), (8, LegFailure.FAILED)])
def test_a_leg_without_a_channel_fails_without_one_gone(ear: Ear, reason: int, failure: LegFailure) -> None:
    ear.legs.dialled("cb-1")
    ear.hear("OriginateResponse", Response="Failure", Uniqueid="cb-1", Reason=reason)
    assert ear.facts == []
    ear.time.advance(OTHER_WITHIN)
    assert ear.facts == [LegFailed("cb-1", failure)]


def test_legs_of_others_and_of_a_predecessor_do_not_fail(ear: Ear) -> None:
    ear.hear("OriginateResponse", Response="Failure", Uniqueid="cb-9", Reason=0)
    ear.time.advance(1)
    assert ear.facts == []
    assert ear.hear("Hangup", Uniqueid="cb-9", Cause=19) == [ChannelGone("cb-9", 19)]


def test_a_refused_order_leaves_no_leg(ear: Ear) -> None:
    ear.legs.dialled("cb-1")
    ear.legs.refused("cb-1")
    ear.hear("OriginateResponse", Response="Failure", Uniqueid="cb-1", Reason=0)
    ear.time.advance(1)
    assert ear.facts == []


def test_legs_that_ended_unseen_fail_at_the_next_look(ear: Ear) -> None:
    ear.legs.dialled("cb-rang")
    ear.legs.dialled("cb-talked")
    ear.hear("UserEvent", UserEvent="CordboardLeg", Uniqueid="cb-talked")
    ear.facts.clear()
    ear.legs.missing(Snapshot(()))
    assert ear.facts == [LegFailed("cb-rang", LegFailure.FAILED)]
    assert len(ear.legs) == 0
