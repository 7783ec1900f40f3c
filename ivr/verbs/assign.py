"""`set`: remember something about the call. `language` changes what every later prompt is spoken in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from ivr.node import Node, NodeId, Path, Value, VariableName

if TYPE_CHECKING:
    from ivr.walk import Walk

LANGUAGE = "language"


class AssignNode(Node):
    """Set the language or variables."""

    verb: ClassVar[str] = "set"

    set: Annotated[dict[VariableName, Value], Field(min_length=1, description="variable to value")]
    next: NodeId

    def targets(self) -> Iterator[tuple[Path, str]]:
        yield ("next",), self.next

    def assigns(self) -> Iterator[tuple[Path, str, str]]:
        for name, value in self.set.items():
            yield ("set", name), name, value

    def enter(self, walk: Walk) -> None:
        for name, value in self.set.items():
            if name == LANGUAGE:
                walk.language = value
            else:
                walk.assign(name, value)
        walk.go(self.next)
