"""Calls that only the PBX saw get onto record, once each, whatever happens between its file and the database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from pathlib import Path

import pytest

from cordboard.call_import import CallFiles, CallImport
from cordboard.events import Event
from cordboard.journal import Journal
from cordboard.records import IMPORTED, CallRecord
from cordboard.storage.engine import open_engine
from cordboard.storage.errors import DatabaseUnavailable
from cordboard.storage.migrate import migrate
from cordboard.storage.reader import Reader
from cordboard.storage.sink import open_sink
from cordboard.storage.writer import Writer

NOW = 1_700_001_000.0
SETTLE_S = 30.0
LONG_AGO = NOW - 500


def line(call_id: str, ended_at: float = LONG_AGO, dialled: str = "100", served_by: str = "", phone: str = "t") -> str:
    times = f"{ended_at - 10:.6f},0.000000,{ended_at:.6f}"
    return f'"{call_id}",0,{times},"+15550100001","{dialled}","AGI","ANSWERED","{served_by}","PJSIP/{phone}-00000001"\n'


class Site:
    """A journal on a real database, and the PBX's files."""

    def __init__(self, folder: Path, writer: Writer, reader: Reader) -> None:
        self.now = NOW
        self.writer = writer
        self.reader = reader
        self.journal = Journal(lambda: self.now, writer)
        self.live: set[str] = set()
        self.linked = True
        self.asked = asyncio.Event()
        self.files = CallFiles(folder / "calls.csv", folder / "voicemail")
        self.files.voicemail.mkdir()
        self.calls = self.an_import()

    def an_import(self, writer: Writer | Balking | None = None, reader: Reader | Away | None = None) -> CallImport:
        return CallImport(
            self.files,
            {"1001"},
            self.journal,
            writer or self.writer,
            reader or self.reader,
            self.live,
            self.is_linked,
            lambda: self.now,
            SETTLE_S,
        )

    def is_linked(self) -> bool:
        self.asked.set()
        return self.linked

    async def records(self) -> dict[str, CallRecord]:
        assert await self.writer.flush(10)
        found = await self.reader.calls()
        assert len({one.call_id for one in found}) == len(found)
        return {one.call_id: one for one in found}

    async def events(self) -> list[Event]:
        assert await self.writer.flush(10)
        return [one async for one in self.reader.events_after(0, self.journal.last_seq) if one.kind == IMPORTED]


class Balking:
    """A writer that cannot write, after so many times that it could."""

    def __init__(self, writer: Writer, times: int = 0) -> None:
        self._writer = writer
        self._times = times

    async def flush(self, timeout_s: float, /) -> bool:
        self._times -= 1
        return self._times >= 0 and await self._writer.flush(timeout_s)


class Away:
    """A database that answers nothing."""

    async def recorded(self, call_ids: Collection[str], /) -> set[str]:
        raise DatabaseUnavailable("away")


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    engine = open_engine(f"sqlite+aiosqlite:///{tmp_path / 'cordboard.db'}")
    await migrate(engine)
    writer = Writer(open_sink(engine), linger_s=0, first_retry_s=0.01)
    running = asyncio.create_task(writer.run())
    yield Site(tmp_path, writer, Reader(engine, lambda: NOW))
    await writer.close()
    await running
    await engine.dispose()


async def test_only_what_is_nobodys_is_put_on_record(site: Site) -> None:
    site.journal.note("call.arrived", call_id="closed", data={})
    site.journal.note("call.ended", call_id="closed", data={"outcome": "talked"})
    site.journal.note("call.arrived", call_id="open", data={})
    site.files.calls.write_text(
        line("fallback", served_by="fallback")
        + line("unseen", phone="1001")
        + line("closed", served_by="fallback")
        + line("open")
        + line("feature", dialled="*45", phone="1001")
        + "damaged\n"
    )
    (site.files.voicemail / "fallback.wav").touch()
    assert await site.calls.collect()
    records = await site.records()
    assert {call_id: record.outcome for call_id, record in records.items()} == {
        "fallback": "fallback",
        "unseen": "unseen",
        "closed": "talked",
    }
    served = records["fallback"]
    assert (served.arrived_at, served.answered_at, served.ended_at) == (LONG_AGO - 10, None, LONG_AGO)
    assert [records[one].origin for one in ("fallback", "unseen")] == ["public", "agent"]
    voicemail = {event.call_id: event.data.get("voicemail") for event in await site.events()}
    assert voicemail == {"fallback": "voicemail/fallback.wav", "unseen": None}
    assert list(site.files.calls.parent.glob("calls.csv*")) == []


async def test_calls_that_may_still_be_heard_of_are_left_for_later(site: Site) -> None:
    site.live.add("live")
    site.files.calls.write_text(line("old") + line("young", NOW - SETTLE_S + 1) + line("live"))
    assert not await site.calls.collect()
    assert set(await site.records()) == {"old"}
    # The PBX goes on writing; what was taken away comes first.
    site.files.calls.write_text(line("later"))
    site.now += SETTLE_S
    assert not await site.calls.collect()
    assert set(await site.records()) == {"old", "young"}
    site.live.clear()
    assert await site.calls.collect()
    assert set(await site.records()) == {"old", "young", "live", "later"}
    assert len(await site.events()) == 4


async def test_a_call_that_turns_out_to_be_ours_is_left_to_the_journal(site: Site) -> None:
    site.files.calls.write_text(line("ours", NOW - 1))
    assert not await site.calls.collect()
    site.journal.note("call.arrived", call_id="ours", data={})
    site.now += SETTLE_S
    assert await site.calls.collect()
    site.journal.note("call.ended", call_id="ours", data={"outcome": "talked"})
    assert (await site.records())["ours"].outcome == "talked"
    assert await site.events() == []


async def test_a_clock_that_was_set_back_keeps_nothing_waiting(site: Site) -> None:
    site.files.calls.write_text(line("future", NOW + 86_400))
    assert await site.calls.collect()
    assert set(await site.records()) == {"future"}


async def test_a_crash_between_the_database_and_the_file_repeats_nothing(site: Site) -> None:
    text = line("first", served_by="fallback")
    site.files.calls.write_text(text)
    assert await site.calls.collect()
    site.files.taken.write_text(text)
    site.files.calls.write_text(line("second") + text)
    assert await site.an_import().collect()
    assert set(await site.records()) == {"first", "second"}
    assert len(await site.events()) == 2


@pytest.mark.parametrize("flushes", [0, 1])
async def test_the_file_stays_until_all_is_in_the_database(site: Site, flushes: int) -> None:
    site.files.calls.write_text(line("call"))
    assert not await site.an_import(writer=Balking(site.writer, flushes)).collect()
    assert site.files.taken.exists()
    assert await site.calls.collect()
    assert set(await site.records()) == {"call"}
    assert len(await site.events()) == 1
    assert not site.files.taken.exists()


async def test_while_the_database_is_away_nothing_is_guessed(site: Site) -> None:
    site.files.calls.write_text(line("call"))
    assert not await site.an_import(reader=Away()).collect()
    assert site.journal.last_seq == 0
    assert site.files.taken.exists()


async def test_more_calls_than_are_looked_up_at_once(site: Site) -> None:
    site.files.calls.write_text("".join(line(f"call.{number}") for number in range(450)))
    assert await site.calls.collect()
    assert len(await site.events()) == 450
    site.files.calls.write_text("".join(line(f"call.{number}") for number in range(460)))
    assert await site.calls.collect()
    assert len(await site.events()) == 460


async def test_no_file_and_a_file_that_cannot_be_read(site: Site) -> None:
    assert await site.calls.collect()
    site.files.calls.mkdir()
    assert not await site.calls.collect()


def test_a_line_that_was_on_its_way_when_the_file_was_taken_is_not_lost(tmp_path: Path) -> None:
    files = CallFiles(tmp_path / "calls.csv", tmp_path)
    files.calls.write_text(line("first"))
    with files.calls.open("a") as pbx:
        assert files.take()
        _, size = files.read()
        pbx.write(line("second"))
    assert not files.drop(size)
    reading, size = files.read()
    assert set(reading.calls) == {"first", "second"}
    assert files.drop(size)
    assert not files.taken.exists()


async def test_it_runs_when_woken_and_only_with_a_link(site: Site) -> None:
    running = asyncio.create_task(site.calls.run())
    try:
        site.files.calls.write_text(line("call"))
        site.linked = False
        site.calls.wake()
        await asyncio.wait_for(site.asked.wait(), 10)
        assert site.files.calls.exists()
        site.linked = True
        with site.journal.subscribe() as watcher:
            site.calls.wake()
            async with asyncio.timeout(10):
                event = await watcher.next()
        assert isinstance(event, Event)
        assert (event.kind, event.call_id) == (IMPORTED, "call")
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
