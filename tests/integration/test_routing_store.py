"""The routing log in both databases: written by the one writer, replayed from there, old lines removed."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import UTC
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from acd.replay import Entry, State, replay
from cordboard import replaying
from cordboard.explaining import explain_call
from cordboard.replay_jobs import ReplayJobs
from cordboard.replaying import extend_states, replay_all, report_replay
from cordboard.storage.batch import Batch
from cordboard.storage.engine import open_engine
from cordboard.storage.migrate import migrate
from cordboard.storage.routing import RoutingStore
from cordboard.storage.sink import open_sink
from cordboard.worker_process import WorkerFailed
from tests.fakes.faulty_world import FaultyWorld
from tests.fakes.recorded_engine import record


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    engine = open_engine(database_url)
    await migrate(engine)
    yield engine
    await engine.dispose()


@pytest.fixture(scope="module")
def log() -> list[Entry]:
    """Two days of a service, one after the other."""
    entries: list[Entry] = []
    for seed in (1, 2):
        world = FaultyWorld(seed, callers_per_s=1.0)
        told = record(world.engine, world.queues, world.specs, first=len(entries) + 1, at=1_000.0 * len(entries))
        world.run(facts=3_000, check_every=3_000)
        entries += told
    return entries


async def write(engine: AsyncEngine, log: list[Entry]) -> RoutingStore:
    sink = open_sink(engine)
    await sink.write(Batch(routing=log))
    await sink.write(Batch(routing=log[-10:]))  # a commit of unknown fate, repeated
    await sink.close()
    return RoutingStore(engine)


async def test_what_was_decided_is_read_back_and_decided_again(engine: AsyncEngine, log: list[Entry]) -> None:
    store = await write(engine, log)
    assert await store.last() == len(log)
    assert [entry async for entry in store.lines(1)] == log
    assert [entry async for entry in store.lines(7, 9)] == log[6:9]
    replayed = await replay_all(store)
    assert replayed.differences == []
    assert replayed.facts == len(log) - 2
    assert replayed.decisions == sum(len(entry.offers.split()) for entry in log) > 500
    assert await store.span("call7") == (
        next(entry.number for entry in log if entry.call == "call7"),
        max(entry.number for entry in log if entry.call == "call7"),
    )
    assert await store.span("nobody") is None


async def test_upkeep_leaves_states_to_begin_at(
    engine: AsyncEngine, log: list[Entry], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replaying, "STATE_EVERY", 700)
    monkeypatch.setattr(replaying, "STATE_LEAST", 100)
    second = next(entry.number for entry in log[1:] if entry.kind == "Began")
    store = await write(engine, log[:2_500])
    assert await store.beginning(2_000) == 1
    assert (await extend_states(store)).facts == 2_499
    assert (await extend_states(store)).facts == 0, "it goes on where it was"
    store = await write(engine, log[2_500:])
    assert await store.beginning(second + 500) == second
    assert (await extend_states(store)).facts > 2_900, "the newest service is the one that is asked about"
    state = await store.beginning(len(log))
    assert isinstance(state, State)
    assert 0 < len(log) - state.number <= 700
    last = replay([entry async for entry in store.lines(state.number + 1)], state)
    assert last.differences == []
    assert last.state() == replay(log).state()
    before = await store.beginning(2_000)
    assert isinstance(before, State)
    assert 1_300 <= before.number < 2_000


async def test_a_call_is_explained_from_the_database(engine: AsyncEngine, log: list[Entry]) -> None:
    store = await write(engine, log)
    call = next(entry.call for entry in log if entry.number > 4_000 and entry.kind == "CallerJoined")
    assert call is not None
    explanation = await explain_call(store, call, UTC)
    assert explanation is not None
    assert explanation["differences"] == []
    assert explanation["stays"][-1]["moments"]
    assert explanation["text"].startswith(f"Call {call} in queue ")
    assert await explain_call(store, "nobody", UTC) is None


async def test_old_lines_go_and_the_rest_can_still_be_replayed(
    engine: AsyncEngine, log: list[Entry], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replaying, "STATE_EVERY", 700)
    store = await write(engine, log[:3_001])
    await extend_states(store)
    assert await store.forget(before=-1.0) == 0
    removed = await store.forget(before=log[1_600].at)
    assert 700 <= removed <= 1_600
    rest = await replay_all(store)
    assert rest.differences == []
    assert rest.facts == 3_001 - removed
    store = await write(engine, log[3_001:])
    assert await store.forget(before=1e9) > 0
    first = await anext(store.lines(1))
    assert first.kind == "Began", "the newest beginning stays, however old"
    assert (await replay_all(store)).differences == []


async def test_lines_are_never_changed(engine: AsyncEngine, log: list[Entry]) -> None:
    await write(engine, log[:5])
    with pytest.raises(DBAPIError, match="never changed"):
        async with engine.begin() as connection:
            await connection.execute(text("UPDATE routing_log SET body = '{}'"))


async def test_a_line_changed_behind_the_databases_back_is_said(tmp_path: Path, log: list[Entry]) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'c.db'}"
    engine = open_engine(url)
    await migrate(engine)
    await write(engine, [*log[:40], log[40]._replace(body='{"call":"c"}'), *log[41:100]])
    lines, same = await report_replay(url)
    assert not same
    assert lines[1:] == ["line 41: it was changed after it was written"]
    await engine.dispose()


async def test_the_services_job_runs_in_a_process_of_its_own(tmp_path: Path, log: list[Entry]) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'c.db'}"
    engine = open_engine(url)
    await migrate(engine)
    await write(engine, log[:1_000])
    jobs = ReplayJobs(url, 30, lambda: 0.0, "UTC")
    assert await jobs.do({"before": -1.0}) == {"facts": 999, "differences": [], "forgotten": 0}
    call = log[500].call or next(entry.call for entry in log[500:] if entry.call)
    explanation = await jobs.explain(call)
    assert explanation is not None
    assert explanation["call"] == call
    assert await jobs.explain("nobody") is None
    nowhere = ReplayJobs(f"sqlite+aiosqlite:///{tmp_path / 'other.db'}", 30, lambda: 0.0, "UTC")
    with pytest.raises(WorkerFailed, match="DatabaseUnavailable"):
        await nowhere.do({"before": 0.0})
    await nowhere.upkeep()  # says it, and goes on
    await engine.dispose()


def test_the_command_line_replays_without_a_service(tmp_path: Path) -> None:
    file = tmp_path / "cordboard.yaml"
    file.write_text("company: C\nqueues: {sales: {}}\n")
    command = [sys.executable, "-m", "cordboard", "replay", "--config", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stdout.startswith("The routing log cannot be replayed: "), json.dumps(done.stdout)
