"""A dialplan of 1,000 nodes published beside calls: how long the service's loop pauses meanwhile.

    python -m bench.publishing [--nodes 1000] [--rounds 7] [--json FILE]

The flow is that of `bench.dialplan`, every text spoken before (as silence); a byte is other each time, so that each
publish judges, compiles, looks every text up, and writes a version into SQLite. Beside it something wants a turn of the
loop every millisecond, as calls do: *a pause* is what it waited longer than that. The same without a publish is what
this machine does by itself, and the same with the files judged on the loop itself is what is avoided.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import statistics
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from time import perf_counter
from typing import Any

import structlog
import uvloop

from bench.figures import machine, percentile, save, table, verdict
from bench.generated_dialplan import files
from cordboard.storage.engine import open_engine
from cordboard.storage.migrate import migrate
from ivr.loader import load_files
from ivr.voices import Voices
from tests.fakes.publishing import PublisherRig

BAR_MS = 100.0
"""Nobody who has pressed a key hears that the answer began so much later."""

TURN_S = 0.001


async def pauses(work: Callable[[], Awaitable[object]]) -> tuple[float, list[float]]:
    """How long it took, and every pause beside it, in seconds."""
    found: list[float] = []

    async def want_turns() -> None:
        while True:
            begun = perf_counter()
            await asyncio.sleep(TURN_S)
            found.append(perf_counter() - begun - TURN_S)

    turns = asyncio.create_task(want_turns())
    await asyncio.sleep(0.05)
    begun = perf_counter()
    await work()
    took = perf_counter() - begun
    await asyncio.sleep(0.05)
    turns.cancel()
    await asyncio.gather(turns, return_exceptions=True)
    return took, found


async def measure(nodes: int, rounds: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        espeak = root / "espeak-ng"
        espeak.write_text("#!/bin/sh\necho 'eSpeak NG text-to-speech: 1.52.0'\n")
        espeak.chmod(0o755)
        engine = open_engine(f"sqlite+aiosqlite:///{root / 'cordboard.db'}")
        await migrate(engine)
        rig = PublisherRig(root, engine, Voices({}, espeak))
        rig.queues = {"sales", "support"}
        rig.write()
        await rig.start()
        content = files(nodes)
        first, text = next(iter(content.items()))
        await rig.publisher.publish(content)  # everything is spoken
        found: dict[str, Any] = {
            "publish_s": [],
            "pauses": [],
            "idle": [],
            "on_loop": [],
            "rollback_s": [],
            "rollback_far_s": [],
        }
        for number in range(rounds):
            changed = {**content, first: text + b"# %d\n" % number}

            async def publish(changed: dict[str, bytes] = changed) -> None:
                assert (await rig.publisher.publish(changed)).version is not None

            async def on_loop(changed: dict[str, bytes] = changed) -> None:
                load_files(changed, rig.queues)

            took, beside = await pauses(publish)
            found["publish_s"].append(took)
            found["pauses"].append(beside)
            found["idle"].append((await pauses(lambda took=took: asyncio.sleep(took)))[1])  # type: ignore[misc]
            found["on_loop"].append((await pauses(on_loop))[1])
            live = rig.publisher.versions.live
            found["rollback_s"].append((await pauses(rig.publisher.rollback))[0])
            found["rollback_far_s"].append((await pauses(lambda to=live - 2: rig.publisher.rollback(to)))[0])  # type: ignore[misc]
        await engine.dispose()
        return found


def report(found: dict[str, Any]) -> str:
    took = statistics.median(found["publish_s"])

    def longest(kind: str) -> float:
        worst: list[float] = [max(one) for one in found[kind]]
        return statistics.median(worst) * 1000

    def high(kind: str) -> float:
        return percentile([pause for one in found[kind] for pause in one], 0.99) * 1000

    pause = longest("pauses")
    back, far = statistics.median(found["rollback_s"]), statistics.median(found["rollback_far_s"])
    rows = [
        ("a publish, s", f"{took:.2f}", ""),
        ("the longest pause beside it, ms", f"{pause:.0f}", f"below {BAR_MS:g}: {verdict(pause < BAR_MS)}"),
        ("as a share of the publish", f"{pause / took / 10:.1f} %", ""),
        ("p99 of all pauses, ms", f"{high('pauses'):.0f}", ""),
        ("without a publish: longest; p99, ms", f"{longest('idle'):.0f}; {high('idle'):.1f}", ""),
        ("a rollback; one to a version that is only in the database, s", f"{back:.2f}; {far:.2f}", ""),
        ("judged on the loop: longest, ms", f"{longest('on_loop'):.0f}", ""),
    ]
    return table(("what (median of the rounds)", "measured", "bar"), rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--nodes", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", type=Path, help="write everything that was measured to this file")
    chosen = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    print(machine(), flush=True)
    found = uvloop.run(measure(chosen.nodes, chosen.rounds))
    print(report(found), flush=True)
    save(chosen.json, found)


if __name__ == "__main__":
    main()
