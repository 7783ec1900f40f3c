"""Recognising a caller: every outcome, and a database that is slow, broken or gone. No database here."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from cordboard import customer_desk as module
from cordboard.customer import Customer
from cordboard.customer_desk import AT_ONCE, CustomerDesk
from cordboard.storage.errors import DatabaseUnavailable
from ivr.requests import CustomerRequest
from tests.fakes.flow_caller import FlowCaller, Request, flow_of

ANA = Customer("C-1", "Ana", "es", "gold", ("vip",), ("+12025550142",))


class SlowList:
    """A list of customers that answers when a test lets it."""

    def __init__(self) -> None:
        self.customers = {"+12025550142": ANA}
        self.asked: list[str] = []
        self.broken = False
        self.open = asyncio.Event()
        self.open.set()

    async def by_number(self, number: str) -> Customer | None:
        self.asked.append(number)
        await self.open.wait()
        if self.broken:
            raise DatabaseUnavailable("OperationalError")
        return self.customers.get(number)

    async def get(self, customer: str) -> Customer | None:
        raise NotImplementedError

    async def page(self, limit: int = 0, after: str = "", number: str | None = None) -> list[Customer]:
        raise NotImplementedError

    async def put(self, wanted: list[Customer]) -> int:
        raise NotImplementedError

    async def delete(self, customer: str) -> bool:
        raise NotImplementedError


class Bench:
    def __init__(self) -> None:
        self.list = SlowList()
        self.notes: list[tuple[str, dict[str, Any]]] = []
        self.desk = CustomerDesk(
            self.list,
            "US",
            clock=asyncio.get_running_loop().time,
            note=lambda kind, **more: self.notes.append((kind, more["data"])),
        )

    async def ask(self, number: str) -> tuple[str, dict[str, Any]]:
        answered: asyncio.Future[tuple[str, dict[str, Any]]] = asyncio.get_running_loop().create_future()
        self.desk.begin(
            "c1", CustomerRequest(number), lambda outcome, values: answered.set_result((outcome, dict(values)))
        )
        assert not answered.done(), "never before the handle"
        async with asyncio.timeout(5):
            return await answered


@pytest.fixture
async def bench(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bench]:
    monkeypatch.setattr(module, "LIMIT_S", 0.05)
    made = Bench()
    yield made
    await made.desk.close()


async def test_known_however_the_number_comes(bench: Bench) -> None:
    values = {"customer_id": "C-1", "customer_name": "Ana", "customer_tier": "gold", "customer_language": "es"}
    for number in ("+12025550142", "2025550142", "12025550142"):
        assert await bench.ask(number) == ("ok", values)
    assert [kind for kind, _ in bench.notes] == ["customer.looked_up"] * 3
    assert {data["outcome"] for _, data in bench.notes} == {"ok"}
    assert "202" not in str(bench.notes)
    assert "C-1" not in str(bench.notes)


@pytest.mark.parametrize("number", ["", "anonymous", "1001", "+999", "2025550142x"])
async def test_what_is_no_number_is_unknown_without_asking(bench: Bench, number: str) -> None:
    assert await bench.ask(number) == ("unknown", {})
    assert bench.list.asked == []


async def test_somebody_else_is_unknown(bench: Bench) -> None:
    assert await bench.ask("+12025550143") == ("unknown", {})


async def test_a_broken_list_fails(bench: Bench) -> None:
    bench.list.broken = True
    assert await bench.ask("+12025550142") == ("failed", {})


async def test_a_list_that_hangs_fails_in_time_and_collects_nothing(bench: Bench) -> None:
    bench.list.open.clear()
    results = await asyncio.gather(*(bench.ask("+12025550142") for _ in range(AT_ONCE + 10)))
    assert set(map(str, results)) == {"('failed', {})"}
    assert len(bench.list.asked) == AT_ONCE
    assert await bench.ask("+12025550142") == ("failed", {})
    assert len(bench.list.asked) == AT_ONCE, "those that hang are enough"
    bench.list.open.set()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert (await bench.ask("+12025550142"))[0] == "ok"


async def test_whoever_has_left_hears_nothing(bench: Bench) -> None:
    answers: list[str] = []
    bench.list.open.clear()
    bench.desk.begin("c1", CustomerRequest("+12025550142"), lambda outcome, _values: answers.append(outcome)).cancel()
    bench.desk.begin("c1", CustomerRequest(""), lambda outcome, _values: answers.append(outcome)).cancel()
    bench.list.open.set()
    assert (await bench.ask("+12025550142"))[0] == "ok"
    assert answers == []


FLOW = """
flow: front
numbers: ["1"]
language: en
start: who
nodes:
  who: {customer: , next: judge, otherwise: {failed: broken, else: stranger}}
  judge: {if: [{when: 'customer_tier == "gold" && customer_language == "es"', to: gold}], else: again}
  gold: {to_queue: {queue: sales, data: {who: "{customer_id} {customer_name}"}, then: done, otherwise: again}}
  again: {customer: {number: "{caller_number}"}, next: done, otherwise: done}
  broken: {hangup: {cause: congestion}}
  stranger: {hangup: {}}
  done: {hangup: {}}
"""


def test_the_verb() -> None:
    caller = FlowCaller(flow_of(FLOW)).starts()
    assert caller.last(Request).what == CustomerRequest("+15550142")
    assert "5550142" not in repr(caller.last(Request))
    caller.is_answered(customer_id="C-1", customer_name="Ana", customer_tier="gold", customer_language="es")
    assert caller.nodes[-1] == "gold"
    assert caller.variable("customer_name") == "Ana"
    caller.is_back_from_queue("timeout").is_answered("unknown")
    assert caller.variable("customer_name") == "", "nobody is known now"


@pytest.mark.parametrize(("outcome", "node"), [("unknown", "stranger"), ("failed", "broken")])
def test_the_ways_of_the_verb(outcome: str, node: str) -> None:
    assert FlowCaller(flow_of(FLOW)).starts().is_answered(outcome).nodes[-1] == node
