"""Customers on record. A number belongs to one customer, whoever writes: it is the key of its table.

Every method raises `DatabaseUnavailable`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Any

from sqlalchemy import Row, Select, delete, select
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from cordboard.customer import Customer
from cordboard.storage.errors import DatabaseUnavailable
from cordboard.storage.schema import customer_numbers, customers
from cordboard.storage.statements import rows_of, upsert

AT_ONCE = 500
"""Rows or values in one statement."""


class NumbersTaken(Exception):
    """`owners`: number to the customer whom it belongs to."""

    def __init__(self, owners: dict[str, str]) -> None:
        super().__init__("; ".join(f"{number} belongs to customer {owner!r}" for number, owner in owners.items()))
        self.owners = owners


class CustomerStore:
    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._put = upsert(engine, customers)

    async def by_number(self, number: str) -> Customer | None:
        """Whoever calls from it; without their numbers. One question, answered by two keys."""
        query = (
            select(customers)
            .join(customer_numbers, customer_numbers.c.customer_id == customers.c.id)
            .where(customer_numbers.c.number == number)
        )
        rows = await rows_of(self._engine, query)
        return _customer(rows[0], ()) if rows else None

    async def get(self, customer: str) -> Customer | None:
        found = await self._whole(select(customers).where(customers.c.id == customer))
        return found[0] if found else None

    async def page(self, limit: int = 100, after: str = "", number: str | None = None) -> list[Customer]:
        """By id; `after`: the last one of the page before. `number`: only whom it belongs to."""
        query = select(customers).where(customers.c.id > after).order_by(customers.c.id).limit(limit)
        if number is not None:
            owner = select(customer_numbers.c.customer_id).where(customer_numbers.c.number == number)
            query = query.where(customers.c.id.in_(owner))
        return await self._whole(query)

    async def put(self, wanted: Collection[Customer]) -> int:
        """Write these, whatever was there before, all or none; how many are new. Raises `NumbersTaken`."""
        try:
            async with self._engine.begin() as connection:
                return await self._write(connection, wanted)
        except IntegrityError:  # somebody else has just written one of these numbers
            async with self._engine.connect() as connection:
                raise NumbersTaken(await self._owners(connection, wanted)) from None
        except (SQLAlchemyError, OSError) as error:
            raise DatabaseUnavailable(type(error).__name__) from None

    async def delete(self, customer: str) -> bool:
        """False: there was none."""
        try:
            async with self._engine.begin() as connection:
                await connection.execute(delete(customer_numbers).where(customer_numbers.c.customer_id == customer))
                return (await connection.execute(delete(customers).where(customers.c.id == customer))).rowcount > 0
        except (SQLAlchemyError, OSError) as error:
            raise DatabaseUnavailable(type(error).__name__) from None

    async def _write(self, connection: AsyncConnection, wanted: Collection[Customer]) -> int:
        owners = await self._owners(connection, wanted)
        if owners:
            raise NumbersTaken(owners)
        known = 0
        for ids in _parts([one.id for one in wanted]):
            known += len((await connection.execute(select(customers.c.id).where(customers.c.id.in_(ids)))).all())
            await connection.execute(delete(customer_numbers).where(customer_numbers.c.customer_id.in_(ids)))
        for rows in _parts([_values(one) for one in wanted]):
            await connection.execute(self._put, rows)
        numbers = [{"number": number, "customer_id": one.id} for one in wanted for number in one.numbers]
        for rows in _parts(numbers):
            await connection.execute(customer_numbers.insert(), rows)
        return len(wanted) - known

    async def _owners(self, connection: AsyncConnection, wanted: Collection[Customer]) -> dict[str, str]:
        """Which of their numbers belong to customers who are not among them."""
        ids = {one.id for one in wanted}
        owners: dict[str, str] = {}
        for numbers in _parts([number for one in wanted for number in one.numbers]):
            query = select(customer_numbers).where(customer_numbers.c.number.in_(numbers))
            owners |= {row.number: row.customer_id for row in await connection.execute(query)}
        return {number: owner for number, owner in owners.items() if owner not in ids}

    async def _whole(self, query: Select[Any]) -> list[Customer]:
        rows = await rows_of(self._engine, query)
        numbers: dict[str, list[str]] = {row.id: [] for row in rows}
        for ids in _parts(list(numbers)):
            theirs = select(customer_numbers).where(customer_numbers.c.customer_id.in_(ids))
            for row in await rows_of(self._engine, theirs.order_by(customer_numbers.c.number)):
                numbers[row.customer_id].append(row.number)
        return [_customer(row, numbers[row.id]) for row in rows]


def _parts(values: list[Any]) -> Iterator[list[Any]]:
    return (values[first : first + AT_ONCE] for first in range(0, len(values), AT_ONCE))


def _values(one: Customer) -> dict[str, Any]:
    return {"id": one.id, "name": one.name, "language": one.language, "tier": one.tier, "tags": list(one.tags)}


def _customer(row: Row[Any], numbers: Iterable[str]) -> Customer:
    return Customer(row.id, row.name, row.language, row.tier, tuple(row.tags), tuple(numbers))
