"""`cordboard figures`: read from the database itself, so that it costs the service nothing and works without it."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy.engine import make_url

from cordboard.config import Config
from cordboard.figures.asking import answer, question
from cordboard.figures.days import at_clock
from cordboard.figures.fold import Thresholds
from cordboard.figures.report import CSV_HEAD, Report, lines, rows
from cordboard.storage.errors import StorageError


class NoFigures(Exception):
    """The text is for whoever asked."""


def ask(config: Config, now: float, **asked: str | None) -> Report:
    """Raises `BadInterval` for what was asked wrongly, `NoFigures` when there is no answer."""
    url, queue = make_url(config.database_url), asked.get("queue")
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").exists():
        raise NoFigures(f"no database yet at {url.database}: the first start of the service makes it")
    thresholds = Thresholds(float(config.figures.service_level_s), float(config.figures.short_abandon_s))
    try:
        whole = question(config.time_zone, thresholds, now, **asked)
        found = asyncio.run(answer(config.database_url, whole))
    except StorageError as error:
        raise NoFigures(f"the database does not answer: {error}") from None
    if queue is not None and queue not in config.queues and not found["total"]["queues"]:
        raise NoFigures(
            f"there is no queue {queue!r}, and was none in this time; there are: {', '.join(config.queues)}"
        )
    return found


def as_text(content: Report) -> str:
    zone = ZoneInfo(content["time_zone"])
    head = f"from {at_clock(content['from'], zone)} to {at_clock(content['to'], zone)}, {content['time_zone']}"
    return "\n".join([head, "", *lines(content)]).rstrip() + "\n"


def as_json(content: Report) -> str:
    return json.dumps(content, ensure_ascii=False) + "\n"


def as_csv(content: Report) -> str:
    zone, out = ZoneInfo(content["time_zone"]), io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(CSV_HEAD)
    for begin, end, *rest in rows(content):
        writer.writerow([at_clock(begin, zone), at_clock(end, zone), *rest])
    return out.getvalue()
