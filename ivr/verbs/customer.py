"""`customer`: who calls, as far as the site's list of customers tells.

`next` follows for somebody who is known; then `customer_id`, `customer_name`, `customer_tier` and `customer_language`
hold what the list says. `otherwise` is for everybody else, and when nobody can be looked up: those variables are empty.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Discriminator, Field, Tag

from ivr.inputs import Answered, Input, KeyTyped
from ivr.node import Node, NodeId, Path, Read, Strict, Use, kind_of
from ivr.otherwise import Reasons, go, ways
from ivr.requests import OK, CustomerRequest
from ivr.values import BUILT_IN
from ivr.verbs.transfer import Telephone
from ivr.wording import names_in

if TYPE_CHECKING:
    from ivr.walk import Walk

LIMIT_S = 4.0
"""A caller waits in silence meanwhile. Whoever looks up gives up before that."""

KNOWN = tuple(name for name in BUILT_IN if name.startswith("customer_"))


class WhyNot(Reasons):
    """Where a caller goes who is not recognised, by why."""

    unknown: NodeId | None = Field(None, description="no customer has this number")
    failed: NodeId | None = Field(None, description="the list cannot be read now")


class Looked(Strict):
    """By which number."""

    number: Telephone = "{caller_number}"


class CustomerNode(Node):
    """Recognise the caller by their number."""

    verb: ClassVar[str] = "customer"
    waits: ClassVar[bool] = True
    needs_caller: ClassVar[bool] = False

    customer: Looked | None
    next: NodeId = Field(description="for a customer who is known")
    otherwise: Annotated[
        Annotated[NodeId, Tag("<node>")] | Annotated[WhyNot, Tag("<by reason>")],
        Discriminator(kind_of("<node>", "<by reason>")),
    ]

    def branches(self) -> Iterator[tuple[Path, str, str]]:
        yield ("next",), "next", self.next
        yield from ways(self.otherwise)

    @property
    def number(self) -> str:
        return (self.customer or Looked()).number

    def reads(self) -> Iterator[Read]:
        for variable in names_in(self.number):
            yield Read(("customer", "number"), variable, Use.NUMBER)

    def enter(self, walk: Walk) -> None:
        walk.ask(CustomerRequest(walk.filled(self.number)), LIMIT_S)

    def take(self, walk: Walk, given: Input) -> None:
        if isinstance(given, KeyTyped):
            walk.type_ahead(given.key, barge_in=False)
        if not isinstance(given, Answered):
            return
        known = dict(given.values) if given.outcome == OK else {}
        for name in KNOWN:
            walk.assign(name, known.get(name, ""))
        if given.outcome == OK:
            walk.go(self.next)
        else:
            go(walk, self.otherwise, given.outcome)
