"""What a flow brings into a queue, and what a real caller hears and can do there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cordboard.phones.listening import RATE, Samples, heard_share
from cordboard.phones.softphone import AnswerAfter, Manual
from cordboard.phones.speaking import read_wav
from cordboard.site import LAUNCHER
from ivr.dialplans import Dialplans
from ivr.prompts import PromptStore
from ivr.voices import Voices
from ivr.waiting_words import place_text
from tests.system.site import INSTALLED, PROJECT, Site

pytestmark = pytest.mark.system

MESSAGE = (
    "All of our people are talking with other customers. Please stay on the line, and thank you for your patience."
)
MUSIC = INSTALLED / "asterisk-root/usr/share/asterisk/moh"
CHANGES: dict[str, Any] = {
    "agents.1002.skills": {"spanish": 3},
    "queues.night": {"hours": {"time_zone": "UTC", "weekly": {"mon": []}}},
    "queues.patient": {
        "ring_s": 4,
        "comfort": {"every_s": 10, "first_s": 1, "messages": [{"en": MESSAGE}], "announce_position": True},
    },
    "agents.1003.queues": ["patient"],
}


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    made = Site(CHANGES, PROJECT / "tests" / "data" / "waiting" / "dialplans")
    try:
        await made.start()
        yield made
        await made.audit()
    finally:
        await made.close()


async def spoken(site: Site, text: str) -> Samples:
    """The sound of a text, as the service has it."""
    voices = Voices(site.config.voices, site.config.var_dir / LAUNCHER.parent / "espeak-ng")
    store = PromptStore(site.config.recordings_dir / "prompts", voices)
    report = await store.prepare(Dialplans(()), (), {"en": [text]})
    assert report.spoken == 0, "the service had spoken it before"
    (file,) = store.files("en", text)
    return read_wav(Path(f"{file}.wav"))


def is_music(sound: Samples) -> bool:
    """Whether all of this comes from one of the PBX's own pieces."""
    return any(heard_share(read_wav(piece), sound) > 0.8 for piece in sorted(MUSIC.glob("*.wav")))


def end_of(sound: Samples, recording: Samples) -> int:
    """Where in a recording a sound ends that is heard there once."""
    size = 1 << (len(recording) + len(sound)).bit_length()
    spectrum = np.fft.rfft(recording.astype(np.float64), size) * np.conj(np.fft.rfft(sound.astype(np.float64), size))
    return int(np.argmax(np.fft.irfft(spectrum, size)[: len(recording)])) + len(sound)


async def test_skills_data_and_the_agent_of_last_time(site: Site) -> None:
    await site.agent("1001")
    spanish = await site.agent("1002", AnswerAfter(0.3))
    phone = await site.caller("+15550107777")
    call = await site.call("101", phone)
    talk = await site.event("talk.started")
    assert talk["agent"] == "1002", "1001 has been free for longer, and speaks no Spanish"
    assert (await site.agents())["1002"]["data"] == {"tier": "gold", "number": "+15550107777"}
    assert not [one for one in site.events if "gold" in str(one["data"])]
    await call.hang_up()
    await site.agent_is("1002", state="ready")
    mark = len(site.events)
    again = await site.call("105", phone)
    talk = await site.event("talk.started", after=mark)
    assert talk["agent"] == "1002", "1001 has been free for longer still"
    assert len(spanish.live_calls) == 1
    await again.hang_up()


async def test_out_by_a_key_and_back_before_whoever_came_later(site: Site) -> None:
    first = await site.call("102")
    joined = await site.event("queue.joined")
    second = await site.call("102")
    await site.until(lambda: sum(one["kind"] == "queue.joined" for one in site.events) == 2, 5, "both wait")
    await first.send_digits("1")
    await site.event("queue.left", reason="by_key", call_id=joined["call_id"])
    await first.wait_prompt(await spoken(site, "We are open from nine to six."))
    await site.until(lambda: sum(one["kind"] == "queue.joined" for one in site.events) == 3, 5, "it is back")
    agent = await site.agent("1001", Manual())
    rings = await agent.wait_incoming()
    offer = await site.event("offer.made")
    assert offer["call_id"] == joined["call_id"], "who came first is served first"
    mark = len(site.events)
    await first.send_digits("1")
    await rings.wait_closed()
    await site.event("offer.withdrawn", after=mark, reason="caller_left")
    other = await agent.wait_incoming()
    await other.answer()
    talk = await site.event("talk.started")
    assert talk["call_id"] != joined["call_id"]
    await second.hang_up()
    await first.hang_up()


async def test_comfort_place_music_and_a_closed_queue(site: Site) -> None:
    call = await site.call("104")
    shut = await site.call("103")
    await shut.wait_prompt(await spoken(site, "We are closed now."))
    await shut.wait_closed()
    message = await spoken(site, MESSAGE)
    await call.wait_prompt(await spoken(site, place_text(1, "en")))
    await call.wait_prompt(message)
    mark = len(site.events)
    await site.event("queue.comfort", after=mark, within=12)
    first_turn = call.heard()
    # The second turn is cut short by an agent, whom nothing keeps waiting.
    agent = await site.agent("1003", AnswerAfter(0.1))
    answered = await site.event("offer.answered")
    talks = await site.event("talk.started")
    assert talks["at"] - answered["at"] < 0.5
    call.say_tone(600)
    await agent.live_calls[0].wait_tone(600)
    await call.hang_up()
    await site.agent_is("1003", state="ready")
    # And one by a key, which nothing keeps waiting either.
    await site.api.ask("POST", "/api/agents/1003/pause", {})
    mark = len(site.events)
    impatient = await site.call("104")
    await site.event("queue.comfort", after=mark)
    await impatient.send_digits("1")
    await impatient.wait_prompt(await spoken(site, "We are open from nine to six."))
    await impatient.wait_closed()
    assert impatient.heard_prompt(message) < 0.5

    over = end_of(message, first_turn) + RATE // 2
    assert len(first_turn) > over + RATE
    assert await asyncio.to_thread(is_music, first_turn[: RATE // 2])
    assert await asyncio.to_thread(is_music, first_turn[over : over + RATE]), "the music goes on"
