"""Events in, tallies out: every figure is folded from the event log alone, whether live or long afterwards.

Decides what counts, and where:
- a wait counts in the interval in which it ENDED, so that offered = answered + abandoned + overflowed + interrupted and
  a past interval never changes; only `joined` counts at its beginning;
- a handled call counts when its wrap-up ends, or its talk when there is none;
- agents' states are cut at the borders, second by second;
- an answer to a survey counts when it was given, for the queue and the agent of the talk before it.

A wait or talk whose beginning was not seen is not counted. It refuses to know where events come from and what is made
of the tallies.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from cordboard.events import Event
from cordboard.figures.intervals import Intervals
from cordboard.figures.tally import AgentTally, QueueTally

INTERRUPTED = frozenset({"fallback", "stopped"})
"""Reasons of `queue.left` that are the service's own fault. All others but an answer and a hang-up are overflow: a rule
of the queue, or a key of the caller, ended the wait and the flow went on."""

SURVEYS = frozenset({"csat", "nps", "ces"})
"""Types of questions; each has a counter of its name in a tally."""

_WRAP_UP = "wrap_up"
_LOGGED_OUT = "logged_out"


@dataclass(frozen=True, slots=True)
class Thresholds:
    within_s: float = 20.0  # the service level's seconds
    short_s: float = 5.0  # who hangs up sooner may be left out of it


@dataclass(slots=True)
class _Wait:
    queue: str
    since: float
    promised_s: float | None = None


@dataclass(slots=True)
class _Talk:
    queue: str
    agent: str
    since: float
    held_since: float | None = None
    hold_ms: int = 0


@dataclass(slots=True)
class _Shift:
    """What is known of an agent now."""

    state: str
    since: float
    counted: float  # the state's time is counted up to here
    handled: tuple[str, int, int] | None = None  # queue, talk and hold of the talk before this state


def _ms(begin: float, end: float) -> int:
    """Whole milliseconds between two moments; pieces add up to the whole."""
    return max(0, round(end * 1000) - round(begin * 1000))


class Fold:
    """`apply` events in the order of their numbers; `queues` and `agents` hold the tallies by (interval, name)."""

    def __init__(self, intervals: Intervals, thresholds: Thresholds = Thresholds()) -> None:
        self.intervals = intervals
        self.queues: dict[tuple[int, str], QueueTally] = {}
        self.agents: dict[tuple[int, str], AgentTally] = {}
        self._thresholds = thresholds
        self._waits: dict[str, _Wait] = {}  # by call
        self._talks: dict[str, _Talk] = {}  # by offer
        self._shifts: dict[str, _Shift] = {}
        self._answers: dict[str, dict[tuple[str, str], list[tuple[Counter[int], int]]]] = {}  # by call and question

    def apply(self, event: Event) -> None:
        rule = FOLDS.get(event.kind)
        if rule is not None:
            rule(self, event)

    def until(self, now: float) -> None:
        """Count the states that last still, up to this moment. More events may follow."""
        for agent, shift in self._shifts.items():
            self._count_state(agent, shift, now)

    def go_on(self, intervals: Intervals) -> None:
        """Count into other intervals from here on; what is under way stays known."""
        self.until(self.intervals.borders[-1])
        self.intervals = intervals
        self.queues, self.agents = {}, {}

    def queue(self, at: float, name: str) -> QueueTally | None:
        n = self.intervals.at(at)
        if n is None:
            return None
        tally = self.queues.get((n, name))  # not setdefault: an empty tally costs more than the counting
        if tally is None:
            tally = self.queues[n, name] = QueueTally()
        return tally

    def agent(self, at: float, name: str) -> AgentTally | None:
        n = self.intervals.at(at)
        return None if n is None else self._agent(n, name)

    def _agent(self, n: int, name: str) -> AgentTally:
        tally = self.agents.get((n, name))
        if tally is None:
            tally = self.agents[n, name] = AgentTally()
        return tally

    # Waits

    def _joined(self, event: Event) -> None:
        if event.call_id is None or event.queue is None:
            return
        wait = self._waits.get(event.call_id)
        if wait is not None and wait.queue == event.queue:
            return  # told again after a restart: the wait goes on
        self._waits[event.call_id] = _Wait(event.queue, event.at)
        tally = self.queue(event.at, event.queue)
        if tally is not None:
            tally.joined += 1

    def _expected(self, event: Event) -> None:
        wait = self._waits.get(event.call_id or "")
        promised = event.data.get("wait_s")
        if wait is not None and wait.promised_s is None and isinstance(promised, int | float):
            wait.promised_s = promised + event.at - wait.since

    def _left(self, event: Event) -> None:
        wait = self._waits.pop(event.call_id or "", None)
        tally = self.queue(event.at, wait.queue) if wait is not None else None
        if wait is None or tally is None:
            return
        waited_ms = _ms(wait.since, event.at)
        tally.longest_wait_ms = max(tally.longest_wait_ms, waited_ms)
        in_time = waited_ms <= self._thresholds.within_s * 1000
        reason = str(event.data.get("reason"))
        if reason == "answered":
            tally.answered += 1
            tally.answered_in_time += in_time
            tally.wait_ms += waited_ms
            tally.waits.add(waited_ms / 1000)
        elif reason == "abandoned":
            tally.abandoned += 1
            tally.abandoned_in_time += in_time
            tally.abandoned_short += waited_ms < self._thresholds.short_s * 1000
        elif reason in INTERRUPTED:
            tally.interrupted += 1
        else:
            tally.overflowed[reason] += 1
        if wait.promised_s is not None:
            tally.promises.add(wait.promised_s, waited_ms / 1000, answered=reason == "answered")

    # Surveys

    def _answered(self, event: Event) -> None:
        """An answer counts once: who is asked again after a restart of the service answers in the place of before."""
        data, call = event.data, event.call_id
        kind, score = str(data.get("type")), data.get("score")
        if call is None or kind not in SURVEYS or not isinstance(score, int):
            return
        tallies = [
            self.queue(event.at, event.queue) if event.queue is not None else None,
            self.agent(event.at, event.agent) if event.agent is not None else None,
        ]
        counters: list[Counter[int]] = [getattr(tally, kind) for tally in tallies if tally is not None]
        answers = self._answers.setdefault(call, {})
        question = (str(data.get("survey")), str(data.get("question")))
        for counter, before in answers.get(question, ()):
            counter[before] -= 1
        for counter in counters:
            counter[score] += 1
        answers[question] = [(counter, score) for counter in counters]

    def _ended(self, event: Event) -> None:
        """A wait whose end nobody saw ends with its call."""
        self._answers.pop(event.call_id or "", None)
        wait = self._waits.pop(event.call_id or "", None)
        tally = self.queue(event.at, wait.queue) if wait is not None else None
        if tally is not None:
            tally.interrupted += 1

    # Talks

    def _talk_started(self, event: Event) -> None:
        if event.agent is None or event.queue is None:
            return
        self._talks[_talk_of(event)] = _Talk(event.queue, event.agent, event.at)
        tally = self.agent(event.at, event.agent)
        if tally is not None:
            tally.answered += 1

    def _held(self, event: Event) -> None:
        talk = self._talks.get(_talk_of(event))
        if talk is not None and talk.held_since is None:
            talk.held_since = event.at

    def _resumed(self, event: Event) -> None:
        talk = self._talks.get(_talk_of(event))
        if talk is not None and talk.held_since is not None:
            talk.hold_ms += _ms(talk.held_since, event.at)
            talk.held_since = None

    def _talk_ended(self, event: Event) -> None:
        self._resumed(event)
        talk = self._talks.pop(_talk_of(event), None)
        if talk is None:
            return
        if event.data.get("ended_by") == "transfer":
            for tally in (self.queue(event.at, talk.queue), self.agent(event.at, talk.agent)):
                if tally is not None:
                    tally.transfers += 1
        talk_ms = _ms(talk.since, event.at) - talk.hold_ms
        shift = self._shifts.get(talk.agent)
        if shift is None:
            self._handled(talk.agent, event.at, talk.queue, talk_ms, talk.hold_ms, 0)
            return
        self._close_handled(talk.agent, shift, event.at)
        shift.handled = (talk.queue, talk_ms, talk.hold_ms)

    def _handled(self, agent: str, at: float, queue: str, talk_ms: int, hold_ms: int, wrap_up_ms: int) -> None:
        for tally in (self.queue(at, queue), self.agent(at, agent)):
            if tally is not None:
                tally.handled += 1
                tally.talk_ms += talk_ms
                tally.hold_ms += hold_ms
                tally.wrap_up_ms += wrap_up_ms

    # Agents

    def _agent_state(self, event: Event) -> None:
        if event.agent is None:
            return
        state = str(event.data.get("state"))
        shift = self._shifts.get(event.agent)
        if shift is None:
            self._shifts[event.agent] = _Shift(state, event.at, event.at)
            return
        self._count_state(event.agent, shift, event.at)
        if state != _WRAP_UP:
            self._close_handled(event.agent, shift, event.at)
        shift.state, shift.since, shift.counted = state, event.at, event.at
        if state == _LOGGED_OUT:
            del self._shifts[event.agent]

    def _close_handled(self, agent: str, shift: _Shift, at: float) -> None:
        if shift.handled is not None:
            wrap_up_ms = _ms(shift.since, at) if shift.state == _WRAP_UP else 0
            self._handled(agent, at, *shift.handled, wrap_up_ms)
            shift.handled = None

    def _count_state(self, agent: str, shift: _Shift, until: float) -> None:
        for n, ms in self.intervals.parts(shift.counted, until):
            if ms:
                self._agent(n, agent).state_ms[shift.state] += ms
        shift.counted = max(shift.counted, until)

    def _offer_failed(self, event: Event) -> None:
        tally = self.agent(event.at, event.agent) if event.agent is not None else None
        if tally is not None:
            tally.ring_no_answers += event.data.get("reason") == "no_answer"


def _talk_of(event: Event) -> str:
    return str(event.data.get("offer", event.call_id))


FOLDS: dict[str, Callable[[Fold, Event], None]] = {
    "queue.joined": Fold._joined,
    "queue.expected": Fold._expected,
    "queue.left": Fold._left,
    "call.ended": Fold._ended,
    "talk.started": Fold._talk_started,
    "talk.held": Fold._held,
    "talk.resumed": Fold._resumed,
    "talk.ended": Fold._talk_ended,
    "agent.state": Fold._agent_state,
    "offer.failed": Fold._offer_failed,
    "survey.answered": Fold._answered,
}
"""Every kind that a figure is made from: nothing else needs to be read."""
