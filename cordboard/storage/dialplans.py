"""Versions of the dialplans on record. What is written is on disk when a method returns.

Every change of what calls meet is one transaction: at any moment one version is live, and one at most is the canary.
Every method raises `DatabaseUnavailable`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import asdict, replace
from typing import Any

from sqlalchemy import Row, Select, case, delete, func, insert, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from cordboard.dialplan_versions import Files, Source, State, Version, packed, unpacked
from cordboard.storage.errors import DatabaseUnavailable
from cordboard.storage.schema import dialplan_versions as table
from cordboard.storage.statements import rows_of
from ivr.versions import Canary

_PAST = update(table).where(table.c.state == State.LIVE.value).values(state=State.PAST.value)
_ABOUT = [column for column in table.columns if column.name != "content"]


class VersionStore:
    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def add(self, version: Version, files: Files) -> Version:
        """As the newest one, with its number; when it is live, in place of the one that is."""
        content = await asyncio.to_thread(packed, files)
        async with self._transaction() as connection:
            newest = (await connection.execute(select(func.max(table.c.number)))).scalar_one()
            added = replace(version, number=(newest or 0) + 1)
            if added.state is State.LIVE:
                await connection.execute(_PAST)
            await connection.execute(insert(table).values(**_values(added), content=content))
        return added

    async def go_live(self, number: int, at: float, follows: int | None) -> None:
        """From now on calls meet this one; a canary that it was has proved itself. `follows` None: as it is."""
        changes: dict[str, Any] = {"state": State.LIVE.value, "published_at": at, "share": 0.0, "numbers": []}
        if follows is not None:
            changes["follows"] = follows
        async with self._transaction() as connection:
            await connection.execute(_PAST)
            await connection.execute(update(table).where(table.c.number == number).values(**changes))

    async def set_canary(self, canary: Canary | None) -> None:
        """In place of the one there is; None: no canary any more."""
        before = case((table.c.published_at.is_(None), State.STAGED.value), else_=State.PAST.value)
        async with self._transaction() as connection:
            await connection.execute(
                update(table).where(table.c.state == State.CANARY).values(state=before, share=0.0, numbers=[])
            )
            if canary is not None:
                values = {"share": canary.share, "numbers": sorted(canary.numbers), "state": State.CANARY.value}
                await connection.execute(update(table).where(table.c.number == canary.version).values(**values))

    async def prune(self, keep: int, never: Collection[int]) -> int:
        """Remove all but the `keep` newest, those in use and those of `never`; how many."""
        newest = select(table.c.number).order_by(table.c.number.desc()).limit(keep).scalar_subquery()
        in_use = [State.LIVE.value, State.CANARY.value]
        async with self._transaction() as connection:
            removed = await connection.execute(
                delete(table).where(
                    table.c.number.not_in(newest), table.c.state.not_in(in_use), table.c.number.not_in(never)
                )
            )
        return removed.rowcount

    async def get(self, number: int) -> Version | None:
        return await self._one(select(*_ABOUT).where(table.c.number == number))

    async def in_state(self, state: State) -> Version | None:
        """The live one, or the canary."""
        return await self._one(select(*_ABOUT).where(table.c.state == state))

    async def newest(self, source: Source | None = None) -> Version | None:
        """The newest one there is, or the newest that came from there."""
        query = select(*_ABOUT).order_by(table.c.number.desc()).limit(1)
        return await self._one(query if source is None else query.where(table.c.source == source))

    async def page(self, limit: int = 50, before: int | None = None) -> list[Version]:
        """The newest first, those below number `before`."""
        query = select(*_ABOUT).order_by(table.c.number.desc()).limit(limit)
        if before is not None:
            query = query.where(table.c.number < before)
        return [_version(row) for row in await rows_of(self._engine, query)]

    async def files(self, number: int) -> dict[str, bytes]:
        """Everything that was in its folder."""
        rows = await rows_of(self._engine, select(table.c.content).where(table.c.number == number))
        return await asyncio.to_thread(unpacked, rows[0][0]) if rows else {}

    async def _one(self, query: Select[Any]) -> Version | None:
        rows = await rows_of(self._engine, query)
        return _version(rows[0]) if rows else None

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[AsyncConnection]:
        try:
            async with self._engine.begin() as connection:
                yield connection
        except (SQLAlchemyError, OSError) as error:
            raise DatabaseUnavailable(type(error).__name__) from None


def _values(version: Version) -> dict[str, Any]:
    values = asdict(version)
    return values | {"source": version.source.value, "state": version.state.value, "numbers": list(version.numbers)}


def _version(row: Row[Any]) -> Version:
    values = dict(row._mapping)
    values["source"], values["state"] = Source(values["source"]), State(values["state"])
    values["numbers"] = tuple(values["numbers"])
    return Version(**values)
