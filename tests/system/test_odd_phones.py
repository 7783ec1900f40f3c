"""Phones that behave badly: the caller keeps the place, the next agent is tried, and nobody is left in a state."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from cordboard.api_client import ServiceError
from cordboard.phones.phone_call import PhoneCall
from tests.fakes.sip_phone import Answer, Nothing, Refuse, Ring, Script, SipPhone
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


QUICK = {"queues.support.ring_s": 3}


@pytest.mark.parametrize("site", [QUICK], indirect=True)
async def test_a_phone_that_sends_no_sound_one_that_unregisters_and_one_that_falls_silent(site: Site) -> None:
    mute = await odd_agent(site, "1001", Answer(0.2))
    call, call_id = await to_support(site)
    theirs = await mute.call()
    await theirs.until("talking")
    await site.event("talk.started", call_id=call_id)
    await site.audit_talk("1001")
    await asyncio.sleep(2.5)  # longer than a look: nobody takes silence for an end
    assert theirs.state == "talking"
    await site.audit_talk("1001")
    await call.hang_up()
    await theirs.until("over")
    await site.agent_is("1001", state="ready", free=True)

    mute.script = Ring()
    call, call_id = await to_support(site)
    theirs = await mute.call(2)
    await mute.unregister()
    await site.agent_is("1001", reachable=False, within=5)
    failed = await site.event("offer.failed", call_id=call_id)
    assert failed["data"]["reason"] == "no_answer"
    await theirs.until("cancelled")
    offers = len(mute.calls)
    await site.agent_is("1001", resting=False, free=False)
    assert len(mute.calls) == offers, "a lost phone is not rung"
    mute.script = Answer()
    await mute.renew(60)
    await site.event("talk.started", call_id=call_id, agent="1001")
    await call.hang_up()
    await site.agent_is("1001", state="ready", free=True)

    mute.script = Nothing()
    async with await odd_agent(site, "1002", Answer()):
        call, call_id = await to_support(site)
        failed = await site.event("offer.failed", call_id=call_id, agent="1001")
        assert failed["data"]["reason"] == "unreachable"
        await site.event("talk.started", call_id=call_id, agent="1002")
        await call.hang_up()
    mute.die()
    await site.agent_is("1001", reachable=False, within=25)  # the PBX asks a registered phone for a sign of life


DAY = {
    "not_ready_reasons": {"1": "break", "2": "lunch"},
    "queues.support.dispositions": {"1": "sold", "2": "callback"},
    "queues.support.disposition_required": True,
    "queues.support.wrap_up_max_s": 60,
}


@pytest.mark.parametrize("site", [DAY], indirect=True)
async def test_an_agents_day_by_phone(site: Site) -> None:
    phone = await site.agent("1001")

    async def dial(code: str) -> None:
        short = await phone.dial(code)
        await short.wait_established()
        await short.wait_closed(timeout=15)

    with pytest.raises(ServiceError, match="Agent '1001' is already logged in, and ready"):
        await site.api.ask("POST", "/api/agents/1001/login", {})
    with pytest.raises(ServiceError, match=r"There is no reason 'tea' .* There are: break, lunch\."):
        await site.api.ask("POST", "/api/agents/1001/pause", {"reason": "tea"})
    await dial("*472")
    await site.agent_is("1001", state="not_ready", reason="lunch")
    await dial("*48")
    await site.agent_is("1001", state="ready")

    call, call_id = await to_support(site)
    await site.event("talk.started", call_id=call_id)
    await call.hang_up()
    await site.agent_is("1001", state="wrap_up", disposition_owed=True)
    with pytest.raises(ServiceError, match="must say first what the talk led to: 1 sold, 2 callback"):
        await site.api.ask("POST", "/api/agents/1001/ready", {})
    await dial("*49")
    await site.event("agent.wrap_up_extended", agent="1001")
    await site.kill_service()
    await site.start_service()
    await site.agent_is("1001", state="wrap_up", disposition_owed=True, reachable=True)
    await dial("*502")
    await site.event("call.disposition", call_id=call_id, agent="1001", code="callback")
    await site.api.ask("POST", "/api/agents/1001/ready", {})
    await site.agent_is("1001", state="ready")
    record = await site.record()
    assert record["disposition"] == "callback"
