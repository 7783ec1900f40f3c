"""One dialplan file as an admin writes it: pydantic models, from which the JSON Schema for editors comes too.

Decides which keys exist and what each may hold. It refuses to know how one node refers to another (`checks` does) and
where in a file something stands (`loader` does).
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from ivr.node import MAX_INCLUDES, FileName, Language, Name, NodeId, Number, PromptRef, Strict
from ivr.verbs import AnyNode


class PartFile(Strict):
    """What a file can lend to the flows that include it."""

    include: Annotated[tuple[FileName, ...], Field(max_length=MAX_INCLUDES)] = Field(
        (), description="parts of this folder whose `prompts` are taken in"
    )
    description: str = ""
    prompts: dict[Name, PromptRef] = Field(default_factory=dict, description="texts that nodes use by name")


class DialplanFile(PartFile):
    """One flow: what callers of some numbers meet."""

    flow: Name = Field(description="the flow's name, unique in the folder")
    numbers: Annotated[tuple[Number, ...], Field(min_length=1, description="the dialled numbers that it answers")]
    language: Language = Field(description="what callers hear first")
    languages: tuple[Language, ...] = Field(
        (), description="every language that it speaks; only `language` when absent"
    )
    start: NodeId
    on_error: NodeId | None = Field(None, description="where a call goes when something breaks")
    nodes: Annotated[dict[NodeId, AnyNode], Field(min_length=1)]

    @property
    def spoken(self) -> tuple[str, ...]:
        """Every language of the flow, the first one first."""
        return tuple(dict.fromkeys((self.language, *self.languages)))
