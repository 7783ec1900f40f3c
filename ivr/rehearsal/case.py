"""A case as an admin writes it: who calls, what they do, and what must come of it.

Decides which keys exist and what each may hold. It refuses to know flows, and where in a file something stands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from ivr.node import Language, Name, NodeId, Number, Strict, Text, VariableName, worded
from ivr.rehearsal.answers import Written
from ivr.rehearsal.moment import moment
from ivr.verbs.to_queue import Demanded

Result = Literal["talked", "timeout", "full", "too_long", "empty", "closed", "unavailable"]
Ending = Literal["normal", "busy", "congestion", "rejected", "unallocated", "hung_up", "broken"]

DEFAULT_CALLER = "+15550142"


def _moment(given: Any) -> float:
    if isinstance(given, float):
        return given
    try:
        return moment(str(given))
    except ValueError as error:
        raise PydanticCustomError("worded", "{text}", {"text": str(error)}) from None


Moment = Annotated[float, BeforeValidator(_moment, json_schema_input_type=str)]

if TYPE_CHECKING:
    Keys = str
else:
    Keys = worded(r"[0-9*#]{1,40}", "keys of the phone: 0 to 9, * and #")


def _several(given: Any) -> Any:
    return (given,) if isinstance(given, str) else given


Texts = Annotated[tuple[Text, ...], BeforeValidator(_several, json_schema_input_type=str | list[str])]


class CaseStep(Strict):
    """One thing that the caller does or that happens to them; exactly one key."""

    hear: Text | None = Field(None, description="listen until this is being said")
    press: Keys | None = Field(None, description="listen to the end, then press these keys")
    interrupt: Keys | None = Field(None, description="press these keys now, during what is being said")
    silence: bool | None = Field(
        None, description="listen to the end, then press nothing for as long as the flow waits"
    )
    queue: Result | None = Field(None, description="what became of the wait for an agent")
    hang_up: bool | None = Field(None, description="hang up now")
    error: bool | None = Field(None, description="something breaks on our side now")

    @model_validator(mode="before")
    @classmethod
    def _bare_word(cls, given: Any) -> Any:
        return {given: True} if given in ("silence", "hang_up", "error") else given

    @model_validator(mode="after")
    def _one_key(self) -> CaseStep:
        if len(self.model_fields_set) != 1:
            raise PydanticCustomError(
                "worded", "a step is one of: {keys}", {"keys": ", ".join(type(self).model_fields)}
            )
        return self

    @property
    def key(self) -> str:
        return next(iter(self.model_fields_set))


class Expected(Strict):
    """What must have come of the call. What is not named is not looked at."""

    said: Texts = Field((), description="parts of what was said, in this order")
    not_said: Texts = ()
    nodes: tuple[NodeId, ...] = Field((), description="nodes that were entered, in this order; others may lie between")
    not_nodes: tuple[NodeId, ...] = ()
    variables: dict[VariableName, str] = Field(default_factory=dict)
    language: Language | None = None
    queue: Name | None = Field(None, description="the queue that the caller was sent to last")
    skills: Demanded | None = Field(None, description="what an agent of that queue must have")
    data: dict[Name, str] = Field(default_factory=dict, description="what that agent sees")
    at: NodeId | None = Field(None, description="the node where the caller is")
    ends: Ending | None = Field(None, description="how the call ended")


class Facts(Strict):
    """Who calls, and what is true meanwhile. What a case leaves out is the file's."""

    caller: Annotated[Number | None, Field(alias="from")] = None
    caller_name: Text | None = None
    to: Number | None = None
    at: Moment | None = Field(None, description="when: 2026-12-24 17:59 America/Bogota")
    switches: tuple[Name, ...] | None = Field(None, description="switches that are on")
    answers: Written = Field(default_factory=dict, description="node to what it is answered from outside")
    split: dict[NodeId, NodeId] = Field(default_factory=dict, description="which way a `split` node sends this caller")


class Case(Facts):
    """One call."""

    description: str = ""
    steps: tuple[CaseStep, ...] = ()
    expect: Expected = Expected()


class CaseFile(Strict):
    """Cases of one or several flows."""

    description: str = ""
    defaults: Facts = Facts()
    cases: Annotated[dict[str, Case], Field(min_length=1)]
