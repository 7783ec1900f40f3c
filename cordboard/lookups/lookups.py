"""Requests of flows to other systems, each answered exactly once.

Decides when a request is sent at all (allowed, not too many at once, a service that works), when it is sent again, and
who shares an answer. An order that may have reached the other system is never sent twice, unless doing it twice is the
same as once. It refuses to know what an answer is good for, and lets nothing of addresses, bodies and secrets out.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import structlog
from cachetools import TLRUCache
from yarl import URL

from cordboard.lookups.allow_list import AllowList
from cordboard.lookups.answer import Reply, Verdict, verdict_on
from cordboard.lookups.breaker import Rules
from cordboard.lookups.exchange import Exchange, Failure
from cordboard.lookups.lane import Lane
from ivr.requests import FAILED, HttpRequest, SecretName, pause_s
from ivr.values import Value

log = structlog.get_logger()

CACHED_BYTES = 8 * 1024 * 1024
ORDERS_PATIENCE_S = 3.0
"""How long a stop waits for orders that are under way."""

DROPPED = "dropped"
"""Nobody wanted the answer any more."""

IDEMPOTENT = frozenset({"GET", "PUT", "DELETE"})

Done = Callable[[str, tuple[tuple[str, Value], ...]], None]


class Note(Protocol):
    def __call__(self, kind: str, *, call_id: str, data: dict[str, Any]) -> None: ...


@dataclass(frozen=True, slots=True)
class Limits:
    """`longest_s`: for all tries of one request together."""

    longest_s: float = 20.0
    at_once: int = 64
    at_once_per_service: int = 16
    breaker: Rules = field(default_factory=Rules)


@dataclass(slots=True, eq=False)
class Waiter:
    """Somebody who waits for an answer. The handle that `Lookups.begin` gives out."""

    call: str
    request: HttpRequest
    done: Done | None
    began: float
    leave: Callable[[Waiter], None]

    def cancel(self) -> None:
        if self.done is not None:
            self.done = None
            self.leave(self)


@dataclass(slots=True, eq=False)
class Flight:
    """One request under way, for everybody who wants the same."""

    key: object
    lane: Lane
    url: URL
    waiters: list[Waiter]
    task: asyncio.Task[Reply | str] | None = None

    @property
    def request(self) -> HttpRequest:
        return self.waiters[0].request


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer that may be given again, until so many seconds after `at`."""

    reply: Reply
    at: float
    keep_s: float


def _until(_key: object, kept: Kept, now: float) -> float:
    return now + kept.keep_s


def _size(kept: Kept) -> int:
    return 500 + len(kept.reply.body or b"")


class Lookups:
    """Made on the loop. `close` at the end."""

    def __init__(
        self,
        exchange: Exchange,
        allowed: AllowList,
        secrets: Mapping[str, str],
        note: Note,
        clock: Callable[[], float],
        limits: Limits = Limits(),
    ) -> None:
        self._exchange = exchange
        self._allowed = allowed
        self._secrets = secrets
        self._note = note
        self._clock = clock
        self._limits = limits
        self._loop = asyncio.get_running_loop()
        self._lanes: dict[tuple[str, str], Lane] = {}
        self._flights: dict[object, Flight] = {}
        self._tasks: set[asyncio.Task[Reply | str]] = set()
        self._cache: TLRUCache[object, Kept] = TLRUCache(CACHED_BYTES, _until, timer=clock, getsizeof=_size)
        self._closed = False

    @property
    def lanes(self) -> Iterable[Lane]:
        return self._lanes.values()

    def begin(self, call: str, request: HttpRequest, done: Done) -> Waiter:
        """`done(outcome, values)` is called once, later, unless cancelled."""
        waiter = Waiter(call, request, done, self._clock(), self._left)
        url = self._allowed.url(request.url)
        lane = self._lane(request.service, str(url.origin()) if url is not None else "")
        if url is None or self._closed:
            self._settle(waiter, lane, Verdict(FAILED, "not_allowed" if url is None else "stopping"))
            return waiter
        key = _shared_by(request)
        if key is not None and (kept := self._kept(key, request)) is not None:
            lane.spared += 1
            self._settle(waiter, lane, verdict_on(kept.reply, request.save), cached=True)
        elif key is not None and (flight := self._flights.get((key, request.timeout_s, request.tries))) is not None:
            lane.spared += 1
            flight.waiters.append(waiter)
        elif lane.running >= self._limits.at_once_per_service or len(self._flights) >= self._limits.at_once:
            self._settle(waiter, lane, Verdict(FAILED, "too_many"))
        else:
            self._take_off(
                Flight(object() if key is None else (key, request.timeout_s, request.tries), lane, url, [waiter])
            )
        return waiter

    async def close(self) -> None:
        """Orders under way may still end; nothing else does."""
        self._closed = True
        orders = [one.task for one in self._flights.values() if one.task and one.request.method != "GET"]
        if orders:
            await asyncio.wait(orders, timeout=ORDERS_PATIENCE_S)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _lane(self, service: str, origin: str) -> Lane:
        lane = self._lanes.get((service, origin))
        if lane is None:
            lane = self._lanes[service, origin] = Lane(service, origin, self._limits.breaker)
        return lane

    def _kept(self, key: object, request: HttpRequest) -> Kept | None:
        kept = self._cache.get(key) if request.cache_s > 0 else None
        return kept if kept is not None and self._clock() - kept.at <= request.cache_s else None

    def _take_off(self, flight: Flight) -> None:
        self._flights[flight.key] = flight
        flight.lane.running += 1
        began = self._clock()
        flight.task = task = self._loop.create_task(self._tries(flight), name="lookup")
        self._tasks.add(task)
        task.add_done_callback(lambda task: self._land(flight, task, began))

    def _left(self, waiter: Waiter) -> None:
        """A question that nobody waits for is given up. An order goes on: half an order is worse than a whole one."""
        for flight in self._flights.values():
            if waiter in flight.waiters and flight.request.method == "GET":
                if all(one.done is None for one in flight.waiters) and flight.task is not None:
                    flight.task.cancel()
                    del self._flights[flight.key]  # nobody may join it now
                return

    def _land(self, flight: Flight, task: asyncio.Task[Reply | str], began: float) -> None:
        self._tasks.discard(task)
        flight.lane.running -= 1
        if self._flights.get(flight.key) is flight:
            del self._flights[flight.key]
        result = self._result(flight.lane, task)
        if result != DROPPED:
            flight.lane.took(self._clock() - began)
        if isinstance(result, Reply) and 200 <= result.status < 300 and result.body is not None:
            keep_s = max(waiter.request.cache_s for waiter in flight.waiters)
            key = _shared_by(flight.request)
            if key is not None and keep_s > 0:
                self._cache[key] = Kept(result, self._clock(), keep_s)
        for waiter in flight.waiters:
            verdict = Verdict(FAILED, result) if isinstance(result, str) else verdict_on(result, waiter.request.save)
            self._settle(waiter, flight.lane, verdict)

    @staticmethod
    def _result(lane: Lane, task: asyncio.Task[Reply | str]) -> Reply | str:
        if task.cancelled():
            return DROPPED
        error = task.exception()
        if error is None:
            return task.result()
        # Whatever is wrong with us, the caller gets an answer. The error's text may hold what must not be logged.
        log.error("a request could not be made", service=lane.service, error=type(error).__name__)
        return "broken"

    def _settle(self, waiter: Waiter, lane: Lane, verdict: Verdict, *, cached: bool = False) -> None:
        """Always later: whoever asks must have the handle before the answer."""
        self._loop.call_soon(self._answer, waiter, lane, verdict, cached)

    def _answer(self, waiter: Waiter, lane: Lane, verdict: Verdict, cached: bool) -> None:
        dropped = waiter.done is None and waiter.request.method == "GET"
        outcome = DROPPED if dropped else verdict.outcome
        lane.outcomes[outcome] += 1
        data: dict[str, Any] = {"service": waiter.request.service, "outcome": outcome}
        if verdict.reason and not dropped:
            data["reason"] = verdict.reason
        if cached:
            data["cached"] = True
        data["ms"] = round((self._clock() - waiter.began) * 1000)
        self._note("http.ended", call_id=waiter.call, data=data)
        if waiter.done is not None:
            done, waiter.done = waiter.done, None
            done(outcome, verdict.values)

    async def _tries(self, flight: Flight) -> Reply | str:
        """A reply, or the reason why there is none."""
        request, lane = flight.request, flight.lane
        headers = {name: self._header(parts) for name, parts in request.headers}
        ends = self._loop.time() + min(request.longest_s, self._limits.longest_s)
        result: Reply | str = "left_alone"
        for number in range(1, request.tries + 1):
            left = ends - self._loop.time()
            era = lane.ask(self._clock()) if left > 0 else None
            if era is None:
                break
            lane.tries += 1
            good: bool | None = None
            why = DROPPED
            again = request.method in IDEMPOTENT
            try:
                result = await self._exchange(
                    request.method, flight.url, headers, request.body, min(request.timeout_s, left)
                )
                good, why = result.status < 500, f"status_{result.status}"
                again = again and not good
            except Failure as failure:
                result = why = failure.reason
                good = None if why == "not_sendable" else False
                again = (again or not failure.sent) and not failure.final
            finally:
                lane.tell(era, good, self._clock(), why)
            if not again:
                break
            if number < request.tries:
                await asyncio.sleep(pause_s(number) * random.uniform(0.5, 1.0))
        return result

    def _header(self, parts: Iterable[str | SecretName]) -> str:
        return "".join(part if isinstance(part, str) else self._secrets[part.name] for part in parts)


def _shared_by(request: HttpRequest) -> object | None:
    """What makes two requests the same; None when each is its own."""
    if request.method != "GET" or request.secret:
        return None
    return (request.service, request.url, request.headers)
