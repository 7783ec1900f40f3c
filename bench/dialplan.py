"""A dialplan of 1,000 nodes: how long it takes to check and to load, and what a call in it costs.

    python -m bench.dialplan [--nodes 1000] [--calls 2000] [--rounds 7] [--json FILE]

The flow is made (`bench.generated_dialplan`): departments with menus, questions, conditions, hours and queues in two
languages, a flow that is called and a part that is included. *Checked* is the folder read, judged and compiled; *loaded
warm* is that and every text looked up among the prompts that were spoken before, as a reload does it when nothing has
changed. *A step* is one input of a caller (a key, the end of a prompt, a timer, an answer) until the flow waits again;
callers press what leads somewhere, wrong keys and nothing. CPU time of this process's one thread.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import logging
import statistics
import tempfile
import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from time import thread_time_ns
from typing import Any

import structlog

from bench.figures import machine, percentile, save, table, verdict
from bench.generated_dialplan import files
from ivr.dialplans import Dialplans
from ivr.flow import Flow
from ivr.folder import read_folder
from ivr.inputs import INPUT, QUEUE, Answered, CallFacts, Input, KeyTyped, Position, PromptEnded, QueueEnded, TimerFired
from ivr.interpreter import advance, begin
from ivr.library import DialplanLibrary
from ivr.loader import load_folder
from ivr.prompts import PromptStore
from ivr.voices import Voices
from tests.fakes.prompts import FakeSynthesiser
from tests.fakes.surroundings import FakeSurroundings

BAR_CHECK_S = BAR_LOAD_S = 1.0
QUEUES = {"sales", "support"}
MOST_STEPS = 200
"""Of one call: then the caller hangs up."""


def write(folder: Path, nodes: int) -> int:
    """The dialplan's files; how many lines they have."""
    lines = 0
    for name, content in files(nodes).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        lines += content.count(b"\n")
    return lines


def spent(what: Callable[[], Any], rounds: int) -> list[float]:
    """Seconds of CPU, each time."""
    times = []
    for _ in range(rounds):
        gc.collect()
        begun = thread_time_ns()
        what()
        times.append((thread_time_ns() - begun) / 1e9)
    return times


async def warm_loads(folder: Path, root: Path, rounds: int) -> list[float]:
    """Every text is spoken (as silence) first. Checking runs in a thread of its own, so this is time on the clock."""
    espeak = root / "espeak-ng"
    espeak.write_text("#!/bin/sh\necho 'eSpeak NG text-to-speech: 1.52.0'\n")
    espeak.chmod(0o755)
    store = PromptStore(root / "prompts", Voices({}, espeak), FakeSynthesiser())
    library = DialplanLibrary(store, lambda: QUEUES)
    await library.read(read_folder(folder))
    times = []
    loop = asyncio.get_running_loop()
    for _ in range(rounds):
        begun = loop.time()
        reading = await library.read(read_folder(folder))
        times.append(loop.time() - begun)
        assert reading.ok
    return times


# Callers


@dataclass
class Calls:
    """What callers did, and how long each step took, in nanoseconds."""

    steps: list[int] = field(default_factory=list)
    verbs: Counter[str] = field(default_factory=Counter)
    nodes: set[str] = field(default_factory=set)
    ended: int = 0


def next_input(chance: Random, flow: Flow, position: Position) -> Input | None:
    """What a caller does here, or what happens to them."""
    here = flow.subs.get(position.flow, flow) if position.flow else flow
    if position.asking:
        return Answered(position.asking, chance.choice(["ok", "failed"]))
    if position.stage == QUEUE:
        return QueueEnded(chance.choice(["talked", "closed", "timeout"]))
    if position.saying and chance.random() < 0.6:
        return PromptEnded(position.saying)
    if (position.stage == INPUT and chance.random() < 0.85) or position.saying:
        node: Any = here.nodes[position.node]
        keys = list(node.menu.keys) if hasattr(node, "menu") else ["1", "2", "4", "5", "8", "#"]
        return KeyTyped(chance.choice([*keys, *keys, "7"]))
    return TimerFired(position.timer) if position.timer else None


def a_call(flow: Flow, number: int, calls: Calls) -> Iterator[Position]:
    """One caller from the start to the end, and every place where they wait."""
    chance = Random(number)
    around = FakeSurroundings()
    facts = CallFacts(f"+1555{number:07}", "", flow.numbers[0], f"call-{number}")
    begun = thread_time_ns()
    step = begin(flow, facts, around)
    calls.steps.append(thread_time_ns() - begun)
    for _ in range(MOST_STEPS):
        position = step.position
        yield position
        given = next_input(chance, flow, position)
        if given is None:
            calls.ended += 1
            return
        here = flow.subs.get(position.flow, flow) if position.flow else flow
        calls.nodes.add(position.node)
        calls.verbs[here.nodes[position.node].verb] += 1
        begun = thread_time_ns()
        step = advance(flow, facts, position, given, around)
        calls.steps.append(thread_time_ns() - begun)


def take_calls(flow: Flow, count: int) -> Calls:
    calls = Calls()
    for number in range(count):
        for _ in a_call(flow, number, calls):
            pass
    return calls


def bytes_for_each(flow: Flow, count: int) -> float:
    """What the interpreter keeps of a call that waits, each call at another place of the flow."""
    take_calls(flow, 1)  # whatever is made only once
    kept: list[Position] = []
    tracemalloc.start()
    for number in range(count):
        stay = number % 60
        for step, position in enumerate(a_call(flow, number, Calls())):
            last = position
            if step == stay:
                break
        kept.append(last)
    gc.collect()
    ours = tracemalloc.take_snapshot().filter_traces([tracemalloc.Filter(True, "*/ivr/*")])
    tracemalloc.stop()
    return sum(one.size for one in ours.statistics("filename")) / len(kept)


def measure(nodes: int, calls: int, rounds: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as name:
        folder, root = Path(name) / "dialplans", Path(name)
        lines = write(folder, nodes)
        loaded: list[Dialplans] = []
        checks = spent(lambda: loaded.append(load_folder(folder, QUEUES)), rounds)
        loads = asyncio.run(warm_loads(folder, root, rounds))
    flow = loaded[0].flow_for("100")
    assert flow is not None
    taken = take_calls(flow, calls)
    return {
        "nodes": sum(len(one.nodes) for one in loaded[0]),
        "lines": lines,
        "texts": sum(map(len, loaded[0].texts().values())),
        "check_s": checks,
        "load_s": loads,
        "steps": len(taken.steps),
        "steps_per_s": len(taken.steps) / (sum(taken.steps) / 1e9),
        "step_us": [percentile(taken.steps, share) / 1000 for share in (0.5, 0.99, 1.0)],
        "verbs": dict(taken.verbs),
        "visited": len(taken.nodes),
        "ended": taken.ended,
        "bytes": bytes_for_each(flow, min(calls, 1000)),
    }


def report(found: dict[str, Any]) -> str:
    check, load = statistics.median(found["check_s"]), statistics.median(found["load_s"])
    median, high, worst = found["step_us"]
    rows = [
        ("nodes; lines of YAML; texts", f"{found['nodes']:,}; {found['lines']:,}; {found['texts']:,}", ""),
        ("checked, s", f"{check:.2f}", f"below {BAR_CHECK_S:g}: {verdict(check < BAR_CHECK_S)}"),
        ("loaded warm, s", f"{load:.2f}", f"below {BAR_LOAD_S:g}: {verdict(load < BAR_LOAD_S)}"),
        ("steps of callers, a second", f"{found['steps_per_s']:,.0f}", ""),
        ("one step, µs: median; p99; worst", f"{median:.1f}; {high:.1f}; {worst:,.0f}", ""),
        ("nodes that callers waited in", f"{found['visited']:,}", ""),
        ("kept of a call that waits, bytes", f"{found['bytes']:,.0f}", ""),
    ]
    return table(("what", "measured", "bar"), rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--nodes", type=int, default=1000)
    parser.add_argument("--calls", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", type=Path, help="write everything that was measured to this file")
    chosen = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    print(machine(), flush=True)
    found = measure(chosen.nodes, chosen.calls, chosen.rounds)
    print(report(found), flush=True)
    save(chosen.json, found)


if __name__ == "__main__":
    main()
