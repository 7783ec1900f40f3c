"""What a flow session needs from outside. Each port is as narrow as its use."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Protocol

from ivr.wording import Spoken


class Timer(Protocol):
    def cancel(self) -> None: ...


class Timers(Protocol):
    def after(self, seconds: float, callback: Callable[[], None], /) -> Timer:
        """Call back once, on the same thread, not before `seconds` have passed, unless cancelled."""


Note = Callable[[str, dict[str, Any]], None]
"""`note(kind, data)`: something worth an event in the call's history. Never digits, numbers or transcripts."""


class PromptFiles(Protocol):
    def files(self, language: str, piece: Spoken) -> tuple[str, ...]:
        """Paths (without extension) that play `piece`, each checked to exist. Raises `PromptMissing`."""

    def seconds(self, files: Iterable[str], /) -> float:
        """How long these files play; what a watchdog waits for at least."""
