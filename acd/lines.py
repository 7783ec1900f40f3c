"""The callers as they stand in their queues, and who is next.

This module decides nobody's fate: it keeps callers in the order of `WaitingCaller.rank` and counts places. A caller for
whom a phone rings stays in line (their place is theirs) but is not open to another offer.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from acd.errors import UnknownQueue
from acd.model import QueueSpec, WaitingCaller
from acd.ordering import Key, OrderedIds


@dataclass(slots=True)
class Standing:
    """One caller in line."""

    caller: WaitingCaller
    key: Key
    offer: str | None = None
    overdue: bool = False  # max_wait passed while they were being connected: no second chance if that fails


@dataclass(slots=True)
class Line:
    spec: QueueSpec
    everyone: OrderedIds = field(default_factory=OrderedIds)
    open: OrderedIds = field(default_factory=OrderedIds)  # those without an offer


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
        if line is None:
            self.lines[spec.name] = Line(spec)
        else:
            line.spec = spec

    def remove_queue(self, name: str) -> None:
        del self.lines[name]

    def join(self, caller: WaitingCaller) -> Standing:
        """Stand in line, open to offers. Raises `UnknownQueue` and changes nothing."""
        line = self.line(caller.queue)
        self._joined += 1
        standing = self.callers[caller.call] = Standing(caller, (caller.rank, self._joined))
        line.everyone.add(caller.call, standing.key)
        line.open.add(caller.call, standing.key)
        return standing

    def reserve(self, standing: Standing, offer: str) -> None:
        standing.offer = offer
        self.lines[standing.caller.queue].open.discard(standing.caller.call)

    def unreserve(self, standing: Standing) -> None:
        """Back to where they stood: the key never changed."""
        standing.offer = None
        self.lines[standing.caller.queue].open.add(standing.caller.call, standing.key)

    def leave(self, standing: Standing) -> int:
        """Out of the line; returns the place (from 0) that is free now."""
        call = standing.caller.call
        line = self.lines[standing.caller.queue]
        place = line.everyone.place(call)
        line.everyone.discard(call)
        line.open.discard(call)
        del self.callers[call]
        return place

    def place(self, call: str) -> int | None:
        """How many stand before them in their queue; None when they stand in none."""
        standing = self.callers.get(call)
        return None if standing is None else self.lines[standing.caller.queue].everyone.place(call)

    def next_for(self, queues: Iterable[str]) -> Standing | None:
        """The first of all open callers of these queues: one global order for an agent who serves many."""
        best: tuple[Key, str] | None = None
        for queue in queues:
            line = self.lines.get(queue)
            first = line.open.first() if line is not None else None
            if first is not None and (best is None or first < best):
                best = first
        return self.callers[best[1]] if best else None
