"""A database in memory that does what the test tells it to, and a journal writer that just keeps things."""

from __future__ import annotations

import asyncio

from cordboard.events import AgentState, Event
from cordboard.records import CallRecord
from cordboard.storage.batch import Batch
from cordboard.storage.errors import DatabaseUnavailable, RowsRefused


class FakeSink:
    """`away` makes it unavailable, `poison` refuses a kind of event, `held` keeps a write from ending."""

    def __init__(self) -> None:
        self.batches: list[Batch] = []
        self.away = False
        self.poison = ""
        self.held: asyncio.Event | None = None
        self.attempts = 0
        self._changed = asyncio.Condition()
        self.closed = False

    @property
    def events(self) -> list[int]:
        return [event.seq for batch in self.batches for event in batch.events]

    async def write(self, batch: Batch) -> None:
        self.attempts += 1
        await self._tell()
        if self.held is not None:
            await self.held.wait()
        if self.away:
            raise DatabaseUnavailable("away")
        if self.poison and any(event.kind == self.poison for event in batch.events):
            raise RowsRefused("poison")
        self.batches.append(batch)
        await self._tell()

    async def close(self) -> None:
        self.closed = True

    async def until_attempts(self, count: int) -> None:
        async with self._changed:
            await self._changed.wait_for(lambda: self.attempts >= count)

    async def until_written(self, count: int) -> None:
        async with self._changed:
            await self._changed.wait_for(lambda: len(self.events) >= count)

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()


class KeepingWriter:
    """What a journal handed over."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.records: list[CallRecord] = []
        self.agent_states: list[AgentState] = []

    def event(self, event: Event) -> None:
        self.events.append(event)

    def record(self, record: CallRecord) -> None:
        self.records.append(record)

    def agent_state(self, state: AgentState) -> None:
        self.agent_states.append(state)
