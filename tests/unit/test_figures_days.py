"""Where days and steps begin, in a time zone that changes its clocks."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from cordboard.figures.days import BadInterval, day_in, midnight, next_midnight, split
from cordboard.figures.intervals import Intervals

MADRID = ZoneInfo("Europe/Madrid")
HOUR = 3600


def at(text: str, fold: int = 0) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=MADRID, fold=fold).timestamp()


def test_a_day_goes_from_midnight_to_midnight_on_the_wall() -> None:
    noon = at("2026-07-01 12:00")
    assert day_in(MADRID)(noon) == (at("2026-07-01"), at("2026-07-02"))
    assert midnight(at("2026-07-01"), MADRID) == at("2026-07-01")


@pytest.mark.parametrize(("date", "hours"), [("2026-03-29", 23), ("2026-10-25", 25), ("2026-06-01", 24)])
def test_a_day_of_changing_clocks(date: str, hours: int) -> None:
    begin = at(date)
    end = next_midnight(begin, MADRID)
    assert end - begin == hours * HOUR
    assert len(split(begin, end, HOUR, MADRID)) == hours


def test_steps_stand_at_round_times_wherever_the_report_begins() -> None:
    found = split(at("2026-06-01 10:50"), at("2026-06-01 12:10"), HOUR // 2, MADRID)
    assert [datetime.fromtimestamp(border, MADRID).strftime("%H:%M") for border in found.borders] == [
        "10:50",
        "11:00",
        "11:30",
        "12:00",
        "12:10",
    ]


def test_steps_of_days_over_a_change_of_clocks() -> None:
    begin, end = at("2026-10-23"), at("2026-10-30")
    assert split(begin, end, 86_400, MADRID).borders == [at(f"2026-10-{day}") for day in range(23, 31)]
    assert split(begin, end, 7 * 86_400, MADRID).borders == [begin, end]


def test_without_a_step_there_is_one_interval() -> None:
    assert split(5.0, 10.0, None, MADRID).borders == [5.0, 10.0]


@pytest.mark.parametrize(
    ("begin", "end", "step"),
    [(10.0, 5.0, None), (0.0, 9e9, 60), (0.0, 9000.0, 7), (0.0, 9e5, 5000), (0.0, 9e5, 90_000)],
)
def test_what_cannot_be_split(begin: float, end: float, step: int | None) -> None:
    with pytest.raises(BadInterval):
        split(begin, end, step, MADRID)


def test_a_stretch_over_borders_is_cut() -> None:
    intervals = Intervals([0.0, 10.0, 20.0])
    assert intervals.parts(-5.0, 12.5) == [(0, 10_000), (1, 2_500)]
    assert [intervals.at(time) for time in (-1.0, 0.0, 9.99, 10.0, 20.0)] == [None, 0, 0, 1, None]
