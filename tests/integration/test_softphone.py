"""Two of our own phones calling each other on loopback, without a PBX: the SIP stack is real, the network too."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest

from cordboard.phones.ending import Who
from cordboard.phones.errors import CallEnded, PhoneError, RegistrationFailed, WaitTimeout
from cordboard.phones.listening import hears_tone, loudness
from cordboard.phones.phone_call import CallState, PhoneCall
from cordboard.phones.softphone import AnswerAfter, Incoming, Manual, RefuseBusy, Softphone
from cordboard.phones.speaking import Recorded, read_wav

NOWHERE = 9  # the discard port: these phones call each other, not a PBX


@pytest.fixture(autouse=True)
async def nothing_is_left_running() -> AsyncIterator[None]:
    before = asyncio.all_tasks()
    yield
    assert asyncio.all_tasks() - before - {asyncio.current_task()} == set()


@asynccontextmanager
async def two_phones(incoming: Incoming) -> AsyncIterator[tuple[Softphone, Softphone]]:
    async with (
        await Softphone.caller("127.0.0.1", NOWHERE, "+15550100101", "Ada Ring") as caller,
        await Softphone.caller("127.0.0.1", NOWHERE, "1001", incoming=incoming) as callee,
    ):
        yield caller, callee


@asynccontextmanager
async def talk() -> AsyncIterator[tuple[PhoneCall, PhoneCall]]:
    async with two_phones(AnswerAfter()) as (caller, callee):
        ours = await caller.dial(callee.uri)
        await ours.wait_established()
        theirs = await callee.wait_incoming()
        await theirs.wait_established()
        yield ours, theirs


async def test_a_call_rings_is_answered_and_ends_for_both() -> None:
    async with two_phones(Manual()) as (caller, callee):
        ours = await caller.dial(callee.uri)
        theirs = await callee.wait_incoming()
        await ours.wait_ringing()
        assert theirs.state is CallState.RINGING
        assert "+15550100101" in theirs.peer
        await theirs.answer()
        await ours.wait_established()
        await theirs.wait_established()
        await theirs.hang_up()
        ending = await ours.wait_closed()
        assert (ending.by, ending.reason, ending.status) == (Who.THEM, "the far end hung up", None)
        assert (await theirs.wait_closed()).by is Who.US
        states = [change.state for change in ours.history]
        assert states == [CallState.TRYING, CallState.RINGING, CallState.ESTABLISHED, CallState.CLOSED]
        times = [change.at for change in ours.history]
        assert times == sorted(times)


async def test_keys_arrive_in_both_directions_in_order() -> None:
    async with talk() as (ours, theirs):
        await asyncio.gather(ours.send_digits("1220*"), theirs.send_digits("#7"))
        await theirs.wait_digits("1220*")
        await ours.wait_digits("#7")
        assert (ours.received_digits, theirs.received_digits) == ("#7", "1220*")


async def test_tones_are_heard_while_they_last() -> None:
    async with talk() as (ours, theirs):
        theirs.say_tone(440)
        ours.say_tone(1000)
        await ours.wait_tone(440)
        await theirs.wait_tone(1000)
        assert not ours.heard_tone(1000)
        mark = ours.sound.position
        assert ours.sound.marks[-1].position == mark
        theirs.say_tone(700)
        await ours.wait_tone(700)
        assert ours.sound.time_of(mark) <= ours.sound.time_of(ours.sound.position)
        assert ours.sound.lost_seconds == 0


async def test_a_prompt_is_recognised_and_recorded(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    prompt, other = (rng.normal(0, 4000, 16000).clip(-32000, 32000).astype(np.int16) for _ in range(2))
    async with talk() as (ours, theirs):
        theirs.say(Recorded(prompt))
        await ours.wait_prompt(prompt)
        assert ours.heard_prompt(other) == 0.0
        ours.record_to(tmp_path / "heard.wav")
        assert np.array_equal(read_wav(tmp_path / "heard.wav"), ours.heard())


async def test_a_silent_phone_sends_sound_all_the_time() -> None:
    async with talk() as (ours, _):
        await ours._changes.wait_until(  # a whole second of packets from a phone that says nothing
            lambda: ours.sound.position > 8000, awaited="a second of audio", timeout=5, seen=ours._describe
        )
        assert loudness(ours.heard()) < 50


async def test_hold_is_seen_and_sound_returns_after_it() -> None:
    async with talk() as (ours, theirs):
        theirs.say_tone(440)
        await ours.wait_tone(440)
        await theirs.hold()
        await ours.wait_held()
        assert ours.on_hold_by_far_end
        await theirs.resume()
        await ours.wait_held(held=False)
        await ours.wait_tone(440)


async def test_a_busy_phone_refuses() -> None:
    async with two_phones(RefuseBusy()) as (caller, callee):
        ours = await caller.dial(callee.uri)
        with pytest.raises(CallEnded, match="486") as caught:
            await ours.wait_established()
        assert caught.value.status == 486
        assert ours.ending is not None
        assert (ours.status, ours.ending.by) == (486, Who.THEM)
        theirs = await callee.wait_incoming()
        assert (await theirs.wait_closed()).by is Who.US


async def test_a_caller_who_gives_up_stops_the_ringing() -> None:
    async with two_phones(AnswerAfter(60)) as (caller, callee):
        ours = await caller.dial(callee.uri)
        theirs = await callee.wait_incoming()
        await ours.wait_ringing()
        await ours.hang_up()
        ending = await theirs.wait_closed(1.0)
        assert (ending.by, ending.reason) == (Who.THEM, "the caller gave up")
        assert (await ours.wait_closed()).reason == "we gave up"
        with pytest.raises(CallEnded):
            await theirs.answer()
        await theirs.hang_up()  # is over already: nothing happens


async def test_a_number_that_nobody_has() -> None:
    async with two_phones(Manual()) as (caller, callee):
        ours = await caller.dial(callee.uri.replace("1001", "1999"))
        with pytest.raises(CallEnded) as caught:
            await ours.wait_established()
        assert caught.value.status == 404


async def test_a_second_and_a_third_call_work_like_the_first() -> None:
    async with two_phones(AnswerAfter()) as (caller, callee):
        for _ in range(3):
            ours = await caller.dial(callee.uri)
            await ours.wait_established()
            theirs = await callee.wait_incoming()
            await ours.hang_up()
            await theirs.wait_closed()
        assert callee.live_calls == caller.live_calls == ()


async def test_a_new_phone_gets_the_calls_of_the_closed_one_with_its_number() -> None:
    async with two_phones(Manual()) as (caller, callee):
        uri = callee.uri
        await callee.close()
        refused = await caller.dial(uri)
        assert (await refused.wait_closed()).status == 486
        async with await Softphone.caller("127.0.0.1", NOWHERE, "1001", incoming=AnswerAfter()) as successor:
            ours = await caller.dial(uri)
            await ours.wait_established()
            assert len(successor.calls) == 1


async def test_closing_a_phone_ends_its_calls() -> None:
    async with two_phones(AnswerAfter()) as (caller, callee):
        ours = await caller.dial(callee.uri)
        await ours.wait_established()
        await callee.close()
        assert (await ours.wait_closed()).by is Who.THEM
        with pytest.raises(PhoneError, match="closed"):
            await callee.dial("100")


async def test_ten_phones_in_one_process_talk_at_once() -> None:
    async with two_phones(Manual()):  # keeps the stack up while the others come and go
        phones = await asyncio.gather(
            *(Softphone.caller("127.0.0.1", NOWHERE, f"10{n:02}", incoming=AnswerAfter()) for n in range(10))
        )
        calls = [await phone.dial(other.uri) for phone, other in zip(phones[:5], phones[5:], strict=True)]
        for n, (call, other) in enumerate(zip(calls, phones[5:], strict=True)):
            await call.wait_established()
            (await other.wait_incoming()).say_tone(500 + 200 * n)
        for n, call in enumerate(calls):
            await call.wait_tone(500 + 200 * n)
            assert not hears_tone(call.heard(), 500 + 200 * ((n + 1) % 5))
        await asyncio.gather(*(phone.close() for phone in phones))


async def test_waiting_in_vain_says_for_what_and_what_was_seen() -> None:
    async with two_phones(Manual()) as (caller, callee):
        ours = await caller.dial(callee.uri)
        await callee.wait_incoming()
        await ours.wait_ringing()
        with pytest.raises(WaitTimeout, match=r"waited 0\.05 s for it was established.*trying -> ringing"):
            await ours.wait_established(0.05)
        with pytest.raises(WaitTimeout, match=r"for a call to 1001; seen instead: registered: False, calls: ringing"):
            await callee.wait_incoming(0.05)


async def test_registering_where_nobody_answers_fails_with_a_reason() -> None:
    with pytest.raises(RegistrationFailed, match="phone 1001 could not register") as caught:
        await Softphone.agent("127.0.0.1", NOWHERE, "1001", "secret", timeout=1.0)
    assert caught.value.status is None


async def test_what_cannot_be_a_number_is_refused() -> None:
    with pytest.raises(PhoneError, match="cannot be a SIP account"):
        await Softphone.caller("127.0.0.1", NOWHERE, "a b")
    with pytest.raises(PhoneError, match="display name"):
        await Softphone.caller("127.0.0.1", NOWHERE, "100", 'A"B')
