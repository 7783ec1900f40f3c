"""`cordboard explain`: from a call's id to the part of the routing log that its explanation needs.

Decides how much is read. It refuses to know how a call is explained.
"""

from __future__ import annotations

from datetime import datetime, tzinfo
from typing import Any

from acd.explain.explanation import explain
from acd.replay import State
from cordboard.storage.routing import RoutingStore

LOOKED_AHEAD = 20_000
"""Lines after the last one that names the call: somewhere among them it was answered."""


async def explain_call(store: RoutingStore, call: str, zone: tzinfo) -> dict[str, Any] | None:
    """The explanation as data, with its text (times of day in `zone`) in `text`; None when the log has no such call.

    Raises `DatabaseUnavailable`, `SnapshotMismatch`.
    """
    span = await store.span(call)
    start = await store.beginning(span[0]) if span is not None else None
    if span is None or start is None:
        return None
    state = start if isinstance(start, State) else None
    first = start.number + 1 if isinstance(start, State) else start
    entries = [entry async for entry in store.lines(first, span[1] + LOOKED_AHEAD)]
    explanation = explain(call, entries, state, last=span[1])
    return {**explanation.data(), "text": explanation.text(lambda at: f"{datetime.fromtimestamp(at, zone):%H:%M:%S}")}
