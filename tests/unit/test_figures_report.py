"""What can be asked of the figures, and the forms of the answer."""

from __future__ import annotations

import csv
import io
import json
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from cordboard.figures.asking import from_json, question, to_json
from cordboard.figures.catalogue import AGENT_FIGURES, QUEUE_FIGURES
from cordboard.figures.days import BadInterval, moment, step_of
from cordboard.figures.figures_cli import as_csv, as_text
from cordboard.figures.fold import Fold, Thresholds
from cordboard.figures.intervals import Intervals
from cordboard.figures.report import Report, report
from tests.fakes.event_log import EventLog

MADRID = ZoneInfo("Europe/Madrid")
NOON = datetime(2026, 7, 1, 12, tzinfo=MADRID).timestamp()


def at(*clock: int) -> float:
    year, month, day, *time = clock
    return datetime(year, month, day, *time, tzinfo=MADRID).timestamp()  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("now", NOON),
        ("today", at(2026, 7, 1)),
        ("yesterday", at(2026, 6, 30)),
        ("2026-03-29", at(2026, 3, 29)),
        ("2026-07-01T08:30", at(2026, 7, 1, 8, 30)),
        ("2026-07-01T08:30+00:00", at(2026, 7, 1, 10, 30)),
        ("1782000000.5", 1782000000.5),
        ("20260701", at(2026, 7, 1)),
    ],
)
def test_how_a_time_is_written(text: str, time: float) -> None:
    assert moment(text, MADRID, NOON) == time


@pytest.mark.parametrize("text", ["", "tomorrow", "2026-13-01", "1e9", "nan", "9" * 400, "2026-07-01 25:00"])
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(BadInterval, match="a time is written as"):
        moment(text, MADRID, NOON)


@pytest.mark.parametrize(("text", "seconds"), [("30m", 1800), ("1h", 3600), ("7d", 604_800), ("900", 900)])
def test_how_a_step_is_written(text: str, seconds: int) -> None:
    assert step_of(text) == seconds


@pytest.mark.parametrize("text", ["", "h", "1w", "-1h", "1.5h", "9" * 20])
def test_what_is_no_step(text: str) -> None:
    with pytest.raises(BadInterval, match="a step is written as"):
        step_of(text)


def test_who_says_nothing_is_told_of_today() -> None:
    asked = question("Europe/Madrid", Thresholds(), NOON)
    assert asked.borders == [at(2026, 7, 1), NOON]


def test_a_question_finds_its_way_to_another_process() -> None:
    asked = question("Europe/Madrid", Thresholds(30.0, 2.0), NOON, queue="sales", begin="yesterday", step="1h")
    assert len(asked.borders) == 37
    assert from_json(json.loads(json.dumps(to_json(asked)))) == asked


def content(queue: str | None = None) -> Report:
    log = EventLog()
    log.state(NOON, "1001", "ready")
    log.wait("c-1", NOON + 10, 5.0, "answered")
    log.talk("c-1", "1001", NOON + 15, 60.0)
    log.wait("c-2", NOON + 20, 50.0, "abandoned", "help")
    log.wait("c-3", NOON + 3700, 40.0, "answered")
    fold = Fold(Intervals([NOON, NOON + 3600, NOON + 7200]))
    for event in log.events:
        fold.apply(event)
    fold.until(NOON + 7200)
    return report(fold, Thresholds(), "Europe/Madrid", queue)


def value(figures: list[dict[str, object]], name: str) -> object:
    return next(figure["value"] for figure in figures if figure["name"] == name)


def test_the_whole_is_the_sum_of_its_intervals() -> None:
    found = content()
    assert [one["queues"].get("sales", {}).get("answered") for one in found["intervals"]] == [1, 1]
    sales = found["total"]["queues"]["sales"]
    assert (value(sales, "answered"), value(sales, "average_wait_s")) == (2, 22.5)
    assert value(found["total"]["all_queues"], "offered") == 3
    assert value(found["total"]["agents"]["1001"], "logged_in_s") == 7200.0


def test_every_figure_carries_its_meaning() -> None:
    total = content()["total"]
    for figures, known in ((total["all_queues"], QUEUE_FIGURES), (total["agents"]["1001"], AGENT_FIGURES)):
        assert [figure["name"] for figure in figures] == list(known)
        for figure in figures:
            assert figure.keys() == {"name", "value", "unit", "title", "formula", "sources"}
            assert figure["formula"]
            assert "{" not in figure["formula"]
            assert figure["sources"]


def test_one_queue_alone() -> None:
    total = content("help")["total"]
    assert total["queues"].keys() == {"help"}
    assert total["agents"] == {}
    assert value(total["all_queues"], "offered") == 1


def test_csv_has_one_value_a_line_with_its_formula() -> None:
    lines = list(csv.DictReader(io.StringIO(as_csv(content()))))
    assert len(lines) == 3 * len(QUEUE_FIGURES) + 2 * len(AGENT_FIGURES)
    level = next(one for one in lines if one["name"] == "sales" and one["figure"] == "service_level_offered")
    assert level == {
        "from": "2026-07-01 12:00:00+02:00",
        "to": "2026-07-01 13:00:00+02:00",
        "of": "queue",
        "name": "sales",
        "figure": "service_level_offered",
        "value": "1.0",
        "unit": "share",
        "formula": "answered within 20 s / offered",
    }


def test_text_for_a_terminal() -> None:
    text = as_text(content())
    assert text.startswith("from 2026-07-01 12:00:00+02:00 to 2026-07-01 14:00:00+02:00, Europe/Madrid\n")
    assert "service level, of all offered               50.0%   answered within 20 s / offered\n" in text
    assert as_text(content("nowhere")).endswith("Nothing happened in this time.\n")
