"""The agents as they are now, and for every pool the free ones in the order of choice.

This module decides who may be offered a call (`Agent.free`) and keeps the indexes true to it. It refuses to know
callers, offers' insides and time: `staff` changes an agent; `refresh` lists whoever is free and whom nobody needs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from acd.aftercare import Aftercare
from acd.errors import PhoneTaken, UnknownAgent
from acd.fading import Fading
from acd.model import AgentSpec, QueueSpec
from acd.pools import Pool, QueuePools
from acd.skills import ANYBODY, Demand, course
from acd.states import AgentEvent, AgentState
from acd.strategies import rank

_CALLS_FADE_S = 8 * 3600.0  # a working day
_WORK_FADES_S = 3600.0


class Intent(NamedTuple):
    """What an agent asked for while they could not have it: it happens when the talk is over."""

    event: AgentEvent
    reason: str


@dataclass(slots=True)
class Agent:
    """One agent's present. `since` is when they came into their state, `idle_since` their place in longest idle."""

    spec: AgentSpec
    state: AgentState = AgentState.LOGGED_OUT
    reason: str = ""
    since: float = 0.0
    idle_since: float = 0.0
    resting: bool = False  # an offer failed on their side a moment ago
    reachable: bool = True
    phone_busy: bool = False
    misses: int = 0  # unanswered rings in a row
    offer: str | None = None
    intent: Intent | None = None
    aftercare: Aftercare | None = None  # of the talk that they are in or wrap up
    leaving: bool = False  # removed from the configuration while in a talk
    turn: int = 0  # of their latest offer or log-in, among all
    calls: Fading = field(default_factory=lambda: Fading(_CALLS_FADE_S))
    work: Fading = field(default_factory=lambda: Fading(_WORK_FADES_S))
    pools: list[Pool] = field(default_factory=list)  # all that they can serve
    listed: bool = False  # as free, in all of these
    counted_in: tuple[str, ...] = ()  # queues that count them as logged in

    @property
    def free(self) -> bool:
        return self.state is AgentState.READY and self.reachable and not self.phone_busy and not self.resting

    @property
    def why_not_free(self) -> str:
        """What a person is told; for an agent who is not free."""
        if self.state is not AgentState.READY:
            return self.state.replace("_", " ")
        if not self.reachable:
            return "the phone cannot be reached"
        return "the phone is in use" if self.phone_busy else "resting after a missed call"

    @property
    def at_work(self) -> bool:
        """Whether it makes sense to wait for them."""
        return self.state not in (AgentState.LOGGED_OUT, AgentState.NOT_READY) and self.reachable

    @property
    def skills(self) -> Mapping[str, int]:
        return self.spec.skills

    @property
    def calls_of_late(self) -> float:
        return self.calls.key

    @property
    def work_of_late(self) -> float:
        return self.work.key


class Floor:
    def __init__(self) -> None:
        self.agents: dict[str, Agent] = {}
        self.queues: dict[str, QueuePools] = {}
        self.logged_in: Counter[str] = Counter()  # by queue
        self.deserted: dict[str, None] = {}  # queues whose last agent logged out since this fact began
        self._by_phone: dict[str, str] = {}

    def agent(self, agent: str) -> Agent:
        try:
            return self.agents[agent]
        except KeyError:
            raise UnknownAgent(agent) from None

    def at_phone(self, endpoint: str) -> str | None:
        return self._by_phone.get(endpoint)

    def put(self, spec: AgentSpec) -> Agent:
        """Add an agent, or give a known one their new spec. Raises `PhoneTaken` and changes nothing."""
        owner = self._by_phone.get(spec.endpoint, spec.id)
        if owner != spec.id:
            raise PhoneTaken(spec.endpoint, owner)
        agent = self.agents.get(spec.id)
        if agent is None:
            agent = self.agents[spec.id] = Agent(spec)
        else:
            self._leave_queues(agent)
            del self._by_phone[agent.spec.endpoint]
            agent.spec = spec
        self._by_phone[spec.endpoint] = spec.id
        for name in dict.fromkeys(spec.queues):
            queue = self.queues.get(name)
            if queue is not None:
                queue.agents[spec.id] = None
                agent.pools += [pool for pool in queue.all.values() if pool.demand.met_by(spec.id, spec.skills)]
        self.refresh(agent)
        return agent

    def remove(self, agent: Agent) -> None:
        self._leave_queues(agent)
        self._count(agent, ())
        del self._by_phone[agent.spec.endpoint]
        del self.agents[agent.spec.id]

    def put_queue(self, spec: QueueSpec) -> None:
        """Open a queue, or give a known one its new strategy and stages."""
        queue = self.queues.get(spec.name)
        if queue is None:
            queue = self.queues[spec.name] = QueuePools(spec.name, spec.strategy)
            serving = (agent.spec.id for agent in self.agents.values() if spec.name in agent.spec.queues)
            queue.agents = dict.fromkeys(serving)
        queue.strategy = spec.strategy
        queue.last(stage.demand for stage in course(spec.requirement))
        for demand in (ANYBODY, *(stage.demand for stage in course(spec.requirement))):
            self.pool(spec.name, demand)
        for agent in queue.agents:
            self.refresh(self.agents[agent])

    def close_queue(self, name: str) -> None:
        for pool in self.queues[name].all.values():
            self._drop(pool)
        del self.queues[name]

    def pool(self, name: str, demand: Demand) -> Pool:
        """The pool of this demand; a new one finds the free agents who meet it."""
        queue = self.queues[name]
        pool = queue.all.get(demand)
        if pool is None:
            for unused in queue.clear_away():
                self._drop(unused)
            pool = queue.add(demand)
            for agent_id in self._candidates(pool):
                agent = self.agents[agent_id]
                if demand.met_by(agent_id, agent.spec.skills):
                    agent.pools.append(pool)
                    if agent.listed:
                        pool.free.add(agent_id, rank(queue.strategy, agent, demand))
        return pool

    def refresh(self, agent: Agent) -> None:
        """Make the indexes say what the agent now is."""
        if agent.free:
            agent.listed = True
            for pool in agent.pools:
                pool.free.add(agent.spec.id, rank(self.queues[pool.queue].strategy, agent, pool.demand))
        else:
            self._unlist(agent)
        self.count(agent)

    def count(self, agent: Agent) -> None:
        """Count them as logged in, or not, in all their queues."""
        self._count(agent, () if agent.state is AgentState.LOGGED_OUT else agent.spec.queues)

    def first_free(self, pool: Pool) -> Agent | None:
        first = pool.free.first()
        return self.agents[first[1]] if first else None

    def free_in(self, queue: str) -> Iterable[str]:
        """Ids of the free agents of a queue, in the order of choice for a caller who demands nothing."""
        return self.queues[queue].all[ANYBODY].free

    def _candidates(self, pool: Pool) -> list[str]:
        serving = self.queues[pool.queue].agents
        if pool.demand.agent is None:
            return list(serving)
        return [pool.demand.agent] if pool.demand.agent in serving else []

    def _drop(self, pool: Pool) -> None:
        for agent_id in self._candidates(pool):
            agent = self.agents[agent_id]
            agent.pools = [one for one in agent.pools if one is not pool]

    def _unlist(self, agent: Agent) -> None:
        if agent.listed:
            agent.listed = False
            for pool in agent.pools:
                pool.free.discard(agent.spec.id)

    def _leave_queues(self, agent: Agent) -> None:
        self._unlist(agent)
        agent.pools = []
        for name in agent.spec.queues:
            if name in self.queues:
                self.queues[name].agents.pop(agent.spec.id, None)

    def _count(self, agent: Agent, queues: tuple[str, ...]) -> None:
        if queues == agent.counted_in:
            return
        self.logged_in.update(queues)
        self.logged_in.subtract(agent.counted_in)
        self.deserted.update(dict.fromkeys(queue for queue in agent.counted_in if not self.logged_in[queue]))
        agent.counted_in = queues
