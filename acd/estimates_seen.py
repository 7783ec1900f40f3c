"""What was seen of late in each queue: how long calls occupy an agent, how fast callers lose patience, how many come.

Learnt from the distributor's own notes, each in constant time. Averages are over about the last `MEMORY` calls of a
queue, however long ago: a quiet queue knows as much as a busy one. It refuses to know what is estimated from them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field

MEMORY = 400
_FADE = 1.0 - 1.0 / MEMORY
_PATIENT_S = 600.0  # waiting without a hang-up that is taken for granted: who knows little must not promise little


@dataclass(slots=True)
class Recent:
    """Mean and spread of the latest values: `count` of them, the older ones in part; `total` were seen."""

    total: int = 0
    count: float = 0.0
    _sum: float = 0.0
    _squares: float = 0.0

    def add(self, value: float) -> None:
        self.total += 1
        self.count = self.count * _FADE + 1.0
        self._sum = self._sum * _FADE + value
        self._squares = self._squares * _FADE + value * value

    @property
    def mean(self) -> float:
        return self._sum / self.count if self.count else 0.0

    @property
    def variance(self) -> float:
        if self.count <= 1.0:
            return 0.0
        return max(0.0, self._squares / self.count - self.mean**2) * self.count / (self.count - 1.0)


@dataclass(slots=True)
class QueueSeen:
    handling: Recent = field(default_factory=Recent)  # from the first ring to the end of the wrap-up
    pick_up: Recent = field(default_factory=Recent)  # from the first ring to the talk
    between: Recent = field(default_factory=Recent)  # from one caller's coming to the next one's
    lost_s: float = 0.0  # agents' time in rings that led to no talk, faded with `handling`
    _hang_ups: float = 0.0
    _waited_s: float = 0.0
    _last_join: float | None = None

    @property
    def handling_s(self) -> float:
        """An agent's time for each call, vain rings included."""
        return self.handling.mean + (self.lost_s / self.handling.count if self.handling.count else 0.0)

    @property
    def leaving(self) -> float:
        """Hang-ups per second of one who waits."""
        return self._hang_ups / (self._waited_s + _PATIENT_S)

    @property
    def joining(self) -> float:
        """Callers per second."""
        return 1.0 / self.between.mean if self.between.mean > 0 else 0.0

    def handled(self, seconds: float) -> None:
        self.handling.add(seconds)
        self.lost_s *= _FADE

    def joined(self, at: float) -> None:
        if self._last_join is not None and at >= self._last_join:
            self.between.add(at - self._last_join)
        self._last_join = at

    def waited(self, seconds: float, hung_up: bool) -> None:
        self._hang_ups = self._hang_ups * _FADE + hung_up
        self._waited_s = self._waited_s * _FADE + seconds


@dataclass(slots=True)
class _Work:
    """What an agent is doing for a caller, from the first ring on."""

    queue: str
    since: float
    over: bool = False  # the talk is: wrap-up


class Seen:
    """`note` takes what the distributor notes, live or from the log; what it has no use for is passed over."""

    def __init__(self) -> None:
        self.queues: dict[str, QueueSeen] = {}
        self._waits: dict[str, tuple[str, float]] = {}  # call -> queue, since
        self._work: dict[str, _Work] = {}  # by agent
        self._rules: dict[str, Callable[[str, str, str, str, float], None]] = {
            "queue.joined": self._joined,
            "queue.left": self._left,
            "offer.made": self._offered,
            "offer.failed": self._in_vain,
            "offer.withdrawn": self._in_vain,
            "talk.started": self._talking,
            "talk.ended": self._talked,
            "agent.state": self._agent,
        }

    @property
    def kinds(self) -> Collection[str]:
        """What it is made from."""
        return self._rules.keys()

    def queue(self, name: str) -> QueueSeen:
        return self.queues.setdefault(name, QueueSeen())

    def note(
        self, kind: str, call: str | None, agent: str | None, queue: str | None, data: dict[str, object], at: float
    ) -> None:
        rule = self._rules.get(kind)
        if rule is not None:
            word = data.get("reason") if kind == "queue.left" else data.get("state")
            rule(call or "", agent or "", queue or "", str(word), at)

    def _joined(self, call: str, _agent: str, queue: str, _word: str, at: float) -> None:
        if call not in self._waits:
            self._waits[call] = (queue, at)
            self.queue(queue).joined(at)

    def _left(self, call: str, _agent: str, _queue: str, reason: str, at: float) -> None:
        wait = self._waits.pop(call, None)
        if wait is not None:
            queue, since = wait
            self.queue(queue).waited(at - since, reason == "abandoned")

    def _offered(self, _call: str, agent: str, queue: str, _word: str, at: float) -> None:
        self._work[agent] = _Work(queue, at)

    def _in_vain(self, _call: str, agent: str, _queue: str, _word: str, at: float) -> None:
        work = self._work.pop(agent, None)
        if work is not None:
            self.queue(work.queue).lost_s += at - work.since

    def _talking(self, _call: str, agent: str, _queue: str, _word: str, at: float) -> None:
        work = self._work.get(agent)
        if work is not None:
            self.queue(work.queue).pick_up.add(at - work.since)

    def _talked(self, _call: str, agent: str, _queue: str, _word: str, _at: float) -> None:
        work = self._work.get(agent)
        if work is not None:
            work.over = True

    def _agent(self, _call: str, agent: str, _queue: str, state: str, at: float) -> None:
        work = self._work.get(agent)
        if work is not None and work.over and state != "wrap_up":
            del self._work[agent]
            self.queue(work.queue).handled(at - work.since)
