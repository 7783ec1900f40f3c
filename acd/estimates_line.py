"""The wait that a caller has to expect, from the line as it stands: a quantile, or None when too little is known.

This module decides who counts as ahead and who as an agent for a caller: the callers before them in the global order of
the agents who can serve them, and all agents at work. It looks at the engine and never changes it. A wait is what
passes until an agent talks with the caller, should the caller stay.
"""

from __future__ import annotations

from collections import Counter
from math import inf
from typing import NamedTuple

from acd.engine import Engine
from acd.estimates import QUANTILE, Crowd, Spread, Team, wait
from acd.estimates_seen import QueueSeen, Seen
from acd.floor import Agent
from acd.model import WaitingCaller
from acd.ordering import Key
from acd.skills import ANYBODY, Demand, course, stage_at
from acd.states import AgentState

ENOUGH = 20
"""Calls of a queue that must have been seen before anything is said about it."""

_WILDEST = 4.0  # of (standard deviation / mean)² of handling times: above it a few calls decide everything

_AWAY = frozenset({AgentState.LOGGED_OUT.value, AgentState.NOT_READY.value})


class _Staff(NamedTuple):
    """Agents with the same queues and skills, who are alike to every caller."""

    queues: tuple[str, ...]
    skills: tuple[tuple[str, int], ...]

    def can_serve(self, queue: str, demand: Demand) -> bool:
        return queue in self.queues and demand.met_by("", dict(self.skills))


class ExpectedWaits:
    """`note` everything that the distributor notes; then ask."""

    def __init__(self, quantile: float = QUANTILE) -> None:
        self.quantile = quantile
        self.seen = Seen()
        self._away: dict[str, bool] = {}
        self._staffed: dict[tuple[str, Demand], tuple[Counter[_Staff], Counter[_Staff]]] = {}

    def note(
        self, kind: str, call: str | None, agent: str | None, queue: str | None, data: dict[str, object], at: float
    ) -> None:
        self.seen.note(kind, call, agent, queue, data, at)
        if kind == "agent.phone":
            self.staff_changed()
        elif kind == "agent.state" and agent is not None:
            away = data.get("state") in _AWAY
            if self._away.get(agent) is not away:
                self._away[agent] = away
                self.staff_changed()

    def staff_changed(self) -> None:
        """Somebody came or went, or serves other queues now."""
        self._staffed.clear()

    def __call__(self, engine: Engine, call: str, now: float) -> float | None:
        """Seconds from now, for a caller who waits."""
        standing = engine.lines.callers.get(call)
        if standing is None or not engine.seeing:
            return None
        queue = standing.caller.queue
        seen = self._known(queue)
        if seen is None:
            return None
        if standing.offers:
            return _pick_up(seen).quantile(self.quantile)
        demand = standing.stages[standing.stage].demand
        alone_s = 0.0
        if demand.agent is not None and standing.stage + 1 < len(standing.stages):
            following = standing.stages[standing.stage + 1]
            demand, alone_s = following.demand, max(0.0, standing.caller.joined_at + following.after_s - now)
        found = self._wait(engine, queue, demand, standing.key, seen, now)
        return None if found is None else max(alone_s, found)

    def of_newcomer(self, engine: Engine, caller: WaitingCaller, now: float) -> float | None:
        """Seconds, if they joined now. 0 with an agent free for them."""
        line = engine.lines.lines.get(caller.queue)
        seen = self._known(caller.queue)
        if line is None or seen is None or not engine.seeing:
            return None
        stages = course(caller.requirement or line.spec.requirement)
        demand = stages[stage_at(stages, now - caller.joined_at)].demand
        alone_s = 0.0
        preferred = engine.floor.agents.get(caller.preferred) if caller.preferred is not None else None
        if preferred is not None and preferred.at_work and caller.queue in preferred.spec.queues:
            alone_s = 0.0 if preferred.free else max(0.0, caller.joined_at + caller.preferred_s - now)
            if preferred.free and caller.preferred_s > 0:
                return 0.0
        if _somebody_free(engine, caller.queue, demand):
            return alone_s
        key = (caller.rank - line.spec.head_start_s, inf)
        found = self._wait(engine, caller.queue, demand, key, seen, now)
        return None if found is None else max(alone_s, found)

    def remember(self, earlier: Seen) -> None:
        """What a predecessor saw, of the queues about which not enough was seen since."""
        for name, queue in earlier.queues.items():
            if self._known(name) is None:
                self.seen.queues[name] = queue

    def _known(self, queue: str) -> QueueSeen | None:
        seen = self.seen.queues.get(queue)
        return seen if seen is not None and seen.handling.total >= ENOUGH else None

    def _wait(self, engine: Engine, queue: str, demand: Demand, key: Key, seen: QueueSeen, now: float) -> float | None:
        ours, others = self._staff(engine, queue, demand)
        if not ours:
            return None
        queues = dict.fromkeys(name for staff in ours for name in staff.queues if name in engine.floor.queues)
        crowds, demands = self._crowds(engine, queues, key, now)
        teams = self._teams(ours, demands, ours_too=True) + self._teams(others, demands, ours_too=False)
        handling = seen.handling
        ratio = handling.variance / handling.mean**2 if handling.mean > 0 else 1.0
        found = wait(crowds, teams, 1.0 - min(ratio, _WILDEST))
        if found is None:
            return None
        doubt = found.mean**2 * ratio / handling.count  # the mean handling time is itself an estimate
        return (Spread(found.mean, found.variance + doubt) + _pick_up(seen)).quantile(self.quantile)

    def _crowds(
        self, engine: Engine, queues: dict[str, None], key: Key, now: float
    ) -> tuple[list[Crowd], list[tuple[str, Demand]]]:
        counts: Counter[tuple[str, Demand]] = Counter()
        overtaking: dict[tuple[str, Demand], float] = {}
        for name in queues:
            for demand, pool in engine.floor.queues[name].all.items():
                counts[name, ANYBODY if demand.agent is not None else demand] += pool.open.before(key)
            later_s = key[0] + engine.lines.lines[name].spec.head_start_s - now
            if later_s > 0 and self.seen.queue(name).joining > 0:
                stage = course(engine.lines.lines[name].spec.requirement)[0]
                overtaking[name, stage.demand] = later_s
        demands = [one for one in counts if counts[one] or one in overtaking]
        crowds = []
        for one in demands:
            seen, later_s = self.seen.queue(one[0]), overtaking.get(one, 0.0)
            crowds.append(Crowd(float(counts[one]), seen.leaving, seen.joining if later_s else 0.0, later_s))
        return crowds, demands

    def _teams(self, staff: Counter[_Staff], demands: list[tuple[str, Demand]], *, ours_too: bool) -> list[Team]:
        """Staff who serve the same crowds are one team."""
        agents: Counter[tuple[int, ...]] = Counter()
        rates: dict[tuple[int, ...], float] = {}
        for one, number in staff.items():
            serves = tuple(n for n, (queue, demand) in enumerate(demands) if one.can_serve(queue, demand))
            if serves or ours_too:
                agents[serves] += number
                rates[serves] = rates.get(serves, 0.0) + number / self._handling_s(one)
        return [Team(float(agents[serves]), rate, serves, ours_too) for serves, rate in rates.items()]

    def _handling_s(self, staff: _Staff) -> float:
        """Of the calls that they have: those of their queues, as often as these come."""
        seen = [self.seen.queue(queue) for queue in staff.queues]
        known = [one for one in seen if one.handling.count]
        weight = sum(one.joining for one in known)
        if weight > 0:
            return sum(one.joining * one.handling_s for one in known) / weight
        return sum(one.handling_s for one in known) / len(known)

    def _staff(self, engine: Engine, queue: str, demand: Demand) -> tuple[Counter[_Staff], Counter[_Staff]]:
        """Who can serve the caller, and who else serves the queues that those serve too. Kept until staff changes."""
        found = self._staffed.get((queue, demand))
        if found is None:
            floor = engine.floor
            ours: Counter[_Staff] = Counter()
            here: dict[str, None] = {}
            for agent_id in floor.queues[queue].agents:
                agent = floor.agents[agent_id]
                if _counts(agent) and demand.met_by(agent_id, agent.skills):
                    ours[_staff_of(agent)] += 1
                    here[agent_id] = None
            others: Counter[_Staff] = Counter()
            for name in dict.fromkeys(name for staff in ours for name in staff.queues if name in floor.queues):
                for agent_id in floor.queues[name].agents:
                    if agent_id not in here and _counts(floor.agents[agent_id]):
                        here[agent_id] = None
                        others[_staff_of(floor.agents[agent_id])] += 1
            found = self._staffed[queue, demand] = (ours, others)
        return found


def _somebody_free(engine: Engine, queue: str, demand: Demand) -> bool:
    pools = engine.floor.queues[queue]
    pool = pools.all.get(demand)
    if pool is not None:
        return engine.floor.first_free(pool) is not None
    agents = (engine.floor.agents[agent] for agent in pools.agents)
    return any(agent.free and demand.met_by(agent.spec.id, agent.skills) for agent in agents)


def _counts(agent: Agent) -> bool:
    """Whether they will take another call after the one they have."""
    return agent.at_work and agent.intent is None


def _staff_of(agent: Agent) -> _Staff:
    return _Staff(agent.spec.queues, tuple(sorted(agent.skills.items())))


def _pick_up(seen: QueueSeen) -> Spread:
    return Spread(seen.pick_up.mean, seen.pick_up.variance)
