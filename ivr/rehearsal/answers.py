"""What is answered from outside in a rehearsed call: written down beforehand, by the node that asks.

Decides how an answer is written: the name of what went wrong, or the values that come back; a list is one answer after
the other, the last one again and again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from ivr.flow import Flow
from ivr.rehearsal.rehearsal import Answer
from ivr.requests import FAILED, OK, HttpRequest, SurveyAnswer, What
from ivr.values import Kind, Value, fits, read, shown

OneAnswer = str | dict[str, str]


def _answer(given: Any) -> Any:
    one = given if isinstance(given, (list, tuple)) else (given,)
    for answer in one:
        if not isinstance(answer, (str, dict)) or (
            isinstance(answer, dict) and not all(isinstance(value, str) for value in answer.values())
        ):
            raise PydanticCustomError("worded", "an answer is what went wrong (a word), or a mapping of values")
    return tuple(one)


AnswersOf = Annotated[
    tuple[OneAnswer, ...],
    BeforeValidator(_answer, json_schema_input_type=OneAnswer | list[OneAnswer]),
    Field(min_length=1, description="`ok`, what went wrong, or values by name; or a list of these"),
]
Written = dict[str, AnswersOf]
"""`NODE` or `FLOW/NODE` to what it is answered."""


class WrittenAnswers:
    """Satisfies `Answers`, for one call."""

    def __init__(self, written: Mapping[str, tuple[OneAnswer, ...]], flows: Mapping[str, Flow]) -> None:
        self._written = written
        self._flows = flows
        self._given: dict[str, int] = {}

    def __call__(self, flow: str, node: str, what: What) -> Answer | None:
        key = next((key for key in (f"{flow}/{node}", node) if key in self._written), None)
        if key is None:
            return (OK, ()) if isinstance(what, SurveyAnswer) else None  # nothing comes back that could differ
        answers, number = self._written[key], self._given.get(key, 0)
        self._given[key] = number + 1
        found = answers[min(number, len(answers) - 1)]
        return (found, ()) if isinstance(found, str) else answer_of(self._flows[flow], node, what, found)


def answer_of(flow: Flow, node: str, what: What, written: Mapping[str, str]) -> Answer:
    """What these values come to where they are wanted: as from a real system, one that does not fit is no answer."""
    values = dict(_typed_values(flow, node, written))
    for saved in what.save if isinstance(what, HttpRequest) else ():
        value = values.get(saved.name)
        if value is None or not fits(value, saved.kind) or (saved.one_of and value not in saved.one_of):
            if saved.default is None:
                return FAILED, ()
            values[saved.name] = saved.default
    return OK, tuple(values.items())


def _typed_values(flow: Flow, node: str, written: Mapping[str, str]) -> tuple[tuple[str, Value], ...]:
    """Values as the flow knows them: of the kind that the node's variable has. One that does not fit stays a text."""
    kinds = {one.name: one.kind for one in flow.nodes[node].sets() if one.kind is not None}
    values: list[tuple[str, Value]] = []
    for name, text in written.items():
        value = read(text, kinds.get(name, flow.kind(name)))
        values.append((name, text if value is None else value))
    return tuple(values)


def same(value: Value, written: str, kind: Kind) -> bool:
    """Whether a variable holds what is written."""
    return value == read(written, kind) or shown(value) == written
