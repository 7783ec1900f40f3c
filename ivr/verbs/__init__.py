"""The closed set of verbs. One verb is one file: its fields in YAML and what it does. A new one is added here."""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Annotated, Any, Final

from pydantic import Discriminator, Tag

from ivr.node import Node
from ivr.verbs.ask import AskNode
from ivr.verbs.assign import AssignNode
from ivr.verbs.call_flow import CallNode
from ivr.verbs.callback import CallbackNode
from ivr.verbs.customer import CustomerNode
from ivr.verbs.decide import IfNode
from ivr.verbs.give_back import ReturnNode
from ivr.verbs.goto import GotoNode
from ivr.verbs.hangup import HangupNode
from ivr.verbs.hours import HoursNode
from ivr.verbs.http import HttpNode
from ivr.verbs.menu import MenuNode
from ivr.verbs.say import SayNode
from ivr.verbs.split import SplitNode
from ivr.verbs.survey import SurveyNode
from ivr.verbs.switch import SwitchNode
from ivr.verbs.to_queue import ToQueueNode
from ivr.verbs.transfer import TransferNode
from ivr.verbs.voicemail import VoicemailNode
from ivr.verbs.wait import WaitNode

_ALL: tuple[type[Node], ...] = (
    SayNode,
    MenuNode,
    AskNode,
    AssignNode,
    IfNode,
    HoursNode,
    HttpNode,
    CustomerNode,
    SplitNode,
    SwitchNode,
    WaitNode,
    GotoNode,
    CallNode,
    ReturnNode,
    ToQueueNode,
    TransferNode,
    CallbackNode,
    VoicemailNode,
    SurveyNode,
    HangupNode,
)

VERBS: Final[dict[str, type[Node]]] = {verb.verb: verb for verb in _ALL}


def verbs_of(node: Any) -> list[str]:
    """The verbs in a node as it was written; a good one has exactly one."""
    return [key for key in node if key in VERBS] if isinstance(node, dict) else []


def _tag(node: Any) -> str | None:
    if isinstance(node, Node):
        return f"<{node.verb}>"
    verbs = verbs_of(node)
    return f"<{verbs[0]}>" if verbs else None


if TYPE_CHECKING:
    AnyNode = Node
else:
    AnyNode = Annotated[
        reduce(or_, (Annotated[verb, Tag(f"<{verb.verb}>")] for verb in _ALL)),
        Discriminator(_tag),
    ]
