"""What can happen to a caller in a flow, and where the caller stands.

Tokens are numbers that the interpreter gives out with prompts and timers; an input with an old one is stale and changes
nothing. Keys are the caller's secret: they live in `Position.typed` only until they are used, and never in the memory;
nor do the values of secure questions, which live in `Position.secrets`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ivr.values import Value

INPUT = "input"
QUEUE = "queue"
OUTSIDE = "outside"
ENDED = "ended"


@dataclass(frozen=True, slots=True)
class CallFacts:
    """What a flow may know of its call. It does not change while the call lasts."""

    caller_number: str = ""
    caller_name: str = ""
    dialled: str = ""
    call_id: str = ""


@dataclass(frozen=True, slots=True)
class PromptEnded:
    """`failed`: the caller did not hear it, or not all of it."""

    token: int
    interrupted: bool = False
    failed: bool = False


@dataclass(frozen=True, slots=True)
class KeyTyped:
    key: str = field(repr=False)


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


@dataclass(frozen=True, slots=True)
class Answered:
    """What somebody outside the call was asked came to this: "ok", or the name of what went wrong."""

    token: int
    outcome: str
    values: tuple[tuple[str, Value], ...] = ()


@dataclass(frozen=True, slots=True)
class HungUp:
    """The caller is gone: nothing can be said or asked any more."""


Input = PromptEnded | KeyTyped | TimerFired | QueueEnded | Answered | HungUp

Variables = tuple[tuple[str, Value], ...]


@dataclass(frozen=True, slots=True)
class Frame:
    """A flow that waits for a sub-flow to return: the node that called it, what it knows, and what was spoken there."""

    flow: str
    node: str
    variables: Variables = ()
    secrets: Variables = field(default=(), repr=False)
    secure_from: str = ""
    language: str = ""
    lost: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Position:
    """Where a caller stands in a flow.

    `flow` is the name of the flow that runs, "" when it is the one that the call began with; `frames` are those that
    wait for it, outermost first. `stage` is what is waited for: the slot of the prompt that plays, INPUT, QUEUE,
    OUTSIDE (`asking`), or ENDED when nothing is any more. `gone`: the caller has hung up, the flow has not.
    `swallow`: a key that means nothing if it comes next. `lost`: variables whose value no memory had room for.
    """

    node: str
    language: str
    stage: str = ""
    flow: str = ""
    frames: tuple[Frame, ...] = ()
    variables: Variables = ()
    secrets: Variables = field(default=(), repr=False)
    secure_from: str = ""
    secured: bool = False
    queue: str = ""
    typed: str = field(default="", repr=False)
    entered: str = field(default="", repr=False)
    tries: int = 0
    step: int = 0
    swallow: str = ""
    saying: int = 0
    asking: int = 0
    timer: int = 0
    serial: int = 0
    errors: int = 0
    gone: bool = False
    lost: tuple[str, ...] = ()

    def place(self, main: str = "") -> str:
        """The node and its flow, in one word. `main`: the flow that the call began with."""
        return f"{self.flow or main}/{self.node}"

    def to_memory(self) -> dict[str, Any]:
        """What a successor needs to `resume` here: small, plain JSON, without keys.

        Secrets are not kept: whoever has entered some begins again at the first node that asked for one.
        """
        again = next((index for index, frame in enumerate(self.frames) if frame.secure_from), len(self.frames))
        here = Frame(self.flow, self.node, self.variables, (), self.secure_from, self.language, self.lost)
        here, frames = (*self.frames, here)[again], self.frames[:again]
        memory: dict[str, Any] = {"n": here.secure_from or here.node, "l": here.language, "t": self.serial}
        if here.flow:
            memory["f"] = here.flow
        if frames:
            memory["c"] = [[frame.flow, frame.node, _known(frame), frame.language] for frame in frames]
        if known := _known(here):
            memory["v"] = known
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
        return cls(
            node=_text(memory.get("n")),
            language=_text(memory.get("l")),
            flow=_text(memory.get("f")),
            frames=_frames(memory.get("c")),
            variables=_variables(memory.get("v")),
            lost=_lost(memory.get("v")),
            queue=_text(memory.get("q")),
            serial=_count(memory.get("t")),
            errors=_count(memory.get("e")),
        )


def shorter(memory: dict[str, Any]) -> dict[str, Any] | None:
    """A position's memory without the longest value in it, None when there is none left. That there was one is kept:
    whoever resumes must not take it for empty."""
    places = [memory.get("v"), *(frame[2] for frame in memory.get("c", ()))]
    lengths = [(len(json.dumps(value)), -index, name) for index, name, value in _values(places)]
    if not lengths:
        return None
    _, index, name = max(lengths)
    places = [values | {name: None} if number == -index else values for number, values in enumerate(places)]
    frames = [[*frame[:2], values, *frame[3:]] for frame, values in zip(memory.get("c", ()), places[1:], strict=True)]
    return memory | ({"v": places[0]} if places[0] is not None else {}) | ({"c": frames} if frames else {})


def _values(places: list[Any]) -> Iterator[tuple[int, str, Value]]:
    for index, values in enumerate(places):
        for name, value in (values or {}).items():
            if value is not None:
                yield index, name, value


def _known(frame: Frame) -> dict[str, Value | None]:
    return dict(frame.variables) | dict.fromkeys(frame.lost)


def _frames(given: Any) -> tuple[Frame, ...]:
    try:
        return tuple(
            Frame(
                _text(flow), _text(node), _variables(values), language=_text(*language[:1] or ("",)), lost=_lost(values)
            )
            for flow, node, values, *language in given or ()
        )
    except (TypeError, ValueError):
        return ()


def _lost(given: Any) -> tuple[str, ...]:
    return tuple(str(name) for name, value in given.items() if value is None) if isinstance(given, dict) else ()


def _variables(given: Any) -> Variables:
    if not isinstance(given, dict):
        return ()
    return tuple((str(name), value) for name, value in given.items() if isinstance(value, (str, int, float, bool)))


def _text(given: Any) -> str:
    return given if isinstance(given, str) else ""


def _count(given: Any) -> int:
    return given if isinstance(given, int) and not isinstance(given, bool) and given >= 0 else 0
