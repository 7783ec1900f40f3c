"""The agents as they are now, and for every queue the free ones in the order of choice.

This module decides who may be offered a call (`Agent.free`) and keeps the indexes true to it. It refuses to know
callers, offers' insides and time: `staff` changes an agent and then calls `refresh`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from acd.errors import PhoneTaken, UnknownAgent
from acd.model import AgentSpec
from acd.ordering import OrderedIds
from acd.states import AgentEvent, AgentState
from acd.strategies import Strategy


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
    leaving: bool = False  # removed from the configuration while in a talk

    @property
    def free(self) -> bool:
        return self.state is AgentState.READY and self.reachable and not self.phone_busy and not self.resting


class Floor:
    def __init__(self, strategy: Strategy) -> None:
        self.agents: dict[str, Agent] = {}
        self._strategy = strategy
        self._free: dict[str, OrderedIds] = {}
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
            self._unlist(agent)
            del self._by_phone[agent.spec.endpoint]
            agent.spec = spec
        self._by_phone[spec.endpoint] = spec.id
        self.refresh(agent)
        return agent

    def remove(self, agent: Agent) -> None:
        self._unlist(agent)
        del self._by_phone[agent.spec.endpoint]
        del self.agents[agent.spec.id]

    def open_queue(self, queue: str) -> None:
        self._free[queue] = OrderedIds()
        for agent in self.agents.values():
            if queue in agent.spec.queues:
                self.refresh(agent)

    def close_queue(self, queue: str) -> None:
        del self._free[queue]

    def refresh(self, agent: Agent) -> None:
        """Make the indexes say what the agent now is."""
        if not agent.free:
            self._unlist(agent)
            return
        rank = self._strategy.rank(agent)
        for queue in agent.spec.queues:
            free = self._free.get(queue)
            if free is not None:
                free.add(agent.spec.id, rank)

    def first_free(self, queue: str) -> Agent | None:
        first = self._free[queue].first()
        return self.agents[first[1]] if first else None

    def free_in(self, queue: str) -> Iterable[str]:
        """Ids of the free agents of a queue, in the order of choice."""
        return self._free[queue]

    def _unlist(self, agent: Agent) -> None:
        for queue in agent.spec.queues:
            free = self._free.get(queue)
            if free is not None:
                free.discard(agent.spec.id)
