"""The world outside a call, as a test wants it: the time, switches, and somebody who answers requests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ivr.ports import Handle, Values
from ivr.requests import What


@dataclass
class FakeSurroundings:
    """Satisfies `Surroundings`."""

    at: Callable[[], float] = lambda: 1_700_000_000.0
    on: set[str] = field(default_factory=set)

    def now(self) -> float:
        return self.at()

    def switched_on(self, switch: str) -> bool:
        return switch in self.on


AROUND = FakeSurroundings()


@dataclass
class Asked:
    """A request that was begun. `answer` it, or see that it was cancelled."""

    call: str
    what: What
    done: Callable[[str, Values], None]
    cancelled: bool = False

    def cancel(self) -> None:
        self.cancelled = True

    def answer(self, outcome: str = "ok", **values: str | int | float | bool) -> None:
        self.done(outcome, tuple(values.items()))


class FakeOutside:
    """Satisfies `Outside`: keeps every request until a test answers it, but for those that a desk of `desks` takes."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.desks: dict[type[What], Callable[[str, Any, Callable[[str, Values], None]], Handle]] = {}

    def begin(self, call: str, what: What, done: Callable[[str, Values], None], /) -> Handle:
        desk = self.desks.get(type(what))
        if desk is not None:
            return desk(call, what, done)
        asked = Asked(call, what, done)
        self.asked.append(asked)
        return asked
