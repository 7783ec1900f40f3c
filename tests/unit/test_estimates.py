"""The model of a wait against exact results of queueing theory, and what it does where theory has none."""

from __future__ import annotations

from math import exp
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acd.estimates import Crowd, Spread, Team, wait

MU = 1 / 180.0


def one_line(ahead: int, agents: int, leaving: float = 0.0) -> Spread:
    found = wait([Crowd(float(ahead), leaving)], [Team(float(agents), agents * MU, (0,), True)])
    assert found is not None
    return found


def stages(ahead: int, agents: int, leaving: float = 0.0) -> list[float]:
    return [agents * MU + leaving * j for j in range(ahead, -1, -1)]


@pytest.mark.parametrize("leaving", [0.0, 1 / 120.0])
@pytest.mark.parametrize("agents", [1, 8, 50])
@pytest.mark.parametrize("ahead", [0, 1, 7, 10])
def test_one_line_of_few_is_the_exact_sum_of_stages(ahead: int, agents: int, leaving: float) -> None:
    found, rates = one_line(ahead, agents, leaving), stages(ahead, agents, leaving)
    assert found.mean == pytest.approx(sum(1 / rate for rate in rates))
    assert found.variance == pytest.approx(sum(1 / rate**2 for rate in rates))


@pytest.mark.parametrize("leaving", [0.0, 1 / 300.0, 1 / 60.0])
@pytest.mark.parametrize("ahead", [30, 200, 3000])
def test_a_long_line_in_large_steps_is_as_good(ahead: int, leaving: float) -> None:
    found, rates = one_line(ahead, 20, leaving), stages(ahead, 20, leaving)
    assert found.mean == pytest.approx(sum(1 / rate for rate in rates), rel=0.02)
    assert found.variance == pytest.approx(sum(1 / rate**2 for rate in rates), rel=0.08)


@pytest.mark.parametrize("leaving", [0.0, 1 / 100.0])
@pytest.mark.parametrize("ahead", [0, 2, 12, 40])
def test_quantiles_are_those_of_the_sum_of_stages(ahead: int, leaving: float) -> None:
    """Drawn, because the closed form of the quantile loses all digits beyond a few stages."""
    random, rates = Random(f"{ahead}/{leaving}"), stages(ahead, 10, leaving)
    draws = sorted(sum(random.expovariate(rate) for rate in rates) for _ in range(20_000))
    for share in (0.5, 0.8, 0.95):
        assert one_line(ahead, 10, leaving).quantile(share) == pytest.approx(draws[int(share * 20_000)], rel=0.04)


def test_the_quantile_of_one_stage_is_that_of_the_exponential_distribution() -> None:
    found = one_line(0, 1).quantile(0.8)
    assert 1 - exp(-found * MU) == pytest.approx(0.8, abs=0.005)


def test_a_certain_length_is_its_own_quantile() -> None:
    assert Spread(30.0, 0.0).quantile(0.8) == 30.0
    assert Spread(0.0, 0.0).quantile(0.8) == 0.0


def test_handling_times_that_hardly_differ_make_the_wait_surer() -> None:
    crowds, teams = [Crowd(8.0)], [Team(2.0, 2 * MU, (0,), True)]
    chance, even = wait(crowds, teams), wait(crowds, teams, regularity=0.9)
    assert chance is not None
    assert even is not None
    assert even.variance < chance.variance / 3
    assert even.mean == pytest.approx(chance.mean, rel=0.06)


def test_nobody_who_serves_means_no_answer() -> None:
    assert wait([Crowd(3.0)], []) is None
    assert wait([Crowd(3.0, leaving=0.01)], []) is None
    assert wait([], [Team(4.0, 4 * MU, (), False)]) is None


def test_agents_with_nobody_before_ours_come_first() -> None:
    """Five agents serve our queue alone, and nobody is ahead in it: the crowd of the other queue hardly matters."""
    ours_alone, both = Team(5.0, 5 * MU, (0,), True), Team(10.0, 10 * MU, (0, 1), True)
    found = wait([Crowd(0.0), Crowd(50.0)], [ours_alone, both])
    assert found is not None
    assert found.mean == pytest.approx(1 / (5 * MU), rel=0.05)


def test_agents_who_do_not_serve_us_help_by_serving_those_ahead() -> None:
    shared = Team(4.0, 4 * MU, (0, 1), True)
    crowds = [Crowd(0.0), Crowd(12.0)]
    alone, helped = wait(crowds, [shared]), wait(crowds, [shared, Team(8.0, 8 * MU, (1,), False)])
    assert alone is not None
    assert helped is not None
    assert helped.mean < alone.mean / 2


def test_who_comes_later_and_goes_first_makes_it_longer() -> None:
    team = Team(10.0, 10 * MU, (0, 1), True)
    calm = wait([Crowd(5.0), Crowd(0.0)], [team])
    rush = wait([Crowd(5.0), Crowd(0.0, joining=5 * MU, joining_s=600.0)], [team])
    assert calm is not None
    assert rush is not None
    assert rush.mean == pytest.approx(2 * calm.mean, rel=0.1)


def test_when_more_go_first_for_ever_than_are_served_there_is_no_answer() -> None:
    rush = Crowd(5.0, joining=20 * MU, joining_s=1e12)
    assert wait([rush], [Team(10.0, 10 * MU, (0,), True)]) is None


@given(
    st.integers(0, 400),
    st.integers(1, 60),
    st.floats(0, 0.02),
    st.floats(-3, 1),
    st.integers(0, 100),
    st.integers(1, 9),
)
def test_more_ahead_is_never_sooner_and_more_agents_never_later(
    ahead: int, agents: int, leaving: float, regularity: float, elsewhere: int, shared: int
) -> None:
    def mean(ahead: int, agents: int) -> float:
        crowds = [Crowd(float(ahead), leaving), Crowd(float(elsewhere), leaving)]
        teams = [Team(float(agents), agents * MU, (0,), True), Team(float(shared), shared * MU, (0, 1), True)]
        found = wait(crowds, teams, regularity)
        assert found is not None
        assert found.variance >= 0
        return found.mean

    assert mean(ahead + 1, agents) >= 0.97 * mean(ahead, agents)
    assert mean(ahead, agents + 1) <= 1.03 * mean(ahead, agents)
