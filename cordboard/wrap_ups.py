"""After a restart: which talk each agent in wrap-up was wrapping up, so that they can still say what it led to.

Decides which call it was: the one whose last talk ended when their wrap-up began. It refuses to know what follows.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from acd.aftercare import NONE_GIVEN, LastTalk
from acd.states import AgentState as State
from cordboard.events import AgentState
from cordboard.records import CallRecord, CallRecords
from cordboard.storage.reader import CallFilter

SAME_MOMENT_S = 1.0
"""Between the event that ended the talk and the one that began the wrap-up."""


class Calls(Protocol):
    """Closed calls; `storage.reader.Reader` is the real one."""

    async def calls(self, limit: int = ..., before: None = ..., wanted: CallFilter = ...) -> list[CallRecord]: ...


async def talks_in_wrap_up(states: Iterable[AgentState], records: CallRecords, closed: Calls) -> dict[str, LastTalk]:
    """By agent. A closed call among them is kept in `records`, which hears of it again."""
    found: dict[str, LastTalk] = {}
    for state in states:
        if state.state != State.WRAP_UP:
            continue
        under_way = [record for call in records if (record := records.get(call)) is not None]
        latest = await closed.calls(1, None, CallFilter(agent=state.agent))
        for record in (*latest, *under_way):
            ended = record.talk_ended_at
            if record.agent != state.agent or ended is None or abs(ended - state.since) > SAME_MOMENT_S:
                continue
            given = record.disposition if record.disposition != NONE_GIVEN else ""
            found[state.agent] = LastTalk(record.call_id, record.queue or "", given)
            if record.ended_at is not None:
                records.keep(record)
    return found
