"""What every call needs from the process. Each port is as narrow as its use."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from acd.service import Distributor
from cordboard.comfort import ComfortPlan
from cordboard.events import Note
from cordboard.transfers import Transfers
from ivr.ports import Outside, PromptFiles, Surroundings, Timers
from ivr.versions import Chosen
from pbx.ports import Switch


class Flows(Protocol):
    """The published dialplans, as much of them as a call needs."""

    def flow_for(self, number: str, call: str, caller_number: str, kept: int = 0, /) -> Chosen | None:
        """Who answers a dialled number. `kept`: the version that this call began with, 0 when it begins now."""


@dataclass(frozen=True, slots=True)
class CallServices:
    """What every call needs from the process."""

    switch: Switch
    timers: Timers
    clock: Callable[[], float]
    note: Note
    library: Flows
    prompts: PromptFiles
    distributor: Distributor
    around: Surroundings
    outside: Outside
    dead_man_s: int
    transfers: Transfers
    last_agent: Callable[[str], str | None] = lambda _number: None
    """Who talked with the caller of this number last."""
    comfort: Callable[[str], ComfortPlan | None] = lambda _queue: None
    """What is said to those who wait in this queue."""
    notice: Callable[[str], Mapping[str, str]] = lambda _queue: {}
    """What callers of this queue must hear before they wait, by language."""
    untold: Callable[[str], None] = lambda _call: None
    """This call could not be told."""
    secure: Callable[[str, bool], None] = lambda _call, _on: None
    """A step of this call begins, or ends, of which nothing may be recorded."""
