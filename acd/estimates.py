"""How long a caller will wait, as a distribution: mean, spread and quantiles. Queueing theory and nothing else.

The model. Callers ahead form crowds of equal demand; agents form teams who serve the same crowds. A team ends calls at
`rate`, each end takes one of the callers ahead, from its crowds in proportion to who is left; callers ahead hang up
too, each at their crowd's rate. When nobody is ahead of ours in any crowd of a team, its next free agent takes ours.
With one crowd and one team that is the exact sum of exponential stages, rates `rate + leaving * j` for j = k down to 0:
means and variances of the stages add up. With several it is their fluid approximation, in steps of one caller or a
tenth of a crowd, so that the work grows with the logarithm of the line.

It refuses to know where the numbers come from (`estimates_seen`, `estimates_line`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, inf, sqrt
from statistics import NormalDist
from typing import NamedTuple

QUANTILE = 0.8
"""What is told of a wait: so many callers of all wait no longer."""

_STEP = 0.1  # of a crowd, at most, but at least one caller
_MOST_STEPS = 2_000
_NOBODY = 1e-9
_OVER = 0.001
_UNEVEN_FOR = 0.1  # calls per agent; measured: `python -m bench.expected_wait`


@dataclass(frozen=True, slots=True)
class Crowd:
    """Callers of equal demand who stand before ours."""

    ahead: float
    leaving: float = 0.0  # hang-ups per second of each
    joining: float = 0.0  # callers per second who come later and still stand before ours,
    joining_s: float = 0.0  # for so many seconds from now


@dataclass(frozen=True, slots=True)
class Team:
    """Agents who serve the same crowds, given by their numbers in the list of crowds."""

    agents: float
    rate: float  # calls per second that they end, all together
    serves: tuple[int, ...]
    ours: bool  # they may take our caller


class Spread(NamedTuple):
    """A length of time that is not certain."""

    mean: float
    variance: float

    def __add__(self, other: object) -> Spread:
        assert isinstance(other, Spread)
        return Spread(self.mean + other.mean, self.variance + other.variance)

    def quantile(self, share: float) -> float:
        """Of the gamma distribution with this mean and variance, by Wilson and Hilferty (to 1 % at 0.8)."""
        if self.mean <= 0 or self.variance <= 0:
            return max(0.0, self.mean)
        shape = self.mean**2 / self.variance
        third = 1.0 - 1.0 / (9.0 * shape) + NormalDist().inv_cdf(share) / (3.0 * sqrt(shape))
        return self.mean * max(0.0, third) ** 3


@dataclass(slots=True)
class _Course:
    """The wait as far as it has been followed. `waiting` is the share of outcomes in which ours waits still."""

    passed: float = 0.0
    waiting: float = 1.0
    mean: float = 0.0
    square: float = 0.0  # mean of the square
    scatter: float = 0.0  # variance of the moment up to which it has been followed
    ended: float = 0.0  # calls that agents ended meanwhile,
    chance: float = 0.0  # callers ahead who hung up, or came: never evenly

    def last(self, hazard: float) -> None:
        """Nobody is ahead any more: ours is next."""
        self.mean += self.waiting / hazard
        self.square += 2.0 * self.waiting * (self.passed / hazard + 1.0 / hazard**2)
        self.waiting = 0.0

    def go_on(self, step_s: float, hazard: float) -> None:
        if hazard > 0:
            still = exp(-hazard * step_s)
            alive = (1.0 - still) / hazard
            moment = self.passed * alive + (1.0 - still * (1.0 + hazard * step_s)) / hazard**2
        else:
            still, alive, moment = 1.0, step_s, (self.passed + step_s / 2.0) * step_s
        self.mean += self.waiting * alive
        self.square += 2.0 * self.waiting * moment
        self.waiting *= still
        self.passed += step_s

    def result(self, regularity: float, agents: float) -> Spread:
        """Agents whose calls are about equally long end them more evenly than by chance, the fewer agents the more."""
        calls = self.ended + 1.0
        evenness = regularity * calls / (calls + _UNEVEN_FOR * agents) * calls / (calls + self.chance)
        early = regularity / 2.0 * self.mean / (calls + self.chance) * min(1.0, 2.0 * calls / (agents + 1.0))
        variance = max(0.0, self.square - self.mean**2 + self.scatter)
        return Spread(max(0.0, self.mean - early), variance * (1.0 - evenness))


def wait(crowds: Sequence[Crowd], teams: Sequence[Team], regularity: float = 0.0) -> Spread | None:
    """Until an agent is there for our caller. None: as far as can be seen, never.

    `regularity` is 1 - (standard deviation / mean)² of handling times: 0 exponential, 1 always equally long.
    """
    ahead = [crowd.ahead for crowd in crowds]
    course = _Course()
    agents = sum(team.agents for team in teams)
    if agents:
        # which team's agent ends a call next, and so whom it serves, is chance
        regularity *= sum(team.agents**2 for team in teams) / agents**2
    for _ in range(_MOST_STEPS):
        drains, leaving, pace, hazard = _rates(crowds, teams, ahead)
        coming = [n for n, crowd in enumerate(crowds) if crowd.joining > 0 and course.passed < crowd.joining_s]
        if not any(ahead) and not coming:
            if hazard <= 0:
                return None
            course.last(hazard)
        if course.waiting < _OVER:
            return course.result(regularity, agents)
        sooner = (min(1.0 / crowds[n].joining, crowds[n].joining_s - course.passed) for n in coming)
        step_s = min((_step(ahead, drains), *sooner))
        if step_s == inf:
            return None
        out = sum(drains)
        course.ended += (out - leaving) * step_s
        course.chance += leaving * step_s
        come = 0.0
        for n, drain in enumerate(drains):
            joined = crowds[n].joining * max(0.0, min(step_s, crowds[n].joining_s - course.passed))
            ahead[n] = max(0.0, ahead[n] - drain * step_s) + joined
            ahead[n] = ahead[n] if ahead[n] > _NOBODY else 0.0
            come += joined
        course.chance += come
        if pace > 0:
            course.scatter += course.waiting * (out * step_s + come) / pace**2
        course.go_on(step_s, hazard)
    return None


class _Rates(NamedTuple):
    """Per second."""

    drains: list[float]  # by how much each crowd shrinks
    leaving: float  # of that, hang-ups
    pace: float  # as all drains, were every agent busy with those ahead who serves any of them
    hazard: float  # agents who come for ours


def _rates(crowds: Sequence[Crowd], teams: Sequence[Team], ahead: list[float]) -> _Rates:
    drains = []
    for crowd, here in zip(crowds, ahead, strict=True):
        step = max(1.0, here * _STEP)
        drains.append(crowd.leaving * max(min(here, 1.0), here - (step - 1.0) / 2.0))
    leaving = pace = sum(drains)
    hazard = 0.0
    for team in teams:
        before = sum(ahead[n] for n in team.serves)
        busy = min(1.0, before)
        if team.ours:
            hazard += team.rate * (1.0 - busy)
        if before > 0:
            pace += team.rate
            for n in team.serves:
                drains[n] += team.rate * busy * ahead[n] / before
    return _Rates(drains, leaving, pace, hazard)


def _step(ahead: list[float], drains: list[float]) -> float:
    """So short that no crowd loses more than one caller, or a tenth."""
    steps = (
        max(min(here, 1.0), here * _STEP) / drain
        for here, drain in zip(ahead, drains, strict=True)
        if here > 0 and drain > 0
    )
    return min(steps, default=inf)
