"""The same calls rehearsed and on a real PBX: whether they take the same way, node for node.

    python -m bench.parity [--calls 200] [--at-once 20] [--seed 1] [--json FILE]

Every call is a random walk (`bench.walks`), drawn where the flow stands in a rehearsal: keys, wrong keys, silences,
interrupted prompts, hang-ups. A real SIP phone then does the same to a private PBX with the service beside it, and what
the service noted (`node.entered`) is held against what was rehearsed. Flows: the shipped one, and one with every verb
that needs nobody outside.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from bench.figures import machine, save, table, verdict
from bench.site import PROJECT, BenchSite
from bench.walks import HANG_UP, Walk, walk
from cordboard.phones.errors import PhoneError
from cordboard.phones.live_events import Event, LiveEvents
from cordboard.phones.softphone import Softphone
from ivr.dialplans import Dialplans
from ivr.inputs import CallFacts
from ivr.loader import load_folder
from ivr.rehearsal.rehearsal import Rehearsal

SHIPPED = PROJECT / "dialplans" / "harbor-lane.yaml"
EVERY_VERB = """
flow: every-verb
numbers: ["200"]
language: en
languages: [en, es]
currency: USD
start: begin
on_error: sorry
hours:
  always: {time_zone: UTC, weekly: {mon-sun: ["00:00-24:00"]}}
  never: {time_zone: UTC, weekly: {}}
nodes:
  begin: {set: {rounds: {expr: "0"}}, next: hello}
  hello: {say: {en: "Hello. You dialled {dialled}.", es: Hola.}, next: trial}
  trial: {split: {main: 1, spanish: 1}}
  spanish: {set: {language: es}, next: main}
  main:
    menu:
      prompt: {en: For your account press 1. For the weather press 2., es: "Para su cuenta, uno. Para el tiempo, dos."}
      keys: {"1": count, "2": open, "3": pause, "*": spanish}
      invalid: [{en: Wrong., es: Mal.}, {en: Wrong again., es: Otra vez mal.}]
      no_input: {en: Nothing., es: Nada.}
      timeout: 2500ms
      otherwise: leave
  count: {set: {rounds: {expr: rounds + 1}}, next: tired}
  tired: {if: [{when: rounds > 2, to: leave}], else: verify}
  verify: {call: {flow: verify, with: {attempts: "{rounds}"}, save: {known: known}}, next: owed}
  owed: {if: [{when: known, to: amount}], else: sorry}
  amount:
    ask:
      type: amount
      prompt: {en: How much?, es: "¿Cuánto?"}
      save: paid
      max: "100"
      timeout: 2500ms
      between: 2500ms
      tries: 2
    next: paid
    otherwise: {no_input: main, else: sorry}
  paid: {say: {en: "You pay {paid}.", es: "Usted paga {paid}."}, next: main}
  open: {hours: always, open: shut, closed: sorry}
  shut: {hours: never, open: sorry, closed: storm}
  storm: {switch: storm, "on": sorry, "off": pause}
  pause: {wait: 500ms, next: desk}
  desk: {to_queue: {queue: sales, keys: {"5": main}, then: leave, otherwise: {timeout: sorry, else: leave}}}
  sorry: {say: {en: Sorry., es: Disculpe.}, bargein: false, next: back}
  back: {goto: leave}
  leave: {hangup: {}}
"""
VERIFY = """
flow: verify
params: {attempts: number}
returns: {known: yes_no}
language: en
languages: [en, es]
start: number
nodes:
  number:
    ask:
      type: digits
      prompt: {en: "Your account number.", es: "Su número de cuenta."}
      save: account
      length: 3-5
      confirm: true
      timeout: 2500ms
      between: 2500ms
      tries: 2
    next: birthday
    otherwise: unknown
  birthday:
    ask:
      type: date
      prompt: {en: Your birthday., es: Su cumpleaños.}
      save: born
      max: today
      timeout: 2500ms
      between: 2500ms
      tries: 2
    next: yes-known
    otherwise: unknown
  yes-known: {return: {known: "true"}}
  unknown: {return: {known: "false"}}
"""
NUMBERS = ("100", "200")
WAIT_S = 3
LIMIT_S = 180.0
KEY_AFTER_S = 0.4
"""Into a prompt, or a wait: a caller is not faster."""


@dataclass(slots=True)
class RealCall:
    """What the service says of one call. `wait` until enough of it has happened."""

    call_id: str = ""
    caller: str = ""
    path: list[str] = field(default_factory=list)
    begun: int = 0
    ended: int = 0
    joined: int = 0
    over: bool = False

    def take(self, event: Event) -> None:
        data = event.get("data") or {}
        match event["kind"]:
            case "node.entered":
                self.path.append(f"{data['flow']}/{data['node']}" if "flow" in data else data["node"])
            case "prompt.started":
                self.begun += 1
            case "prompt.ended":
                self.ended += 1
            case "queue.joined":
                self.joined += 1
            case "call.ended":
                self.over = True
            case _:
                pass


@dataclass(frozen=True, slots=True)
class Compared:
    """One call, rehearsed and real."""

    number: str
    seed: int
    acts: int
    rehearsed: tuple[str, ...]
    real: tuple[str, ...]
    trouble: str = ""

    @property
    def same(self) -> bool:
        return self.rehearsed == self.real and not self.trouble


class Calls:
    """Every call that the service speaks of, by the caller's number."""

    def __init__(self) -> None:
        self.by_number: dict[str, RealCall] = {}
        self._by_id: dict[str, RealCall] = {}
        self._news = asyncio.Event()

    def take(self, event: Event) -> None:
        call_id = str(event.get("call_id") or "")
        if event["kind"] == "call.arrived":
            caller = str((event.get("data") or {}).get("caller"))
            self._by_id[call_id] = self.by_number[caller] = RealCall(call_id, caller)
        if call_id in self._by_id:
            self._by_id[call_id].take(event)
            self._news.set()
            self._news = asyncio.Event()

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(LIMIT_S):
            while not holds():
                await self._news.wait()


class Parity:
    """The phones, and the comparison."""

    def __init__(self, site: BenchSite, dialplans: Dialplans, calls: Calls) -> None:
        self._site = site
        self._dialplans = dialplans
        self._calls = calls
        self.branches: set[tuple[str, str, str]] = set()

    async def one(self, number: str, seed: int) -> Compared:
        caller = f"+1555{seed:07}"
        drawn: Walk | None = None
        trouble = ""
        try:
            async with await Softphone.caller("127.0.0.1", self._site.sip_port, caller) as phone:
                call = await phone.dial(number)
                await self._calls.until(lambda: caller in self._calls.by_number)
                real = self._calls.by_number[caller]
                drawn = self._rehearse(number, seed, real)
                await call.wait_established()
                for act in drawn.acts:
                    await self._calls.until(
                        lambda act=act: (
                            real.over  # type: ignore[misc]
                            or (real.begun >= act.begun and real.ended >= act.ended and real.joined >= act.joined)
                        )
                    )
                    if real.over:
                        break
                    await asyncio.sleep(KEY_AFTER_S)
                    await (call.hang_up() if act.keys == HANG_UP else call.send_digits(act.keys))
                await self._calls.until(lambda: real.over)
        except (PhoneError, TimeoutError) as error:
            trouble = f"{type(error).__name__}: {error}"
        real = self._calls.by_number.get(caller, RealCall())
        if drawn is None:
            return Compared(number, seed, 0, (), tuple(real.path), trouble or "never arrived")
        self.branches |= drawn.branches
        return Compared(number, seed, len(drawn.acts), drawn.path, tuple(real.path), trouble)

    def _rehearse(self, number: str, seed: int, real: RealCall) -> Walk:
        flow = self._dialplans.flow_for(number)
        assert flow is not None
        facts = CallFacts(real.caller, "", number, real.call_id)
        return walk(Rehearsal(flow, facts, time.time()), seed)


async def measure(calls: int, at_once: int, seed: int) -> dict[str, Any]:
    sections = {"queues": {"sales": {"max_wait_s": WAIT_S}, "support": {"max_wait_s": WAIT_S}}}
    async with BenchSite(EVERY_VERB, rtp_first=12_000, **sections) as site:
        folder = site.config.dialplans_dir
        (folder / "verify.yaml").write_text(VERIFY)
        (folder / SHIPPED.name).write_text(SHIPPED.read_text())
        await site.start_service()
        dialplans = load_folder(folder, set(site.config.queues))
        known = Calls()
        events = await LiveEvents.open(f"{site.api.url}/api/events", site.api.token, known.take, lambda: None)
        parity = Parity(site, dialplans, known)
        lots = list(zip(itertools.cycle(NUMBERS), range(seed, seed + calls)))
        begun = time.perf_counter()
        try:
            results = await _all(parity, lots, at_once)
        finally:
            await events.close()
        seconds = time.perf_counter() - begun
        branches = {
            number: (
                sum((flow.name, node, label) in parity.branches for flow, node, label in _branches(dialplans, number)),
                len(_branches(dialplans, number)),
            )
            for number in NUMBERS
        }
    return {"results": results, "branches": branches, "seconds": seconds}


async def _all(parity: Parity, lots: list[tuple[str, int]], at_once: int) -> list[Compared]:
    turn = asyncio.Semaphore(at_once)

    async def one(number: str, seed: int) -> Compared:
        async with turn:
            return await parity.one(number, seed)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(number, seed)) for number, seed in lots]
    return [task.result() for task in tasks]


def _branches(dialplans: Dialplans, number: str) -> list[tuple[Any, str, str]]:
    flow = dialplans.flow_for(number)
    assert flow is not None
    return [
        (one, node_id, label)
        for one in flow.family()
        for node_id, node in one.nodes.items()
        for _, label, _ in node.branches()
    ]


def report(results: list[Compared], branches: dict[str, tuple[int, int]], seconds: float) -> str:
    rows = []
    for number in NUMBERS:
        of = [one for one in results if one.number == number]
        reached, everything = branches[number]
        rows.append(
            (
                f"calls of {number}",
                str(len(of)),
                str(sum(one.same for one in of)),
                str(sum(one.acts for one in of)),
                str(sum(len(one.real) for one in of)),
                f"{reached} of {everything}",
            )
        )
    heads = ("rehearsed and real", "calls", "same way", "acts", "nodes entered", "branches taken")
    different = [one for one in results if not one.same]
    lines = [table(heads, rows), "", f"same way, node for node: {verdict(not different)} ({seconds:.0f} s)"]
    for one in different[:10]:
        lines += [f"- {one.number}, seed {one.seed}: {one.trouble or first_difference(one)}"]
    kinds = Counter(one.trouble.split(":")[0] or "another way" for one in different)
    return "\n".join([*lines, *(f"{count} x {kind}" for kind, count in kinds.items())])


def first_difference(one: Compared) -> str:
    for index, (rehearsed, real) in enumerate(itertools.zip_longest(one.rehearsed, one.real, fillvalue="nothing")):
        if rehearsed != real:
            before = " -> ".join(one.rehearsed[max(0, index - 3) : index])
            return f"after {before}: rehearsed {rehearsed}, really {real}"
    return "the same"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--calls", type=int, default=200)
    parser.add_argument("--at-once", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path, help="write everything that was measured to this file")
    chosen = parser.parse_args()
    print(machine(), flush=True)
    found = asyncio.run(measure(chosen.calls, chosen.at_once, chosen.seed))
    print(report(**found), flush=True)
    save(chosen.json, {**found, "results": [asdict(one) for one in found["results"]]})


if __name__ == "__main__":
    main()
