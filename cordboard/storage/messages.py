"""What is on record of callers' messages: whole rows, the newest wins. Every method raises `DatabaseUnavailable`."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Row, Select, func, or_, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from cordboard.message import OPEN, Message, MessageState
from cordboard.storage.errors import DatabaseUnavailable
from cordboard.storage.schema import messages
from cordboard.storage.statements import rows_of, upsert


@dataclass(frozen=True, slots=True)
class MessageFilter:
    """Which messages; None: any. Deleted ones only when they are asked for."""

    box: str | None = None
    call: str | None = None
    state: str | None = None
    since: float | None = None
    until: float | None = None


@dataclass(frozen=True, slots=True)
class MessageCursor:
    """The last message of a page; the next page begins after it."""

    at: float
    id: str


class MessageStore:
    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._put = upsert(engine, messages)

    async def put(self, message: Message) -> None:
        """Write this, whatever was there before."""
        try:
            async with self._engine.begin() as connection:
                await connection.execute(self._put, [asdict(message) | {"state": message.state.value}])
        except (SQLAlchemyError, OSError) as error:
            raise DatabaseUnavailable(type(error).__name__) from None

    async def get(self, name: str) -> Message | None:
        rows = await self._messages(select(messages).where(messages.c.id == name))
        return rows[0] if rows else None

    async def known(self, names: Collection[str]) -> set[str]:
        """Those of the names that are on record."""
        return {row.id for row in await rows_of(self._engine, select(messages.c.id).where(messages.c.id.in_(names)))}

    async def unfinished(self) -> list[Message]:
        """Those whose file is not there yet, oldest first."""
        query = select(messages).where(messages.c.file == "", messages.c.state != MessageState.DELETED)
        return await self._messages(query.order_by(messages.c.at))

    async def older_than(self, at: float, limit: int) -> list[Message]:
        query = select(messages).where(messages.c.state.in_(OPEN), messages.c.file != "", messages.c.at < at)
        return await self._messages(query.order_by(messages.c.at).limit(limit))

    async def new_by_box(self) -> dict[str, int]:
        """How many nobody has heard."""
        query = select(messages.c.box, func.count().label("number")).where(messages.c.state == MessageState.NEW)
        return {row.box: row.number for row in await rows_of(self._engine, query.group_by(messages.c.box))}

    async def page(
        self, limit: int = 50, before: MessageCursor | None = None, wanted: MessageFilter = MessageFilter()
    ) -> list[Message]:
        """The newest first."""
        table = messages.c
        query = select(messages).order_by(table.at.desc(), table.id.desc()).limit(limit)
        for name in ("box", "call", "state"):
            value = getattr(wanted, name)
            if value is not None:
                query = query.where(table[name] == value)
        if wanted.state is None:
            query = query.where(table.state.in_(OPEN))
        if wanted.since is not None:
            query = query.where(table.at >= wanted.since)
        if wanted.until is not None:
            query = query.where(table.at < wanted.until)
        if before is not None:
            query = query.where(or_(table.at < before.at, (table.at == before.at) & (table.id < before.id)))
        return await self._messages(query)

    async def _messages(self, query: Select[Any]) -> list[Message]:
        return [_message(row) for row in await rows_of(self._engine, query)]


def _message(row: Row[Any]) -> Message:
    values = dict(row._mapping)
    values["state"] = MessageState(values["state"])
    return Message(**values)
