"""The storage port's contract, kept by SQLite and by PostgreSQL alike."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import asdict, replace

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from cordboard.events import AgentState, Event
from cordboard.records import CallRecord
from cordboard.storage.batch import Batch
from cordboard.storage.engine import open_engine
from cordboard.storage.errors import RowsRefused, SchemaMismatch
from cordboard.storage.migrate import migrate, newest_revision
from cordboard.storage.reader import CallCursor, CallFilter, CallHistory, Reader
from cordboard.storage.schema import calls, metadata
from cordboard.storage.sink import Sink, open_sink
from cordboard.storage.writer import Writer

NOW = 1_800_000_000.0


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    engine = open_engine(database_url)
    await migrate(engine)
    yield engine
    await engine.dispose()


@pytest.fixture
async def sink(engine: AsyncEngine) -> AsyncIterator[Sink]:
    sink = open_sink(engine)
    yield sink
    await sink.close()


@pytest.fixture
def reader(engine: AsyncEngine) -> Reader:
    return Reader(engine, lambda: NOW)


def event(seq: int, kind: str = "node.entered", call_id: str | None = "c-1", at: float = NOW - 60) -> Event:
    return Event(seq, at, kind, call_id, None, "sales", {"node": "wëlcome ☎", "n": [1, None, 2.5]})


def record(call_id: str = "c-1", ended_at: float = NOW, **more: object) -> CallRecord:
    return replace(CallRecord(call_id, NOW - 60, ended_at=ended_at, outcome="talked"), **more)  # type: ignore[arg-type]


async def test_migrations_build_what_the_schema_says(engine: AsyncEngine) -> None:
    def differences(connection: Connection) -> list[object]:
        return list(compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), metadata))

    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []


async def test_migrating_again_and_at_once_changes_nothing(database_url: str) -> None:
    engines = [open_engine(database_url) for _ in range(3)]
    await asyncio.gather(*(migrate(engine) for engine in engines))
    await migrate(engines[0])
    async with engines[0].connect() as connection:
        revisions = (await connection.execute(text("SELECT version_num FROM alembic_version"))).scalars().all()
    assert revisions == [newest_revision()]
    for engine in engines:
        await engine.dispose()


async def test_a_database_of_a_newer_version_is_left_alone(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = 'from-the-future'"))
    with pytest.raises(SchemaMismatch, match="newer"):
        await migrate(engine)


def test_the_record_and_its_table_have_the_same_columns() -> None:
    assert [column.name for column in calls.columns] == list(asdict(record()))


async def test_what_is_written_is_read_back(sink: Sink, reader: Reader) -> None:
    full = record(
        origin="public",
        caller_number="+34600111222",
        caller_name="Ana \u2028 <b>",
        dialled="100",
        flow="main",
        flow_version="7",
        language="es",
        answered_at=NOW - 59.123456,
        queue="sales",
        queued_at=NOW - 50,
        offers=2,
        agent="1001",
        talk_started_at=NOW - 40,
        talk_ended_at=NOW - 1,
        wait_s=10.5,
        talk_s=39.0,
        ended_by="caller",
        cause=16,
        recovered=True,
        disposition="sold",
    )
    events = [event(1, "call.arrived"), event(2), event(3, "call.ended")]
    await sink.write(Batch(events, [full], [AgentState("1001", "ready", "", NOW)]))
    assert await reader.call("c-1") == CallHistory(full, events)
    assert await reader.call("c-2") is None
    assert await reader.calls() == [full]
    assert await reader.last_seq() == 3
    assert await reader.agent_states() == {"1001": AgentState("1001", "ready", "", NOW)}
    await reader.check()


async def test_what_a_talk_led_to_comes_after_the_end_and_is_all_that_can_change(sink: Sink, reader: Reader) -> None:
    closed = record(agent="1001", talk_s=20.0)
    await sink.write(Batch(records=[closed]))
    await sink.write(Batch(records=[replace(closed, disposition="sold", talk_s=99.0, outcome="other")]))
    await sink.write(Batch(records=[closed]))  # the same batch again, late
    assert await reader.calls() == [replace(closed, disposition="sold")]


async def test_an_empty_database_answers_too(reader: Reader) -> None:
    assert await reader.last_seq() == 0
    assert await reader.calls() == []
    assert await reader.open_calls() == []
    assert await reader.unclosed() == []
    assert await reader.agent_states() == {}


async def test_writing_the_same_again_changes_nothing(sink: Sink, reader: Reader) -> None:
    """A commit of unknown fate is written again; and a call has exactly one record, the first."""
    batch = Batch([event(1), event(2)], [record()], [AgentState("1001", "ready", "", NOW)])
    await sink.write(batch)
    await sink.write(batch)
    await sink.write(Batch([], [record(outcome="another")]))
    assert [one.outcome for one in await reader.calls()] == ["talked"]
    history = await reader.call("c-1")
    assert history is not None
    assert [one.seq for one in history.events] == [1, 2]


async def test_an_older_state_does_not_replace_a_newer_one(sink: Sink, reader: Reader) -> None:
    await sink.write(Batch(agent_states=[AgentState("1001", "talking", "", NOW)]))
    await sink.write(Batch(agent_states=[AgentState("1001", "ready", "", NOW - 5)]))
    assert (await reader.agent_states())["1001"].state == "talking"
    await sink.write(Batch(agent_states=[AgentState("1001", "not_ready", "lunch", NOW + 5)]))
    assert (await reader.agent_states())["1001"] == AgentState("1001", "not_ready", "lunch", NOW + 5)


@pytest.mark.parametrize("statement", ["UPDATE events SET kind = 'x'", "DELETE FROM events"])
async def test_events_are_append_only(engine: AsyncEngine, sink: Sink, reader: Reader, statement: str) -> None:
    await sink.write(Batch([event(1)]))
    with pytest.raises(DBAPIError, match="append-only"):
        async with engine.begin() as connection:
            await connection.execute(text(statement))
    assert await reader.last_seq() == 1


async def test_events_cannot_be_truncated(engine: AsyncEngine) -> None:
    if engine.dialect.name == "sqlite":
        return  # knows no TRUNCATE
    with pytest.raises(DBAPIError, match="append-only"):
        async with engine.begin() as connection:
            await connection.execute(text("TRUNCATE events"))


async def test_a_batch_is_written_whole_or_not_at_all(sink: Sink, reader: Reader) -> None:
    impossible = Event(2, NOW, "broken", None, None, None, {"n": {1, 2}})._replace(at="soon")  # type: ignore[arg-type]
    with pytest.raises(RowsRefused):
        await sink.write(Batch([event(1), impossible._replace(kind=None)]))  # type: ignore[arg-type]
    assert await reader.last_seq() == 0
    await sink.write(Batch([event(1)]))  # and the sink goes on
    assert await reader.last_seq() == 1


async def test_open_calls_are_those_that_began_and_have_no_record(sink: Sink, reader: Reader) -> None:
    events = [
        event(1, "call.arrived", "closed"),
        event(2, "call.arrived", "open", at=NOW - 50),
        event(3, "call.arrived", "forgotten", at=NOW - 8 * 86_400),
        event(4, "node.entered", "open"),
        event(5, "call.recovered", "recovered", at=NOW - 55),
        event(6, "call.recovered", "open"),
        event(7, "agent.state", None),
        event(8, "call.ended", "closed"),
    ]
    await sink.write(Batch(events, [record("closed")]))
    assert await reader.open_calls() == ["open", "recovered"]
    assert [one.seq for one in await reader.unclosed()] == [2, 4, 5, 6]


async def test_pages_of_calls(sink: Sink, reader: Reader) -> None:
    records = [record(f"c-{n:02}", NOW - n // 2) for n in range(9)]  # two end at the same moment
    await sink.write(Batch([], records))
    wanted = sorted(records, key=lambda one: (one.ended_at, one.call_id), reverse=True)
    found: list[CallRecord] = []
    cursor = None
    while page := await reader.calls(4, cursor):
        found += page
        cursor = CallCursor(page[-1].ended_at or 0.0, page[-1].call_id)
    assert found == wanted


async def test_filters(sink: Sink, reader: Reader) -> None:
    await sink.write(
        Batch(
            [],
            [
                record("a", NOW - 30, queue="sales", agent="1001"),
                record("b", NOW - 20, queue="support", agent="1001"),
                record("c", NOW - 10, queue="sales", outcome="abandoned_in_queue"),
            ],
        )
    )

    async def ids(wanted: CallFilter) -> list[str]:
        return [one.call_id for one in await reader.calls(wanted=wanted)]

    assert await ids(CallFilter(queue="sales")) == ["c", "a"]
    assert await ids(CallFilter(agent="1001")) == ["b", "a"]
    assert await ids(CallFilter(agent="1001", queue="sales")) == ["a"]
    assert await ids(CallFilter(outcome="abandoned_in_queue")) == ["c"]
    assert await ids(CallFilter(since=NOW - 20, until=NOW - 10)) == ["b"]


async def test_who_talked_with_whom_last(sink: Sink, reader: Reader) -> None:
    talks = [("+1", "1001"), ("+2", "1001"), ("+1", "1002"), ("", "1003"), ("+3", None)]
    records = [record(f"c-{n}", NOW + n, caller_number=number, agent=agent) for n, (number, agent) in enumerate(talks)]
    await sink.write(Batch(records=records))
    assert await reader.last_talks(10) == [("+1", "1001"), ("+2", "1001"), ("+1", "1002")]
    assert await reader.last_talks(1) == [("+1", "1002")]


async def test_events_after_are_complete_over_many_pages(sink: Sink, reader: Reader) -> None:
    await sink.write(Batch([event(n, call_id="even" if n % 2 == 0 else "odd") for n in range(1, 1204)]))
    assert [one.seq async for one in reader.events_after(0, 1203)] == list(range(1, 1204))
    assert [one.seq async for one in reader.events_after(1195, 1200)] == [1196, 1197, 1198, 1199, 1200]
    assert [one.seq async for one in reader.events_after(0, 1200, "even")] == list(range(2, 1201, 2))


@pytest.mark.parametrize(("begin", "end"), [(300, 900), (0, 50), (1190, 9999), (5000, 6000), (-10, 5)])
async def test_events_of_a_stretch_of_time(sink: Sink, reader: Reader, begin: float, end: float) -> None:
    """Every kind that is asked for and no other, at whatever second calls arrived before and after."""
    kinds = ("call.arrived", "queue.joined", "node.entered", "queue.left")
    await sink.write(Batch([event(n, kinds[n % 4], f"c-{n}", at=NOW + n) for n in range(1, 1204)]))
    wanted = frozenset({"queue.joined", "queue.left"})
    found = [one.seq async for one in reader.events_between(NOW + begin, NOW + end, wanted)]
    assert found == [n for n in range(1, 1204) if n % 2 and begin <= n < end]


async def test_a_poisonous_event_is_lost_alone(engine: AsyncEngine, reader: Reader) -> None:
    writer = Writer(open_sink(engine), linger_s=0)
    for n in range(1, 20):
        writer.event(event(n) if n != 7 else event(n)._replace(kind=None))  # type: ignore[arg-type]
    writer.record(record())
    running = asyncio.create_task(writer.run())
    await writer.close()
    await running
    assert writer.counts.dropped == 1
    assert [one.seq async for one in reader.events_after(0, 99)] == [n for n in range(1, 20) if n != 7]
    assert len(await reader.calls()) == 1


async def test_text_that_a_database_may_not_like(engine: AsyncEngine, reader: Reader) -> None:
    """Whatever a caller's phone sends as a name, the events around it are kept."""
    names = ["plain", "nul\x00", "lone\ud800", "\U0001f6b2", "quote'\"\\"]
    writer = Writer(open_sink(engine), linger_s=0)
    for n, name in enumerate(names, start=1):
        writer.event(Event(n, NOW, "call.arrived", f"c-{n}", None, None, {"name": name}))
    running = asyncio.create_task(writer.run())
    await writer.close()
    await running
    kept = {one.seq: one.data["name"] async for one in reader.events_after(0, 99)}
    assert {1: "plain", 4: "\U0001f6b2", 5: "quote'\"\\"}.items() <= kept.items()
    assert len(kept) + writer.counts.dropped == len(names)
