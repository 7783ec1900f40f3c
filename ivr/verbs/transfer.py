"""`transfer`: the caller talks with an agent on their own phone, or with somebody outside; then the flow goes on.

It goes on at `next` when they have talked and the caller is still there, else at `otherwise`, if need be by why. A
number may hold variables, what a caller typed included: whether it may be dialled is decided when it is whole.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Discriminator, Field, Tag

from ivr.inputs import Answered, Input
from ivr.node import Node, NodeId, Path, Read, Seconds, Strict, Use, kind_of, worded
from ivr.otherwise import Reasons, go, ways
from ivr.requests import OK, TransferRequest
from ivr.wording import names_in

if TYPE_CHECKING:
    from ivr.walk import Walk

RING_MARGIN_S = 15.0
"""The ringing ends by itself; whoever rings says so long before this."""

if TYPE_CHECKING:
    Telephone = str
else:
    Telephone = worded(
        r"\+?(?:[0-9]|\{[a-z][a-z0-9_]{0,15}\}){1,24}",
        "an agent's number, a telephone number, or one with a {variable} in it",
    )


class WhyNot(Reasons):
    """Where a caller goes for whom nobody answered, by why."""

    busy: NodeId | None = Field(None, description="they talk already")
    no_answer: NodeId | None = Field(None, description="it rang, and nobody answered")
    refused: NodeId | None = Field(None, description="they pressed the call away")
    unreachable: NodeId | None = Field(None, description="no phone there, or no such number")
    not_allowed: NodeId | None = Field(None, description="no agent, and no number that the configuration allows")


Otherwise = Annotated[
    Annotated[NodeId, Tag("<node>")] | Annotated[WhyNot, Tag("<by reason>")],
    Discriminator(kind_of("<node>", "<by reason>")),
]


class Transfer(Strict):
    """Who is rung, and for how long."""

    to: Telephone
    ring: Annotated[Seconds, Field(ge=5, le=120)] = Field(30.0, description="how long their phone rings at most")


class TransferNode(Node):
    """Put the caller through to somebody."""

    verb: ClassVar[str] = "transfer"
    waits: ClassVar[bool] = True

    transfer: Transfer
    next: NodeId = Field(description="after the talk")
    otherwise: Otherwise = Field(description="when nobody talked to the caller: a node, or one for each reason")

    def branches(self) -> Iterator[tuple[Path, str, str]]:
        yield ("next",), "next", self.next
        yield from ways(self.otherwise)

    def reads(self) -> Iterator[Read]:
        for variable in names_in(self.transfer.to):
            yield Read(("transfer", "to"), variable, Use.NUMBER)

    def dials(self) -> Iterator[tuple[Path, str]]:
        yield ("transfer", "to"), self.transfer.to

    def enter(self, walk: Walk) -> None:
        """Keys typed until now were meant for what came before, not for what comes after the talk."""
        walk.forget_keys()
        place = f"{walk.flow.name}/{walk.node}"
        ring_s = int(self.transfer.ring)
        walk.ask(TransferRequest(walk.filled(self.transfer.to), ring_s, place), ring_s + RING_MARGIN_S)

    def take(self, walk: Walk, given: Input) -> None:
        match given:
            case Answered(outcome=outcome) if outcome == OK:
                walk.go(self.next)
            case Answered(outcome=outcome):
                go(walk, self.otherwise, outcome)
            case _:
                pass
