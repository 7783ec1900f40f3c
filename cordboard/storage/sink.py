"""Writes one batch in one transaction, or nothing of it. Writing the same batch again changes nothing.

That a write may be repeated is what makes a commit of unknown fate harmless: rows that are there already are left as
they are. Statements are compiled once and given plain tuples: the ORM's and Core's per-row work would cost more than
the database does.
"""

from __future__ import annotations

import asyncio
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

from sqlalchemy import Dialect
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import PoolProxiedConnection

from cordboard.storage.batch import Batch
from cordboard.storage.engine import COMMAND_TIMEOUT_S, open_sqlite_writer
from cordboard.storage.errors import DatabaseUnavailable, RowsRefused
from cordboard.storage.schema import agent_states, calls, events, routing_log, survey_answers


class Sink(Protocol):
    async def write(self, batch: Batch) -> None:
        """Raises `DatabaseUnavailable` or `RowsRefused`; then nothing was written, or its fate is unknown."""

    async def close(self) -> None: ...


def open_sink(engine: AsyncEngine) -> Sink:
    return SqliteSink(engine) if engine.dialect.name == "sqlite" else PostgresSink(engine)


class Statements:
    """The inserts in a database's own words."""

    def __init__(self, dialect: Dialect) -> None:
        insert = sqlite.insert if dialect.name == "sqlite" else postgresql.insert
        upsert: Any = insert(agent_states)
        self.events = str(insert(events).on_conflict_do_nothing().compile(dialect=dialect))
        self.routing = str(insert(routing_log).on_conflict_do_nothing().compile(dialect=dialect))
        answer: Any = insert(survey_answers)
        key = {column.name for column in survey_answers.primary_key}
        self.surveys = str(
            answer.on_conflict_do_update(
                index_elements=sorted(key),
                set_={
                    column.name: answer.excluded[column.name] for column in survey_answers.c if column.name not in key
                },
                where=answer.excluded.at >= survey_answers.c.at,
            ).compile(dialect=dialect)
        )
        record: Any = insert(calls)
        self.records = str(
            record.on_conflict_do_update(
                index_elements=["call_id"],
                set_={"disposition": record.excluded.disposition},  # the one thing that comes after the end
                where=record.excluded.disposition != "",
            ).compile(dialect=dialect, compile_kwargs={"literal_binds": True})
        )
        self.agent_states = str(
            upsert.on_conflict_do_update(
                index_elements=["agent"],
                set_={name: upsert.excluded[name] for name in ("state", "reason", "since")},
                where=upsert.excluded.since >= agent_states.c.since,
            ).compile(dialect=dialect)
        )


class SqliteSink:
    """A thread and a connection of its own: one hop for a batch, and the event loop never waits for a disk."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._statements = Statements(engine.dialect)
        self._engine = open_sqlite_writer(engine.url)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="sqlite-writer")
        self._connection: PoolProxiedConnection | None = None

    async def write(self, batch: Batch) -> None:
        await asyncio.get_running_loop().run_in_executor(self._thread, self._write, batch)

    async def close(self) -> None:
        await asyncio.get_running_loop().run_in_executor(self._thread, self._disconnect)
        self._thread.shutdown(wait=False)
        self._engine.dispose()

    def _write(self, batch: Batch) -> None:
        try:
            if self._connection is None:
                self._connection = self._engine.raw_connection()
            self._insert(self._connection.dbapi_connection, batch)
        except (sqlite3.OperationalError, OSError) as error:
            self._disconnect()
            raise DatabaseUnavailable(str(error)) from None
        except (sqlite3.Error, TypeError, ValueError, OverflowError) as error:
            damaged = type(error) is sqlite3.DatabaseError  # the file itself ("disk image is malformed"), not the rows
            self._disconnect()
            raise (DatabaseUnavailable if damaged else RowsRefused)(type(error).__name__) from None
        except SQLAlchemyError as error:  # raised while connecting
            self._disconnect()
            raise DatabaseUnavailable(type(error).__name__) from None

    def _insert(self, connection: DBAPIConnection | None, batch: Batch) -> None:
        assert isinstance(connection, sqlite3.Connection)
        if batch.events:
            connection.executemany(self._statements.events, batch.event_rows())
        if batch.records:
            connection.executemany(self._statements.records, batch.record_rows())
        if batch.agent_states:
            connection.executemany(self._statements.agent_states, batch.agent_states)
        if batch.routing:
            connection.executemany(self._statements.routing, batch.routing)
        if batch.surveys:
            connection.executemany(self._statements.surveys, batch.surveys)
        connection.commit()

    def _disconnect(self) -> None:
        """Whatever was begun is rolled back by it."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


class PostgresSink:
    """Pipelined by asyncpg. A server that does not answer is left after a while, its connection not used again."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._statements = Statements(engine.dialect)
        self._engine = engine

    async def write(self, batch: Batch) -> None:
        try:
            async with asyncio.timeout(COMMAND_TIMEOUT_S), self._engine.begin() as connection:
                if batch.events:
                    await connection.exec_driver_sql(self._statements.events, batch.event_rows())
                if batch.records:
                    await connection.exec_driver_sql(self._statements.records, batch.record_rows())
                if batch.agent_states:
                    await connection.exec_driver_sql(self._statements.agent_states, [*map(tuple, batch.agent_states)])
                if batch.routing:
                    await connection.exec_driver_sql(self._statements.routing, [*map(tuple, batch.routing)])
                if batch.surveys:
                    await connection.exec_driver_sql(self._statements.surveys, [*map(tuple, batch.surveys)])
        except DBAPIError as error:
            raise (RowsRefused if _about_rows(error) else DatabaseUnavailable)(_reason(error)) from None
        except (SQLAlchemyError, OSError) as error:  # TimeoutError is an OSError
            raise DatabaseUnavailable(type(error).__name__) from None
        except (TypeError, ValueError) as error:
            raise RowsRefused(type(error).__name__) from None

    async def close(self) -> None:
        """Connections belong to the engine."""


def _sqlstate(error: DBAPIError) -> str:
    return getattr(error.orig, "sqlstate", None) or ""


def _about_rows(error: DBAPIError) -> bool:
    """SQLSTATE class 22 is about data, 23 about integrity; asyncpg's own check of a value carries class 22 too."""
    return not error.connection_invalidated and _sqlstate(error)[:2] in {"22", "23"}


def _reason(error: DBAPIError) -> str:
    """The type alone: a database's message may quote a row."""
    return " ".join(part for part in (type(error.orig).__name__, _sqlstate(error)) if part)
