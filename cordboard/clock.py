"""Wall time that never jumps within a process: what the wall clock said at the start, plus what has passed since.

An adjusted system clock would otherwise make waits negative and change the order of a queue.
"""

from __future__ import annotations

import time
from collections.abc import Callable

Clock = Callable[[], float]
"""Unix seconds, never going back within a process."""


class SteadyClock:
    """Called, it answers unix seconds."""

    __slots__ = ("_monotonic", "_offset")

    def __init__(self, wall: Callable[[], float] = time.time, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._offset = wall() - monotonic()

    def __call__(self) -> float:
        return self._monotonic() + self._offset
