"""Callbacks on record, by SQLite and by PostgreSQL alike; and the desk, which promises nothing that is not there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import pytest

from cordboard.allowed import Allowed
from cordboard.callback import PENDING, Callback, CallbackRefused, CallbackState
from cordboard.callback_desk import CallbackDesk
from cordboard.storage.callbacks import CallbackStore
from cordboard.storage.engine import open_engine
from cordboard.storage.errors import DatabaseUnavailable
from cordboard.storage.migrate import migrate
from cordboard.web.ports import CommandRefused

NOW = 1_800_000_000.25
ONE = Callback("c1", "+12025550142", "sales", "en", NOW, NOW - 60, {"customer": "C-9 ü"}, changed_at=NOW)


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[CallbackStore]:
    engine = open_engine(database_url)
    await migrate(engine)
    yield CallbackStore(engine)
    await engine.dispose()


async def added(store: CallbackStore, **more: Any) -> Callback:
    found = await store.add(replace(ONE, **more))
    assert found is not None
    return found


async def test_everything_comes_back_as_it_went_in(store: CallbackStore) -> None:
    one = await added(store)
    assert one == replace(ONE, id=one.id)
    assert one.id > 0
    assert await store.get(one.id) == one
    assert await store.get(one.id + 1) is None
    assert await store.pending_for(ONE.number) == one


async def test_one_number_has_one_request_that_is_not_closed(store: CallbackStore) -> None:
    one = await added(store)
    assert await store.add(replace(ONE, call_id="c2", queue="support")) is None
    claimed = await store.change(one, lambda it: it.claim("1001", NOW + 1))
    assert await store.add(ONE) is None
    await store.change(claimed, lambda it: it.done("", NOW + 2))
    again = await added(store, call_id="c3")
    assert again.id != one.id
    assert await store.pending_for(ONE.number) == again


async def test_many_at_once_for_one_number(store: CallbackStore) -> None:
    results = await asyncio.gather(*(store.add(replace(ONE, call_id=f"c{number}")) for number in range(8)))
    assert len([one for one in results if one is not None]) == 1


async def test_of_two_who_claim_one_at_once_one_is_refused(store: CallbackStore) -> None:
    one = await added(store)
    await store.change(one, lambda it: it.claim("1001", NOW + 1))
    with pytest.raises(CallbackRefused, match="changed by somebody else"):
        await store.change(one, lambda it: it.claim("1002", NOW + 1))
    now = await store.get(one.id)
    assert now is not None
    assert now.agent == "1001"


async def test_who_has_waited_longest_comes_first(store: CallbackStore) -> None:
    late = await added(store, number="+12025550101", joined_at=NOW)
    early = await added(store, number="+12025550102", joined_at=NOW - 500, queue="support")
    gone = await added(store, number="+12025550103", joined_at=NOW - 900)
    gone = await store.change(gone, lambda it: it.cancel("", NOW + 9))
    assert await store.page(PENDING) == [early, late]
    assert await store.page(PENDING, "sales") == [late]
    assert await store.page(PENDING, limit=1, after=1) == [late]
    assert await store.page([CallbackState.CANCELLED]) == [gone]


async def test_a_database_that_is_away_is_told(tmp_path: object) -> None:
    engine = open_engine(f"sqlite+aiosqlite:///{tmp_path}/empty.db")
    store = CallbackStore(engine)
    for work in (store.add(ONE), store.get(1), store.page(PENDING), store.change(ONE, lambda it: it.claim("1", NOW))):
        with pytest.raises(DatabaseUnavailable):
            await work
    await engine.dispose()


class Dialler:
    """Whose phone is free, and who is dialled."""

    def __init__(self) -> None:
        self.free = True
        self.dialled: list[tuple[str, str]] = []
        self.over: Callable[[str], None]

    def take(self, agent: str) -> str | None:
        taken, self.free = self.free, False
        return agent if taken else None

    def give_back(self, _agent: str) -> None:
        self.free = True

    def begin(self, number: str, agent: str, _endpoint: str, over: Callable[[str], None]) -> None:
        self.dialled.append((number, agent))
        self.over = over


class Desk:
    """A desk with its notes, and answers as a flow gets them."""

    def __init__(self, store: CallbackStore, prefixes: tuple[str, ...] = ("+1202",)) -> None:
        self.dialler = Dialler()
        self.notes: list[tuple[str, dict[str, Any]]] = []
        self.work: list[asyncio.Task[None]] = []
        self.desk = CallbackDesk(
            store,
            Allowed((), prefixes, trunk=True),
            "US",
            ("1001", "1002"),
            clock=lambda: NOW,
            note=self._note,
            own=lambda work, _name: self.work.append(asyncio.create_task(work)),
            dialler=self.dialler,
        )

    def _note(self, kind: str, **more: Any) -> None:
        self.notes.append((kind, more))

    async def ask(self, call: str, number: str = "+12025550142", joined_at: float | None = None) -> str:
        return await self.desk.promise(call, number, "sales", "es", joined_at, {"a": "b"})


async def test_what_is_promised_is_on_disk_and_in_the_history_without_the_number(
    store: CallbackStore, database_url: str
) -> None:
    floor = Desk(store)
    assert await floor.ask("c1", "2025550142", NOW - 300) == "ok"
    other = open_engine(database_url)  # somebody who shares nothing with us
    (one,) = await CallbackStore(other).page(PENDING)
    await other.dispose()
    assert (one.number, one.joined_at, one.language, one.data) == ("+12025550142", NOW - 300, "es", {"a": "b"})
    ((kind, told),) = floor.notes
    assert (kind, told["call_id"], told["queue"], told["data"]) == (
        "callback.requested",
        "c1",
        "sales",
        {"callback": one.id},
    )


async def test_why_nothing_is_promised(store: CallbackStore) -> None:
    floor = Desk(store)
    for number in ("", "1001", "+4930123456", "abc", "+12125550142"):
        assert await floor.ask("c1", number) == "not_allowed"
    assert await Desk(store, prefixes=()).ask("c1") == "not_allowed"
    assert await floor.ask("c1") == "ok"
    assert await floor.ask("c2") == "already"
    assert await floor.ask("c1") == "ok"  # the same call, taken up again after a restart
    assert [kind for kind, _ in floor.notes] == ["callback.requested"]


async def test_a_broken_database_promises_nothing(tmp_path: object) -> None:
    engine = open_engine(f"sqlite+aiosqlite:///{tmp_path}/empty.db")
    floor = Desk(CallbackStore(engine))
    answers: list[str] = []
    floor.desk.begin("c1", "+12025550142", "sales", "en", None, {}, answers.append)
    await asyncio.gather(*floor.work)
    assert answers == ["failed"]
    assert floor.notes == []
    await engine.dispose()


async def test_whoever_hung_up_meanwhile_is_called_all_the_same(store: CallbackStore) -> None:
    floor = Desk(store)
    answers: list[str] = []
    floor.desk.begin("c1", "+12025550142", "sales", "en", None, {}, answers.append).cancel()
    await asyncio.gather(*floor.work)
    assert answers == []
    assert len(await store.page(PENDING)) == 1


async def test_a_call_is_claimed_before_a_phone_rings_and_put_back_when_nobody_was_reached(
    store: CallbackStore,
) -> None:
    floor = Desk(store)
    assert await floor.ask("c1") == "ok"
    claimed = await floor.desk.command(1, "call", "1001")
    assert (claimed.state, claimed.agent, claimed.attempts) == (CallbackState.CLAIMED, "1001", 1)
    assert await store.get(1) == claimed
    assert floor.dialler.dialled == [("+12025550142", "1001")]
    with pytest.raises(CommandRefused, match="Agent 1002 has a caller now"):
        await floor.desk.command(1, "call", "1002")
    floor.dialler.over("no_answer")
    await asyncio.gather(*floor.work)
    back = await store.get(1)
    assert back is not None
    assert (back.state, back.agent, back.attempts) == (CallbackState.OPEN, "", 1)
    assert [kind for kind, _ in floor.notes[1:]] == ["callback.claimed", "callback.called", "callback.released"]


async def test_after_a_talk_the_claim_stays_until_the_agent_says_what_came_of_it(store: CallbackStore) -> None:
    floor = Desk(store)
    await floor.ask("c1")
    await floor.desk.command(1, "claim", "1001")
    called = await floor.desk.command(1, "call", "1001")  # their own claim
    assert called.attempts == 1
    floor.dialler.over("talked")
    await asyncio.gather(*floor.work)
    now = await store.get(1)
    assert now is not None
    assert now.state is CallbackState.CLAIMED


async def test_whose_call_is_refused_keeps_a_free_phone(store: CallbackStore) -> None:
    floor = Desk(store)
    await floor.ask("c1")
    await floor.desk.command(1, "claim", "1001")
    with pytest.raises(CommandRefused, match="claimed by 1001"):
        await floor.desk.command(1, "call", "1002")
    assert floor.dialler.free
    with pytest.raises(CommandRefused, match="An agent is needed"):
        await floor.desk.command(1, "call")
    assert floor.dialler.dialled == []
    other = Desk(store, prefixes=("+49",))  # the configuration was changed since
    with pytest.raises(CommandRefused, match="may not be dialled"):
        await other.desk.command(1, "call", "1001")
