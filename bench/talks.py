"""How many talks at the same time two CPUs carry with every call good, and what gives first beyond.

    python -m bench.talks [--talks 50 100 150 ...] [--budget 215] [--json FILE]

Production's own configuration, a PBX and the service. Callers come at 25 a second, each joins the queue and talks with
an agent for twenty seconds; callers and agents (SIPp) send sound all the time, and the PBX relays it. While all talk,
CPU time and packets are read twice. The next step begins when the last talk is over and has more talks, until one
breaks. Good: caller and agent were signalled to the end, the service has the call as talked, and no stream lacks a
hundredth of its packets. SIPp does not read the sound that it is sent: there it counts what left the PBX.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import statistics
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from bench import sipp
from bench.channel_stats import LIMIT, Flow, Streams, flow, parse
from bench.figures import machine, percentile, save, table, verdict
from bench.observer import Observer
from bench.phones import TALKED, WAIT_IN_SALES, extensions, log_in, newly_talked, phones, sections
from bench.process import cpu_seconds, machine_cpu
from bench.site import BenchSite, until

BAR = 200
STEPS = [50, 100, 150, 200, 250, 300, 350, 400, 500]
RATE = 25
TALK_S, TAIL_S = 20.0, 1.5  # the last look is that long before the first talk ends
PATIENCE_S = 15.0
RTP_FIRST = 12_000
BUSY = 0.95
"""Above this share of the machine's time, CPU is what it lacks."""


@dataclass(frozen=True, slots=True)
class Window:
    """While all talked."""

    seconds: float
    cpu: dict[str, float]  # of one CPU: asterisk, service, callers, agents; and "machine", of all
    flow: Flow
    bridges: str  # how the PBX relays, in its own word


@dataclass(frozen=True, slots=True)
class Step:
    talks: int
    good: int
    reasons: dict[str, int]
    rings: list[float]  # milliseconds
    delays: list[float]
    window: Window | None  # None: they never all talked at once
    left_behind: int = 0  # channels that stay in the PBX for ever, since the first step

    @property
    def unbroken(self) -> bool:
        return self.good == self.talks and self.window is not None and self.window.flow.flows


class Bench:
    def __init__(self, site: BenchSite, observer: Observer, agents: sipp.Sipp) -> None:
        self._site = site
        self._observer = observer
        self._agents = agents
        patience = round((TALK_S + PATIENCE_S) * 1000)
        self._scenario = sipp.render("caller", site.folder, "queue", patience=patience)

    async def step(self, talks: int) -> Step:
        site, observer = self._site, self._observer
        observer.clear()
        recorded, answered = site.count(TALKED), self._agents.so_far()
        callers = sipp.Sipp(
            site.folder,
            self._scenario,
            *("-s", "100", "-r", RATE, "-m", talks, "-l", talks),
            pbx=f"127.0.0.1:{site.sip_port}",
        )
        await callers.start()
        try:
            window = await self._watch(callers, talks)
            outcome = await callers.finish(TALK_S + PATIENCE_S + 20)
        finally:
            await callers.stop()
        await site.until_idle()
        await asyncio.sleep(0.5)  # SIPp's statistics come five times a second
        now, reasons = self._agents.so_far(), {f"caller {why}": count for why, count in outcome.reasons.items()}
        agents_good = now.good - answered.good
        noted = await newly_talked(site, recorded, outcome.good)
        for why, missing in (("agent's side", talks - agents_good), ("not on record", talks - noted)):
            if missing > 0:
                reasons[why] = missing
        good = min(outcome.good, agents_good, noted)
        rings, delays = ([seconds * 1000 for seconds in each] for each in (observer.rings, observer.delays))
        return Step(talks, good, reasons, rings, delays, window, await site.left_behind())

    async def _watch(self, callers: sipp.Sipp, talks: int) -> Window | None:
        """From when all talk until just before the first hangs up."""
        began: list[float] = []

        async def all_talk() -> bool:
            if self._observer.delays and not began:
                began.append(time.monotonic())
            return len(self._observer.delays) >= talks

        with contextlib.suppress(TimeoutError):
            await until(all_talk, talks / RATE + PATIENCE_S)
        ends = (began[0] if began else 0.0) + TALK_S - TAIL_S
        if len(self._observer.delays) < talks or time.monotonic() > ends - 2:
            return None
        await asyncio.sleep(0.5)
        first_cpu, (first, first_at) = self._cpu(callers), await self._streams()
        bridges = await self._bridges()
        await asyncio.sleep(max(0.5, ends - time.monotonic()))
        last_cpu, (last, last_at) = self._cpu(callers), await self._streams()
        seconds = last_cpu["at"] - first_cpu["at"]
        cpu = {part: (last_cpu[part] - first_cpu[part]) / seconds for part in last_cpu if part != "at"}
        return Window(seconds, cpu, flow(first, last, last_at - first_at), bridges)

    def _cpu(self, callers: sipp.Sipp) -> dict[str, float]:
        return {
            **self._site.cpu(),
            "callers": cpu_seconds(callers.pid),
            "agents": cpu_seconds(self._agents.pid),
            "machine": machine_cpu(),
            "at": time.monotonic(),
        }

    async def _streams(self) -> tuple[Streams, float]:
        """And when they were read: the PBX goes through them one by one."""
        before = time.monotonic()
        text = await self._site.pbx.cli("pjsip show channelstats")
        return parse(text), (before + time.monotonic()) / 2

    async def _bridges(self) -> str:
        lines = (await self._site.pbx.cli("bridge show all")).splitlines()[1:]
        return ", ".join(
            sorted({word for line in lines for word in line.split() if word.endswith(("_bridge", "_rtp"))})
        )


async def measure(steps: list[int], budget: float) -> list[Step]:
    began = time.monotonic()
    agents = extensions(max(steps))
    results: list[Step] = []
    async with (
        BenchSite(WAIT_IN_SALES, rtp_first=RTP_FIRST, **sections(agents)) as site,
        phones(site, agents, round(TALK_S * 1000)) as playing,
    ):
        await Observer.prepare(site)
        await site.start_service()
        await log_in(site, agents)
        async with Observer.of(site, frozenset(agents)) as observer:
            bench = Bench(site, observer, playing)
            for talks in steps:
                if results and time.monotonic() - began + talks / RATE + TALK_S + 3 > budget:
                    break
                results.append(await bench.step(talks))
                print(line(results[-1]), flush=True)
                if not results[-1].unbroken:
                    break
    return results


def gives_first(step: Step, cpus: int) -> str:
    """What a step that broke was short of."""
    window, bad = step.window, step.talks - step.good
    if window is None:
        return "not all of them came to talk at the same time"
    found = []
    if bad:
        found.append(f"{bad} talks ({', '.join(f'{why}: {count}' for why, count in step.reasons.items())})")
    if window.flow.unsent >= LIMIT:
        found.append(f"SIPp, which sends too late ({window.flow.unsent:.1%} of a stream's packets missing)")
    if window.flow.loss >= LIMIT:
        found.append(f"packets lost on the way to Asterisk ({window.flow.loss:.1%} of a stream's)")
    if window.flow.unrelayed >= LIMIT:
        found.append(f"Asterisk, which does not relay in time ({window.flow.unrelayed:.1%} of a stream's)")
    busy = window.cpu["machine"] / cpus
    text = "; ".join(found) or "nothing"
    return f"{text}; the CPUs were {'full' if busy >= BUSY else 'not full'} ({busy:.0%})"


def line(step: Step) -> str:
    """For whoever looks on."""
    return f"{step.talks} talks: {step.good} good, {step.reasons or 'no complaints'}, {step.window}"


def report(steps: list[Step], cpus: int) -> str:
    rows = [_row(step) for step in steps]
    heads = (
        "talks at once",
        "good",
        *("Asterisk", "service", "SIPp", "both CPUs"),
        *("worst loss", "worst unsent", "worst unrelayed"),
        *("joins to rings, ms (p99)", "answers to talk, ms (p99)"),
    )
    bridges = {step.window.bridges for step in steps if step.window is not None}
    top = max((step.talks for step in steps if step.unbroken), default=0)
    broken = [step for step in steps if not step.unbroken]
    beyond = (
        f"Beyond: at {broken[0].talks} first gave {gives_first(broken[0], cpus)}."
        if broken
        else "Nothing broke in the time that there was."
    )
    return (
        f"{table(heads, rows)}\n\nChannels that stay in Asterisk after everybody has hung up: {steps[-1].left_behind}. "
        f"Technology of the bridges: {', '.join(sorted(bridges))}. {beyond}\n\n"
        f"talks at once with every call good: {top} (bar: at least {BAR}): {verdict(top >= BAR)}\n"
    )


def _row(step: Step) -> tuple[str, ...]:
    def times(of: list[float]) -> str:
        return f"{statistics.median(of):.1f} ({percentile(of, 0.99):.1f})" if of else "-"

    window, good = step.window, f"{step.good} of {step.talks}"
    if window is None:
        return (str(step.talks), good, *["-"] * 7, times(step.rings), times(step.delays))
    cpu, flow = window.cpu, window.flow
    parts = (cpu["asterisk"], cpu["service"], cpu["callers"] + cpu["agents"], cpu["machine"] / (os.cpu_count() or 1))
    return (
        str(step.talks),
        good,
        *(f"{part:.0%}" for part in parts),
        *(f"{share:.2%}" for share in (flow.loss, flow.unsent, flow.unrelayed)),
        times(step.rings),
        times(step.delays),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--talks", type=int, nargs="+", default=STEPS)
    parser.add_argument("--budget", type=float, default=215, help="seconds; no step is begun that would not fit")
    parser.add_argument("--json", type=Path, help="write everything that was measured to this file")
    chosen = parser.parse_args()
    print(machine(), flush=True)
    steps = asyncio.run(measure(chosen.talks, chosen.budget))
    print(report(steps, os.cpu_count() or 1), flush=True)
    save(chosen.json, {"steps": [asdict(step) for step in steps]})


if __name__ == "__main__":
    main()
