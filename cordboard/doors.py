"""Opens and closes the queues when their hours say so: the engine knows no calendar.

Decides when it looks at the calendar again: at the next change, and every hour, for a machine may have slept.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from acd.ports import Timers
from ivr.hours import OpeningHours

LOOK_S = 3600.0


class Queues(Protocol):
    """The distributor, as much of it as is needed."""

    def close_queue(self, name: str, since: float, *, leave: bool = False) -> None: ...

    def open_queue(self, name: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Hours:
    """`clears`: at closing time whoever waits has to go."""

    opening: OpeningHours
    clears: bool = False


class Doors:
    """`begin` before the first caller is told of; queues without hours are always open."""

    def __init__(self, hours: Mapping[str, Hours], queues: Queues, timers: Timers, clock: Callable[[], float]) -> None:
        self._hours = hours
        self._queues = queues
        self._timers = timers
        self._clock = clock
        self._closed: set[str] = set()

    def begin(self) -> None:
        for name in self._hours:
            self._look(name)

    def opens_at(self, name: str) -> float | None:
        """For a closed queue: when it opens again, if it does within a year."""
        return self._hours[name].opening.next_opening(self._clock()) if name in self._closed else None

    def _look(self, name: str) -> None:
        hours, now = self._hours[name], self._clock()
        opening = hours.opening
        if opening.open_at(now):
            if name in self._closed:
                self._closed.discard(name)
                self._queues.open_queue(name)
        elif name not in self._closed:
            self._closed.add(name)
            self._queues.close_queue(name, opening.closed_since(now), leave=hours.clears)
        change = opening.next_change(now)
        wait = LOOK_S if change is None else min(LOOK_S, change - now)
        self._timers.after(wait, lambda: self._look(name))
