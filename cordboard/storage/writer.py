"""The one writer: takes what happened without ever waiting, and commits it in groups.

Decides when a group is written, and what becomes of it while the database is away: it is kept, within a bound, and
tried again. Only beyond that bound, or when the database will never take a row, is anything lost; then it is counted
and said. It refuses to know what the events mean.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import structlog

from acd.replay import Entry
from cordboard.events import AgentState, Event
from cordboard.records import CallRecord
from cordboard.storage.batch import Batch
from cordboard.storage.errors import DatabaseUnavailable, RowsRefused
from cordboard.storage.sink import Sink
from cordboard.survey import Answer

log = structlog.get_logger()

LINGER_S = 0.05
"""How long a group gathers. 20 commits a second cost SQLite little, and nobody waits for one."""

CAPACITY = 200_000
"""Events kept while the database is away: about an hour at five calls a second."""

GROUP = 2_000
"""Events, and lines of the routing log, in one transaction at most: catching up does not hold the database for long."""

FIRST_RETRY_S, LAST_RETRY_S = 0.1, 5.0
HANGING_S = 3.0
"""A write that takes longer is as good as one that fails, until it ends after all."""


@dataclass(slots=True)
class WriterCounts:
    """For metrics and health."""

    events: int = 0
    records: int = 0
    commits: int = 0
    failures: int = 0
    dropped: int = 0
    failing: bool = False  # the alarm: the last write did not succeed, or the present one does not end
    last_failure: str = ""


class Writer:
    """`event`, `record`, `agent_state`, `routing` and `survey` are synchronous and cheap; `run` does the writing until
    `close`."""

    def __init__(
        self,
        sink: Sink,
        *,
        linger_s: float = LINGER_S,
        capacity: int = CAPACITY,
        first_retry_s: float = FIRST_RETRY_S,
    ) -> None:
        self.counts = WriterCounts()
        self._sink = sink
        self._linger_s = linger_s
        self._capacity = capacity
        self._first_retry_s = first_retry_s
        self._events: list[Event] = []
        self._records: list[CallRecord] = []
        self._agent_states: dict[str, AgentState] = {}
        self._routing: list[Entry] = []
        self._surveys: list[Answer] = []
        self._in_hand = 0
        # A sweep is a group that leaves nothing behind. Whoever flushes waits for the first one that has all of theirs.
        self._sweeps_begun = 0
        self._flushing: list[tuple[int, asyncio.Future[None]]] = []
        self._asleep = True
        self._work = asyncio.Event()
        self._hurry = asyncio.Event()
        self._running = False
        self._closing = False
        self._give_up = False
        self._finished = asyncio.Event()

    @property
    def pending(self) -> int:
        """Things handed over and not yet in the database."""
        return self._waiting + self._in_hand

    @property
    def _waiting(self) -> int:
        rows = len(self._events) + len(self._records) + len(self._agent_states)
        return rows + len(self._routing) + len(self._surveys)

    def event(self, event: Event) -> None:
        if len(self._events) >= self._capacity:
            self._lose(1, "the database is away for too long")
            return
        self._events.append(event)
        if self._asleep:
            self._wake()

    def record(self, record: CallRecord) -> None:
        if len(self._records) >= self._capacity:
            self._lose(1, "the database is away for too long")
            return
        self._records.append(record)
        if self._asleep:
            self._wake()

    def agent_state(self, state: AgentState) -> None:
        """Only an agent's newest state is kept."""
        self._agent_states[state.agent] = state
        if self._asleep:
            self._wake()

    def routing(self, entry: Entry) -> None:
        if len(self._routing) >= self._capacity:
            self._lose(1, "the database is away for too long")
            return
        self._routing.append(entry)
        if self._asleep:
            self._wake()

    def survey(self, answer: Answer) -> None:
        if len(self._surveys) >= self._capacity:
            self._lose(1, "the database is away for too long")
            return
        self._surveys.append(answer)
        if self._asleep:
            self._wake()

    async def run(self) -> None:
        """Write until `close`. Belongs into a task whose owner sees its exception."""
        self._running = True
        try:
            while True:
                await self._work.wait()
                await self._gather()
                await self._write_group()
                if self._waiting:
                    continue
                if self._closing:
                    return
                self._asleep = True
                self._work.clear()
        finally:
            self._running = False
            self._finished.set()
            for _, flushed in self._flushing:
                flushed.cancel()

    async def flush(self, timeout_s: float = 2.0) -> bool:
        """Wait until all that was handed over so far is in the database. False: it is not, the database is away."""
        if self.pending == 0:
            return True
        if self._finished.is_set() or self.counts.failing:
            return False
        flushed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._flushing.append((self._sweeps_begun + (self._waiting > 0), flushed))
        self._hurry.set()
        done, _ = await asyncio.wait([flushed], timeout=timeout_s)
        return bool(done) and not flushed.cancelled()

    async def close(self, timeout_s: float = 10.0) -> None:
        """Write what is left, within the time given, and end `run`. Then the sink is closed."""
        self._closing = True
        self._wake()
        self._hurry.set()
        if not self._running and not self._finished.is_set():
            self._give_up = True  # it never ran: one try is all there is time for
            while self._waiting:
                await self._write_group()
        elif not self._finished.is_set():
            try:
                async with asyncio.timeout(timeout_s):
                    await self._finished.wait()
            except TimeoutError:
                self._give_up = True
                self._hurry.set()
                await self._finished.wait()
        await self._sink.close()

    async def _gather(self) -> None:
        """Let a group come together, unless it is large already or somebody waits for it."""
        if not self._closing and len(self._events) < GROUP:
            await self._pause(self._linger_s)
        if not self._closing:
            self._hurry.clear()

    async def _pause(self, seconds: float) -> None:
        timer = asyncio.get_running_loop().call_later(seconds, self._hurry.set)
        try:
            await self._hurry.wait()
        finally:
            timer.cancel()

    async def _write_group(self) -> None:
        """A record goes with the last of the waiting events, never before its own."""
        batch = Batch(self._events[:GROUP], routing=self._routing[:GROUP], surveys=self._surveys[:GROUP])
        self._events, self._routing, self._surveys = (
            self._events[GROUP:],
            self._routing[GROUP:],
            self._surveys[GROUP:],
        )
        sweep = 0
        if not self._events and not self._routing and not self._surveys:
            batch.records, self._records = self._records, []
            batch.agent_states = list(self._agent_states.values())
            self._agent_states = {}
            self._sweeps_begun += 1
            sweep = self._sweeps_begun
        self._in_hand = len(batch)
        if batch:
            await self._settle(batch)
        still = []
        for needed, flushed in self._flushing:
            if needed > sweep:
                still.append((needed, flushed))
            elif not flushed.done():
                flushed.set_result(None)
        self._flushing = still

    async def _settle(self, batch: Batch) -> None:
        """Try until it is written, lost for good, or given up."""
        delay = self._first_retry_s
        while True:
            try:
                await self._write(batch)
            except DatabaseUnavailable as reason:
                self._failed(reason, len(batch))
                if self._give_up:
                    self._lose(len(batch), "the service ends and the database is away")
                    self._in_hand -= len(batch)
                    return
                self._hurry.clear()
                await self._pause(delay)
                delay = min(delay * 2, LAST_RETRY_S)
            except RowsRefused as reason:
                if len(batch) > 1:
                    for half in batch.halves():
                        await self._settle(half)
                    return
                self._lose(1, f"the database refuses it: {reason}")
                self._in_hand -= 1
                return
            else:
                self._written(batch)
                return

    async def _write(self, batch: Batch) -> None:
        """A database that hangs says nothing for long, on a dead network disk for ever: the alarm does not wait."""
        hanging = DatabaseUnavailable(f"a write takes more than {HANGING_S:g} s")
        alarm = asyncio.get_running_loop().call_later(HANGING_S, self._alarm, hanging, len(batch))
        try:
            await self._sink.write(batch)
        finally:
            alarm.cancel()

    def _written(self, batch: Batch) -> None:
        counts = self.counts
        counts.events += len(batch.events)
        counts.records += len(batch.records)
        counts.commits += 1
        self._in_hand -= len(batch)
        if counts.failing:
            counts.failing = False
            log.info("database is back", waiting=self.pending)

    def _wake(self) -> None:
        self._asleep = False
        self._work.set()

    def _failed(self, reason: DatabaseUnavailable, size: int) -> None:
        self.counts.failures += 1
        self._alarm(reason, size)

    def _alarm(self, reason: DatabaseUnavailable, size: int) -> None:
        counts = self.counts
        counts.last_failure = str(reason)
        if not counts.failing:
            counts.failing = True
            log.error("database does not take events; keeping them", reason=str(reason), group=size)

    def _lose(self, count: int, why: str) -> None:
        """The very last resort. One line for the first and for every ten thousandth, the rest is counted."""
        before = self.counts.dropped
        self.counts.dropped += count
        if before // 10_000 != self.counts.dropped // 10_000 or before == 0:
            log.error("events lost", count=count, total=self.counts.dropped, why=why)
