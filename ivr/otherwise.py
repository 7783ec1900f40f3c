"""`otherwise` of a node that asks somebody outside the call: one way for every failure, or one for each reason."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pydantic import Field

from ivr.node import NodeId, Path, Strict

if TYPE_CHECKING:
    from ivr.walk import Walk


class Reasons(Strict):
    """Base: a verb adds the reasons that it knows, each a field `NodeId | None`."""

    other: NodeId = Field(alias="else", description="every other reason")

    def nodes(self) -> Iterator[tuple[str, str]]:
        for reason in type(self).model_fields:
            node = getattr(self, reason)
            if reason != "other" and node is not None:
                yield reason, node
        yield "else", self.other


def ways(otherwise: str | Reasons) -> Iterator[tuple[Path, str, str]]:
    """The branches of a node, as `Node.branches` has them."""
    if isinstance(otherwise, str):
        yield ("otherwise",), "otherwise", otherwise
    else:
        for reason, node in otherwise.nodes():
            yield ("otherwise", reason), reason, node


def go(walk: Walk, otherwise: str | Reasons, reason: str) -> None:
    """Leave the node that could not have what it wanted."""
    if isinstance(otherwise, str):
        walk.go(otherwise, "otherwise")
        return
    nodes = dict(otherwise.nodes())
    label = reason if reason in nodes else "else"
    walk.go(nodes[label], label)
