"""Which leg rings or talks for which caller of a flow, and what all these transfers share.

Decides who hears a fact about such a leg. It refuses to know what becomes of a transfer (`flow_transfer` does).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from acd.phones import Phones
from acd.ports import Timers
from cordboard.allowed import Allowed
from cordboard.events import Note
from pbx.facts import Fact, LegAnswered, LinkDown, Snapshot
from pbx.ports import Switch


@dataclass(frozen=True, slots=True)
class Shown:
    """What a phone's display says: to our agents who calls, to others whom they called."""

    number: str
    name: str
    dialled: str


class LegOwner(Protocol):
    def handle(self, fact: Fact) -> None: ...


class Transfers:
    """What all transfers share, and which leg is whose."""

    def __init__(
        self,
        switch: Switch,
        timers: Timers,
        phones: Phones,
        allowed: Allowed,
        note: Note,
        new_leg_id: Callable[[], str],
    ) -> None:
        self.switch = switch
        self.timers = timers
        self.phones = phones
        self.allowed = allowed
        self.note = note
        self.new_leg_id = new_leg_id
        self._by_leg: dict[str, LegOwner] = {}

    def owns(self, leg: str) -> bool:
        return leg in self._by_leg

    def handle(self, leg: str, fact: Fact) -> bool:
        """True when it was about a leg of ours."""
        owner = self._by_leg.get(leg)
        if owner is not None:
            owner.handle(fact)
        return owner is not None

    def unlinked(self, fact: LinkDown) -> None:
        for owner in dict.fromkeys(self._by_leg.values()):
            owner.handle(fact)

    def looked(self, snapshot: Snapshot) -> None:
        """Whoever has answered without our knowing is connected."""
        for seen in snapshot.channels if self._by_leg else ():
            if seen.answered and not seen.bridge:
                self.handle(seen.channel, LegAnswered(seen.channel))

    def put(self, leg: str, owner: LegOwner) -> None:
        self._by_leg[leg] = owner

    def drop(self, leg: str) -> None:
        self._by_leg.pop(leg, None)
