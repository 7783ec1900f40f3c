"""What the distributor needs from outside. Each port is as narrow as its use."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from acd.destinations import Destination
from acd.facts import Fact
from acd.orders import Order, QueueResult

if TYPE_CHECKING:
    from acd.engine import Engine


class Timer(Protocol):
    def cancel(self) -> None: ...


class Timers(Protocol):
    def after(self, seconds: float, callback: Callable[[], None], /) -> Timer:
        """Call back once, on the same thread, not before `seconds` have passed, unless cancelled."""


Note = Callable[[str, str | None, str | None, str | None, dict[str, Any]], None]
"""`note(kind, call, agent, queue, data)`: something worth an event in the history. Never numbers or names."""

OnTransfer = Callable[[str, Destination], None]
"""`on_transfer(call, to)`: an agent sent the caller there; they are back in the hands of whoever queued them."""

OnResult = Callable[[str, QueueResult], None]
"""`on_result(call, result)`: the caller is back in the hands of whoever put them into the queue, and still there."""

ExpectedWait = Callable[["Engine", str, float], float | None]
"""`expected_wait(engine, call, now)`: of five such callers four are answered within so many seconds from now. None when
it is not known: then nothing is announced. The engine is only looked at."""

Record = Callable[[Fact, float, Sequence[Order] | Exception], None]
"""`record(fact, now, outcome)`: what the engine was told, what it ordered or how it refused. Cheap, never raises."""
