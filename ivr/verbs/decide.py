"""`if`: the first condition that is true chooses where to go, `else` when none is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from ivr.node import Expression, Node, NodeId, Path, Strict, Written

if TYPE_CHECKING:
    from ivr.walk import Walk


class Case(Strict):
    """A condition, and where a caller goes for whom it is true."""

    when: Expression
    to: NodeId


class IfNode(Node):
    """Choose by what is known."""

    verb: ClassVar[str] = "if"
    needs_caller: ClassVar[bool] = False

    cases: Annotated[tuple[Case, ...], Field(alias="if", min_length=1, max_length=50)]
    other: NodeId = Field(alias="else")

    def branches(self) -> Iterator[tuple[Path, str, str]]:
        for index, case in enumerate(self.cases):
            yield ("if", index, "to"), str(index + 1), case.to
        yield ("else",), "else", self.other

    def expressions(self) -> Iterator[Written]:
        for index, case in enumerate(self.cases):
            yield Written(("if", index, "when"), case.when, condition=True)

    def enter(self, walk: Walk) -> None:
        for index, case in enumerate(self.cases):
            holds = walk.evaluate(case.when)
            if holds is None:
                return
            if holds:
                walk.go(case.to, str(index + 1))
                return
        walk.go(self.other, "else")
