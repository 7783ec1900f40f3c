"""Callers who wait for agents, beside app_queue doing the same: how soon a phone rings and both talk, what it costs.

    python -m bench.app_queue [--rate 20 60] [--seconds 10] [--repeat 2] [--json FILE]

Two PBXs with the same configuration and the same agents run at the same time and are loaded in turn. On one the callers
wait in a queue of the service, on the other in one of Asterisk's own app_queue; both answer a caller and take them into
the queue at once. Callers and agents are SIPp; all send sound all the time; an agent answers at once, talks for a
second and hangs up.

Times are the PBX's own: from its event that the caller is answered to the one that the agent's phone rings, and from
its event that the agent's leg is up to the one that the second of the two is in the bridge. CPU time is the kernel's,
of the PBX and of the service, over the whole run, divided by the good calls, in runs in which nobody else listens at
the PBX.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import statistics
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from bench import sipp
from bench.figures import machine, percentile, save, table, verdict
from bench.observer import Observer
from bench.phones import TALKED, WAIT_IN_SALES, extensions, log_in, newly_talked, phones, sections
from bench.site import BenchSite

RING_BAR, TALK_BAR, CPU_BAR = 5.0, 20.0, 1.25  # milliseconds over app_queue's median, and times its CPU per call
ANSWER_BAR, ANSWER_P99_BAR = 40.0, 100.0  # milliseconds, from answer to talk, whatever app_queue needs
AGENTS = extensions(150)
TALK_MS = 1_000
PATIENCE_MS = 20_000
BRIDGED_SHARE = 0.99
"""A run in which fewer of the callers got through was overloaded, and its times mean little."""
KEEPING_UP = 0.95
"""Below this share of the rate asked for, the callers themselves were the bottleneck."""
WATCHED = "app_queue, somebody listening"

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
    """One run on one side. CPU in milliseconds for each good call; times in milliseconds, one for each talk."""

    good: int
    failed: int
    placed: float  # calls a second
    asterisk: float
    service: float
    rings: list[float] = field(default_factory=list)
    delays: list[float] = field(default_factory=list)

    @property
    def cpu(self) -> float:
        return self.asterisk + self.service


Runs = dict[str, list[Run]]
"""By side."""


class Side:
    """One of the two that are compared."""

    def __init__(self, name: str, site: BenchSite, number: str, *, recorded: bool) -> None:
        self.name = name
        self.site = site
        self._number = number
        self._recorded = recorded
        self._scenario = sipp.render("caller", site.folder, "queue", patience=PATIENCE_MS)

    async def load(self, rate: float, seconds: float, observer: Observer | None = None) -> Run:
        site, count = self.site, round(rate * seconds)
        if observer is not None:
            observer.clear()
        recorded, before = site.count(TALKED) if self._recorded else 0, site.cpu()
        outcome = await sipp.call(
            site.folder, self._scenario, site.sip_port, number=self._number, rate=rate, count=count, patience=40
        )
        await site.until_idle()
        after = site.cpu()
        good = outcome.good
        if self._recorded:
            good = min(good, await newly_talked(site, recorded, good))
        spent = {part: (after[part] - before[part]) * 1000 / max(good, 1) for part in after}
        rings, delays = (observer.rings, observer.delays) if observer is not None else ([], [])
        return Run(
            good,
            count - good,
            outcome.rate,
            **spent,
            rings=[seconds * 1000 for seconds in rings],
            delays=[seconds * 1000 for seconds in delays],
        )


@dataclass(frozen=True, slots=True)
class Results:
    times: Runs  # at the first rate
    cpu: dict[float, Runs]  # by rate
    left_behind: dict[str, int]  # channels that stay in the PBX for ever, by side


async def measure(rates: list[float], seconds: float, repeat: int) -> Results:
    async with contextlib.AsyncExitStack() as stack:
        ours = await stack.enter_async_context(BenchSite(WAIT_IN_SALES, rtp_first=12_000, **sections(AGENTS)))
        theirs = await stack.enter_async_context(BenchSite(WAIT_IN_SALES, rtp_first=16_000, **sections(AGENTS)))
        theirs.edit("extensions.conf", APP_QUEUE)
        theirs.edit("queues.conf", QUEUES + "".join(f"member => PJSIP/{number}\n" for number in AGENTS))
        await theirs.pbx.cli("dialplan reload")
        theirs.add_module("app_queue")
        await theirs.pbx.cli("module load app_queue.so")
        sides = [Side("app_queue", theirs, "900", recorded=False), Side("Cordboard", ours, "100", recorded=True)]
        for side in sides:
            await Observer.prepare(side.site)
            await stack.enter_async_context(phones(side.site, AGENTS, TALK_MS))
        await ours.start_service()
        await log_in(ours, AGENTS)
        for side in sides:
            await side.load(10, 3)
        times: Runs = {side.name: [] for side in sides}
        async with contextlib.AsyncExitStack() as listening:
            observers = [
                await listening.enter_async_context(Observer.of(side.site, frozenset(AGENTS))) for side in sides
            ]
            for _ in range(repeat):
                for side, observer in zip(sides, observers, strict=True):
                    times[side.name].append(await side.load(rates[0], seconds, observer))
        cpu: dict[float, Runs] = {rate: {side.name: [] for side in sides} for rate in rates}
        for rate in rates:
            for _ in range(repeat):
                for side in sides:
                    cpu[rate][side.name].append(await side.load(rate, seconds))
        left_behind = {side.name: await side.site.left_behind() for side in sides}
    return Results(times, cpu, left_behind)


def report(results: Results) -> str:
    first = next(iter(results.cpu))
    parts = [
        _times(results.times, first, "caller joins to agent's phone rings", RING_BAR, lambda run: run.rings),
        _times(results.times, first, "agent answers to talk", TALK_BAR, lambda run: run.delays),
        _alone(results.times["Cordboard"]),
        *(_cpu(rate, runs, results.times["app_queue"] if rate == first else []) for rate, runs in results.cpu.items()),
    ]
    left = ", ".join(f"{name} {count}" for name, count in results.left_behind.items())
    return "\n".join([*parts, f"Channels that stay in Asterisk after everybody has hung up: {left}.\n"])


def _times(runs: Runs, rate: float, what: str, bar: float, of: Callable[[Run], list[float]]) -> str:
    rows, medians, enough = [], {}, True
    for name, each in runs.items():
        times = [one for run in each for one in of(run)]
        callers = sum(run.good + run.failed for run in each)
        enough = enough and len(times) >= callers * BRIDGED_SHARE
        medians[name] = statistics.median(times)
        by_run = [statistics.median(of(run)) for run in each if of(run)]
        rows.append(
            (
                name,
                *(f"{one:.1f}" for one in (medians[name], percentile(times, 0.99), max(times))),
                f"{min(by_run):.1f}-{max(by_run):.1f}",
                f"{len(times)} of {callers}",
            )
        )
    heads = (f"{what}, {rate:g} callers/s, ms", "median", "p99", "worst", "medians of runs", "seen")
    over = medians["Cordboard"] - medians["app_queue"]
    return (
        f"{table(heads, rows)}\n\nmedian over app_queue's: {over:+.1f} ms (bar: at most {bar:+g}): "
        f"{verdict(enough and over <= bar)}\n"
    )


def _alone(runs: list[Run]) -> str:
    delays = [delay for run in runs for delay in run.delays]
    met = statistics.median(delays) <= ANSWER_BAR and percentile(delays, 0.99) <= ANSWER_P99_BAR
    bars = f"{ANSWER_BAR:g} ms at the median, {ANSWER_P99_BAR:g} ms at the 99th percentile"
    return f"Cordboard's answer to talk by itself (bars: {bars}): {verdict(met)}\n"


def _cpu(rate: float, runs: Runs, watched: list[Run]) -> str:
    shown = {**runs, WATCHED: watched} if watched else runs

    def median(name: str, of: Callable[[Run], float]) -> float:
        return statistics.median(of(run) for run in shown[name])

    rows = [
        (
            name,
            *(f"{median(name, of):.2f}" for of in (lambda run: run.asterisk, lambda run: run.service)),
            f"{median(name, lambda run: run.cpu):.2f}",
            f"{min(run.cpu for run in each):.2f}-{max(run.cpu for run in each):.2f}",
            f"{median(name, lambda run: run.placed):.1f}",
            f"{sum(run.good for run in each)} of {sum(run.good + run.failed for run in each)}",
        )
        for name, each in shown.items()
    ]
    ratio = median("Cordboard", lambda run: run.cpu) / median("app_queue", lambda run: run.cpu)
    heads = (f"CPU per call at {rate:g} callers/s, ms", "Asterisk", "service", "sum", "range", "placed/s", "good")
    text = f"{table(heads, rows)}\n\nCPU ratio {ratio:.2f} (bar: at most {CPU_BAR:g}): {verdict(ratio <= CPU_BAR)}\n"
    if any(run.placed < rate * KEEPING_UP for each in runs.values() for run in each):
        text += "The callers' SIPp did not place calls at the rate asked for: the machine was full.\n"
    return text


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rate", type=float, nargs="+", default=[20.0, 60.0], help="times are taken at the first")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--repeat", type=int, default=2)
    parser.add_argument("--json", type=Path, help="write everything that was measured to this file")
    chosen = parser.parse_args()
    print(machine(), flush=True)
    results = asyncio.run(measure(chosen.rate, chosen.seconds, chosen.repeat))
    print(report(results), flush=True)
    save(chosen.json, asdict(results))


if __name__ == "__main__":
    main()
