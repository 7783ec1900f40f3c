"""The phones of many agents: one SIPp that is registered for all of them, and answers whatever comes.

Decides how an agent's phone behaves in a measurement (it rings, answers at once, sends sound, and hangs up after the
talk) and which calls the service has as talked. It refuses to know what is measured.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Sequence
from typing import Any

from bench import sipp
from bench.site import BenchSite, free_port, until

REGISTRATIONS = 50  # a second

WAIT_IN_SALES = """
flow: bench
numbers: ["100"]
language: en
languages: [en]
start: wait
nodes:
  wait:
    to_queue: {queue: sales, then: done, otherwise: done}
  done:
    hangup: {}
"""
"""The flow of the benches in which callers meet agents: answered, and into the queue at once."""

TALKED = "select count(*) from calls where outcome = 'talked' and agent is not null and talk_s > 0"


def extensions(count: int) -> list[str]:
    return [str(number) for number in range(2001, 2001 + count)]


def sections(agents: Sequence[str]) -> dict[str, Any]:
    """What the configuration needs for them: one queue, and ready again as soon as a talk is over."""
    return {
        "queues": {"sales": {"wrap_up_s": 0}},
        "agents": {number: {"name": f"Agent {number}", "queues": ["sales"]} for number in agents},
        "timers": {"drain_s": 1},
    }


@contextlib.asynccontextmanager
async def phones(site: BenchSite, agents: Sequence[str], talk_ms: int) -> AsyncIterator[sipp.Sipp]:
    """Every agent's phone, all at one address. The answer is the process that plays them."""
    port = free_port(socket.SOCK_DGRAM)
    credentials = site.folder / "agents.csv"
    lines = [f"{one};[authentication username={one} password={site.secrets.agents[one]}]" for one in agents]
    credentials.write_text("\n".join(["SEQUENTIAL", *lines]) + "\n")
    register = sipp.Sipp(
        site.folder,
        sipp.render("register", site.folder),
        *("-inf", credentials, "-m", len(agents), "-r", REGISTRATIONS),
        pbx=f"127.0.0.1:{site.sip_port}",
        port=port,
    )
    await register.start()
    outcome = await register.finish(len(agents) / REGISTRATIONS + 30)
    if outcome.failed:
        raise sipp.SippError(f"{outcome.failed} agents could not register\n{register.last_words()}")
    playing = sipp.Sipp(site.folder, sipp.render("agent", site.folder, talk=talk_ms), "-aa", port=port)
    await playing.start()
    try:
        yield playing
    finally:
        await playing.stop()


async def log_in(site: BenchSite, agents: Sequence[str]) -> None:
    """Every agent is at work, and the service knows that their phones can be reached."""
    for agent in agents:
        await site.api.ask("POST", f"/api/agents/{agent}/login", {})

    async def all_reachable() -> bool:
        return all(one["reachable"] for one in (await site.api.ask("GET", "/api/agents"))["agents"])

    await until(all_reachable, 30)


async def newly_talked(site: BenchSite, before: int, expected: int) -> int:
    """How many calls more the service has as talked. Records are committed in groups, a moment after their calls."""
    for _ in range(20):
        if (found := site.count(TALKED) - before) >= expected:
            break
        await asyncio.sleep(0.1)
    return found
