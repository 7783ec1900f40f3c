"""What we believe exists in the PBX: what is stale, what a look corrects and when, what stays dead."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pbx.facts import (
    BridgeEntered,
    BridgeLeft,
    CallArrived,
    CallReturned,
    ChannelGone,
    ChannelSeen,
    CommandDone,
    ControlLost,
    Fact,
    LegAnswered,
    LegRinging,
    Origin,
    PhoneChanged,
    PhoneState,
    Place,
    Snapshot,
)
from pbx.live import TOMBSTONES, LiveChannels

HERE = ChannelSeen(
    channel="c1",
    name="PJSIP/trunk-1",
    endpoint="trunk",
    place=Place.ARRIVAL,
    answered=True,
    controlled=True,
    bridge="",
    caller_number="",
    caller_name="",
    dialled="100",
    language="en",
    memory="",
)
BACK = replace(HERE, place=Place.RETURNED)
TALKS = replace(HERE, place=Place.TALK, controlled=False, bridge="b1")
ELSEWHERE = replace(HERE, place=Place.FALLBACK, controlled=False)


def arrived(channel: str = "c1") -> CallArrived:
    return CallArrived(channel, "", Origin.PUBLIC, "trunk", "100", "", "", "en")


def table(*facts: Fact) -> LiveChannels:
    live = LiveChannels()
    for fact in facts:
        assert live.apply(fact), fact
    return live


def look(*channels: ChannelSeen, **phones: PhoneState) -> Snapshot:
    return Snapshot(channels, phones)


def twice(live: LiveChannels, snapshot: Snapshot) -> list[Fact]:
    """What two looks in a row correct; the first one nothing."""
    assert live.compare(snapshot, certain=False) == []
    return live.compare(snapshot, certain=False)


# stale facts


@pytest.mark.parametrize(
    ("before", "stale"),
    [
        ([arrived()], arrived()),
        ([arrived(), ChannelGone("c1", 16)], arrived()),
        ([arrived(), ChannelGone("c1", 16)], CallReturned("c1")),
        ([arrived(), ChannelGone("c1", 16)], BridgeEntered("c1", "b1")),
        ([LegRinging("cb-1"), ChannelGone("cb-1", 16)], LegAnswered("cb-1")),
        ([ChannelGone("cb-1", 16)], LegRinging("cb-1")),
        ([], CallReturned("c1")),
        ([], BridgeEntered("c1", "b1")),
        ([], BridgeLeft("c1", "b1")),
        ([arrived(), BridgeEntered("c1", "b1")], BridgeEntered("c1", "b1")),
        ([arrived()], BridgeLeft("c1", "b1")),
        ([arrived(), BridgeEntered("c1", "b2")], BridgeLeft("c1", "b1")),
        ([PhoneChanged("1001", PhoneState.IDLE)], PhoneChanged("1001", PhoneState.IDLE)),
    ],
)
def test_what_is_stale_or_known_nobody_else_sees(before: list[Fact], stale: Fact) -> None:
    assert not table(*before).apply(stale)


def test_everything_else_passes() -> None:
    live = table(
        arrived(),
        BridgeEntered("c1", "b1"),
        BridgeEntered("c1", "b2"),
        BridgeLeft("c1", "b2"),
        CallReturned("c1"),
        CommandDone("c9", "x", ok=True),
        PhoneChanged("1001", PhoneState.IDLE),
        PhoneChanged("1001", PhoneState.BUSY),
    )
    assert live.phones == {"1001": PhoneState.BUSY}
    assert [one.channel for one in live] == ["c1"]


def test_a_channel_goes_through_its_places() -> None:
    live = table(arrived())
    first = live.get("c1")
    assert first is not None
    assert first.place is Place.ARRIVAL
    steps: list[tuple[Fact, Place]] = [
        (BridgeEntered("c1", "b1"), Place.TALK),
        (ControlLost("c1"), Place.TALK),
        (BridgeLeft("c1", "b1"), Place.TALK),
        (CallReturned("c1"), Place.RETURNED),
        (ControlLost("c1"), Place.FALLBACK),
    ]
    for fact, place in steps:
        live.apply(fact)
        known = live.get("c1")
        assert known is not None
        assert known.place is place
    live.apply(ChannelGone("c1", 16))
    assert "c1" not in live
    assert live.is_gone("c1")


def test_the_dead_are_remembered_but_not_for_ever() -> None:
    live = LiveChannels()
    for number in range(TOMBSTONES + 5):
        live.apply(ChannelGone(f"c{number}", 16))
    assert not live.is_gone("c4")
    assert live.is_gone("c5")
    assert live.is_gone(f"c{TOMBSTONES + 4}")


# looks

DIFFERENT: list[tuple[list[Fact], Snapshot, list[Fact]]] = [
    ([arrived()], look(), [ChannelGone("c1", 0)]),
    ([arrived()], look(TALKS), [BridgeEntered("c1", "b1")]),
    ([arrived(), BridgeEntered("c1", "b2")], look(TALKS), [BridgeLeft("c1", "b2"), BridgeEntered("c1", "b1")]),
    ([arrived(), BridgeEntered("c1", "b1")], look(BACK), [BridgeLeft("c1", "b1"), CallReturned("c1")]),
    ([arrived()], look(BACK), [CallReturned("c1")]),
    ([arrived(), ControlLost("c1")], look(BACK), [CallReturned("c1")]),
    ([arrived()], look(ELSEWHERE), [ControlLost("c1")]),
]
SAME: list[tuple[list[Fact], Snapshot]] = [
    ([arrived()], look(HERE)),
    ([arrived(), BridgeEntered("c1", "b1")], look(TALKS)),
    ([arrived(), CallReturned("c1")], look(BACK)),
    ([arrived()], look(replace(BACK, controlled=False))),
    ([arrived(), ControlLost("c1")], look(ELSEWHERE)),
    ([LegRinging("cb-1")], look(replace(HERE, channel="cb-1", place=Place.OFFER, controlled=False))),
]


@pytest.mark.parametrize(("before", "snapshot", "corrections"), DIFFERENT)
def test_a_certain_difference_counts_at_once(before: list[Fact], snapshot: Snapshot, corrections: list[Fact]) -> None:
    assert table(*before).compare(snapshot, certain=True) == corrections


@pytest.mark.parametrize(("before", "snapshot", "corrections"), DIFFERENT)
def test_else_two_looks_must_show_it(before: list[Fact], snapshot: Snapshot, corrections: list[Fact]) -> None:
    live = table(*before)
    assert twice(live, snapshot) == corrections
    for correction in corrections:
        live.apply(correction)
    assert twice(live, snapshot) == []


@pytest.mark.parametrize(("before", "snapshot"), SAME)
def test_what_agrees_needs_nothing(before: list[Fact], snapshot: Snapshot) -> None:
    live = table(*before)
    assert twice(live, snapshot) == []
    assert live.compare(snapshot, certain=True) == []


def test_two_different_differences_are_none_twice() -> None:
    live = table(arrived())
    assert live.compare(look(TALKS), certain=False) == []
    assert live.compare(look(), certain=False) == []
    assert live.compare(look(HERE), certain=False) == []
    assert live.compare(look(), certain=False) == []
    assert live.compare(look(), certain=False) == [ChannelGone("c1", 0)]


def test_a_return_into_the_fallback_that_nobody_saw() -> None:
    live = table(arrived(), BridgeEntered("c1", "b1"))
    corrections = live.compare(look(ELSEWHERE), certain=True)
    assert corrections == [BridgeLeft("c1", "b1"), ControlLost("c1")]
    for correction in corrections:
        live.apply(correction)
    known = live.get("c1")
    assert known is not None
    assert known.place is Place.FALLBACK
    assert live.compare(look(ELSEWHERE), certain=True) == []


def test_phones_are_believed_when_two_looks_say_so() -> None:
    live = table(PhoneChanged("1001", PhoneState.IDLE))
    assert live.compare(look(**{"1001": PhoneState.BUSY}), certain=False) == []
    live.apply(PhoneChanged("1001", PhoneState.RINGING))
    assert live.compare(look(**{"1001": PhoneState.RINGING}), certain=False) == []
    assert twice(live, look(**{"1001": PhoneState.IDLE})) == [PhoneChanged("1001", PhoneState.IDLE)]
    assert live.compare(look(**{"1001": PhoneState.BUSY}), certain=True) == [PhoneChanged("1001", PhoneState.BUSY)]


# strangers


def test_strangers_are_those_who_are_ours_and_unknown() -> None:
    live = table(arrived("known"), arrived("dead"), ChannelGone("dead", 16))
    there = look(
        HERE,
        replace(HERE, channel="known"),
        replace(HERE, channel="dead"),
        replace(HERE, channel="other", place=Place.OTHER),
    )
    assert live.strangers(there, certain=True) == [HERE]
    assert live.strangers(look(), certain=False) == []
    assert live.strangers(there, certain=False) == []
    assert live.strangers(there, certain=False) == [HERE]


def test_an_adopted_stranger_is_known() -> None:
    live = LiveChannels()
    live.adopt(TALKS)
    assert live.compare(look(TALKS), certain=True) == []
    assert live.strangers(look(TALKS), certain=True) == []
    assert live.apply(BridgeLeft("c1", "b1"))
    assert len(live) == 1
