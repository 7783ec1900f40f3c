"""What a flow session needs from outside. Each port is as narrow as its use."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Protocol

from ivr.requests import What
from ivr.values import Value
from ivr.wording import Spoken


class Timer(Protocol):
    def cancel(self) -> None: ...


class Timers(Protocol):
    def after(self, seconds: float, callback: Callable[[], None], /) -> Timer:
        """Call back once, on the same thread, not before `seconds` have passed, unless cancelled."""


Values = tuple[tuple[str, Value], ...]

Note = Callable[[str, dict[str, Any]], None]
"""`note(kind, data)`: something worth an event in the call's history. Never digits, numbers or transcripts."""


class PromptFiles(Protocol):
    def files(self, language: str, piece: Spoken, /) -> tuple[str, ...]:
        """Paths (without extension) that say a piece, each checked to exist. Raises `PromptMissing`."""

    def seconds(self, files: Iterable[str], /) -> float:
        """How long these files play; what a watchdog waits for at least."""


class Surroundings(Protocol):
    """What is true outside the call at the moment of a step."""

    def now(self) -> float:
        """Unix seconds."""

    def switched_on(self, switch: str) -> bool:
        """Whether somebody has flipped this switch on."""


class Handle(Protocol):
    def cancel(self) -> None: ...


class Outside(Protocol):
    """Whoever a flow can ask something."""

    def begin(self, call: str, what: What, done: Callable[[str, Values], None], /) -> Handle:
        """Carry a request of this call out. `done(outcome, values)` is called once, later, unless cancelled."""
