"""Phones that behave badly: the caller keeps the place, the next agent is tried, and nobody is left in a state."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from cordboard.phones.phone_call import PhoneCall
from tests.fakes.sip_phone import Answer, Refuse, Script, SipPhone
from tests.system.site import Site

pytestmark = pytest.mark.system


@pytest.fixture(autouse=True)
async def audited(site: Site) -> AsyncIterator[None]:
    yield
    await site.audit()


async def odd_agent(site: Site, number: str, script: Script) -> SipPhone:
    """An agent with a scripted phone, logged in and reachable."""
    phone = await SipPhone.register("127.0.0.1", site.config.pbx.sip.port, number, site.secrets.agents[number], script)
    await site.api.ask("POST", f"/api/agents/{number}/login", {})
    await site.agent_is(number, free=True)
    return phone


async def to_support(site: Site) -> tuple[PhoneCall, str]:
    """A caller who waits in the queue, and the call's id."""
    mark = len(site.events)
    call = await site.call()
    await site.event("prompt.started", after=mark)
    await call.send_digits("2")
    return call, (await site.event("queue.joined", after=mark))["call_id"]


REFUSALS = {
    404: "unreachable",
    480: "refused",
    486: "busy",
    500: "failed",
    503: "failed",
    603: "refused",
    604: "unreachable",
}


async def test_a_phone_that_refuses_in_every_way(site: Site) -> None:
    odd = await odd_agent(site, "1001", Refuse())
    async with odd, await odd_agent(site, "1002", Answer()):
        for status, reason in REFUSALS.items():
            odd.script = Refuse(status)
            await site.agent_is("1001", free=True)
            call, call_id = await to_support(site)
            failed = await site.event("offer.failed", call_id=call_id, agent="1001")
            assert failed["data"]["reason"] == reason, status
            await site.event("talk.started", call_id=call_id, agent="1002")
            positions = [
                one["data"]["position"]
                for one in site.events
                if one["call_id"] == call_id and "position" in one["data"]
            ]
            assert set(positions) == {1}
            await call.hang_up()
            await site.agent_is("1002", state="ready")
            await site.api.ask("POST", "/api/agents/1001/ready", {})
