"""What one transaction writes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from operator import attrgetter
from typing import Any

from acd.replay import Entry
from cordboard.events import AgentState, Event
from cordboard.records import CallRecord
from cordboard.survey import Answer

Row = Sequence[Any]

_encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, default=str).encode
_record_row = attrgetter(*(column.name for column in fields(CallRecord)))


@dataclass(slots=True)
class Batch:
    events: list[Event] = field(default_factory=list)
    records: list[CallRecord] = field(default_factory=list)
    agent_states: list[AgentState] = field(default_factory=list)
    routing: list[Entry] = field(default_factory=list)
    surveys: list[Answer] = field(default_factory=list)

    def __len__(self) -> int:
        return sum(len(getattr(self, one.name)) for one in fields(self))

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
        first, second = Batch(), Batch()
        for one in fields(self):
            rows = getattr(self, one.name)
            setattr(first, one.name, rows[:cut])
            setattr(second, one.name, rows[cut:])
            cut = max(0, cut - len(rows))
        return first, second
