"""A CSV file of customers into the database, whole or not at all. The service may run meanwhile."""

from __future__ import annotations

from pathlib import Path

from cordboard.customer_csv import CsvRefused, read_customers
from cordboard.storage.customers import CustomerStore, NumbersTaken
from cordboard.storage.engine import open_engine
from cordboard.storage.migrate import migrate


async def import_customers(file: Path, database_url: str, region: str | None) -> tuple[int, int]:
    """How many are new, and how many were replaced. Raises `CsvRefused`, `StorageError`."""
    customers = read_customers(file, region)
    engine = open_engine(database_url)
    try:
        await migrate(engine)
        added = await CustomerStore(engine).put(list(customers.values()))
    except NumbersTaken as taken:
        lines = {number: line for line, one in customers.items() for number in one.numbers}
        raise CsvRefused(
            [
                f"{file}:{lines[number]}: number {number} belongs to customer {owner!r}, who is not in this file"
                for number, owner in taken.owners.items()
            ]
        ) from None
    finally:
        await engine.dispose()
    return added, len(customers) - added
