"""What one transaction writes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from operator import attrgetter
from typing import Any

from cordboard.events import AgentState, Event
from cordboard.records import CallRecord

Row = Sequence[Any]

_encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, default=str).encode
_record_row = attrgetter(*(column.name for column in fields(CallRecord)))


@dataclass(slots=True)
class Batch:
    events: list[Event] = field(default_factory=list)
    records: list[CallRecord] = field(default_factory=list)
    agent_states: list[AgentState] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.events) + len(self.records) + len(self.agent_states)

    def event_rows(self) -> list[Row]:
        return [
            (seq, at, kind, call_id, agent, queue, _encode(data))
            for seq, at, kind, call_id, agent, queue, data in self.events
        ]

    def record_rows(self) -> list[Row]:
        return [_record_row(record) for record in self.records]

    def halves(self) -> tuple[Batch, Batch]:
        """Cut in two, in order, to close in on what the database refuses."""
        cut = len(self) // 2
        after_events = max(0, cut - len(self.events))
        after_records = max(0, after_events - len(self.records))
        return (
            Batch(self.events[:cut], self.records[:after_events], self.agent_states[:after_records]),
            Batch(self.events[cut:], self.records[after_events:], self.agent_states[after_records:]),
        )
