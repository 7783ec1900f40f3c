"""What people and machines do wrongly while callers are here: callers notice little, and somebody is told."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from cordboard.api_client import ServiceError
from cordboard.phones.phone_call import PhoneCall
from tests.real_postgres import NoPostgres, RealPostgres, real_postgres
from tests.system.mixed_sound import deaf_to, hears
from tests.system.site import Site
from tests.system.talking import ANA, BEN, CALLER, command, talk

pytestmark = pytest.mark.system


async def health(site: Site) -> dict[str, Any]:
    async with aiohttp.ClientSession() as http, http.get(f"{site.api.url}/health") as answer:
        content: dict[str, Any] = await answer.json()
        assert (answer.status == 200) == content["database"]["ok"], content
        return content


async def failing_metric(site: Site) -> float:
    async with aiohttp.ClientSession() as http, http.get(f"{site.api.url}/metrics") as answer:
        lines = (await answer.text()).splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith("cordboard_storage_failing "))


async def alarm_is(site: Site, raised: bool, within: float) -> None:
    async def holds() -> bool:
        return bool((await health(site))["database"]["ok"]) is not raised and await failing_metric(site) == raised

    await site.until(holds, within, f"the alarm about the database is {'raised' if raised else 'over'}")


async def waiting(site: Site, key: str) -> tuple[PhoneCall, str]:
    mark = len(site.events)
    call = await site.call()
    await site.event("prompt.started", after=mark, node="menu")
    await call.send_digits(key)
    return call, (await site.event("queue.joined", after=mark))["call_id"]


async def work_goes_on_meanwhile(site: Site, call: PhoneCall, call_id: str) -> PhoneCall:
    """The talk is put on hold and resumed; a new caller comes, waits, is put through and talks. Returns their call."""
    await command(site, call_id, "hold")
    await site.agent_is("1001", state="hold")
    await command(site, call_id, "resume")
    await site.event("talk.resumed")
    await hears(call, ANA)
    second, second_id = await waiting(site, "1")
    ben = await site.agent("1002")
    his = await ben.wait_incoming()
    await site.event("talk.started", call_id=second_id, agent="1002")
    his.say_tone(BEN)
    await hears(second, BEN)
    return second


async def nothing_was_lost(site: Site) -> None:
    """What was said while it happened is in the database, without a gap, and nothing was dropped."""
    assert (await health(site))["database"]["dropped"] == 0
    for call_id in {one["call_id"] for one in site.events if one["call_id"]}:
        told = [one["seq"] for one in site.events if one["call_id"] == call_id]
        stored = (await site.api.ask("GET", f"/api/calls/{call_id}"))["events"]
        assert [one["seq"] for one in stored] == told
    numbers = [one["seq"] for one in site.events]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))


async def test_the_database_is_locked_while_callers_are_routed_and_talk(site: Site) -> None:
    call, theirs, call_id = await talk(site)
    thief = sqlite3.connect(site.config.var_dir / "cordboard.db")
    thief.execute("BEGIN EXCLUSIVE")
    try:
        second = await work_goes_on_meanwhile(site, call, call_id)
        await alarm_is(site, True, within=10)
        await call.hang_up()
        await theirs.wait_closed()
        await site.event("call.ended", call_id=call_id)
        await site.agent_is("1001", state="ready", free=True)
    finally:
        thief.rollback()
        thief.close()
    await alarm_is(site, False, within=15)
    await second.hang_up()
    await site.audit()
    await nothing_was_lost(site)


@pytest.fixture
def postgres() -> Any:
    try:
        with real_postgres() as server:
            yield server
    except NoPostgres as reason:
        pytest.skip(f"no PostgreSQL: {reason}")


@pytest.fixture
async def postgres_site(postgres: RealPostgres) -> AsyncIterator[Site]:
    site = Site({"database.url": postgres.new_database()})
    try:
        await site.start()
        yield site
    finally:
        await site.close()


async def test_postgres_dies_and_comes_back_while_callers_are_routed_and_talk(
    postgres: RealPostgres, postgres_site: Site
) -> None:
    site = postgres_site
    call, _, call_id = await talk(site)
    postgres.stop()
    try:
        second = await work_goes_on_meanwhile(site, call, call_id)
        await alarm_is(site, True, within=10)
        await call.hang_up()
        await site.event("call.ended", call_id=call_id)
    finally:
        postgres.start()
    await alarm_is(site, False, within=15)
    await second.hang_up()
    await site.audit()
    await nothing_was_lost(site)


async def test_a_queue_is_deleted_while_people_wait(site: Site) -> None:
    """What was published is served, with an alarm that says where a flow names it; whoever waited goes on at once."""
    call, call_id = await waiting(site, "1")
    await site.kill_service()

    def delete(content: dict[str, Any]) -> None:
        del content["queues"]["sales"]
        for agent in content["agents"].values():
            agent["queues"] = ["support"]

    site.reconfigure(delete)
    mark = len(site.events)
    await site.start_service()
    assert "main.yaml:21:23: there is no queue 'sales' (known: support)" in site.log()
    health = await site.api.ask("GET", "/health")
    assert not health["dialplans"]["ok"]
    assert "there is no queue 'sales'" in health["dialplans"]["detail"]
    await site.event("node.entered", after=mark, node="sorry", call_id=call_id)
    await call.wait_sound()
    await call.hang_up()

    flow = site.folder / "dialplans" / "main.yaml"
    flow.write_text(flow.read_text().replace("queue: sales", "queue: support"))
    await site.api.ask("POST", "/api/dialplans/reload", {})
    assert (await site.api.ask("GET", "/health"))["dialplans"]["ok"]
    await site.audit()


async def test_an_agent_is_removed_while_in_a_talk(site: Site) -> None:
    call, theirs, call_id = await talk(site)
    await site.kill_service()
    site.reconfigure(lambda content: content["agents"].pop("1001"))
    mark = len(site.events)
    await site.start_service()
    await hears(call, ANA)
    await hears(theirs, CALLER)
    assert "1001" not in await site.agents()
    with pytest.raises(ServiceError, match="There is no agent '1001'"):
        await site.api.ask("POST", "/api/agents/1001/login", {})
    await theirs.hang_up()
    await site.event("prompt.started", after=mark, node="survey", call_id=call_id)
    await call.hang_up()
    await site.audit()


async def test_two_phones_of_one_agent_and_commands_for_what_does_not_exist(site: Site) -> None:
    first = await site.agent("1001")
    with pytest.raises(ServiceError, match="Agent '1001' is already logged in"):
        await site.api.ask("POST", "/api/agents/1001/login", {})
    second = await site.agent("1001", ready=False)  # the newest phone is the agent's, and the agent stays at work
    code = await second.dial("*45")
    await code.wait_established()
    await code.wait_sound()  # told that this is so already
    await code.wait_closed(timeout=15)
    await site.agent_is("1001", state="ready", free=True)
    call, call_id = await waiting(site, "1")
    theirs = await second.wait_incoming()
    await site.event("talk.started", call_id=call_id, agent="1001")
    theirs.say_tone(ANA)
    await hears(call, ANA)

    for path, to, words in (
        ("calls/none-1.1/talk/hold", "", "is in no talk"),
        (f"calls/{call_id}/talk/transfer", "agent:4711", "There is no agent '4711'"),
        (f"calls/{call_id}/talk/transfer", "queue:nowhere", "There is no queue 'nowhere'; there are: sales, support"),
        (f"calls/{call_id}/talk/transfer", "flow:nowhere", "There is no flow 'nowhere'"),
        (f"calls/{call_id}/talk/transfer", "", "A destination is missing"),
        (f"calls/{call_id}/talk/resume", "", "on hold"),
        (f"calls/{call_id}/talk/conference", "", "Nobody is being consulted"),
        ("agents/4711/login", "", "There is no agent '4711'"),
        ("agents/4711/wrap-up", "", "There is no agent '4711'"),
    ):
        with pytest.raises(ServiceError, match=words):
            await site.api.ask("POST", f"/api/{path}", {"to": to} if to else {})
    await hears(call, ANA)  # and nothing has changed
    await site.audit_talk("1001")
    await deaf_to(theirs, BEN)
    await call.hang_up()
    await first.close()
    await site.audit()
