"""Answers to surveys, as the database has them. Writing is the writer's (`Writer.survey`)."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, cast, func, select
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.types import BigInteger

from cordboard.storage.schema import survey_answers as table
from cordboard.storage.statements import rows_of
from cordboard.survey import Answer

BIN_S = 900
"""Answers are counted by quarters of an hour: days of every time zone begin at one."""


class Count(NamedTuple):
    """So many answers with this score within the quarter of an hour that begins at `at`."""

    at: float
    survey: str
    question: str
    type: str
    queue: str
    agent: str
    score: int
    times: int


class SurveyStore:
    """Every question raises `DatabaseUnavailable` when it cannot be answered. `wanted`: queue, agent, survey."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def counts(self, begin: float, end: float, **wanted: str | None) -> list[Count]:
        quarter = cast(func.floor(table.c.at / BIN_S), BigInteger).label("quarter")
        of = (table.c.survey, table.c.question, table.c.type, table.c.queue, table.c.agent, table.c.score)
        query = select(quarter, *of, func.count()).where(_within(begin, end, wanted)).group_by(quarter, *of)
        return [Count(float(row[0] * BIN_S), *tuple(row)[1:]) for row in await rows_of(self._engine, query)]

    async def page(self, begin: float, end: float, limit: int, after: int, **wanted: str | None) -> list[Answer]:
        """The newest first; so many are left out before them."""
        query = select(table).where(_within(begin, end, wanted)).order_by(table.c.at.desc(), table.c.call_id)
        return [Answer(*tuple(row)) for row in await rows_of(self._engine, query.limit(limit).offset(after))]


def _within(begin: float, end: float, wanted: dict[str, str | None]) -> ColumnElement[bool]:
    given = (table.c[name] == value for name, value in wanted.items() if value is not None)
    return and_(table.c.at >= begin, table.c.at < end, *given)
