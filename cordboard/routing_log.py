"""Writes down all that the distributor's engine is told, so that every decision can be worked out again.

Decides nothing but the numbers of the lines. It never raises and never waits: a line that cannot be written leaves a
gap in the numbers, which a replay notices.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import structlog

from acd import replay
from acd.facts import Fact
from acd.orders import Order
from acd.replay import Began, Entry

log = structlog.get_logger()


class RoutingLog:
    """`last` is the number of the newest line that a predecessor wrote."""

    def __init__(self, write: Callable[[Entry], None], *, last: int) -> None:
        self.failures = 0
        self._write = write
        self._number = last

    def began(self, at: float, configuration: Began) -> None:
        self._number += 1
        self._write(replay.began(self._number, at, configuration))

    def told(self, fact: Fact, now: float, outcome: Sequence[Order] | Exception) -> None:
        """See `acd.ports.Record`."""
        self._number += 1
        try:
            self._write(replay.told(self._number, now, fact, outcome))
        except Exception as error:  # whatever it is, the caller is served
            self.failures += 1
            if self.failures == 1:
                log.error("a decision could not be written down", fact=type(fact).__name__, error=type(error).__name__)
