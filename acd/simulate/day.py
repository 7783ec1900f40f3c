"""One day of callers, each with their own handling time and patience, played against a staffing with its shifts.

The callers are a list made beforehand, so that another staffing, or another rule, meets the very same people. This
module decides what is counted of them; it draws nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from acd import facts as f
from acd.model import WaitingCaller
from acd.simulate.clockwork import Clockwork
from acd.simulate.load import Staffing
from acd.skills import Requirement


@dataclass(frozen=True, slots=True)
class Visit:
    """One caller of the day; times are seconds from its beginning."""

    at: float
    queue: str
    handling_s: float  # of the talk, without the queue's wrap-up
    patience_s: float | None = None  # None: they wait as long as it takes
    head_start: float = 0.0
    requirement: Requirement | None = None  # None: the queue's
    preferred: str | None = None
    preferred_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Turn:
    """From this second on an agent is at work, at work but not ready, or gone."""

    at: float
    agent: str
    state: str  # "in", "break" or "out"


@dataclass(slots=True)
class Counts:
    """Of the callers of one queue on one day."""

    waits_s: list[float] = field(default_factory=list)  # of all who came: to the talk, the hang-up or the hand-back
    answered_s: list[float] = field(default_factory=list)  # of those who talked
    abandoned: int = 0
    released: int = 0  # handed back by a rule of the queue


@dataclass(slots=True)
class DayCounts:
    queues: dict[str, Counts]
    busy_s: float = 0.0  # agents in talk or wrap-up
    staffed_s: float = 0.0  # agents at work, breaks left out


def play_day(
    visits: Sequence[Visit], turns: Sequence[Turn], staffing: Staffing, length_s: float, pick_up_s: float = 0.0
) -> DayCounts:
    """The same arguments give the same counts. Work is counted for `length_s`; callers are served until none is left.

    Raises `UnknownQueue` for a caller without one.
    """
    return _Day(visits, turns, staffing, length_s, pick_up_s).run()


class _Day(Clockwork):
    def __init__(
        self, visits: Sequence[Visit], turns: Sequence[Turn], staffing: Staffing, length_s: float, pick_up_s: float
    ) -> None:
        super().__init__(staffing, pick_up_s)
        self._counts = DayCounts({queue.name: Counts() for queue in staffing.queues})
        self._visits: Mapping[str, Visit] = {f"call-{n}": visit for n, visit in enumerate(visits)}
        self._waiting: dict[str, Visit] = {}
        self._talks: dict[str, float] = {}  # offer -> begin
        self._wrap_of: dict[str, float] = {}  # offer -> seconds of wrap-up
        self._on: dict[str, float] = {}  # agent at work -> since when
        self._turns = iter(sorted(turns, key=lambda turn: turn.at))
        self._end = length_s
        for call, visit in self._visits.items():
            caller = WaitingCaller(
                call,
                visit.queue,
                visit.at,
                visit.head_start,
                requirement=visit.requirement,
                preferred=visit.preferred,
                preferred_s=visit.preferred_s,
            )
            self._at(visit.at, f.CallerJoined(caller))
            if visit.patience_s is not None:
                self._at(visit.at + visit.patience_s, f.CallerLeft(call))

    def run(self) -> DayCounts:
        turn = next(self._turns, None)
        while self._agenda or turn is not None:
            if turn is not None and (not self._agenda or turn.at <= self._agenda[0][0]):
                self.now = turn.at
                self._turn(turn)
                turn = next(self._turns, None)
                continue
            fact = self._due()
            if fact is not None:
                self._happen(fact)
        for call in list(self._waiting):  # nobody ever could serve them
            self._over(call)
        for agent in list(self._on):
            self._off(agent, self._end)
        return self._counts

    def _happen(self, fact: f.Fact) -> None:
        if isinstance(fact, f.CallerJoined):
            self._waiting[fact.caller.call] = self._visits[fact.caller.call]
        elif isinstance(fact, f.CallerLeft):
            if fact.call not in self._waiting:
                return
            self._over(fact.call).abandoned += 1
        elif isinstance(fact, f.TalkEnded):
            until = min(self._end, self.now + self._wrap_of.pop(fact.offer))
            self._counts.busy_s += max(0.0, until - self._talks.pop(fact.offer))
        self._tell(fact)

    def _turn(self, turn: Turn) -> None:
        if turn.state == "in":
            self._try(f.AgentLoggedIn(turn.agent))
            self._try(f.AgentReady(turn.agent))
            self._on.setdefault(turn.agent, self.now)
        elif turn.state == "break":
            self._try(f.AgentLoggedIn(turn.agent))
            self._try(f.AgentPaused(turn.agent, ""))
            self._off(turn.agent, self.now)
        else:
            self._try(f.AgentLoggedOut(turn.agent))
            self._off(turn.agent, self.now)

    def _off(self, agent: str, at: float) -> None:
        since = self._on.pop(agent, None)
        if since is not None:
            self._counts.staffed_s += max(0.0, min(at, self._end) - since)

    def _over(self, call: str) -> Counts:
        visit = self._waiting.pop(call)
        counts = self._counts.queues[visit.queue]
        counts.waits_s.append(self.now - visit.at)
        return counts

    def _offered(self, call: str) -> None:
        """It rings; they still wait."""

    def _released(self, call: str) -> None:
        if call in self._waiting:
            self._over(call).released += 1

    def _talk(self, call: str, offer: str, agent: str) -> float:
        visit = self._visits[call]
        self._over(call).answered_s.append(self.now - visit.at)
        self._talks[offer] = self.now
        self._wrap_of[offer] = self._wrap_up_s[visit.queue]
        return visit.handling_s
