"""Customers on record, by SQLite and by PostgreSQL alike; over REST; and from a file at the command line."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from typer.testing import CliRunner

from cordboard.cli import app
from cordboard.customer import Customer
from cordboard.customer_csv import CsvRefused
from cordboard.customer_desk import CustomerDesk
from cordboard.customer_import import import_customers
from cordboard.storage.customers import CustomerStore, NumbersTaken
from cordboard.storage.engine import open_engine
from cordboard.storage.errors import DatabaseUnavailable
from cordboard.storage.migrate import migrate
from cordboard.web.app import make_app
from cordboard.web.ports import WebDeps

ANA = Customer("C-1", "Ana María Ñ", "es", "gold", ("vip", "bikes"), ("+12025550142", "+573001234567"))
BO = Customer("C-2", "Bo", numbers=("+12025550143",))
CHEN = Customer("c-3", "Chen")
TOKEN = "a-token-for-tests"


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    engine = open_engine(database_url)
    await migrate(engine)
    yield engine
    await engine.dispose()


@pytest.fixture
def store(engine: AsyncEngine) -> CustomerStore:
    return CustomerStore(engine)


async def test_everything_comes_back_as_it_went_in(store: CustomerStore) -> None:
    assert await store.put([ANA, BO, CHEN]) == 3
    assert await store.get("C-1") == ANA
    assert await store.get("C-9") is None
    assert await store.page(2) == [ANA, BO]
    assert await store.page(2, after="C-2") == [CHEN]
    assert await store.page(9, number="+12025550143") == [BO]
    assert await store.by_number("+573001234567") == replace(ANA, numbers=())
    assert await store.by_number("+573001234568") is None


async def test_what_is_written_again_is_replaced_with_its_numbers(store: CustomerStore) -> None:
    await store.put([ANA, BO])
    changed = replace(ANA, tier="", tags=(), numbers=("+12025550199",))
    assert await store.put([changed]) == 0
    assert await store.get("C-1") == changed
    assert await store.by_number("+12025550142") is None


async def test_a_number_belongs_to_one_customer(store: CustomerStore) -> None:
    await store.put([ANA, BO])
    with pytest.raises(NumbersTaken) as taken:
        await store.put([CHEN, replace(BO, id="C-9")])
    assert taken.value.owners == {"+12025550143": "C-2"}
    assert await store.get("c-3") is None, "all or none"
    swapped = [replace(ANA, numbers=BO.numbers), replace(BO, numbers=ANA.numbers)]
    assert await store.put(swapped) == 0
    assert await store.by_number("+12025550143") == replace(ANA, numbers=())


async def test_deleting_takes_the_numbers_along(store: CustomerStore) -> None:
    await store.put([ANA])
    assert await store.delete("C-1")
    assert not await store.delete("C-1")
    assert await store.by_number("+12025550142") is None
    assert await store.put([replace(BO, numbers=ANA.numbers)]) == 1


async def test_a_caller_is_found_by_keys_alone(engine: AsyncEngine) -> None:
    """One question that reads an index for the number and an index for the customer, however many there are."""
    query = (
        "SELECT customers.* FROM customers JOIN customer_numbers ON customer_numbers.customer_id = customers.id "
        "WHERE customer_numbers.number = '+12025550142'"
    )
    store = CustomerStore(engine)
    await store.put([Customer(f"{n}", "x", numbers=(f"+1202556{n:04d}",)) for n in range(2000)])
    async with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            plan = [row[-1] for row in await connection.execute(text(f"EXPLAIN QUERY PLAN {query}"))]
            assert all(line.startswith("SEARCH") for line in plan), plan
        else:
            await connection.execute(text("ANALYZE"))
            plan = [row[0] for row in await connection.execute(text(f"EXPLAIN {query}"))]
            assert not any("Seq Scan" in line for line in plan), plan


async def test_a_database_that_is_gone(store: CustomerStore, engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        await connection.execute(text("DROP TABLE customer_numbers"))
    with pytest.raises(DatabaseUnavailable):
        await store.by_number("+12025550142")
    with pytest.raises(DatabaseUnavailable):
        await store.put([ANA])


# REST


Ask = Callable[..., Awaitable[tuple[int, Any]]]


class _NoJournal:
    def listen(self, _listener: object) -> None: ...


@pytest.fixture
async def ask(tmp_path: Path) -> AsyncIterator[Ask]:
    engine = open_engine(f"sqlite+aiosqlite:///{tmp_path / 'rest.db'}")
    await migrate(engine)
    desk = CustomerDesk(CustomerStore(engine), "US", clock=lambda: 0.0, note=lambda _kind, **_more: None)
    deps: dict[str, Any] = {one.name: None for one in fields(WebDeps)}
    deps |= {"token": TOKEN, "company": "Test", "versions": {}, "customers": desk, "allowed_hosts": frozenset()}
    deps["journal"] = _NoJournal()
    client = TestClient(TestServer(make_app(WebDeps(**deps))))
    await client.start_server()

    async def asked(method: str, path: str, body: Any = None) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        async with client.request(method, f"/api/customers{path}", json=body, headers=headers) as answer:
            return answer.status, await answer.json()

    yield asked
    await client.close()
    await desk.close()
    await engine.dispose()


async def test_a_customer_over_rest(ask: Ask) -> None:
    written = {"name": "Ana", "tier": "gold", "tags": ["vip"], "numbers": ["(202) 555-0142"]}
    view = {"id": "C-1", "name": "Ana", "language": "", "tier": "gold", "tags": ["vip"], "numbers": ["+12025550142"]}
    assert await ask("PUT", "/C-1", written) == (200, {"customer": view})
    assert await ask("PUT", "/C-1", view) == (200, {"customer": view})
    assert await ask("GET", "/C-1") == (200, {"customer": view})
    assert await ask("GET", "?number=202-555-0142") == (200, {"customers": [view], "next": None})
    assert await ask("GET", "?number=nobody") == (200, {"customers": [], "next": None})
    await ask("PUT", "/C-2", {"name": "Bo"})
    status, page = await ask("GET", "?limit=1")
    assert (status, [one["id"] for one in page["customers"]], page["next"]) == (200, ["C-1"], "C-1")
    assert (await ask("GET", "?limit=1&after=C-1"))[1]["next"] == "C-2"
    assert await ask("DELETE", "/C-1") == (200, {})
    assert await ask("DELETE", "/C-1") == (404, {"error": "There is no customer 'C-1'."})


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "text"),
    [
        ("GET", "/C-9", None, 404, "There is no customer 'C-9'."),
        ("GET", "?limit=0", None, 400, "limit must be 1 to 500."),
        ("PUT", "/C-9", {}, 400, "name: is missing."),
        ("PUT", "/C-9", {"name": "Bo", "id": "C-8"}, 400, "id: must be 'C-9', as in the address, or be left out."),
        ("PUT", "/a b", {"name": "Bo"}, 400, "id: 'a b' is not an id: letters, digits, . _ and -, at most 40."),
        ("PUT", "/C-9", {"name": "Bo", "numbers": ["202 555 0142"]}, 409, "+12025550142 belongs to customer 'C-1'."),
        ("PUT", "/C-9", {"name": "Bo", "age": 7}, 400, "Unknown in the body: age."),
    ],
)
async def test_what_is_refused_and_why(ask: Ask, method: str, path: str, body: Any, status: int, text: str) -> None:
    await ask("PUT", "/C-1", {"name": "Ana", "numbers": ["+12025550142"]})
    assert await ask(method, path, body) == (status, {"error": text})


# From a file


def site(tmp_path: Path) -> Path:
    config = tmp_path / "cordboard.yaml"
    config.write_text("company: Test\nregion: US\nqueues: {}\n")
    return config


def imported(tmp_path: Path, rows: str) -> Any:
    file = tmp_path / "customers.csv"
    file.write_text(f"id,name,tier,numbers\n{rows}")
    return CliRunner().invoke(app, ["customers", "import", str(file), "--config", str(site(tmp_path))])


def test_a_file_at_the_command_line(tmp_path: Path) -> None:
    first = imported(tmp_path, "1,Ana,gold,202 555 0142\n2,Bo,,202 555 0143\n")
    assert (first.exit_code, first.output) == (0, "2 customer(s) added, 0 replaced\n")
    again = imported(tmp_path, "1,Ana,silver,202 555 0143\n2,Bo,,202 555 0142\n3,Chen,,\n")
    assert (again.exit_code, again.output) == (0, "1 customer(s) added, 2 replaced\n")
    refused = imported(tmp_path, "4,Dora,,202 555 0142\n5,Ed,,\n")
    assert refused.exit_code == 2
    assert "customers.csv:2: number +12025550142 belongs to customer '2', who is not in this file" in refused.output
    wrong = imported(tmp_path, "4,Dora,,12\n,Ed,,\n")
    assert wrong.exit_code == 2
    assert "customers.csv:2: numbers: '12'" in wrong.output
    assert "customers.csv:3: id: is missing" in wrong.output


async def test_a_large_file_is_taken_in_whole(database_url: str, tmp_path: Path) -> None:
    file = tmp_path / "customers.csv"
    rows = [f"{n},Customer {n},gold,+1202{2000000 + n}" for n in range(3000)]
    file.write_text("\n".join(["id,name,tier,numbers", *rows]))
    assert await import_customers(file, database_url, None) == (3000, 0)
    file.write_text("\n".join(["id,name,tier,numbers", *rows, "x,X,,+12022000000"]))
    with pytest.raises(CsvRefused, match=r"number .12022000000 stands in line 2 already"):
        await import_customers(file, database_url, None)
    engine = open_engine(database_url)
    found = await CustomerStore(engine).by_number("+12022002999")
    await engine.dispose()
    assert found is not None
    assert found.id == "2999"
