"""Days of callers who meet two staffings: agreement with theory, honest intervals, what is learned from the past."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest

from acd.erlang import erlang_a
from acd.model import AgentSpec, QueueSpec
from acd.simulate.compare import Figure, difference, figures, measure, student_t
from acd.simulate.day import Counts, DayCounts, Turn, Visit, play_day
from acd.simulate.draw import HourlyLoad, visits
from acd.simulate.load import Staffing
from acd.simulate.patience import Wait, mean_patience, median_patience, survival

QUEUE = QueueSpec("q", wrap_up_s=0.0)


def staffing(agents: int, queue: QueueSpec = QUEUE) -> Staffing:
    return Staffing((queue,), tuple(AgentSpec(f"a{n}", "", f"p{n}", ("q",)) for n in range(agents)))


def there(agents: int) -> list[Turn]:
    return [Turn(0.0, f"a{n}", "in") for n in range(agents)]


def drawn(load: HourlyLoad, days: int) -> list[list[Visit]]:
    return [visits(load, Random(f"1/{day}")) for day in range(days)]


def figure(name: str) -> Figure:
    return next(one for one in figures(20.0) if one.name.startswith(name))


def test_days_agree_with_erlang_a() -> None:
    load = HourlyLoad("q", (60.0,) * 24, 240.0, patience_s=120.0)
    theory = erlang_a(60, 240, 120, 5)
    days = [play_day(day, there(5), staffing(5), 86_400.0) for day in drawn(load, 8)]
    assert sum(len(day.queues["q"].waits_s) for day in days) == pytest.approx(60 * 24 * 8, rel=0.03)
    for name, value in (("hung up", theory.p_abandon), ("mean wait", theory.mean_wait_s)):
        measured = measure(figure(name), days)
        assert measured.half_width is not None
        assert abs(measured.value - value) < 1.5 * measured.half_width < 0.3 * value
    assert measure(figure("occupancy"), days).value == pytest.approx(4 * (1 - theory.p_abandon) / 5, rel=0.03)


def test_the_same_callers_make_a_small_difference_sure() -> None:
    """One agent more among twelve: taken day by day the difference is known better than either figure."""
    load = HourlyLoad("q", (20.0, 60.0, 40.0), 300.0, handling_spread=0.5, patience_s=200.0)
    days = drawn(load, 15)
    fewer = [play_day(day, there(4), staffing(4), 3 * 3600.0) for day in days]
    more = [play_day(day, there(5), staffing(5), 3 * 3600.0) for day in days]
    wait = figure("mean wait")
    change, was, now = difference(wait, fewer, more), measure(wait, fewer), measure(wait, more)
    assert change.value == pytest.approx(now.value - was.value)
    assert change.value < 0
    assert change.clear_of_zero
    assert change.half_width is not None
    assert was.half_width is not None
    assert now.half_width is not None
    assert change.half_width < 0.8 * (was.half_width**2 + now.half_width**2) ** 0.5
    same = difference(wait, fewer, [play_day(day, there(4), staffing(4), 3 * 3600.0) for day in days])
    assert (same.value, same.half_width, same.clear_of_zero) == (0.0, 0.0, False)


def test_intervals_of_no_difference_leave_out_zero_about_once_in_twenty() -> None:
    """Two staffings that are equally good, met by different callers: what is called sure is sure 95 times of 100."""
    chance, wait, alarms = Random(5), figure("mean wait"), 0
    for _ in range(400):
        two = [
            [DayCounts({"q": Counts(waits_s=[chance.expovariate(0.1) for _ in range(30)])}) for _ in range(12)]
            for _ in range(2)
        ]
        alarms += difference(wait, *two).clear_of_zero
    assert 8 <= alarms <= 36


def test_ratios_quantiles_and_intervals_by_hand() -> None:
    days = [
        DayCounts({"q": Counts([0.0, 10.0, 20.0, 30.0], [0.0, 10.0], abandoned=2)}, busy_s=30.0, staffed_s=100.0),
        DayCounts({"q": Counts([40.0], [], released=1)}, busy_s=10.0, staffed_s=100.0),
    ]
    assert measure(figure("mean wait"), days).value == 20.0
    assert measure(figure("service level"), days).value == pytest.approx(2 / 5)
    assert measure(figure("hung up"), days).value == pytest.approx(2 / 5)
    assert measure(figure("handed back"), days).value == pytest.approx(1 / 5)
    assert measure(figure("wait of half"), days).value == 20.0
    assert measure(figure("wait of 4 in 5"), days).value == 30.0
    occupancy = measure(figure("occupancy"), days)
    assert occupancy.value == pytest.approx(0.2)
    assert occupancy.half_width == pytest.approx(12.706 * 0.1)  # 0.3 and 0.1: standard error 0.1, one degree of freedom
    assert measure(figure("mean wait"), days[:1]).half_width is None
    assert student_t(30) == 2.042
    assert student_t(60) == pytest.approx(2.000, abs=2e-3)
    assert student_t(10_000) == pytest.approx(1.960, abs=2e-3)


def test_shifts_breaks_and_the_wait_for_somebody_who_comes() -> None:
    callers = [Visit(10.0, "q", 60.0), Visit(20.0, "q", 60.0), Visit(500.0, "q", 60.0, patience_s=30.0)]
    shift = [Turn(100.0, "a0", "in"), Turn(120.0, "a0", "break"), Turn(200.0, "a0", "in"), Turn(400.0, "a0", "out")]
    day = play_day(callers, shift, staffing(1), 1000.0)
    assert day.queues["q"].answered_s == [90.0, 180.0]
    assert day.queues["q"].abandoned == 1
    assert day.staffed_s == 220.0  # 100 to 120 and 200 to 400
    assert day.busy_s == 120.0


def test_wrap_up_and_work_beyond_the_end_of_the_day() -> None:
    queue = replace(QUEUE, wrap_up_s=30.0)
    day = play_day([Visit(950.0, "q", 40.0)], there(1), staffing(1, queue), 1000.0)
    assert day.busy_s == 50.0
    assert day.staffed_s == 1000.0


def test_who_waits_for_ever_is_counted_too() -> None:
    day = play_day([Visit(10.0, "q", 60.0)], [], staffing(1), 100.0)
    assert (len(day.queues["q"].waits_s), day.queues["q"].answered_s) == (1, [])


def test_hours_have_the_calls_that_they_say() -> None:
    load = HourlyLoad("q", (0.0, 600.0, 60.0), 100.0, handling_spread=0.3, patience_s=50.0)
    callers = [visit for day in drawn(load, 20) for visit in day]
    by_hour = [sum(hour * 3600 <= visit.at < (hour + 1) * 3600 for visit in callers) / 20 for hour in range(3)]
    assert by_hour[0] == 0
    assert by_hour[1] == pytest.approx(600, rel=0.03)
    assert by_hour[2] == pytest.approx(60, rel=0.1)
    assert sum(visit.handling_s for visit in callers) / len(callers) == pytest.approx(100, rel=0.03)
    assert sum(visit.patience_s or 0 for visit in callers) / len(callers) == pytest.approx(50, rel=0.03)


# Patience


def test_patience_is_found_behind_the_answers() -> None:
    """Patience 100 s on average, answered after 60 s on average: who hung up had waited 37 s on average."""
    chance = Random(3)
    waits = []
    for _ in range(20_000):
        patience, answered = chance.expovariate(1 / 100), chance.expovariate(1 / 60)
        waits.append(Wait(min(patience, answered), patience < answered))
    hung_up = [wait.seconds for wait in waits if wait.hung_up]
    assert sum(hung_up) / len(hung_up) == pytest.approx(37.5, rel=0.05)
    assert mean_patience(waits) == pytest.approx(100, rel=0.03)
    assert median_patience(waits) == pytest.approx(69.3, rel=0.05)


def test_kaplan_meier_by_hand() -> None:
    waits = [Wait(10, True), Wait(20, False), Wait(20, True), Wait(30, True), Wait(40, False)]
    assert survival(waits) == [(0.0, 1.0), (10, pytest.approx(0.8)), (20, pytest.approx(0.6)), (30, pytest.approx(0.3))]
    assert median_patience(waits) == 30
    assert mean_patience(waits) == 40.0


def test_nobody_hung_up() -> None:
    waits = [Wait(10, False), Wait(20, False)]
    assert mean_patience(waits) is None
    assert median_patience(waits) is None
    assert survival(waits) == [(0.0, 1.0)]
