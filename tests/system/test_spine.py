"""A real caller reaches a real person, and everything that can go wrong between them on an ordinary day."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from cordboard.phones.softphone import AnswerAfter, Manual, RefuseBusy, Softphone
from tests.system.site import Site

pytestmark = pytest.mark.system


@pytest.fixture(autouse=True)
async def audited(site: Site) -> AsyncIterator[None]:
    yield
    await site.audit()


async def test_caller_hears_the_menu_chooses_waits_talks_and_both_hang_up(site: Site) -> None:
    agent = await site.agent("1001", AnswerAfter(0.5))
    call = await site.call()
    await site.event("prompt.started", node="menu")
    await call.wait_sound()
    await call.send_digits("2")
    theirs = await agent.wait_incoming()
    await theirs.wait_established()
    await site.event("talk.started", agent="1001")
    call.say_tone(600)
    theirs.say_tone(900)
    await call.wait_tone(900)
    await theirs.wait_tone(600)
    await site.audit_talk("1001")
    await call.hang_up()
    await theirs.wait_closed()
    record = await site.record()
    assert record["outcome"] == "talked"
    assert record["agent"] == "1001"
    assert record["queue"] == "support"
    assert record["ended_by"] == "caller"
    assert record["talk_s"] > 0
    await site.agent_is("1001", state="ready")


async def test_key_after_the_prompt(site: Site) -> None:
    await site.agent("1001")
    call = await site.call()
    await site.event("prompt.ended", within=20, interrupted=False)
    await call.send_digits("1")
    await site.event("talk.started")
    await call.hang_up()


async def test_key_before_the_prompt(site: Site) -> None:
    """A caller who knows the menu keys ahead while another prompt plays."""
    await site.agent("1001")
    call = await site.call()
    await site.event("prompt.started", node="menu")
    await call.send_digits("3")
    await call.send_digits("1")
    await site.event("talk.started")
    await call.hang_up()


async def test_wrong_key_then_no_key_then_the_flow_says_goodbye(site: Site) -> None:
    call = await site.call()
    await site.event("prompt.started", node="menu")
    await call.send_digits("9")
    await site.event("menu.outcome", outcome="invalid")
    await site.event("menu.outcome", within=20, outcome="no_input")
    await call.wait_closed(timeout=60)
    outcomes = [one["data"]["outcome"] for one in site.events if one["kind"] == "menu.outcome"]
    assert outcomes == ["invalid", "no_input", "no_input", "too_many"]
    record = await site.record()
    assert record["ended_by"] == "flow"


async def test_hang_up_in_the_menu(site: Site) -> None:
    call = await site.call()
    await site.event("prompt.started", node="menu")
    await call.hang_up()
    assert (await site.record())["outcome"] == "left_in_flow"


async def test_hang_up_as_soon_as_answered(site: Site) -> None:
    call = await site.call()
    await call.hang_up()
    await call.wait_closed()


async def test_unknown_number_is_refused_unanswered(site: Site) -> None:
    caller = await site.caller()
    call = await caller.dial("999")
    site.callers += 1
    await call.wait_closed()
    assert call.status == 404
    assert (await site.record())["outcome"] == "no_such_number"


async def test_hang_up_while_waiting(site: Site) -> None:
    call = await site.call()
    await site.event("prompt.started")
    await call.send_digits("2")
    await site.event("queue.joined", queue="support")
    await call.wait_sound()
    await call.hang_up()
    assert (await site.record())["outcome"] == "abandoned_in_queue"


async def test_caller_hangs_up_while_the_agent_rings(site: Site) -> None:
    agent = await site.agent("1001", Manual())
    before = (await site.agents())["1001"]["idle_since"]
    call = await site.call()
    await site.event("prompt.started")
    await call.send_digits("2")
    theirs = await agent.wait_incoming()
    await site.event("offer.ringing")
    await call.hang_up()
    await theirs.wait_closed(timeout=1.0)
    await site.agent_is("1001", state="ready", idle_since=before)


async def test_agent_does_not_answer_and_another_one_does(site: Site) -> None:
    lazy = await site.agent("1001", Manual())
    call = await site.call()
    await site.event("prompt.started")
    await call.send_digits("2")
    await lazy.wait_incoming()
    await site.agent("1002")
    await site.event("offer.failed", agent="1001", reason="no_answer", within=10)
    await site.event("talk.started", agent="1002")
    await call.hang_up()
    explanation = await site.api.ask("GET", f"/api/calls/{(await site.record())['call_id']}/explain", limit_s=30)
    for said in (
        "offered to 1001",
        "1001 did not answer; the caller kept their place",
        "offered to 1002",
        "1002 answered",
    ):
        assert said in explanation["text"], explanation["text"]


async def test_busy_agent_then_the_same_one_free(site: Site) -> None:
    busy = await site.agent("1001", RefuseBusy())
    call = await site.call()
    await site.event("prompt.started")
    await call.send_digits("2")
    await site.event("offer.failed", agent="1001", reason="busy")
    await busy.close()
    await site.agent("1002")
    await site.event("talk.started", agent="1002")
    await call.hang_up()


async def test_unregistered_agent_is_not_offered(site: Site) -> None:
    phone = await site.agent("1001")
    await phone.close()
    await site.agent_is("1001", reachable=False)
    call = await site.call()
    await site.event("prompt.started")
    await call.send_digits("2")
    await site.event("queue.joined")
    await site.agent("1002")
    await site.event("talk.started", agent="1002")
    assert not [one for one in site.events if one["kind"] == "offer.made" and one["agent"] == "1001"]
    await call.hang_up()


async def test_agent_hangs_up_first_and_the_flow_goes_on(site: Site) -> None:
    agent = await site.agent("1001")
    call = await site.call()
    await site.event("prompt.started")
    await call.send_digits("2")
    theirs = await agent.wait_incoming()
    await site.event("talk.started")
    await theirs.hang_up()
    await site.event("prompt.started", node="survey")
    await call.send_digits("1")
    await call.wait_closed(timeout=15)
    record = await site.record()
    assert record["outcome"] == "talked"
    assert record["ended_by"] == "flow"
    assert (await site.event("talk.ended"))["data"]["ended_by"] == "agent"


async def test_two_callers_and_one_agent(site: Site) -> None:
    agent = await site.agent("1001")
    first = await site.call()
    await site.event("prompt.started")
    await first.send_digits("2")
    joined = await site.event("queue.joined")
    await site.event("talk.started", call_id=joined["call_id"])
    second = await site.call()
    mark = len(site.events)
    await site.event("prompt.started", after=mark)
    await second.send_digits("2")
    waiting = await site.event("queue.joined", after=mark)
    await site.audit_talk("1001")
    await first.hang_up()
    await site.event("talk.started", call_id=waiting["call_id"])
    assert len(agent.live_calls) == 1
    await second.hang_up()


async def test_agent_and_caller_hang_up_together(site: Site) -> None:
    agent = await site.agent("1001")
    call = await site.call()
    await site.event("prompt.started")
    await call.send_digits("2")
    theirs = await agent.wait_incoming()
    await site.event("talk.started")
    await asyncio.gather(call.hang_up(), theirs.hang_up())
    assert (await site.record())["outcome"] == "talked"
    await site.agent_is("1001", state="ready")


async def test_feature_codes_from_the_phone(site: Site) -> None:
    phone = await site.agent("1001", ready=False)
    for code, state in (("*45", "ready"), ("*47", "not_ready"), ("*48", "ready"), ("*46", "logged_out")):
        call = await phone.dial(code)
        await call.wait_established()
        await call.wait_sound()
        await call.wait_closed(timeout=15)
        await site.agent_is("1001", state=state)


@pytest.mark.parametrize("site", [{"queues.support.max_wait_s": 2}], indirect=True)
async def test_nobody_comes_and_the_flow_goes_on(site: Site) -> None:
    call = await site.call()
    await site.event("prompt.started")
    await call.send_digits("2")
    await site.event("prompt.started", node="sorry")
    await call.wait_closed(timeout=15)
    assert (await site.record())["ended_by"] == "flow"


async def test_wrong_secret_does_not_register(site: Site) -> None:
    from cordboard.phones.errors import RegistrationFailed

    with pytest.raises(RegistrationFailed):
        await Softphone.agent("127.0.0.1", site.config.pbx.sip.port, "1001", "not-the-secret")
