"""A contact centre in virtual time around the real engine: its PBX loses, delays, doubles and reorders facts.

Everything random comes from one seeded generator, so a failure is repeated by its seed. The world also plays the
reconciler: now and then it tells the engine which talks and callers the PBX no longer has. People in it do as they
like: they ask each other, log in twice, name agents who do not exist; queues vanish while people wait, skills are
renamed. A referee watches every step.
"""

from __future__ import annotations

import heapq
from collections import Counter
from dataclasses import replace
from itertools import count
from random import Random

from acd import facts as f
from acd.engine import Engine
from acd.errors import AcdError
from acd.invariants import violations
from acd.model import AgentSpec, QueueSpec, WaitingCaller
from acd.offers import OfferPhase
from acd.orders import (
    CancelTimer,
    ConnectTalk,
    MakeConsult,
    MakeOffer,
    Order,
    ReleaseCaller,
    StartTimer,
    TimerId,
    WithdrawOffer,
)
from acd.skills import Need, Relaxed, Requirement
from acd.strategies import Strategy
from tests.fakes.referee import Referee

REQUIREMENTS = (
    None,
    None,
    Requirement((Need("es", 3),), relax=(Relaxed(20.0, (Need("es", 1),)), Relaxed(45.0))),
    Requirement((Need("bike", 2),), nice=(Need("es"),), relax=(Relaxed(60.0),)),
)
LOST, DOUBLED, LATE = 0.02, 0.03, 0.05  # shares of the PBX's facts


class FaultyWorld:
    def __init__(
        self, seed: int, *, queues: int = 7, agents: int = 25, callers_per_s: float = 0.5, history: bool = True
    ) -> None:
        """`history`: keep all facts and orders, which a day of millions cannot."""
        self.random = Random(seed)
        self.now = 0.0
        self.facts = 0
        self.offers = 0
        self.talks = 0
        self.elsewhere = 0  # offers that ended because another agent answered
        self.arrivals = True
        self._callers_per_s = callers_per_s
        self._ids = count(1)
        self._calls = count(1)
        self._agenda: list[tuple[float, int, f.Fact]] = []
        self._order = count()
        self._timers: dict[TimerId, float] = {}
        self._there: set[str] = set()  # callers who have not hung up
        self._talk_ends: dict[str, float] = {}  # by offer: what the PBX knows
        self.queues = [
            QueueSpec(
                f"q{n}",
                ring_s=15,
                wrap_up_s=float(n % 3 * 8),
                max_wait_s=120.0 if n % 2 else None,
                noted_positions=3,
                strategy=list(Strategy)[(n + seed) % len(Strategy)],
                head_start_s=10.0 * (n % 2),
                max_waiting=40 if n == 0 else None,
                leave_when_empty=n == 1,
                wrap_up_max_s=60.0,
                dispositions={"1": "sold"} if n % 2 else {},
                disposition_required=n == 3,
            )
            for n in range(queues)
        ]
        specs = [
            AgentSpec(
                f"a{n}",
                "",
                f"p{n}",
                tuple(f"q{q}" for q in self.random.sample(range(queues), self.random.randint(1, 3))),
                {skill: self.random.randint(1, 5) for skill in ("es", "bike") if self.random.random() < 0.6},
            )
            for n in range(agents)
        ]
        self.agents = [spec.id for spec in specs]
        self.specs = specs
        self.engine = Engine(self.queues, specs, lambda: f"cb-{next(self._ids)}")
        self.referee = Referee(queue.name for queue in self.queues if queue.rings_all)
        self.log: list[tuple[f.Fact, float]] = []  # all that the engine was told
        self.orders: list[Order] = []  # all that it ordered
        self.refused: Counter[str] = Counter()  # what people could not have
        self.consults = 0
        self._history = history

    def run(self, facts: int, check_every: int) -> None:
        self._next_arrival()
        next_look = 0.0
        next_whim = 0.0
        while self.facts < facts:
            self._step()
            if self.now >= next_look:
                next_look = self.now + 5.0
                self._look()
            if self.now >= next_whim:
                next_whim = self.now + self.random.expovariate(0.5)
                self._whim()
            if self.facts % check_every == 0:
                self.check()

    def wind_down(self) -> None:
        """No new callers; everybody comes to work; those who can be served are, and the talks end."""
        self.arrivals = False
        self._tell(f.SwitchFound())
        for queue in self.queues:
            self._tell(f.QueueSet(queue))
        for agent in self.agents:
            self._tell(f.PhoneSeen(agent, reachable=True, busy=False))
        while self._agenda:
            self._step()
            self._everybody_works()
            if not self._agenda:
                self._look()
        self._look()
        self.check()

    def check(self) -> None:
        assert violations(self.engine) == [], f"after {self.facts} facts"

    def _step(self) -> None:
        at, _, fact = heapq.heappop(self._agenda)
        if isinstance(fact, f.TimerFired):
            if self._timers.get(fact.timer) != at:
                return  # cancelled, or set anew
            del self._timers[fact.timer]
        self.now = max(self.now, at)
        if isinstance(fact, f.CallerJoined) and self.arrivals:
            self._next_arrival()
        self._tell(fact)

    def _tell(self, fact: f.Fact) -> None:
        self.facts += 1
        if self._history:
            self.log.append((fact, self.now))
        try:
            orders = self.engine.handle(fact, self.now)
        except AcdError as error:
            self.refused[type(error).__name__] += 1
            return
        self.referee.watch(fact, orders)
        if self._history:
            self.orders += orders
        for order in orders:
            self._obey(order)

    def _obey(self, order: Order) -> None:
        match order:
            case StartTimer(timer, at):
                self._timers[timer] = at
                heapq.heappush(self._agenda, (at, next(self._order), f.TimerFired(timer)))
            case CancelTimer(timer):
                self._timers.pop(timer, None)
            case MakeOffer():
                self._offered(order)
            case MakeConsult(offer, call):
                self._consulted(offer, call)
            case WithdrawOffer(_, elsewhere):
                self.elsewhere += elsewhere
            case ConnectTalk(offer, call):
                self._connect(offer, call)
            case ReleaseCaller(call):
                self._there.discard(call)

    def _offered(self, order: MakeOffer) -> None:
        self.offers += 1
        key = self.engine.lines.callers[order.caller.call].key
        for pool in self.engine.floor.agents[order.agent].pools:
            head = pool.open.first()
            assert head is None or head[0] >= key, "somebody who waited longer was passed over"
        self._pbx(0.1, f.OfferRinging(order.offer))
        dice = self.random.random()
        if dice < 0.75:
            self._pbx(self.random.uniform(0.5, 12), f.OfferAnswered(order.offer))
        elif dice < 0.85:
            self._pbx(order.ring_s, f.OfferFailed(order.offer, f.OfferFailure.NO_ANSWER))
        elif dice < 0.97:
            reason = self.random.choice(list(f.OfferFailure))
            self._pbx(0.2, f.OfferFailed(order.offer, reason))
            if reason is f.OfferFailure.UNREACHABLE:
                self._soon(self.random.uniform(1, 60), f.PhoneSeen(order.agent, reachable=True, busy=False))

    def _consulted(self, offer: str, call: str) -> None:
        """An agent rings for another: they answer, speak for a while, and the caller is with one of the two."""
        self.consults += 1
        after = self.random.uniform(0.5, 10)
        self._pbx(after, f.OfferAnswered(offer))
        self._pbx(after + 0.1, f.TalkStarted(offer))
        end = after + self.random.expovariate(1 / 15)
        self._talk_ends[offer] = self.now + end
        self._pbx(end, f.TalkEnded(offer, f.EndedBy.AGENT))
        if self.random.random() < 0.5:
            self._pbx(self.random.uniform(0, end), f.TalkMoved(call, offer))
        if self.random.random() < 0.2:
            self._pbx(self.random.uniform(0, end), f.ConsultDropped(call))

    def _connect(self, offer: str, call: str) -> None:
        dice = self.random.random()
        if dice < 0.95 and call in self._there:
            self.talks += 1
            duration = self.random.expovariate(1 / 30)
            self._talk_ends[offer] = self.now + duration
            self._pbx(0.01, f.TalkStarted(offer))
            self._pbx(duration, f.TalkEnded(offer, self.random.choice(list(f.EndedBy))))
        elif dice < 0.98:
            self._pbx(0.05, f.OfferFailed(offer, f.OfferFailure.LOST))

    def _next_arrival(self) -> None:
        at = self.now + self.random.expovariate(self._callers_per_s)
        call = f"call{next(self._calls)}"
        queue = self.random.choice(self.queues).name
        head_start = self.random.choice((0.0, 0.0, 0.0, 30.0))
        self._there.add(call)
        caller = WaitingCaller(
            call,
            queue,
            at,
            head_start,
            requirement=self.random.choice(REQUIREMENTS),
            preferred=self.random.choice((None, None, None, *self.agents)),
            preferred_s=20.0,
        )
        self._soon(at - self.now, f.CallerJoined(caller))
        patience = at - self.now + self.random.expovariate(1 / 90)
        self._there_until(patience, call)

    def _there_until(self, delay: float, call: str) -> None:
        self._soon(delay, f.CallerLeft(call))
        if self.random.random() < DOUBLED:
            self._soon(delay + 1, f.CallerLeft(call))

    def _look(self) -> None:
        """What a reconciler finds: talks that the PBX no longer has."""
        for offer in list(self.engine.offers.open.values()):
            if offer.phase is OfferPhase.TALKING and self._talk_ends.get(offer.id, 0.0) < self.now - 1:
                self._tell(f.TalkEnded(offer.id, f.EndedBy.UNKNOWN))

    def _whim(self) -> None:
        agent = self.random.choice(self.agents)
        if self.random.random() < 0.2:
            self._tell(self._odd_whim(agent))
            return
        dice = self.random.random()
        fact: f.Fact
        if dice < 0.3:
            fact = f.AgentLoggedIn(agent)
        elif dice < 0.6:
            fact = f.AgentReady(agent)
        elif dice < 0.7:
            fact = f.AgentPaused(agent, "whim")
        elif dice < 0.75:
            fact = f.AgentLoggedOut(agent)
        elif dice < 0.8:
            fact = f.WrapUpExtended(agent, self.random.choice((5.0, 300.0)))
        elif dice < 0.85:
            fact = f.DispositionGiven(agent, "sold")
        elif dice < 0.95:
            reachable = self.random.random() < 0.9
            fact = f.PhoneSeen(agent, reachable, reachable and self.random.random() < 0.2)
            self._soon(self.random.uniform(1, 20), f.PhoneSeen(agent, reachable=True, busy=False))
        else:
            fact = f.SwitchLost()
            self._soon(self.random.uniform(0.5, 10), f.SwitchFound())
        self._tell(fact)

    def _odd_whim(self, agent: str) -> f.Fact:
        """What people do who are not careful."""
        dice = self.random.random()
        if dice < 0.4 and self.engine.offers.talks:
            return f.ConsultAsked(self.random.choice(list(self.engine.offers.talks)), agent)
        if dice < 0.6:
            return self.random.choice((f.AgentLoggedIn, f.AgentReady, f.AgentLoggedOut))("nobody")
        if dice < 0.9:
            spec = self.specs[self.agents.index(agent)]
            self._soon(self.random.uniform(5, 60), f.AgentSet(spec))
            return f.AgentSet(replace(spec, skills={f"new-{skill}": level for skill, level in spec.skills.items()}))
        queue = self.random.choice(self.queues)
        self._soon(self.random.uniform(0, 10), f.QueueSet(queue))
        return f.QueueRemoved(queue.name)

    def _everybody_works(self) -> None:
        for agent in self.engine.floor.agents.values():
            if agent.state == "logged_out":
                self._tell(f.AgentLoggedIn(agent.spec.id))
            elif agent.state == "not_ready":
                self._tell(f.AgentReady(agent.spec.id))

    def _pbx(self, delay: float, fact: f.Fact) -> None:
        """A fact on its way through a PBX and a link that misbehave."""
        dice = self.random.random()
        if dice < LOST:
            return
        if dice < LOST + DOUBLED:
            self._soon(delay + self.random.uniform(0, 30), fact)
        elif dice < LOST + DOUBLED + LATE:
            delay += self.random.uniform(0, 30)
        self._soon(delay, fact)

    def _soon(self, delay: float, fact: f.Fact) -> None:
        heapq.heappush(self._agenda, (self.now + delay, next(self._order), fact))
