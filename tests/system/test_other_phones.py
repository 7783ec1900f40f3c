"""Phones of other makes at agents' desks: pyVoIP, alone; SIPp, twenty of them, under load."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.system.mixed_sound import deaf_to, hears
from tests.system.pyvoip_phone import PyVoipPhone
from tests.system.site import Site
from tests.system.talking import ANA, BEN, CALLER, command, legs, other

pytestmark = pytest.mark.system


@pytest.fixture(autouse=True)
async def audited(site: Site) -> AsyncIterator[None]:
    yield
    await site.audit()


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
