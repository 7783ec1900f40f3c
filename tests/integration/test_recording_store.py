"""Recordings on record, kept by SQLite and by PostgreSQL alike."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from cordboard.recording import Recording, RecordingState, Silence
from cordboard.storage.engine import open_engine
from cordboard.storage.errors import DatabaseUnavailable
from cordboard.storage.migrate import migrate
from cordboard.storage.recordings import RecordingCursor, RecordingFilter, RecordingStore

NOW = 1_800_000_000.25


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[RecordingStore]:
    engine = open_engine(database_url)
    await migrate(engine)
    yield RecordingStore(engine)
    await engine.dispose()


def row(name: str = "c-1", started_at: float = NOW, **more: object) -> Recording:
    return replace(Recording(name, "c", "1001", "sales", started_at), **more)  # type: ignore[arg-type]


async def test_everything_comes_back_as_it_went_in(store: RecordingStore) -> None:
    full = row(
        ended_at=NOW + 12.5,
        seconds=12.48,
        silences=[Silence(1.5, 3.0, "hold"), Silence(8.0, None, "secure", kept=False)],
        path="calls/2027-01-15/c-1.flac",
        size=5_000_000_000,
        sha256="ab" * 32,
        state=RecordingState.READY,
        reason="ünusual",
    )
    await store.put([full, row("c-2")])
    assert await store.get("c-1") == full
    assert await store.get("c-2") == row("c-2")
    assert await store.get("c-3") is None


async def test_the_newest_row_wins_however_often_it_is_written(store: RecordingStore) -> None:
    await store.put([row()])
    for _ in range(2):
        await store.put([row(state=RecordingState.FINISHING, ended_at=NOW + 1)])
    await store.put([])
    assert await store.page() == [row(state=RecordingState.FINISHING, ended_at=NOW + 1)]


async def test_what_is_unfinished_and_what_is_old(store: RecordingStore) -> None:
    for number, state in enumerate(RecordingState):
        await store.put([row(state.value, NOW - number * 100, state=state)])
    assert [one.recording for one in await store.unfinished()] == ["finishing", "recording"]
    await store.put([row("older", NOW - 1000, state=RecordingState.READY)])
    assert [one.recording for one in await store.older_than(NOW - 150, 10)] == ["older", "ready"]
    assert [one.recording for one in await store.older_than(NOW - 150, 1)] == ["older"]
    assert await store.older_than(NOW - 1000, 10) == []


async def test_pages_without_gap_or_repetition(store: RecordingStore) -> None:
    await store.put([row(f"c-{number}", NOW - number // 2, agent=f"100{number % 3}") for number in range(7)])
    seen: list[str] = []
    before: RecordingCursor | None = None
    while page := await store.page(3, before):
        seen += [one.recording for one in page]
        before = RecordingCursor(page[-1].started_at, page[-1].recording)
    assert seen == ["c-1", "c-0", "c-3", "c-2", "c-5", "c-4", "c-6"]
    wanted = RecordingFilter(call_id="c", agent="1000", queue="sales", state="recording", since=NOW - 2, until=NOW)
    assert [one.recording for one in await store.page(10, None, wanted)] == ["c-3"]


async def test_a_database_that_is_away_is_told(tmp_path: object) -> None:
    engine = open_engine(f"sqlite+aiosqlite:///{tmp_path}/empty.db")
    store = RecordingStore(engine)
    for question in (store.put([row()]), store.get("c-1"), store.unfinished(), store.older_than(NOW, 1), store.page()):
        with pytest.raises(DatabaseUnavailable):
            await question
    await engine.dispose()
