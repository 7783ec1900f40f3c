"""Drives the pure engine in virtual time: tells it facts, fires its timers when they are due, checks the invariants
after every single fact. Tests read like the rule that they show."""

from __future__ import annotations

from itertools import count
from typing import TypeVar

from acd import facts as f
from acd.engine import Engine
from acd.invariants import violations
from acd.model import AgentSpec, QueueSpec, Rules, WaitingCaller
from acd.orders import CancelTimer, MakeOffer, Note, Order, ReleaseCaller, StartTimer, TimerId
from acd.skills import Requirement
from acd.states import AgentState

O = TypeVar("O", bound=Order)  # noqa: E741

SALES = QueueSpec("sales", ring_s=20, wrap_up_s=10.0)


def agent_spec(agent: str, *queues: str, **skills: int) -> AgentSpec:
    return AgentSpec(agent, f"Agent {agent}", agent, queues or ("sales",), skills)


class EngineDriver:
    """`start` logs the agents in, a second apart, so that the first named has been idle for longest."""

    def __init__(self, *queues: QueueSpec, agents: tuple[AgentSpec, ...] = (), rules: Rules | None = None) -> None:
        ids = count(1)
        self.now = 1000.0
        self.engine = Engine(queues or (SALES,), agents, lambda: f"cb-{next(ids)}", rules=rules)
        self.timers: dict[TimerId, float] = {}
        self.all: list[Order] = []
        for agent in agents:
            self.tell(f.AgentLoggedIn(agent.id))
            self.pass_time(1)

    def tell(self, fact: f.Fact) -> list[Order]:
        orders = self.engine.handle(fact, self.now)
        for order in orders:
            if isinstance(order, StartTimer):
                self.timers[order.timer] = order.at
            elif isinstance(order, CancelTimer):
                self.timers.pop(order.timer, None)
        self.all += orders
        assert violations(self.engine) == []
        return orders

    def pass_time(self, seconds: float) -> list[Order]:
        end = self.now + seconds
        orders: list[Order] = []
        while self.timers and min(self.timers.values()) <= end:
            timer = min(self.timers, key=lambda timer: (self.timers[timer], timer))
            self.now = max(self.now, self.timers.pop(timer))
            orders += self.tell(f.TimerFired(timer))
        self.now = end
        return orders

    def join(
        self,
        call: str,
        queue: str = "sales",
        head_start: float = 0.0,
        *,
        requirement: Requirement | None = None,
        preferred: str | None = None,
        preferred_s: float = 0.0,
    ) -> list[Order]:
        caller = WaitingCaller(
            call,
            queue,
            self.now,
            head_start,
            requirement=requirement,
            preferred=preferred,
            preferred_s=preferred_s,
        )
        return self.tell(f.CallerJoined(caller))

    def ringing(self) -> dict[str, str]:
        """Which agent is offered which call."""
        offers = self.engine.offers.open.values()
        return {offer.agent: offer.call for offer in offers if offer.phase != "talking"}

    def offer(self, call: str, agent: str | None = None) -> str:
        """The one that counts for the caller, or the one on this agent's phone."""
        if agent is None:
            offer = self.engine.offer_of(call)
        else:
            mine = self.engine.floor.agents[agent].offer
            offer = self.engine.offers.open[mine] if mine is not None else None
        assert offer is not None, f"nobody is offered {call}"
        assert offer.call == call, f"{agent} is offered {offer.call}"
        return offer.id

    def answer(self, call: str, agent: str | None = None) -> list[Order]:
        return self.tell(f.OfferAnswered(self.offer(call, agent)))

    def fail(
        self, call: str, reason: f.OfferFailure = f.OfferFailure.NO_ANSWER, agent: str | None = None
    ) -> list[Order]:
        return self.tell(f.OfferFailed(self.offer(call, agent), reason))

    def talk(self, call: str, agent: str | None = None) -> None:
        self.answer(call, agent)
        self.tell(f.TalkStarted(self.offer(call)))

    def end_talk(self, call: str, by: f.EndedBy = f.EndedBy.CALLER) -> list[Order]:
        return self.tell(f.TalkEnded(self.offer(call), by))

    def serve(self, call: str, talk_s: float = 60.0) -> str:
        """One call from answer to the end of the wrap-up; whose call it was."""
        offer = self.engine.offer_of(call)
        assert offer is not None, f"nobody is offered {call}"
        self.talk(call)
        self.pass_time(talk_s)
        self.end_talk(call)
        self.pass_time(offer.wrap_up_s)
        return offer.agent

    def released(self) -> dict[str, str]:
        return {order.call: order.result.value for order in self.told(ReleaseCaller)}

    def state(self, agent: str) -> AgentState:
        return self.engine.floor.agents[agent].state

    def told(self, kind: type[O]) -> list[O]:
        return [order for order in self.all if isinstance(order, kind)]

    def notes(self, kind: str) -> list[Note]:
        return [note for note in self.told(Note) if note.kind == kind]

    def offered_calls(self) -> list[str]:
        """Every offer made, oldest first."""
        return [order.caller.call for order in self.told(MakeOffer)]
