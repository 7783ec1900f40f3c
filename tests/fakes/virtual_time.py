"""A clock that moves only when a test says so. Satisfies the `Timers` ports of `ivr` and `acd`."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(order=True)
class VirtualTimer:
    """One callback to come. Timers due at the same moment run in the order in which they were set."""

    due: float
    number: int
    callback: Callable[[], None] = field(compare=False)
    cancelled: bool = field(default=False, compare=False)

    def cancel(self) -> None:
        self.cancelled = True


class VirtualTime:
    """`now()` is unix seconds; `advance` runs every timer that falls due on the way, at its own moment."""

    def __init__(self, start: float = 1_700_000_000.0) -> None:
        self._now = start
        self._timers: list[VirtualTimer] = []
        self._number = 0

    def now(self) -> float:
        return self._now

    def after(self, seconds: float, callback: Callable[[], None], /) -> VirtualTimer:
        self._number += 1
        timer = VirtualTimer(self._now + max(seconds, 0.0), self._number, callback)
        heapq.heappush(self._timers, timer)
        return timer

    def advance(self, seconds: float) -> None:
        end = self._now + seconds
        while self._timers and self._timers[0].due <= end:
            timer = heapq.heappop(self._timers)
            self._now = max(self._now, timer.due)
            if not timer.cancelled:
                timer.callback()
        self._now = end

    def put_back(self, seconds: float) -> None:
        """The machine's wall clock is put back; timers do not follow it."""
        self._now -= seconds
        for timer in self._timers:
            timer.due -= seconds

    def settle(self) -> None:
        """Run what is due now, and what that makes due now, without letting any time pass."""
        self.advance(0.0)

    def pending(self) -> int:
        return sum(not timer.cancelled for timer in self._timers)
