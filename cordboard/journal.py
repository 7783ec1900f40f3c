"""The journal: everything that happens is noted here once, in one order, and goes three ways from here.

Each event gets its number and time, then goes to the writer, into the record of its call, and to whoever watches
live. Decides the order of events and that a watcher who is slow hurts nobody but themselves. It refuses to know why
things happen and how they are stored.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from cordboard.clock import Clock
from cordboard.events import AgentState, Event
from cordboard.records import CallRecord, CallRecords

WATCHER_CAPACITY = 2_000


class JournalWriter(Protocol):
    """Where events go to stay. Synchronous, cheap, and never raises."""

    def event(self, event: Event, /) -> None: ...
    def record(self, record: CallRecord, /) -> None: ...
    def agent_state(self, state: AgentState, /) -> None: ...


@dataclass(frozen=True, slots=True)
class Missed:
    """A gap in what a slow watcher was given. The log still has it: events `first` to `last`."""

    count: int
    first: int
    last: int


class Subscription:
    """One watcher's bounded view of the live events."""

    def __init__(self, call_id: str | None, capacity: int, leave: Callable[[Subscription], None]) -> None:
        self._call_id = call_id
        self._capacity = capacity
        self._leave = leave
        self._waiting: deque[Event | Missed] = deque()
        self._missed: Missed | None = None
        self._arrived = asyncio.Event()

    def push(self, event: Event) -> None:
        if self._call_id is not None and event.call_id != self._call_id:
            return
        if len(self._waiting) >= self._capacity:
            before = self._missed
            self._missed = Missed(before.count + 1 if before else 1, before.first if before else event.seq, event.seq)
            return
        if self._missed is not None:
            self._waiting.append(self._missed)
            self._missed = None
        self._waiting.append(event)
        self._arrived.set()

    async def next(self) -> Event | Missed:
        """The next event, or how many were missed at this place."""
        while not self._waiting:
            if self._missed is not None:
                missed, self._missed = self._missed, None
                return missed
            self._arrived.clear()
            await self._arrived.wait()
        return self._waiting.popleft()

    def close(self) -> None:
        self._leave(self)

    def __enter__(self) -> Subscription:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()


class Journal:
    """`last_seq` and `restore` come from the database at the start; then `note` is all."""

    def __init__(self, clock: Clock, writer: JournalWriter, *, last_seq: int = 0) -> None:
        self.last_seq = last_seq
        self.records = CallRecords()
        self.counts: Counter[str] = Counter()
        self._clock = clock
        self._writer = writer
        self._watchers: list[Subscription] = []
        self._listeners: list[Callable[[Event], None]] = []

    def listen(self, listener: Callable[[Event], None]) -> None:
        """Hand every event to this function too, at once. It must be cheap and must not raise.

        What it notes itself comes after; those that listen since before it hear both in order.
        """
        self._listeners.append(listener)

    def restore(self, events: Iterable[Event]) -> None:
        """Rebuild the records of the calls that were under way when a predecessor ended."""
        for event in events:
            self.records.apply(event)

    def note(
        self,
        kind: str,
        *,
        call_id: str | None = None,
        agent: str | None = None,
        queue: str | None = None,
        data: dict[str, Any] | None = None,
    ) -> None:
        """Something happened. `data` must be plain JSON and belongs to the journal from here on."""
        if data is None:
            data = {}
        else:
            # The engines put these into `data`; as columns they can be searched for.
            agent = agent or data.get("agent")
            queue = queue or data.get("queue")
        self.last_seq += 1
        event = Event(self.last_seq, self._clock(), kind, call_id, agent, queue, data)
        self.counts[kind] += 1
        self._writer.event(event)
        record = self.records.apply(event)
        if record is not None:
            self._writer.record(record)
        elif kind == "agent.state" and agent is not None:
            state, reason = str(data.get("state", "")), str(data.get("reason") or "")
            self._writer.agent_state(AgentState(agent, state, reason, event.at))
        for watcher in self._watchers:
            watcher.push(event)
        for listener in self._listeners:
            listener(event)

    def subscribe(self, *, call_id: str | None = None, capacity: int = WATCHER_CAPACITY) -> Subscription:
        """Watch from now on, until the subscription is closed."""
        subscription = Subscription(call_id, capacity, self._leave)
        self._watchers.append(subscription)
        return subscription

    @property
    def watchers(self) -> int:
        return len(self._watchers)

    def _leave(self, subscription: Subscription) -> None:
        if subscription in self._watchers:
            self._watchers.remove(subscription)
