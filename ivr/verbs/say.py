"""`say`: the caller hears a prompt, then the flow goes on.

A key pressed meanwhile is kept for the next menu; it also cuts the prompt short, and those that follow, unless
`bargein` is false.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from ivr.inputs import Input, KeyTyped, PromptEnded
from ivr.node import Language, Node, NodeId, Path, PromptRef

if TYPE_CHECKING:
    from ivr.walk import Walk


class SayNode(Node):
    """Say a prompt."""

    verb: ClassVar[str] = "say"
    waits: ClassVar[bool] = True

    say: PromptRef
    next: NodeId
    language: Language | None = Field(None, description="say it in this language, whatever the caller's is")
    bargein: bool = Field(True, description="whether a key cuts this prompt short")

    def branches(self) -> Iterator[tuple[Path, str, str]]:
        yield ("next",), "next", self.next

    def prompts(self) -> Iterator[tuple[str, Path, PromptRef]]:
        yield "say", ("say",), self.say

    def spoken_in(self) -> str | None:
        return self.language

    def enter(self, walk: Walk) -> None:
        if walk.typed and self.bargein:
            walk.go(self.next)
        else:
            walk.say("say", interruptible=self.bargein, language=self.language)

    def take(self, walk: Walk, given: Input) -> None:
        match given:
            case KeyTyped(key=key):
                walk.type_ahead(key, barge_in=self.bargein)
            case PromptEnded():
                walk.go(self.next)
            case _:
                pass
