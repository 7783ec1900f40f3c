"""Plays a load against the REAL engine in virtual time: same facts, same orders, a PBX that does as it is told.

This module decides what callers and agents do. It refuses to choose who gets whom, and it has no chance of its own:
`Chances` come from outside, one for each purpose, so that a changed rule meets the very same callers. Lengths of talks
are drawn in the order in which talks begin: whatever the order of service, the work is the same, second by second.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from math import log, sqrt
from typing import Protocol

from acd import facts as f
from acd.model import WaitingCaller
from acd.simulate.clockwork import Clockwork, Watcher
from acd.simulate.load import Load, Staffing, Stream
from acd.simulate.report import BATCHES, Report
from acd.simulate.tally import BusyTime, StreamTally, outcome

_AFTERGLOW = 0.1  # callers keep coming for this share of the hours, uncounted: the last who count see a usual day


class Chance(Protocol):
    """`random.Random`, as far as it is needed."""

    def expovariate(self, lambd: float, /) -> float: ...
    def lognormvariate(self, mu: float, sigma: float, /) -> float: ...


@dataclass(frozen=True, slots=True)
class Chances:
    arrivals: tuple[Chance, ...]  # one for each stream
    patience: tuple[Chance, ...]
    handling: Chance


@dataclass(slots=True)
class _Caller:
    stream: int
    came: float
    batch: int | None  # None: not counted
    waited: bool = True


class World(Clockwork):
    def __init__(self, load: Load, staffing: Staffing, chances: Chances, watcher: Watcher | None = None) -> None:
        super().__init__(staffing, load.pick_up_s, watcher)
        self._load = load
        self._chances = chances
        self._agents = len(staffing.agents)
        self._start = load.warm_up_h * 3600.0
        self._end = self._start + load.hours * 3600.0
        self._last_call = self._end + load.hours * 3600.0 * _AFTERGLOW
        self._calls = count(1)
        self._callers: dict[str, _Caller] = {}
        self._uncounted_yet = 0  # callers who count and whose wait is not over
        self._talks: dict[str, tuple[str, str, float]] = {}  # offer -> agent, queue, begin
        self._tallies = [StreamTally() for _ in load.streams]
        self._busy = BusyTime(self._start, self._end)
        for agent in staffing.agents:
            self._tell(f.AgentLoggedIn(agent.id))

    def run(self) -> Report:
        for stream in range(len(self._load.streams)):
            self._next_arrival(stream)
        while self._agenda and (self.now < self._end or self._uncounted_yet):
            fact = self._due()
            if fact is not None and not (isinstance(fact, f.CallerLeft) and fact.call not in self._callers):
                if self._watcher is not None:
                    self._watcher.before(self.engine, self.now)
                self._happen(fact)
        for offer in list(self._talks):  # still busy when the watching ends
            self._book_talk(offer)
        for call in list(self._callers):  # nobody ever could serve them
            self._wait_over(call)
        return Report(
            outcome(self._tallies),
            tuple(outcome([tally]) for tally in self._tallies),
            self._busy.occupancy(self._agents),
            dict(self._busy.calls),
            self.engine.decisions,
        )

    def _happen(self, fact: f.Fact) -> None:
        if isinstance(fact, f.CallerJoined):
            self._next_arrival(self._callers[fact.caller.call].stream)
        elif isinstance(fact, f.CallerLeft):
            caller, _ = self._wait_over(fact.call)
            if caller.batch is not None:
                self._tallies[caller.stream].abandoned[caller.batch] += 1
        elif isinstance(fact, f.TalkEnded):
            self._book_talk(fact.offer)
        self._tell(fact)

    def _offered(self, call: str) -> None:
        caller = self._callers[call]
        caller.waited = caller.waited and caller.came < self.now

    def _released(self, call: str) -> None:
        if call in self._callers:
            caller, _ = self._wait_over(call)
            if caller.batch is not None:
                self._tallies[caller.stream].released[caller.batch] += 1

    def _talk(self, call: str, offer: str, agent: str) -> float:
        caller, wait_s = self._wait_over(call)
        if caller.batch is not None and wait_s <= self._load.within_s:
            self._tallies[caller.stream].in_time[caller.batch] += 1
        stream = self._load.streams[caller.stream]
        self._talks[offer] = (agent, stream.queue, self.now)
        return handling_s(stream, self._chances.handling)

    def _book_talk(self, offer: str) -> None:
        agent, queue, begin = self._talks.pop(offer)
        self._busy.add(agent, begin, self.now + self._wrap_up_s[queue])

    def _wait_over(self, call: str) -> tuple[_Caller, float]:
        caller = self._callers.pop(call)
        wait_s = self.now - caller.came
        if caller.batch is not None:
            self._uncounted_yet -= 1
            tally = self._tallies[caller.stream]
            tally.add(caller.batch, wait_s)
            tally.waited[caller.batch] += caller.waited
        return caller, wait_s

    def _next_arrival(self, index: int) -> None:
        stream = self._load.streams[index]
        at = stream.next_call(self.now, self._chances.arrivals[index].expovariate(1.0))
        if at > self._last_call:
            return
        call = f"call-{next(self._calls)}"
        batch = None
        if self._start <= at < self._end:
            batch = min(BATCHES - 1, int((at - self._start) / (self._end - self._start) * BATCHES))
            self._uncounted_yet += 1
        self._callers[call] = _Caller(index, at, batch)
        caller = WaitingCaller(call, stream.queue, at, stream.head_start, requirement=stream.requirement)
        self._at(at, f.CallerJoined(caller))
        if stream.patience_s is not None:
            self._at(at + self._chances.patience[index].expovariate(1.0 / stream.patience_s), f.CallerLeft(call))


def handling_s(stream: Stream, chance: Chance) -> float:
    """How long one talk lasts."""
    if stream.handling_cv is None:
        return chance.expovariate(1.0 / stream.handling_s)
    variance = log(1.0 + stream.handling_cv**2)
    return chance.lognormvariate(log(stream.handling_s) - variance / 2.0, sqrt(variance))
