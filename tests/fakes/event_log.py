"""An event log written by hand: what a test says happened, numbered, in order of time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from itertools import count
from typing import Any

from cordboard.events import Event


class EventLog:
    def __init__(self) -> None:
        self._noted: list[tuple[float, int, str, str | None, str | None, str | None, dict[str, Any]]] = []
        self._order = count()

    def note(
        self,
        at: float,
        kind: str,
        call: str | None = None,
        agent: str | None = None,
        queue: str | None = None,
        **data: Any,
    ) -> None:
        self._noted.append((at, next(self._order), kind, call, agent, queue, data))

    @property
    def events(self) -> list[Event]:
        ordered = sorted(self._noted, key=lambda one: one[:2])
        return [Event(seq, at, *rest) for seq, (at, _, *rest) in enumerate(ordered, start=1)]

    async def events_between(self, begin: float, end: float, kinds: frozenset[str]) -> AsyncIterator[Event]:
        for event in self.events:
            if begin <= event.at < end and event.kind in kinds:
                yield event

    # Stories

    def wait(self, call: str, at: float, waited: float, reason: str, queue: str = "sales", **joined: float) -> None:
        self.note(at, "queue.joined", call, queue=queue, position=1)
        if joined:
            self.note(at, "queue.expected", call, queue=queue, quantile=0.8, **joined)
        self.note(at + waited, "queue.left", call, queue=queue, reason=reason)

    def talk(
        self, call: str, agent: str, at: float, talk_s: float, wrap_up_s: float = 0.0, queue: str = "sales"
    ) -> None:
        self.state(at, agent, "talking")
        self.note(at, "talk.started", call, agent, queue, offer=f"leg-{call}")
        self.note(at + talk_s, "talk.ended", call, agent, queue, offer=f"leg-{call}", ended_by="caller")
        if wrap_up_s:
            self.state(at + talk_s, agent, "wrap_up")
        self.state(at + talk_s + wrap_up_s, agent, "ready")

    def state(self, at: float, agent: str, state: str) -> None:
        self.note(at, "agent.state", agent=agent, state=state, reason="")
