"""`hangup`: the end of the call. What the caller should hear before is a `say` of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field

from ivr.node import Node, Strict

if TYPE_CHECKING:
    from ivr.walk import Walk

Cause = Literal["normal", "busy", "congestion", "rejected", "unallocated"]

Q850: dict[Cause, int] = {"normal": 16, "busy": 17, "congestion": 34, "rejected": 21, "unallocated": 1}


class Hangup(Strict):
    """How the call ends, as the caller's network sees it."""

    cause: Cause = "normal"


def _nothing_is_normal(given: Any) -> Any:
    return {} if given is None else given


class HangupNode(Node):
    """End the call."""

    verb: ClassVar[str] = "hangup"
    ends: ClassVar[bool] = True
    needs_caller: ClassVar[bool] = False

    hangup: Annotated[Hangup, BeforeValidator(_nothing_is_normal, json_schema_input_type=Hangup | None)] = Field()

    def enter(self, walk: Walk) -> None:
        walk.end(Q850[self.hangup.cause])
