"""Talks of real phones, recorded by the real PBX: each phone says a tone of its own, the file tells who said what."""

from __future__ import annotations

import asyncio
import itertools
import json
import stat
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from cordboard.phones.listening import loudness, tone_share
from cordboard.phones.phone_call import PhoneCall
from cordboard.recording import RATE
from tests.system.site import Site
from tests.system.test_survival import hear_each_other, talking

pytestmark = pytest.mark.system

CALLER, AGENT = 700, 1100
ALWAYS = {"queues.support.record": "always", "queues.support.record_silently": True}
NOTICE = {"queues.support.record": "always", "queues.support.record_notice": {"en": "This call may be recorded."}}
ON_DEMAND = {"queues.support.record": "on_demand", "queues.support.record_silently": True}
PIECE = RATE // 10
SLACK_S = 0.25


class Heard:
    """A finished recording, in pieces of a tenth of a second: what is on each side."""

    def __init__(self, row: dict[str, Any], file: Path) -> None:
        self.row = row
        sound, rate = soundfile.read(file, dtype="int16")
        assert (rate, sound.shape[1]) == (RATE, 2)
        self.seconds = len(sound) / RATE
        pieces = sound[: len(sound) // PIECE * PIECE].reshape(-1, PIECE, 2)
        self.caller = np.array([self._is(piece[:, 0], CALLER, AGENT) for piece in pieces])
        self.agent = np.array([self._is(piece[:, 1], AGENT, CALLER) for piece in pieces])

    @staticmethod
    def _is(piece: np.ndarray, tone: int, other: int) -> bool:
        """Whether this tone is there; the other one must never be."""
        if loudness(piece) < 100:
            return False
        assert tone_share(piece, other) < 0.01
        return tone_share(piece, tone) > 0.9

    def silences(self) -> list[tuple[float, float]]:
        """Stretches of more than half a second, between first and last sound, in which neither side says anything."""
        loud = np.flatnonzero(self.caller | self.agent)
        ends = [(int(a) + 1, int(b)) for a, b in itertools.pairwise(loud) if b - a > 5]
        return [(a * PIECE / RATE, b * PIECE / RATE) for a, b in ends]


async def recorded(site: Site, recording: str) -> Heard:
    await site.event("recording.ready", recording=recording)
    row = (await site.api.ask("GET", f"/api/recordings/{recording}"))["recording"]
    copy = site.folder / "copy.flac"
    await site.api.fetch(f"/api/recordings/{recording}/audio", copy)
    return await asyncio.to_thread(Heard, row, copy)


async def recording_of(site: Site, after: int = 0) -> str:
    name: str = (await site.event("recording.started", after=after))["data"]["recording"]
    return name


async def talk(site: Site) -> tuple[PhoneCall, PhoneCall]:
    call, theirs = await talking(site)
    await hear_each_other(call, theirs)
    return call, theirs


@pytest.mark.parametrize("site", [NOTICE], indirect=True)
async def test_the_caller_is_left_the_agent_right_and_a_pause_is_silent(site: Site) -> None:
    call, _ = await talk(site)
    kinds = [event["kind"] for event in site.events]
    assert kinds.index("queue.notice") < kinds.index("queue.joined")
    recording = await recording_of(site)
    button = f"/api/calls/{(await site.event('talk.started'))['call_id']}/recording"
    await asyncio.sleep(1.5)
    await site.api.ask("POST", f"{button}/pause", {})
    await asyncio.sleep(2.0)
    await site.api.ask("POST", f"{button}/resume", {})
    await asyncio.sleep(1.5)
    await call.hang_up()
    heard = await recorded(site, recording)
    begun, ended = await site.event("talk.started"), await site.event("talk.ended")
    paused, resumed = await site.event("recording.paused"), await site.event("recording.resumed")
    assert heard.seconds == pytest.approx(ended["at"] - begun["at"], abs=SLACK_S)
    ((start, end),) = heard.silences()
    assert start == pytest.approx(paused["at"] - begun["at"], abs=SLACK_S)
    assert end == pytest.approx(resumed["at"] - begun["at"], abs=SLACK_S)
    # where it is not silent both are heard all the time: nothing of one side is on the other, nothing is missing
    for side in (heard.caller, heard.agent):
        assert np.mean(side) > 0.8 * (heard.seconds - (end - start)) / heard.seconds
    row = heard.row
    assert (row["agent"], row["queue"], row["state"], row["reason"]) == ("1001", "support", "ready", "")
    assert row["seconds"] == pytest.approx(heard.seconds)
    ((silence),) = row["silences"]
    assert (silence["why"], silence["kept"]) == ("pause", True)
    (file,) = (site.folder / "recordings" / "calls").rglob("*.flac")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list((site.folder / "recordings" / "calls").glob("*.raw")) == []
    listed = await command(site, "list", "--call", row["call_id"])
    assert [one["recording"] for one in listed["recordings"]] == [recording]
    assert (await command(site, "delete", recording))["recording"]["state"] == "deleted"
    assert not file.exists()
    await site.audit()


async def command(site: Site, *words: str) -> Any:
    """`cordboard recording ...`, as a person would; what it printed."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "cordboard", "recording", *words, "--config", str(site.file)),
        stdout=asyncio.subprocess.PIPE,
    )
    printed, _ = await process.communicate()
    assert process.returncode == 0
    return json.loads(printed)


@pytest.mark.parametrize("site", [ON_DEMAND], indirect=True)
async def test_what_the_pbx_recorded_while_nobody_was_there_is_kept(site: Site) -> None:
    """The service is killed in the midst of one talk, before the end of a second one, and the PBX in a third."""
    call, _ = await talk(site)
    talk_id = (await site.event("talk.started"))["call_id"]
    await site.api.ask("POST", f"/api/calls/{talk_id}/recording/start", {})
    first = await recording_of(site)
    raw = site.folder / "recordings" / "calls" / f"{first}.raw"
    await site.until(raw.exists, 5, "the PBX writes")
    assert stat.S_IMODE((await asyncio.to_thread(raw.stat)).st_mode) == 0o600
    await site.kill_service()
    await site.start_service()
    await site.event("call.recovered")
    await site.api.ask("POST", f"/api/calls/{talk_id}/recording/pause", {})
    await site.api.ask("POST", f"/api/calls/{talk_id}/recording/resume", {})
    mark = len(site.events)
    await call.hang_up()
    ended = await site.event("recording.stopped", after=mark)
    assert ended["data"]["reason"] == "talk_ended"
    heard = await recorded(site, first)
    begun = next(one for one in site.events if one["kind"] == "recording.started")
    assert heard.seconds == pytest.approx(ended["at"] - begun["at"], abs=SLACK_S)
    assert heard.row["agent"] == "1001"

    mark = len(site.events)
    await site.agent_is("1001", state="ready")
    call, second = await another(site, mark)
    await asyncio.sleep(1.0)
    await site.kill_service()
    await call.hang_up()
    await site.start_service()
    heard = await recorded(site, second)
    assert heard.seconds > 1.0
    assert heard.row["reason"] == ""

    mark = len(site.events)
    await site.agent_is("1001", state="ready")
    _, third = await another(site, mark)
    await asyncio.sleep(2.5)
    site.pbx.kill()
    await site.pbx.wait()
    await site.pbx.start()
    heard = await recorded(site, third)
    assert heard.seconds > 1.0
    assert heard.caller.any()


async def another(site: Site, mark: int) -> tuple[PhoneCall, str]:
    """One more talk with agent 1001, recorded; the caller's side and the recording."""
    call = await site.call()
    call.say_tone(CALLER)
    await site.event("prompt.started", after=mark, node="menu")
    await call.send_digits("2")
    begun = await site.event("talk.started", after=mark)
    await site.api.ask("POST", f"/api/calls/{begun['call_id']}/recording/start", {})
    return call, await recording_of(site, mark)


@pytest.mark.parametrize("site", [ALWAYS], indirect=True)
async def test_without_a_folder_the_talk_goes_on_and_an_alarm_says_why(site: Site) -> None:
    call, _ = await talk(site)
    recording = await recording_of(site)
    await call.hang_up()
    await recorded(site, recording)
    folder = site.folder / "recordings" / "calls"
    folder.rename(folder.with_name("elsewhere"))
    folder.write_text("in the way")

    async def alarm() -> bool:
        health = await site.api.ask("GET", "/health")
        return bool(health["status"] == "degraded" and not health["recordings"]["ok"])

    await site.until(alarm, 10, "the alarm is raised")
    mark = len(site.events)
    await site.agent_is("1001", state="ready")
    call = await site.call()
    await site.event("prompt.started", after=mark, node="menu")
    await call.send_digits("2")
    await site.event("recording.failed", after=mark)
    await site.audit_talk("1001")
    await call.hang_up()
    await site.audit()


@pytest.mark.parametrize("site", [ALWAYS], indirect=True)
async def test_hold_and_pause_are_silent_and_the_next_agent_has_a_file_of_their_own(site: Site) -> None:
    call, theirs = await talk(site)
    first = await recording_of(site)
    begun = await site.event("talk.started")

    async def command(name: str, to: str = "") -> None:
        await site.api.ask("POST", f"/api/calls/{begun['call_id']}/talk/{name}", {"to": to} if to else {})

    await asyncio.sleep(1.0)
    await command("hold")
    held = await site.event("talk.held")
    await asyncio.sleep(1.5)
    await command("resume")
    resumed = await site.event("talk.resumed")
    await asyncio.sleep(1.0)
    await theirs.send_digits("*8")
    paused = await site.event("recording.paused", why="pause")
    await asyncio.sleep(1.0)
    await theirs.send_digits("*8")
    await site.event("recording.resumed", why="pause")
    await asyncio.sleep(1.0)
    other = await site.agent("1002")
    mark = len(site.events)
    await command("transfer", "agent:1002")
    hers = await other.wait_incoming()
    hers.say_tone(AGENT)
    await site.event("talk.started", after=mark, agent="1002")
    second = await recording_of(site, mark)
    await call.wait_tone(AGENT)
    await asyncio.sleep(1.0)
    await call.hang_up()

    heard = await recorded(site, first)
    at = [(one["from"], one["why"]) for one in heard.row["silences"]]
    assert [why for _, why in at] == ["hold", "pause"]
    assert at[0][0] == pytest.approx(held["at"] - begun["at"], abs=SLACK_S)
    hold, pause = heard.silences()
    assert hold[0] == pytest.approx(held["at"] - begun["at"], abs=SLACK_S)
    assert hold[1] == pytest.approx(resumed["at"] - begun["at"], abs=SLACK_S)
    assert pause[0] == pytest.approx(paused["at"] - begun["at"], abs=SLACK_S)
    heard = await recorded(site, second)
    assert heard.row["agent"] == "1002"
    assert heard.caller.any()
    assert heard.agent.any()
    await site.audit()
