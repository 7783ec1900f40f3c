"""Questions to the database. It never writes and holds no connection between two questions."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, Select, exists, func, or_, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from cordboard.clock import Clock
from cordboard.events import AgentState, Event
from cordboard.records import OPENING, CallRecord
from cordboard.storage.errors import DatabaseUnavailable
from cordboard.storage.schema import OPENS_CALL, agent_states, calls, events

OPEN_FOR_S = 7 * 86_400.0
"""No call lasts longer; what is older and not closed is damage, not a call."""

PAGE = 500


@dataclass(frozen=True, slots=True)
class CallFilter:
    """Which closed calls; None: any."""

    queue: str | None = None
    agent: str | None = None
    outcome: str | None = None
    since: float | None = None  # ended at this time or later
    until: float | None = None  # ended before this time


@dataclass(frozen=True, slots=True)
class CallCursor:
    """The last call of a page; the next page begins after it."""

    ended_at: float
    call_id: str


@dataclass(frozen=True, slots=True)
class CallHistory:
    """A call's events, and its record when it is closed."""

    record: CallRecord | None
    events: list[Event]


class Reader:
    """Every question raises `DatabaseUnavailable` when it cannot be answered."""

    def __init__(self, engine: AsyncEngine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    async def last_seq(self) -> int:
        """The newest event's number, 0 when there is none."""
        rows = await self._rows(select(func.max(events.c.seq)))
        return int(rows[0][0] or 0)

    async def open_calls(self) -> list[str]:
        """Calls that began in the last days and have no record, oldest first."""
        return [row[0] for row in await self._rows(self._open_calls().order_by(func.min(events.c.at)))]

    async def unclosed(self) -> list[Event]:
        """All events of the open calls, in order: what the records are rebuilt from after a restart."""
        ids = self._open_calls().subquery()
        query = select(events).where(events.c.call_id.in_(select(ids.c.call_id))).order_by(events.c.seq)
        return [_event(row) for row in await self._rows(query)]

    async def agent_states(self) -> dict[str, AgentState]:
        return {row.agent: AgentState._make(row) for row in await self._rows(select(agent_states))}

    async def calls(
        self, limit: int = 50, before: CallCursor | None = None, wanted: CallFilter = CallFilter()
    ) -> list[CallRecord]:
        """Closed calls, the newest first."""
        query = select(calls).order_by(calls.c.ended_at.desc(), calls.c.call_id.desc()).limit(limit)
        for column, value in ((calls.c.queue, wanted.queue), (calls.c.agent, wanted.agent)):
            if value is not None:
                query = query.where(column == value)
        if wanted.outcome is not None:
            query = query.where(calls.c.outcome == wanted.outcome)
        if wanted.since is not None:
            query = query.where(calls.c.ended_at >= wanted.since)
        if wanted.until is not None:
            query = query.where(calls.c.ended_at < wanted.until)
        if before is not None:
            earlier = calls.c.ended_at < before.ended_at
            same = (calls.c.ended_at == before.ended_at) & (calls.c.call_id < before.call_id)
            query = query.where(or_(earlier, same))
        return [_record(row) for row in await self._rows(query)]

    async def last_talks(self, limit: int) -> list[tuple[str, str]]:
        """`(caller number, agent)` of the newest talks, the oldest first."""
        query = (
            select(calls.c.caller_number, calls.c.agent)
            .where(calls.c.agent.is_not(None), calls.c.caller_number != "")
            .order_by(calls.c.ended_at.desc(), calls.c.call_id.desc())
            .limit(limit)
        )
        return [(row[0], row[1]) for row in reversed(await self._rows(query))]

    async def call(self, call_id: str) -> CallHistory | None:
        """None: nothing is known of such a call."""
        records = await self._rows(select(calls).where(calls.c.call_id == call_id))
        found = await self._rows(select(events).where(events.c.call_id == call_id).order_by(events.c.seq))
        if not records and not found:
            return None
        return CallHistory(_record(records[0]) if records else None, [_event(row) for row in found])

    async def recorded(self, call_ids: Collection[str]) -> set[str]:
        """Which of these calls have a closed record. Ask for a few hundred at a time."""
        query = select(calls.c.call_id).where(calls.c.call_id.in_(call_ids))
        return {row[0] for row in await self._rows(query)}

    async def events_after(self, seq: int, upto: int, call_id: str | None = None) -> AsyncIterator[Event]:
        """Events `seq` < number <= `upto`, in order, read page by page."""
        while seq < upto:
            query = select(events).where(events.c.seq > seq, events.c.seq <= upto).order_by(events.c.seq).limit(PAGE)
            if call_id is not None:
                query = query.where(events.c.call_id == call_id)
            rows = await self._rows(query)
            for row in rows:
                yield _event(row)
            if len(rows) < PAGE:
                return
            seq = rows[-1].seq

    async def events_between(self, begin: float, end: float, kinds: frozenset[str]) -> AsyncIterator[Event]:
        """Events of these kinds noted from `begin` up to `end`, in order, read page by page.

        Times are searched for by the arrivals of calls, which are indexed; a little more may be read than is given.
        """
        opening, at = select(events.c.seq).where(OPENS_CALL).limit(1), events.c.at
        before = await self._rows(opening.where(at < begin).order_by(at.desc()))
        after = await self._rows(opening.where(at >= end).order_by(at))
        seq = before[0].seq if before else 0
        upto = after[0].seq if after else await self.last_seq()
        while seq < upto:
            query = (
                select(events)
                .where(events.c.seq > seq, events.c.seq <= upto, events.c.kind.in_(sorted(kinds)))
                .order_by(events.c.seq)
                .limit(PAGE)
            )
            rows = await self._rows(query)
            for row in rows:
                if begin <= row.at < end:
                    yield _event(row)
            if len(rows) < PAGE:
                return
            seq = rows[-1].seq

    async def check(self) -> None:
        """Raises `DatabaseUnavailable` when the database does not answer."""
        await self._rows(select(1))

    def _open_calls(self) -> Select[Any]:
        closed = exists().where(calls.c.call_id == events.c.call_id)
        return (
            select(events.c.call_id)
            .where(
                events.c.kind.in_(sorted(OPENING)),
                events.c.at >= self._clock() - OPEN_FOR_S,
                events.c.call_id.is_not(None),
                ~closed,
            )
            .group_by(events.c.call_id)
        )

    async def _rows(self, query: Select[Any]) -> list[Row[Any]]:
        try:
            async with self._engine.connect() as connection:
                return list((await connection.execute(query)).all())
        except (SQLAlchemyError, OSError) as error:
            raise DatabaseUnavailable(type(error).__name__) from error


def _event(row: Row[Any]) -> Event:
    return Event._make(row)


def _record(row: Row[Any]) -> CallRecord:
    return CallRecord(**row._mapping)
