"""Opens the database that the configuration names, set up for what we promise.

SQLite: synchronous=FULL, so that a closed call record survives a power cut; the writer commits in groups, which is what
makes that cheap. (WAL, so that readers never wait for the writer, is a property of the file: `migrate` sets it.)
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from cordboard.storage.errors import StorageError

BUSY_TIMEOUT_MS = 5000
CONNECT_TIMEOUT_S = 5
COMMAND_TIMEOUT_S = 15


def open_engine(url: str) -> AsyncEngine:
    """An engine for reading and migrating. The database is not touched before its first use. Raises `StorageError`."""
    parsed = _checked(url)
    if parsed.get_backend_name() == "sqlite":
        Path(parsed.database or "").parent.mkdir(parents=True, exist_ok=True)
        engine = create_async_engine(parsed)
        event.listen(engine.sync_engine, "connect", _set_pragmas)
        return engine
    return create_async_engine(
        parsed,
        pool_size=4,
        max_overflow=2,
        connect_args={"timeout": CONNECT_TIMEOUT_S, "command_timeout": COMMAND_TIMEOUT_S},
    )


def open_sqlite_writer(url: URL) -> Engine:
    """A synchronous engine on the same SQLite file, for the writer's own thread."""
    engine = create_engine(url.set(drivername="sqlite"), poolclass=NullPool)
    event.listen(engine, "connect", _set_pragmas)
    return engine


def _checked(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise StorageError("the database URL cannot be understood") from None
    if parsed.drivername not in {"sqlite+aiosqlite", "postgresql+asyncpg"}:
        raise StorageError(f"database driver {parsed.drivername}: use sqlite+aiosqlite or postgresql+asyncpg")
    if parsed.get_backend_name() == "sqlite" and parsed.database in {None, "", ":memory:"}:
        raise StorageError("an SQLite database must be a file: several connections share it")
    return parsed


def _set_pragmas(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.close()
