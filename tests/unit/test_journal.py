"""The journal: order, columns, live watchers who may be slow, and records kept up to date."""

from __future__ import annotations

import asyncio

from cordboard.events import AgentState, Event
from cordboard.journal import Journal, Missed
from tests.fakes.storage import KeepingWriter


class Ticking:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        self.now += 1
        return self.now


def journal(last_seq: int = 0) -> tuple[Journal, KeepingWriter]:
    writer = KeepingWriter()
    return Journal(Ticking(), writer, last_seq=last_seq), writer


def test_events_are_numbered_on_from_the_database() -> None:
    notes, writer = journal(last_seq=41)
    notes.note("call.arrived", call_id="c", data={"caller": "1"})
    notes.note("link.up")
    assert writer.events == [
        Event(42, 101.0, "call.arrived", "c", None, None, {"caller": "1"}),
        Event(43, 102.0, "link.up", None, None, None, {}),
    ]
    assert notes.last_seq == 43
    assert notes.counts == {"call.arrived": 1, "link.up": 1}


def test_agent_and_queue_in_the_data_become_columns() -> None:
    notes, writer = journal()
    notes.note("offer.made", call_id="c", data={"agent": "1001", "queue": "sales"})
    notes.note("offer.made", call_id="c", agent="1002", data={"agent": "1001"})
    assert [(event.agent, event.queue) for event in writer.events] == [("1001", "sales"), ("1002", None)]


def test_a_call_that_ends_is_recorded_once() -> None:
    notes, writer = journal()
    notes.note("call.arrived", call_id="c", data={})
    notes.note("call.ended", call_id="c", data={"outcome": "talked"})
    notes.note("call.ended", call_id="c", data={"outcome": "again"})
    assert [record.outcome for record in writer.records] == ["talked"]
    assert len(notes.records) == 0


def test_calls_of_a_predecessor_are_closed_with_all_that_happened_to_them() -> None:
    before, writer = journal()
    before.note("call.arrived", call_id="c", data={"caller": "600"})
    before.note("queue.joined", call_id="c", queue="sales", data={"position": 1})
    after, later = journal(last_seq=2)
    after.restore(writer.events)
    assert list(after.records) == ["c"]
    assert later.events == []
    after.note("call.ended", call_id="c", data={"outcome": "unseen", "ended_by": "unknown", "cause": 0})
    (record,) = later.records
    assert (record.caller_number, record.queue, record.outcome) == ("600", "sales", "unseen")


def test_the_state_of_an_agent_is_kept() -> None:
    notes, writer = journal()
    notes.note("agent.state", agent="1001", data={"state": "not_ready", "reason": "lunch"})
    notes.note("agent.state", data={"agent": "1002", "state": "ready", "reason": None})
    assert writer.agent_states == [
        AgentState("1001", "not_ready", "lunch", 101.0),
        AgentState("1002", "ready", "", 102.0),
    ]


async def test_watchers_see_what_happens_from_now_on() -> None:
    notes, _ = journal()
    notes.note("before")
    with notes.subscribe() as everything, notes.subscribe(call_id="c") as one_call:
        assert notes.watchers == 2
        notes.note("a", call_id="c")
        notes.note("b", call_id="d")
        notes.note("c", call_id="c")
        assert [(await everything.next()).seq for _ in range(3)] == [2, 3, 4]  # type: ignore[union-attr]
        assert [(await one_call.next()).seq for _ in range(2)] == [2, 4]  # type: ignore[union-attr]
    assert notes.watchers == 0
    notes.note("after")


async def test_a_waiting_watcher_is_woken() -> None:
    notes, _ = journal()
    with notes.subscribe() as watcher:
        waiting = asyncio.create_task(watcher.next())
        await asyncio.sleep(0)
        notes.note("a")
        event = await waiting
        assert isinstance(event, Event)
        assert event.kind == "a"


async def test_a_slow_watcher_is_told_what_was_missed_where_it_was_missed() -> None:
    notes, writer = journal()
    with notes.subscribe(capacity=2) as watcher:
        for _ in range(5):
            notes.note("x")
        assert [await watcher.next() for _ in range(2)] == writer.events[:2]
        notes.note("y")
        assert await watcher.next() == Missed(3, 3, 5)
        assert await watcher.next() == writer.events[5]


async def test_a_slow_watcher_is_told_also_when_nothing_follows() -> None:
    notes, _ = journal()
    with notes.subscribe(capacity=1) as watcher:
        for _ in range(3):
            notes.note("x")
        await watcher.next()
        assert await watcher.next() == Missed(2, 2, 3)
        notes.note("y")
        assert isinstance(await watcher.next(), Event)
