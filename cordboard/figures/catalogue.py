"""Every figure: its name, unit, formula in words and the events it is made from, beside what computes it.

`docs/figures.md` is generated from here; a test compares them. There is no service level without the name of its
formula: for the same calls the usual ones differ by more than ten points.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from acd.estimates import QUANTILE
from cordboard.figures.fold import Thresholds
from cordboard.figures.tally import AgentTally, QueueTally
from cordboard.survey import csat, mean, nps

T = TypeVar("T", QueueTally, AgentTally)

Number = int | float | None
"""None: there is nothing to divide by."""

_WAITS = ("queue.joined", "queue.left", "call.ended")
_HANDLING = ("talk.started", "talk.ended", "talk.held", "talk.resumed", "agent.state")


@dataclass(frozen=True, slots=True)
class Definition(Generic[T]):
    """`formula` may name {within} and {short}, the thresholds, and {quantile}."""

    name: str
    unit: str  # calls, share, s, promises, answers, score, points
    title: str
    formula: str
    sources: tuple[str, ...]
    value: Callable[[T], Number]

    def formula_with(self, thresholds: Thresholds) -> str:
        return self.formula.format(
            within=f"{thresholds.within_s:g} s", short=f"{thresholds.short_s:g} s", quantile=f"{QUANTILE:.0%}"
        )


@dataclass(frozen=True, slots=True)
class Figure:
    """A value, never without what it means."""

    name: str
    value: Number
    unit: str
    title: str
    formula: str
    sources: tuple[str, ...]


def figures_of(tally: T, definitions: Mapping[str, Definition[T]], thresholds: Thresholds) -> Iterator[Figure]:
    for one in definitions.values():
        yield Figure(one.name, one.value(tally), one.unit, one.title, one.formula_with(thresholds), one.sources)


def _share(part: float, whole: float) -> Number:
    return round(part / whole, 6) if whole else None


def _mean_s(total_ms: int, count: int) -> Number:
    return round(total_ms / count / 1000, 3) if count else None


def _quantile(tally: QueueTally, share: float) -> Number:
    value = tally.waits.quantile(share)
    return None if value is None else round(value, 2)


def _waited(name: str, title: str, share: float) -> Definition[QueueTally]:
    formula = f"of those answered {share:.0%} waited no longer (to 0.1 s below 10 s, 1 % beyond)"
    return Definition(name, "s", title, formula, _WAITS, lambda tally: _quantile(tally, share))


def _overflow(reason: str, title: str) -> Definition[QueueTally]:
    formula = f"waits that ended with reason `{reason}`"
    return Definition(f"overflowed_{reason}", "calls", title, formula, _WAITS, lambda tally: tally.overflowed[reason])


def _of_handling(of: type[T]) -> list[Definition[T]]:
    return [
        Definition(
            "handled", "calls", "handled", "talks whose wrap-up, if any, is over", _HANDLING, lambda t: t.handled
        ),
        Definition(
            "average_handling_s",
            "s",
            "average handling time",
            "(talk + hold + wrap-up) / handled",
            _HANDLING,
            lambda t: _mean_s(t.talk_ms + t.hold_ms + t.wrap_up_ms, t.handled),
        ),
        Definition(
            "average_talk_s",
            "s",
            "average talk",
            "time in talks, without hold / handled",
            _HANDLING,
            lambda t: _mean_s(t.talk_ms, t.handled),
        ),
        Definition(
            "average_hold_s",
            "s",
            "average hold",
            "time on hold within talks / handled",
            _HANDLING,
            lambda t: _mean_s(t.hold_ms, t.handled),
        ),
        Definition(
            "average_wrap_up_s",
            "s",
            "average wrap-up",
            "time in wrap-up / handled",
            _HANDLING,
            lambda t: _mean_s(t.wrap_up_ms, t.handled),
        ),
        Definition(
            "transfers",
            "calls",
            "transfers",
            "talks that ended because the agent passed the caller on",
            ("talk.started", "talk.ended"),
            lambda t: t.transfers,
        ),
    ]


def _of_surveys(of: type[T]) -> list[Definition[T]]:
    sources = ("survey.answered",)
    return [
        Definition(
            "csat_answers", "answers", "answers, how content", "answers of 1 to 5", sources, lambda t: t.csat.total()
        ),
        Definition(
            "csat", "share", "content (CSAT)", "answers of 4 and 5 / answers of 1 to 5", sources, lambda t: csat(t.csat)
        ),
        Definition(
            "csat_mean",
            "score",
            "how content, mean",
            "sum of answers of 1 to 5 / their number",
            sources,
            lambda t: mean(t.csat),
        ),
        Definition(
            "nps_answers", "answers", "answers, would recommend", "answers of 0 to 10", sources, lambda t: t.nps.total()
        ),
        Definition(
            "nps",
            "points",
            "net promoter score (NPS)",
            "100 x (answers of 9 and 10 - answers of 0 to 6) / answers of 0 to 10",
            sources,
            lambda t: nps(t.nps),
        ),
        Definition(
            "ces_answers", "answers", "answers, how easy", "answers of 1 to 7", sources, lambda t: t.ces.total()
        ),
        Definition(
            "ces_mean",
            "score",
            "how easy, mean (CES)",
            "sum of answers of 1 to 7 / their number",
            sources,
            lambda t: mean(t.ces),
        ),
    ]


_QUEUE: list[Definition[QueueTally]] = [
    Definition("joined", "calls", "joined", "waits that began", ("queue.joined",), lambda t: t.joined),
    Definition(
        "offered",
        "calls",
        "offered",
        "waits that ended = answered + abandoned + overflowed + interrupted",
        _WAITS,
        lambda t: t.offered,
    ),
    Definition(
        "answered", "calls", "answered", "waits that ended in a talk with an agent", _WAITS, lambda t: t.answered
    ),
    Definition("abandoned", "calls", "abandoned", "waits that the caller ended", _WAITS, lambda t: t.abandoned),
    Definition(
        "abandoned_short",
        "calls",
        "short abandons",
        "abandoned before {short}; part of abandoned",
        _WAITS,
        lambda t: t.abandoned_short,
    ),
    Definition(
        "overflowed",
        "calls",
        "overflowed",
        "waits that a rule of the queue, or a key of the caller, ended",
        _WAITS,
        lambda t: t.overflowed.total(),
    ),
    _overflow("timeout", "overflowed by wait"),
    _overflow("full", "overflowed by length"),
    _overflow("too_long", "overflowed by expected wait"),
    _overflow("empty", "overflowed, nobody logged in"),
    _overflow("closed", "overflowed, closed"),
    _overflow("by_key", "left by a key"),
    Definition(
        "interrupted",
        "calls",
        "interrupted",
        "waits that ended because the service stopped, was away, or did not see their end",
        _WAITS,
        lambda t: t.interrupted,
    ),
    Definition(
        "service_level_offered",
        "share",
        "service level, of all offered",
        "answered within {within} / offered",
        _WAITS,
        lambda t: _share(t.answered_in_time, t.offered),
    ),
    Definition(
        "service_level_without_short",
        "share",
        "service level, without short abandons",
        "answered within {within} / (offered - abandoned before {short})",
        _WAITS,
        lambda t: _share(t.answered_in_time, t.offered - t.abandoned_short),
    ),
    Definition(
        "service_level_abandoned_served",
        "share",
        "service level, early abandons as served",
        "(answered within {within} + abandoned within {within}) / offered",
        _WAITS,
        lambda t: _share(t.answered_in_time + t.abandoned_in_time, t.offered),
    ),
    Definition(
        "service_level_answered",
        "share",
        "service level, of those answered",
        "answered within {within} / answered",
        _WAITS,
        lambda t: _share(t.answered_in_time, t.answered),
    ),
    Definition(
        "average_wait_s",
        "s",
        "average speed of answer",
        "waits of those answered, summed up / answered",
        _WAITS,
        lambda t: _mean_s(t.wait_ms, t.answered),
    ),
    _waited("wait_median_s", "median wait", 0.5),
    _waited("wait_80_s", "80 % wait", 0.8),
    _waited("wait_95_s", "95 % wait", 0.95),
    Definition(
        "longest_wait_s",
        "s",
        "longest wait",
        "the longest wait that ended, however it ended",
        _WAITS,
        lambda t: round(t.longest_wait_ms / 1000, 3),
    ),
    Definition(
        "abandonment_rate",
        "share",
        "abandonment rate",
        "abandoned / offered",
        _WAITS,
        lambda t: _share(t.abandoned, t.offered),
    ),
    *_of_handling(QueueTally),
    *_of_surveys(QueueTally),
    Definition(
        "promises",
        "calls",
        "expected waits told",
        "waits that ended and for which, when they began, a wait was expected",
        ("queue.expected", *_WAITS),
        lambda t: len(t.promises),
    ),
    Definition(
        "promises_kept",
        "share",
        "expected waits kept",
        "share answered within the wait that was expected ({quantile} is right), by life table: who hung up sooner "
        "counts as waiting until then",
        ("queue.expected", *_WAITS),
        lambda t: None if t.promises.kept is None else round(t.promises.kept, 6),
    ),
]

_STATES = ("agent.state",)


def _in_states(tally: AgentTally, *states: str) -> int:
    return sum(tally.state_ms[state] for state in states)


_BUSY = ("connecting", "talking", "hold", "wrap_up")


def _logged_in_ms(tally: AgentTally) -> int:
    return tally.state_ms.total() - tally.state_ms["logged_out"]


_AGENT: list[Definition[AgentTally]] = [
    Definition(
        "logged_in_s",
        "s",
        "time logged in",
        "time in all states but logged_out",
        _STATES,
        lambda t: _logged_in_ms(t) / 1000,
    ),
    Definition(
        "not_ready_s",
        "s",
        "time not ready",
        "time in not_ready",
        _STATES,
        lambda t: _in_states(t, "not_ready") / 1000,
    ),
    Definition(
        "occupancy",
        "share",
        "occupancy",
        "time in connecting, talking, hold, wrap_up / (time logged in - time not ready)",
        _STATES,
        lambda t: _share(_in_states(t, *_BUSY), _logged_in_ms(t) - _in_states(t, "not_ready")),
    ),
    Definition(
        "utilisation",
        "share",
        "utilisation",
        "time in connecting, talking, hold, wrap_up / time logged in",
        _STATES,
        lambda t: _share(_in_states(t, *_BUSY), _logged_in_ms(t)),
    ),
    Definition("answered", "calls", "answered", "talks that began", ("talk.started",), lambda t: t.answered),
    *_of_handling(AgentTally),
    Definition(
        "ring_no_answers",
        "calls",
        "ring-no-answers",
        "offers that failed with reason `no_answer`",
        ("offer.failed",),
        lambda t: t.ring_no_answers,
    ),
    *_of_surveys(AgentTally),
]

QUEUE_FIGURES: Mapping[str, Definition[QueueTally]] = {one.name: one for one in _QUEUE}
AGENT_FIGURES: Mapping[str, Definition[AgentTally]] = {one.name: one for one in _AGENT}


def document() -> str:
    """The tables of docs/figures.md."""
    lines = []
    for title, definitions in (("Of a queue", _QUEUE), ("Of an agent", _AGENT)):
        lines += [f"### {title}", "", "| figure | unit | name | formula | from |", "|---|---|---|---|---|"]
        for one in definitions:
            formula = one.formula_with(Thresholds())
            kinds = ", ".join(f"`{kind}`" for kind in one.sources)
            lines.append(f"| `{one.name}` | {one.unit} | {one.title} | {formula} | {kinds} |")
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"
