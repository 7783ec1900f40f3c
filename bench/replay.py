"""What it costs to write every decision down, and how fast decisions are worked out again.

    python -m bench.replay [--facts 50000] [--agents 100] [--json FILE]

A day of a misbehaving PBX (callers who leave, agents who do not answer, late and doubled facts) is recorded as the
service does it, but for the database, and replayed. No PBX is needed. A state is what upkeep keeps every 20,000 facts.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

from acd import replay
from acd.engine import Engine
from acd.errors import AcdError
from acd.facts import Fact
from acd.model import Rules
from acd.orders import Order
from acd.replay import Began, Entry, Replay
from bench.figures import machine, save, table
from tests.fakes.faulty_world import FaultyWorld

ROUNDS = 3


def told(facts: int, agents: int) -> tuple[FaultyWorld, list[tuple[Fact, float, list[Order] | Exception]]]:
    world = FaultyWorld(1, queues=20, agents=agents, callers_per_s=agents / 60)
    decide, seen = world.engine.handle, []

    def handle(fact: Fact, now: float) -> list[Order]:
        try:
            orders = decide(fact, now)
        except AcdError as error:
            seen.append((fact, now, error))
            raise
        seen.append((fact, now, orders))
        return orders

    world.engine.handle = handle  # type: ignore[method-assign]
    world.run(facts=facts, check_every=facts)
    return world, seen


def measure(facts: int, agents: int) -> dict[str, Any]:
    world, seen = told(facts, agents)
    first = replay.began(1, 0.0, Began(tuple(world.queues), tuple(world.specs), Rules(), "bench"))
    writing, playing, deciding = [], [], []
    log: list[Entry] = []
    for _ in range(ROUNDS):
        begin = time.perf_counter()
        log = [replay.told(number, now, fact, outcome) for number, (fact, now, outcome) in enumerate(seen, start=2)]
        writing.append(time.perf_counter() - begin)
        play = Replay()
        play.take(first)
        begin = time.perf_counter()
        for entry in log:
            play.take(entry)
        playing.append(time.perf_counter() - begin)
        assert not play.differences, play.differences
        ids = iter([one for entry in log for one in entry.offers.split()])
        engine = Engine(world.queues, world.specs, lambda ids=ids: next(ids))  # type: ignore[misc]
        begin = time.perf_counter()
        for fact, now, outcome in seen:
            if not isinstance(outcome, Exception):
                engine.handle(fact, now)
        deciding.append(time.perf_counter() - begin)
    begin = time.perf_counter()
    state = play.state()
    taking = time.perf_counter() - begin
    assert state is not None
    size = sum(len(entry.body) + len(entry.kind) + len(entry.offers) + len(entry.digest) + 24 for entry in log)
    return {
        "facts": len(seen),
        "decide_us": min(deciding) / len(seen) * 1e6,
        "write_us": min(writing) / len(seen) * 1e6,
        "replay_per_s": len(seen) / min(playing),
        "bytes_per_fact": size / len(log),
        "state_ms": taking * 1e3,
        "state_bytes": len(state.body),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--facts", type=int, default=50_000)
    parser.add_argument("--agents", type=int, default=100)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    found = measure(options.facts, options.agents)
    print(machine())
    print(
        table(
            ("figure", "measured"),
            (
                ("the engine decides, a fact", f"{found['decide_us']:.1f} µs"),
                ("a line of the routing log is made", f"{found['write_us']:.1f} µs"),
                ("its size, without the database's own", f"{found['bytes_per_fact']:.0f} bytes"),
                ("facts replayed and compared", f"{found['replay_per_s']:,.0f} a second"),
                (f"a state of {options.agents} agents is taken", f"{found['state_ms']:.0f} ms"),
                ("its size", f"{found['state_bytes'] / 1024:.0f} KB"),
            ),
        )
    )
    save(options.json, found)


if __name__ == "__main__":
    main()
