"""A real caller on the real PBX is recognised, hears what another system says of them, and goes on when it hangs."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import soundfile
from aiohttp import web
from aiohttp.test_utils import TestServer

from cordboard.phones.listening import heard_share
from cordboard.phones.phone_call import PhoneCall
from cordboard.site import PROMPTS
from ivr.loader import load_folder
from ivr.prompts import PromptStore
from ivr.voices import Voices
from tests.system.site import Site

pytestmark = pytest.mark.system

KNOWN = "+12025550142"
BALANCE = "twelve dollars and fifty cents"
SORRY = "Sorry, your balance cannot be found out now."
FLOW = f"""
flow: balance
numbers: ["191"]
language: en
start: who
services:
  billing:
    url: "http://127.0.0.1:PORT/api"
    headers: {{Authorization: "Bearer {{secret:BILLING}}"}}
    timeout: 400ms
    tries: 2
nodes:
  who: {{customer: , next: ask, otherwise: stranger}}
  ask:
    http:
      service: billing
      get: /customers/{{customer_id}}
      save: {{balance: {{from: account.balance, one_of: [{BALANCE}, nothing]}}}}
    next: tell
    otherwise: sorry
  tell: {{say: "Your balance is {{balance}}.", next: done}}
  sorry: {{say: "{SORRY}", next: done}}
  order: {{http: {{service: billing, post: /orders, timeout: 20s}}, next: tell, otherwise: sorry}}
  stranger: {{hangup: {{cause: rejected}}}}
  done: {{hangup: {{}}}}
"""


class Billing:
    """Knows one customer; hangs while a test says so."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        self.orders = 0
        self.answers = asyncio.Event()
        self.answers.set()

    async def start(self) -> TestServer:
        app = web.Application()
        app.router.add_get("/api/customers/{customer}", self._customer)
        app.router.add_post("/api/orders", self._order)
        server = TestServer(app, host="127.0.0.1")
        await server.start_server()
        return server

    async def _customer(self, request: web.Request) -> web.Response:
        self.asked.append((request.match_info["customer"], request.headers["Authorization"]))
        await self.answers.wait()
        return web.json_response({"account": {"balance": BALANCE}})

    async def _order(self, _request: web.Request) -> web.Response:
        self.orders += 1
        await self.answers.wait()
        return web.json_response({})


async def import_customers(site: Site, rows: str) -> None:
    """As an admin does, while the service runs."""
    file = site.folder / "customers.csv"
    file.write_text(f"id,name,numbers\n{rows}")
    words = (sys.executable, "-m", "cordboard", "customers", "import", str(file), "--config", str(site.file))
    process = await asyncio.create_subprocess_exec(*words, stdout=asyncio.subprocess.DEVNULL)
    assert await process.wait() == 0


class Ears:
    """Knows how each prepared text sounds."""

    def __init__(self, site: Site) -> None:
        self._store = PromptStore(
            site.config.recordings_dir / PROMPTS, Voices({}, site.config.var_dir / "bin" / "espeak-ng")
        )

    async def learn(self, dialplans: Path) -> None:
        report = await self._store.prepare(load_folder(dialplans))
        assert report.spoken == 0, "the service has spoken everything before its first call"

    def heard(self, call: PhoneCall, text: str) -> float:
        (file,) = self._store.files("en", text)
        sound, rate = soundfile.read(f"{file}.wav", dtype="int16")
        assert rate == 8000
        return heard_share(call.heard(), sound)


async def ask_for_balance(site: Site, number: str) -> PhoneCall:
    """A call from beginning to end."""
    call = await site.call("191", await site.caller(number))
    await call.wait_closed(timeout=20)
    return call


async def metrics(site: Site) -> str:
    async with aiohttp.ClientSession() as http, http.get(f"{site.api.url}/metrics") as answer:
        return await answer.text()


def of_kind(site: Site, kind: str, after: int = 0) -> list[dict[str, Any]]:
    return [event["data"] for event in site.events[after:] if event["kind"] == kind]


@contextlib.asynccontextmanager
async def asking(tmp_path: Path, start: str = "who") -> AsyncIterator[tuple[Site, Billing, Ears]]:
    """A site that may ask the billing, and calls that begin at this node."""
    billing = Billing()
    server = await billing.start()
    dialplans = tmp_path / "dialplans"
    dialplans.mkdir()
    text = FLOW.replace("PORT", str(server.port)).replace("start: who", f"start: {start}")
    (dialplans / "balance.yaml").write_text(text)
    secret = tmp_path / "billing.secret"
    secret.write_text("of-the-billing-only-in-tests")
    secret.chmod(0o600)
    changes = {"lookups.allow": [f"http://127.0.0.1:{server.port}/api"], "secrets.BILLING": str(secret)}
    site = Site(changes, dialplans)
    try:
        await site.start()
        ears = Ears(site)
        await ears.learn(dialplans)
        yield site, billing, ears
    finally:
        billing.answers.set()
        await site.close()
        await server.close()


async def test_a_caller_hears_their_balance_and_goes_on_without_it(tmp_path: Path) -> None:
    async with asking(tmp_path) as (site, billing, ears):
        await import_customers(site, f"C-7,Ana,{KNOWN}\n")
        call = await ask_for_balance(site, KNOWN)
        assert billing.asked == [("C-7", "Bearer of-the-billing-only-in-tests")]
        assert ears.heard(call, BALANCE) > 0.9
        assert ears.heard(call, SORRY) < 0.5
        assert [one["outcome"] for one in of_kind(site, "customer.looked_up")] == ["ok"]
        (ended,) = of_kind(site, "http.ended")
        assert (ended["service"], ended["outcome"]) == ("billing", "ok")

        billing.answers.clear()
        mark = len(site.events)
        call = await ask_for_balance(site, KNOWN)
        assert ears.heard(call, SORRY) > 0.9
        assert ears.heard(call, BALANCE) < 0.5
        (ended,) = of_kind(site, "http.ended", mark)
        assert (ended["outcome"], ended["reason"]) == ("failed", "timeout")
        assert ended["ms"] < 2_000
        assert len(billing.asked) == 3, "it was asked a second time"

        await ask_for_balance(site, "+12025550199")  # nobody's: turned away
        assert len(billing.asked) == 3
        shown = await metrics(site)
        assert 'outcome="failed",service="billing"} 1.0' in shown
        assert 'cordboard_lookup_tries_total{origin="http://127.0.0.1:' in shown
        assert "2025550142" not in site.log()


async def test_an_order_is_not_given_again_after_a_restart(tmp_path: Path) -> None:
    """Nobody knows what became of it: the caller goes on as if it had failed."""
    async with asking(tmp_path, "order") as (site, billing, ears):
        billing.answers.clear()
        call = await site.call("191")
        await site.until(lambda: billing.orders == 1, 10, "the order has arrived")
        await site.kill_service()
        mark = len(site.events)
        await site.start_service()
        await call.wait_closed(timeout=20)
        assert ears.heard(call, SORRY) > 0.9
        assert billing.orders == 1
        (ended,) = of_kind(site, "http.ended", mark)
        assert (ended["outcome"], ended["reason"]) == ("failed", "unknown_fate")
