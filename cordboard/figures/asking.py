"""A question for figures: which queue, from when to when, in which steps; and its answer, read from the database.

Decides how a person may write a question and what is assumed where they say nothing: from midnight until now, in one
piece. Answering reads the log to its end and takes seconds for a busy day: the service has it done by `worker`.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any
from zoneinfo import ZoneInfo

from cordboard.figures.days import moment, split, step_of
from cordboard.figures.fold import Thresholds
from cordboard.figures.intervals import Intervals
from cordboard.figures.reading import read
from cordboard.figures.report import Report, report
from cordboard.storage.engine import open_engine
from cordboard.storage.reader import Reader


@dataclass(frozen=True, slots=True)
class Question:
    """Checked, with all moments in unix seconds."""

    borders: list[float]
    time_zone: str
    now: float
    within_s: float
    short_s: float
    queue: str | None = None


def question(
    time_zone: str,
    thresholds: Thresholds,
    now: float,
    *,
    queue: str | None = None,
    begin: str | None = None,
    end: str | None = None,
    step: str | None = None,
) -> Question:
    """What a person wrote. Raises `BadInterval` with a text for them."""
    zone = ZoneInfo(time_zone)
    since, until = moment(begin or "today", zone, now), moment(end or "now", zone, now)
    intervals = split(since, until, None if step is None else step_of(step), zone)
    return Question(intervals.borders, time_zone, now, thresholds.within_s, thresholds.short_s, queue)


async def answer(database_url: str, asked: Question) -> Report:
    """Raises `StorageError`."""
    engine = open_engine(database_url)
    try:
        thresholds = Thresholds(asked.within_s, asked.short_s)
        fold = await read(Reader(engine, lambda: asked.now), Intervals(asked.borders), thresholds, asked.now)
        return report(fold, thresholds, asked.time_zone, asked.queue)
    finally:
        await engine.dispose()


def to_json(asked: Question) -> dict[str, Any]:
    return asdict(asked)


def from_json(content: dict[str, Any]) -> Question:
    return Question(**content)
