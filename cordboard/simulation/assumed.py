"""The days of a scenario: callers drawn anew for each, agents at work as its shifts say. The seed makes all chance."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from acd.simulate.day import Turn, Visit
from acd.simulate.draw import HourlyLoad, visits
from acd.simulate.load import Staffing
from cordboard.simulation.scenario import Scenario, seconds_of


def drawn_days(scenario: Scenario) -> list[list[Visit]]:
    """The same scenario gives the same callers, whatever they meet."""
    days = []
    for day in range(scenario.days):
        callers: list[Visit] = []
        for queue, load in scenario.load.items():
            calls = load.calls_per_h * scenario.hours if len(load.calls_per_h) == 1 else load.calls_per_h
            hourly = HourlyLoad(queue, tuple(calls), load.handling_s, load.handling_spread, load.patience_s)
            callers += visits(hourly, Random(f"{scenario.seed}/{day}/{queue}"))
        days.append(sorted(callers, key=lambda visit: visit.at))
    return days


def turns(scenario: Scenario, staffing: Staffing) -> list[Turn]:
    """When agents come and go, in seconds from the day's beginning. Who has no shift is there all day."""
    return [turn for agent in staffing.agents for turn in _turns(scenario, agent.id)]


def _turns(scenario: Scenario, agent: str) -> Iterator[Turn]:
    shifts = scenario.shifts.get(agent)
    if shifts is None:
        yield Turn(0.0, agent, "in")
        return
    for times in shifts:
        begin, end = seconds_of(times)
        if end > scenario.begin_s:
            yield Turn(max(0.0, float(begin - scenario.begin_s)), agent, "in")
            yield Turn(float(end - scenario.begin_s), agent, "out")
