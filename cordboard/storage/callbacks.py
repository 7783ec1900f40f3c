"""Callbacks on record. What is added is on disk when `add` returns: it is promised to somebody then.

Two open requests of one number cannot be, whoever adds them (an index of the database's own), and of two who change one
request at once the second is refused. Every method raises `DatabaseUnavailable`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import asdict
from typing import Any

from sqlalchemy import Row, Select, insert, select, update
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from cordboard.callback import PENDING, Callback, CallbackRefused, CallbackState
from cordboard.storage.errors import DatabaseUnavailable
from cordboard.storage.schema import callback_requests as table
from cordboard.storage.statements import rows_of


class CallbackStore:
    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def add(self, request: Callback) -> Callback | None:
        """With its number in the list; None when this telephone number has a request already that is not closed."""
        try:
            async with self._engine.begin() as connection:
                added = await connection.execute(insert(table).values(_values(request)).returning(table.c.id))
                number: int = added.scalar_one()
        except IntegrityError:
            return None
        except (SQLAlchemyError, OSError) as error:
            raise DatabaseUnavailable(type(error).__name__) from None
        return Callback(**asdict(request) | {"id": number})

    async def get(self, number: int) -> Callback | None:
        rows = await self._rows(select(table).where(table.c.id == number))
        return rows[0] if rows else None

    async def pending_for(self, telephone: str) -> Callback | None:
        """The request of this telephone number that is not closed."""
        rows = await self._rows(select(table).where(table.c.number == telephone, table.c.state.in_(PENDING)))
        return rows[0] if rows else None

    async def page(
        self, states: Collection[CallbackState], queue: str | None = None, limit: int = 100, after: int = 0
    ) -> list[Callback]:
        """Who has waited longest comes first; of closed ones who was closed last. `after`: so many are left out."""
        query = select(table).where(table.c.state.in_(states)).limit(limit).offset(after)
        if set(states) <= set(PENDING):
            query = query.order_by(table.c.joined_at, table.c.id)
        else:
            query = query.order_by(table.c.changed_at.desc(), table.c.id.desc())
        if queue is not None:
            query = query.where(table.c.queue == queue)
        return await self._rows(query)

    async def change(self, before: Callback, how: Callable[[Callback], Callback]) -> Callback:
        """Change a request as it was read. Raises `CallbackRefused` when somebody else was first."""
        after = how(before)
        same = (
            (table.c.id == before.id)
            & (table.c.state == before.state)
            & (table.c.changed_at == before.changed_at)
            & (table.c.agent == before.agent)
        )
        try:
            async with self._engine.begin() as connection:
                changed = await connection.execute(update(table).where(same).values(_values(after)))
        except (SQLAlchemyError, OSError) as error:
            raise DatabaseUnavailable(type(error).__name__) from None
        if changed.rowcount != 1:
            raise CallbackRefused(f"Callback {before.id} was changed by somebody else a moment ago: look again.")
        return after

    async def _rows(self, query: Select[Any]) -> list[Callback]:
        return [_callback(row) for row in await rows_of(self._engine, query)]


def _values(request: Callback) -> dict[str, Any]:
    values = asdict(request) | {"state": request.state.value}
    del values["id"]
    return values


def _callback(row: Row[Any]) -> Callback:
    values = dict(row._mapping)
    return Callback(**values | {"state": CallbackState(values["state"])})
