"""Who talked with a caller last, by the caller's number.

Decides how many callers are remembered, and that whoever withholds their number is nobody. In memory only: the database
has the same in its closed records, from which this is filled at the start.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable

MOST = 50_000
"""Callers that are remembered; whoever has not talked for longest is forgotten first."""


class LastAgents:
    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._agents: OrderedDict[str, str] = OrderedDict()

    def __len__(self) -> int:
        return len(self._agents)

    def prime(self, talks: Iterable[tuple[str, str]]) -> None:
        """`(caller number, agent)` of the past, the oldest first."""
        for number, agent in talks:
            self.talked(number, agent)

    def talked(self, number: str, agent: str) -> None:
        if not any(character.isdigit() for character in number):
            return
        self._agents[number] = agent
        self._agents.move_to_end(number)
        if len(self._agents) > self._most:
            self._agents.popitem(last=False)

    def agent_of(self, number: str) -> str | None:
        return self._agents.get(number)
