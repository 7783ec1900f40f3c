"""What can happen to a caller in a flow, and where the caller stands.

Tokens are numbers that the interpreter gives out with prompts and timers; an input with an old one is stale and changes
nothing. Keys are the caller's secret: they live in `Position.typed` only until they are used, and never in the memory.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

INPUT = "input"
QUEUE = "queue"
ENDED = "ended"


@dataclass(frozen=True, slots=True)
class CallFacts:
    """What a flow may know of its call. It does not change while the call lasts."""

    caller_number: str = ""
    caller_name: str = ""
    dialled: str = ""


@dataclass(frozen=True, slots=True)
class PromptEnded:
    """`failed`: the caller did not hear it, or not all of it."""

    token: int
    interrupted: bool = False
    failed: bool = False


@dataclass(frozen=True, slots=True)
class KeyTyped:
    key: str


@dataclass(frozen=True, slots=True)
class TimerFired:
    token: int


@dataclass(frozen=True, slots=True)
class QueueEnded:
    """The caller is back from the queue. `result` is "talked", or the reason why nobody talked to them.

    `key`: what they pressed, when it is "by_key".
    """

    result: str
    key: str = ""


Input = PromptEnded | KeyTyped | TimerFired | QueueEnded


@dataclass(frozen=True, slots=True)
class Position:
    """Where a caller stands in a flow.

    `stage` is what is waited for: the slot of the prompt that plays, INPUT, QUEUE, or ENDED when nothing is any more.
    """

    node: str
    language: str
    stage: str = ""
    variables: tuple[tuple[str, str], ...] = ()
    queue: str = ""
    typed: str = ""
    tries: int = 0
    saying: int = 0
    timer: int = 0
    serial: int = 0
    errors: int = 0

    def to_memory(self) -> dict[str, Any]:
        """What a successor needs to `resume` here: small, plain JSON, without keys."""
        memory: dict[str, Any] = {"n": self.node, "l": self.language, "t": self.serial}
        if self.variables:
            memory["v"] = dict(self.variables)
        if self.queue:
            memory["q"] = self.queue
        if self.errors:
            memory["e"] = self.errors
        return memory

    @classmethod
    def from_memory(cls, memory: Any) -> Position:
        """Total: what is not there or not ours becomes empty, and `resume` begins at the flow's start."""
        if not isinstance(memory, dict):
            memory = {}
        variables = memory.get("v")
        return cls(
            node=_text(memory.get("n")),
            language=_text(memory.get("l")),
            variables=tuple((str(name), str(value)) for name, value in variables.items())
            if isinstance(variables, dict)
            else (),
            queue=_text(memory.get("q")),
            serial=_count(memory.get("t")),
            errors=_count(memory.get("e")),
        )


def _text(given: Any) -> str:
    return given if isinstance(given, str) else ""


def _count(given: Any) -> int:
    return given if isinstance(given, int) and not isinstance(given, bool) and given >= 0 else 0
