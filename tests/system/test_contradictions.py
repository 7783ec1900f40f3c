"""Several people command the same talk at the same instant and contradict each other: afterwards all is at rest."""

from __future__ import annotations

import asyncio
import json
import random
from typing import Any

import aiohttp
import pytest

from cordboard.api_client import ServiceError
from cordboard.phones.phone_call import PhoneCall
from cordboard.phones.softphone import AnswerAfter
from tests.system.site import Site
from tests.system.talking import command

pytestmark = pytest.mark.system

ROUNDS = 50
CALLERS = 3
DESKS = [str(number) for number in range(1001, 1006)]
CROWD = {
    "agents": {number: {"name": f"Agent {number}", "queues": ["sales", "support"]} for number in DESKS},
    "queues.sales.wrap_up_s": 0,
    "queues.support.wrap_up_s": 0,
}
COMMANDS = ("hold", "resume", "consult", "complete", "cancel", "conference", "transfer", "requeue")


def some_command(chance: random.Random) -> tuple[str, str]:
    name = chance.choice(COMMANDS)
    match name:
        case "consult":
            return name, f"agent:{chance.choice(DESKS)}"
        case "transfer":
            return name, chance.choice([f"agent:{chance.choice(DESKS)}", "queue:support"])
    return name, ""


async def by_rest(site: Site, call: str, name: str, to: str) -> bool:
    try:
        await command(site, call, name, to)
    except ServiceError:
        return False
    return True


async def by_socket(socket: aiohttp.ClientWebSocketResponse, call: str, name: str, to: str) -> bool:
    await socket.send_str(json.dumps({"do": name, "call": call, **({"to": to} if to else {})}))
    while True:
        told = await asyncio.wait_for(socket.receive_json(), 10)
        if "done" in told or "refused" in told:
            return "done" in told


async def talks(site: Site) -> list[str]:
    """Calls that an agent talks in or has on hold, in a fixed order."""
    return sorted(one["call"] for one in (await site.agents()).values() if one["state"] in {"talking", "hold"})


async def consulting(site: Site, call: str, chance: random.Random) -> None:
    """The agent asks somebody who is free, if there is anybody and if the talk is in a state to do so."""
    free = [number for number, one in sorted((await site.agents()).items()) if one["free"]]
    mark = len(site.events)
    if free and await by_rest(site, call, "consult", f"agent:{chance.choice(free)}"):
        kinds = {"talk.consulted", "talk.resumed", "talk.ended", "call.ended"}  # they talk, or something came of it
        await site.until(
            lambda: any(one["kind"] in kinds and one["call_id"] == call for one in site.events[mark:]),
            10,
            "the consultation begins or fails",
        )


async def keep_calling(site: Site, calls: list[PhoneCall]) -> None:
    """There are always some callers: whoever was sent out of the queues is replaced."""
    calls[:] = [call for call in calls if call.state.value != "closed"]
    while len(calls) < CALLERS:
        mark = len(site.events)
        calls.append(await site.call())
        await site.event("prompt.started", after=mark, node="menu")
        await calls[-1].send_digits("1")


@pytest.mark.parametrize("site", [CROWD], indirect=True)
@pytest.mark.parametrize("seed", [1])
async def test_three_clients_contradict_each_other(site: Site, seed: int) -> None:
    chance = random.Random(seed)
    for number in DESKS:
        await site.agent(number, AnswerAfter(0.05))
    calls: list[PhoneCall] = []
    done: list[tuple[str, bool]] = []
    headers = {"Authorization": f"Bearer {site.api.token}"}
    async with (
        aiohttp.ClientSession(headers=headers) as http,
        http.ws_connect(f"{site.api.url}/api/events") as socket,
    ):
        for _ in range(ROUNDS):
            await keep_calling(site, calls)
            found: list[str] = []

            async def somebody_talks(found: list[str] = found) -> bool:
                found[:] = await talks(site)
                return bool(found)

            await site.until(somebody_talks, 15, "somebody talks")
            call = chance.choice(found)
            if chance.random() < 0.4:
                await consulting(site, call, chance)
            first, second, third = (some_command(chance) for _ in range(3))
            answers: list[Any] = await asyncio.gather(
                by_rest(site, call, *first), by_rest(site, call, *second), by_socket(socket, call, *third)
            )
            await asyncio.sleep(chance.choice([0.0, 0.0, 0.1, 0.2, 0.5]))  # next into the middle of something, or not
            done += zip((name for name, _ in (first, second, third)), answers, strict=True)

    for call_ in calls:
        if call_.state.value != "closed":
            await call_.hang_up()
    for number in DESKS:
        await site.agent_is(number, within=15, state="ready", free=True)
    await site.audit()
    assert {name for name, well in done if well} == set(COMMANDS), "every command worked at least once"
    assert any(not well for _, well in done), "no two contradicted each other"
