"""The closed forms against values worked out independently, and against each other where one contains the other."""

from __future__ import annotations

import pytest

from acd.erlang import erlang_a, erlang_c, priority_waits


@pytest.mark.parametrize(
    ("calls_per_h", "handling_s", "agents", "p_wait", "mean_wait_s", "within_20_s"),
    [
        (100, 180, 8, 0.167267, 10.036, 0.880148),
        (200, 180, 14, 0.174132, 7.836, 0.888350),
        (360, 240, 28, 0.333139, 19.988, 0.761296),
        (600, 300, 55, 0.384547, 23.073, 0.724460),
        (3600, 300, 310, 0.455931, 13.678, 0.765917),
    ],
)
def test_erlang_c(
    calls_per_h: float, handling_s: float, agents: int, p_wait: float, mean_wait_s: float, within_20_s: float
) -> None:
    theory = erlang_c(calls_per_h, handling_s, agents)
    assert theory.p_wait == pytest.approx(p_wait, abs=5e-7)
    assert theory.mean_wait_s == pytest.approx(mean_wait_s, abs=5e-4)
    assert theory.answered_within(20) == pytest.approx(within_20_s, abs=5e-7)


@pytest.mark.parametrize(
    ("calls_per_h", "handling_s", "patience_s", "agents", "p_wait", "p_abandon", "mean_wait_s"),
    [
        (360, 240, 120, 24, 0.446883, 0.094927, 11.391),
        (600, 300, 180, 50, 0.457965, 0.063447, 11.420),
        (1200, 180, 120, 60, 0.468567, 0.056609, 6.793),
    ],
)
def test_erlang_a(
    calls_per_h: float,
    handling_s: float,
    patience_s: float,
    agents: int,
    p_wait: float,
    p_abandon: float,
    mean_wait_s: float,
) -> None:
    theory = erlang_a(calls_per_h, handling_s, patience_s, agents)
    assert theory.p_wait == pytest.approx(p_wait, abs=5e-7)
    assert theory.p_abandon == pytest.approx(p_abandon, abs=5e-7)
    assert theory.mean_wait_s == pytest.approx(mean_wait_s, abs=5e-4)


def test_endless_patience_is_erlang_c() -> None:
    patient, endless = erlang_a(360, 240, 1e9, 28), erlang_c(360, 240, 28)
    assert patient.p_wait == pytest.approx(endless.p_wait, rel=1e-5)
    assert patient.mean_wait_s == pytest.approx(endless.mean_wait_s, rel=1e-5)


def test_far_more_work_than_agents_makes_the_rest_give_up() -> None:
    theory = erlang_a(3600, 600, 60, 100)  # 600 erlangs on 100 agents
    assert theory.p_abandon == pytest.approx(5 / 6, rel=1e-3)
    assert theory.p_wait == pytest.approx(1.0)


def test_more_work_than_agents_has_no_answer_without_abandonment() -> None:
    with pytest.raises(ValueError, match=r"30 agents cannot carry 30\.00 erlangs"):
        erlang_c(600, 180, 30)


@pytest.mark.parametrize("urgent", [0.1, 0.5, 0.8])
def test_priority_moves_waiting_around_and_removes_none(urgent: float) -> None:
    first, second = priority_waits((540 * urgent, 540 * (1 - urgent)), 180, 30)
    assert first < 28.285 < second
    assert urgent * first + (1 - urgent) * second == pytest.approx(28.285, abs=5e-4)
