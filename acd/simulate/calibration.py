"""Expected waits beside what became of them: an estimator watches a simulated load and is judged by it.

This module decides who is judged: everyone who finds no free agent, when they join and again `AGAIN_AFTER_S` later if
they wait still, as soon as the estimator says anything. Who hangs up is judged too, by the wait that they would have
had: until the first agent who could serve them is offered somebody behind them, or has nobody left to serve. So no
wait is cut short and left out, which would flatter the estimate.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median

from acd import facts as f
from acd.engine import Engine
from acd.estimates_line import ExpectedWaits
from acd.lines import Standing
from acd.ordering import Key
from acd.orders import MakeOffer, Note, Order
from acd.simulate.report import BATCHES, Estimate, estimate
from acd.skills import Demand

AGAIN_AFTER_S = 30.0


@dataclass(slots=True)
class Judged:
    """Of many estimates: what was announced and what it was, in seconds."""

    announced: list[float] = field(default_factory=list)
    real: list[float] = field(default_factory=list)
    unknown: int = 0  # nothing was announced

    def add(self, announced: float, real: float) -> None:
        self.announced.append(announced)
        self.real.append(real)

    def __len__(self) -> int:
        return len(self.real)

    @property
    def kept(self) -> float:
        """The share who waited no longer than announced."""
        return sum(real <= told for told, real in zip(self.announced, self.real, strict=True)) / len(self)

    def kept_surely(self) -> Estimate:
        """The same with its error, by batch means: neighbours in a line share their luck."""
        size = len(self) / BATCHES
        hits, counts = [0.0] * BATCHES, [0.0] * BATCHES
        for n, (told, real) in enumerate(zip(self.announced, self.real, strict=True)):
            batch = min(BATCHES - 1, int(n / size))
            hits[batch] += real <= told
            counts[batch] += 1
        return estimate(hits, counts)

    @property
    def sharpness(self) -> float:
        """Median announced over median real: how much an honest announcement overstates the usual wait."""
        return median(self.announced) / median(self.real)


@dataclass(slots=True)
class _Told:
    at: float
    seconds: float
    judged: Judged


@dataclass(slots=True)
class _Waiting:
    queue: str
    key: Key
    demand: Demand
    again_at: float
    told: list[_Told] = field(default_factory=list)


class Calibration:
    """A watcher of `simulate`. `pick_up_s` is that of the load; nothing is judged before `begin`."""

    def __init__(self, estimator: ExpectedWaits, *, begin: float, pick_up_s: float = 0.0) -> None:
        self.at_joining: dict[str, Judged] = {}  # by queue
        self.later: dict[str, Judged] = {}
        self._estimator = estimator
        self._begin = begin
        self._pick_up_s = pick_up_s
        self._waiting: dict[str, _Waiting] = {}  # in the order of joining
        self._again: dict[str, None] = {}  # likewise, who is not yet asked a second time
        self._gone: dict[str, _Waiting] = {}  # hung up, and not yet anybody's turn behind them

    def before(self, engine: Engine, now: float) -> None:
        for call in list(self._again):
            waiting = self._waiting[call]
            if waiting.again_at > now:
                return
            del self._again[call]
            self._ask(engine, call, waiting, self.later, waiting.again_at)

    def after(self, engine: Engine, fact: f.Fact, orders: list[Order], now: float) -> None:
        for order in orders:
            if isinstance(order, Note):
                self._estimator.note(order.kind, order.call, order.agent, order.queue, dict(order.data), now)
            elif isinstance(order, MakeOffer):
                self._turn_comes(engine, order, now)
        if isinstance(fact, f.CallerJoined):
            standing = engine.lines.callers.get(fact.caller.call)
            if standing is not None and not standing.offers and now >= self._begin:
                self._joined(engine, standing, now)
        elif isinstance(fact, f.CallerLeft):
            gone = self._waiting.pop(fact.call, None)
            self._again.pop(fact.call, None)
            if gone is not None and gone.told:
                self._gone[fact.call] = gone
        for call, gone in list(self._gone.items()):
            if any(True for _ in self._free(engine, gone)):
                self._judge(self._gone.pop(call), now)

    def _joined(self, engine: Engine, standing: Standing, now: float) -> None:
        caller = standing.caller
        waiting = _Waiting(caller.queue, standing.key, standing.pool.demand, now + AGAIN_AFTER_S)
        self._waiting[caller.call] = waiting
        self._again[caller.call] = None
        self._ask(engine, caller.call, waiting, self.at_joining, now)

    def _ask(self, engine: Engine, call: str, waiting: _Waiting, into: dict[str, Judged], at: float) -> None:
        judged = into.setdefault(waiting.queue, Judged())
        seconds = self._estimator(engine, call, at)
        if seconds is None:
            judged.unknown += 1
        else:
            waiting.told.append(_Told(at, seconds, judged))

    def _turn_comes(self, engine: Engine, order: MakeOffer, now: float) -> None:
        waiting = self._waiting.pop(order.caller.call, None)
        self._again.pop(order.caller.call, None)
        if waiting is not None:
            self._judge(waiting, now)
        if not self._gone:
            return
        key = engine.lines.callers[order.caller.call].key
        agent = engine.floor.agents[order.agent]
        for call, gone in list(self._gone.items()):
            could = gone.queue in agent.spec.queues and gone.demand.met_by(agent.spec.id, agent.skills)
            if could and gone.key < key:
                self._judge(self._gone.pop(call), now)

    def _free(self, engine: Engine, gone: _Waiting) -> list[str]:
        pool = engine.floor.queues[gone.queue].all.get(gone.demand)
        return list(pool.free) if pool is not None else []

    def _judge(self, waiting: _Waiting, now: float) -> None:
        for told in waiting.told:
            told.judged.add(told.seconds, now + self._pick_up_s - told.at)
