"""Switches that people flip and flows look at: closed for the storm, the lines are down.

Decides that a switch takes effect at once, whatever the database does, that it is found again after a restart, and that
nobody flips one that no flow looks at. It refuses to know what a flow does with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import structlog

from cordboard.storage.errors import DatabaseUnavailable
from cordboard.web.ports import NotFound
from ivr.dialplans import Dialplans
from ivr.problems import did_you_mean

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Switch:
    """`changed_at` is in unix seconds, 0 when nobody has flipped it yet."""

    name: str
    on: bool = False
    note: str = ""
    by: str = ""
    changed_at: float = 0.0


class Keeper(Protocol):
    """Where switches stay; `storage.switches.SwitchStore` is the real one. Raises `DatabaseUnavailable`."""

    async def all(self) -> list[Switch]: ...

    async def put(self, switch: Switch) -> None: ...


class Note(Protocol):
    def __call__(self, kind: str, *, data: dict[str, Any]) -> None: ...


class Switches:
    """`load` once. `dialplans` are those that calls meet now."""

    def __init__(
        self, store: Keeper, note: Note, clock: Callable[[], float], dialplans: Callable[[], Iterable[Dialplans]]
    ) -> None:
        self._store = store
        self._note = note
        self._clock = clock
        self._dialplans = dialplans
        self._switches: dict[str, Switch] = {}

    async def load(self) -> None:
        self._switches = {switch.name: switch for switch in await self._store.all()}

    def switched_on(self, name: str) -> bool:
        switch = self._switches.get(name)
        return switch is not None and switch.on

    @property
    def on(self) -> list[str]:
        """The names of those that are on."""
        return sorted(name for name, switch in self._switches.items() if switch.on)

    def views(self) -> list[dict[str, Any]]:
        """All that a flow looks at or that is on, for people. `used`: a flow looks at it."""
        used = self._used()
        return [
            asdict(self._switches.get(name, Switch(name))) | {"used": name in used}
            for name in sorted({*used, *self.on})
        ]

    async def flip(self, name: str, on: bool, *, note: str = "", by: str = "") -> dict[str, Any]:
        """From this moment on. `kept` is False when the database does not answer: then a restart forgets it.

        Raises `NotFound` for one that no flow looks at, unless it is on still.
        """
        used = self._used()
        if name not in used and not self.switched_on(name):
            raise NotFound(f"No flow looks at a switch {name!r}: {did_you_mean(name, used) or 'there is none'}.")
        was = self.switched_on(name)
        switch = self._switches[name] = Switch(name, on, note, by, self._clock())
        if was != on:
            self._note("switch.flipped", data={"switch": name, "on": on})
            log.warning("switch flipped", switch=name, on=on)
        try:
            await self._store.put(switch)
        except DatabaseUnavailable as reason:
            log.error("switch flipped, and a restart would forget it", switch=name, reason=str(reason))
            kept = False
        else:
            kept = True
        return asdict(switch) | {"used": name in used, "kept": kept}

    def _used(self) -> set[str]:
        return {
            name
            for dialplans in self._dialplans()
            for flow in dialplans
            for node in flow.nodes.values()
            for _, name in node.switches()
        }
