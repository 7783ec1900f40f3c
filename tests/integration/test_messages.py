"""Callers' messages from the request of a flow to a file over HTTP: real files, a real SQLite database, a fake PBX."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from aiohttp.test_utils import TestClient, TestServer

from cordboard.clock import SteadyClock
from cordboard.events import Event
from cordboard.journal import Journal
from cordboard.message import RATE, Message, id_of
from cordboard.messages import Messages
from cordboard.outside import OutsideDesks
from cordboard.storage.engine import open_engine
from cordboard.storage.messages import MessageStore
from cordboard.storage.migrate import migrate
from cordboard.storage.reader import Reader
from cordboard.storage.sink import open_sink
from cordboard.storage.writer import Writer
from cordboard.web.app import make_app
from cordboard.web.metrics import MessageCollector, make_registry
from cordboard.web.ports import WebDeps
from ivr.requests import KeepRequest, RecordRequest, What
from pbx.facts import LinkUp, MessageEnd, OrderFailed, Snapshot
from pbx.orders import RecordMessage
from tests.fakes.storage import KeepingWriter
from tests.fakes.switch import FakeSwitch
from tests.fakes.virtual_time import VirtualTime

TOKEN = "a-token-for-tests"
CALL = "node-1700000000.7"
CALLER = "+15550142"


def speech(seconds: float, before: float = 0.5, after: float = 1.0) -> bytes:
    at = np.arange(round(seconds * RATE)) / RATE
    sound = np.concatenate(
        [np.zeros(round(before * RATE)), 0.2 * np.sin(2 * np.pi * 300 * at), np.zeros(round(after * RATE))]
    )
    return bytes((sound * 32767).astype("<i2").tobytes())


class BothWriter(KeepingWriter):
    """Keeps events for the test, and writes them."""

    def __init__(self, writer: Writer) -> None:
        super().__init__()
        self._writer = writer

    def event(self, event: Event) -> None:
        super().event(event)
        self._writer.event(event)


@dataclass
class Site:
    messages: Messages
    outside: OutsideDesks
    journal: Journal
    writer: KeepingWriter
    switch: FakeSwitch
    time: VirtualTime
    client: TestClient[Any, Any]
    store: MessageStore
    refusals: list[str]
    here: set[str]
    answers: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    async def ask(self, method: str, path: str, status: int = 200) -> Any:
        async with self.client.request(method, path, headers={"Authorization": f"Bearer {TOKEN}"}) as answer:
            assert answer.status == status, await answer.text()
            return await answer.json()

    async def listed(self, wanted: str = "") -> list[dict[str, Any]]:
        return list((await self.ask("GET", f"/api/messages?{wanted}"))["messages"])

    async def until(self, holds: Callable[[], Any]) -> None:
        async with asyncio.timeout(10):
            while not holds():  # noqa: ASYNC110
                await asyncio.sleep(0.005)

    async def finished(self, number: int = 1) -> list[dict[str, Any]]:
        await self.until(lambda: len(self.events("message.recorded")) >= number)
        return await self.listed()

    def begin(self, what: What) -> None:
        self.outside.begin(CALL, what, lambda outcome, values: self.answers.append((outcome, dict(values))))

    async def speaks(self, sound: bytes, end: MessageEnd = MessageEnd.KEY, box: str = "repairs") -> str:
        """The caller is asked and speaks; whether that was a message is known afterwards."""
        answered = len(self.answers)
        self.begin(RecordRequest(box, CALLER))
        order = self.switch.last(RecordMessage)
        self.messages.files.raw(order.message).write_bytes(sound)
        self.switch.recorded(CALL, end)
        await self.until(lambda: len(self.answers) > answered)
        return order.message

    def ends_call(self) -> None:
        self.journal.note("call.ended", call_id=CALL, data={"outcome": "completed", "ended_by": "caller", "cause": 16})

    def events(self, kind: str) -> list[dict[str, Any]]:
        return [event.data for event in self.writer.events if event.kind == kind]

    def on_disk(self, kind: str) -> list[Path]:
        return sorted(self.messages.files.folder.rglob(f"*.{kind}"))


@contextlib.asynccontextmanager
async def running(tmp_path: Path, quiet_s: float = 0.0) -> AsyncIterator[Site]:
    engine = open_engine(f"sqlite+aiosqlite:///{tmp_path / 'cordboard.db'}")
    await migrate(engine)
    clock, time, to_database = SteadyClock(), VirtualTime(), Writer(open_sink(engine))
    writer = BothWriter(to_database)
    reader = Reader(engine, clock)
    journal = Journal(clock, writer, last_seq=await reader.last_seq())
    outside = OutsideDesks(time)
    switch = FakeSwitch(time, lambda _fact: None)
    switch.call(CALL)
    refusals: list[str] = []
    here = {CALL}
    messages = Messages(
        tmp_path / "recordings",
        engine,
        reader,
        journal,
        outside,
        switch=switch,
        timers=time,
        clock=clock,
        refusal=lambda: "".join(refusals),
        here=here.__contains__,
        keep_days=30,
        quiet_s=quiet_s,
        find_every_s=0.02,
    )
    switch.sink = messages.fact
    journal.note("call.arrived", call_id=CALL, data={"caller": CALLER, "dialled": "100", "origin": "public"})
    await messages.prepare()
    messages.fact(LinkUp(Snapshot(())))
    work = asyncio.create_task(messages.run())
    writing = asyncio.create_task(to_database.run())
    of_others: dict[str, Any] = {one.name: None for one in fields(WebDeps)}
    ours = {
        "token": TOKEN,
        "company": "Test",
        "versions": {},
        "history": reader,
        "journal": journal,
        "registry": make_registry(MessageCollector(messages.new)),
        "messages": messages,
        "allowed_hosts": frozenset(),
    }
    client = TestClient(TestServer(make_app(WebDeps(**(of_others | ours)))))
    await client.start_server()
    try:
        yield Site(messages, outside, journal, writer, switch, time, client, MessageStore(engine), refusals, here)
    finally:
        await client.close()
        work.cancel()
        await to_database.close()
        await asyncio.gather(work, writing, return_exceptions=True)
        await engine.dispose()


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with running(tmp_path) as made:
        yield made


async def test_a_message_from_the_first_word_to_the_file(site: Site) -> None:
    name = await site.speaks(speech(2.0))
    outcome, values = site.answers[-1]
    assert (outcome, values["ended"], values["file"]) == ("ok", "key", site.messages.files.playable(name))
    assert values["seconds"] == pytest.approx(2.0, abs=0.05)
    assert await site.listed() == [], "a draft is no message yet"
    site.begin(KeepRequest())
    await site.until(lambda: site.answers[-1] == ("ok", {}))
    (row,) = await site.finished()
    assert (row["id"], row["box"], row["call_id"], row["caller"]) == (name, "repairs", CALL, CALLER)
    assert (row["state"], row["ready"]) == ("new", True)
    assert row["seconds"] == pytest.approx(2.6, abs=0.05), "0.2 s of what was before, 0.4 s of what was after"
    (file,) = site.on_disk("flac")
    samples, rate = soundfile.read(file)
    assert (rate, samples.ndim, file.stat().st_mode & 0o777) == (RATE, 1, 0o600)
    assert np.sqrt(np.mean(np.square(samples[RATE // 2 : RATE]))) == pytest.approx(0.2 / np.sqrt(2), rel=0.01)
    await site.until(lambda: site.on_disk("sln") == [])
    assert site.events("message.recorded") == [{"message": name, "box": "repairs", "seconds": row["seconds"]}]


@pytest.mark.parametrize("sound", [b"", speech(0.3), bytes(16_000 * 3), speech(2.0)[:1]])
async def test_what_is_too_short_or_silent_is_no_message(site: Site, sound: bytes) -> None:
    await site.speaks(sound)
    assert site.answers == [("short", {})]
    await site.until(lambda: site.on_disk("sln") == [])
    site.ends_call()
    assert await site.listed() == []


async def test_recorded_again_only_the_last_is_kept(site: Site) -> None:
    first = await site.speaks(speech(2.0))
    second = await site.speaks(speech(3.0))
    await site.speaks(speech(0.2))  # nothing said: the one of before stays
    site.begin(KeepRequest())
    (row,) = await site.finished()
    assert row["id"] == second != first
    await site.until(lambda: site.on_disk("sln") == [])


async def test_a_hang_up_in_the_midst_keeps_what_was_said(site: Site) -> None:
    name = await site.speaks(speech(2.0), MessageEnd.HANGUP)
    assert site.answers[-1][1]["ended"] == "hangup"
    site.ends_call()
    (row,) = await site.finished()
    assert row["id"] == name


async def test_a_hang_up_before_it_is_known_whether_anything_was_said(site: Site) -> None:
    site.begin(RecordRequest("repairs", CALLER))
    site.messages.files.raw(site.switch.last(RecordMessage).message).write_bytes(speech(2.0))
    site.switch.recorded(CALL, MessageEnd.HANGUP)
    site.ends_call()
    (row,) = await site.finished()
    assert row["caller"] == CALLER
    assert site.answers == [], "there is nobody to answer"


async def test_a_hang_up_in_the_review_keeps_it(site: Site) -> None:
    name = await site.speaks(speech(2.0))
    site.ends_call()
    assert [row["id"] for row in await site.finished()] == [name]


async def test_a_lost_link_in_the_midst_loses_nothing(site: Site) -> None:
    """Its end is never told: the file is found when nobody writes it any more."""
    site.begin(RecordRequest("repairs", CALLER))
    lost = site.switch.last(RecordMessage).message
    site.messages.files.raw(lost).write_bytes(speech(2.0))
    await asyncio.sleep(0.1)
    assert await site.listed() == [], "while the caller may still speak it is nobody else's"
    site.switch.channels[CALL].commands.clear()
    again = await site.speaks(speech(1.5))
    site.begin(KeepRequest())
    assert [row["id"] for row in await site.finished()] == [again]
    await asyncio.sleep(0.1)
    assert len(await site.listed()) == 1, "while the caller is there the PBX may still write it"
    site.here.clear()
    rows = {row["id"]: row for row in await site.finished(2)}
    assert rows.keys() == {lost, again}
    assert (rows[lost]["call_id"], rows[lost]["caller"]) == (CALL, CALLER)


async def test_after_a_restart_what_was_left_is_found(tmp_path: Path) -> None:
    folder = tmp_path / "recordings" / "messages"
    folder.mkdir(parents=True)
    said, nothing, foreign = id_of("repairs", CALL, 1_700_000_000_000), id_of("repairs", CALL, 1_700_000_001_000), "x"
    for name, sound in ((said, speech(2.0)), (nothing, speech(0.2)), (foreign, speech(2.0))):
        (folder / f"{name}.sln").write_bytes(sound)
    async with running(tmp_path) as site:
        site.here.clear()
        (row,) = await site.finished()
        assert (row["id"], row["at"]) == (said, 1_700_000_000.0)
        await site.until(lambda: [path.stem for path in site.on_disk("sln")] == [foreign])


async def test_a_row_without_its_file_is_finished_by_the_next_start(tmp_path: Path) -> None:
    async with running(tmp_path, quiet_s=60.0) as site:
        whole, empty = id_of("repairs", CALL, 1_700_000_000_000), id_of("repairs", CALL, 1_700_000_001_000)
        site.messages.files.raw(whole).write_bytes(speech(2.0))
        for name in (whole, empty):
            await site.store.put(Message(name, "repairs", CALL, CALLER, 1_700_000_000.0))
    async with running(tmp_path, quiet_s=60.0) as site:
        await site.until(lambda: site.messages.new()["repairs"] == 1)
        (row,) = await site.finished()
        assert row["id"] == whole
        (gone,) = await site.listed("state=deleted")
        assert (gone["id"], gone["caller"]) == (empty, "")


async def test_nothing_is_recorded_where_it_cannot_be_kept(site: Site) -> None:
    site.refusals.append("only 3 MB of disk are free")
    site.begin(RecordRequest("repairs", CALLER))
    site.time.settle()
    assert site.answers == [("failed", {})]
    assert site.switch.sent(RecordMessage) == []


async def test_an_order_that_was_refused_and_one_that_failed(site: Site) -> None:
    site.begin(RecordRequest("repairs", CALLER))
    site.messages.fact(OrderFailed(CALL, "RecordMessage", "not controlled"))
    site.begin(RecordRequest("repairs", CALLER))
    site.switch.channels[CALL].commands.popleft()
    site.switch.recorded(CALL, MessageEnd.FAILED)
    site.begin(KeepRequest())
    site.time.settle()
    assert [outcome for outcome, _ in site.answers] == ["failed", "failed", "failed"]


async def test_whoever_stopped_waiting_is_not_answered(site: Site) -> None:
    answers: list[str] = []
    handle = site.outside.begin(CALL, RecordRequest("repairs", CALLER), lambda outcome, _: answers.append(outcome))
    site.messages.files.raw(site.switch.last(RecordMessage).message).write_bytes(speech(2.0))
    handle.cancel()
    site.switch.recorded(CALL, MessageEnd.KEY)
    site.ends_call()
    await site.finished()
    assert answers == []


async def test_over_rest(site: Site) -> None:
    name = await site.speaks(speech(2.0))
    site.begin(KeepRequest())
    (row,) = await site.finished()
    assert await site.listed("box=repairs&state=new") == [row]
    assert await site.listed("box=sales") == []
    page = await site.ask("GET", "/api/messages?limit=1")
    assert await site.ask("GET", f"/api/messages?before={page['next']}") == {"messages": [], "next": None}
    for wrong in ("limit=0", "state=lost", "before=x", "since=nan"):
        await site.ask("GET", f"/api/messages?{wrong}", 400)
    async with site.client.get(f"/api/messages/{name}/audio", headers={"Authorization": f"Bearer {TOKEN}"}) as answer:
        assert (answer.status, answer.headers["Content-Type"]) == (200, "audio/flac")
        assert await answer.read() == site.on_disk("flac")[0].read_bytes()
    assert site.events("message.fetched") == [{"message": name, "box": "repairs"}]
    assert (await site.ask("GET", f"/api/messages/{name}"))["message"]["state"] == "new", "asking changes nothing"
    async with site.client.get("/metrics") as answer:
        assert 'cordboard_messages_new{box="repairs"} 1.0' in await answer.text()
    for state, new in (("heard", 0), ("done", 0), ("new", 1), ("heard", 0)):
        assert (await site.ask("POST", f"/api/messages/{name}/{state}"))["message"]["state"] == state
        assert site.messages.new()["repairs"] == new
    await site.ask("POST", f"/api/messages/{name}/deleted", 404)
    deleted = (await site.ask("DELETE", f"/api/messages/{name}"))["message"]
    assert (deleted["state"], deleted["caller"]) == ("deleted", "")
    assert site.on_disk("flac") == []
    assert site.events("message.deleted") == [{"message": name, "box": "repairs", "reason": "request"}]
    for method, path in (("GET", "/audio"), ("DELETE", ""), ("POST", "/heard")):
        await site.ask(method, f"/api/messages/{name}{path}", 410)
    await site.ask("GET", "/api/messages/nothing", 404)
    for path in ("/api/messages", f"/api/messages/{name}", f"/api/messages/{name}/audio"):
        async with site.client.get(path) as answer:
            assert answer.status == 401


async def test_old_messages_go(tmp_path: Path) -> None:
    async with running(tmp_path) as site:
        file = site.messages.files.folder / "old.flac"
        file.write_bytes(b"sound")
        old = Message("repairs.c-1", "repairs", "c", CALLER, 1_000_000_000.0, 2.0, 5, file="messages/old.flac")
        await site.store.put(old)
    async with running(tmp_path) as site:
        await site.until(lambda: site.events("message.deleted"))
        assert site.events("message.deleted")[0]["reason"] == "retention"
        assert not file.exists()


async def test_what_the_plain_dialplan_recorded_is_in_the_same_list(tmp_path: Path) -> None:
    folder = tmp_path / "recordings" / "voicemail"
    folder.mkdir(parents=True)
    soundfile.write(folder / "pbx-1700000000.9.wav", np.zeros(2 * RATE), RATE)
    (folder / "broken.wav").write_bytes(b"no sound")
    async with running(tmp_path) as site:
        (row,) = await site.finished()
        assert (row["id"], row["box"], row["call_id"]) == ("fallback.pbx-1700000000.9", "fallback", "pbx-1700000000.9")
        assert (row["seconds"], row["state"]) == (2.0, "new")
        path = f"/api/messages/{row['id']}/audio"
        async with site.client.get(path, headers={"Authorization": f"Bearer {TOKEN}"}) as answer:
            assert (answer.status, answer.headers["Content-Type"]) == (200, "audio/wav")
        await asyncio.sleep(0.1)
        assert len(await site.listed()) == 1, "found once"
        await site.ask("DELETE", f"/api/messages/{row['id']}")
        assert not (folder / "pbx-1700000000.9.wav").exists()


async def test_a_file_of_somebody_else_is_not_served(site: Site) -> None:
    secret = site.messages.files.root / "secret.flac"
    secret.write_bytes(b"secret")
    link = site.messages.files.folder / "link.flac"
    link.symlink_to(secret)
    for name, file in (
        ("a", "secret.flac"),
        ("b", "messages/../secret.flac"),
        ("c", "messages/link.flac"),
        ("d", "/etc/passwd"),
    ):
        await site.store.put(Message(name, "repairs", CALL, CALLER, 1_700_000_000.0, file=file))
        await site.ask("GET", f"/api/messages/{name}/audio", 410)
