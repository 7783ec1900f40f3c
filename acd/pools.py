"""A pool: the open callers of one queue who demand the same, and the free agents who can serve them, both in order.

Every decision is the first of one pool. A queue has one pool for each stage of its own requirement, which last as long
as it does, and one for everything else that its callers demand, of which the unused ones are cleared away.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from acd.ordering import OrderedIds
from acd.skills import ANYBODY, Demand
from acd.strategies import Strategy

_SPARE = 32  # unused pools that a queue keeps: making one means looking at every agent of the queue


@dataclass(slots=True)
class Pool:
    queue: str
    demand: Demand
    callers: dict[str, None] = field(default_factory=dict)  # all who demand this, those for whom a phone rings too
    open: OrderedIds = field(default_factory=OrderedIds)  # callers for whom one more phone may ring
    free: OrderedIds = field(default_factory=OrderedIds)  # agents


class QueuePools:
    """The pools of one queue."""

    def __init__(self, queue: str, strategy: Strategy) -> None:
        self.strategy = strategy
        self.agents: dict[str, None] = {}  # who serves the queue, free or not
        self.all: dict[Demand, Pool] = {}
        self._queue = queue
        self._lasting: frozenset[Demand] = frozenset({ANYBODY})

    def last(self, demands: Iterable[Demand]) -> None:
        self._lasting = frozenset({ANYBODY, *demands})

    def add(self, demand: Demand) -> Pool:
        pool = self.all[demand] = Pool(self._queue, demand)
        return pool

    def clear_away(self) -> list[Pool]:
        """Take out the unused pools when there are too many of them."""
        unused = [pool for demand, pool in self.all.items() if demand not in self._lasting and not pool.callers]
        if len(unused) <= _SPARE:
            return []
        for pool in unused:
            del self.all[pool.demand]
        return unused
