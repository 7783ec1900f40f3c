"""Brings the database to this version's schema at the start, whole or not at all.

Two processes may start at once: the first one migrates, the other waits and finds nothing to do.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from alembic import command
from alembic.config import Config as AlembicConfig
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from cordboard.storage.errors import SchemaMismatch

MIGRATIONS = Path(__file__).parent / "migrations"

ADVISORY_LOCK = 0x436F7264626F6172
"""A number of our own among PostgreSQL's advisory locks."""


async def migrate(engine: AsyncEngine) -> None:
    """Upgrade to the newest revision. Raises `SchemaMismatch` when the database is newer than this program."""
    async with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            await _enable_wal(connection)
            # Taken by hand: Python's sqlite3 begins no transaction before DDL.
            await connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            await connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({ADVISORY_LOCK})")
        await connection.run_sync(_upgrade)
        await connection.commit()


async def _enable_wal(connection: AsyncConnection) -> None:
    """SQLite does not wait (busy_timeout) for the lock that this change needs; another process may be at it too."""
    for last_try in [*[False] * 100, True]:
        try:
            await connection.exec_driver_sql("PRAGMA journal_mode=WAL")
        except OperationalError:
            if last_try:
                raise
            await asyncio.sleep(0.05)
        else:
            return


def newest_revision() -> str:
    return ScriptDirectory.from_config(_config()).get_current_head() or ""


def _config() -> AlembicConfig:
    config = AlembicConfig()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _upgrade(connection: Connection) -> None:
    config = _config()
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        if "locate revision" not in str(error):
            raise
        raise SchemaMismatch(
            "the database was made by a newer Cordboard; use that version, or restore a copy"
        ) from None
