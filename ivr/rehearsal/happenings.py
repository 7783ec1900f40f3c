"""What happens in a rehearsed call, in the order in which it happens. `at` is unix seconds of the rehearsed time."""

from __future__ import annotations

from dataclasses import dataclass

from ivr.handover import Handover
from ivr.requests import What
from ivr.values import Value


@dataclass(frozen=True, slots=True)
class Happening:
    """Base of all."""

    at: float


@dataclass(frozen=True, slots=True)
class Entered(Happening):
    flow: str
    node: str


@dataclass(frozen=True, slots=True)
class Left(Happening):
    """A node, by one of its branches."""

    flow: str
    node: str
    label: str
    target: str


@dataclass(frozen=True, slots=True)
class Said(Happening):
    """The caller begins to hear this. Values are in words."""

    text: str
    language: str


@dataclass(frozen=True, slots=True)
class Pressed(Happening):
    """A key. `during`: it cut a prompt short."""

    key: str
    during: bool


@dataclass(frozen=True, slots=True)
class StayedSilent(Happening):
    seconds: float


@dataclass(frozen=True, slots=True)
class Waited(Happening):
    """The flow let time pass."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Asked(Happening):
    """Somebody outside the call."""

    what: What


@dataclass(frozen=True, slots=True)
class GotAnswer(Happening):
    outcome: str
    values: tuple[tuple[str, Value], ...]


@dataclass(frozen=True, slots=True)
class Queued(Happening):
    handover: Handover


@dataclass(frozen=True, slots=True)
class LeftQueue(Happening):
    result: str
    key: str


@dataclass(frozen=True, slots=True)
class Heard(Happening):
    """Music from now on; none when there is no class."""

    music_class: str


@dataclass(frozen=True, slots=True)
class Guarded(Happening):
    """A step begins, or ends, of which nothing may be recorded."""

    on: bool


@dataclass(frozen=True, slots=True)
class Stumbled(Happening):
    """Something broke in a node, and the flow goes `on_error` if it has one."""

    reason: str


@dataclass(frozen=True, slots=True)
class HungUp(Happening):
    """By the caller."""


@dataclass(frozen=True, slots=True)
class Over(Happening):
    """The flow is, with this Q.850 cause."""

    cause: int


@dataclass(frozen=True, slots=True)
class Broke(Happening):
    """The flow could not go on."""

    reason: str
