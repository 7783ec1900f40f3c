"""One service as we see it: how it has answered, how many requests are with it, and whether it may be asked now."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter

import structlog

from cordboard.lookups.breaker import Breaker, Rules, State

log = structlog.get_logger()

BUCKETS_S = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Lane:
    """Counters are read by whoever publishes them."""

    def __init__(self, service: str, origin: str, rules: Rules) -> None:
        self.service = service
        self.origin = origin
        self.running = 0
        self.outcomes: Counter[str] = Counter()
        self.spared = 0
        """Answers that cost no request: from the cache, or shared with another caller."""

        self.tries = 0
        self.seconds = 0.0
        self.counts = [0] * (len(BUCKETS_S) + 1)
        """Requests by how long they took; the last one holds those beyond every bucket."""

        self._breaker = Breaker(rules)

    def state(self, now: float) -> State:
        return self._breaker.state(now)

    def ask(self, now: float) -> int | None:
        """What to `tell` with; None when it is left alone now."""
        return self._breaker.ask(now)

    def tell(self, era: int, good: bool | None, now: float, why: str) -> None:
        before = self._breaker.state(now)
        self._breaker.tell(era, good, now)
        after = self._breaker.state(now)
        if after is State.OPEN and before is not State.OPEN:
            log.warning("a service fails and is left alone for a while", service=self.service, why=why)
        elif after is State.CLOSED and before is not State.CLOSED:
            log.info("a service answers again", service=self.service)

    def took(self, seconds: float) -> None:
        self.seconds += seconds
        self.counts[bisect_left(BUCKETS_S, seconds)] += 1
