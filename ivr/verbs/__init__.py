"""The closed set of verbs. One verb is one file: its fields in YAML and what it does. A new one is added here."""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import Discriminator, Tag

from ivr.node import Node
from ivr.verbs.assign import AssignNode
from ivr.verbs.hangup import HangupNode
from ivr.verbs.menu import MenuNode
from ivr.verbs.say import SayNode
from ivr.verbs.to_queue import ToQueueNode

VERBS: Final[dict[str, type[Node]]] = {
    verb.verb: verb for verb in (SayNode, MenuNode, ToQueueNode, AssignNode, HangupNode)
}


def verbs_of(node: Any) -> list[str]:
    """The verbs in a node as it was written; a good one has exactly one."""
    return [key for key in node if key in VERBS] if isinstance(node, dict) else []


def _tag(node: Any) -> str | None:
    if isinstance(node, Node):
        return f"<{node.verb}>"
    verbs = verbs_of(node)
    return f"<{verbs[0]}>" if verbs else None


AnyNode = Annotated[
    Annotated[SayNode, Tag("<say>")]
    | Annotated[MenuNode, Tag("<menu>")]
    | Annotated[ToQueueNode, Tag("<to_queue>")]
    | Annotated[AssignNode, Tag("<set>")]
    | Annotated[HangupNode, Tag("<hangup>")],
    Discriminator(_tag),
]
