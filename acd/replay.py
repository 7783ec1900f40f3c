"""Decisions worked out again: what the engine was told, line by line, gives the same orders or says where it does not.

This module decides what a line of the routing log holds and what counts as the same. A line is a fact and a digest of
the orders that followed; ids of offers, which the engine takes from outside, are written beside it. A replay begins at
a line that holds the configuration with which a service started, or at a state that an earlier replay came to. It
refuses to know where lines are kept.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, get_args
from zlib import crc32

from acd import facts as f
from acd.codec import NotDecodable, decode, encode
from acd.engine import Engine
from acd.model import AgentSpec, QueueSpec, Rules
from acd.orders import MakeConsult, MakeOffer, Note, Order
from acd.snapshot import restore, snapshot

BEGAN = "Began"

_FACTS = {cls.__name__: cls for cls in get_args(f.Fact)}
_json = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode


class Entry(NamedTuple):
    """One line of the routing log."""

    number: int  # without gaps
    at: float
    kind: str  # a fact's class, or `BEGAN`
    call: str | None  # the caller whom the fact names
    body: str  # JSON
    offers: str  # ids of the offers that followed, in order, with spaces between
    digest: str  # of this line, then of the orders that followed


class State(NamedTuple):
    """What an engine was after a line of the log: a replay can go on from here."""

    number: int
    at: float
    body: str  # JSON


@dataclass(frozen=True, slots=True)
class Began:
    """A service started; `program` is its version."""

    queues: tuple[QueueSpec, ...]
    agents: tuple[AgentSpec, ...]
    rules: Rules
    program: str = ""


@dataclass(frozen=True, slots=True)
class Difference:
    """Where a replay stopped to be what was written down, and why."""

    number: int
    at: float
    text: str

    def __str__(self) -> str:
        return f"line {self.number}: {self.text}"


def began(number: int, at: float, configuration: Began) -> Entry:
    return _entry(number, at, BEGAN, None, _json(encode(configuration)), "", "")


def told(number: int, at: float, fact: f.Fact, outcome: Sequence[Order] | Exception) -> Entry:
    """A fact and what the engine ordered, or how it refused."""
    call = fact.caller.call if isinstance(fact, f.CallerJoined) else getattr(fact, "call", None)
    orders = () if isinstance(outcome, Exception) else outcome
    offers = " ".join(one.offer for one in orders if isinstance(one, (MakeOffer, MakeConsult)))
    return _entry(number, at, type(fact).__name__, call, _json(encode(fact)), offers, essence(outcome))


def essence(outcome: Sequence[Order] | Exception) -> str:
    """What was decided, as text: equal for equal decisions, without anything personal. Only its digest is kept."""
    if isinstance(outcome, Exception):
        return type(outcome).__name__
    return "\n".join(map(_said, outcome))


def _said(order: Order) -> str:
    if isinstance(order, Note):  # most are, and most of the time would go here
        return f"{order.kind} {order.call} {order.agent} {order.queue} {' '.join(map(str, order.data.values()))}"
    return f"{type(order).__name__} {encode(order)}"


def fact_of(entry: Entry) -> f.Fact:
    """Raises `NotDecodable`."""
    cls = _FACTS.get(entry.kind)
    if cls is None:
        raise NotDecodable(f"no fact is called {entry.kind!r}")
    fact: f.Fact = decode(cls, json.loads(entry.body))
    return fact


class Replay:
    """Takes the lines one after the other. After a difference it stands still until a service begins."""

    def __init__(self, state: State | None = None) -> None:
        """Raises `SnapshotMismatch` for a state of another version."""
        self.engine: Engine | None = None
        self.program = ""  # that wrote the lines, when their beginning was seen
        self.differences: list[Difference] = []
        self.facts = 0
        self.last: Entry | State | None = state
        self._ids: deque[str] = deque()
        if state is not None:
            self.engine = restore(json.loads(state.body), self._next_id)

    def state(self) -> State | None:
        """After the last line; None where the replay stands still."""
        if self.engine is None or self.last is None:
            return None
        return State(self.last.number, self.last.at, _json(snapshot(self.engine)))

    def take(self, entry: Entry) -> list[Order]:
        """The orders that follow from this line; none where the replay stands still."""
        before, self.last = self.last, entry
        if before is not None and entry.number != before.number + 1:
            self._differ(entry, f"{entry.number - before.number - 1} lines are missing before it")
        if _line_digest(entry) != entry.digest[:8]:
            self._differ(entry, "it was changed after it was written")
            return []
        try:
            if entry.kind == BEGAN:
                self._begin(decode(Began, json.loads(entry.body)))
                return []
            return self._again(entry, self.engine) if self.engine is not None else []
        except (NotDecodable, ValueError) as error:
            self._differ(entry, f"this version cannot read it ({error})")
            return []

    def _begin(self, begun: Began) -> None:
        self.program = begun.program
        self.engine = Engine(begun.queues, begun.agents, self._next_id, rules=begun.rules)

    def _again(self, entry: Entry, engine: Engine) -> list[Order]:
        fact = fact_of(entry)
        self.facts += 1
        self._ids = deque(entry.offers.split())
        outcome: list[Order] | Exception
        try:
            outcome = engine.handle(fact, entry.at)
        except Exception as error:
            outcome = error
        if _digest(essence(outcome)) != entry.digest[8:]:
            self._differ(entry, f"{entry.kind} leads to other orders than it did")
            return []
        return [] if isinstance(outcome, Exception) else outcome

    def _next_id(self) -> str:
        return self._ids.popleft() if self._ids else ""  # one too many: the digest will not fit

    def _differ(self, entry: Entry, text: str) -> None:
        self.differences.append(Difference(entry.number, entry.at, text))
        self.engine = None


def replay(entries: Iterable[Entry], state: State | None = None) -> Replay:
    play = Replay(state)
    for entry in entries:
        play.take(entry)
    return play


def _entry(number: int, at: float, kind: str, call: str | None, body: str, offers: str, after: str) -> Entry:
    line = Entry(number, at, kind, call, body, offers, "")
    return line._replace(digest=_line_digest(line) + _digest(after))


def _line_digest(entry: Entry) -> str:
    return _digest(f"{entry.number} {entry.at!r} {entry.kind} {entry.call} {entry.offers} {entry.body}")


def _digest(text: str) -> str:
    return f"{crc32(text.encode()):08x}"
