"""`set`: remember something about the call. `language` changes what every later prompt is spoken in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Discriminator, Field, Tag

from ivr.node import Expression, Node, NodeId, Path, Sets, Strict, Value, VariableName, Written, kind_of
from ivr.values import Kind

if TYPE_CHECKING:
    from ivr.walk import Walk

LANGUAGE = "language"


class Computed(Strict):
    """A value that is worked out when the caller comes here."""

    expr: Expression


Given = Annotated[
    Annotated[Value, Tag("<value>")] | Annotated[Computed, Tag("<computed>")],
    Discriminator(kind_of("<value>", "<computed>")),
]


class AssignNode(Node):
    """Set the language or variables."""

    verb: ClassVar[str] = "set"
    needs_caller: ClassVar[bool] = False

    set: Annotated[dict[VariableName, Given], Field(min_length=1, description="variable to value, or to {expr: ...}")]
    next: NodeId

    def branches(self) -> Iterator[tuple[Path, str, str]]:
        yield ("next",), "next", self.next

    def sets(self) -> Iterator[Sets]:
        for name, value in self.set.items():
            if isinstance(value, Computed):
                yield Sets(("set", name), name, None, expr=value.expr)
            else:
                yield Sets(("set", name), name, kind_of_constant(value), frozenset({value}))

    def expressions(self) -> Iterator[Written]:
        for name, value in self.set.items():
            if isinstance(value, Computed):
                yield Written(("set", name, "expr"), value.expr, condition=False)

    def enter(self, walk: Walk) -> None:
        for name, given in self.set.items():
            value = walk.evaluate(given.expr) if isinstance(given, Computed) else given
            if value is None:
                return
            if name == LANGUAGE:
                walk.language = str(value)
            else:
                walk.assign(name, value)
        walk.go(self.next)


def kind_of_constant(value: str) -> Kind:
    return Kind.DIGITS if value.isascii() and value.isdecimal() else Kind.TEXT
