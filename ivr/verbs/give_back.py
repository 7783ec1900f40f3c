"""`return`: the end of a flow that another one called, with what it gives back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field

from ivr.node import Node, Read, Use, Value, VariableName
from ivr.verbs.call_flow import given
from ivr.wording import names_in

if TYPE_CHECKING:
    from ivr.walk import Walk


def _nothing(value: Any) -> Any:
    return {} if value is None else value


class ReturnNode(Node):
    """Go back to the flow that called this one."""

    verb: ClassVar[str] = "return"
    ends: ClassVar[bool] = True
    needs_caller: ClassVar[bool] = False

    values: Annotated[
        dict[VariableName, Value],
        BeforeValidator(_nothing, json_schema_input_type=dict[VariableName, Value] | None),
        Field(alias="return", description="name to value, or to a {variable}"),
    ]

    def reads(self) -> Iterator[Read]:
        for name, text in self.values.items():
            for variable in names_in(text):
                yield Read(("return", name), variable, Use.PASSED)

    def enter(self, walk: Walk) -> None:
        kinds = walk.flow.returns
        walk.return_values({name: given(walk, text, kinds[name]) for name, text in self.values.items()})
