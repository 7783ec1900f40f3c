"""What stores say to the database in the same words: read these rows, write this row whatever was there before."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, Select, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from cordboard.storage.errors import DatabaseUnavailable


async def rows_of(engine: AsyncEngine, query: Select[Any]) -> list[Row[Any]]:
    """Raises `DatabaseUnavailable`, which names the kind of error alone: its text may hold what was asked for."""
    try:
        async with engine.connect() as connection:
            return list((await connection.execute(query)).all())
    except (SQLAlchemyError, OSError) as error:
        raise DatabaseUnavailable(type(error).__name__) from None


def upsert(engine: AsyncEngine, table: Table) -> Any:
    """The statement that writes a whole row, by its primary key; the same form for both kinds of database."""
    insert = sqlite.insert if engine.dialect.name == "sqlite" else postgresql.insert
    statement: Any = insert(table)
    changed = {c.name: statement.excluded[c.name] for c in table.columns if not c.primary_key}
    return statement.on_conflict_do_update(index_elements=list(table.primary_key.columns), set_=changed)
