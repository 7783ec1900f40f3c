"""In which order the free agents of a queue are chosen. Each strategy is a small pure function of one agent.

A strategy gives an agent a rank, computed when they become free and constant for as long as they stay free; the floor
keeps every queue's free agents sorted by it, so choosing is taking the first. It refuses to know callers and phones.
Equal agents are told apart by who has been idle for longer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Protocol

from acd.ordering import Key
from acd.skills import Demand


class FreeAgent(Protocol):
    """What a strategy may look at."""

    @property
    def skills(self) -> Mapping[str, int]: ...
    @property
    def idle_since(self) -> float: ...
    @property
    def turn(self) -> int:
        """The number of their latest offer, or of their log-in, among all offers and log-ins."""

    @property
    def calls_of_late(self) -> float:
        """Orders like the number of calls that they took, older calls fading."""

    @property
    def work_of_late(self) -> float:
        """Orders like the time that they spent in talks and wrap-up, older time fading."""


Rank = Callable[[FreeAgent, Demand], Key]
"""Smaller is offered the next call first."""


class Strategy(StrEnum):
    LONGEST_IDLE = "longest_idle"
    ROUND_ROBIN = "round_robin"
    FEWEST_CALLS = "fewest_calls"
    LEAST_OCCUPIED = "least_occupied"
    MOST_SKILLED = "most_skilled"
    LEAST_SKILLED = "least_skilled"
    RING_ALL = "ring_all"  # all of them at once, the longest idle first; who answers first has the caller


def longest_idle(agent: FreeAgent, _demand: Demand) -> Key:
    """Whoever has been free for longest. Logging in, a missed call and the end of a talk each start at the back."""
    return (agent.idle_since,)


def round_robin(agent: FreeAgent, _demand: Demand) -> Key:
    """In turns: whoever was offered a call least recently, however long they have been free."""
    return (agent.turn,)


def fewest_calls(agent: FreeAgent, _demand: Demand) -> Key:
    return (agent.calls_of_late, agent.idle_since)


def least_occupied(agent: FreeAgent, _demand: Demand) -> Key:
    return (agent.work_of_late, agent.idle_since)


def most_skilled(agent: FreeAgent, demand: Demand) -> Key:
    """The best for this caller: the sum of their levels in what the caller asks for."""
    return (-_levels(agent, demand), agent.idle_since)


def least_skilled(agent: FreeAgent, demand: Demand) -> Key:
    """Good enough, and no better: the best stay free for callers who need them, and so do those of many skills."""
    return (_levels(agent, demand), sum(agent.skills.values()), agent.idle_since)


def _levels(agent: FreeAgent, demand: Demand) -> int:
    return sum(agent.skills.get(need.skill, 0) for need in (*demand.must, *demand.nice))


RANKS: Mapping[Strategy, Rank] = MappingProxyType(
    {
        Strategy.LONGEST_IDLE: longest_idle,
        Strategy.ROUND_ROBIN: round_robin,
        Strategy.FEWEST_CALLS: fewest_calls,
        Strategy.LEAST_OCCUPIED: least_occupied,
        Strategy.MOST_SKILLED: most_skilled,
        Strategy.LEAST_SKILLED: least_skilled,
        Strategy.RING_ALL: longest_idle,
    }
)


def rank(strategy: Strategy, agent: FreeAgent, demand: Demand) -> Key:
    """Who meets more of what is nice to have comes first, then as the strategy says."""
    key = RANKS[strategy](agent, demand)
    if demand.nice:
        return (sum(not need.met_by(agent.skills) for need in demand.nice), *key)
    return key
