"""A day of 100,000 calls folded from the event log: how long it takes, and how much memory."""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC
from pathlib import Path
from random import Random

from sqlalchemy.ext.asyncio import AsyncEngine

from bench.figures import machine, save, table
from bench.process import memory
from cordboard.events import Event
from cordboard.figures.days import split
from cordboard.figures.fold import FOLDS, Fold, Thresholds
from cordboard.figures.intervals import Intervals
from cordboard.figures.reading import read
from cordboard.figures.report import report
from cordboard.storage.batch import Batch
from cordboard.storage.engine import open_engine
from cordboard.storage.migrate import migrate
from cordboard.storage.reader import Reader
from cordboard.storage.sink import open_sink

BEGIN = 1_800_000_000.0
DAY_S = 86_400.0
QUEUES, AGENTS = 20, 400
GROUP = 5_000
OTHERS = ("node.entered", "prompt.started", "prompt.ended", "key.pressed", "menu.outcome", "queue.position")


def a_day(calls: int) -> Iterator[Event]:
    """Every call says what a real one says: about 27 events, of which figures are made from nine."""
    random, seq = Random(1), 0
    for n in range(calls):
        at, call, agent = BEGIN + n * DAY_S / calls, f"c-{n}", f"{1000 + n % AGENTS}"
        queue, wait = f"queue-{n % QUEUES}", random.expovariate(1 / 20)
        gone = random.random() < 0.06
        story: list[tuple[str, float, str | None, dict[str, object]]] = [
            ("call.arrived", 0.0, None, {"origin": "public"})
        ]
        story += [(kind, 0.0, None, {"node": "menu"}) for kind in OTHERS * 2]
        story.append(("queue.joined", 0.0, None, {"position": 1}))
        story.append(("queue.expected", 0.0, None, {"wait_s": 30.0, "quantile": 0.8}))
        if gone:
            story.append(("queue.left", wait, None, {"reason": "abandoned"}))
        else:
            offer: dict[str, object] = {"offer": f"leg-{n}"}
            story += [("offer.made", wait, agent, offer), ("offer.answered", wait, agent, offer)]
            story += [("agent.state", wait, agent, {"state": state}) for state in ("offering", "connecting", "talking")]
            story += [("talk.started", wait, agent, offer), ("queue.left", wait, None, {"reason": "answered"})]
            story += [("talk.ended", wait, agent, offer), ("agent.state", wait, agent, {"state": "wrap_up"})]
            story.append(("agent.state", wait, agent, {"state": "ready"}))
        story.append(("call.ended", wait, None, {"outcome": "talked"}))
        for kind, after, who, data in story:
            seq += 1
            yield Event(seq, at + after / 1000, kind, call, who, queue, data)


async def write(engine: AsyncEngine, calls: int) -> int:
    sink, group, count = open_sink(engine), list[Event](), 0
    for event in a_day(calls):
        group.append(event)
        if len(group) == GROUP:
            await sink.write(Batch(group))
            count, group = count + len(group), []
    await sink.write(Batch(group))
    await sink.close()
    return count + len(group)


async def measure(folder: Path, calls: int) -> dict[str, float]:
    engine = open_engine(f"sqlite+aiosqlite:///{folder / 'cordboard.db'}")
    await migrate(engine)
    events = await write(engine, calls)
    gc.collect()
    before, highest = private_mb(), [0.0]
    watching = asyncio.create_task(watch(highest))
    begun, cpu = time.perf_counter(), time.process_time()
    intervals = split(BEGIN, BEGIN + DAY_S, 3600, UTC)
    fold = await read(Reader(engine, lambda: BEGIN), intervals, Thresholds(), BEGIN + DAY_S)
    read_s, read_cpu_s = time.perf_counter() - begun, time.process_time() - cpu
    watching.cancel()
    total = report(fold, Thresholds(), "UTC")["total"]["all_queues"]
    offered = next(one["value"] for one in total if one["name"] == "offered")
    assert offered == calls, f"{offered} of {calls} calls were counted"
    await engine.dispose()
    return {
        "events": events,
        "read_s": read_s,
        "read_cpu_s": read_cpu_s,
        "memory_mb": max(0.0, highest[0] - before),
        "fold_s": fold_alone(min(calls, 10_000)) * calls / min(calls, 10_000),
    }


async def watch(highest: list[float]) -> None:
    while True:
        highest[0] = max(highest[0], private_mb())
        await asyncio.sleep(0.1)


def private_mb() -> float:
    return memory(os.getpid())["Private"] / 1e6


def fold_alone(calls: int) -> float:
    """Without a database: the events that are folded, in memory."""
    events = [event for event in a_day(calls) if event.kind in FOLDS]
    fold = Fold(Intervals([BEGIN, BEGIN + 2 * DAY_S]))
    begun = time.perf_counter()
    for event in events:
        fold.apply(event)
    return time.perf_counter() - begun


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--calls", type=int, default=100_000)
    parser.add_argument("--json", type=Path, help="write everything that was measured to this file")
    options = parser.parse_args()
    print(machine(), flush=True)
    with tempfile.TemporaryDirectory() as folder:
        found = asyncio.run(measure(Path(folder), options.calls))
    heads = (
        "calls",
        "events in the log",
        "read and folded, s",
        "CPU, s",
        "folding alone, s",
        "memory above before, MB",
    )
    row = (
        f"{options.calls:,}",
        f"{found['events']:,.0f}",
        f"{found['read_s']:.1f}",
        f"{found['read_cpu_s']:.1f}",
        f"{found['fold_s']:.1f}",
        f"{found['memory_mb']:.1f}",
    )
    print(table(heads, [row]))
    save(options.json, found)


if __name__ == "__main__":
    main()
