"""SIPp as many phones at once: agents who register and answer, callers who arrive at a rate.

The scenarios are those of the benches.

It refuses to know what is done with the calls. SIPp always ends with the block.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import AsyncIterator, Collection

from bench import sipp
from tests.system.site import Site, free_ports


@contextlib.asynccontextmanager
async def sipp_agents(site: Site, numbers: Collection[str], talk_ms: int) -> AsyncIterator[None]:
    """Every agent's phone registers (all at one address), answers at once, and hangs up after `talk_ms`. At work."""
    (port,) = free_ports(1, socket.SOCK_DGRAM)
    credentials = site.folder / "agents.csv"
    lines = [f"{one};[authentication username={one} password={site.secrets.agents[one]}]" for one in numbers]
    credentials.write_text("\n".join(["SEQUENTIAL", *lines]) + "\n")
    register = sipp.Sipp(
        site.folder,
        sipp.render("register", site.folder),
        *("-inf", credentials, "-m", len(numbers), "-r", 30),
        pbx=f"127.0.0.1:{site.config.pbx.sip.port}",
        port=port,
    )
    await register.start()
    try:
        outcome = await register.finish(30)
    finally:
        await register.stop()
    assert outcome.failed == 0, register.last_words()
    phones = sipp.Sipp(site.folder, sipp.render("agent", site.folder, talk=talk_ms), "-aa", port=port)
    await phones.start()
    try:
        for number in numbers:
            await site.api.ask("POST", f"/api/agents/{number}/login", {})

        async def at_work() -> bool:
            agents = await site.agents()
            return all(agents[number]["free"] for number in numbers)

        await site.until(at_work, 20, f"{len(numbers)} agents are at work")
        yield
    finally:
        await phones.stop()


async def sipp_callers(site: Site, then: str, number: str, rate: float, count: int, **values: int) -> sipp.Outcome:
    """So many callers, and what became of them: `then` names what a caller does once the call is answered."""
    site.callers += count
    scenario = sipp.render("caller", site.folder, then, **values)
    port = site.config.pbx.sip.port
    return await sipp.call(site.folder, scenario, port, number=number, rate=rate, count=count, patience=40)
