"""The callers as they stand in their queues, and who is next.

This module decides nobody's fate: it keeps callers in the order of `WaitingCaller.rank`, less their queue's head start,
and counts places. A caller for whom a phone rings stays in line (their place is theirs). They are open to another offer
only where the queue rings all phones, and only until somebody answers.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from acd.errors import UnknownQueue
from acd.model import QueueSpec, WaitingCaller
from acd.ordering import Key, OrderedIds
from acd.pools import Pool
from acd.skills import Stage, course


@dataclass(slots=True)
class Standing:
    """One caller in line."""

    caller: WaitingCaller
    key: Key
    stages: tuple[Stage, ...]
    stage: int
    pool: Pool
    offers: dict[str, None] = field(default_factory=dict)  # what rings for them, the oldest first
    answered: str | None = None  # which of these an agent has answered: they are being connected
    overdue: bool = False  # max_wait passed while they were being connected: no second chance if that fails


@dataclass(slots=True)
class Line:
    """`closed_since` None: open. `clears`: while it is closed nobody waits, whenever they came."""

    spec: QueueSpec
    stages: tuple[Stage, ...]  # of callers who bring no requirement and prefer nobody
    everyone: OrderedIds = field(default_factory=OrderedIds)
    closed_since: float | None = None
    clears: bool = False

    def closed_for(self, caller: WaitingCaller) -> bool:
        return self.closed_since is not None and (self.clears or caller.joined_at > self.closed_since)


class Lines:
    def __init__(self) -> None:
        self.callers: dict[str, Standing] = {}
        self.lines: dict[str, Line] = {}
        self._joined = 0  # breaks ties: who was told of first comes first

    def line(self, queue: str) -> Line:
        try:
            return self.lines[queue]
        except KeyError:
            raise UnknownQueue(queue) from None

    def put_queue(self, spec: QueueSpec) -> None:
        line = self.lines.get(spec.name)
        stages = course(spec.requirement)
        if line is None:
            self.lines[spec.name] = Line(spec, stages)
        else:
            line.spec, line.stages = spec, stages

    def remove_queue(self, name: str) -> None:
        del self.lines[name]

    def join(self, caller: WaitingCaller, stages: tuple[Stage, ...], stage: int, pool: Pool) -> Standing:
        """Stand in line, open to offers. Raises `UnknownQueue` and changes nothing."""
        line = self.line(caller.queue)
        self._joined += 1
        key = (caller.rank - line.spec.head_start_s, self._joined)
        standing = self.callers[caller.call] = Standing(caller, key, stages, stage, pool)
        line.everyone.add(caller.call, key)
        pool.callers[caller.call] = None
        self.refresh(standing)
        return standing

    def move(self, standing: Standing, pool: Pool) -> None:
        """They demand something else now; their place stays."""
        call = standing.caller.call
        del standing.pool.callers[call]
        standing.pool.open.discard(call)
        standing.pool = pool
        pool.callers[call] = None
        self.refresh(standing)

    def open(self, standing: Standing) -> bool:
        """Whether one more phone may ring for them."""
        if not standing.offers:
            return True
        return standing.answered is None and self.lines[standing.caller.queue].spec.rings_all

    def refresh(self, standing: Standing) -> None:
        """Make the index say whether they are open. Their place is the old one: the key never changes."""
        if self.open(standing):
            standing.pool.open.add(standing.caller.call, standing.key)
        else:
            standing.pool.open.discard(standing.caller.call)

    def reserve(self, standing: Standing, offer: str) -> None:
        standing.offers[offer] = None
        self.refresh(standing)

    def answer(self, standing: Standing, offer: str) -> None:
        standing.answered = offer
        self.refresh(standing)

    def unreserve(self, standing: Standing, offer: str) -> None:
        del standing.offers[offer]
        if standing.answered == offer:
            standing.answered = None
        self.refresh(standing)

    def leave(self, standing: Standing) -> int:
        """Out of the line; returns the place (from 0) that is free now."""
        call = standing.caller.call
        line = self.lines[standing.caller.queue]
        place = line.everyone.place(call)
        line.everyone.discard(call)
        standing.pool.open.discard(call)
        del standing.pool.callers[call]
        del self.callers[call]
        return place

    def place(self, call: str) -> int | None:
        """How many stand before them in their queue; None when they stand in none."""
        standing = self.callers.get(call)
        return None if standing is None else self.lines[standing.caller.queue].everyone.place(call)

    def next_for(self, pools: Iterable[Pool]) -> Standing | None:
        """The first of all open callers of these pools: one global order for an agent who serves many."""
        best: tuple[Key, str] | None = None
        for pool in pools:
            first = pool.open.first()
            if first is not None and (best is None or first < best):
                best = first
        return self.callers[best[1]] if best else None
