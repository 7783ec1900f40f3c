"""Talks under control, on a real Asterisk with real SIP phones: by phone codes, REST and the WebSocket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from cordboard.phones.softphone import RefuseBusy
from tests.system.mixed_sound import deaf_to, hears
from tests.system.site import Site
from tests.system.talking import ANA, BEN, CALLER, CAT, command, legs, other, talk

pytestmark = pytest.mark.system


@pytest.fixture(autouse=True)
async def audited(site: Site) -> AsyncIterator[None]:
    yield
    await site.audit()


async def test_hold_by_command_and_by_the_phones_button(site: Site) -> None:
    call, theirs, call_id = await talk(site)
    await command(site, call_id, "hold")
    await site.event("talk.held", by="service")
    await site.agent_is("1001", state="hold")
    await deaf_to(call, ANA)
    await deaf_to(theirs, CALLER)
    await call.wait_sound()  # music
    await command(site, call_id, "resume")
    await site.event("talk.resumed")
    await hears(call, ANA)
    await hears(theirs, CALLER)
    seen = len(site.events)
    await theirs.hold()
    await site.event("talk.held", after=seen, by="phone")
    await site.agent_is("1001", state="hold")
    await theirs.resume()
    await site.event("talk.resumed", after=seen)
    await hears(call, ANA)
    await call.hang_up()
    await theirs.wait_closed()
    (leg,) = await legs(site, call_id)
    assert (leg["agent"], leg["ended_by"], leg["holds"]) == ("1001", "caller", 2)
    assert 0.5 < leg["hold_s"] < leg["talk_s"]


async def test_consult_and_hand_over_by_the_phones_keys(site: Site) -> None:
    call, theirs, _ = await talk(site)
    ben = await other(site)
    await theirs.send_digits("*2")
    await site.event("talk.held")
    await theirs.send_digits("1002#")
    his = await ben.wait_incoming()
    await site.event("talk.consulted", agent="1002")
    await hears(theirs, BEN)
    await hears(his, ANA)
    await deaf_to(call, BEN)
    await theirs.send_digits("*3")
    await theirs.wait_closed()
    await hears(call, BEN)
    await hears(his, CALLER)
    await site.agent_is("1001", state="wrap_up")
    await site.audit_talk("1002")
    assert call.received_digits == ""  # the caller heard no keys
    await call.hang_up()
    record = await site.record()
    assert record["agent"] == "1002"
    first, second = await legs(site, record["call_id"])
    assert [(leg["agent"], leg["ended_by"]) for leg in (first, second)] == [("1001", "transfer"), ("1002", "caller")]
    assert first["hold_s"] > 0 == second["hold_s"]


async def test_keys_that_lead_nowhere_put_the_agent_back_to_the_caller(site: Site) -> None:
    call, theirs, _ = await talk(site)
    await theirs.send_digits("*6")
    await site.event("talk.held")
    await theirs.send_digits("0123#")  # no prefix allows it
    await site.event("talk.resumed")
    await hears(call, ANA)
    await theirs.hang_up()
    await site.event("talk.ended", ended_by="agent")
    await site.event("prompt.started", node="survey")
    await call.hang_up()


async def test_three_in_a_conference_and_the_first_agent_leaves(site: Site) -> None:
    call, theirs, call_id = await talk(site)
    ben = await other(site)
    await command(site, call_id, "consult", "agent:1002")
    his = await ben.wait_incoming()
    await site.event("talk.consulted")
    await command(site, call_id, "conference")
    await hears(call, ANA, BEN)
    await hears(theirs, CALLER, BEN)
    await hears(his, CALLER, ANA)
    await theirs.hang_up()
    await site.event("talk.started", agent="1002")
    await hears(call, BEN)
    await hears(his, CALLER)
    await site.audit_talk("1002")
    await his.hang_up()
    await site.event("prompt.started", node="survey")  # the flow goes on
    await call.hang_up()


async def test_transfers_over_the_socket(site: Site) -> None:
    """To an agent who is busy: back at the old place. To another queue: whoever is there."""
    call, theirs, call_id = await talk(site)
    headers = {"Authorization": f"Bearer {site.api.token}"}
    async with (
        aiohttp.ClientSession(headers=headers) as http,
        http.ws_connect(f"{site.api.url}/api/events?call={call_id}") as socket,
    ):

        async def do(**asked: str) -> dict[str, Any]:
            await socket.send_json({"call": call_id, **asked})
            while True:
                told: dict[str, Any] = await socket.receive_json(timeout=5)
                if "done" in told or "refused" in told:
                    return told

        assert "cannot be rung" in (await do(do="transfer", to="agent:1003"))["refused"]
        await site.agent("1003", RefuseBusy(0.2))
        assert (await do(do="transfer", to="agent:1003"))["done"] == "transfer"
        await theirs.wait_closed()
        await site.event("offer.failed", agent="1003", reason="busy")
        joined = [one for one in site.events if one["kind"] == "queue.joined"]
        back = await site.event("queue.joined", after=joined[0]["seq"], queue="sales")
        assert back["data"]["position"] == 1
        started = await site.event("talk.started", after=back["seq"], agent="1001")  # after the wrap-up
        assert started["call_id"] == call_id
        await other(site)
        assert (await do(do="transfer", to="queue:support"))["done"] == "transfer"
    await site.event("queue.joined", queue="support")
    await site.event("talk.started", agent="1002")
    await hears(call, BEN)
    await call.hang_up()


@pytest.mark.parametrize("site", [{"agents.1003.supervisor": True}], indirect=True)
async def test_a_supervisor_listens_whispers_barges_in_and_takes_over(site: Site) -> None:
    call, theirs, call_id = await talk(site)
    cat = await other(site, "1003", CAT)

    async def supervise(mode: str) -> None:
        await site.api.ask("POST", f"/api/calls/{call_id}/supervise", {"agent": "1003", "mode": mode})

    await supervise("listen")
    hers = await cat.wait_incoming()
    await site.event("talk.supervised", agent="1003", mode="listen")
    await hears(hers, CALLER, ANA)
    await deaf_to(call, CAT)
    await deaf_to(theirs, CAT)
    await hers.send_digits("5")  # whisper
    await site.event("talk.supervised", mode="whisper")
    await hears(theirs, CALLER, CAT)
    await deaf_to(call, CAT)
    await supervise("barge")
    await hears(call, ANA, CAT)
    await supervise("takeover")
    await theirs.wait_closed()
    await site.event("talk.started", agent="1003")
    await hears(call, CAT)
    await hears(hers, CALLER)
    await site.audit_talk("1003")
    await site.agent_is("1001", state="wrap_up")
    await call.hang_up()
    await hers.wait_closed()


async def test_killed_with_a_caller_on_hold_they_are_put_together_again(site: Site) -> None:
    call, theirs, call_id = await talk(site)
    await command(site, call_id, "hold")
    await site.event("talk.held")
    await site.kill_service()
    await site.start_service()
    await hears(call, ANA)
    await hears(theirs, CALLER)
    await site.agent_is("1001", state="talking")
    await call.hang_up()
    await theirs.wait_closed()


async def test_killed_for_good_with_a_caller_on_hold_the_pbx_puts_them_together(site: Site) -> None:
    call, theirs, call_id = await talk(site)
    await command(site, call_id, "hold")
    await site.event("talk.held")
    await site.kill_service()
    await hears(call, ANA, within=30)  # the dead-man's timer of this site has 20 s
    await hears(theirs, CALLER)
    await call.hang_up()
    await theirs.wait_closed()
    await site.start_service()


async def test_killed_in_a_conference_it_goes_on(site: Site) -> None:
    call, theirs, call_id = await talk(site)
    ben = await other(site)
    await command(site, call_id, "consult", "agent:1002")
    his = await ben.wait_incoming()
    await site.event("talk.consulted")
    await command(site, call_id, "conference")
    await hears(call, ANA, BEN)
    await site.kill_service()
    await site.start_service()
    await hears(call, ANA, BEN)
    await hears(his, CALLER, ANA)
    await his.hang_up()
    await hears(call, ANA)
    await site.agent_is("1001", state="talking")
    await asyncio.gather(call.hang_up(), theirs.wait_closed())
