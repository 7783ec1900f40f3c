"""The WebSocket of events: first what was, from the log, then what is, without a gap or a duplicate between them.

The watcher is subscribed first, the log then read up to the number that was the newest at that moment: what came later
waits in the subscription. A watcher who reads too slowly is told what they missed, and hurts nobody else.
"""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Callable

import structlog
from aiohttp import WSCloseCode, WSMsgType, web

from cordboard.journal import Missed, Subscription
from cordboard.storage.errors import DatabaseUnavailable
from cordboard.web.ports import WebDeps
from cordboard.web.render import event_frame, gap_frame, hello_frame

log = structlog.get_logger()

MOST_WATCHERS = 200
HEARTBEAT_S = 20.0


class LiveEvents:
    """`GET /api/events?since=<seq>&call=<call id>`, both optional."""

    def __init__(self, deps: WebDeps, command: Callable[[str], str]) -> None:
        """`command` carries out what a watcher sends, and says how it went."""
        self._deps = deps
        self._command = command
        self._sockets: weakref.WeakSet[web.WebSocketResponse] = weakref.WeakSet()

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/api/events", self.watch)]

    async def watch(self, request: web.Request) -> web.StreamResponse:
        since = request.query.get("since")
        if since is not None and not (since.isascii() and since.isdigit() and len(since) <= 15):
            raise web.HTTPBadRequest(text="since must be the number of an event.")
        if len(self._sockets) >= MOST_WATCHERS:
            raise web.HTTPServiceUnavailable(text="Too many are watching.")
        call_id = request.query.get("call")
        socket = web.WebSocketResponse(heartbeat=HEARTBEAT_S, max_msg_size=4096)
        await socket.prepare(request)
        self._sockets.add(socket)
        with self._deps.journal.subscribe(call_id=call_id) as subscription:
            upto = self._deps.journal.last_seq
            sending = asyncio.create_task(
                self._send(socket, subscription, int(since) if since is not None else upto, upto, call_id)
            )
            try:
                async for message in socket:  # reading also answers pings and notices the end
                    if message.type is WSMsgType.TEXT:
                        await socket.send_str(self._command(message.data))
            finally:
                sending.cancel()
                await asyncio.gather(sending, return_exceptions=True)
                self._sockets.discard(socket)
        return socket

    async def close(self, _app: web.Application) -> None:
        """The service ends: watchers are told, not kept waiting."""
        for socket in list(self._sockets):
            await socket.close(code=WSCloseCode.GOING_AWAY, message=b"the service ends")

    async def _send(
        self, socket: web.WebSocketResponse, subscription: Subscription, since: int, upto: int, call_id: str | None
    ) -> None:
        try:
            await socket.send_str(hello_frame(upto))
            if since < upto:
                await self._replay(socket, since, upto, call_id)
            while True:
                event = await subscription.next()
                await socket.send_str(gap_frame(event) if isinstance(event, Missed) else event_frame(event))
        except DatabaseUnavailable:
            await socket.close(code=WSCloseCode.TRY_AGAIN_LATER, message=b"the database does not answer")
        except ConnectionError:
            pass  # the watcher left
        except Exception:
            log.exception("live events failed")
            await socket.close(code=WSCloseCode.INTERNAL_ERROR)

    async def _replay(self, socket: web.WebSocketResponse, since: int, upto: int, call_id: str | None) -> None:
        if not await self._deps.flush():
            raise DatabaseUnavailable("not everything is written yet")
        expected = since + 1
        async for event in self._deps.history.events_after(since, upto, call_id):
            if call_id is None and event.seq > expected:
                await socket.send_str(gap_frame(Missed(event.seq - expected, expected, event.seq - 1)))
            expected = event.seq + 1
            await socket.send_str(event_frame(event))
        if call_id is None and expected <= upto:
            await socket.send_str(gap_frame(Missed(upto - expected + 1, expected, upto)))
