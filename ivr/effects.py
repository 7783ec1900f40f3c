"""What the interpreter wants done. The session carries effects out in their order; the interpreter never looks back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ivr.handover import Handover
from ivr.inputs import Position


@dataclass(frozen=True, slots=True)
class Say:
    """Say prepared texts one after another; answered by one `PromptEnded(token)`."""

    pieces: tuple[str, ...]
    language: str
    interruptible: bool
    token: int


@dataclass(frozen=True, slots=True)
class StopSaying:
    """Stop what is being said; its `PromptEnded` still comes."""

    token: int


@dataclass(frozen=True, slots=True)
class StartTimer:
    """Answered by `TimerFired(token)` unless cancelled. `name` says what ran out, for people."""

    name: str
    seconds: float
    token: int


@dataclass(frozen=True, slots=True)
class CancelTimer:
    token: int


@dataclass(frozen=True, slots=True)
class EnterQueue:
    """Hand the caller over; answered by `QueueEnded`."""

    handover: Handover


@dataclass(frozen=True, slots=True)
class End:
    """The flow is over: hang up with this Q.850 cause."""

    cause: int


@dataclass(frozen=True, slots=True)
class Break:
    """The flow cannot go on and has nowhere to go with the error."""

    reason: str


@dataclass(frozen=True, slots=True)
class NoteEvent:
    """Worth an event in the call's history."""

    kind: str
    data: dict[str, Any]


Effect = Say | StopSaying | StartTimer | CancelTimer | EnterQueue | End | Break | NoteEvent


@dataclass(frozen=True, slots=True)
class Step:
    """Where the caller stands now, and what is to be done about it."""

    position: Position
    effects: tuple[Effect, ...]
