"""How often the wait that callers are told is kept, and how sharp it is: loads played through the real engine."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from acd.engine import Engine
from acd.estimates import QUANTILE
from acd.estimates_line import ExpectedWaits
from acd.model import AgentSpec, QueueSpec
from acd.simulate.calibration import AGAIN_AFTER_S, Calibration, Judged
from acd.simulate.load import Load, Staffing, Stream
from acd.simulate.simulator import simulate
from acd.skills import Need, Requirement
from bench.figures import machine, save, table

PICK_UP_S = 3.0
SPANISH = Requirement((Need("spanish"),))
A_MORNING = (0.6, 0.8, 1.5, 1.3, 0.8, 0.6)


@dataclass(frozen=True, slots=True)
class Case:
    name: str
    streams: tuple[Stream, ...]
    agents: tuple[AgentSpec, ...]
    hours: float
    head_start_s: float = 0.0  # of queue a

    @property
    def staffing(self) -> Staffing:
        names = dict.fromkeys(stream.queue for stream in self.streams)
        queues = (QueueSpec(name, wrap_up_s=10.0, head_start_s=self.head_start_s * (name == "a")) for name in names)
        return Staffing(tuple(queues), self.agents)


def team(number: int, *queues: str, **skills: int) -> tuple[AgentSpec, ...]:
    names = (f"{'+'.join((*queues, *skills))}-{n}" for n in range(number))
    return tuple(AgentSpec(name, "", name, queues, skills) for name in names)


def calls(queue: str, calls_per_h: float, talk_s: float = 150.0, cv: float | None = 0.7, **more: Any) -> Stream:
    return Stream(queue, calls_per_h, talk_s, cv, **more)


CASES = (
    Case("steady, 10 agents, talks exponential", (calls("a", 200, cv=None),), team(10, "a"), 200),
    Case("steady, 10 agents", (calls("a", 200),), team(10, "a"), 200),
    Case("steady, 2 agents", (calls("a", 35),), team(2, "a"), 800),
    Case("steady, 1 agent", (calls("a", 15),), team(1, "a"), 1200),
    Case("steady, 50 agents", (calls("a", 1050),), team(50, "a"), 50),
    Case("steady, 3 agents, talks very unequal (1.3)", (calls("a", 50, cv=1.3),), team(3, "a"), 600),
    Case("morning peak above what 10 agents can do", (calls("a", 200, by_hour=A_MORNING),), team(10, "a"), 180),
    Case("understaffed, patience 200 s", (calls("a", 300, patience_s=200.0),), team(10, "a"), 100),
    Case("understaffed, patience 600 s", (calls("a", 300, patience_s=600.0),), team(10, "a"), 100),
    Case(
        "two queues, 5 of 13 agents in both",
        (calls("a", 120), calls("b", 100, 200.0)),
        (*team(4, "a"), *team(4, "b"), *team(5, "a", "b")),
        200,
    ),
    Case(
        "the same understaffed, patience 300 s",
        (calls("a", 130, patience_s=300.0), calls("b", 200, 200.0, patience_s=300.0)),
        (*team(3, "a"), *team(3, "b"), *team(5, "a", "b")),
        100,
    ),
    Case("two queues, a with 60 s head start", (calls("a", 120), calls("b", 100)), team(11, "a", "b"), 200, 60.0),
    Case(
        "skills: 29 % of callers need 4 of 11 agents",
        (calls("a", 150), calls("a", 60, requirement=SPANISH)),
        (*team(7, "a"), *team(4, "a", spanish=3)),
        200,
    ),
)


class Timed(ExpectedWaits):
    """How long an estimate takes."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds: list[float] = []

    def __call__(self, engine: Engine, call: str, now: float) -> float | None:
        begun = time.perf_counter()
        found = super().__call__(engine, call, now)
        self.seconds.append(time.perf_counter() - begun)
        return found


def measure(case: Case, seed: int) -> tuple[dict[str, Any], Iterator[tuple[str, ...]]]:
    estimator = Timed()
    watch = Calibration(estimator, begin=3600.0, pick_up_s=PICK_UP_S)
    report = simulate(Load(case.streams, case.hours, pick_up_s=PICK_UP_S), case.staffing, seed, watch)
    result = {
        "occupancy": report.occupancy.mean,
        "abandoned": report.total.p_abandon.mean,
        "estimate_us": median(estimator.seconds) * 1e6,
        "queues": {
            queue: {"joining": facts(watch.at_joining[queue]), "later": facts(watch.later.get(queue, Judged()))}
            for queue in watch.at_joining
        },
    }
    return result, rows(case, report.occupancy.mean, watch)


def facts(judged: Judged) -> dict[str, Any]:
    if not len(judged):
        return {"judged": 0, "unknown": judged.unknown}
    share = judged.kept_surely()
    return {
        "judged": len(judged),
        "unknown": judged.unknown,
        "kept": share.mean,
        "kept_half_width": share.half_width(),
        "median_announced_s": median(judged.announced),
        "median_real_s": median(judged.real),
    }


def rows(case: Case, occupancy: float, watch: Calibration) -> Iterator[tuple[str, ...]]:
    for queue in sorted(watch.at_joining):
        one, later = watch.at_joining[queue], watch.later[queue]
        name = case.name if len(watch.at_joining) == 1 else f"{case.name}: {queue}"
        yield (
            name,
            f"{occupancy:.0%}",
            f"{len(one):,}",
            percent(one),
            f"{median(one.announced):.0f} / {median(one.real):.0f} = {one.sharpness:.2f}",
            f"{len(later):,}",
            percent(later),
            f"{later.sharpness:.2f}",
        )


def percent(judged: Judged) -> str:
    share = judged.kept_surely()
    return f"{100 * share.mean:.1f} ± {100 * share.half_width():.1f}"


HEADS = (
    "load",
    "occupancy",
    "told when joining",
    f"kept, % ({QUANTILE:.0%} promised)",
    "median told / real, s",
    f"told {AGAIN_AFTER_S:.0f} s later",
    "kept, %",
    "told / real",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seed", type=int, default=2)
    parser.add_argument("--share", type=float, default=1.0, help="of the hours that are simulated")
    parser.add_argument("--json", type=Path, help="write everything that was measured to this file")
    chosen = parser.parse_args()
    print(machine(), flush=True)
    results, lines = {}, []
    for case in CASES:
        case = Case(case.name, case.streams, case.agents, case.hours * chosen.share, case.head_start_s)  # noqa: PLW2901
        results[case.name], found = measure(case, chosen.seed)
        lines += found
    print(table(HEADS, lines))
    usual = median(result["estimate_us"] for result in results.values())
    print(f"\nOne estimate takes {usual:.0f} µs (median over the loads).")
    save(chosen.json, results)


if __name__ == "__main__":
    main()
