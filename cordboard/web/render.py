"""Events and records as JSON. Fields of what is kept are what is shown; nothing is renamed."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from aiohttp import web

from cordboard.events import Event
from cordboard.journal import Missed
from cordboard.records import CallRecord

_encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, default=str).encode


def answer(content: Any, status: int = 200) -> web.Response:
    return web.Response(text=_encode(content), status=status, content_type="application/json")


def event_fields(event: Event) -> dict[str, Any]:
    return event._asdict()


def record_fields(record: CallRecord) -> dict[str, Any]:
    return asdict(record)


def event_frame(event: Event) -> str:
    return _encode(event._asdict())


def gap_frame(missed: Missed) -> str:
    """A watcher was too slow, or the log lost something: events `first` to `last` were not shown."""
    return _encode({"type": "gap", "count": missed.count, "first": missed.first, "last": missed.last})


def hello_frame(last_seq: int) -> str:
    """Always the first one. A `last_seq` below what a watcher has seen means: the service lost its newest events."""
    return _encode({"type": "hello", "last_seq": last_seq})
