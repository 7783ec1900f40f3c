"""Which version of the dialplans a call meets.

Decides that a call keeps the version that it began with, and who meets a canary: some numbers, and a share of the
calls that is drawn by a hash of the call's id, so that the same call is always drawn the same way. It refuses to know
where versions come from and what is in them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from ivr.dialplans import Dialplans
from ivr.flow import Flow


@dataclass(frozen=True, slots=True)
class Canary:
    """A version that some callers meet before all do: a share of the calls (0 to 1), and whoever calls from one of
    these numbers."""

    version: int
    share: float = 0.0
    numbers: frozenset[str] = frozenset()

    def takes(self, call: str, caller_number: str) -> bool:
        return bare(caller_number) in map(bare, self.numbers) or lot(f"{self.version} {call}") < self.share


@dataclass(frozen=True, slots=True)
class Chosen:
    """The flow that a call begins, and of which version it is."""

    version: int
    flow: Flow


NO_DIALPLANS = Dialplans(())


class Versions:
    """Immutable. `loaded` are the versions at hand; `live` is the number of the one that calls meet."""

    def __init__(self, loaded: Mapping[int, Dialplans], live: int, canary: Canary | None = None) -> None:
        self.loaded = dict(loaded)
        self.live = live
        self.canary = canary

    @property
    def current(self) -> Dialplans:
        return self.loaded.get(self.live, NO_DIALPLANS)

    def flow_for(self, number: str, call: str, caller_number: str, kept: int = 0) -> Chosen | None:
        """Who answers a dialled number. `kept`: the version that this call began with, 0 when it begins now.

        Whoever is sent to a number that their version does not know yet meets the live one there.
        """
        for version in dict.fromkeys((kept, self.live) if kept in self.loaded else (self._drawn(call, caller_number),)):
            flow = self.loaded[version].flow_for(number) if version in self.loaded else None
            if flow is not None:
                return Chosen(version, flow)
        return None

    def _drawn(self, call: str, caller_number: str) -> int:
        canary = self.canary
        return canary.version if canary is not None and canary.takes(call, caller_number) else self.live

    def kept_down_to(self, wanted: Collection[int]) -> Versions:
        """Without the versions that nobody needs any more."""
        needed = {self.live, *wanted, *((self.canary.version,) if self.canary is not None else ())}
        return Versions({n: one for n, one in self.loaded.items() if n in needed}, self.live, self.canary)


NONE = Versions({}, 0)
"""Before anything is published: no number is answered."""


def lot(text: str) -> float:
    """0 to 1, always the same for the same text, and even over many."""
    return int.from_bytes(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:8]) / 2**64


def bare(number: str) -> str:
    """Some trunks leave out the plus."""
    return number.removeprefix("+")
