"""The service's live events, over its WebSocket, as any browser gets them.

Decides which events belong to our call or our phone. A service that cannot be reached is no failure of the phone: the
caller of `open` tells it and goes on with what the phone sees by itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable, Mapping
from typing import Any

import aiohttp

from cordboard.phones.errors import PhoneError

Event = Mapping[str, Any]

_CONNECT_TIMEOUT = 3.0


class NoLiveEvents(PhoneError):
    """The service's events cannot be had; the text says why."""


class LiveEvents:
    """An open stream. `on_event` is called for each event, `on_end` once if the service ends the stream."""

    def __init__(
        self,
        http: aiohttp.ClientSession,
        socket: aiohttp.ClientWebSocketResponse,
        on_event: Callable[[Event], None],
        on_end: Callable[[], None],
    ) -> None:
        self._http = http
        self._socket = socket
        self._on_event = on_event
        self._on_end = on_end
        self._reader = asyncio.get_running_loop().create_task(self._read(), name="live-events")

    @classmethod
    async def open(
        cls, url: str, token: str, on_event: Callable[[Event], None], on_end: Callable[[], None]
    ) -> LiveEvents:
        """`url` is `http://host:port/api/events` (or `ws://`). Raises NoLiveEvents."""
        http = aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"} if token else None)
        try:
            async with asyncio.timeout(_CONNECT_TIMEOUT):
                socket = await http.ws_connect(url)
        except BaseException as error:
            await http.close()
            if isinstance(error, aiohttp.ClientError | TimeoutError | OSError | ValueError):
                raise NoLiveEvents(f"no live events from {url}: {_why(error)}") from error
            raise
        return cls(http, socket, on_event, on_end)

    async def close(self) -> None:
        self._reader.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._reader
        await self._socket.close()
        await self._http.close()

    async def _read(self) -> None:
        async for message in self._socket:
            if message.type is aiohttp.WSMsgType.TEXT:
                event = _event_in(message.data)
                if event is not None:
                    self._on_event(event)
        self._on_end()


def _why(error: BaseException) -> str:
    match error:
        case aiohttp.WSServerHandshakeError():
            return f"refused with status {error.status}"
        case aiohttp.ClientConnectorError():
            return "nothing listens there"
        case TimeoutError():
            return "no answer in time"
        case _:
            return str(error)


def _event_in(text: str) -> Event | None:
    """The event in a message; None for anything else that a newer service may say."""
    try:
        content = json.loads(text)
    except ValueError:
        return None
    if not isinstance(content, dict) or not isinstance(content.get("kind"), str):
        return None
    return content if isinstance(content.get("at"), int | float) else None


class OurCall:
    """Picks the events of the call from one number, which must be ours alone."""

    def __init__(self, number: str) -> None:
        self._digits = _digits(number)
        self.call_id: str | None = None

    def owns(self, event: Event) -> bool:
        if self.call_id is None and event["kind"] == "call.arrived":
            caller = (event.get("data") or {}).get("caller")
            if isinstance(caller, str) and _digits(caller) == self._digits:
                self.call_id = event.get("call_id")
        return self.call_id is not None and event.get("call_id") == self.call_id


class OurAgent:
    """Picks the events of one agent."""

    def __init__(self, extension: str) -> None:
        self._extension = extension

    def owns(self, event: Event) -> bool:
        return event.get("agent") == self._extension


def _digits(number: str) -> str:
    return "".join(character for character in number if character.isdigit())
