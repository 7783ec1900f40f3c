"""A callback: whom we promised to call back, and what became of it.

Decides which of a request's states follow each other. Pure: it refuses to know storage, time and who calls.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any


class CallbackState(StrEnum):
    OPEN = "open"  # nobody has taken it on
    CLAIMED = "claimed"  # somebody calls, or is about to
    DONE = "done"
    CANCELLED = "cancelled"


PENDING = (CallbackState.OPEN, CallbackState.CLAIMED)
"""Whoever has such a request needs no second one."""

MAX_NOTE = 500


class CallbackRefused(Exception):
    """This cannot be done with the request now; the text is for whoever asked."""


@dataclass(frozen=True, slots=True)
class Callback:
    """One promise. Times are unix seconds; `id` 0 is one that is not on record yet."""

    call_id: str
    number: str  # E.164
    queue: str
    language: str
    requested_at: float
    joined_at: float  # since when they have waited, in the queue or from now on: their rank
    data: dict[str, str] = field(default_factory=dict)
    state: CallbackState = CallbackState.OPEN
    agent: str = ""  # who took it on, or closed it
    attempts: int = 0
    note: str = ""
    changed_at: float = 0.0
    id: int = 0

    def claim(self, agent: str, now: float) -> Callback:
        """Somebody takes it on, and tries."""
        if self.state is CallbackState.CLAIMED and self.agent == agent:
            raise CallbackRefused(f"Callback {self.id} is claimed by {agent} already.")
        self._must_be(CallbackState.OPEN)
        return self._now(CallbackState.CLAIMED, now, agent=agent, attempts=self.attempts + 1)

    def release(self, now: float, note: str = "") -> Callback:
        """They could not be reached: for somebody else, or later."""
        self._must_be(CallbackState.CLAIMED)
        return self._now(CallbackState.OPEN, now, agent="", note=note or self.note)

    def done(self, agent: str, now: float, note: str = "") -> Callback:
        """They were called, or called again by themselves."""
        self._must_be(*PENDING)
        return self._now(CallbackState.DONE, now, agent=agent or self.agent, note=note or self.note)

    def cancel(self, agent: str, now: float, note: str = "") -> Callback:
        """Nobody will call."""
        self._must_be(*PENDING)
        return self._now(CallbackState.CANCELLED, now, agent=agent or self.agent, note=note or self.note)

    def annotate(self, note: str, now: float) -> Callback:
        return replace(self, note=note, changed_at=now)

    def view(self) -> dict[str, Any]:
        """Plain JSON for people."""
        return {
            "id": self.id,
            "state": self.state.value,
            "number": self.number,
            "queue": self.queue,
            "language": self.language,
            "requested_at": self.requested_at,
            "joined_at": self.joined_at,
            "call_id": self.call_id,
            "data": self.data,
            "agent": self.agent,
            "attempts": self.attempts,
            "note": self.note,
            "changed_at": self.changed_at,
        }

    def _must_be(self, *states: CallbackState) -> None:
        if self.state not in states:
            by = f" by {self.agent}" if self.agent else ""
            raise CallbackRefused(f"Callback {self.id} is {self.state.value}{by}.")

    def _now(self, state: CallbackState, now: float, **more: Any) -> Callback:
        return replace(self, state=state, changed_at=now, **more)
