"""Answers to surveys, and what they come to: how content callers are, whether they would recommend us, how easy it was.

Decides the three formulas. It refuses to know who asks and where answers are kept.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any, Literal, NamedTuple

CSAT, NPS, CES = "csat", "nps", "ces"

CONTENT_FROM = 4
"""Of 1 to 5: who answers 4 or 5 is content."""

PROMOTER_FROM, DETRACTOR_TO = 9, 6
"""Of 0 to 10."""


class Answer(NamedTuple):
    """One caller's answer to one question. A later answer of the same call to the same question takes its place.

    `agent` is who talked last in the call, `queue` where they waited last; "" when nobody did.
    """

    call_id: str
    survey: str
    question: str
    type: str
    score: int
    at: float
    agent: str
    queue: str
    flow: str
    node: str

    def view(self) -> dict[str, Any]:
        return self._asdict()


@dataclass(slots=True)
class Scores:
    """How often each score was given, by type. They add up."""

    csat: Counter[int]
    nps: Counter[int]
    ces: Counter[int]

    @classmethod
    def empty(cls) -> Scores:
        return cls(Counter(), Counter(), Counter())

    def add(self, type_: str, score: int, times: int = 1) -> None:
        counted = {CSAT: self.csat, NPS: self.nps, CES: self.ces}.get(type_)
        if counted is not None:
            counted[score] += times


@dataclass(frozen=True, slots=True)
class Results:
    """None: nobody answered such a question."""

    csat_answers: int
    csat: float | None
    csat_mean: float | None
    nps_answers: int
    nps: float | None
    ces_answers: int
    ces_mean: float | None

    def view(self) -> dict[str, Any]:
        return asdict(self)


def results(scores: Scores) -> Results:
    return Results(
        scores.csat.total(),
        csat(scores.csat),
        mean(scores.csat),
        scores.nps.total(),
        nps(scores.nps),
        scores.ces.total(),
        mean(scores.ces),
    )


def csat(scores: Counter[int]) -> float | None:
    """The share of answers that are 4 or 5."""
    total = scores.total()
    return round(sum(n for score, n in scores.items() if score >= CONTENT_FROM) / total, 6) if total else None


def nps(scores: Counter[int]) -> float | None:
    """The percentage of 9 and 10, minus that of 0 to 6: from -100 to 100."""
    total = scores.total()
    if not total:
        return None
    promoters = sum(n for score, n in scores.items() if score >= PROMOTER_FROM)
    detractors = sum(n for score, n in scores.items() if score <= DETRACTOR_TO)
    return round(100 * (promoters - detractors) / total, 2)


def mean(scores: Counter[int]) -> float | None:
    total = scores.total()
    return round(sum(score * n for score, n in scores.items()) / total, 3) if total else None


By = Literal["question", "queue", "agent", "day"]
