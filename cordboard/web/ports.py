"""What the web needs from the process. Everything is a narrow callable, so that tests bring their own by hand."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from prometheus_client import CollectorRegistry

from cordboard.callback import Callback, CallbackState
from cordboard.customer import Customer
from cordboard.dialplan_versions import Files, Outcome, Version
from cordboard.events import Event
from cordboard.journal import Subscription
from cordboard.message import Message, MessageState
from cordboard.recording import Recording
from cordboard.records import CallRecord
from cordboard.storage.messages import MessageCursor, MessageFilter
from cordboard.storage.reader import CallCursor, CallFilter, CallHistory
from cordboard.storage.recordings import RecordingCursor, RecordingFilter
from cordboard.survey import Answer, By
from ivr.versions import Versions

View = dict[str, Any]
"""Plain JSON for people."""


class WebError(Exception):
    """The text is for whoever asked."""


class UnknownAgent(WebError):
    """404."""


class NotFound(WebError):
    """404."""


class CommandRefused(WebError):
    """409: the agent exists, but this cannot be done now."""


class NoAnswer(WebError):
    """503: it could not be found out now."""


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


@dataclass(frozen=True, slots=True)
class RecordingHealth:
    """`trouble` is the alarm, "" when recordings are made as they should be."""

    trouble: str
    ready: int = 0
    failed: int = 0
    incomplete: int = 0


class RecordingDesk(Protocol):
    """Recordings of talks; `recordings.Recordings` is the real one. Raises `DatabaseUnavailable`."""

    def command(self, call_id: str, command: str) -> View:
        """start, stop, pause or resume; how it is afterwards. Raises `NotFound`, `CommandRefused`."""

    async def page(self, limit: int, before: RecordingCursor | None, wanted: RecordingFilter) -> list[Recording]: ...

    async def find(self, recording: str) -> Recording | None: ...

    def file(self, recording: Recording) -> Path:
        """The finished file. Raises `OSError`."""

    def fetched(self, recording: Recording) -> None:
        """Somebody listens to it: that is noted."""

    async def delete(self, recording: Recording) -> None:
        """Raises `CommandRefused`, `OSError`."""

    def health(self) -> RecordingHealth: ...


class CallbackDesk(Protocol):
    """Those who were promised a call; `callback_desk.CallbackDesk` is the real one. Raises `DatabaseUnavailable`."""

    async def page(
        self, states: Collection[CallbackState], queue: str | None = ..., limit: int = ..., after: int = ...
    ) -> list[Callback]: ...

    async def command(self, number: int, command: str, agent: str = ..., note: str = ...) -> Callback:
        """Raises `NotFound`, `UnknownAgent`, `CommandRefused`."""


class MessageBoxes(Protocol):
    """Messages that callers left; `messages.Messages` is the real one. Raises `DatabaseUnavailable`."""

    async def page(self, limit: int, before: MessageCursor | None, wanted: MessageFilter) -> list[Message]: ...

    async def find(self, name: str) -> Message | None: ...

    def file(self, message: Message) -> Path:
        """The finished file. Raises `OSError`."""

    def fetched(self, message: Message) -> None:
        """Somebody listens to it: that is noted."""

    async def mark(self, message: Message, state: MessageState) -> None: ...

    async def delete(self, message: Message) -> None:
        """Raises `CommandRefused`, `OSError`."""

    def new(self) -> Mapping[str, int]:
        """How many nobody has heard, by box."""


class CustomerList(Protocol):
    """Whom flows recognise; `customer_desk.CustomerDesk` is the real one. Raises `DatabaseUnavailable`."""

    async def page(self, limit: int, after: str = ..., number: str | None = ...) -> list[Customer]: ...

    async def get(self, customer: str) -> Customer:
        """Raises `NotFound`."""

    async def put(self, customer: str, given: dict[str, Any]) -> Customer:
        """Raises `CommandRefused`, `BadCustomer`."""

    async def delete(self, customer: str) -> None:
        """Raises `NotFound`."""


class DialplanDesk(Protocol):
    """Versions of the dialplans; `publishing.Publisher` is the real one. Raises `DatabaseUnavailable`."""

    @property
    def trouble(self) -> str:
        """Why what is served is not what it should be, "" when it is."""

    @property
    def versions(self) -> Versions: ...

    async def publish(
        self, files: Files | None = ..., *, author: str = ..., comment: str = ..., stage: bool = ...
    ) -> Outcome: ...

    async def go_live(self, number: int) -> Outcome:
        """Raises `NotFound`, `CommandRefused`, as do those that follow."""

    async def rollback(self, number: int | None = ...) -> Outcome: ...

    async def start_canary(self, number: int, share: float, numbers: Collection[str]) -> Outcome: ...

    async def stop_canary(self) -> Version: ...

    async def promote(self) -> Outcome: ...

    async def page(self, limit: int = ..., before: int | None = ...) -> list[Version]: ...

    async def find(self, number: int) -> Version: ...

    async def files(self, number: int) -> dict[str, bytes]: ...


class SwitchDesk(Protocol):
    """`switches.Switches` is the real one."""

    @property
    def on(self) -> list[str]: ...

    def views(self) -> list[View]: ...

    async def flip(self, name: str, on: bool, *, note: str = ..., by: str = ...) -> View:
        """Raises `NotFound`."""


class SurveyAnswers(Protocol):
    """`survey_desk.SurveyDesk` is the real one. Raises `figures.days.BadInterval`, `DatabaseUnavailable`."""

    async def figures(self, by: By, begin: str | None, end: str | None, **wanted: str | None) -> View: ...

    async def answers(
        self, begin: str | None, end: str | None, limit: int, after: int, **wanted: str | None
    ) -> list[Answer]: ...


class LiveJournal(Protocol):
    """`journal.Journal` is the real one."""

    @property
    def last_seq(self) -> int: ...

    def subscribe(self, *, call_id: str | None = None) -> Subscription: ...

    def listen(self, listener: Callable[[Event], None]) -> None: ...


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
    talk_command: Callable[[str, str, str], None]
    """`(call, command, to)`, see `cordboard.talk_desk`. Raises `UnknownAgent`, `CommandRefused`."""
    supervise: Callable[[str, str, str], None]
    """`(call, supervisor, mode)`, likewise."""
    explain: Callable[[str], Awaitable[View | None]]
    """Why a call went where it did; None for a call that the routing log does not have. Raises `NoAnswer`."""
    figures: Callable[[str | None, str | None, str | None, str | None], Awaitable[View]]
    """`(queue, from, to, step)` as a person writes them. Raises `figures.days.BadInterval`, `NoAnswer`."""
    history: History
    journal: LiveJournal
    flush: Callable[[], Awaitable[bool]]
    pbx_health: Callable[[], PbxHealth]
    storage_health: Callable[[], StorageHealth]
    registry: CollectorRegistry
    recordings: RecordingDesk
    messages: MessageBoxes
    callbacks: CallbackDesk
    dialplans: DialplanDesk
    switches: SwitchDesk
    customers: CustomerList
    surveys: SurveyAnswers
    clock: Callable[[], float]
    """The time of events."""
    allowed_hosts: frozenset[str] = frozenset()
    """Names, beside loopback and bare addresses, under which browsers may reach us."""
