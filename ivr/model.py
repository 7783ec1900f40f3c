"""One dialplan file as an admin writes it: pydantic models, from which the JSON Schema for editors comes too.

Decides which keys exist and what each may hold. It refuses to know how one node refers to another (`checks` does) and
where in a file something stands (`loader` does).
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from ivr.node import (
    MAX_INCLUDES,
    FileName,
    Language,
    Name,
    NodeId,
    Number,
    PromptRef,
    ServiceName,
    Strict,
    VariableName,
)
from ivr.opening import Hours, TimeZone
from ivr.services import Service
from ivr.values import Kind
from ivr.verbs import AnyNode
from ivr.wording import in_place_of

Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]


class PartFile(Strict):
    """What a file can lend to the flows that include it."""

    include: Annotated[tuple[FileName, ...], Field(max_length=MAX_INCLUDES)] = Field(
        (), description="parts of this folder whose `prompts`, `hours` and `services` are taken in"
    )
    description: str = ""
    hours: dict[Name, Hours] = Field(default_factory=dict, description="opening hours that nodes use by name")
    prompts: dict[Name, PromptRef] = Field(default_factory=dict, description="texts that nodes use by name")
    services: dict[ServiceName, Service] = Field(default_factory=dict, description="other systems that nodes ask")


class DialplanFile(PartFile):
    """One flow: what callers of some numbers meet, or what other flows call."""

    flow: Name = Field(description="the flow's name, unique in the folder")
    numbers: tuple[Number, ...] = Field(
        (), description="the dialled numbers that it answers; none: other flows call it"
    )
    params: dict[VariableName, Kind] = Field(default_factory=dict, description="what it is given when it is called")
    returns: dict[VariableName, Kind] = Field(default_factory=dict, description="what it gives back")
    language: Language = Field(description="what callers hear first")
    languages: tuple[Language, ...] = Field(
        (), description="every language that it speaks; only `language` when absent"
    )
    fallback: dict[Language, Language] = Field(
        default_factory=dict, description="where a prompt has no translation to this language, it is heard in that one"
    )
    currency: Currency | None = Field(None, description="what amounts are spoken in: USD, EUR, ...")
    time_zone: TimeZone = Field("UTC", description="where today is, as America/Bogota")
    start: NodeId
    on_error: NodeId | None = Field(None, description="where a call goes when something breaks")
    on_hangup: NodeId | None = Field(None, description="what happens when the caller hangs up; nobody hears it")
    nodes: Annotated[dict[NodeId, AnyNode], Field(min_length=1)]

    @property
    def spoken(self) -> tuple[str, ...]:
        """Every language of the flow, the first one first."""
        return tuple(dict.fromkeys((self.language, *self.languages)))

    def heard_for(self, language: str) -> tuple[str, ...]:
        """This language and those that are heard in its place, the nearest first."""
        return in_place_of(language, self.fallback)
