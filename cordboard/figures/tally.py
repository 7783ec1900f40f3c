"""What is counted, of one queue or one agent in one interval. Tallies add up, and hold nothing but sums.

It decides nothing: `fold` says what counts where, `catalogue` what is made of it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, fields
from typing import Any, TypeVar

from cordboard.figures.histogram import Histogram
from cordboard.figures.promises import Promises

T = TypeVar("T", bound="Tally")


@dataclass(slots=True)
class Tally:
    def __iadd__(self: T, other: T) -> T:
        for one in fields(self):
            mine: Any = getattr(self, one.name)
            theirs: Any = getattr(other, one.name)
            if one.name.startswith("longest"):
                setattr(self, one.name, max(mine, theirs))
            elif isinstance(mine, Counter):
                mine.update(theirs)
            else:
                mine += theirs
                setattr(self, one.name, mine)
        return self


@dataclass(slots=True)
class QueueTally(Tally):
    """Times in milliseconds: whole numbers add up to the same in any order."""

    joined: int = 0
    answered: int = 0
    answered_in_time: int = 0
    abandoned: int = 0
    abandoned_in_time: int = 0
    abandoned_short: int = 0
    overflowed: Counter[str] = field(default_factory=Counter)  # by reason
    interrupted: int = 0
    wait_ms: int = 0  # of those answered
    longest_wait_ms: int = 0  # of all
    waits: Histogram = field(default_factory=Histogram)  # of those answered
    handled: int = 0
    talk_ms: int = 0
    hold_ms: int = 0
    wrap_up_ms: int = 0
    transfers: int = 0
    promises: Promises = field(default_factory=Promises)
    csat: Counter[int] = field(default_factory=Counter)  # by score, as the two below
    nps: Counter[int] = field(default_factory=Counter)
    ces: Counter[int] = field(default_factory=Counter)

    @property
    def offered(self) -> int:
        return self.answered + self.abandoned + self.overflowed.total() + self.interrupted


@dataclass(slots=True)
class AgentTally(Tally):
    state_ms: Counter[str] = field(default_factory=Counter)  # by state
    answered: int = 0
    ring_no_answers: int = 0
    handled: int = 0
    talk_ms: int = 0
    hold_ms: int = 0
    wrap_up_ms: int = 0
    transfers: int = 0
    csat: Counter[int] = field(default_factory=Counter)
    nps: Counter[int] = field(default_factory=Counter)
    ces: Counter[int] = field(default_factory=Counter)
