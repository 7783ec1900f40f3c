"""Real phones leave messages on the real PBX: what is in the file is what they said, however they went away."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from cordboard.message import RATE
from cordboard.phones.listening import tone_share
from cordboard.phones.phone_call import PhoneCall
from tests.system.mixed_sound import hears
from tests.system.site import Site

pytestmark = pytest.mark.system

SAID, JINGLE = 700.0, 1700.0
FLOW = """
flow: repairs
numbers: ["180"]
language: en
start: leave
nodes:
  leave:
    voicemail: {box: repairs, prompt: [{file: jingle}, {silence: 100ms}], review: true, silence: 2s}
    next: thanks
    otherwise: done
  thanks: {say: [{file: jingle}], next: done}
  done: {hangup: {}}
"""


async def started(tmp_path: Path) -> Site:
    """A site whose dialplan plays a recording of its own."""
    (tmp_path / "repairs.yaml").write_text(FLOW)
    site = Site(dialplans=tmp_path)
    await site.prepare()
    prompts = site.folder / "recordings" / "prompts"
    shared = prompts.resolve()
    prompts.unlink()
    (prompts / "own").mkdir(parents=True)
    (prompts / "en").symlink_to(shared / "en")
    at = np.arange(44_100) / 44_100
    soundfile.write(prompts / "own" / "jingle.flac", 0.02 * np.sin(2 * np.pi * JINGLE * at), 44_100)
    await site.pbx.start()
    await site.start_service()
    return site


async def recording(site: Site) -> tuple[PhoneCall, int]:
    """A caller who has heard the prompt and speaks; and how many events there were before."""
    mark = len(site.events)
    call = await site.call("180")
    await hears(call, JINGLE)
    call.say_tone(SAID)
    await site.event("prompt.ended", after=mark)
    await site.until(lambda: _speaks(site), 5, "the PBX writes what is said")
    return call, mark


def _speaks(site: Site) -> bool:
    """Half a second is on disk."""
    return any(path.stat().st_size > RATE for path in (site.folder / "recordings" / "messages").glob("*.sln"))


async def cordboard(site: Site, *words: str) -> str:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "cordboard", *words, "--config", str(site.file)), stdout=asyncio.subprocess.PIPE
    )
    said, _ = await process.communicate()
    assert process.returncode == 0
    return said.decode()


async def kept(site: Site, mark: int) -> tuple[dict[str, Any], float]:
    """The message that was left last, and how many seconds of what the caller said are in its file."""
    message = (await site.event("message.recorded", after=mark))["data"]["message"]
    copy = site.folder / "copy.flac"
    await site.api.fetch(f"/api/messages/{message}/audio", copy)
    sound, rate = soundfile.read(copy, dtype="int16")
    assert (rate, sound.ndim) == (RATE, 1)
    pieces = sound[: len(sound) // 800 * 800].reshape(-1, 800)
    said = sum(tone_share(piece, SAID) > 0.9 for piece in pieces) / 10
    return (await site.api.ask("GET", f"/api/messages/{message}"))["message"], said


async def test_a_message_is_reviewed_and_sent_and_a_hang_up_keeps_it(tmp_path: Path) -> None:
    site = await started(tmp_path)
    try:
        call, mark = await recording(site)
        await call.send_digits("#")
        reviewed = await site.event("voicemail.outcome", after=mark, outcome="recorded")
        call.say_tone(0)
        await call.send_digits("2")
        await hears(call, SAID)  # their own voice
        await call.send_digits("1")
        await site.event("voicemail.outcome", after=mark, outcome="kept")
        await hears(call, JINGLE)
        await call.wait_closed()
        row, said = await kept(site, mark)
        assert (row["box"], row["call_id"], row["state"]) == ("repairs", reviewed["call_id"], "new")
        assert row["caller"] == "+15550100000"
        assert 0.3 < said <= row["seconds"]
        assert said > 0.9 * row["seconds"] - 0.7, "all of it is what they said, but for the silence around it"

        call, mark = await recording(site)
        await call.hang_up()  # in its midst
        row, said = await kept(site, mark)
        assert said > 0.3

        listed = json.loads(await cordboard(site, "messages", "list", "--box", "repairs"))["messages"]
        assert [one["id"] for one in listed][:1] == [row["id"]]
        assert len(listed) == 2
        assert list((site.folder / "recordings" / "messages").glob("*.sln")) == []
        log = site.log()
        assert "+15550100" not in log
        await site.audit()
    finally:
        await site.close()
