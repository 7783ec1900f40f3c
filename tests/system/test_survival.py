"""The service, the link and the PBX die, and callers notice as little as can be."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from cordboard.phones.phone_call import PhoneCall
from cordboard.phones.softphone import AnswerAfter
from tests.system.site import Site

pytestmark = pytest.mark.system


@pytest.fixture(autouse=True)
async def audited(site: Site) -> AsyncIterator[None]:
    yield
    await site.audit()


async def talking(site: Site, agent: str = "1001") -> tuple[PhoneCall, PhoneCall]:
    phone = await site.agent(agent, AnswerAfter(0.2))
    call = await site.call()
    mark = len(site.events)
    await site.event("prompt.started", node="menu")
    await call.send_digits("2")
    theirs = await phone.wait_incoming()
    await site.event("talk.started", after=mark, agent=agent)
    return call, theirs


async def waiting(site: Site) -> tuple[PhoneCall, str]:
    """A caller in the queue `sales`, and the call's id."""
    mark = len(site.events)
    call = await site.call()
    await site.event("prompt.started", after=mark, node="menu")
    await call.send_digits("1")
    joined = await site.event("queue.joined", after=mark)
    return call, joined["call_id"]


async def hear_each_other(call: PhoneCall, theirs: PhoneCall) -> None:
    call.say_tone(700)
    theirs.say_tone(1100)
    await call.wait_tone(1100)
    await theirs.wait_tone(700)


async def test_service_killed_with_callers_in_menu_queue_and_talk(site: Site) -> None:
    call, theirs = await talking(site)
    first, first_id = await waiting(site)
    second, second_id = await waiting(site)
    mark = len(site.events)
    in_menu = await site.call()
    await site.event("prompt.started", after=mark, node="menu")
    await site.event("prompt.ended", after=mark, within=20)

    await site.kill_service()
    await hear_each_other(call, theirs)
    await first.wait_sound()
    mark = len(site.events)
    await site.start_service()

    await site.event("prompt.started", after=mark, node="menu")  # the menu resumes at its node
    await first.wait_sound()
    await hear_each_other(call, theirs)
    await site.audit_talk("1001")
    # The talk ends at last; whoever waited longest is next, then the other one.
    await call.hang_up()
    await theirs.wait_closed()
    talk = await site.event("talk.started", after=mark, within=15)
    assert talk["call_id"] == first_id
    await first.hang_up()
    talk = await site.event("talk.started", after=mark, within=15, call_id=second_id)
    await second.hang_up()
    await in_menu.send_digits("2")
    await site.event("talk.started", after=mark, within=15, queue="support")
    await in_menu.hang_up()


async def test_service_killed_and_everyone_hangs_up_before_it_is_back(site: Site) -> None:
    call, theirs = await talking(site)
    waits, _ = await waiting(site)
    await site.kill_service()
    await call.hang_up()
    await theirs.wait_closed()
    await waits.hang_up()
    await site.start_service()


async def test_agent_hangs_up_while_the_service_is_away(site: Site) -> None:
    call, theirs = await talking(site)
    await site.kill_service()
    await theirs.hang_up()
    mark = len(site.events)
    await site.start_service()
    await site.event("prompt.started", after=mark, node="survey")
    await call.send_digits("1")
    await call.wait_closed(timeout=15)


async def test_caller_who_arrives_while_the_service_is_away_is_served_by_it(site: Site) -> None:
    await site.kill_service()
    caller = await site.caller()
    call = await caller.dial("100")
    site.callers += 1
    await call.wait_ringing()
    await site.start_service()
    await call.wait_established()
    await site.event("prompt.started", node="menu")
    await call.hang_up()


async def test_link_reset_in_menu_queue_and_talk(site: Site) -> None:
    call, theirs = await talking(site)
    waits, _ = await waiting(site)
    mark = len(site.events)
    in_menu = await site.call()
    await site.event("prompt.started", after=mark, node="menu")
    mark = len(site.events)
    site.proxy.reset()
    await site.event("link.down", after=mark)
    await site.event("link.up", after=mark)
    await site.event("prompt.started", after=mark, node="menu")
    await hear_each_other(call, theirs)
    await waits.wait_sound()
    await in_menu.send_digits("2")
    await call.hang_up()
    await site.event("talk.started", after=mark, within=15, queue="sales")
    await waits.hang_up()
    await site.event("talk.started", after=mark, within=15, queue="support")
    await in_menu.hang_up()


async def test_link_silently_dropped(site: Site) -> None:
    call, theirs = await talking(site)
    waits, _ = await waiting(site)
    mark = len(site.events)
    site.proxy.freeze()
    await site.event("link.down", after=mark, within=10)
    await call.hang_up()  # unseen by the service
    await theirs.wait_closed()
    site.proxy.thaw()
    await site.event("link.up", after=mark, within=15)
    await site.event("talk.started", after=mark, within=15, queue="sales")
    await waits.hang_up()


async def test_pbx_killed_and_started_again(site: Site) -> None:
    await talking(site)
    await waiting(site)
    mark = len(site.events)
    site.pbx.kill()
    await site.pbx.wait()
    await site.event("link.down", after=mark)
    await site.pbx.start()
    await site.event("link.up", after=mark, within=20)
    # The agents' registrations are the PBX's to remember; a new caller is served.
    await site.agent_is("1001", within=20, state="ready", reachable=True)
    call, _ = await waiting(site)
    await site.event("talk.started", after=mark, within=20)
    await call.hang_up()


@pytest.mark.timeout(180)
async def test_service_never_comes_back(site: Site) -> None:
    """Callers in a menu and in a queue are taken over by the plain dialplan, new ones are answered by it."""
    waits, _ = await waiting(site)
    in_menu = await site.call()
    await site.event("prompt.started", node="menu")
    await site.kill_service()
    loop = asyncio.get_running_loop()
    gone_at = loop.time()
    caller = await site.caller()
    new = await caller.dial("100")
    site.callers += 1
    await new.wait_established(timeout=60)
    await new.wait_sound(timeout=10)
    voicemail = site.config.recordings_dir / "voicemail"
    await site.until(lambda: len(list(voicemail.glob("*.wav"))) == 3, 60 - (loop.time() - gone_at), "three recordings")
    for call in (waits, in_menu, new):
        await call.hang_up()
    await site.start_service()
