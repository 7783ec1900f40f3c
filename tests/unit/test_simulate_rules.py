"""What the simulator counts and how: its own arithmetic, and the rules of a queue at work in it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from acd.errors import UnknownQueue
from acd.model import AgentSpec, QueueSpec
from acd.simulate.load import Load, Staffing, Stream
from acd.simulate.report import BATCHES, Estimate, estimate
from acd.simulate.simulator import simulate
from acd.simulate.tally import BusyTime

QUEUE = QueueSpec("q", wrap_up_s=0.0)


def people(agents: int) -> tuple[AgentSpec, ...]:
    return tuple(AgentSpec(f"a{n}", "", f"p{n}", ("q",)) for n in range(agents))


def test_an_estimate_is_the_ratio_of_sums_with_the_spread_of_the_batches() -> None:
    assert estimate([10.0, 20.0, 30.0], [1, 2, 3]) == Estimate(10.0, 0.0)
    spread = estimate([10.0, 30.0], [1, 1])
    assert spread.mean == 20.0
    assert spread.error == pytest.approx(10.0)
    assert spread.agrees_with(0.0)
    assert not spread.agrees_with(-1.0)
    assert spread.half_width(0.95) < spread.half_width(0.99) < spread.half_width(0.999)
    assert estimate([0.0], [0]) == Estimate(0.0, 0.0)


def test_busy_time_is_booked_in_the_batches_in_which_it_was_spent() -> None:
    busy = BusyTime(100.0, 100.0 + BATCHES * 10.0)
    busy.add("a", 95.0, 125.0)
    busy.add("b", 128.0, 131.0)
    busy.add("a", 395.0, 500.0)
    assert busy.seconds[:4] == [10.0, 10.0, 7.0, 1.0]
    assert busy.seconds[-1] == 5.0
    assert busy.calls == {"a": 2, "b": 1}


def test_wrap_up_is_time_at_work() -> None:
    load = Load((Stream("q", 60, 60),), hours=100)
    bare = simulate(load, Staffing((QUEUE,), people(4)), seed=1)
    wrapping = simulate(load, Staffing((replace(QUEUE, wrap_up_s=60.0),), people(4)), seed=1)
    assert wrapping.occupancy.mean == pytest.approx(2 * bare.occupancy.mean, rel=0.02)
    assert wrapping.total.mean_wait_s.mean > bare.total.mean_wait_s.mean


def test_picking_up_takes_time_and_counts_as_waiting() -> None:
    load = Load((Stream("q", 60, 60),), hours=20, pick_up_s=4.0)
    total = simulate(load, Staffing((QUEUE,), people(20)), seed=1).total
    assert total.mean_wait_s.mean == pytest.approx(4.0)
    assert total.p_wait.mean == 0.0, "a phone rang at once"


def test_who_waits_too_long_is_handed_back_and_counted() -> None:
    load = Load((Stream("q", 100, 180),), hours=50)
    total = simulate(load, Staffing((replace(QUEUE, max_wait_s=30.0),), people(5)), seed=1).total
    assert 0 < total.p_released.mean < total.p_wait.mean
    assert total.longest_wait_s == pytest.approx(30.0)


def test_without_agents_everybody_who_has_patience_gives_up() -> None:
    load = Load((Stream("q", 60, 60, patience_s=30),), hours=20)
    total = simulate(load, Staffing((QUEUE,), ()), seed=1).total
    assert total.p_abandon.mean == 1.0
    assert total.mean_wait_s.mean == pytest.approx(30.0, rel=0.1)


def test_lognormal_handling_keeps_its_mean_and_its_spread_makes_people_wait() -> None:
    def outcome(cv: float) -> tuple[float, float]:
        load = Load((Stream("q", 100, 180, handling_cv=cv),), hours=200)
        report = simulate(load, Staffing((QUEUE,), people(6)), seed=1)
        return report.occupancy.mean, report.total.mean_wait_s.mean

    (even_busy, even_wait), (uneven_busy, uneven_wait) = outcome(0.2), outcome(1.5)
    assert even_busy == pytest.approx(5 / 6, rel=0.03)
    assert uneven_busy == pytest.approx(5 / 6, rel=0.03)
    assert uneven_wait > 1.5 * even_wait


def test_agents_of_one_queue_get_the_same_number_of_calls() -> None:
    report = simulate(Load((Stream("q", 200, 120),), hours=100), Staffing((QUEUE,), people(8)), seed=1)
    fewest, most = min(report.calls_by_agent.values()), max(report.calls_by_agent.values())
    assert most - fewest < 0.1 * most


def test_a_stream_into_no_queue_is_refused() -> None:
    with pytest.raises(UnknownQueue):
        simulate(Load((Stream("elsewhere", 60, 60),), hours=1), Staffing((QUEUE,), people(1)), seed=1)


@pytest.mark.parametrize(
    ("calls_per_h", "handling_s", "handling_cv", "patience_s"),
    [(0, 60, None, None), (60, -1, None, None), (60, 60, 0, None), (60, 60, None, 0)],
)
def test_a_load_that_means_nothing_is_refused(
    calls_per_h: float, handling_s: float, handling_cv: float | None, patience_s: float | None
) -> None:
    with pytest.raises(ValueError, match="above zero"):
        Stream("q", calls_per_h, handling_s, handling_cv, patience_s)
