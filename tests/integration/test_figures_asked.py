"""Figures of a real database: by the service's own process for them, and at the command line."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from typer.testing import CliRunner

from cordboard.cli import app
from cordboard.figures.days import BadInterval
from cordboard.figures.desk import FiguresDesk
from cordboard.figures.fold import Thresholds
from cordboard.storage.batch import Batch
from cordboard.storage.engine import open_engine
from cordboard.storage.migrate import migrate
from cordboard.storage.sink import open_sink
from cordboard.worker_process import WorkerFailed
from tests.fakes.event_log import EventLog

ZONE = "Europe/Madrid"
MORNING = datetime(2026, 7, 1, 8, tzinfo=ZoneInfo(ZONE)).timestamp()
CONFIG = """\
company: Test
time_zone: Europe/Madrid
queues: {sales: {}}
agents: {1001: {name: Ana, queues: [sales]}}
"""


def a_morning() -> EventLog:
    log = EventLog()
    log.state(MORNING, "1001", "ready")
    for n in range(40):
        at = MORNING + 100.0 * n
        log.note(at, "call.arrived", f"c-{n}", origin="public")
        log.wait(f"c-{n}", at, 10.0 if n % 4 else 30.0, "answered")
        log.talk(f"c-{n}", "1001", at + (10.0 if n % 4 else 30.0), 40.0)
    return log


async def fill(url: str) -> None:
    engine = open_engine(url)
    await migrate(engine)
    sink = open_sink(engine)
    await sink.write(Batch(a_morning().events))
    await sink.close()
    await engine.dispose()


@pytest.fixture
async def url(database_url: str) -> str:
    await fill(database_url)
    return database_url


async def test_the_service_has_them_computed_elsewhere(url: str) -> None:
    desk = FiguresDesk(url, ZONE, Thresholds(), lambda: MORNING + 7200)
    found = await desk.ask(queue="sales", begin="2026-07-01", step="1h")
    assert [one["queues"].get("sales", {}).get("answered", 0) for one in found["intervals"]] == [0] * 8 + [36, 4]
    level = next(one for one in found["total"]["queues"]["sales"] if one["name"] == "service_level_offered")
    assert level["value"] == 0.75
    with pytest.raises(BadInterval):
        await desk.ask(begin="now", end="today")


async def test_without_a_database_there_is_no_answer(tmp_path: Path) -> None:
    desk = FiguresDesk(f"sqlite+aiosqlite:///{tmp_path / 'cordboard.db'}", ZONE, Thresholds(), lambda: MORNING)
    with pytest.raises(WorkerFailed, match="DatabaseUnavailable"):
        await desk.ask(begin="yesterday")


@pytest.fixture
async def config(tmp_path: Path) -> Path:
    file = tmp_path / "cordboard.yaml"
    file.write_text(CONFIG)
    (tmp_path / "var").mkdir()
    await fill(f"sqlite+aiosqlite:///{tmp_path / 'var' / 'cordboard.db'}")
    return file


def run(config: Path, *words: str, status: int = 0) -> str:
    result = CliRunner().invoke(app, ["figures", "--config", str(config), *words])
    assert result.exit_code == status, result.output
    return result.output


async def test_at_the_command_line(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CORDBOARD_ROOT", raising=False)
    await asyncio.to_thread(at_the_command_line, config)


def at_the_command_line(config: Path) -> None:
    span = ("--since", "2026-07-01T08:00", "--until", "2026-07-01T10:00")
    text = run(config, *span)
    assert "75.0%   answered within 20 s / offered" in text
    assert "agent 1001" in text
    found = json.loads(run(config, *span, "--json", "--queue", "sales"))
    assert found["total"]["agents"] == {}
    lines = list(csv.DictReader(io.StringIO(run(config, *span, "--csv", "--step", "1h"))))
    answered = [one["value"] for one in lines if (one["of"], one["figure"]) == ("queue", "answered")]
    assert answered == ["36", "4"]
    assert "there is no queue 'help', and was none in this time; there are: sales" in run(
        config, *span, "--queue", "help", status=2
    )
    assert "a time is written as" in run(config, "--since", "soon", status=2)
    (config.parent / "var" / "cordboard.db").unlink()
    assert "no database yet" in run(config, status=2)
