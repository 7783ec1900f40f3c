"""`split`: a share of the callers goes each way, for trials. The lot is drawn from the call's id: the same call that is
played again goes the same way, and two splits draw independently.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from ivr.node import Node, NodeId, Path

if TYPE_CHECKING:
    from ivr.walk import Walk

Weight = Annotated[int, Field(ge=1, le=1000)]


class SplitNode(Node):
    """Send shares of the callers different ways."""

    verb: ClassVar[str] = "split"
    needs_caller: ClassVar[bool] = False

    split: Annotated[dict[NodeId, Weight], Field(min_length=2, description="node to weight")]

    def branches(self) -> Iterator[tuple[Path, str, str]]:
        for node in self.split:
            yield ("split", node), node, node

    def enter(self, walk: Walk) -> None:
        chosen = self.chosen(walk.call.call_id, walk.flow.name, walk.node)
        walk.go(chosen, chosen)

    def chosen(self, call_id: str, flow: str, node: str) -> str:
        """Where this node of a flow sends a call."""
        lot = draw(f"{call_id} {flow} {node}") * sum(self.split.values())
        chosen = ""
        for chosen, weight in self.split.items():  # noqa: B007 - the last one that is looked at
            lot -= weight
            if lot < 0:
                break
        return chosen


def draw(seed: str) -> float:
    """A number from 0 to below 1 that is the same for the same text, and evenly spread."""
    return int.from_bytes(hashlib.sha256(seed.encode()).digest()[:7]) / 2**56
