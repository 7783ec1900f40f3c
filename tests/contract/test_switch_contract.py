"""What everything above `pbx` relies on, held against the fake PBX and (marked `system`) against the real one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from pbx.facts import (
    BridgeEntered,
    BridgeLeft,
    CallArrived,
    CallHeld,
    CallReturned,
    ChannelGone,
    CommandDone,
    ControlLost,
    KeyPressed,
    LegAnswered,
    LegAtDesk,
    LegFailed,
    LegFailure,
    LegRinging,
    LegSpies,
    LinkDown,
    LinkUp,
    Looked,
    MessageEnd,
    MessageRecorded,
    OrderFailed,
    Origin,
    Place,
)
from pbx.orders import (
    Answer,
    Connect,
    Desk,
    EnterRoom,
    HangUp,
    Hold,
    KeepAlive,
    Look,
    MuteRecording,
    Part,
    Play,
    RecordMessage,
    Remember,
    RingNumber,
    RingPhone,
    SetLanguage,
    Spy,
    SpyMode,
    StartMusic,
    StartRecording,
    StopMusic,
    StopPlay,
    StopRecording,
    TakeBack,
    TakeOver,
    UnmuteRecording,
)
from tests.contract.switch_rig import WITHIN, FakeRig, RealRig, Rig


@pytest.fixture(params=[FakeRig, pytest.param(RealRig, marks=pytest.mark.system)], ids=["fake", "real"])
async def rig(request: pytest.FixtureRequest) -> AsyncIterator[Rig]:
    made: Rig = request.param()
    await made.start()
    yield made
    await made.close()


async def answered(rig: Rig) -> str:
    channel = await rig.arrives()
    rig.link.send(Answer(channel, "answer"))
    await rig.facts.has(CommandDone(channel, "answer", ok=True))
    return channel


async def settled(rig: Rig, channel: str) -> None:
    """Whatever the PBX still had to say about the channel has been said: its next answer is here."""
    rig.link.send(TakeOver(channel, "settled"))
    await rig.facts.has(CommandDone(channel, "settled", ok=True))


async def test_a_caller_arrives_unanswered(rig: Rig) -> None:
    channel = await rig.arrives("100")
    (arrived,) = rig.facts.of(CallArrived)
    assert (arrived.origin, arrived.dialled) == (Origin.PUBLIC, "100")
    assert arrived.caller_number
    assert arrived.endpoint
    rig.link.send(Look())
    (seen,) = (await rig.facts.next(Looked)).snapshot.channels
    assert (seen.channel, seen.answered, seen.controlled, seen.place) == (channel, False, True, Place.ARRIVAL)
    assert (seen.dialled, seen.caller_number, seen.endpoint) == ("100", arrived.caller_number, arrived.endpoint)


async def test_the_language_that_the_pbx_would_speak(rig: Rig) -> None:
    channel = await answered(rig)
    rig.link.send(SetLanguage(channel, "es"))
    rig.link.send(Look())
    (seen,) = (await rig.facts.next(Looked)).snapshot.channels
    assert seen.language == "es"
    rig.link.send(SetLanguage(channel, "e;s"))
    assert (await rig.facts.next(OrderFailed)).reason == "bad value"


async def test_prompts_play_to_their_end_one_after_another(rig: Rig) -> None:
    channel = await answered(rig)
    rig.link.send(Play(channel, "one", (rig.short,)))
    rig.link.send(Play(channel, "two", (rig.short, rig.short), interruptible=False))
    rig.link.send(Play(channel, "none", ()))
    await rig.facts.has(CommandDone(channel, "none", ok=True))
    done = [fact.token for fact in rig.facts.of(CommandDone)]
    assert done == ["answer", "one", "two", "none"]
    assert not any(fact.interrupted for fact in rig.facts.of(CommandDone))


async def test_a_key_stops_a_prompt_and_only_that(rig: Rig) -> None:
    channel = await answered(rig)
    rig.link.send(Play(channel, "menu", (rig.long, rig.long)))
    rig.link.send(Play(channel, "next", (rig.short,)))
    await rig.press("5")
    await rig.facts.has(KeyPressed(channel, "5"))
    rig.link.send(StopPlay(channel))
    await rig.facts.has(CommandDone(channel, "menu", ok=True, interrupted=True))
    # "next" waited behind "menu" when the stop was ordered, so it ends unheard; what is ordered from now on is heard.
    await rig.facts.has(CommandDone(channel, "next", ok=True, interrupted=True))
    rig.link.send(Play(channel, "after", (rig.short,)))
    await rig.facts.has(CommandDone(channel, "after", ok=True))
    assert [fact.token for fact in rig.facts.of(CommandDone)] == ["answer", "menu", "next", "after"]


async def test_a_key_does_not_stop_what_must_be_heard(rig: Rig) -> None:
    channel = await answered(rig)
    rig.link.send(Play(channel, "law", (rig.long,), interruptible=False))
    await rig.press("1")
    await rig.facts.has(KeyPressed(channel, "1"))
    assert [fact.token for fact in rig.facts.of(CommandDone)] == ["answer"]
    rig.link.send(StopPlay(channel))
    await rig.facts.has(CommandDone(channel, "law", ok=True, interrupted=True))


async def test_stop_play_without_a_prompt_does_nothing_to_the_next(rig: Rig) -> None:
    channel = await answered(rig)
    rig.link.send(StopPlay(channel))
    rig.link.send(Play(channel, "whole", (rig.short,)))
    await rig.facts.has(CommandDone(channel, "whole", ok=True))


async def test_music_comes_and_goes(rig: Rig) -> None:
    channel = await answered(rig)
    rig.link.send(StartMusic(channel, "default"))
    rig.link.send(StopMusic(channel))
    rig.link.send(Play(channel, "p", (rig.short,)))
    await rig.facts.has(CommandDone(channel, "p", ok=True))
    assert rig.facts.of(OrderFailed) == []


async def test_a_missing_prompt_is_told_and_control_is_lost(rig: Rig) -> None:
    channel = await answered(rig)
    rig.link.send(Play(channel, "gone", (rig.missing,)))
    await rig.facts.has(CommandDone(channel, "gone", ok=False))
    await rig.facts.has(ControlLost(channel))
    rig.link.send(Play(channel, "late", (rig.short,)))
    await rig.facts.has(OrderFailed(channel, "Play", "not controlled"))


@pytest.mark.parametrize("while_playing", [False, True])
async def test_a_caller_who_hangs_up_is_gone_and_nothing_else(rig: Rig, while_playing: bool) -> None:
    channel = await answered(rig)
    if while_playing:
        rig.link.send(Play(channel, "p", (rig.long,)))
    await rig.caller_hangs_up()
    await rig.facts.has(ChannelGone(channel, 16))
    await asyncio.sleep(0)
    assert rig.facts.of(ControlLost) == []
    assert [fact.token for fact in rig.facts.of(CommandDone)] == ["answer"]


async def test_we_hang_up(rig: Rig) -> None:
    channel = await answered(rig)
    rig.link.send(HangUp(channel, 16))
    await rig.facts.has(ChannelGone(channel, 16))
    assert rig.facts.of(ControlLost) == []
    rig.link.send(HangUp(channel, 16))
    await rig.facts.has(OrderFailed(channel, "HangUp", "no such channel"))


async def test_a_talk_and_the_way_back(rig: Rig) -> None:
    channel = await answered(rig)
    rig.link.send(StartMusic(channel, "default"))
    rig.link.send(RingPhone("cb-talk-1", "1001", 10, "+15550100", "Ada"))
    await rig.facts.has(LegAnswered("cb-talk-1"))
    assert rig.facts.of(LegRinging) == [LegRinging("cb-talk-1")]
    rig.link.send(Connect(channel, "cb-talk-1"))
    entered = await rig.facts.next(BridgeEntered, 2)
    assert {fact.channel for fact in rig.facts.of(BridgeEntered)} == {channel, "cb-talk-1"}
    assert len({fact.bridge for fact in rig.facts.of(BridgeEntered)}) == 1
    rig.link.send(Look())
    looked = await rig.facts.next(Looked)
    places = {seen.channel: (seen.bridge, seen.controlled) for seen in looked.snapshot.channels}
    assert places[channel] == (entered.bridge, False)
    await rig.agent_hangs_up("cb-talk-1")
    await rig.facts.has(CallReturned(channel))
    await rig.facts.has(ChannelGone("cb-talk-1", 16))
    assert {fact.channel for fact in rig.facts.of(BridgeLeft)} == {channel, "cb-talk-1"}
    rig.link.send(Play(channel, "bye", (rig.short,)))
    await rig.facts.has(CommandDone(channel, "bye", ok=True))
    rig.link.send(Look())
    (seen,) = (await rig.facts.next(Looked, 2)).snapshot.channels
    assert (seen.place, seen.dialled, seen.controlled) == (Place.RETURNED, "100", True)
    assert rig.facts.of(ControlLost) == []
    assert rig.facts.of(LegFailed) == []


async def talking(rig: Rig, leg: str) -> str:
    channel = await answered(rig)
    rig.link.send(RingPhone(leg, "1001", 10, "+15550100", ""))
    await rig.facts.has(LegAnswered(leg))
    rig.link.send(Connect(channel, leg))
    await rig.facts.next(BridgeEntered, 2)
    return channel


async def places(rig: Rig) -> dict[str, tuple[Place, bool]]:
    """Where each channel is, and whether in a bridge."""
    looks = len(rig.facts.of(Looked))
    rig.link.send(Look())
    looked = await rig.facts.next(Looked, looks + 1)
    return {seen.channel: (seen.place, seen.bridge != "") for seen in looked.snapshot.channels}


async def test_a_talk_is_parted_and_put_together_again(rig: Rig) -> None:
    leg = "cb-hold-1"
    channel = await talking(rig, leg)
    rig.link.send(Part(channel, leg, "default"))
    await rig.facts.has(CallHeld(channel))
    await rig.facts.has(LegAtDesk(leg))
    assert await places(rig) == {channel: (Place.HOLD, False), leg: (Place.DESK, False)}
    rig.link.send(Connect(channel, leg))
    await rig.facts.next(BridgeEntered, 4)
    assert {one[1] for one in (await places(rig)).values()} == {True}
    await rig.agent_hangs_up(leg)
    await rig.facts.has(CallReturned(channel))
    assert rig.facts.of(ControlLost) == []


async def test_a_caller_on_hold_is_taken_back(rig: Rig) -> None:
    channel = await talking(rig, "cb-hold-2")
    rig.link.send(Part(channel, "cb-hold-2", "default"))
    await rig.facts.has(CallHeld(channel))
    rig.link.send(TakeBack(channel))
    await rig.facts.has(CallReturned(channel))
    rig.link.send(HangUp("cb-hold-2"))
    await rig.facts.has(ChannelGone("cb-hold-2", 16))


async def test_a_caller_is_taken_out_of_a_talk_and_the_leg_ends(rig: Rig) -> None:
    channel = await talking(rig, "cb-back-1")
    rig.link.send(TakeBack(channel))
    await rig.facts.has(CallReturned(channel))
    await rig.facts.next(ChannelGone)
    rig.link.send(Play(channel, "after", (rig.short,)))
    await rig.facts.has(CommandDone(channel, "after", ok=True))


async def test_a_room_for_three_and_the_caller_goes_on_when_the_last_leg_left(rig: Rig) -> None:
    first, second = "cb-room-1", "cb-room-2"
    channel = await talking(rig, first)
    rig.link.send(Part(channel, first, "default"))
    await rig.facts.has(LegAtDesk(first))
    rig.link.send(Desk(first, ringing=True))
    rig.link.send(RingPhone(second, "1001", 10, "+15550100", ""))
    await rig.facts.has(LegAnswered(second))
    for leg in (first, second):
        rig.link.send(EnterRoom(leg, "cb-room", leg=True))
    await rig.facts.next(BridgeEntered, 4)
    assert await places(rig) == {
        channel: (Place.HOLD, False),
        first: (Place.ROOM, True),
        second: (Place.ROOM, True),
    }
    rig.link.send(EnterRoom(channel, "cb-room", leg=False))
    await rig.facts.next(BridgeEntered, 5)
    rig.link.send(Hold(channel, "default"))
    await rig.facts.until(lambda: rig.facts.of(CallHeld) == [CallHeld(channel)] * 2, "on hold again")
    rig.link.send(EnterRoom(channel, "cb-room", leg=False))
    await rig.facts.next(BridgeEntered, 6)
    rig.link.send(HangUp(first))
    await rig.facts.has(ChannelGone(first, 16))
    assert rig.facts.of(CallReturned) == []
    rig.link.send(HangUp(second))
    await rig.facts.has(CallReturned(channel))


async def test_a_leg_of_a_room_goes_to_the_desk_and_to_another_talk(rig: Rig) -> None:
    """`Connect` needs a leg outside of rooms: Asterisk 22 takes nobody out of a ConfBridge."""
    leg = "cb-room-3"
    channel = await talking(rig, leg)
    rig.link.send(Part(channel, leg, "default"))
    await rig.facts.has(LegAtDesk(leg))
    rig.link.send(EnterRoom(leg, "cb-other", leg=True))
    await rig.facts.next(BridgeEntered, 3)
    rig.link.send(Desk(leg))
    await rig.facts.until(lambda: rig.facts.of(LegAtDesk) == [LegAtDesk(leg)] * 2, "at the desk again")
    rig.link.send(Connect(channel, leg))
    await rig.facts.next(BridgeEntered, 5)


async def test_without_us_a_caller_on_hold_is_put_back_to_the_agent(rig: Rig) -> None:
    leg = "cb-hold-3"
    channel = await talking(rig, leg)
    rig.link.send(Part(channel, leg, "default"))
    await rig.facts.has(CallHeld(channel))
    rig.link.send(KeepAlive(channel, 1))
    await rig.facts.next(BridgeEntered, 4)


async def test_a_number_without_a_trunk_is_unreachable(rig: Rig) -> None:
    rig.link.send(RingNumber("cb-out-1", "+15550123", 5, "1", ""))
    assert (await rig.facts.next(LegFailed)).reason is LegFailure.UNREACHABLE


async def test_a_supervisor_listens_and_the_mode_changes(rig: Rig) -> None:
    channel = await talking(rig, "cb-spied-1")
    rig.link.send(RingPhone("cb-spy-1", "1001", 10, "", ""))
    await rig.facts.has(LegAnswered("cb-spy-1"))
    for number, mode in enumerate(SpyMode, start=1):
        rig.link.send(Spy("cb-spy-1", "cb-spied-1", mode))
        await rig.facts.next(LegSpies, number)
    assert (await places(rig))["cb-spy-1"][0] is Place.SPY
    assert (await places(rig))[channel][1]
    assert rig.facts.of(OrderFailed) == []


async def test_connecting_to_a_leg_that_is_gone_brings_the_caller_back(rig: Rig) -> None:
    channel = await answered(rig)
    rig.link.send(Connect(channel, "cb-never-was"))
    await rig.facts.has(CallReturned(channel))
    await settled(rig, channel)
    assert rig.facts.of(ControlLost) == []


@pytest.mark.parametrize(
    ("endpoint", "ring_s", "reason", "cause", "exists"),
    [
        ("1002", 1, LegFailure.NO_ANSWER, 19, True),
        ("1003", 5, LegFailure.BUSY, 17, True),
        ("1004", 5, LegFailure.UNREACHABLE, 0, False),
        ("1999", 5, LegFailure.UNREACHABLE, 0, False),
    ],
)
async def test_a_leg_that_is_not_answered_fails_once(
    rig: Rig, endpoint: str, ring_s: int, reason: LegFailure, cause: int, exists: bool
) -> None:
    rig.link.send(RingPhone("cb-leg-1", endpoint, ring_s, "1", ""))
    failed = await rig.facts.next(LegFailed)
    assert failed == LegFailed("cb-leg-1", reason, cause)
    if exists:
        await rig.facts.has(ChannelGone("cb-leg-1", cause))
    channel = await rig.arrives()
    await settled(rig, channel)
    assert len(rig.facts.of(LegFailed)) == 1
    assert len(rig.facts.of(ChannelGone)) == exists


@pytest.mark.parametrize("cause", [16, 26, 0])
async def test_a_withdrawn_leg_fails_once(rig: Rig, cause: int) -> None:
    rig.link.send(RingPhone("cb-leg-2", "1002", 20, "1", ""))
    await rig.facts.has(LegRinging("cb-leg-2"))
    rig.link.send(HangUp("cb-leg-2", cause))
    gone = await rig.facts.next(ChannelGone)
    assert gone.channel == "cb-leg-2"
    assert cause in (gone.cause, 0)
    channel = await rig.arrives()
    await settled(rig, channel)
    assert [fact.channel for fact in rig.facts.of(LegFailed)] == ["cb-leg-2"]
    assert rig.facts.of(OrderFailed) == []


async def test_memory_and_the_dead_mans_timer(rig: Rig) -> None:
    channel = await answered(rig)
    memory = '{"f":"main","v":"${SHELL(id)} $[1+1] ' + "ñ;,\\${x}" * 66 + '"}'
    assert len(memory.encode()) > 600
    rig.link.send(Remember(channel, memory))
    rig.link.send(KeepAlive(channel, 100))
    rig.link.send(Look())
    (seen,) = (await rig.facts.next(Looked)).snapshot.channels
    assert seen.memory == memory
    assert seen.seconds_left is not None
    assert 90 <= seen.seconds_left <= 100
    rig.link.send(Remember(channel, "{}"))
    rig.link.send(Look())
    (seen,) = (await rig.facts.next(Looked, 2)).snapshot.channels
    assert seen.memory == "{}"


async def test_without_us_the_dialplan_takes_over(rig: Rig) -> None:
    channel = await answered(rig)
    rig.link.send(KeepAlive(channel, 1))
    await rig.facts.has(ControlLost(channel))
    rig.link.send(Look())
    (seen,) = (await rig.facts.next(Looked)).snapshot.channels
    assert (seen.place, seen.controlled) == (Place.FALLBACK, False)


async def test_after_a_lost_link_we_look_take_over_and_go_on(rig: Rig) -> None:
    channel = await answered(rig)
    rig.link.send(Remember(channel, '{"n":"menu"}'))
    rig.link.send(Play(channel, "old", (rig.long,)))
    rig.link.send(Look())
    await rig.facts.next(Looked)
    await rig.reset()
    await rig.facts.next(LinkDown)
    rig.link.send(Play(channel, "deaf", (rig.short,)))
    up = await rig.facts.next(LinkUp, 2)
    assert rig.facts.of(OrderFailed) == [OrderFailed(channel, "Play", "link down")]
    (seen,) = up.snapshot.channels
    assert (seen.channel, seen.controlled, seen.memory) == (channel, True, '{"n":"menu"}')
    rig.link.send(Play(channel, "early", (rig.short,)))
    await rig.facts.has(OrderFailed(channel, "Play", "not controlled"))
    rig.link.send(TakeOver(channel, "mine"))
    await rig.facts.has(CommandDone(channel, "mine", ok=True))
    rig.link.send(Play(channel, "new", (rig.short,)))
    await rig.facts.has(CommandDone(channel, "new", ok=True))
    assert "old" not in [fact.token for fact in rig.facts.of(CommandDone)]


async def recording_of(rig: Rig, channel: str, look: int) -> str:
    rig.link.send(Look())
    seen = {one.channel: one for one in (await rig.facts.next(Looked, look)).snapshot.channels}
    return seen[channel].recording


async def test_a_recording_starts_is_muted_and_stops_without_waiting_for_answers(rig: Rig) -> None:
    channel = await answered(rig)
    rig.link.send(StartRecording(channel, "talk-1"))
    rig.link.send(MuteRecording(channel, "talk-1"))
    rig.link.send(UnmuteRecording(channel, "talk-1"))
    assert await recording_of(rig, channel, 1) == "talk-1"
    rig.link.send(StopRecording(channel, "talk-1"))
    assert await recording_of(rig, channel, 2) == ""
    assert rig.facts.of(OrderFailed) == []
    rig.link.send(MuteRecording(channel, "talk-1"))
    await rig.facts.has(OrderFailed(channel, "MuteRecording", "no such recording"))


async def test_started_and_stopped_at_once(rig: Rig) -> None:
    channel = await answered(rig)
    rig.link.send(StartRecording(channel, "talk-1"))
    rig.link.send(StopRecording(channel, "talk-1"))
    rig.link.send(StartRecording(channel, "talk-2"))
    assert await recording_of(rig, channel, 1) == "talk-2"
    rig.link.send(StopRecording(channel, "talk-1"))
    await rig.facts.has(OrderFailed(channel, "StopRecording", "no such recording"))
    assert await recording_of(rig, channel, 2) == "talk-2"


async def test_a_recording_lives_through_a_talk_and_a_lost_link(rig: Rig) -> None:
    channel = await answered(rig)
    rig.link.send(StartRecording(channel, "talk-1"))
    rig.link.send(RingPhone("cb-talk-1", "1001", 10, "+15550100", "Ada"))
    await rig.facts.has(LegAnswered("cb-talk-1"))
    rig.link.send(Connect(channel, "cb-talk-1"))
    await rig.facts.next(BridgeEntered, 2)
    await rig.reset()
    up = await rig.facts.next(LinkUp, 2)
    assert {one.channel: one.recording for one in up.snapshot.channels}[channel] == "talk-1"
    rig.link.send(MuteRecording(channel, "talk-1"))
    await rig.agent_hangs_up("cb-talk-1")
    await rig.facts.has(CallReturned(channel))
    assert await recording_of(rig, channel, 1) == "talk-1"
    rig.link.send(StopRecording(channel, "talk-1"))
    assert await recording_of(rig, channel, 2) == ""
    assert rig.facts.of(OrderFailed) == []
    if rig.real:
        frames, rest = divmod((rig.recordings / "talk-1.raw").stat().st_size, 4)
        assert (frames > 0, rest) == (True, 0)


async def begun(rig: Rig, message: str) -> None:
    """The PBX writes the message, for half a second at least."""
    async with asyncio.timeout(WITHIN):
        while rig.message_seconds(message) < 0.5:  # noqa: ASYNC110 - a file tells nobody
            await asyncio.sleep(0.02)


async def test_a_key_ends_a_message_and_no_other_does(rig: Rig) -> None:
    channel = await answered(rig)
    rig.link.send(RecordMessage(channel, "m", "message-1", 60, end_keys="#"))
    rig.link.send(Play(channel, "after", (rig.short,)))
    await begun(rig, "message-1")
    await rig.press("1")
    await rig.facts.has(KeyPressed(channel, "1"))
    rig.link.send(StopPlay(channel))
    assert rig.facts.of(MessageRecorded) == []
    await rig.press("#")
    recorded = await rig.facts.next(MessageRecorded)
    assert (recorded.channel, recorded.token, recorded.end) == (channel, "m", MessageEnd.KEY)
    assert KeyPressed(channel, "#") in rig.facts.all[: rig.facts.all.index(recorded)]
    await rig.facts.has(CommandDone(channel, "after", ok=True, interrupted=True))
    # Asterisk takes 0.2 s back: the sound of the key.
    assert 0.2 < recorded.seconds < WITHIN
    if rig.real:
        assert rig.message_seconds("message-1") == pytest.approx(recorded.seconds)


async def test_a_key_in_the_beep_ends_a_message_and_a_bad_name_begins_none(rig: Rig) -> None:
    channel = await answered(rig)
    for message in ("../x", "a/b", "", ".", "a,b", 'a" sln "1', "a\r\nb"):
        rig.link.send(RecordMessage(channel, message, message, 60))
        await rig.facts.has(MessageRecorded(channel, message, MessageEnd.FAILED, 0.0))
    bad = len(rig.facts.of(MessageRecorded))
    rig.link.send(RecordMessage(channel, "m", "message-1", 60))
    rig.link.send(Look())
    await rig.facts.next(Looked)
    await rig.press("#")
    assert await rig.facts.next(MessageRecorded, bad + 1) == MessageRecorded(channel, "m", MessageEnd.KEY, 0.0)
    rig.link.send(Play(channel, "after", (rig.short,)))
    await rig.facts.has(CommandDone(channel, "after", ok=True))


async def test_silence_ends_a_message_and_so_does_its_limit(rig: Rig) -> None:
    channel = await answered(rig)
    rig.link.send(RecordMessage(channel, "m", "message-1", 60, silence_s=2))
    rig.link.send(RecordMessage(channel, "n", "message-2", 1, beep=False))
    silent = await rig.facts.next(MessageRecorded)
    assert (silent.token, silent.end) == ("m", MessageEnd.SILENCE)
    assert silent.seconds == pytest.approx(1.0, abs=0.2), "most of the silence is cut off"
    long = await rig.facts.next(MessageRecorded, 2)
    assert (long.token, long.end) == ("n", MessageEnd.LIMIT)
    assert long.seconds == pytest.approx(1.0, abs=0.2)
    await settled(rig, channel)


async def test_what_was_said_before_a_hang_up_is_kept(rig: Rig) -> None:
    channel = await answered(rig)
    rig.link.send(RecordMessage(channel, "m", "message-1", 60))
    await begun(rig, "message-1")
    await rig.caller_hangs_up()
    await rig.facts.has(ChannelGone(channel, 16))
    (recorded,) = rig.facts.of(MessageRecorded)
    assert recorded.end is MessageEnd.HANGUP
    assert rig.facts.all.index(recorded) < rig.facts.all.index(ChannelGone(channel, 16))
    assert rig.facts.of(ControlLost) == []
    assert recorded.seconds >= 0.4
    if rig.real:
        assert rig.message_seconds("message-1") >= 0.5


async def test_a_message_that_cannot_be_written_is_told(rig: Rig) -> None:
    rig.lose_messages()
    channel = await answered(rig)
    rig.link.send(RecordMessage(channel, "m", "message-1", 60, beep=False))
    await rig.facts.has(MessageRecorded(channel, "m", MessageEnd.FAILED, 0.0))
    await rig.facts.has(ControlLost(channel))


async def test_orders_for_nobody(rig: Rig) -> None:
    for order in (
        HangUp("nobody"),
        KeepAlive("nobody", 10),
        Remember("nobody", "x"),
        Connect("nobody", "cb-1"),
        StartRecording("nobody", "talk-1"),
    ):
        rig.link.send(order)
        await rig.facts.has(OrderFailed("nobody", type(order).__name__, "no such channel"))
    rig.link.send(StopRecording("nobody", "talk-1"))
    await rig.facts.has(OrderFailed("nobody", "StopRecording", "no such recording"))
    rig.link.send(TakeOver("nobody", "t"))
    await rig.facts.has(OrderFailed("nobody", "TakeOver", "no such channel"))


@pytest.mark.parametrize(
    "order",
    [
        HangUp("/.*/"),
        HangUp(""),
        Remember("", "global"),
        Remember("c", "x" * 800),
        RingPhone("cb-1", "1001/sip:elsewhere@example.net", 5, "", ""),
        RingPhone("cb-1", "1001&PJSIP/1002", 5, "", ""),
        RingPhone("cb 1", "1001", 5, "", ""),
        Remember("c", "a\r\nAction: Hangup"),
        StartRecording("c", "../../etc/talk"),
        StartRecording("c", "talk,W(4),touch"),
        StartRecording("c", "talk\r\nCommand: id"),
        StartRecording("c", ".."),
        StartRecording("c", ""),
        StartRecording("c", "${SHELL(id)}"),
        RingNumber("cb-1", "1@elsewhere", 5, "", ""),
        RingNumber("cb-1", "100&PJSIP/1001", 5, "", ""),
        Part("c", "", "default"),
        Hold("c", "default,other"),
        EnterRoom("c", "room,menu", leg=True),
        Spy("cb-1", "PJSIP/", SpyMode.BARGE),
    ],
)
async def test_what_must_not_be_sent_is_not(rig: Rig, order: HangUp | Remember | RingPhone | StartRecording) -> None:
    rig.link.send(order)
    failed = await rig.facts.next(OrderFailed)
    assert failed.reason == "bad value"
    assert not failed.unknown
