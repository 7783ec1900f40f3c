"""`wait`: some seconds of silence, or of music. Keys typed meanwhile are kept for whoever asks next."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field

from ivr.inputs import Input, KeyTyped, TimerFired
from ivr.node import Name, Node, NodeId, Path, Seconds, Strict

if TYPE_CHECKING:
    from ivr.walk import Walk


class Wait(Strict):
    """How long, and what the caller hears."""

    seconds: Annotated[Seconds, Field(alias="for", gt=0, le=600)]
    music: Name | None = Field(None, description="a class of music; silence when absent")


def _just_seconds(given: Any) -> Any:
    return given if isinstance(given, (dict, Wait)) else {"for": given}


class WaitNode(Node):
    """Let time pass."""

    verb: ClassVar[str] = "wait"
    waits: ClassVar[bool] = True

    wait: Annotated[Wait, BeforeValidator(_just_seconds, json_schema_input_type=Wait | str)]
    next: NodeId

    def branches(self) -> Iterator[tuple[Path, str, str]]:
        yield ("next",), "next", self.next

    def enter(self, walk: Walk) -> None:
        if self.wait.music is not None:
            walk.music(self.wait.music)
        walk.listen("wait", self.wait.seconds)

    def take(self, walk: Walk, given: Input) -> None:
        match given:
            case KeyTyped(key=key):
                walk.type_ahead(key, barge_in=False)
            case TimerFired():
                if self.wait.music is not None:
                    walk.music("")
                walk.go(self.next)
            case _:
                pass
