"""What the PBX says of agents' phones, and which of them ring or talk for somebody who waits in no queue.

Decides when a phone counts as in use: when the PBX says so, and from the moment in which somebody else rings it, which
is before the PBX can say it. It refuses to know for whom.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from acd import facts as f
from acd.engine import Engine
from pbx.facts import PhoneState


def phone_seen(agent: str, state: PhoneState) -> f.PhoneSeen:
    return f.PhoneSeen(agent, state is not PhoneState.UNREACHABLE, state in (PhoneState.RINGING, PhoneState.BUSY))


class Phones:
    def __init__(self, engine: Engine, tell: Callable[[f.Fact], None]) -> None:
        self._engine = engine
        self._tell = tell
        self._said: dict[str, f.PhoneSeen] = {}  # what the PBX said last, by agent
        self._taken: set[str] = set()

    def seen(self, fact: f.PhoneSeen) -> None:
        """The PBX says so."""
        self._said[fact.agent] = fact
        self._tell(replace(fact, busy=fact.busy or fact.agent in self._taken))

    def take(self, agent: str) -> str | None:
        """The phone to ring, which is offered nobody from the queues until `release`. None: they have a caller already,
        or one rings. Raises `UnknownAgent`.

        Whether they are logged in does not matter: somebody means this person.
        """
        found = self._engine.floor.agent(agent)
        if found.offer is not None or agent in self._taken:
            return None
        self._taken.add(agent)
        self._tell(f.PhoneSeen(agent, found.reachable, busy=True))
        return found.spec.endpoint

    def release(self, agent: str) -> None:
        """As the PBX says it is, from now on. Idempotent."""
        if agent not in self._taken:
            return
        self._taken.discard(agent)
        found = self._engine.floor.agents.get(agent)
        if found is not None:
            self._tell(self._said.get(agent) or f.PhoneSeen(agent, found.reachable, busy=False))
