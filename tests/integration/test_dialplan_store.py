"""Versions of the dialplans and switches on record, kept by SQLite and by PostgreSQL alike."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from cordboard.dialplan_versions import Source, State, Version
from cordboard.storage.dialplans import VersionStore
from cordboard.storage.engine import open_engine
from cordboard.storage.errors import DatabaseUnavailable
from cordboard.storage.migrate import migrate
from cordboard.storage.switches import SwitchStore
from cordboard.switches import Switch
from ivr.versions import Canary

NOW = 1_800_000_000.25
NEW = Version(0, NOW, "Ana", "ünusual\nsecond line", Source.FOLDER, "ab" * 32)
FILES = {"main.yaml": "flow: día\n".encode(), "shared/hours.yaml": b"\xff\x00", "main.test.yaml": b""}


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    engine = open_engine(database_url)
    await migrate(engine)
    yield engine
    await engine.dispose()


async def states(store: VersionStore) -> list[tuple[int, str]]:
    return [(one.number, one.state.value) for one in await store.page()]


async def test_versions(engine: AsyncEngine) -> None:
    store = VersionStore(engine)
    assert await store.newest() is None
    assert await store.in_state(State.LIVE) is None
    first = await store.add(NEW, FILES)
    assert first == replace(NEW, number=1)
    assert await store.get(1) == first
    assert await store.files(1) == FILES
    assert await store.files(2) == {}
    await store.go_live(1, NOW, None)
    second = await store.add(replace(NEW, source=Source.REQUEST, author=""), {"a.yaml": b"1"})
    assert second.number == 2
    assert await store.newest() == second
    assert (await store.newest(Source.FOLDER)) == replace(first, state=State.LIVE, published_at=NOW)
    await store.set_canary(Canary(2, 0.1, frozenset({"+2", "+1"})))
    canary = await store.in_state(State.CANARY)
    assert canary is not None
    assert (canary.share, canary.numbers) == (0.1, ("+1", "+2"))
    assert canary.canary == Canary(2, 0.1, frozenset({"+1", "+2"}))
    await store.set_canary(Canary(1, 0.2))
    assert await states(store) == [(2, "staged"), (1, "canary")]
    await store.set_canary(None)
    await store.go_live(2, NOW + 1, 1)
    assert await states(store) == [(2, "live"), (1, "past")]
    await store.go_live(1, NOW + 2, None)
    live = await store.in_state(State.LIVE)
    assert live is not None
    assert (live.number, live.published_at, live.follows) == (1, NOW + 2, None)


async def test_old_versions_go_and_numbers_never_come_back(engine: AsyncEngine) -> None:
    store = VersionStore(engine)
    for _ in range(6):
        await store.add(NEW, FILES)
    await store.go_live(2, NOW, None)
    assert await store.prune(2, {1}) == 2
    assert await states(store) == [(6, "staged"), (5, "staged"), (2, "live"), (1, "staged")]
    assert (await store.add(NEW, FILES)).number == 7


async def test_switches(engine: AsyncEngine) -> None:
    store = SwitchStore(engine)
    assert await store.all() == []
    storm = Switch("storm", True, "hurricane", "Ana", NOW)
    await store.put(storm)
    await store.put(Switch("lines", False))
    await store.put(replace(storm, on=False))
    assert sorted(await store.all(), key=lambda one: one.name) == [Switch("lines", False), replace(storm, on=False)]


async def test_without_a_database() -> None:
    engine = open_engine("postgresql+asyncpg://nobody@127.0.0.1:1/none")
    with pytest.raises(DatabaseUnavailable):
        await VersionStore(engine).page()
    with pytest.raises(DatabaseUnavailable):
        await VersionStore(engine).add(NEW, FILES)
    with pytest.raises(DatabaseUnavailable):
        await SwitchStore(engine).put(Switch("storm"))
    await engine.dispose()
