"""Agent answers to bridged, with sound flowing and callers arriving all the time, beside app_queue doing the same.

    python -m bench.answer [--rate 20] [--seconds 15] [--repeat 3] [--json FILE]

Two PBXs with the same configuration and the same agents run at the same time and are loaded in turn. On one the callers
wait in a queue of the service, on the other in one of Asterisk's own app_queue. Callers and agents are SIPp; all send
sound all the time; an agent answers at once, talks for a second and hangs up. The time is the PBX's own: from its event
that the agent's leg is up to its event that the second of the two is in the bridge.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import socket
import statistics
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench import sipp
from bench.figures import machine, percentile, save, table, verdict
from bench.observer import Observer
from bench.site import BenchSite, free_port, until

MEDIAN_BAR, P99_BAR = 40.0, 100.0  # milliseconds
AGENTS = [str(number) for number in range(2001, 2061)]
TALK_MS = 1_000
PATIENCE_MS = 20_000
BRIDGED_SHARE = 0.99
"""A run in which fewer of the callers got through was overloaded, and its times mean little."""

DIALPLAN = """
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
APP_QUEUE = """
[cordboard-in](+)
exten => 900,1,Set(CDR_PROP(disable)=0)
 same => n,Answer()
 same => n,Queue(bench,c)
 same => n,Hangup()
"""
QUEUES = """
[general]
autofill = yes
[bench]
strategy = leastrecent
musicclass = default
timeout = 15
retry = 1
wrapuptime = 0
ringinuse = no
"""


@dataclass(frozen=True, slots=True)
class Run:
    """Milliseconds from answer to bridged, one for each talk."""

    good: int
    failed: int
    delays: list[float]


class Side:
    """One of the two that are compared."""

    def __init__(self, name: str, site: BenchSite, number: str, observer: Observer) -> None:
        self.name = name
        self._site = site
        self._number = number
        self._observer = observer
        self._scenario = sipp.render("caller", site.folder, "queue", patience=PATIENCE_MS)

    async def load(self, rate: float, seconds: float) -> Run:
        self._observer.delays.clear()
        outcome = await sipp.call(
            self._site.folder,
            self._scenario,
            self._site.sip_port,
            number=self._number,
            rate=rate,
            count=round(rate * seconds),
            patience=40,
        )
        await self._site.until_idle()
        return Run(outcome.good, outcome.failed, [seconds * 1000 for seconds in self._observer.delays])


@contextlib.asynccontextmanager
async def agents(site: BenchSite, talk_ms: int = TALK_MS) -> AsyncIterator[None]:
    """Every agent's phone registers and answers, all at one address."""
    port = free_port(socket.SOCK_DGRAM)
    credentials = site.folder / "agents.csv"
    lines = [f"{one};[authentication username={one} password={site.secrets.agents[one]}]" for one in AGENTS]
    credentials.write_text("\n".join(["SEQUENTIAL", *lines]) + "\n")
    pbx = f"127.0.0.1:{site.sip_port}"
    register = sipp.Sipp(
        site.folder,
        sipp.render("register", site.folder),
        *("-inf", credentials, "-m", len(AGENTS), "-r", 30),
        pbx=pbx,
        port=port,
    )
    await register.start()
    outcome = await register.finish(30)
    if outcome.failed:
        raise sipp.SippError(f"{outcome.failed} agents could not register\n{register.last_words()}")
    phones = sipp.Sipp(site.folder, sipp.render("agent", site.folder, talk=talk_ms), "-aa", port=port)
    await phones.start()
    try:
        yield
    finally:
        await phones.stop()


async def log_in(site: BenchSite) -> None:
    """Every agent is at work, and the service knows that their phones can be reached."""
    for agent in AGENTS:
        await site.api.ask("POST", f"/api/agents/{agent}/login", {})

    async def all_reachable() -> bool:
        return all(one["reachable"] for one in (await site.api.ask("GET", "/api/agents"))["agents"])

    await until(all_reachable, 20)


async def measure(chosen: argparse.Namespace) -> dict[str, list[Run]]:
    sections: dict[str, Any] = {
        "queues": {"sales": {"wrap_up_s": 0}},
        "agents": {number: {"name": f"Agent {number}", "queues": ["sales"]} for number in AGENTS},
        "timers": {"drain_s": 1},
    }
    async with contextlib.AsyncExitStack() as stack:
        ours = await stack.enter_async_context(BenchSite(DIALPLAN, rtp_first=12_000, **sections))
        theirs = await stack.enter_async_context(BenchSite(DIALPLAN, rtp_first=16_000, **sections))
        theirs.edit("extensions.conf", APP_QUEUE)
        theirs.edit("queues.conf", QUEUES + "".join(f"member => PJSIP/{number}\n" for number in AGENTS))
        await theirs.pbx.cli("dialplan reload")
        theirs.add_module("app_queue")
        await theirs.pbx.cli("module load app_queue.so")
        sides = []
        for name, site, number in (("app_queue", theirs, "900"), ("Cordboard", ours, "100")):
            observer = await stack.enter_async_context(Observer.of(site, frozenset(AGENTS)))
            await stack.enter_async_context(agents(site))
            sides.append(Side(name, site, number, observer))
        await ours.start_service()
        await log_in(ours)
        for side in sides:
            await side.load(5, 4)
        runs: dict[str, list[Run]] = {side.name: [] for side in sides}
        for _ in range(chosen.repeat):
            for side in sides:
                runs[side.name].append(await side.load(chosen.rate, chosen.seconds))
    return runs


def report(runs: dict[str, list[Run]], rate: float) -> str:
    rows, enough = [], True
    for name, of in runs.items():
        delays = [delay for run in of for delay in run.delays]
        callers = sum(run.good + run.failed for run in of)
        enough = enough and len(delays) >= callers * BRIDGED_SHARE
        medians = [statistics.median(run.delays) for run in of if run.delays]
        rows.append(
            (
                name,
                f"{statistics.median(delays):.1f}",
                f"{percentile(delays, 0.99):.1f}",
                f"{max(delays):.1f}",
                f"{min(medians):.1f}-{max(medians):.1f}",
                f"{len(delays)} of {callers}",
            )
        )
    heads = (f"answer to bridged at {rate:g} callers/s, ms", "median", "p99", "worst", "medians of runs", "bridged")
    ours = [delay for run in runs["Cordboard"] for delay in run.delays]
    met = enough and statistics.median(ours) <= MEDIAN_BAR and percentile(ours, 0.99) <= P99_BAR
    bars = f"bars for Cordboard: {MEDIAN_BAR:g} ms at the median, {P99_BAR:g} ms at the 99th percentile"
    return f"{table(heads, rows)}\n\n{bars}: {verdict(met)}\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rate", type=float, default=20)
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--json", type=Path, help="write everything that was measured to this file")
    chosen = parser.parse_args()
    print(machine(), flush=True)
    runs = asyncio.run(measure(chosen))
    print(report(runs, chosen.rate), flush=True)
    save(chosen.json, {name: [asdict(run) for run in of] for name, of in runs.items()})


if __name__ == "__main__":
    main()
