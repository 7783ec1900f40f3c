"""Decisions per second of the routing engine alone, and what a decision costs with ten times the agents.

    python -m bench.engine [--agents 10000] [--queues 1000] [--waiting 10000] [--decisions 20000] [--json FILE]

A decision is one call of `Engine.handle` that ends in an offer (or in more than one), and its time is that of the whole
call: the fact taken in, the agent's or caller's move, every index and deadline brought up to date, the pair chosen, the
offer reserved, the orders and notes made. What happens between decisions (rings, answers, talks, wrap-up, relaxing) is
the engine's work too: it is played in virtual time and reported beside, per decision. One thread, and its own CPU time:
what else the machine does meanwhile counts only where it spoils the caches.

Half of the queues are crowded: all who wait stand there, and a decision is an agent who becomes free. In the other half
agents wait for callers, and a decision is a caller who comes. In both, one ring in ten is not answered, and the next
agent is tried. Every agent serves three queues; every second queue asks for a skill, less of it after 30 and 60 s.
"""

from __future__ import annotations

import argparse
import gc
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import count, pairwise
from pathlib import Path
from random import Random
from time import thread_time_ns

from acd import facts as f
from acd.engine import Engine
from acd.model import AgentSpec, QueueSpec, WaitingCaller
from acd.orders import CancelTimer, ConnectTalk, MakeOffer, Note, Order, StartTimer, TimerId, WithdrawOffer
from acd.skills import Need, Relaxed, Requirement
from acd.states import AgentState
from acd.strategies import Strategy
from bench.figures import machine, percentile, save, table, verdict

BAR_RATE, BAR_P99_MS, BAR_RATIO = 20_000, 1.0, 1.5
RING_S, TALK_S, WRAP_UP_S = 6.0, 180.0, 10.0
UNANSWERED = 0.1
QUIET_LOAD = 0.7  # share of their time for which the agents of quiet queues are busy
SERVES = 3
CROWDED, QUIET = "crowded-", "quiet-"  # how a call's id begins
STRATEGIES = [strategy for strategy in Strategy if strategy is not Strategy.RING_ALL]
SPANISH = Requirement((Need("spanish", 3),), relax=(Relaxed(30.0, (Need("spanish", 1),)), Relaxed(60.0)))


@dataclass
class Measured:
    """Nanoseconds: of each decision, by the kind of fact that led to it, and of everything together."""

    decisions: dict[str, list[int]] = field(default_factory=dict)
    spent: int = 0
    facts: int = 0

    def add(self, fact: f.Fact, orders: Sequence[Order], spent: int) -> None:
        self.spent += spent
        self.facts += 1
        if any(isinstance(order, MakeOffer) for order in orders):
            kind = f" {fact.timer.kind}" if isinstance(fact, f.TimerFired) else ""
            self.decisions.setdefault(type(fact).__name__ + kind, []).append(spent)

    @property
    def all(self) -> list[int]:
        return [spent for each in self.decisions.values() for spent in each]

    @property
    def rate(self) -> float:
        """Decisions in a second of deciding."""
        return len(self.all) / sum(self.all) * 1e9

    @property
    def rate_with_everything(self) -> float:
        """Decisions in a second of everything that the engine does for those calls."""
        return len(self.all) / self.spent * 1e9

    @property
    def p99_ms(self) -> float:
        return percentile(self.all, 0.99) / 1e6


class Centre:
    """A contact centre in virtual time; its engine is the real one, and only its engine's time counts."""

    def __init__(self, agents: int, queues: int, waiting: int, seed: int) -> None:
        self.random = Random(seed)
        self.now = 0.0
        self.measured = Measured()
        self._agenda: list[tuple[float, int, f.Fact]] = []
        self._order, self._calls, ids = count(), count(1), count(1)
        self._timers: dict[TimerId, float] = {}
        self._gone: set[str] = set()  # offers that were withdrawn
        specs = [self._queue(nth) for nth in range(queues)]
        names = [spec.name for spec in specs]
        self.crowded, self.quiet = names[: queues // 2], names[queues // 2 :]
        team = [self._agent(nth, self.crowded if nth % 2 else self.quiet) for nth in range(agents)]
        self.engine = Engine(specs, team, lambda: f"cb-{next(ids)}")
        for agent in team:
            self.tell(f.AgentLoggedIn(agent.id))
        self._waiting, self._in_line = waiting, waiting + agents // 2
        for _ in range(self._in_line):
            self.tell(self._caller(self.crowded, CROWDED, 0.0))
        self._every_s = (RING_S + TALK_S + WRAP_UP_S) / (QUIET_LOAD * agents / 2)  # between two callers
        self._next_quiet()

    def run(self, decisions: int) -> Measured:
        """Until so many decisions were taken; what they took."""
        self.measured = Measured()
        while sum(map(len, self.measured.decisions.values())) < decisions:
            at, _, fact = heappop(self._agenda)
            self.now = at
            match fact:
                case f.TimerFired(timer):
                    if self._timers.get(timer) != at:
                        continue  # cancelled, or set anew
                    del self._timers[timer]
                case f.OfferRinging(offer) | f.OfferAnswered(offer) | f.OfferFailed(offer):
                    if offer in self._gone:
                        continue
                case f.CallerJoined(caller) if caller.call.startswith(QUIET):
                    self._next_quiet()
            self.tell(fact)
        return self.measured

    def tell(self, fact: f.Fact) -> None:
        begin = thread_time_ns()
        orders = self.engine.handle(fact, self.now)
        self.measured.add(fact, orders, thread_time_ns() - begin)
        for order in orders:
            self._obey(order)

    def _obey(self, order: Order) -> None:
        match order:
            case StartTimer(timer, at):
                self._timers[timer] = at
                self._at(at, f.TimerFired(timer))
            case CancelTimer(timer):
                self._timers.pop(timer, None)
            case MakeOffer(offer):
                self._soon(0.1, f.OfferRinging(offer))
                if self.random.random() < UNANSWERED:
                    self._soon(2 * RING_S, f.OfferFailed(offer, f.OfferFailure.NO_ANSWER))
                else:
                    self._soon(self.random.uniform(0.5, 2 * RING_S), f.OfferAnswered(offer))
            case WithdrawOffer(offer):
                self._gone.add(offer)
            case ConnectTalk(offer, call):
                self._soon(0.01, f.TalkStarted(offer))
                self._soon(self.random.expovariate(1 / TALK_S), f.TalkEnded(offer, f.EndedBy.CALLER))
                if call.startswith(CROWDED):
                    self._in_line -= 1
                    while self._in_line < self._waiting:
                        self._in_line += 1
                        self._at(self.now, self._caller(self.crowded, CROWDED, self.now))
            case Note(kind="agent.state", agent=str(agent), data={"state": AgentState.NOT_READY}):
                self._soon(RING_S, f.AgentReady(agent))  # did not answer three times in a row

    def _next_quiet(self) -> None:
        at = self.now + self.random.expovariate(1 / self._every_s)
        self._at(at, self._caller(self.quiet, QUIET, at))

    def _caller(self, queues: Sequence[str], kind: str, at: float) -> f.CallerJoined:
        requirement = SPANISH if self.random.random() < 0.25 else None
        caller = WaitingCaller(
            f"{kind}{next(self._calls)}", self.random.choice(queues), self.now, requirement=requirement
        )
        return f.CallerJoined(caller)

    def _queue(self, nth: int) -> QueueSpec:
        strategy = STRATEGIES[nth % len(STRATEGIES)]
        requirement = SPANISH if nth // len(STRATEGIES) % 2 else Requirement()
        return QueueSpec(f"queue{nth}", wrap_up_s=WRAP_UP_S, strategy=strategy, requirement=requirement)

    def _agent(self, nth: int, queues: Sequence[str]) -> AgentSpec:
        skills = {"spanish": self.random.randint(1, 5)} if self.random.random() < 0.7 else {}
        return AgentSpec(f"agent{nth}", "", f"phone{nth}", tuple(self.random.sample(queues, SERVES)), skills)

    def _soon(self, delay: float, fact: f.Fact) -> None:
        self._at(self.now + delay, fact)

    def _at(self, at: float, fact: f.Fact) -> None:
        heappush(self._agenda, (at, next(self._order), fact))


def measure(agents: int, queues: int, waiting: int, decisions: int) -> Measured:
    centre = Centre(agents, queues, waiting, seed=1)
    centre.run(decisions)  # until rings, talks and wrap-ups are mixed as on any day
    gc.collect()
    return centre.run(decisions)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--agents", type=int, default=10_000)
    parser.add_argument("--queues", type=int, default=1_000)
    parser.add_argument("--waiting", type=int, default=10_000)
    parser.add_argument("--decisions", type=int, default=20_000)
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()
    sizes = [chosen.agents // 10, chosen.agents, chosen.agents * 10]
    runs = {agents: measure(agents, chosen.queues, chosen.waiting, chosen.decisions) for agents in sizes}
    asked = runs[chosen.agents]
    print(machine())
    print(table(HEADS, [row(f"{agents:,} agents", run.all, run) for agents, run in runs.items()]))
    print(table(HEADS[:5], [row(kind, spent) for kind, spent in asked.decisions.items()]))
    print(f"decisions/s: {asked.rate:,.0f} (bar {BAR_RATE:,}): {verdict(asked.rate >= BAR_RATE)}")
    print(f"p99: {asked.p99_ms:.3f} ms (bar {BAR_P99_MS} ms): {verdict(asked.p99_ms <= BAR_P99_MS)}")
    for fewer, more in pairwise(sizes):
        ratio = cost_ratio(runs[fewer], runs[more])
        told = f"cost of a decision, {more:,} agents over {fewer:,}: {ratio:.2f}x (bar {BAR_RATIO}x)"
        print(f"{told}: {verdict(ratio <= BAR_RATIO)}")
    save(chosen.json, {str(agents): vars(run) for agents, run in runs.items()})


HEADS = ("", "decisions/s", "median, µs", "p99, µs", "worst, µs", "with all else, decisions/s", "facts")


def row(name: str, spent: list[int], run: Measured | None = None) -> list[str]:
    micro = [value / 1000 for value in (statistics.median(spent), percentile(spent, 0.99), max(spent))]
    cells = [name, f"{len(spent) / sum(spent) * 1e9:,.0f}", *(f"{value:,.1f}" for value in micro)]
    return cells if run is None else [*cells, f"{run.rate_with_everything:,.0f}", f"{run.facts:,}"]


def cost_ratio(fewer: Measured, more: Measured) -> float:
    """How many times as much a decision costs on average."""
    return fewer.rate / more.rate


if __name__ == "__main__":
    main()
