"""Memory of the service for each caller who waits in a queue.

    python -m bench.memory [--callers 600] [--json FILE]

Callers come in two halves and wait; no agent is there. Before the first measurement a few came and went, so that
everything is loaded that a call needs. What counts is memory that nobody shares (Private_Clean + Private_Dirty).
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
from functools import partial
from pathlib import Path
from typing import Any

from bench import sipp
from bench.figures import machine, save, table, verdict
from bench.phones import WAIT_IN_SALES
from bench.process import memory
from bench.site import BenchSite, until

BAR = 30 * 1024
RATE = 30
WARM_UP = 60
READINGS = 5
SECTIONS: dict[str, Any] = {"queues": {"sales": {}}, "timers": {"drain_s": 1}}


async def waiting(site: BenchSite) -> int:
    calls: list[dict[str, Any]] = (await site.api.ask("GET", "/api/calls"))["calls"]
    return sum(call["phase"] == "queue" for call in calls)


async def all_wait(site: BenchSite, count: int) -> bool:
    return await waiting(site) >= count


async def settled(site: BenchSite) -> dict[str, int]:
    """The median of a few readings a second apart."""
    readings = []
    for _ in range(READINGS):
        await asyncio.sleep(1)
        readings.append(memory(site.service_pid))
    return {kind: int(statistics.median(reading[kind] for reading in readings)) for kind in readings[0]}


async def measure(callers: int) -> list[tuple[int, dict[str, int]]]:
    """How many waited, and what the service held then."""
    async with BenchSite(WAIT_IN_SALES, rtp_first=12_000, **SECTIONS) as site:
        await site.start_service()
        short = sipp.render("caller", site.folder, "leave", stay=1_500)
        await sipp.call(site.folder, short, site.sip_port, number="100", rate=RATE, count=WARM_UP)
        await site.until_idle()
        results = [(0, await settled(site))]
        long = sipp.render("caller", site.folder, "leave", stay=600_000)
        pbx = f"127.0.0.1:{site.sip_port}"
        crowds = []
        try:
            for _ in range(2):
                arguments = ("-s", "100", "-r", RATE, "-m", callers // 2, "-l", callers)
                crowds.append(sipp.Sipp(site.folder, long, *arguments, pbx=pbx))
                await crowds[-1].start()
                await until(partial(all_wait, site, len(crowds) * (callers // 2)), callers / 2 / RATE + 30)
                results.append((await waiting(site), await settled(site)))
        finally:
            for crowd in crowds:
                await crowd.stop()
    return results


def report(results: list[tuple[int, dict[str, int]]]) -> str:
    rows = [
        (str(count), *(f"{held[kind] / 2**20:.1f}" for kind in ("Rss", "Pss", "Private"))) for count, held in results
    ]
    (none, empty), *_, (most, full) = results
    each = (full["Private"] - empty["Private"]) / (most - none)
    text = table(("callers waiting", "RSS, MB", "PSS, MB", "private, MB"), rows)
    return f"{text}\n\n{each / 1024:.1f} KB for each waiting caller (bar: at most 30): {verdict(each <= BAR)}\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--callers", type=int, default=600)
    parser.add_argument("--json", type=Path, help="write everything that was measured to this file")
    chosen = parser.parse_args()
    print(machine(), flush=True)
    results = asyncio.run(measure(chosen.callers))
    print(report(results), flush=True)
    save(chosen.json, {"waiting": results})


if __name__ == "__main__":
    main()
