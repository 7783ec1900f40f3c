"""What is on record of recordings: whole rows, the newest wins. Every method raises `DatabaseUnavailable`."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Row, Select, or_, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from cordboard.recording import UNFINISHED, Recording, RecordingState, silences_as_json, silences_from_json
from cordboard.storage.errors import DatabaseUnavailable
from cordboard.storage.schema import recordings
from cordboard.storage.statements import rows_of, upsert


@dataclass(frozen=True, slots=True)
class RecordingFilter:
    """Which recordings; None: any."""

    call_id: str | None = None
    agent: str | None = None
    queue: str | None = None
    state: str | None = None
    since: float | None = None  # started at this time or later
    until: float | None = None  # started before this time


@dataclass(frozen=True, slots=True)
class RecordingCursor:
    """The last recording of a page; the next page begins after it."""

    started_at: float
    recording: str


class RecordingStore:
    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._put = upsert(engine, recordings)

    async def put(self, rows: Collection[Recording]) -> None:
        """Write these, whatever was there before."""
        if not rows:
            return
        try:
            async with self._engine.begin() as connection:
                await connection.execute(self._put, [_values(row) for row in rows])
        except (SQLAlchemyError, OSError) as error:
            raise DatabaseUnavailable(type(error).__name__) from None

    async def get(self, recording: str) -> Recording | None:
        rows = await self._rows(select(recordings).where(recordings.c.recording == recording))
        return rows[0] if rows else None

    async def unfinished(self) -> list[Recording]:
        """Those whose file is not ready, oldest first."""
        query = select(recordings).where(recordings.c.state.in_(UNFINISHED)).order_by(recordings.c.started_at)
        return await self._rows(query)

    async def older_than(self, started_at: float, limit: int) -> list[Recording]:
        """Ready ones that began before, oldest first."""
        query = select(recordings).where(
            recordings.c.state == RecordingState.READY, recordings.c.started_at < started_at
        )
        return await self._rows(query.order_by(recordings.c.started_at).limit(limit))

    async def page(
        self, limit: int = 50, before: RecordingCursor | None = None, wanted: RecordingFilter = RecordingFilter()
    ) -> list[Recording]:
        """The newest first."""
        table = recordings.c
        query = select(recordings).order_by(table.started_at.desc(), table.recording.desc()).limit(limit)
        for name in ("call_id", "agent", "queue", "state"):
            value = getattr(wanted, name)
            if value is not None:
                query = query.where(table[name] == value)
        if wanted.since is not None:
            query = query.where(table.started_at >= wanted.since)
        if wanted.until is not None:
            query = query.where(table.started_at < wanted.until)
        if before is not None:
            same = (table.started_at == before.started_at) & (table.recording < before.recording)
            query = query.where(or_(table.started_at < before.started_at, same))
        return await self._rows(query)

    async def _rows(self, query: Select[Any]) -> list[Recording]:
        return [_recording(row) for row in await rows_of(self._engine, query)]


def _values(row: Recording) -> dict[str, Any]:
    return asdict(row) | {"silences": silences_as_json(row.silences), "state": row.state.value}


def _recording(row: Row[Any]) -> Recording:
    values = dict(row._mapping)
    values["silences"] = silences_from_json(values["silences"])
    values["state"] = RecordingState(values["state"])
    return Recording(**values)
