"""`call`: run another flow and come back. It knows only what it is given, and gives back only what it returns."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from ivr.node import VARIABLE as WHOLE_VARIABLE
from ivr.node import Name, Node, NodeId, Path, Read, Strict, Use, Value, VariableName
from ivr.values import EMPTY, Kind, read
from ivr.values import Value as AnyValue
from ivr.wording import names_in

if TYPE_CHECKING:
    from ivr.walk import Walk


class Call(Strict):
    """Which flow, what it is given, and what is kept of what it returns."""

    flow: Name
    given: dict[VariableName, Value] = Field(
        default_factory=dict, alias="with", description="parameter to value, or to a {variable}"
    )
    save: dict[VariableName, VariableName] = Field(
        default_factory=dict, description="variable here to the name that the flow returns it under"
    )


class CallNode(Node):
    """Run another flow, then go on."""

    verb: ClassVar[str] = "call"

    call: Call
    next: NodeId

    def branches(self) -> Iterator[tuple[Path, str, str]]:
        yield ("next",), "next", self.next

    def flows(self) -> Iterator[tuple[Path, str]]:
        yield ("call", "flow"), self.call.flow

    def calls(self) -> str:
        return self.call.flow

    def reads(self) -> Iterator[Read]:
        for param, text in self.call.given.items():
            for name in names_in(text):
                yield Read(("call", "with", param), name, Use.PASSED)

    def enter(self, walk: Walk) -> None:
        params = walk.flow_named(self.call.flow).params
        values = {param: given(walk, text, params[param]) for param, text in self.call.given.items()}
        walk.call_flow(self.call.flow, values)

    def returned(self, walk: Walk, values: dict[str, AnyValue]) -> None:
        for name, theirs in self.call.save.items():
            walk.assign(name, values.get(theirs, walk.flow.empty(name)))
        walk.go(self.next)


def given(walk: Walk, text: str, kind: Kind) -> AnyValue:
    """A value as it is written, as one of this kind; a whole variable is of it already."""
    whole = WHOLE_VARIABLE.fullmatch(text)
    if whole is not None:
        return walk.value(whole[1])
    value = read(walk.filled(text), kind)
    return EMPTY[kind] if value is None else value
