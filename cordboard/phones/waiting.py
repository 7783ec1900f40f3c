"""Waiting for a condition without polling and never without a limit.

`Changes` belongs to one object; the object says `notify()` after each change of its state, and waiters look again.
"""

# ruff: noqa: ASYNC109 - a wait that says what it waited for, and what it saw instead, must know its own limit

from __future__ import annotations

import asyncio
from collections.abc import Callable

from cordboard.phones.errors import WaitTimeout


class Changes:
    """The changes of one object's state, to wait on."""

    def __init__(self) -> None:
        self._waiters: set[asyncio.Future[None]] = set()

    def notify(self) -> None:
        """Let every waiter look at the state again."""
        waiters, self._waiters = self._waiters, set()
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)

    async def wait_until(
        self, holds: Callable[[], bool], *, awaited: str, timeout: float, seen: Callable[[], str]
    ) -> None:
        """Return when `holds()` does. It may raise to say that it never will.

        Raises WaitTimeout, which names what was awaited and, from `seen()`, what was there instead.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout
        while not holds():
            waiter: asyncio.Future[None] = loop.create_future()
            self._waiters.add(waiter)
            try:
                async with asyncio.timeout_at(deadline):
                    await waiter
            except TimeoutError:
                if holds():
                    return
                raise WaitTimeout(awaited, timeout, seen()) from None
            finally:
                self._waiters.discard(waiter)
