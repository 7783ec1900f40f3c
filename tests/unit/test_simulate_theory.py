"""The real engine, played in virtual time, gives what queueing theory says wherever theory can say something.

Everything is seeded, so nothing here can flicker. Agreement means: the exact value lies in the 99 % confidence interval
of the run; each test also says how narrow that interval has to be, or agreement would be cheap.
"""

from __future__ import annotations

import pytest

from acd.erlang import erlang_a, erlang_c, priority_waits
from acd.model import AgentSpec, QueueSpec
from acd.simulate.load import Load, Staffing, Stream
from acd.simulate.simulator import simulate
from acd.strategies import Strategy

FOREVER = 1e6  # a head start that no wait can make up for


def team(agents: int, strategy: Strategy = Strategy.LONGEST_IDLE) -> Staffing:
    people = tuple(AgentSpec(f"a{n}", "", f"p{n}", ("q",)) for n in range(agents))
    return Staffing((QueueSpec("q", wrap_up_s=0.0, strategy=strategy),), people)


@pytest.mark.parametrize(
    ("calls_per_h", "handling_s", "agents", "calls", "sure_to"),
    [
        (100, 180, 8, 30_000, 0.5),
        (200, 180, 14, 30_000, 0.5),
        (360, 240, 28, 40_000, 0.6),
        (600, 300, 55, 40_000, 0.8),
        (3600, 300, 310, 80_000, 0.9),
    ],
)
def test_erlang_c(calls_per_h: float, handling_s: float, agents: int, calls: int, sure_to: float) -> None:
    theory = erlang_c(calls_per_h, handling_s, agents)
    load = Load((Stream("q", calls_per_h, handling_s),), hours=calls / calls_per_h, warm_up_h=3.0)
    report = simulate(load, team(agents), seed=1)
    total = report.total
    assert total.p_wait.agrees_with(theory.p_wait, 0.99)
    assert total.mean_wait_s.agrees_with(theory.mean_wait_s, 0.99)
    assert total.service_level.agrees_with(theory.answered_within(20), 0.99)
    assert report.occupancy.agrees_with(calls_per_h * handling_s / 3600 / agents, 0.99)
    assert total.p_abandon.mean == total.p_released.mean == 0
    assert total.mean_wait_s.half_width(0.99) < sure_to * theory.mean_wait_s
    assert total.service_level.half_width(0.99) < 0.16


def test_waits_are_the_same_when_all_phones_ring() -> None:
    """Who answers is another question than how long callers wait: the very same waits, whoever is chosen."""
    load = Load((Stream("q", 200, 180, patience_s=120),), hours=20)
    alone, together = (simulate(load, team(12, one), seed=1) for one in (Strategy.LONGEST_IDLE, Strategy.RING_ALL))
    assert together.total == alone.total
    assert together.decisions > 2 * alone.decisions
    picking_up = Load((Stream("q", 200, 180, patience_s=120),), hours=20, pick_up_s=4.0)
    alone, together = (
        simulate(picking_up, team(12, one), seed=1) for one in (Strategy.LONGEST_IDLE, Strategy.RING_ALL)
    )
    assert together.total.mean_wait_s.mean > alone.total.mean_wait_s.mean, "agents who ring in vain are free for nobody"


@pytest.mark.parametrize(
    ("calls_per_h", "handling_s", "patience_s", "agents"),
    [(360, 240, 120, 24), (600, 300, 180, 50), (1200, 180, 120, 60)],
)
def test_erlang_a(calls_per_h: float, handling_s: float, patience_s: float, agents: int) -> None:
    theory = erlang_a(calls_per_h, handling_s, patience_s, agents)
    load = Load((Stream("q", calls_per_h, handling_s, patience_s=patience_s),), hours=20_000 / calls_per_h)
    total = simulate(load, team(agents), seed=1).total
    assert total.p_wait.agrees_with(theory.p_wait, 0.99)
    assert total.p_abandon.agrees_with(theory.p_abandon, 0.99)
    assert total.mean_wait_s.agrees_with(theory.mean_wait_s, 0.99)
    assert total.mean_wait_s.half_width(0.99) < 0.35 * theory.mean_wait_s
    assert total.p_abandon.mean == pytest.approx(total.mean_wait_s.mean / patience_s, rel=0.1)


def two_classes(urgent: float, head_start: float, calls: int) -> Load:
    """30 agents, 27 erlangs, of which a share `urgent` has the head start."""
    streams = (Stream("q", 540 * urgent, 180, head_start=head_start), Stream("q", 540 * (1 - urgent), 180))
    return Load(streams, hours=calls / 540, warm_up_h=3.0)


def test_strict_priority_gives_each_class_its_wait() -> None:
    load = two_classes(0.3, FOREVER, 30_000)
    report = simulate(load, team(30), seed=1)
    first, second = priority_waits((540 * 0.3, 540 * 0.7), 180, 30)
    assert report.streams[0].mean_wait_s.agrees_with(first, 0.99)
    assert report.streams[1].mean_wait_s.agrees_with(second, 0.99)
    assert report.streams[0].mean_wait_s.half_width(0.99) < 0.3 * first
    assert report.total.mean_wait_s.agrees_with(28.285, 0.99)
    assert report.total.mean_wait_s.half_width(0.99) < 0.6 * 28.285


@pytest.mark.parametrize("urgent", [0.2, 0.5])
def test_a_head_start_moves_waiting_around_and_removes_none(urgent: float) -> None:
    """Same calls and talks in another order: the waits add up to the same, but for those at the edges of the day."""
    head_starts = (0.0, 30.0, FOREVER)
    reports = [simulate(two_classes(urgent, head_start, 10_000), team(30), seed=2) for head_start in head_starts]
    fair, favoured, strict = reports
    for report in reports:
        assert report.total.mean_wait_s.mean == pytest.approx(fair.total.mean_wait_s.mean, rel=0.002)
    urgent_waits = [report.streams[0].mean_wait_s.mean for report in reports]
    others_wait = [report.streams[1].mean_wait_s.mean for report in reports]
    assert urgent_waits == sorted(urgent_waits, reverse=True)
    assert others_wait == sorted(others_wait)
    assert strict.streams[1].longest_wait_s > favoured.streams[1].longest_wait_s >= fair.streams[1].longest_wait_s


def test_the_same_seed_gives_the_same_report_and_another_seed_another() -> None:
    load = Load((Stream("q", 200, 180, patience_s=60),), hours=5)
    assert simulate(load, team(10), seed=1) == simulate(load, team(10), seed=1)
    assert simulate(load, team(10), seed=1) != simulate(load, team(10), seed=2)
