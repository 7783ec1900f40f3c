"""`switch`: whether somebody has flipped a switch, without editing the flow: an outage, a closed road, a fire drill."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from ivr.node import Name, Node, NodeId, Path

if TYPE_CHECKING:
    from ivr.walk import Walk


class SwitchNode(Node):
    """Choose by a switch that people flip."""

    verb: ClassVar[str] = "switch"
    needs_caller: ClassVar[bool] = False

    switch: Name = Field(description="the switch's name")
    on: NodeId
    off: NodeId

    def branches(self) -> Iterator[tuple[Path, str, str]]:
        yield ("on",), "on", self.on
        yield ("off",), "off", self.off

    def switches(self) -> Iterator[tuple[Path, str]]:
        yield ("switch",), self.switch

    def enter(self, walk: Walk) -> None:
        if walk.around.switched_on(self.switch):
            walk.go(self.on, "on")
        else:
            walk.go(self.off, "off")
