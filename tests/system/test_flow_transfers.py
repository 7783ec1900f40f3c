"""A flow puts its callers through: to agents' phones and through a real trunk; and promises to call them back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from cordboard.phones.phone_call import PhoneCall
from cordboard.phones.softphone import AnswerAfter, Manual, RefuseBusy, Softphone
from tests.system.mixed_sound import hears
from tests.system.site import Site
from tests.system.talking import ANA, BEN, CALLER

pytestmark = pytest.mark.system

OUTSIDE = "+12025550199"
FLOW = """
flow: front
numbers: ["100"]
language: en
start: which
on_hangup: missed
services: {crm: {url: "CRM"}}
nodes:
  which:
    ask: {type: digits, length: 4-12, prompt: Press one for yes., save: wanted}
    next: judge
    otherwise: bye
  judge: {if: [{when: size(wanted) == 4, to: extension}, {when: 'wanted.endsWith("9")', to: outside}], else: promise}
  extension:
    transfer: {to: "{wanted}", ring: 5s}
    next: talked
    otherwise: {busy: busy, no_answer: silent, not_allowed: forbidden, else: bye}
  outside: {transfer: {to: "+{wanted}", ring: 10s}, next: talked, otherwise: {not_allowed: forbidden, else: bye}}
  promise: {callback: {queue: sales, number: "+12025550199"}, next: promised, otherwise: bye}
  missed: {http: {service: crm, post: /gone, body: {caller: "{caller_number}"}}, next: remember, otherwise: bye}
  remember: {callback: {queue: support}, next: bye, otherwise: bye}
  promised: {say: Goodbye., next: which}
  talked: {say: Goodbye., next: which}
  busy: {say: Goodbye., next: which}
  silent: {say: Goodbye., next: which}
  forbidden: {say: Goodbye., next: which}
  bye: {hangup: {}}
"""


@pytest.fixture
async def outside() -> AsyncIterator[Softphone]:
    """Somebody's phone behind the trunk."""
    phone = await Softphone.caller("127.0.0.1", 5060, OUTSIDE, incoming=AnswerAfter(0.3))
    phone.on_incoming(lambda call: call.say_tone(BEN))
    yield phone
    await phone.close()


@dataclass
class Crm:
    """Another system: who hung up, as it was told, and it takes its time."""

    url: str = ""
    told: list[Any] = field(default_factory=list)
    may_answer: asyncio.Event = field(default_factory=asyncio.Event)

    async def gone(self, request: web.Request) -> web.Response:
        self.told.append(await request.json())
        await self.may_answer.wait()
        return web.json_response({})


@pytest.fixture
async def crm() -> AsyncIterator[Crm]:
    made = Crm()
    app = web.Application()
    app.router.add_post("/gone", made.gone)
    async with TestServer(app) as server:
        made.url = str(server.make_url("/")).rstrip("/")
        yield made


@pytest.fixture
async def site(outside: Softphone, crm: Crm, tmp_path: Path) -> AsyncIterator[Site]:
    secret = tmp_path / "trunk.secret"
    secret.write_text("of-the-trunk-only-in-tests")
    secret.chmod(0o600)
    dialplans = tmp_path / "dialplans"
    dialplans.mkdir()
    (dialplans / "front.yaml").write_text(FLOW.replace("CRM", crm.url))
    trunk = {"host": "127.0.0.1", "port": int(outside.uri.rpartition(":")[2]), "user": "test"}
    made = Site(
        {
            "pbx.demo_callers": False,  # whoever calls from this machine comes through the trunk
            "pbx.trunk": trunk | {"secret_file": str(secret)},
            "transfers.prefixes": [OUTSIDE[:5]],
            "lookups.allow": [crm.url],
        },
        dialplans,
    )
    try:
        await made.start()
        yield made
        await made.audit()
    finally:
        await made.close()


async def goes_on_at(site: Site, node: str) -> None:
    """The flow says something at this node, and asks again."""
    entered = await site.event("node.entered", node=node)
    await site.event("prompt.started", after=_place_of(site, entered), node="which")


def _place_of(site: Site, event: dict[str, Any]) -> int:
    return site.events.index(event) + 1


async def caller_of(site: Site, number: str = "+12025550142") -> PhoneCall:
    call = await site.call(caller=await site.caller(number))
    call.say_tone(CALLER)
    await site.event("prompt.started", node="which")
    return call


async def test_to_agents_busy_no_answer_and_the_talk_after_which_the_caller_is_back(site: Site, crm: Crm) -> None:
    ana = await site.agent("1001", ready=False)  # not logged in: the person is meant, not the agent
    await site.agent("1002", RefuseBusy(0.2))
    await site.agent("1003", Manual())
    call = await caller_of(site)
    await call.send_digits("1001#")
    theirs = await ana.wait_incoming()
    theirs.say_tone(ANA)
    await hears(call, ANA)
    await hears(theirs, CALLER)
    await site.agent_is("1001", state="logged_out")
    await theirs.hang_up()
    await goes_on_at(site, "talked")
    await call.send_digits("1002#")
    await goes_on_at(site, "busy")
    await call.send_digits("1003#")
    await goes_on_at(site, "silent")
    await call.send_digits("1009#")
    await goes_on_at(site, "forbidden")
    await call.hang_up()
    ended = await site.event("call.ended")
    assert ended["data"]["outcome"] == "transferred"
    outcomes = [one["data"]["outcome"] for one in site.events if one["kind"] == "transfer.ended"]
    assert outcomes == ["talked", "busy", "no_answer", "not_allowed"]
    (leg,) = (await site.api.ask("GET", f"/api/calls/{ended['call_id']}"))["legs"]
    assert leg["agent"] == "1001"
    # Whoever hung up is remembered by `on_hangup`: the end of the call waits for nobody.
    assert (await site.record())["call_id"] == ended["call_id"]
    await site.until(lambda: crm.told == [{"caller": "+12025550142"}], 5, "the other system is told")
    crm.may_answer.set()
    asked = await site.event("callback.requested", queue="support")
    assert asked["seq"] > ended["seq"]
    (callback,) = (await site.api.ask("GET", "/api/callbacks"))["callbacks"]
    assert (callback["number"], callback["call_id"]) == ("+12025550142", ended["call_id"])


async def test_to_a_number_outside_the_service_killed_in_the_talk_and_a_promise(
    outside: Softphone, site: Site, crm: Crm
) -> None:
    crm.may_answer.set()
    call = await caller_of(site)
    await call.send_digits("493012349#")  # no prefix allows it
    await goes_on_at(site, "forbidden")
    await call.send_digits(f"{OUTSIDE.removeprefix('+')}#")
    his = await outside.wait_incoming()
    await hears(call, BEN)
    await hears(his, CALLER)
    await site.event("transfer.answered")
    await site.kill_service()
    await hears(call, BEN)  # a talk needs no service
    await site.start_service()
    await site.event("call.recovered", phase="talk")
    await hears(his, CALLER)
    await his.hang_up()
    await goes_on_at(site, "talked")
    await call.send_digits("55555#")
    await goes_on_at(site, "promised")
    (callback,) = (await site.api.ask("GET", "/api/callbacks"))["callbacks"]
    assert (callback["number"], callback["queue"], callback["state"]) == (OUTSIDE, "sales", "open")
    await call.hang_up()
    assert (await site.event("call.ended"))["data"]["outcome"] == "transferred"
    await calls_back(outside, site, callback["id"])


async def calls_back(outside: Softphone, site: Site, callback: int) -> None:
    """The agent's phone rings, then the customer's, and they talk."""
    ana = await site.agent("1001")
    await site.api.ask("POST", f"/api/callbacks/{callback}/call", {"agent": "1001"})
    theirs = await ana.wait_incoming()
    theirs.say_tone(ANA)
    his = await outside.wait_incoming()
    await hears(theirs, BEN)
    await hears(his, ANA)
    await site.agent_is("1001", state="ready", phone_busy=True)
    await theirs.hang_up()
    await his.wait_closed()
    await site.event("callback.called", outcome="talked", agent="1001")
    done = await site.api.ask("POST", f"/api/callbacks/{callback}/done", {"note": "sold"})
    assert (done["callback"]["state"], done["callback"]["attempts"]) == ("done", 1)
