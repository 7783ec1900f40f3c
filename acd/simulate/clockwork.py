"""The real engine in virtual time, with a PBX that does as it is told: same facts, same orders.

This module decides when what is told. Who calls, how long they stay and what is counted is decided by whoever builds on
it. It refuses to choose who gets whom.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from contextlib import suppress
from dataclasses import replace
from heapq import heappop, heappush
from itertools import count
from typing import Protocol

from acd import facts as f
from acd.engine import Engine
from acd.errors import AcdError
from acd.orders import CancelTimer, ConnectTalk, MakeOffer, Order, ReleaseCaller, StartTimer, TimerId, WithdrawOffer
from acd.simulate.load import Staffing


class Watcher(Protocol):
    """Sees everything and changes nothing."""

    def before(self, engine: Engine, now: float) -> None:
        """Something is about to happen at this moment; since the last one nothing did."""

    def after(self, engine: Engine, fact: f.Fact, orders: list[Order], now: float) -> None: ...


class Clockwork(ABC):
    def __init__(self, staffing: Staffing, pick_up_s: float, watcher: Watcher | None = None) -> None:
        ids = count(1)
        # Positions are for announcements, and noting them is most of the work in a long line.
        queues = [replace(queue, noted_positions=0) for queue in staffing.queues]
        self.engine = Engine(queues, staffing.agents, lambda: f"offer-{next(ids)}", rules=staffing.rules)
        self.now = 0.0
        self._watcher = watcher
        self._wrap_up_s = {queue.name: queue.wrap_up_s for queue in queues}
        self._pick_up_s = pick_up_s
        self._agenda: list[tuple[float, int, f.Fact]] = []
        self._order = count()
        self._timers: dict[TimerId, float] = {}
        self._agent_of: dict[str, str] = {}  # offer that rings -> agent

    @abstractmethod
    def _offered(self, call: str) -> None: ...

    @abstractmethod
    def _talk(self, call: str, offer: str, agent: str) -> float:
        """A talk begins; how long it will last."""

    @abstractmethod
    def _released(self, call: str) -> None: ...

    def _at(self, at: float, fact: f.Fact) -> None:
        heappush(self._agenda, (at, next(self._order), fact))

    def _due(self) -> f.Fact | None:
        """The next fact, whose time has come by it. None for a timer that runs no more."""
        at, _, fact = heappop(self._agenda)
        if isinstance(fact, f.TimerFired):
            if self._timers.get(fact.timer) != at:
                return None  # cancelled, or set anew
            del self._timers[fact.timer]
        self.now = at
        return fact

    def _tell(self, fact: f.Fact) -> None:
        facts = deque([fact])
        while facts:
            fact = facts.popleft()
            orders = self.engine.handle(fact, self.now)
            if self._watcher is not None:
                self._watcher.after(self.engine, fact, orders, self.now)
            for order in orders:
                followed = self._obey(order)
                if followed is not None:
                    facts.append(followed)

    def _try(self, fact: f.Fact) -> None:
        """What a person asks for, who may have asked before."""
        with suppress(AcdError):
            self._tell(fact)

    def _obey(self, order: Order) -> f.Fact | None:
        """Do as ordered; the fact that follows in the same instant, if one does."""
        if isinstance(order, StartTimer):
            self._timers[order.timer] = order.at
            self._at(order.at, f.TimerFired(order.timer))
        elif isinstance(order, CancelTimer):
            self._timers.pop(order.timer, None)
        elif isinstance(order, MakeOffer):
            self._agent_of[order.offer] = order.agent
            self._offered(order.caller.call)
            if self._pick_up_s <= 0:
                return f.OfferAnswered(order.offer)
            self._at(self.now + self._pick_up_s, f.OfferAnswered(order.offer))
        elif isinstance(order, WithdrawOffer):
            del self._agent_of[order.offer]
        elif isinstance(order, ConnectTalk):
            length = self._talk(order.call, order.offer, self._agent_of.pop(order.offer))
            self._at(self.now + length, f.TalkEnded(order.offer, f.EndedBy.CALLER))
            return f.TalkStarted(order.offer)
        elif isinstance(order, ReleaseCaller):
            self._released(order.call)
        return None
