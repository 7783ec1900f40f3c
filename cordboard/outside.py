"""Who carries out what a flow asks of somebody outside the call: one desk for each kind of request.

Decides that every request is answered, also one that nobody here can do. It refuses to know what any of them means.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from ivr.ports import Handle, Timers, Values
from ivr.requests import FAILED, What

Done = Callable[[str, Values], None]


class Desk(Protocol):
    def __call__(self, call: str, what: Any, done: Done, /) -> Handle:
        """Carry it out; `done(outcome, values)` is called once, not before this returns, and never when cancelled."""


class OutsideDesks:
    """Satisfies the port `Outside`."""

    def __init__(self, timers: Timers) -> None:
        self._timers = timers
        self._desks: dict[type[What], Desk] = {}

    def add(self, kind: type[What], desk: Desk) -> None:
        self._desks[kind] = desk

    def begin(self, call: str, what: What, done: Done) -> Handle:
        desk = self._desks.get(type(what))
        if desk is None:
            return self._timers.after(0.0, lambda: done(FAILED, ()))
        return desk(call, what, done)
