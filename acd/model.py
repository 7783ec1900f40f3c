"""What an administrator says about queues and agents, and what a caller brings. Frozen; nothing here changes by itself.

This module decides the order of callers (`WaitingCaller.rank`) and the house rules. It refuses to know who is free.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from acd.skills import Requirement
from acd.strategies import Strategy

PERSONAL = "personal"
"""Metadata of a field that names a person or their number: no log of decisions holds it, and none needs it."""


@dataclass(frozen=True, slots=True)
class QueueSpec:
    """One queue. `max_wait_s` None: callers wait as long as they like; `max_waiting` None: however many they are."""

    name: str
    ring_s: int = 20
    wrap_up_s: float = 10.0
    music_class: str = "default"
    max_wait_s: float | None = None
    noted_positions: int = 20  # a change of place is noted for so many callers at the head; 0 notes none
    strategy: Strategy = Strategy.LONGEST_IDLE
    requirement: Requirement = field(default_factory=Requirement)  # of callers who bring none of their own
    head_start_s: float = 0.0  # the queue's weight beside others: its callers count as having waited so much longer
    max_waiting: int | None = None  # nobody joins behind so many, unless an agent is free for them
    max_expected_wait_s: float | None = None  # nobody joins who has to expect more, unless an agent is free for them
    leave_when_empty: bool = False  # nobody waits in it while none of its agents is logged in
    wrap_up_max_s: float = 300.0  # a wrap-up ends by then, however often it was extended and whatever is owed
    dispositions: Mapping[str, str] = field(default_factory=dict)  # what a talk can have led to, by the digit for it
    disposition_required: bool = False  # the wrap-up waits for one

    @property
    def rings_all(self) -> bool:
        return self.strategy is Strategy.RING_ALL


@dataclass(frozen=True, slots=True)
class AgentSpec:
    """One agent. `endpoint` is the PBX's name of their phone; `queues` those that they serve, in no order."""

    id: str
    name: str = field(metadata={PERSONAL: True})
    endpoint: str
    queues: tuple[str, ...] = ()
    skills: Mapping[str, int] = field(default_factory=dict)  # proficiency, 1 to 5


@dataclass(frozen=True, slots=True)
class WaitingCaller:
    """A caller as they stand in a queue. `call` is the PBX's id of their channel; number and name are display only.

    For the first `preferred_s` seconds they wait for the agent `preferred` alone, as long as that agent is at work.
    """

    call: str
    queue: str
    joined_at: float
    head_start: float = 0.0
    caller_number: str = field(default="", metadata={PERSONAL: True})
    caller_name: str = field(default="", metadata={PERSONAL: True})
    requirement: Requirement | None = None  # None: the queue's
    preferred: str | None = None
    preferred_s: float = 0.0

    @property
    def rank(self) -> float:
        """Smaller is served first. It holds no current time, so two waiting callers never swap places."""
        return self.joined_at - self.head_start


@dataclass(frozen=True, slots=True)
class Rules:
    """House rules that are the same for every queue, in seconds."""

    ring_margin_s: float = (
        5.0  # after ring_s the PBX ends the ringing; this much later we no longer believe that it will
    )
    connect_s: float = 5.0  # from the agent's answer to both in one bridge
    rest_s: float = 5.0  # nobody is offered a call this soon after an offer that failed on their side
    max_misses: int = 3  # so many rings unanswered in a row and the agent is not there
    not_ready_reasons: tuple[str, ...] = ()  # none: agents may name any reason
