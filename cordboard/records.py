"""The call record: one row that sums up a call, folded from its events.

Decides what each event means for the record, and that a call has exactly one closed record. Pure: it refuses to know
time, storage and how the events came about. The record can always be computed again from the event log.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from acd.aftercare import NONE_GIVEN
from cordboard.events import Event

KEPT = 2_000
"""Closed records that can still hear what their talk led to: hours of them, and a wrap-up takes minutes."""


@dataclass(slots=True)
class CallRecord:
    """A call from arrival to end. Times are unix seconds, None when it did not happen."""

    call_id: str
    arrived_at: float
    origin: str = ""
    caller_number: str = ""
    caller_name: str = ""
    dialled: str = ""
    flow: str = ""
    flow_version: str = ""
    language: str = ""
    answered_at: float | None = None
    queue: str | None = None  # the last one waited in
    queued_at: float | None = None  # when that wait began
    offers: int = 0
    agent: str | None = None  # the last one talked with
    talk_started_at: float | None = None  # of the first talk
    talk_ended_at: float | None = None  # of the last talk
    ended_at: float | None = None
    wait_s: float = 0.0  # in all queues
    talk_s: float = 0.0  # in all talks
    outcome: str = ""
    ended_by: str = ""
    cause: int = 0
    recovered: bool = False  # went through a restart of the service
    disposition: str = ""  # what the last talk led to, in its agent's word


@dataclass(slots=True)
class _OpenCall:
    record: CallRecord
    waiting_since: float | None = None
    talking_since: float | None = None

    def stop_waiting(self, at: float) -> None:
        if self.waiting_since is not None:
            self.record.wait_s = round(self.record.wait_s + max(0.0, at - self.waiting_since), 3)
            self.waiting_since = None

    def stop_talking(self, at: float) -> None:
        if self.talking_since is not None:
            self.record.talk_s = round(self.record.talk_s + max(0.0, at - self.talking_since), 3)
            self.record.talk_ended_at = at
            self.talking_since = None


class CallRecords:
    """The records of the calls that are under way."""

    def __init__(self) -> None:
        self._open: dict[str, _OpenCall] = {}
        self._closed: dict[str, CallRecord] = {}  # the last ones in which somebody talked, oldest first

    def __len__(self) -> int:
        return len(self._open)

    def __iter__(self) -> Iterator[str]:
        return iter(self._open)

    def get(self, call_id: str) -> CallRecord | None:
        """The record as it stands, of a call that is under way."""
        call = self._open.get(call_id)
        return call.record if call is not None else None

    def apply(self, event: Event) -> CallRecord | None:
        """Fold an event in. The answer is the closed record, when this event ends its call.

        And again when it tells what the talk of a closed call led to: agents do in wrap-up, when the caller is gone.
        """
        call_id = event.call_id
        if call_id is None:
            return None
        kind = event.kind
        if kind in OPENING:
            self._begin(event, call_id)
            return None
        call = self._open.get(call_id)
        if call is None:
            # Else noted after the end (a late withdrawal), or of a call that never arrived.
            if kind == "call.disposition":
                return self._classified(event, call_id)
            return _imported(event, call_id) if kind == IMPORTED else None
        if kind == "call.ended":
            del self._open[call_id]
            record = _close(call, event)
            if record.agent is not None:
                self.keep(record)
            return record
        fold = FOLDS.get(kind)
        if fold is not None:
            fold(call, event)
        return None

    def keep(self, record: CallRecord) -> None:
        """Of a closed call that may still hear what its talk led to."""
        self._closed[record.call_id] = record
        if len(self._closed) > KEPT:
            del self._closed[next(iter(self._closed))]

    def _classified(self, event: Event, call_id: str) -> CallRecord | None:
        record = self._closed.get(call_id)
        if record is not None:
            _disposition(record, event)
        return record

    def _begin(self, event: Event, call_id: str) -> None:
        call = self._open.get(call_id)
        if call is None:
            data = event.data
            record = CallRecord(
                call_id,
                event.at,
                origin=str(data.get("origin", "")),
                caller_number=str(data.get("caller", "")),
                caller_name=str(data.get("name", "")),
                dialled=str(data.get("dialled", "")),
            )
            call = self._open[call_id] = _OpenCall(record)
        if event.kind == "call.recovered":
            call.record.recovered = True
        _flow(call, event)


def _close(call: _OpenCall, event: Event) -> CallRecord:
    call.stop_waiting(event.at)
    call.stop_talking(event.at)
    record, data = call.record, event.data
    record.ended_at = event.at
    record.outcome = str(data.get("outcome", ""))
    record.ended_by = str(data.get("ended_by", ""))
    cause: Any = data.get("cause", 0)
    record.cause = cause if isinstance(cause, int) else 0
    return record


def _imported(event: Event, call_id: str) -> CallRecord:
    """The PBX served this call alone and told of it later: one event is all that there is."""
    data = event.data
    return CallRecord(
        call_id,
        data["arrived_at"],
        origin=data["origin"],
        caller_number=data["caller"],
        dialled=data["dialled"],
        answered_at=data["answered_at"],
        ended_at=data["ended_at"],
        outcome=data["outcome"],
        ended_by="unknown",
    )


def _flow(call: _OpenCall, event: Event) -> None:
    """Which flow answers the call; told by any event that knows."""
    record, data = call.record, event.data
    if "flow" in data:
        record.flow = str(data["flow"])
    if "version" in data:
        record.flow_version = str(data["version"])
    if "language" in data:
        record.language = str(data["language"])


def _answered(call: _OpenCall, event: Event) -> None:
    if call.record.answered_at is None:
        call.record.answered_at = event.at


def _joined(call: _OpenCall, event: Event) -> None:
    if call.waiting_since is None:  # told again after a restart: the wait goes on
        call.waiting_since = call.record.queued_at = event.at
    call.record.queue = event.queue or event.data.get("queue")


def _left(call: _OpenCall, event: Event) -> None:
    call.stop_waiting(event.at)


def _offered(call: _OpenCall, event: Event) -> None:
    if not event.data.get("consult"):  # on behalf of an agent, not of the caller
        call.record.offers += 1


def _talk_started(call: _OpenCall, event: Event) -> None:
    call.stop_waiting(event.at)
    record = call.record
    record.agent = event.agent or event.data.get("agent")
    if record.talk_started_at is None:
        record.talk_started_at = event.at
    if call.talking_since is None:
        call.talking_since = event.at


def _disposition(record: CallRecord, event: Event) -> None:
    code = str(event.data.get("code", ""))
    if code != NONE_GIVEN or not record.disposition:
        record.disposition = code


def _talk_ended(call: _OpenCall, event: Event) -> None:
    call.stop_talking(event.at)


OPENING = frozenset({"call.arrived", "call.recovered"})
IMPORTED = "call.imported"

FOLDS: dict[str, Callable[[_OpenCall, Event], None]] = {
    "call.answered": _answered,
    "flow.started": _flow,
    "node.entered": _flow,
    "prompt.started": _flow,
    "queue.joined": _joined,
    "queue.left": _left,
    "offer.made": _offered,
    "talk.started": _talk_started,
    "talk.ended": _talk_ended,
    "call.disposition": lambda call, event: _disposition(call.record, event),
}
