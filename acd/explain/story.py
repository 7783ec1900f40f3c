"""What became of one call in its queues, moment by moment, worked out again from the routing log.

This module decides which moments matter: joining, every offer and what came of it, an agent who took somebody else, a
demand that changed, leaving. A call that comes back, or whose service was restarted, has several stays. It refuses to
know words, and what would have happened otherwise (`whatif`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from acd import facts as f
from acd.codec import NotDecodable
from acd.explain.situation import Situation, situation
from acd.floor import Agent
from acd.lines import Standing
from acd.model import WaitingCaller
from acd.orders import Note, Order
from acd.replay import BEGAN, Difference, Entry, Replay, State, fact_of
from acd.skills import Demand


class What(StrEnum):
    JOINED = "joined"
    WAITS = "waits"  # nobody can be offered the call now
    OFFERED = "offered"
    PASSED_OVER = "passed_over"  # an agent who could have had the call was offered one that came first
    ANSWERED = "answered"
    FAILED = "failed"
    WITHDRAWN = "withdrawn"
    DEMAND = "demand"  # something else is demanded from now on
    TALK = "talk"
    LEFT = "left"
    RESTARTED = "restarted"  # the service


@dataclass(frozen=True, slots=True)
class Moment:
    number: int  # of the line in the log
    at: float
    what: What
    agent: str | None = None
    reason: str = ""
    stage: int | None = None  # of a demand that relaxed
    position: int | None = None  # at which they joined
    situation: Situation | None = None
    cause: str = ""  # what set the agent free for it in this moment: a fact, or a timer's kind
    ahead_s: float = 0.0  # passed over: by so much the other one comes first, head starts counted


@dataclass(slots=True)
class Stay:
    """From joining a queue to leaving it."""

    caller: WaitingCaller
    first: Entry  # that told of the caller
    before: State | None  # what the engine was before it
    moments: list[Moment] = field(default_factory=list)
    ended: bool = False

    @property
    def outcome(self) -> str:
        """The reason of leaving; empty for who waits still."""
        return self.moments[-1].reason if self.ended else ""

    @property
    def offers(self) -> list[Moment]:
        return [one for one in self.moments if one.what is What.OFFERED]


@dataclass(slots=True)
class Story:
    call: str
    stays: list[Stay] = field(default_factory=list)
    lines: int = 0  # that were replayed
    differences: list[Difference] = field(default_factory=list)
    program: str = ""


_OF_NOTES = {
    "offer.answered": What.ANSWERED,
    "offer.failed": What.FAILED,
    "offer.withdrawn": What.WITHDRAWN,
    "talk.started": What.TALK,
    "queue.left": What.LEFT,
}


def tell(call: str, entries: Iterable[Entry], start: State | None = None, *, last: int = 0) -> Story:
    """The story of a call; `last`: no later line names it. `entries` go on from `start`, or begin with a service."""
    teller = _Teller(call, Replay(start))
    for entry in entries:
        teller.take(entry)
        if teller.replay.differences or (0 < last <= entry.number and not teller.waiting):
            break
    return teller.story


class _Teller:
    def __init__(self, call: str, replay: Replay) -> None:
        self.replay = replay
        self.story = Story(call, differences=replay.differences)
        self._stay: Stay | None = None
        self._seen: list[Moment] = []  # during one line, as the engine decides
        self._entry: Entry | None = None

    @property
    def waiting(self) -> bool:
        return self._stay is not None

    def take(self, entry: Entry) -> None:
        fact = self._joining(entry)
        before = self.replay.state() if fact is not None else None
        if entry.kind == BEGAN and self._stay is not None:
            self._add(Moment(entry.number, entry.at, What.RESTARTED))
            self._stay = None
        if self.replay.engine is not None:
            self.replay.engine.offers.watch = self._decided
        self._entry, self._seen = entry, []
        demand = self._demand()
        orders = self.replay.take(entry)
        self.story.lines += 1
        self.story.program = self.replay.program
        if fact is not None and any(_about(order, self.story.call, "queue.joined") for order in orders):
            self._stay = Stay(fact.caller, entry, before)
            self.story.stays.append(self._stay)
            demand = self._demand()
        for moment in self._moments(entry, orders, demand):
            self._add(moment)
            if moment.what is What.LEFT and self._stay is not None:
                self._stay.ended = True
                self._stay = None

    def _joining(self, entry: Entry) -> f.CallerJoined | None:
        """The call of the story joins a queue."""
        if entry.kind != f.CallerJoined.__name__ or entry.call != self.story.call or self._stay is not None:
            return None
        try:
            fact = fact_of(entry)
        except NotDecodable:
            return None  # the replay will say so
        return fact if isinstance(fact, f.CallerJoined) else None

    def _add(self, moment: Moment) -> None:
        if self._stay is not None:
            self._stay.moments.append(moment)

    def _demand(self) -> Demand | None:
        standing = self._standing()
        return standing.pool.demand if standing is not None else None

    def _standing(self) -> Standing | None:
        engine = self.replay.engine
        return engine.lines.callers.get(self.story.call) if engine is not None else None

    def _decided(self, standing: Standing, agent: Agent, now: float) -> None:
        """The engine is about to make an offer; both are free still."""
        engine, entry, mine = self.replay.engine, self._entry, self._standing()
        if engine is None or entry is None or mine is None:
            return
        if standing is mine:
            view = situation(engine, mine, now)
            cause = _cause(entry, agent.spec.id)
            self._seen.append(Moment(entry.number, now, What.OFFERED, agent.spec.id, situation=view, cause=cause))
        elif engine.lines.open(mine) and any(pool is mine.pool for pool in agent.pools) and standing.key < mine.key:
            ahead_s = mine.key[0] - standing.key[0]
            cause = _cause(entry, agent.spec.id)
            self._seen.append(Moment(entry.number, now, What.PASSED_OVER, agent.spec.id, ahead_s=ahead_s, cause=cause))

    def _moments(self, entry: Entry, orders: list[Order], before: Demand | None) -> Iterator[Moment]:
        call, engine = self.story.call, self.replay.engine
        decided = iter([one for one in self._seen if one.what is What.OFFERED])
        yield from (one for one in self._seen if one.what is What.PASSED_OVER)
        happened = relaxed = False
        for note in orders:
            if not isinstance(note, Note) or note.call != call:
                continue
            if note.kind == "queue.joined":
                happened = True
                position = _whole(note.data.get("position"))
                view = self._situation(entry.at)
                yield Moment(entry.number, entry.at, What.JOINED, position=position, situation=view)
            elif note.kind == "queue.relaxed":
                happened = relaxed = True
                stage, view = _whole(note.data.get("stage")), self._situation(entry.at)
                yield Moment(entry.number, entry.at, What.DEMAND, stage=stage, situation=view)
            elif note.kind == "offer.made":
                yield from ([one] if (one := next(decided, None)) is not None else [])
            elif note.kind in _OF_NOTES:
                happened = happened or note.kind in ("offer.failed", "offer.withdrawn")
                reason = str(note.data.get("reason", ""))
                yield Moment(entry.number, entry.at, _OF_NOTES[note.kind], note.agent, reason)
        standing = self._standing()
        if standing is None or engine is None:
            return
        if before is not None and standing.pool.demand != before and not relaxed:
            happened = True
            yield Moment(entry.number, entry.at, What.DEMAND, situation=self._situation(entry.at))
        if happened and not standing.offers:
            yield Moment(entry.number, entry.at, What.WAITS, situation=self._situation(entry.at))

    def _situation(self, now: float) -> Situation | None:
        engine, standing = self.replay.engine, self._standing()
        return situation(engine, standing, now) if engine is not None and standing is not None else None


def _cause(entry: Entry, agent: str) -> str:
    """Why this agent is free only now; empty when the caller is who is new."""
    try:
        fact = fact_of(entry)
    except NotDecodable:
        return ""
    if isinstance(fact, f.TimerFired):
        return fact.timer.kind.value if fact.timer.key == agent else ""
    if isinstance(fact, f.TalkEnded | f.OfferAnswered | f.CallerLeft):
        return type(fact).__name__
    return type(fact).__name__ if getattr(fact, "agent", None) == agent else ""


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) else None


def _about(order: Order, call: str, kind: str) -> bool:
    return isinstance(order, Note) and order.call == call and order.kind == kind
