"""Timers on the event loop, for everything that says it needs `Timers`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class LoopTimers:
    """Belongs to the loop on which it is made."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()

    def after(self, seconds: float, callback: Callable[[], None], /) -> asyncio.TimerHandle:
        return self._loop.call_later(seconds, callback)
