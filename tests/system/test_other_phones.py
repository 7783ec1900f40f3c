"""Phones of other makes at agents' desks: pyVoIP, alone; SIPp, twenty of them, under load."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cordboard.api_client import ServiceError
from tests.system.mixed_sound import deaf_to, hears
from tests.system.pyvoip_phone import PyVoipPhone
from tests.system.sipp_phones import sipp_agents, sipp_callers
from tests.system.site import PROJECT, Site
from tests.system.talking import ANA, BEN, CALLER, command, legs, other

pytestmark = pytest.mark.system


async def test_pyvoip_talks_is_put_on_hold_and_hands_its_caller_to_another_make(site: Site) -> None:
    port, secret = site.config.pbx.sip.port, site.secrets.agents["1001"]
    async with await PyVoipPhone.register(port, "1001", secret, ANA, (CALLER,)) as phone:
        await site.api.ask("POST", "/api/agents/1001/login", {})
        await site.agent_is("1001", free=True)
        call = await site.call()
        await site.event("prompt.started", node="menu")
        await call.send_digits("1")
        await phone.until("answered")
        call_id = (await site.event("talk.started", agent="1001"))["call_id"]
        call.say_tone(CALLER)
        await hears(call, ANA)
        await phone.hears(CALLER)
        await site.audit_talk("1001")

        await command(site, call_id, "hold")
        await site.agent_is("1001", state="hold")
        await deaf_to(call, ANA)
        await phone.deaf_to(CALLER)
        await command(site, call_id, "resume")
        await site.event("talk.resumed")
        await hears(call, ANA)
        await phone.hears(CALLER)

        ben = await other(site)
        await command(site, call_id, "transfer", "agent:1002")
        his = await ben.wait_incoming()
        await site.event("talk.started", agent="1002")
        await phone.until("over")
        await hears(call, BEN)
        await hears(his, CALLER)
        await call.hang_up()
        first, second = await legs(site, call_id)
        assert [(leg["agent"], leg["ended_by"]) for leg in (first, second)] == [
            ("1001", "transfer"),
            ("1002", "caller"),
        ]
        await site.agent_is("1001", state="ready", free=True)

        mark = len(site.events)
        await site.api.ask("POST", "/api/agents/1002/logout", {})
        call = await site.call()
        await site.event("prompt.started", after=mark, node="menu")
        await call.send_digits("1")
        await phone.until("answered", times=2)
        await site.event("talk.started", after=mark, agent="1001")
        phone.hang_up()
        await site.event("talk.ended", after=mark, ended_by="agent")
        await site.event("prompt.started", after=mark, node="survey")
        await call.hang_up()
    await site.audit()


DESKS = [str(number) for number in range(2001, 2021)]
LOAD = {
    "agents": {number: {"name": f"Agent {number}", "queues": ["sales", "support"]} for number in DESKS},
    "queues.sales.wrap_up_s": 0,
    "queues.support.wrap_up_s": 0,
}
STRAIGHT_IN = """
flow: load
numbers: ["200"]
language: en
languages: [en]
start: wait
nodes:
  wait:
    to_queue: {queue: sales, then: done, otherwise: done}
  done:
    hangup: {}
"""


@pytest.fixture
async def busy_site(tmp_path: Path) -> AsyncIterator[Site]:
    """Twenty agents, and a number that leads straight into their queue."""
    dialplans = tmp_path / "dialplans"
    shutil.copytree(PROJECT / "tests" / "data" / "site" / "dialplans", dialplans)
    (dialplans / "load.yaml").write_text(STRAIGHT_IN)
    site = Site(LOAD, dialplans)
    try:
        await site.start()
        yield site
    finally:
        await site.close()


class Meddler:
    """Does something to talks as they begin: the first is put on hold and resumed, the second goes to another queue,
    the third to an agent, and so on. What comes too late, because the talk is over already, is refused with words."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._seen = 0
        self.asked = self.refused = 0

    async def run(self) -> None:
        met: set[str] = set()
        while True:
            news, self._seen = self._site.events[self._seen :], len(self._site.events)
            for event in news:
                if event["kind"] == "talk.started" and event["call_id"] not in met:
                    met.add(event["call_id"])
                    await self._meddle(event["call_id"], len(met))
            await asyncio.sleep(0.02)

    async def _meddle(self, call: str, number: int) -> None:
        match number % 4:
            case 1:
                await self._ask(call, "hold")
                await self._ask(call, "resume")
            case 2:
                await self._ask(call, "transfer", "queue:support")
            case 3:
                await self._ask(call, "transfer", f"agent:{DESKS[number % len(DESKS)]}")

    async def _ask(self, call: str, name: str, to: str = "") -> None:
        self.asked += 1
        try:
            await command(self._site, call, name, to)
        except ServiceError:
            self.refused += 1


async def test_sipp_twenty_agents_and_sixty_callers_who_come_faster_than_they_are_served(busy_site: Site) -> None:
    site = busy_site
    async with sipp_agents(site, DESKS, talk_ms=6000):
        meddler = Meddler(site)
        meddling = asyncio.create_task(meddler.run())
        try:
            patient, hasty = await asyncio.gather(
                sipp_callers(site, "queue", "200", rate=7, count=45, patience=40_000),
                sipp_callers(site, "leave", "200", rate=2, count=15, stay=1_500),
            )
        finally:
            meddling.cancel()
            await asyncio.gather(meddling, return_exceptions=True)
        assert meddling.cancelled(), meddling.exception()
        await site.audit()
    assert (patient.good, patient.failed) == (45, 0), patient
    assert hasty.good + hasty.failed == 15
    assert meddler.asked > 30
    assert meddler.refused < meddler.asked / 2
    waits = [one["wait_s"] for one in await site.records() if one["outcome"] == "talked"]
    assert max(waits) > 0.5, "nobody had to wait: this was no load"
    kinds = {one["kind"] for one in site.events}
    assert {"talk.held", "talk.resumed", "talk.transferred"} <= kinds
