"""CPU of a recorded talk beside one that is not: the PBX and the service while they talk, and the file afterwards.

    python -m bench.recording [--talks 30] [--seconds 15] [--repeat 3] [--json FILE]

One site, two queues: one records every talk, the other none. Callers and agents are SIPp, all send sound all the time.
When every talk is under way the CPU time of the PBX and of the service is read, and again some seconds later; then
everybody hangs up, and what the service needs until every recording is ready is read too. Both queues in turn.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
from dataclasses import asdict, dataclass
from pathlib import Path

from bench import sipp
from bench.figures import machine, save, table
from bench.phones import extensions, log_in, phones
from bench.site import BenchSite, until

DIALPLAN = """
flow: {queue}
numbers: ["{number}"]
language: en
languages: [en]
start: wait
nodes:
  wait:
    to_queue: {{queue: {queue}, then: done, otherwise: done}}
  done:
    hangup: {{}}
"""
AGENTS = extensions(60)
SIDES = {"not recorded": ("plain", "100"), "recorded": ("recorded", "200")}
RATE = 10
SETTLE_S = 2.0
TALK_TAIL_S = 4.0
READY = "select count(*) from recordings where state = 'ready'"


@dataclass(frozen=True, slots=True)
class Run:
    """Per talk: thousandths of a core meanwhile, and CPU milliseconds of the service from then to the last file."""

    talks: int
    asterisk: float
    service: float
    afterwards_ms: float


async def load(site: BenchSite, number: str, talks: int, seconds: float, *, recorded: bool) -> Run:
    ready = site.count(READY)
    scenario = sipp.render("caller", site.folder, "queue", patience=60_000)
    callers = asyncio.create_task(
        sipp.call(site.folder, scenario, site.sip_port, number=number, rate=RATE, count=talks, patience=90)
    )

    async def all_talk() -> bool:
        agents = (await site.api.ask("GET", "/api/agents"))["agents"]
        return sum(one["state"] == "talking" for one in agents) >= talks

    await until(all_talk, talks / RATE + 20)
    await asyncio.sleep(SETTLE_S)
    before = site.cpu()
    await asyncio.sleep(seconds)
    after = site.cpu()
    await callers
    await site.until_idle()

    async def all_ready() -> bool:
        return site.count(READY) - ready >= (talks if recorded else 0)

    await until(all_ready, 30)
    end = site.cpu()
    share = {part: (after[part] - before[part]) / seconds / talks * 1000 for part in after}
    return Run(talks, share["asterisk"], share["service"], (end["service"] - after["service"]) / talks * 1000)


async def measure(chosen: argparse.Namespace) -> dict[str, list[Run]]:
    talk_s = chosen.talks / RATE + SETTLE_S + chosen.seconds + TALK_TAIL_S
    queues = {
        "plain": {"wrap_up_s": 0},
        "recorded": {"wrap_up_s": 0, "record": "always", "record_silently": True},
    }
    people = {number: {"name": f"Agent {number}", "queues": [*queues]} for number in AGENTS}
    async with BenchSite(
        DIALPLAN.format(queue="plain", number="100"), rtp_first=12_000, queues=queues, agents=people
    ) as site:
        (site.folder / "dialplans" / "recorded.yaml").write_text(DIALPLAN.format(queue="recorded", number="200"))
        async with phones(site, AGENTS, round(talk_s * 1000)):
            await site.start_service()
            await log_in(site, AGENTS)
            runs: dict[str, list[Run]] = {name: [] for name in SIDES}
            for _ in range(chosen.repeat):
                for name, (queue, number) in SIDES.items():
                    runs[name].append(
                        await load(site, number, chosen.talks, chosen.seconds, recorded=queue == "recorded")
                    )
    return runs


def report(runs: dict[str, list[Run]], seconds: float) -> str:
    def median(name: str, field: str) -> float:
        return float(statistics.median(getattr(run, field) for run in runs[name]))

    def span(name: str) -> str:
        sums = [run.asterisk + run.service for run in runs[name]]
        return f"{min(sums):.2f}-{max(sums):.2f}"

    rows = [
        (
            name,
            f"{median(name, 'asterisk'):.2f}",
            f"{median(name, 'service'):.2f}",
            f"{median(name, 'asterisk') + median(name, 'service'):.2f}",
            span(name),
            f"{median(name, 'afterwards_ms'):.1f}",
        )
        for name in runs
    ]
    talks = runs["recorded"][0].talks
    heads = (
        f"{talks} talks at once, a thousandth of a core for each",
        *("Asterisk", "service", "sum", "range", "service after the talk, ms"),
    )
    return table(heads, rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--talks", type=int, default=30)
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--json", type=Path, help="write everything that was measured to this file")
    chosen = parser.parse_args()
    print(machine(), flush=True)
    runs = asyncio.run(measure(chosen))
    print(report(runs, chosen.seconds), flush=True)
    save(chosen.json, {name: [asdict(run) for run in of] for name, of in runs.items()})


if __name__ == "__main__":
    main()
