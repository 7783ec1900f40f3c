"""Databases in trouble: locked, killed, never there. Nothing is lost, nobody waits."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest

from cordboard.events import Event
from cordboard.storage.batch import Batch
from cordboard.storage.engine import open_engine
from cordboard.storage.errors import DatabaseUnavailable, StorageError
from cordboard.storage.migrate import migrate
from cordboard.storage.reader import Reader
from cordboard.storage.sink import open_sink
from cordboard.storage.writer import Writer
from tests.real_postgres import RealPostgres


def event(seq: int) -> Event:
    return Event(seq, float(seq), "x", "c", None, None, {})


async def until_failing(writer: Writer) -> None:
    while not writer.counts.failing:  # noqa: ASYNC110 (counters tell nobody when they change)
        await asyncio.sleep(0.01)


async def until_written(writer: Writer) -> None:
    while writer.pending:  # noqa: ASYNC110
        await asyncio.sleep(0.01)


async def test_a_locked_sqlite_file_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cordboard.storage.engine.BUSY_TIMEOUT_MS", 10)
    file = tmp_path / "cordboard.db"
    engine = open_engine(f"sqlite+aiosqlite:///{file}")
    await migrate(engine)
    writer = Writer(open_sink(engine), linger_s=0, first_retry_s=0.01)
    running = asyncio.create_task(writer.run())
    thief = sqlite3.connect(file)
    thief.execute("BEGIN EXCLUSIVE")
    writer.event(event(1))
    await until_failing(writer)
    assert "locked" in writer.counts.last_failure
    writer.event(event(2))
    thief.rollback()
    thief.close()
    await until_written(writer)
    assert await Reader(engine, lambda: 0.0).last_seq() == 2
    assert writer.counts.dropped == 0
    await writer.close()
    await running
    await engine.dispose()


async def test_postgres_killed_and_started_again(postgres: RealPostgres) -> None:
    engine = open_engine(postgres.new_database())
    await migrate(engine)
    reader = Reader(engine, lambda: 0.0)
    writer = Writer(open_sink(engine), linger_s=0, first_retry_s=0.01)
    running = asyncio.create_task(writer.run())
    writer.event(event(1))
    assert await writer.flush(10)
    postgres.stop()
    try:
        writer.event(event(2))
        await until_failing(writer)
        with pytest.raises(DatabaseUnavailable):
            await reader.last_seq()
        writer.event(event(3))
    finally:
        postgres.start()
    await until_written(writer)
    assert [one.seq async for one in reader.events_after(0, 9)] == [1, 2, 3]
    assert writer.counts.dropped == 0
    await writer.close()
    await running
    await engine.dispose()


async def test_a_database_that_hangs_raises_the_alarm_before_it_says_anything(
    postgres: RealPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cordboard.storage.writer.HANGING_S", 0.05)
    engine = open_engine(postgres.new_database())
    await migrate(engine)
    writer = Writer(open_sink(engine), linger_s=0)
    running = asyncio.create_task(writer.run())
    async with engine.begin() as thief:
        await thief.exec_driver_sql("LOCK TABLE events IN EXCLUSIVE MODE")
        writer.event(event(1))
        await until_failing(writer)
        assert writer.counts.failures == 0, "it has not failed: it is under way"
        assert "takes more than" in writer.counts.last_failure
    await until_written(writer)
    assert not writer.counts.failing
    assert writer.counts.dropped == 0
    assert await Reader(engine, lambda: 0.0).last_seq() == 1
    await writer.close()
    await running
    await engine.dispose()


async def test_a_database_that_is_not_there(tmp_path: Path) -> None:
    engine = open_engine(f"postgresql+asyncpg://nobody@/none?host={tmp_path}")
    with pytest.raises(DatabaseUnavailable):
        await Reader(engine, lambda: 0.0).check()
    sink = open_sink(engine)
    with pytest.raises(DatabaseUnavailable):
        await sink.write(Batch([event(1)]))
    await engine.dispose()


@pytest.mark.parametrize("url", ["sqlite+aiosqlite://", "sqlite+aiosqlite:///:memory:", "mysql://x/y", "nonsense"])
def test_urls_that_cannot_work_are_refused(url: str) -> None:
    with pytest.raises(StorageError):
        open_engine(url)


async def test_sqlite_writes_through_to_the_disk(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite+aiosqlite:///{tmp_path / 'x.db'}")
    await migrate(engine)
    async with engine.connect() as connection:
        assert (await connection.exec_driver_sql("PRAGMA synchronous")).scalar() == 2, "FULL"
        assert (await connection.exec_driver_sql("PRAGMA journal_mode")).scalar() == "wal"
    await engine.dispose()
