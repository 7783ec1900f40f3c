"""One prompt, one key, hang-up: CPU per call and calls per second, beside a bare Asterisk dialplan doing the same.

    python -m bench.calls [--rate 40 200] [--seconds 12] [--repeat 3] [--ceilings 3] [--json FILE]

Two PBXs with the same configuration run at the same time and are loaded in turn. One is driven by the service, from a
YAML flow, with event log and call record in SQLite as in production; on the other the dialplan itself answers, plays
the same sound file, waits for the key and hangs up. Both write a CDR line. Callers are SIPp: they send silence all the
time and press the key while the prompt plays. Whoever is not hung up soon after counts as failed, and the calls of the
service count as good only if the database has them as completed.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench import sipp
from bench.figures import machine, save, table, verdict
from bench.site import BenchSite

CPU_BAR, RATE_BAR = 1.25, 0.8
KEY_AFTER_MS = 500
FIRST_RATE, STEP, REFINEMENTS, CEILING_SECONDS = 150.0, 1.3, 1, 6
KEEPING_UP = 0.95
"""Below this share of the rate asked for, the caller itself was the bottleneck, and the rate was not sustained."""

PROMPT = "For sales, press one."
DIALPLAN = f"""
flow: bench
numbers: ["100"]
language: en
languages: [en]
start: menu
nodes:
  menu:
    menu:
      prompt: {PROMPT}
      keys: {{"1": done}}
      timeout: 10s
      tries: 1
      otherwise: not-understood
  not-understood:
    hangup: {{cause: busy}}
  done:
    hangup: {{}}
"""
BARE = """
[cordboard-in](+)
exten => 900,1,Goto(bench,s,1)

[bench]
exten => s,1,Set(CDR_PROP(disable)=0)
 same => n,Answer()
 same => n,Background({prompt})
 same => n,WaitExten(10)
 same => n,Hangup(17)
exten => 1,1,Hangup()
"""
GOOD_RECORDS = """
select count(*) from calls where outcome = 'completed' and cause = 16 and call_id in
    (select call_id from events where kind = 'menu.outcome' and data like '%"match"%')
"""


@dataclass(frozen=True, slots=True)
class Load:
    """One run on one side. Milliseconds are CPU time per good call."""

    rate: float
    good: int
    bad: int
    achieved: float
    asterisk_ms: float
    service_ms: float
    reasons: dict[str, int]

    @property
    def ms(self) -> float:
        return self.asterisk_ms + self.service_ms

    @property
    def sustained(self) -> bool:
        return self.bad == 0 and self.achieved >= self.rate * KEEPING_UP


class Side:
    """One of the two that are compared."""

    def __init__(self, name: str, site: BenchSite, number: str, *, recorded: bool) -> None:
        self.name = name
        self._site = site
        self._number = number
        self._recorded = recorded
        self._scenario = sipp.render("caller", site.folder, "press_one", key_after=KEY_AFTER_MS)

    async def load(self, rate: float, seconds: float) -> Load:
        site, count = self._site, round(rate * seconds)
        before, recorded = site.cpu(), self._records()
        outcome = await sipp.call(
            site.folder, self._scenario, site.sip_port, number=self._number, rate=rate, count=count
        )
        await site.until_idle()
        after = site.cpu()
        good, reasons = outcome.good, dict(outcome.reasons)
        if self._recorded and (missing := good - await self._newly_recorded(recorded, good)) > 0:
            good -= missing
            reasons["NoGoodRecord"] = missing
        spent = {part: (after[part] - before[part]) * 1000 / max(good, 1) for part in after}
        return Load(rate, good, count - good, outcome.rate, spent["asterisk"], spent["service"], reasons)

    def _records(self) -> int:
        return self._site.count(GOOD_RECORDS) if self._recorded else 0

    async def _newly_recorded(self, before: int, expected: int) -> int:
        """Records are committed in groups: the last ones come a moment after their calls."""
        for _ in range(20):
            if (found := self._records() - before) >= expected:
                break
            await asyncio.sleep(0.1)
        return found


async def cpu_per_call(sides: list[Side], rate: float, seconds: float, repeat: int) -> dict[str, list[Load]]:
    loads: dict[str, list[Load]] = {side.name: [] for side in sides}
    for _ in range(repeat):
        for side in sides:
            loads[side.name].append(await side.load(rate, seconds))
    return loads


async def ceiling(side: Side) -> list[Load]:
    """Raise the rate until a call fails, or lower it until none does, then close in on it."""
    tried: list[Load] = []
    good, bad, refinements = 0.0, float("inf"), 0
    rate = FIRST_RATE
    while refinements <= REFINEMENTS:
        tried.append(await side.load(round(rate), CEILING_SECONDS))
        if tried[-1].sustained:
            good = rate
        else:
            bad = rate
        if bad == float("inf"):
            rate *= STEP
        elif good == 0:
            rate /= STEP
        else:
            refinements += 1
            rate = (good + bad) / 2
    return tried


def highest(loads: list[Load]) -> float:
    return max((load.rate for load in loads if load.sustained), default=0.0)


async def measure(chosen: argparse.Namespace) -> dict[str, Any]:
    async with (
        BenchSite(DIALPLAN, rtp_first=12_000) as ours,
        BenchSite(DIALPLAN, rtp_first=16_000) as bare,
    ):
        await ours.start_service()
        bare.edit("extensions.conf", BARE.format(prompt=await bare.prompt(PROMPT)))
        await bare.pbx.cli("dialplan reload")
        sides = [
            Side("bare dialplan", bare, "900", recorded=False),
            Side("Cordboard", ours, "100", recorded=True),
        ]
        for side in sides:
            await side.load(20, 4)  # modules, prompts and statements are warm then
        loads = {f"{rate:g}": await cpu_per_call(sides, rate, chosen.seconds, chosen.repeat) for rate in chosen.rate}
        ceilings: dict[str, list[list[Load]]] = {}
        for _ in range(chosen.ceilings):
            for side in sides:
                ceilings.setdefault(side.name, []).append(await ceiling(side))
    return {"loads": loads, "ceilings": ceilings}


def report(loads: dict[str, dict[str, list[Load]]], ceilings: dict[str, list[list[Load]]]) -> str:
    text = "\n".join(_cpu_report(rate, of) for rate, of in loads.items())
    return text + ("\n" + _ceiling_report(ceilings) if ceilings else "")


def _cpu_report(rate: str, loads: dict[str, list[Load]]) -> str:
    def median(name: str, field: str) -> float:
        return float(statistics.median(getattr(load, field) for load in loads[name]))

    bare, ours = loads
    rows = [
        (
            name,
            *(f"{median(name, field):.2f}" for field in ("asterisk_ms", "service_ms", "ms")),
            f"{min(load.ms for load in loads[name]):.2f}-{max(load.ms for load in loads[name]):.2f}",
            f"{sum(load.good for load in loads[name])} of {sum(load.good + load.bad for load in loads[name])}",
        )
        for name in loads
    ]
    ratio = median(ours, "ms") / median(bare, "ms")
    heads = (f"CPU per call at {rate} calls/s, ms", "Asterisk", "service", "sum", "range", "good")
    return f"{table(heads, rows)}\n\nCPU ratio {ratio:.2f} (bar: at most {CPU_BAR}): {verdict(ratio <= CPU_BAR)}\n"


def _ceiling_report(ceilings: dict[str, list[list[Load]]]) -> str:
    medians, rows = [], []
    for name, climbs in ceilings.items():
        tops = [highest(tried) for tried in climbs]
        medians.append(statistics.median(tops))
        every = sorted((load for tried in climbs for load in tried), key=lambda load: (load.rate, load.bad))
        reached = ", ".join(f"{top:g}" for top in tops)
        rows.append((name, f"{medians[-1]:g}", reached, ", ".join(f"{load.rate:g} ({load.bad})" for load in every)))
    bare, ours = medians
    share = ours / max(bare, 1)
    heads = ("calls per second", "every call good", "each climb", "tried (bad calls)")
    return f"{table(heads, rows)}\n\nrate ratio {share:.2f} (bar: at least {RATE_BAR}): {verdict(share >= RATE_BAR)}\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rate", type=float, nargs="+", default=[40.0, 200.0])
    parser.add_argument("--seconds", type=float, default=12)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--ceilings", type=int, default=3, help="how often to look for the highest rate; 0: not at all")
    parser.add_argument("--json", type=Path, help="write everything that was measured to this file")
    chosen = parser.parse_args()
    print(machine(), flush=True)
    results = asyncio.run(measure(chosen))
    print(report(**results), flush=True)
    by_rate = {
        rate: {name: [asdict(one) for one in of] for name, of in sides.items()}
        for rate, sides in results["loads"].items()
    }
    by_side = {
        name: [[asdict(one) for one in tried] for tried in climbs] for name, climbs in results["ceilings"].items()
    }
    save(chosen.json, {"loads": by_rate, "ceilings": by_side})


if __name__ == "__main__":
    main()
