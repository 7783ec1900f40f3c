"""In which order the free agents of a queue are chosen. Each strategy is a small pure function of one agent.

A strategy gives an agent a rank, computed when they become free and constant for as long as they stay free; the floor
keeps every queue's free agents sorted by it, so choosing is taking the first. It refuses to know callers and phones.
"""

from __future__ import annotations

from typing import Protocol

from acd.ordering import Key


class FreeAgent(Protocol):
    """What a strategy may look at."""

    @property
    def idle_since(self) -> float: ...


class Strategy(Protocol):
    def rank(self, agent: FreeAgent, /) -> Key:
        """Smaller is offered the next call first."""


class LongestIdle:
    """Whoever has been free for longest. Logging in, a missed call and the end of a talk each start at the back."""

    def rank(self, agent: FreeAgent, /) -> Key:
        return (agent.idle_since,)
