"""`goto`: go on elsewhere, in this flow or for good in another one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Discriminator, Tag

from ivr.node import Name, Node, NodeId, Path, Strict, kind_of

if TYPE_CHECKING:
    from ivr.walk import Walk


class OtherFlow(Strict):
    """Another flow of the folder, from its start. It knows nothing of what this one knew."""

    flow: Name


class GotoNode(Node):
    """Go on elsewhere."""

    verb: ClassVar[str] = "goto"
    needs_caller: ClassVar[bool] = False

    goto: Annotated[
        Annotated[NodeId, Tag("<node>")] | Annotated[OtherFlow, Tag("<flow>")],
        Discriminator(kind_of("<node>", "<flow>")),
    ]

    @property
    def ends(self) -> bool:  # type: ignore[override]
        return isinstance(self.goto, OtherFlow)

    def branches(self) -> Iterator[tuple[Path, str, str]]:
        if isinstance(self.goto, str):
            yield ("goto",), "next", self.goto

    def flows(self) -> Iterator[tuple[Path, str]]:
        if isinstance(self.goto, OtherFlow):
            yield ("goto", "flow"), self.goto.flow

    def enter(self, walk: Walk) -> None:
        if isinstance(self.goto, OtherFlow):
            walk.goto_flow(self.goto.flow, {})
        else:
            walk.go(self.goto)
