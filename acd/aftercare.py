"""What an agent owes to a talk once it is over: the time to wrap it up, and a word on how it went (its disposition).

This module decides how long a wrap-up lasts, how far it can be extended, and that it always ends. It refuses to know
agents' states and timers: `staff` asks it and acts.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from acd.errors import UnknownDisposition, WrapUpAtItsLongest
from acd.model import QueueSpec

EXTEND_S = 30.0  # when nobody says by how much
NONE_GIVEN = "none_given"


class LastTalk(NamedTuple):
    """Of an agent who was in its wrap-up when a predecessor of this process ended."""

    call: str
    queue: str
    disposition: str = ""  # given already


@dataclass(slots=True)
class Aftercare:
    """Of one agent's one talk, from its beginning until the agent is done with it. `call` "": we only know that it was.

    `until` is the end of a wrap-up that waits for nothing; one that waits for a disposition lasts until `latest`.
    """

    call: str = ""
    queue: QueueSpec = field(default_factory=lambda: QueueSpec(""))
    given: str | None = None
    began_at: float = 0.0
    until: float = 0.0

    @property
    def owed(self) -> bool:
        return self.queue.disposition_required and bool(self.queue.dispositions) and self.given is None

    @property
    def latest(self) -> float:
        return self.began_at + max(self.queue.wrap_up_s, self.queue.wrap_up_max_s)

    @property
    def ends_at(self) -> float:
        return self.latest if self.owed else self.until

    def begin(self, wrap_up_s: float, now: float) -> None:
        """The talk is over."""
        self.began_at = now
        self.until = min(now + wrap_up_s, self.latest)

    def extend(self, agent: str, seconds: float, now: float) -> float:
        """By how much it is longer now. Raises `WrapUpAtItsLongest` and changes nothing."""
        until = min(max(self.until, now) + seconds, self.latest)
        longer = until - max(self.until, now)
        if longer <= 0:
            raise WrapUpAtItsLongest(agent, self.latest - self.began_at)
        self.until = until
        return longer

    def code(self, word: str) -> str:
        """The disposition that this names, by its name or its digit. Raises `UnknownDisposition`."""
        known = self.queue.dispositions
        name = known.get(word, word)
        if name not in known.values():
            raise UnknownDisposition(word, self.queue.name, known)
        return name
