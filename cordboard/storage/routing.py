"""The routing log in the database: questions to it, states worked out from it, and its old lines removed.

New lines come through the one writer; what is done here is the work of another process, in small transactions.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from sqlalchemy import ColumnElement, Executable, Row, delete, func, insert, select
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from acd.facts import CallerJoined
from acd.replay import BEGAN, Entry, State
from cordboard.storage.errors import DatabaseUnavailable
from cordboard.storage.schema import routing_log, routing_states

PAGE = 2_000


class RoutingStore:
    """Every question raises `DatabaseUnavailable` when it cannot be answered."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def last(self) -> int:
        """The newest line's number, 0 when there is none."""
        return await self._number(select(func.max(routing_log.c.number))) or 0

    async def span(self, call: str) -> tuple[int, int] | None:
        """The first and the last line that name a call."""
        number = routing_log.c.number
        naming = routing_log.c.call_id == call
        first = await self._number(select(func.min(number)).where(naming))
        last = await self._number(select(func.max(number)).where(naming))
        return None if first is None or last is None else (first, last)

    async def beginning(self, number: int) -> State | int | None:
        """The last place before a line from which a replay can come to it: a state, or the first line of a service."""
        line = routing_log.c.number
        begun = await self._number(select(func.max(line)).where(routing_log.c.kind == BEGAN, line <= number))
        state = routing_states.c.number
        newest = select(routing_states).where(state < number, state > (begun or 0)).order_by(state.desc()).limit(1)
        for row in await self._rows(newest):
            return State._make(row)
        return begun

    async def first_beginning(self) -> State | int | None:
        """Where a replay of everything begins."""
        line, state = routing_log.c.number, routing_states.c.number
        begun = await self._number(select(func.min(line)).where(routing_log.c.kind == BEGAN))
        for row in await self._rows(select(routing_states).order_by(state).limit(1)):
            if begun is None or row.number < begun:
                return State._make(row)
        return begun

    async def lines(self, first: int, last: int | None = None) -> AsyncIterator[Entry]:
        """In order, read page by page."""
        wanted = [] if last is None else [routing_log.c.number <= last]
        async for entry in self._pages(first, wanted):
            yield entry

    async def joined(self, since: float, until: float) -> AsyncIterator[Entry]:
        """The lines that tell of a caller who joined a queue in this time."""
        line = routing_log.c
        async for entry in self._pages(0, [line.kind == CallerJoined.__name__, line.at >= since, line.at < until]):
            yield entry

    async def _pages(self, first: int, wanted: list[ColumnElement[bool]]) -> AsyncIterator[Entry]:
        number = routing_log.c.number
        while True:
            rows = await self._rows(select(routing_log).where(number >= first, *wanted).order_by(number).limit(PAGE))
            for row in rows:
                yield Entry._make(row)
            if len(rows) < PAGE:
                return
            first = rows[-1].number + 1

    async def keep(self, state: State) -> None:
        """Another process may have come to the same state."""
        try:
            await self._do(insert(routing_states).values(state._asdict()))
        except IntegrityError:
            return

    async def forget(self, before: float) -> int:
        """Remove what is older, but for what a replay of the rest needs to begin; the number of lines removed."""
        line, state = routing_log.c.number, routing_states.c.number
        begun = await self._number(select(func.max(line)).where(routing_log.c.kind == BEGAN, routing_log.c.at < before))
        known = await self._number(select(func.max(state)).where(routing_states.c.at < before))
        first = max(begun or 0, known + 1 if known else 0)
        await self._do(delete(routing_states).where(state < first - 1))
        removed = 0
        while True:
            old = select(line).where(line < first).order_by(line).limit(PAGE)
            count = await self._do(delete(routing_log).where(line.in_(old)))
            removed += count
            if count < PAGE:
                return removed

    async def _number(self, query: Any) -> int | None:
        found = (await self._rows(query))[0][0]
        return None if found is None else int(found)

    async def _rows(self, query: Any) -> list[Row[Any]]:
        try:
            async with self._engine.connect() as connection:
                return list((await connection.execute(query)).all())
        except (SQLAlchemyError, OSError) as error:
            raise DatabaseUnavailable(type(error).__name__) from error

    async def _do(self, statement: Executable) -> int:
        try:
            async with self._engine.begin() as connection:
                return (await connection.execute(statement)).rowcount
        except IntegrityError:
            raise
        except (SQLAlchemyError, OSError) as error:
            raise DatabaseUnavailable(type(error).__name__) from error
