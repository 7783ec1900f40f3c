"""The one ordered way from the PBX to whoever decides: bounded, drained in slices, never silent about a loss.

Handling never happens inside reading: facts wait here and are handed on in short slices, so that reading goes on
between them. When more wait than fit, the newest are dropped and counted, and a look at the PBX is asked for, because
what was dropped can only be mended by looking. It refuses to know what a fact means.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Protocol

import structlog

from pbx.facts import Fact
from pbx.failures import where
from pbx.ports import FactSink

log = structlog.get_logger()

CAPACITY = 50_000
SLICE_SECONDS = 0.002
CHECK_EVERY = 16  # facts between two looks at the clock


class Loop(Protocol):
    """The little of an event loop that is used here."""

    def call_soon(self, callback: Callable[[], None], /) -> object: ...
    def time(self) -> float: ...


class Inbox:
    """`put` from anywhere on the loop; `sink` is called in order, one fact at a time, never from inside `put`."""

    def __init__(
        self, loop: Loop, sink: FactSink, on_overflow: Callable[[], None] = lambda: None, capacity: int = CAPACITY
    ) -> None:
        self.dropped = 0
        self.handled = 0
        self.handler_errors = 0
        self._loop = loop
        self._sink = sink
        self._on_overflow = on_overflow
        self._capacity = capacity
        self._facts: deque[Fact] = deque()
        self._scheduled = False
        self._overflowed = False

    def __len__(self) -> int:
        return len(self._facts)

    def put(self, fact: Fact) -> None:
        if len(self._facts) >= self._capacity:
            self.dropped += 1
            self._overflowed = True
            return
        self.put_always(fact)

    def put_always(self, fact: Fact) -> None:
        """For the few facts without which the others mean nothing: that the link went down or came up, and looks."""
        self._facts.append(fact)
        if not self._scheduled:
            self._scheduled = True
            self._loop.call_soon(self._drain)

    def _drain(self) -> None:
        facts, sink = self._facts, self._sink
        end = self._loop.time() + SLICE_SECONDS
        count = 0
        while facts:
            fact = facts.popleft()
            count += 1
            try:
                sink(fact)
            except Exception as error:
                # One broken handler must not stop every other call. The fact may be personal, and so may be the
                # exception's text, and local variables, which some renderers show: types and places only.
                self.handler_errors += 1
                log.error("a fact could not be handled", fact=type(fact).__name__, traceback=where(error))
            if count % CHECK_EVERY == 0 and self._loop.time() >= end:
                break
        self.handled += count
        if facts:
            self._loop.call_soon(self._drain)
            return
        self._scheduled = False
        if self._overflowed:
            self._overflowed = False
            log.error("facts were dropped, looking at the PBX again", dropped=self.dropped)
            self._on_overflow()
