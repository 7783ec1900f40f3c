"""What the web needs from the process. Everything is a narrow callable, so that tests bring their own by hand."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from prometheus_client import CollectorRegistry

from cordboard.events import Event
from cordboard.journal import Subscription
from cordboard.records import CallRecord
from cordboard.storage.reader import CallCursor, CallFilter, CallHistory

View = dict[str, Any]
"""Plain JSON for people."""


class WebError(Exception):
    """The text is for whoever asked."""


class UnknownAgent(WebError):
    """404."""


class CommandRefused(WebError):
    """409: the agent exists, but this cannot be done now."""


class NoAnswer(WebError):
    """503: it could not be found out now."""


@dataclass(frozen=True, slots=True)
class ReloadReport:
    """`problems` empty: the new dialplans are in force. Otherwise the running ones stay."""

    flows: list[str]
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class PbxHealth:
    linked: bool
    version: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class StorageHealth:
    """Of the writer: `failing` is the alarm."""

    failing: bool
    pending: int
    dropped: int
    detail: str = ""


class History(Protocol):
    """What the database remembers; `storage.reader.Reader` is the real one. Raises `DatabaseUnavailable`."""

    async def calls(
        self, limit: int = ..., before: CallCursor | None = ..., wanted: CallFilter = ...
    ) -> list[CallRecord]: ...

    async def call(self, call_id: str) -> CallHistory | None: ...

    def events_after(self, seq: int, upto: int, call_id: str | None = None) -> AsyncIterator[Event]: ...

    async def check(self) -> None: ...


class LiveJournal(Protocol):
    """`journal.Journal` is the real one."""

    @property
    def last_seq(self) -> int: ...

    def subscribe(self, *, call_id: str | None = None) -> Subscription: ...


@dataclass(frozen=True, slots=True)
class WebDeps:
    """`flush` waits until everything noted so far can be read from `history`; False when the database is away."""

    token: str = field(repr=False)
    company: str
    versions: dict[str, str]
    live_calls: Callable[[], list[View]]
    queues: Callable[[], list[View]]
    agents: Callable[[], list[View]]
    command_agent: Callable[[str, str, str], View]
    """`(agent, login|logout|pause|ready, reason)`: the agent's view afterwards. Raises `UnknownAgent`,
    `CommandRefused`."""
    extend_wrap_up: Callable[[str, float | None], View]
    """`(agent, seconds)`, None: the usual time. Raises like `command_agent`."""
    classify: Callable[[str, str], View]
    """`(agent, name or digit of a disposition)`. Raises like `command_agent`."""
    reload_dialplans: Callable[[], Awaitable[ReloadReport]]
    explain: Callable[[str], Awaitable[View | None]]
    """Why a call went where it did; None for a call that the routing log does not have. Raises `NoAnswer`."""
    history: History
    journal: LiveJournal
    flush: Callable[[], Awaitable[bool]]
    pbx_health: Callable[[], PbxHealth]
    storage_health: Callable[[], StorageHealth]
    registry: CollectorRegistry
    allowed_hosts: frozenset[str] = frozenset()
    """Names, beside loopback and bare addresses, under which browsers may reach us."""
