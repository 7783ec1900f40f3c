"""A billing system for the shipped account line to ask: a few accounts, payments by card, a list of missed calls.

For trying things out on one machine: it listens on loopback, keeps everything in memory and charges nobody. Cards whose
number ends in 0002 are declined, as test cards are by convention; one that ends in 0119 makes it answer with an error.
Decides what a believable billing system answers. It refuses to know who asks.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from ivr.answers import luhn

DEMO_PORT = 8090
DECLINED, BROKEN = "0002", "0119"


@dataclass(slots=True)
class Account:
    """`balance` is what the customer owes, in dollars."""

    name: str
    balance: float
    due: str = ""


def demo_accounts() -> dict[str, Account]:
    return {
        "100001": Account("Alma Reyes", 84.5, "2026-12-31"),
        "100002": Account("Bo Larsen", 0.0),
        "100003": Account("Chen Wei", 1240.25, "2026-12-15"),
    }


@dataclass(slots=True)
class Billing:
    """The accounts and what became of them. `show` is told of each request, without numbers of accounts and cards."""

    accounts: dict[str, Account] = field(default_factory=demo_accounts)
    payments: list[tuple[str, float]] = field(default_factory=list)
    visits: int = 0
    show: Callable[[str], None] = lambda _line: None
    _receipts: Any = field(default_factory=lambda: itertools.count(7001))

    def app(self) -> web.Application:
        app = web.Application()
        app.add_routes(
            [
                web.get("/accounts/{number}", self._account),
                web.post("/payments", self._pay),
                web.post("/visits", self._visit),
            ]
        )
        return app

    async def _account(self, request: web.Request) -> web.Response:
        account = self.accounts.get(request.match_info["number"])
        self.show("asked for an account" if account else "asked for an account that does not exist")
        if account is None:
            return web.json_response({"error": "no such account"}, status=404)
        return web.json_response({"name": account.name, "balance": account.balance, "due": account.due})

    async def _pay(self, request: web.Request) -> web.Response:
        wanted = await request.json()
        number, card, amount = str(wanted.get("account")), str(wanted.get("card")), wanted.get("amount")
        account = self.accounts.get(number)
        if card.endswith(BROKEN):
            self.show("a payment that breaks")
            return web.json_response({"error": "out of order"}, status=500)
        paid = account is not None and isinstance(amount, (int, float)) and 0 < amount <= 2000 and luhn(card)
        if account is None or not paid or card.endswith(DECLINED):
            self.show("a payment that is declined")
            return web.json_response({"error": "declined"}, status=402)
        account.balance = round(account.balance - amount, 2)
        self.payments.append((number, amount))
        self.show(f"a payment of {amount:.2f}")
        return web.json_response({"receipt": str(next(self._receipts))})

    async def _visit(self, _request: web.Request) -> web.Response:
        self.visits += 1
        self.show("a caller hung up")
        return web.json_response({"noted": True})


async def serve_billing(billing: Billing, port: int) -> web.AppRunner:
    """Listen on loopback until the runner is cleaned up. Port 0: any; `runner.addresses` tells which."""
    runner = web.AppRunner(billing.app(), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    return runner
