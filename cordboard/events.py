"""One event of the journal: what happened, when, to which call, by which agent, in which queue."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol


class Note(Protocol):
    """How something is noted in the journal; what is not named has nothing to do with it."""

    def __call__(
        self,
        kind: str,
        *,
        call_id: str | None = None,
        agent: str | None = None,
        queue: str | None = None,
        data: dict[str, Any] | None = None,
    ) -> None: ...


class Event(NamedTuple):
    """A tuple, because ten of them are made for every call. `data` is plain JSON and never changed afterwards."""

    seq: int
    at: float
    kind: str
    call_id: str | None
    agent: str | None
    queue: str | None
    data: dict[str, Any]


class AgentState(NamedTuple):
    """The last known state of an agent."""

    agent: str
    state: str
    reason: str
    since: float
