"""One waiting caller at one moment: who could have had them, in which order, and who not, for which reasons.

This module decides what keeps an agent from a caller, in the engine's own terms. It looks at an engine and changes
nothing; it refuses to know what happens next and how it is told.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from acd.engine import Engine
from acd.floor import Agent
from acd.lines import Standing
from acd.skills import Demand, Need
from acd.states import AgentState
from acd.strategies import Strategy

_SHOWN = 50  # agents of a situation; the rest is counted


class Bar(StrEnum):
    """What keeps an agent from a caller."""

    QUEUE = "queue"  # does not serve it
    PREFERRED = "preferred"  # the caller waits for another one alone
    SKILL = "skill"
    STATE = "state"
    UNREACHABLE = "unreachable"
    PHONE_BUSY = "phone_busy"
    RESTING = "resting"  # did not take a call a moment ago
    UNSEEN = "unseen"  # nobody is offered anything while the PBX cannot be seen


@dataclass(frozen=True, slots=True)
class Reason:
    bar: Bar
    state: str = ""
    why: str = ""  # of a pause
    for_s: float | None = None  # in this state for so long
    this_caller: bool = False  # what their phone rings for
    need: Need | None = None
    level: int = 0  # that they have


@dataclass(frozen=True, slots=True)
class Barred:
    agent: str
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A free agent who can serve the caller, and what their place in the order of choice depends on."""

    agent: str
    idle_s: float
    turn: int
    calls: float  # of late
    work_s: float  # of late
    levels: tuple[Need, ...]  # that they have in what is asked for
    skills: int  # levels in all
    missing_nice: int


@dataclass(frozen=True, slots=True)
class Situation:
    queue: str
    position: int
    before_elsewhere: int  # callers of other queues who come first for an agent who can serve this one
    demand: Demand
    strategy: Strategy
    candidates: tuple[Candidate, ...]  # in the order of choice
    barred: tuple[Barred, ...]
    more_barred: int  # agents of the queue who are not listed


def situation(engine: Engine, standing: Standing, now: float) -> Situation:
    queue = standing.caller.queue
    spec = engine.lines.lines[queue].spec
    demand = standing.pool.demand
    agents = engine.floor.agents
    free = list(standing.pool.free) if engine.seeing else []
    others = [agents[one] for one in engine.floor.queues[queue].agents if one not in standing.pool.free or not free]
    if demand.agent is not None and demand.agent in agents and queue not in agents[demand.agent].spec.queues:
        others.append(agents[demand.agent])
    barred = [Barred(one.spec.id, tuple(reasons(engine, standing, one, now))) for one in others[:_SHOWN]]
    return Situation(
        queue,
        (engine.lines.place(standing.caller.call) or 0) + 1,
        _before_elsewhere(engine, standing),
        demand,
        spec.strategy,
        tuple(_candidate(agents[one], demand, now) for one in free[:_SHOWN]),
        tuple(sorted(barred, key=lambda one: one.agent)),
        max(0, len(others) - _SHOWN),
    )


def reasons(engine: Engine, standing: Standing, agent: Agent, now: float) -> Iterator[Reason]:
    """All that keeps this agent from this caller; nothing when nothing does."""
    demand = standing.pool.demand
    if not engine.seeing:
        yield Reason(Bar.UNSEEN)
    if standing.caller.queue not in agent.spec.queues:
        yield Reason(Bar.QUEUE)
    if demand.agent not in (None, agent.spec.id):
        yield Reason(Bar.PREFERRED)
    for need in demand.must:
        if not need.met_by(agent.skills):
            yield Reason(Bar.SKILL, need=need, level=agent.skills.get(need.skill, 0))
    if agent.state is not AgentState.READY:
        mine = agent.offer is not None and agent.offer in standing.offers
        yield Reason(Bar.STATE, agent.state.value, agent.reason, now - agent.since, mine)
    elif not agent.reachable:
        yield Reason(Bar.UNREACHABLE)
    elif agent.phone_busy:
        yield Reason(Bar.PHONE_BUSY)
    elif agent.resting:
        yield Reason(Bar.RESTING)


def _candidate(agent: Agent, demand: Demand, now: float) -> Candidate:
    asked = dict.fromkeys(need.skill for need in (*demand.must, *demand.nice))
    return Candidate(
        agent.spec.id,
        now - agent.idle_since,
        agent.turn,
        agent.calls.value(now),
        agent.work.value(now),
        tuple(Need(skill, agent.skills[skill]) for skill in asked if skill in agent.skills),
        sum(agent.skills.values()),
        sum(not need.met_by(agent.skills) for need in demand.nice),
    )


def _before_elsewhere(engine: Engine, standing: Standing) -> int:
    queue = standing.caller.queue
    able = engine.floor.queues[queue].agents
    pools = {
        id(pool): pool
        for one in able
        if any(mine is standing.pool for mine in engine.floor.agents[one].pools)
        for pool in engine.floor.agents[one].pools
        if pool.queue != queue
    }
    callers = {call for pool in pools.values() for call in pool.open}
    return sum(engine.lines.callers[call].key < standing.key for call in callers)
