"""One caller's wait: in which queue since when and on which terms, and the place that is kept while they are away.

Decides which joining time counts and what a restart finds again. It refuses to know the PBX and who is free.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from acd.model import WaitingCaller
from cordboard.memory import Memory
from cordboard.terms import Terms
from ivr.flow import Flow
from ivr.handover import LAST, Handover
from ivr.inputs import CallFacts, Position
from ivr.interpreter import handed_over
from ivr.ports import Surroundings


class Waiting:
    """`queue` is "" while the caller is in none; it stays while they talk."""

    __slots__ = ("_around", "_facts", "data", "joined_at", "kept", "left", "queue", "terms")

    def __init__(self, facts: CallFacts, around: Surroundings) -> None:
        self._around = around
        self.queue = ""
        self.joined_at = 0.0
        self.terms = Terms()
        self.data: tuple[tuple[str, str], ...] = ()  # what the flow wants the agent to see
        self.kept: tuple[str, float] | None = None  # the queue that they left by a key, and when they had joined it
        self.left: tuple[str, float] | None = None  # the same of a queue in which nobody talked to them
        self._facts = facts

    def begin(self, handover: Handover, now: float, last_agent: Callable[[str], str | None]) -> None:
        """Whoever left this queue by a key comes back to their old place, unless the flow says otherwise."""
        self.queue, self.joined_at, self.data = handover.queue, now, handover.data
        if self.kept is not None and self.kept[0] == self.queue:
            if handover.keep_place:
                self.joined_at = self.kept[1]
            self.kept = None
        number = self._facts.caller_number
        self.terms = Terms.of(handover, last_agent(number) if handover.prefer == LAST else None)

    def keep_place(self) -> None:
        self.kept = (self.queue, self.joined_at)

    def move(self, queue: str, now: float) -> None:
        """An agent sent them into another queue, on no terms of their own."""
        self.queue, self.joined_at, self.terms, self.kept = queue, now, Terms(), None

    def since(self, queue: str) -> float | None:
        """Since when they have waited for this queue; None: they have not."""
        places = (self.kept, self.left, (self.queue, self.joined_at))
        return min((place[1] for place in places if place is not None and place[0] == queue), default=None)

    def over(self, *, served: bool) -> None:
        self.left = None if served else (self.queue, self.joined_at)
        self.queue, self.terms, self.data = "", Terms(), ()

    def restore(self, memory: Memory) -> None:
        self.queue, self.joined_at = memory.queue, memory.joined_at
        self.terms, self.kept = memory.terms, memory.kept

    def complete(self, flow: Flow | None, position: Position | None) -> None:
        """After a restart: what the memory has no room for, as the present version of the flow has it."""
        if flow is None or position is None:
            return
        handover = handed_over(flow, self._facts, position, self._around)
        if handover is None or handover.queue != self.queue:
            return
        self.data = handover.data
        if self.terms.cut:
            self.terms = replace(self.terms, requirement=Terms.of(handover, None).requirement, cut=False)

    def caller(self, call: str) -> WaitingCaller:
        """As they stand in their queue."""
        return self.terms.waiting(call, self.queue, self.joined_at, self._facts.caller_number, self._facts.caller_name)
