"""Messages on record, kept by SQLite and by PostgreSQL alike."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from cordboard.message import Message, MessageState
from cordboard.storage.engine import open_engine
from cordboard.storage.errors import DatabaseUnavailable
from cordboard.storage.messages import MessageCursor, MessageFilter, MessageStore
from cordboard.storage.migrate import migrate

NOW = 1_800_000_000.25


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[MessageStore]:
    engine = open_engine(database_url)
    await migrate(engine)
    yield MessageStore(engine)
    await engine.dispose()


def row(name: str = "repairs.c-1", at: float = NOW, **more: object) -> Message:
    return replace(Message(name, "repairs", "c", "+15550100", at), **more)  # type: ignore[arg-type]


async def test_the_newest_row_wins_and_comes_back_as_it_went_in(store: MessageStore) -> None:
    full = row(seconds=12.48, size=5_000_000_000, state=MessageState.HEARD, file="messages/2027-01-15/x.flac")
    await store.put(row())
    await store.put(full)
    await store.put(full)
    assert await store.get("repairs.c-1") == full
    assert await store.get("nothing") is None
    assert await store.known(["repairs.c-1", "nothing"]) == {"repairs.c-1"}
    assert await store.known([]) == set()


async def test_what_is_unfinished_old_and_new(store: MessageStore) -> None:
    for number, state in enumerate(MessageState):
        await store.put(row(state.value, NOW - number * 100, state=state, file="x.flac"))
    await store.put(row("unready", NOW - 1000))
    await store.put(row("other", NOW, box="sales", file="x.flac"))
    assert [one.id for one in await store.unfinished()] == ["unready"]
    assert [one.id for one in await store.older_than(NOW - 50, 10)] == ["done", "heard"]
    assert [one.id for one in await store.older_than(NOW - 50, 1)] == ["done"]
    assert await store.new_by_box() == {"repairs": 2, "sales": 1}


async def test_pages_without_gap_or_repetition(store: MessageStore) -> None:
    for number in range(7):
        await store.put(row(f"c-{number}", NOW - number // 2, box=f"box-{number % 3}"))
    await store.put(row("gone", state=MessageState.DELETED))
    seen: list[str] = []
    before: MessageCursor | None = None
    while page := await store.page(3, before):
        seen += [one.id for one in page]
        before = MessageCursor(page[-1].at, page[-1].id)
    assert seen == ["c-1", "c-0", "c-3", "c-2", "c-5", "c-4", "c-6"]
    wanted = MessageFilter(box="box-0", call="c", state="new", since=NOW - 2, until=NOW)
    assert [one.id for one in await store.page(10, None, wanted)] == ["c-3"]
    assert [one.id for one in await store.page(10, None, MessageFilter(state="deleted"))] == ["gone"]


async def test_a_database_that_is_away_is_told(tmp_path: object) -> None:
    engine = open_engine(f"sqlite+aiosqlite:///{tmp_path}/empty.db")
    store = MessageStore(engine)
    for question in (store.put(row()), store.get("x"), store.unfinished(), store.new_by_box(), store.page()):
        with pytest.raises(DatabaseUnavailable):
            await question
    await engine.dispose()
