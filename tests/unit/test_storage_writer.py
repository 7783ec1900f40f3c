"""The writer: groups, keeps what a database that is away does not take, and says what it lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from cordboard.events import AgentState, Event
from cordboard.records import CallRecord
from cordboard.storage import writer as writer_module
from cordboard.storage.writer import Writer
from tests.fakes.storage import FakeSink


def event(seq: int, kind: str = "x") -> Event:
    return Event(seq, float(seq), kind, None, None, None, {})


@asynccontextmanager
async def writing(sink: FakeSink, linger_s: float = 0.0, capacity: int = 1000) -> AsyncIterator[Writer]:
    writer = Writer(sink, linger_s=linger_s, capacity=capacity, first_retry_s=0.001)
    running = asyncio.create_task(writer.run())
    try:
        yield writer
    finally:
        await writer.close(0.01)
        await running
        assert sink.closed


async def test_what_comes_together_is_written_together() -> None:
    sink = FakeSink()
    async with writing(sink) as writer:
        for seq in range(1, 51):
            writer.event(event(seq))
        writer.record(CallRecord("c", 1.0, ended_at=2.0))
        writer.agent_state(AgentState("1001", "ready", "", 1.0))
        writer.agent_state(AgentState("1001", "talking", "", 2.0))
        assert writer.pending == 52
        assert await writer.flush()
        assert len(sink.batches) == 1
        assert sink.events == list(range(1, 51))
        assert sink.batches[0].agent_states == [AgentState("1001", "talking", "", 2.0)]
        assert (writer.pending, writer.counts.events, writer.counts.records) == (0, 50, 1)


async def test_a_flush_does_not_wait_for_the_group_to_gather() -> None:
    sink = FakeSink()
    async with writing(sink, linger_s=3600) as writer:
        writer.event(event(1))
        assert await writer.flush()
        assert sink.events == [1]


async def test_a_flush_covers_what_is_being_written() -> None:
    sink = FakeSink()
    sink.held = asyncio.Event()
    async with writing(sink) as writer:
        writer.event(event(1))
        await sink.until_attempts(1)
        assert not await writer.flush(0.001)
        flushing = asyncio.create_task(writer.flush())
        sink.held.set()
        assert await flushing
        assert sink.events == [1]


async def test_nothing_to_flush() -> None:
    async with writing(FakeSink()) as writer:
        assert await writer.flush()


async def test_a_long_backlog_is_cut_and_a_record_never_precedes_its_events(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer_module, "GROUP", 10)
    sink = FakeSink()
    async with writing(sink) as writer:
        for seq in range(1, 36):
            writer.event(event(seq))
        writer.record(CallRecord("c", 1.0, ended_at=2.0))
        assert await writer.flush()
    assert [len(batch.events) for batch in sink.batches] == [10, 10, 10, 5]
    assert [len(batch.records) for batch in sink.batches] == [0, 0, 0, 1]


async def test_what_a_database_that_is_away_does_not_take_is_kept_in_order() -> None:
    sink = FakeSink()
    sink.away = True
    async with writing(sink) as writer:
        writer.event(event(1))
        await sink.until_attempts(3)
        assert writer.counts.failing
        assert writer.counts.failures >= 2
        assert not await writer.flush(), "nobody waits for a database that is known to be away"
        writer.event(event(2))
        sink.away = False
        await sink.until_written(2)
        assert await writer.flush()
        assert sink.events == [1, 2]
        assert not writer.counts.failing
        assert writer.counts.dropped == 0


async def test_beyond_its_bound_the_newest_are_lost_and_counted() -> None:
    sink = FakeSink()
    async with writing(sink, capacity=3) as writer:
        for seq in range(1, 6):
            writer.event(event(seq))
        assert writer.counts.dropped == 2
        assert await writer.flush()
    assert sink.events == [1, 2, 3]


async def test_what_the_database_never_takes_is_lost_alone() -> None:
    sink = FakeSink()
    sink.poison = "bad"
    async with writing(sink) as writer:
        for seq in range(1, 101):
            writer.event(event(seq, "bad" if seq in {13, 77} else "x"))
        writer.record(CallRecord("c", 1.0, ended_at=2.0))
        assert await writer.flush()
        assert writer.counts.dropped == 2
        assert writer.pending == 0
    assert sink.events == [seq for seq in range(1, 101) if seq not in {13, 77}]
    assert sum(len(batch.records) for batch in sink.batches) == 1
    assert sink.attempts < 40, "halved, not tried one by one"


async def test_closing_writes_what_is_left() -> None:
    sink = FakeSink()
    async with writing(sink, linger_s=3600) as writer:
        writer.event(event(1))
    assert sink.events == [1]


async def test_closing_gives_up_on_a_database_that_is_away() -> None:
    sink = FakeSink()
    sink.away = True
    async with writing(sink) as writer:
        writer.event(event(1))
        await sink.until_attempts(2)
        writer.event(event(2))
        writer.event(event(3))
    assert writer.counts.dropped == 3
    assert writer.pending == 0


async def test_a_writer_that_never_ran_still_writes_at_the_end() -> None:
    sink = FakeSink()
    writer = Writer(sink)
    writer.event(event(1))
    assert not await writer.flush(0.001)
    await writer.close()
    assert sink.events == [1]
    assert sink.closed
