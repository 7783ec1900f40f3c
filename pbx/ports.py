"""The port through which everything above drives the PBX. `link.PbxLink` is the real one, `tests/fakes` has another."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from pbx.facts import Fact
from pbx.orders import Order

FactSink = Callable[[Fact], None]
"""Called in order, synchronously, on the event loop; must not block and must not raise."""


class Switch(Protocol):
    def send(self, order: Order) -> None:
        """Give an order. Never blocks and never raises for a lost link: that order fails with `OrderFailed`."""
