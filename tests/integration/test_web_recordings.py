"""Recordings over real HTTP: real files, a real SQLite database, a PBX that is played by hand."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from aiohttp.test_utils import TestClient, TestServer

from cordboard.clock import SteadyClock
from cordboard.journal import Journal
from cordboard.recording import RATE, RecordMode, RecordRule
from cordboard.recordings import Recordings
from cordboard.storage.engine import open_engine
from cordboard.storage.migrate import migrate
from cordboard.storage.reader import Reader
from cordboard.web.app import make_app
from cordboard.web.metrics import RecordingCollector, make_registry
from cordboard.web.ports import PbxHealth, StorageHealth, WebDeps
from pbx.orders import MuteRecording, StartRecording, StopRecording, UnmuteRecording
from tests.fakes.publishing import PublisherRig
from tests.fakes.storage import KeepingWriter
from tests.fakes.switch import FakeSwitch
from tests.fakes.virtual_time import VirtualTime

TOKEN = "a-token-for-tests"
CALL = "node-1700000000.7"


@dataclass
class Site:
    recordings: Recordings
    journal: Journal
    writer: KeepingWriter
    switch: FakeSwitch
    client: TestClient[Any, Any]
    folder: Path

    async def ask(self, method: str, path: str, status: int = 200, **more: Any) -> Any:
        async with self.client.request(
            method, path, headers={"Authorization": f"Bearer {TOKEN}"} | more.pop("headers", {}), **more
        ) as answer:
            assert answer.status == status, await answer.text()
            return await answer.json()

    async def fetch(self, recording: str, **headers: str) -> tuple[int, bytes, dict[str, str]]:
        async with self.client.get(
            f"/api/recordings/{recording}/audio", headers={"Authorization": f"Bearer {TOKEN}"} | headers
        ) as answer:
            return answer.status, await answer.read(), dict(answer.headers)

    async def command(self, command: str, status: int = 200) -> Any:
        return await self.ask("POST", f"/api/calls/{CALL}/recording/{command}", status)

    def talk(self, kind: str) -> None:
        self.journal.note(kind, call_id=CALL, agent="1001", queue="support")

    async def finished(self) -> str:
        """A recording that is ready."""
        self.talk("talk.started")
        self.recordings.recorder.command(CALL, "start")
        (part,) = self.recordings.recorder.running()
        sound = np.arange(2 * RATE, dtype="<i2").reshape(-1, 2)
        self.recordings.files.raw(part.recording).write_bytes(sound.tobytes())
        os.utime(self.recordings.files.raw(part.recording), (1, 1))
        self.talk("talk.ended")
        async with asyncio.timeout(10):
            while (found := await self.recordings.find(part.recording)) is None or found.state != "ready":  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        return part.recording

    def events(self, kind: str) -> list[dict[str, Any]]:
        return [event.data for event in self.writer.events if event.kind == kind]


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    engine = open_engine(f"sqlite+aiosqlite:///{tmp_path / 'cordboard.db'}")
    await migrate(engine)
    clock, writer = SteadyClock(), KeepingWriter()
    reader, journal = Reader(engine, clock), Journal(clock, writer)
    switch = FakeSwitch(VirtualTime(), lambda _fact: None)
    switch.call(CALL)
    recordings = Recordings(
        tmp_path / "recordings",
        engine,
        reader,
        journal,
        switch=switch,
        clock=clock,
        rules={"support": RecordRule(RecordMode.ON_DEMAND)},
        talks=tuple,
        keep_days=None,
        min_free_bytes=0,
    )
    await recordings.prepare()
    work = asyncio.create_task(recordings.run())
    rig = PublisherRig(tmp_path, engine)
    of_others: dict[str, Any] = {one.name: None for one in fields(WebDeps)}
    ours = {
        "token": TOKEN,
        "company": "Test",
        "versions": {},
        "history": reader,
        "journal": journal,
        "pbx_health": lambda: PbxHealth(True),
        "storage_health": lambda: StorageHealth(False, 0, 0),
        "registry": make_registry(RecordingCollector(recordings.health)),
        "recordings": recordings,
        "dialplans": rig.publisher,
        "switches": rig.switches,
        "allowed_hosts": frozenset(),
    }
    deps = WebDeps(**(of_others | ours))
    client = TestClient(TestServer(make_app(deps)))
    await client.start_server()
    yield Site(recordings, journal, writer, switch, client, tmp_path)
    await client.close()
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)
    await engine.dispose()


async def test_the_buttons_of_a_talk(site: Site) -> None:
    site.talk("talk.started")
    assert await site.command("start") == {"recording": {"call_id": CALL, "state": "recording"}}
    assert (await site.command("pause"))["recording"]["state"] == "paused"
    assert (await site.command("resume"))["recording"]["state"] == "recording"
    assert (await site.command("stop"))["recording"]["state"] == ""
    kinds = [type(order) for order in site.switch.orders]
    assert kinds == [StartRecording, MuteRecording, UnmuteRecording, StopRecording]
    assert await site.command("stop", 409) == {"error": "This talk is not being recorded."}
    site.talk("talk.ended")
    assert await site.command("start", 404) == {"error": "This call is not in a talk now."}
    await site.command("rewind", 404)


async def test_without_the_token_nothing(site: Site) -> None:
    name = await site.finished()
    for method, path in (
        ("GET", "/api/recordings"),
        ("GET", f"/api/recordings/{name}"),
        ("GET", f"/api/recordings/{name}/audio"),
        ("DELETE", f"/api/recordings/{name}"),
        ("POST", f"/api/calls/{CALL}/recording/start"),
    ):
        async with site.client.request(method, path) as answer:
            assert answer.status == 401


async def test_what_there_is(site: Site) -> None:
    name = await site.finished()
    page = await site.ask("GET", f"/api/recordings?call={CALL}&agent=1001&queue=support&state=ready&limit=1")
    (row,) = page["recordings"]
    assert (row["recording"], row["call_id"], row["agent"], row["seconds"]) == (name, CALL, "1001", 1.0)
    assert "path" not in row
    assert await site.ask("GET", f"/api/recordings?before={page['next']}") == {"recordings": [], "next": None}
    assert (await site.ask("GET", f"/api/recordings/{name}"))["recording"] == row
    for wrong in ("limit=0", "limit=x", "state=lost", "before=x", "since=nan"):
        await site.ask("GET", f"/api/recordings?{wrong}", 400)


async def test_the_sound_whole_and_in_parts(site: Site) -> None:
    name = await site.finished()
    status, whole, headers = await site.fetch(name)
    assert (status, headers["Content-Type"], headers["Cache-Control"]) == (200, "audio/flac", "no-store")
    row = (await site.ask("GET", f"/api/recordings/{name}"))["recording"]
    assert (hashlib.sha256(whole).hexdigest(), len(whole)) == (row["sha256"], row["size"])
    status, part, headers = await site.fetch(name, Range="bytes=100-199")
    assert (status, part, headers["Content-Range"]) == (206, whole[100:200], f"bytes 100-199/{len(whole)}")
    assert (await site.fetch(name, Range=f"bytes={len(whole)}-"))[0] == 416
    assert site.events("recording.fetched") == [{"recording": name}], "once, not for every part"
    copy = site.folder / "copy.flac"
    copy.write_bytes(whole)
    assert soundfile.info(copy).channels == 2


async def test_deleting_removes_the_sound_and_is_noted(site: Site) -> None:
    name = await site.finished()
    deleted = await site.ask("DELETE", f"/api/recordings/{name}")
    assert (deleted["recording"]["state"], deleted["recording"]["reason"]) == ("deleted", "request")
    assert list(site.recordings.files.folder.rglob("*.flac")) == []
    assert site.events("recording.deleted") == [{"recording": name, "reason": "request"}]
    assert (await site.fetch(name))[0] == 410
    await site.ask("DELETE", f"/api/recordings/{name}", 410)
    assert (await site.ask("GET", f"/api/recordings/{name}"))["recording"]["state"] == "deleted"


async def test_what_is_not_ready_or_not_there(site: Site) -> None:
    for method, path in (("GET", ""), ("GET", "/audio"), ("DELETE", "")):
        await site.ask(method, f"/api/recordings/nothing{path}", 404)
    site.talk("talk.started")
    site.recordings.recorder.command(CALL, "start")
    (part,) = site.recordings.recorder.running()
    assert (await site.fetch(part.recording))[0] == 409
    await site.ask("DELETE", f"/api/recordings/{part.recording}", 409)


async def test_a_file_that_somebody_removed(site: Site) -> None:
    name = await site.finished()
    for file in site.recordings.files.folder.rglob("*.flac"):
        file.unlink()
    assert (await site.fetch(name))[0] == 410


async def test_trouble_shows_in_health_and_metrics(site: Site) -> None:
    assert (await site.ask("GET", "/health"))["recordings"] == {"ok": True, "detail": ""}
    site.recordings.archive.counts.trouble = "only 3 MB of disk are free"
    health = await site.ask("GET", "/health")
    assert health["status"] == "degraded"
    assert health["recordings"] == {"ok": False, "detail": "only 3 MB of disk are free"}
    async with site.client.get("/metrics") as answer:
        text = await answer.text()
    assert "cordboard_recordings_trouble 1.0" in text
    assert "cordboard_recordings_ready_total 0.0" in text
