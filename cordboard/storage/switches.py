"""Switches on record: the last flip of each. Every method raises `DatabaseUnavailable`."""

from __future__ import annotations

from dataclasses import asdict

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from cordboard.storage.errors import DatabaseUnavailable
from cordboard.storage.schema import switches as table
from cordboard.storage.statements import upsert
from cordboard.switches import Switch


class SwitchStore:
    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._put = upsert(engine, table)

    async def all(self) -> list[Switch]:
        try:
            async with self._engine.connect() as connection:
                return [Switch(**row._mapping) for row in (await connection.execute(select(table))).all()]
        except (SQLAlchemyError, OSError) as error:
            raise DatabaseUnavailable(type(error).__name__) from None

    async def put(self, switch: Switch) -> None:
        try:
            async with self._engine.begin() as connection:
                await connection.execute(self._put, [asdict(switch)])
        except (SQLAlchemyError, OSError) as error:
            raise DatabaseUnavailable(type(error).__name__) from None
