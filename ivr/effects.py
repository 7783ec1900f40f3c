"""What the interpreter wants done. The session carries effects out in their order; the interpreter never looks back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ivr.handover import Handover
from ivr.inputs import Position
from ivr.requests import What
from ivr.wording import Spoken


@dataclass(frozen=True, slots=True)
class Say:
    """Say prepared pieces one after another; answered by one `PromptEnded(token)`."""

    pieces: tuple[Spoken, ...]
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
class Request:
    """Ask something outside the call; answered by one `Answered(token)` within `limit_s` seconds."""

    what: What
    token: int
    limit_s: float


@dataclass(frozen=True, slots=True)
class DropRequest:
    """Nobody waits for this answer any more."""

    token: int


@dataclass(frozen=True, slots=True)
class Music:
    """Music from now on, or none when there is no class."""

    music_class: str


@dataclass(frozen=True, slots=True)
class Secure:
    """A step begins, or ends, of which nothing may be recorded."""

    on: bool


@dataclass(frozen=True, slots=True)
class Went:
    """The caller leaves a node by one of its branches. For those who watch a flow; it changes nothing."""

    flow: str
    node: str
    label: str
    target: str


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


Effect = (
    Say
    | StopSaying
    | StartTimer
    | CancelTimer
    | Request
    | DropRequest
    | Music
    | Secure
    | Went
    | EnterQueue
    | End
    | Break
    | NoteEvent
)


@dataclass(frozen=True, slots=True)
class Step:
    """Where the caller stands now, and what is to be done about it."""

    position: Position
    effects: tuple[Effect, ...]
