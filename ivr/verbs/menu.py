"""`menu`: a prompt, and a key chooses where to go.

A key counts whenever it is pressed: before the prompt (typed ahead), during it (barge-in) and after it. The time for an
answer begins at the prompt's END. A wrong key and no key are counted together; after `tries` the flow goes `otherwise`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from ivr.inputs import INPUT, Input, KeyTyped, PromptEnded, TimerFired
from ivr.node import Key, Language, Node, NodeId, Path, Phrase, PromptRef, Seconds, Strict, Wordings, slot_of

if TYPE_CHECKING:
    from ivr.walk import Walk

PROMPT, INVALID, NO_INPUT = "prompt", "invalid", "no_input"


class Menu(Strict):
    """What is asked, and what the answers mean."""

    prompt: Wordings
    keys: Annotated[dict[Key, NodeId], Field(min_length=1, description="phone key to node")]
    words: dict[NodeId, dict[Language, tuple[Phrase, ...]]] = Field(
        default_factory=dict, description="what callers may say instead of a key: node to phrases, by language"
    )
    invalid: Wordings | None = Field(None, description="said after a wrong key, before the menu is said again")
    no_input: Wordings | None = Field(None, description="said when no key came in time, before the menu again")
    timeout: Annotated[Seconds, Field(ge=0.5, le=60)] = Field(5.0, description="how long to wait after the prompt")
    tries: Annotated[int, Field(ge=1, le=9)] = Field(3, description="how often the caller may fail")
    otherwise: NodeId = Field(description="where the flow goes after so many tries")
    bargein: bool = Field(True, description="whether a key cuts the prompts short")


class MenuNode(Node):
    """Let the caller choose by key."""

    verb: ClassVar[str] = "menu"
    waits: ClassVar[bool] = True

    menu: Menu

    def branches(self) -> Iterator[tuple[Path, str, str]]:
        for key, node in self.menu.keys.items():
            yield ("menu", "keys", key), key, node
        yield ("menu", "otherwise"), "otherwise", self.menu.otherwise

    def prompts(self) -> Iterator[tuple[str, Path, PromptRef]]:
        for slot in (PROMPT, INVALID, NO_INPUT):
            for number, ref in enumerate(getattr(self.menu, slot) or ()):
                yield slot_of(slot, number), ("menu", slot, number), ref

    def contradictions(self) -> Iterator[tuple[Path, str]]:
        for node in self.menu.words:
            if node not in self.menu.keys.values():
                yield ("menu", "words", node), f"no key leads to {node!r}: whoever cannot speak could not choose it"

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
            case PromptEnded() if walk.stage.startswith(PROMPT):
                if walk.swallow in self.menu.keys:
                    walk.swallow = ""  # it was heard: such a key is a choice from now on
                walk.listen(NO_INPUT, self.menu.timeout)
            case PromptEnded():
                self._say(walk, PROMPT, walk.tries)
            case TimerFired():
                self._failed(walk, NO_INPUT)
            case _:
                pass

    def _ask(self, walk: Walk) -> None:
        if walk.typed:
            self._choose(walk, walk.next_typed())
        else:
            self._say(walk, PROMPT, 0)

    def _say(self, walk: Walk, slot: str, number: int) -> None:
        walk.say(walk.wording_for(slot, number) or PROMPT, interruptible=self.menu.bargein)

    def _choose(self, walk: Walk, key: str) -> None:
        node = self.menu.keys.get(key)
        if node is None:
            walk.forget_typed()  # what was typed after a wrong key was meant for a menu that is not there
            self._failed(walk, INVALID)
        else:
            self._note(walk, "match")
            walk.go(node, key)

    def _failed(self, walk: Walk, outcome: str) -> None:
        self._note(walk, outcome)
        walk.tries += 1
        if walk.tries >= self.menu.tries:
            self._note(walk, "too_many")
            walk.go(self.menu.otherwise, "otherwise")
        elif walk.has(outcome):
            self._say(walk, outcome, walk.tries - 1)
        else:
            self._say(walk, PROMPT, walk.tries)

    @staticmethod
    def _note(walk: Walk, outcome: str) -> None:
        walk.note("menu.outcome", {"node": walk.node, "outcome": outcome})
