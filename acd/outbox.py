"""What the engine has decided during one fact, and which of its timers run.

It decides nothing: it lists orders in the order given and remembers which timers are set, so that a late or doubled one
is known.
"""

from __future__ import annotations

from acd.orders import CancelTimer, Note, Order, StartTimer, TimerId


class Outbox:
    def __init__(self) -> None:
        self.timers: dict[TimerId, float] = {}
        self._orders: list[Order] = []

    def take(self) -> list[Order]:
        orders, self._orders = self._orders, []
        return orders

    def give(self, order: Order) -> None:
        self._orders.append(order)

    def note(
        self,
        kind: str,
        *,
        call: str | None = None,
        agent: str | None = None,
        queue: str | None = None,
        **data: str | int | float | None,
    ) -> None:
        self._orders.append(Note(kind, call, agent, queue, data))

    def start(self, timer: TimerId, at: float) -> None:
        self.timers[timer] = at
        self._orders.append(StartTimer(timer, at))

    def cancel(self, timer: TimerId) -> None:
        if self.timers.pop(timer, None) is not None:
            self._orders.append(CancelTimer(timer))

    def fired(self, timer: TimerId, now: float) -> bool:
        """Whether this timer was running and is due. One that comes too early is set again, never forgotten."""
        at = self.timers.get(timer)
        if at is None:
            return False
        if at > now + 0.001:
            self._orders.append(StartTimer(timer, at))
            return False
        del self.timers[timer]
        return True
