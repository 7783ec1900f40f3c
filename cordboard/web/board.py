"""The wallboard's feed: what queues and agents are now, pushed when it changes, at most twice a second.

Decides what a big screen may show (no caller, no number, nothing that a flow hands to an agent) and how often. One look
serves all watchers, however many they are and however much happens; each is sent what changed since the last time. A
watcher who hears nothing knows that something is wrong: that nothing changes is said too.
"""

from __future__ import annotations

import asyncio
import json
import weakref
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import structlog
from aiohttp import WSCloseCode, web

from cordboard.events import Event
from cordboard.web.ports import View, WebDeps

log = structlog.get_logger()

EVERY_S = 0.5
STILL_S = 3.0
MOST_WATCHERS = 100
HEARTBEAT_S = 20.0

QUEUE_FIELDS = (
    "name",
    "waiting",
    "waiting_since",
    "expected_wait_s",
    "today",
    "warn_wait_s",
    "alarm_wait_s",
    "open",
    "opens_at",
)
AGENT_FIELDS = (
    *("id", "name", "queues", "queue", "state", "reason", "since", "reachable", "phone_busy", "free", "after_talk"),
    *("wrap_up_ends_at", "disposition_owed"),
)
# What else happens is no news for a wall.
PREFIXES = ("queue.", "offer.", "talk.", "agent.", "link.", "call.ended", "call.disposition")

_encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, default=str).encode


@dataclass(slots=True)
class Seen:
    """Entries by name or number. One that did not change is the same object as before."""

    linked: bool = False
    queues: dict[str, View] = field(default_factory=dict)
    agents: dict[str, View] = field(default_factory=dict)


class Board:
    """`GET /api/wallboard`: a WebSocket of frames, the first of them with everything."""

    def __init__(self, deps: WebDeps) -> None:
        self._deps = deps
        self._sockets: weakref.WeakSet[web.WebSocketResponse] = weakref.WeakSet()
        self._now = Seen()
        self._happened = asyncio.Event()
        self._looked: asyncio.Future[None] | None = None
        self._looking: asyncio.Task[None] | None = None
        deps.journal.listen(self._heard)

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/api/wallboard", self.watch)]

    async def watch(self, request: web.Request) -> web.StreamResponse:
        if len(self._sockets) >= MOST_WATCHERS:
            raise web.HTTPServiceUnavailable(text="Too many are watching.")
        socket = web.WebSocketResponse(heartbeat=HEARTBEAT_S, max_msg_size=4096)
        await socket.prepare(request)
        self._sockets.add(socket)
        if self._looking is None:
            self._look()
            self._looking = asyncio.create_task(self._keep_looking(), name="wallboard")
        sending = asyncio.create_task(self._send(socket))
        try:
            async for _ in socket:
                pass  # nothing is expected; reading answers pings and notices the end
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
            self._sockets.discard(socket)
            if not self._sockets:
                await self._stop_looking()
        return socket

    async def close(self, _app: web.Application) -> None:
        for socket in list(self._sockets):
            await socket.close(code=WSCloseCode.GOING_AWAY, message=b"the service ends")
        await self._stop_looking()

    def _heard(self, event: Event) -> None:
        if event.kind.startswith(PREFIXES):
            self._happened.set()

    async def _keep_looking(self) -> None:
        while True:
            await asyncio.sleep(EVERY_S)
            try:
                async with asyncio.timeout(STILL_S):
                    await self._happened.wait()
            except TimeoutError:
                pass
            try:
                self._look()
            except Exception:
                log.exception("the wallboard has nothing to show")

    def _look(self) -> None:
        self._happened.clear()
        self._now = Seen(
            self._deps.pbx_health().linked,
            _kept(self._now.queues, (_only(view, QUEUE_FIELDS) for view in self._deps.queues()), "name"),
            _kept(self._now.agents, (_only(view, AGENT_FIELDS) for view in self._deps.agents()), "id"),
        )
        looked, self._looked = self._looked, asyncio.get_running_loop().create_future()
        if looked is not None:
            looked.set_result(None)

    async def _stop_looking(self) -> None:
        looking, self._looking = self._looking, None
        if looking is not None:
            looking.cancel()
            await asyncio.gather(looking, return_exceptions=True)

    async def _send(self, socket: web.WebSocketResponse) -> None:
        sent = Seen()
        whole = True
        try:
            while True:
                now, looked = self._now, self._looked
                await socket.send_str(self._frame(sent, now, whole=whole))
                sent, whole = now, False
                if looked is not None and self._looked is looked:
                    await asyncio.shield(looked)
        except ConnectionError:
            pass  # the watcher left

    def _frame(self, sent: Seen, now: Seen, *, whole: bool) -> str:
        """`whole`: forget what you have."""
        return _encode(
            {
                "whole": whole,
                "at": self._deps.clock(),
                "linked": now.linked,
                "queues": [view for name, view in now.queues.items() if sent.queues.get(name) is not view],
                "agents": [view for number, view in now.agents.items() if sent.agents.get(number) is not view],
                "gone": {
                    "queues": [name for name in sent.queues if name not in now.queues],
                    "agents": [number for number in sent.agents if number not in now.agents],
                },
            }
        )


def _only(view: View, fields: tuple[str, ...]) -> View:
    return {name: view[name] for name in fields if name in view}


def _kept(before: Mapping[str, View], views: Iterable[View], key: str) -> dict[str, Any]:
    """By key; what equals what was there before is that."""
    return {view[key]: old if (old := before.get(view[key])) == view else view for view in views}
