"""What the engine wants done, imperative and frozen. The shell carries them out in the order of the list."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from acd.model import WaitingCaller


class TimerKind(StrEnum):
    OFFER = "offer"  # key: offer. Rings, or connects, for too long
    WRAP_UP = "wrap_up"  # key: agent
    REST = "rest"  # key: agent. May be offered calls again
    MAX_WAIT = "max_wait"  # key: call
    RELAX = "relax"  # key: call. They demand less from now on


class TimerId(NamedTuple):
    kind: TimerKind
    key: str


class QueueResult(StrEnum):
    """Why a caller is handed back to whoever put them into the queue. They are still there, and in our hands."""

    TALKED = "talked"  # the agent hung up first
    TIMEOUT = "timeout"  # waited for max_wait_s
    UNAVAILABLE = "unavailable"  # the queue exists no more
    FULL = "full"  # so many wait already
    TOO_LONG = "too_long"  # the wait that is to be expected is above the queue's limit
    EMPTY = "empty"  # none of the queue's agents is logged in
    CLOSED = "closed"  # outside the queue's hours


@dataclass(frozen=True, slots=True)
class MakeOffer:
    """Ring the agent's phone for this caller; `offer` is the id for the leg."""

    offer: str
    caller: WaitingCaller
    agent: str
    endpoint: str
    ring_s: int


@dataclass(frozen=True, slots=True)
class MakeConsult:
    """Ring the agent's phone on behalf of a talk; `offer` is the id for the leg."""

    offer: str
    call: str
    agent: str
    endpoint: str
    ring_s: int


@dataclass(frozen=True, slots=True)
class ConsultOver:
    """It came to nothing: the talk goes on without."""

    offer: str
    call: str


@dataclass(frozen=True, slots=True)
class WithdrawOffer:
    """End the agent's leg, whatever it does now. It may be gone already."""

    offer: str
    elsewhere: bool = False  # another agent took the caller: nothing that the phone should list as missed


@dataclass(frozen=True, slots=True)
class ConnectTalk:
    offer: str
    call: str
    agent: str


@dataclass(frozen=True, slots=True)
class StartTimer:
    """Say `TimerFired(timer)` at unix second `at`; replaces a running timer of this id."""

    timer: TimerId
    at: float


@dataclass(frozen=True, slots=True)
class CancelTimer:
    timer: TimerId


@dataclass(frozen=True, slots=True)
class ReleaseCaller:
    call: str
    result: QueueResult


@dataclass(frozen=True, slots=True)
class Note:
    """Something worth an event in the history (ARCHITECTURE.md, Events). Never a number or a name."""

    kind: str
    call: str | None = None
    agent: str | None = None
    queue: str | None = None
    data: Mapping[str, str | int | float | None] = field(default_factory=dict)


Order = (
    MakeOffer
    | MakeConsult
    | ConsultOver
    | WithdrawOffer
    | ConnectTalk
    | StartTimer
    | CancelTimer
    | ReleaseCaller
    | Note
)
