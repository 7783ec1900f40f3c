"""`menu`: a prompt, and a key chooses where to go.

A key counts whenever it is pressed: before the prompt (typed ahead), during it (barge-in) and after it. The time for an
answer begins at the prompt's END. A wrong key and no key are counted together; after `tries` the flow goes `otherwise`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from ivr.inputs import INPUT, Input, KeyTyped, PromptEnded, TimerFired
from ivr.node import Key, Node, NodeId, Path, PromptRef, Seconds, Strict

if TYPE_CHECKING:
    from ivr.walk import Walk

PROMPT, INVALID, NO_INPUT = "prompt", "invalid", "no_input"


class Menu(Strict):
    """What is asked, and what the answers mean."""

    prompt: PromptRef
    keys: Annotated[dict[Key, NodeId], Field(min_length=1, description="phone key to node")]
    invalid: PromptRef | None = Field(None, description="said after a wrong key, before the menu is said again")
    no_input: PromptRef | None = Field(None, description="said when no key came in time, before the menu again")
    timeout: Annotated[Seconds, Field(ge=0.5, le=60)] = Field(5.0, description="how long to wait after the prompt")
    tries: Annotated[int, Field(ge=1, le=9)] = Field(3, description="how often the caller may fail")
    otherwise: NodeId = Field(description="where the flow goes after so many tries")
    bargein: bool = Field(True, description="whether a key cuts the prompts short")


class MenuNode(Node):
    """Let the caller choose by key."""

    verb: ClassVar[str] = "menu"

    menu: Menu

    def targets(self) -> Iterator[tuple[Path, str]]:
        for key, node in self.menu.keys.items():
            yield ("menu", "keys", key), node
        yield ("menu", "otherwise"), self.menu.otherwise

    def prompts(self) -> Iterator[tuple[str, Path, str | dict[str, str]]]:
        for slot in (PROMPT, INVALID, NO_INPUT):
            ref = getattr(self.menu, slot)
            if ref is not None:
                yield slot, ("menu", slot), ref

    def enter(self, walk: Walk) -> None:
        self._ask(walk)

    def take(self, walk: Walk, given: Input) -> None:
        match given:
            case KeyTyped(key=key) if walk.stage == INPUT:
                walk.stop_listening()
                self._choose(walk, key)
            case KeyTyped(key=key):
                walk.type_ahead(key, barge_in=self.menu.bargein)
            case PromptEnded() if walk.typed:
                self._choose(walk, walk.next_typed())
            case PromptEnded() if walk.stage == PROMPT:
                walk.listen(NO_INPUT, self.menu.timeout)
            case PromptEnded():
                walk.say(PROMPT, interruptible=self.menu.bargein)
            case TimerFired():
                self._failed(walk, NO_INPUT)
            case _:
                pass

    def _ask(self, walk: Walk) -> None:
        if walk.typed:
            self._choose(walk, walk.next_typed())
        else:
            walk.say(PROMPT, interruptible=self.menu.bargein)

    def _choose(self, walk: Walk, key: str) -> None:
        node = self.menu.keys.get(key)
        if node is None:
            walk.forget_typed()  # what was typed after a wrong key was meant for a menu that is not there
            self._failed(walk, INVALID)
        else:
            self._note(walk, "match")
            walk.go(node)

    def _failed(self, walk: Walk, outcome: str) -> None:
        self._note(walk, outcome)
        walk.tries += 1
        if walk.tries >= self.menu.tries:
            self._note(walk, "too_many")
            walk.go(self.menu.otherwise)
        else:
            walk.say(outcome if walk.has(outcome) else PROMPT, interruptible=self.menu.bargein)

    @staticmethod
    def _note(walk: Walk, outcome: str) -> None:
        walk.note("menu.outcome", {"node": walk.node, "outcome": outcome})
