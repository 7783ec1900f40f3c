"""Closed forms of queueing theory: what a simulation, or an estimate, must agree with where theory has an answer.

Calls arrive at random (Poisson), talks last exponentially, nobody is distracted. It refuses to know anything that
theory cannot say: skills, deadlines, real handling times. Loads are in erlangs (calls an hour x handling hours).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp

_NEGLIGIBLE = 1e-15


@dataclass(frozen=True, slots=True)
class ErlangC:
    """Callers wait for as long as it takes."""

    p_wait: float
    mean_wait_s: float  # over all callers, those who did not wait included
    _leaving_per_s: float  # how fast waits end: (N - A) / handling time

    def answered_within(self, seconds: float) -> float:
        return 1.0 - self.p_wait * exp(-self._leaving_per_s * seconds)


@dataclass(frozen=True, slots=True)
class ErlangA:
    """Callers hang up after an exponential patience."""

    p_wait: float
    p_abandon: float
    mean_wait_s: float  # over all callers, answered or not


def erlang_c(calls_per_h: float, handling_s: float, agents: int) -> ErlangC:
    """Raises `ValueError` when there is as much work as agents, or more: the line would grow for ever."""
    load = calls_per_h * handling_s / 3600.0
    if load >= agents:
        raise ValueError(f"{agents} agents cannot carry {load:.2f} erlangs: the line would grow for ever")
    blocked = 1.0  # Erlang B, by its recursion: no factorials, no overflow
    for n in range(1, agents + 1):
        blocked = load * blocked / (n + load * blocked)
    p_wait = agents * blocked / (agents - load * (1.0 - blocked))
    leaving = (agents - load) / handling_s
    return ErlangC(p_wait, p_wait / leaving, leaving)


def erlang_a(calls_per_h: float, handling_s: float, patience_s: float, agents: int) -> ErlangA:
    """Any load is fine: who does not get through gives up."""
    arriving = calls_per_h / 3600.0
    load = arriving * handling_s
    below, weight = 0.0, 1.0  # weights relative to "all agents busy, nobody waits"
    for busy in range(agents, 0, -1):
        weight *= busy / load
        below += weight
    waiting, in_line, weight, n = 0.0, 0.0, 1.0, 0
    while weight > _NEGLIGIBLE * (waiting + 1.0) or n < load - agents:
        waiting += weight
        in_line += n * weight
        n += 1
        weight *= arriving / (agents / handling_s + n / patience_s)
    total = below + waiting
    mean_wait_s = in_line / total / arriving
    return ErlangA(waiting / total, mean_wait_s / patience_s, mean_wait_s)


def priority_waits(calls_per_h: tuple[float, ...], handling_s: float, agents: int) -> tuple[float, ...]:
    """Mean wait of each class, the most urgent first, when a more urgent caller always goes first (no talk is cut).

    Their mean, weighted by calls, is Erlang C's whatever the shares: order moves waiting around and removes none.
    """
    p_wait = erlang_c(sum(calls_per_h), handling_s, agents).p_wait
    waits = []
    carried = 0.0
    for calls in calls_per_h:
        before, carried = carried, carried + calls * handling_s / 3600.0 / agents
        waits.append(p_wait * handling_s / agents / ((1.0 - before) * (1.0 - carried)))
    return tuple(waits)
