"""When a service that keeps failing is left alone, and when it is tried again.

Decides from what became of requests alone; `now` is any steady clock. It refuses to know what a request is.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import StrEnum

WINDOW = 20
"""So many of the last requests count for the share."""


class State(StrEnum):
    CLOSED = "closed"  # requests go through
    OPEN = "open"  # none does
    TRIAL = "trial"  # one does, and decides


@dataclass(frozen=True, slots=True)
class Rules:
    """Opens after so many failures in a row, or at this share of a full window; tries again after the pause."""

    in_a_row: int = 5
    share: float = 0.5
    pause_s: float = 15.0


class Breaker:
    """`ask` before a request, and `tell` what became of it. What was asked before a change of state tells nothing."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._state = State.CLOSED
        self._era = 0
        self._in_a_row = 0
        self._last: deque[bool] = deque(maxlen=WINDOW)
        self._opened_at = 0.0
        self._trying = False

    def state(self, now: float) -> State:
        if self._state is State.OPEN and now - self._opened_at >= self._rules.pause_s:
            return State.TRIAL
        return self._state

    def ask(self, now: float) -> int | None:
        """What to `tell` with; None when nothing may be sent now."""
        state = self.state(now)
        if state is State.OPEN or (state is State.TRIAL and self._trying):
            return None
        if state is State.TRIAL:
            if self._state is not State.TRIAL:
                self._become(State.TRIAL)
            self._trying = True
        return self._era

    def tell(self, era: int, good: bool | None, now: float) -> None:
        """`good` None: it was given up before anything could be learnt."""
        if era != self._era:
            return
        if self._state is State.TRIAL:
            self._trying = False
            if good is not None:
                self._become(State.CLOSED if good else State.OPEN, now)
            return
        if good is None:
            return
        self._last.append(good)
        self._in_a_row = 0 if good else self._in_a_row + 1
        if self._in_a_row >= self._rules.in_a_row or self._too_many():
            self._become(State.OPEN, now)

    def _too_many(self) -> bool:
        return len(self._last) == WINDOW and self._last.count(False) >= self._rules.share * WINDOW

    def _become(self, state: State, now: float = 0.0) -> None:
        self._state = state
        self._era += 1
        self._in_a_row = 0
        self._last.clear()
        self._trying = False
        self._opened_at = now
