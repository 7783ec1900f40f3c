"""`callback`: the caller is promised a call. Nobody hears so before it is on record: that is what `next` means.

`otherwise` is for everybody else: who has such a promise already, whose number may not be called, and when nothing can
be put on record. It can be asked for after the caller has hung up as well (`on_hangup`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Discriminator, Field, Tag

from ivr.inputs import Answered, Input, KeyTyped
from ivr.node import Name, Node, NodeId, Path, QueueName, Read, Shown, Strict, Use, kind_of
from ivr.otherwise import Reasons, go, ways
from ivr.requests import OK, CallbackRequest
from ivr.verbs.transfer import Telephone
from ivr.wording import names_in

if TYPE_CHECKING:
    from ivr.walk import Walk

LIMIT_S = 5.0
"""A caller waits in silence meanwhile."""

MAX_DATA = 16


class WhyNot(Reasons):
    """Where a caller goes who is promised nothing, by why."""

    already: NodeId | None = Field(None, description="their number has such a promise already")
    not_allowed: NodeId | None = Field(None, description="it is no number, or none that the configuration allows")


Otherwise = Annotated[
    Annotated[NodeId, Tag("<node>")] | Annotated[WhyNot, Tag("<by reason>")],
    Discriminator(kind_of("<node>", "<by reason>")),
]


class Callback(Strict):
    """For which queue, on which number, with what."""

    queue: QueueName = Field(description="a queue of the configuration")
    number: Telephone = "{caller_number}"
    data: Annotated[dict[Name, Shown], Field(max_length=MAX_DATA)] = Field(
        default_factory=dict, description="what whoever calls back sees: name to text"
    )


class CallbackNode(Node):
    """Promise to call back."""

    verb: ClassVar[str] = "callback"
    waits: ClassVar[bool] = True
    needs_caller: ClassVar[bool] = False

    callback: Callback
    next: NodeId = Field(description="when it is on record")
    otherwise: Otherwise = Field(description="when nothing is promised: a node, or one for each reason")

    def branches(self) -> Iterator[tuple[Path, str, str]]:
        yield ("next",), "next", self.next
        yield from ways(self.otherwise)

    def queues(self) -> Iterator[tuple[Path, str]]:
        yield ("callback", "queue"), self.callback.queue

    def reads(self) -> Iterator[Read]:
        for variable in names_in(self.callback.number):
            yield Read(("callback", "number"), variable, Use.NUMBER)
        for name, text in self.callback.data.items():
            for variable in names_in(text):
                yield Read(("callback", "data", name), variable, Use.SCREEN)

    def shown(self) -> Iterator[tuple[Path, str]]:
        for name, text in self.callback.data.items():
            yield ("callback", "data", name), text

    def enter(self, walk: Walk) -> None:
        asked = self.callback
        data = tuple((name, walk.filled_if_known(text)) for name, text in asked.data.items())
        number = walk.filled(asked.number)
        walk.ask(CallbackRequest(asked.queue, number, walk.language, data), LIMIT_S)

    def take(self, walk: Walk, given: Input) -> None:
        match given:
            case Answered(outcome=outcome) if outcome == OK:
                walk.go(self.next)
            case Answered(outcome=outcome):
                go(walk, self.otherwise, outcome)
            case KeyTyped(key=key):
                walk.type_ahead(key, barge_in=False)
            case _:
                pass
