"""The recorded facts played again with something changed, from the moment before a caller joined to their first offer.

This module decides how far such a play can be believed: until another caller is offered to another agent than in truth.
What those would have done then nobody wrote down, so there it ends without an answer.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from acd import facts as f
from acd.engine import Engine
from acd.errors import AcdError
from acd.floor import Agent
from acd.lines import Standing
from acd.model import QueueSpec, WaitingCaller
from acd.orders import MakeConsult, MakeOffer, TimerKind
from acd.replay import BEGAN, Entry, Replay, State, fact_of
from acd.snapshot import restore

Telling = Callable[[Engine], f.Fact]
"""A fact, told from what the engine is at that moment."""

Pair = tuple[str, str]  # call, agent


@dataclass(frozen=True, slots=True)
class Attempt:
    """What is changed."""

    caller: WaitingCaller | None = None  # joins instead
    before: tuple[Telling, ...] = ()  # told just before the caller joins
    then: tuple[Telling, ...] = ()  # told just after it
    at: Mapping[int, Telling] = field(default_factory=dict)  # told just before that line
    stays: bool = False  # they do not leave, and are not sent away for their wait


@dataclass(frozen=True, slots=True)
class Offered:
    number: int  # of the line
    at: float
    agent: str


class Fork:
    """`entries` begin with the line that tells of the caller; they are played as far as the same service wrote them."""

    def __init__(self, call: str, before: State, entries: Sequence[Entry]) -> None:
        self._call = call
        self._before = json.loads(before.body)
        self._lines: list[tuple[Entry, f.Fact]] = []
        self._in_truth: dict[int, dict[Pair, str]] = {}  # by line: who was offered whom, and the id of that offer
        self._consults: dict[int, list[str]] = {}  # by line: ids of legs that were rung on behalf of a talk
        self._made: list[Pair] = []  # at the line that is being played
        self._ids: Mapping[Pair, str] = {}
        self._spare: Iterator[str] = iter(())
        self._making: Pair | None = None
        truth = Replay(before)
        for entry in entries:
            if entry.kind == BEGAN:
                break
            orders = truth.take(entry)
            if truth.differences:
                break
            self._lines.append((entry, fact_of(entry)))
            offers = [order for order in orders if isinstance(order, MakeOffer)]
            self._in_truth[entry.number] = {(one.caller.call, one.agent): one.offer for one in offers}
            self._consults[entry.number] = [order.offer for order in orders if isinstance(order, MakeConsult)]

    def spec(self, queue: str) -> QueueSpec:
        return restore(self._before, str).lines.lines[queue].spec

    def run(self, attempt: Attempt, after: int = 0) -> Offered | None:
        """Their first offer after that line; None when there is none, or none that can be known."""
        engine = restore(self._before, self._offer_id)
        engine.offers.watch = self._watch
        first = self._lines[0][0].number
        for entry, fact in self._lines:
            self._made, self._ids = [], self._in_truth[entry.number]
            self._spare = iter(self._consults[entry.number])
            for told in self._facts(engine, attempt, entry, fact, joining=entry.number == first):
                with suppress(AcdError):
                    engine.handle(told, entry.at)
            mine = [agent for call, agent in self._made if call == self._call]
            if mine and entry.number > after:
                return Offered(entry.number, entry.at, mine[0])
            if self._others(self._made) != self._others(self._ids):
                return None
        return None

    def _facts(
        self, engine: Engine, attempt: Attempt, entry: Entry, fact: f.Fact, *, joining: bool
    ) -> Iterator[f.Fact]:
        if joining:
            yield from (telling(engine) for telling in attempt.before)
        if entry.number in attempt.at:
            yield attempt.at[entry.number](engine)
        # The caller's own deadlines are not those of the log any more.
        kinds = (TimerKind.RELAX,) if attempt.stays else (TimerKind.RELAX, TimerKind.MAX_WAIT)
        due = [one for one, at in engine.outbox.timers.items() if one.key == self._call and at <= entry.at]
        yield from (f.TimerFired(timer) for timer in sorted(due) if timer.kind in kinds)
        if joining:
            if attempt.caller is not None and isinstance(fact, f.CallerJoined):
                fact = replace(fact, caller=attempt.caller)
            yield fact
            yield from (telling(engine) for telling in attempt.then)
        elif not (attempt.stays and self._ends(fact)):
            yield fact

    def _ends(self, fact: f.Fact) -> bool:
        """It takes the caller out of the queue."""
        if isinstance(fact, f.TimerFired):
            return fact.timer.kind is TimerKind.MAX_WAIT and fact.timer.key == self._call
        return isinstance(fact, f.CallerLeft) and fact.call == self._call

    def _others(self, pairs: Iterable[Pair]) -> set[Pair]:
        return {pair for pair in pairs if pair[0] != self._call}

    def _watch(self, standing: Standing, agent: Agent, _now: float) -> None:
        self._making = (standing.caller.call, agent.spec.id)
        self._made.append(self._making)

    def _offer_id(self) -> str:
        """A leg that was rung in truth has the id that the facts speak of."""
        pair, self._making = self._making, None
        if pair is None:
            return next(self._spare, "instead-of-none")
        return self._ids.get(pair) or "instead-" + "-".join(pair)
