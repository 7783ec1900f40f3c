"""Customers: recognising a caller, and keeping the list.

Decides that a caller waits for the list no longer than `LIMIT_S`, however the database feels, and that a database that
hangs does not collect questions. It refuses to know what a flow does with what it is told.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Protocol

import structlog

from cordboard.customer import BadCustomer, Customer, customer_of, telephone
from cordboard.lookups.lookups import Note
from cordboard.outside import Done
from cordboard.storage.customers import NumbersTaken
from cordboard.storage.errors import DatabaseUnavailable
from cordboard.web.ports import CommandRefused, NotFound
from ivr.ports import Timer, Values
from ivr.requests import FAILED, OK, CustomerRequest

log = structlog.get_logger()

UNKNOWN = "unknown"
LIMIT_S = 2.0

AT_ONCE = 64
"""Questions under way. With more, the database is not answering."""


class Store(Protocol):
    """`storage.customers.CustomerStore` is the real one. Raises `DatabaseUnavailable`."""

    async def by_number(self, number: str) -> Customer | None: ...
    async def get(self, customer: str) -> Customer | None: ...
    async def page(self, limit: int = ..., after: str = ..., number: str | None = ...) -> list[Customer]: ...
    async def put(self, wanted: list[Customer]) -> int: ...
    async def delete(self, customer: str) -> bool: ...


class Question:
    """Somebody waits for who a caller is. `done` is called once, unless cancelled."""

    __slots__ = ("_began", "_call", "_desk", "_done", "_limit")

    def __init__(self, desk: CustomerDesk, call: str, done: Done) -> None:
        self._desk = desk
        self._call = call
        self._done: Done | None = done
        self._began = desk.clock()
        self._limit: Timer = desk.loop.call_later(LIMIT_S, self.answer, FAILED)

    def cancel(self) -> None:
        self._done = None
        self._limit.cancel()

    def answer(self, outcome: str, values: Values = ()) -> None:
        done, self._done = self._done, None
        self._limit.cancel()
        if done is None:
            return
        ms = round((self._desk.clock() - self._began) * 1000)
        self._desk.note("customer.looked_up", call_id=self._call, data={"outcome": outcome, "ms": ms})
        done(outcome, values)


class CustomerDesk:
    """Made on the loop; `close` at the end."""

    def __init__(self, store: Store, region: str | None, *, clock: Callable[[], float], note: Note) -> None:
        self._store = store
        self._region = region
        self.clock = clock
        self.note = note
        self.loop = asyncio.get_running_loop()
        self._running: set[asyncio.Task[None]] = set()

    # for callers ---------------------------------------------------------------------------------------------------

    def begin(self, call: str, what: CustomerRequest, done: Done) -> Question:
        """Who has this number. "ok" and the variables, "unknown", or "failed"."""
        question = Question(self, call, done)
        number = telephone(what.number, self._region)
        if number is None:
            self.loop.call_soon(question.answer, UNKNOWN)
        elif len(self._running) >= AT_ONCE:
            self.loop.call_soon(question.answer, FAILED)
        else:
            task = self.loop.create_task(self._look_up(number, question), name="customer")
            self._running.add(task)
            task.add_done_callback(self._running.discard)
        return question

    async def _look_up(self, number: str, question: Question) -> None:
        try:
            found = await self._store.by_number(number)
        except DatabaseUnavailable as error:
            log.warning("a customer could not be looked up", reason=str(error))
            question.answer(FAILED)
            return
        if found is None:
            question.answer(UNKNOWN)
            return
        values = {"id": found.id, "name": found.name, "tier": found.tier, "language": found.language}
        question.answer(OK, tuple((f"customer_{name}", value) for name, value in values.items()))

    async def close(self) -> None:
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    # for staff -----------------------------------------------------------------------------------------------------

    async def page(self, limit: int, after: str = "", number: str | None = None) -> list[Customer]:
        """By id. `number`: only whose it is, as people write numbers."""
        if number is None:
            return await self._store.page(limit, after)
        wanted = telephone(number, self._region)
        return await self._store.page(limit, after, wanted) if wanted is not None else []

    async def get(self, customer: str) -> Customer:
        """Raises `NotFound`."""
        found = await self._store.get(customer)
        if found is None:
            raise NotFound(f"There is no customer {customer!r}.")
        return found

    async def put(self, customer: str, given: dict[str, Any]) -> Customer:
        """Make or replace one. Raises `CommandRefused`, `BadCustomer`."""
        if given.get("id", customer) != customer:
            raise BadCustomer([f"id: must be {customer!r}, as in the address, or be left out"])
        wanted = customer_of(given | {"id": customer}, self._region)
        try:
            await self._store.put([wanted])
        except NumbersTaken as taken:
            raise CommandRefused(f"{taken}.") from None
        return wanted

    async def delete(self, customer: str) -> None:
        """Raises `NotFound`."""
        if not await self._store.delete(customer):
            raise NotFound(f"There is no customer {customer!r}.")
