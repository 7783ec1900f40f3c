"""The fake switch keeps the promises of the real one that the tests above it lean on."""

from __future__ import annotations

import pytest

from pbx.facts import (
    BridgeEntered,
    BridgeLeft,
    CallReturned,
    ChannelGone,
    CommandDone,
    Fact,
    KeyPressed,
    LegAnswered,
    LegFailed,
    LegFailure,
    LegRinging,
    MessageEnd,
    MessageRecorded,
    OrderFailed,
)
from pbx.orders import Answer, Connect, HangUp, Play, RecordMessage, RingPhone, StopPlay, TakeOver
from tests.fakes.switch import FakeSwitch, PhoneScript
from tests.fakes.virtual_time import VirtualTime


@pytest.fixture
def facts() -> list[Fact]:
    return []


@pytest.fixture
def switch(facts: list[Fact]) -> FakeSwitch:
    return FakeSwitch(VirtualTime(), facts.append)


def test_prompts_run_one_after_another(switch: FakeSwitch, facts: list[Fact]) -> None:
    switch.call("c1")
    facts.clear()
    switch.send(Answer("c1", "a"))
    switch.send(Play("c1", "p1", ("/x",)))
    switch.send(Play("c1", "p2", ("/y", "/z")))
    assert facts == []
    switch.time.advance(1.0)
    assert facts == [CommandDone("c1", "a", True), CommandDone("c1", "p1", True)]
    switch.time.advance(2.0)
    assert facts[2:] == [CommandDone("c1", "p2", True)]


def test_a_key_stops_a_prompt_once(switch: FakeSwitch, facts: list[Fact]) -> None:
    switch.call("c1")
    facts.clear()
    switch.send(Play("c1", "p", ("/x",)))
    switch.press("c1", "1")
    switch.send(StopPlay("c1"))
    switch.time.advance(5.0)
    assert facts == [KeyPressed("c1", "1"), CommandDone("c1", "p", True, True)]


def test_take_over_drops_what_was_there(switch: FakeSwitch, facts: list[Fact]) -> None:
    switch.call("c1")
    facts.clear()
    switch.send(Play("c1", "p", ("/x",)))
    switch.send(TakeOver("c1", "t"))
    switch.time.advance(5.0)
    assert facts == [CommandDone("c1", "t", True)]


def test_a_talk_begins_and_the_caller_returns(switch: FakeSwitch, facts: list[Fact]) -> None:
    switch.phones["1001"] = PhoneScript.answers(2.0)
    switch.call("c1")
    facts.clear()
    switch.send(RingPhone("cb-1", "1001", 10, "1", "n"))
    switch.time.advance(2.0)
    assert facts == [LegRinging("cb-1"), LegAnswered("cb-1")]
    switch.send(Connect("c1", "cb-1"))
    switch.time.settle()
    assert facts[2:] == [BridgeEntered("c1", "bridge-1"), BridgeEntered("cb-1", "bridge-1")]
    switch.hang_up("cb-1")
    assert facts[4:] == [
        BridgeLeft("cb-1", "bridge-1"),
        ChannelGone("cb-1", 16),
        BridgeLeft("c1", "bridge-1"),
        CallReturned("c1"),
    ]


@pytest.mark.parametrize(
    ("script", "wait", "failed"),
    [
        (PhoneScript.rings_on(), 10.0, LegFailed("cb-1", LegFailure.NO_ANSWER)),
        (PhoneScript.fails(LegFailure.BUSY, 17), 0.0, LegFailed("cb-1", LegFailure.BUSY, 17)),
        (PhoneScript.fails(LegFailure.UNREACHABLE, 20), 0.0, LegFailed("cb-1", LegFailure.UNREACHABLE, 20)),
    ],
)
def test_a_leg_fails_once(
    switch: FakeSwitch, facts: list[Fact], script: PhoneScript, wait: float, failed: LegFailed
) -> None:
    switch.phones["1001"] = script
    switch.send(RingPhone("cb-1", "1001", 10, "1", "n"))
    switch.time.advance(wait)
    assert [fact for fact in facts if isinstance(fact, LegFailed)] == [failed]
    switch.send(HangUp("cb-1"))
    switch.time.settle()
    assert facts[-1] == OrderFailed("cb-1", "HangUp", "no such channel")


def test_a_message_ends_by_its_key_or_with_the_call(switch: FakeSwitch, facts: list[Fact]) -> None:
    switch.call("c1")
    facts.clear()
    switch.send(RecordMessage("c1", "m", "m-1", 60))
    switch.press("c1", "1")
    switch.time.advance(100.0)
    switch.press("c1", "#")
    switch.send(RecordMessage("c1", "n", "m-2", 60))
    switch.hang_up("c1")
    assert [fact for fact in facts if not isinstance(fact, KeyPressed)] == [
        MessageRecorded("c1", "m", MessageEnd.KEY, 5.0),
        MessageRecorded("c1", "n", MessageEnd.HANGUP, 5.0),
        ChannelGone("c1", 16),
    ]
