"""One AMI session: its bytes, its replies, its life. It decides that the session is dead; never what to do about it.

It never stops reading: Asterisk disconnects a client that does not read, and what it said meanwhile is lost for good.
Replies come in the order of the actions (one thread serves a session), so the oldest waiting action is always the first
whose deadline passes: one timer serves them all. Written bytes are gathered and leave once per turn of the event loop.
"""

from __future__ import annotations

import asyncio
import hashlib
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

from pbx.errors import LinkLost, LoginRefused
from pbx.wire import Headers, Message, Reader, encode_action

OnReply = Callable[[Message | None], None]
"""Called once with the reply, or with None when the deadline passed. Never called once the connection is lost."""


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """How long the PBX may be silent and how much may wait. Seconds and bytes."""

    connect: float = 5.0
    action: float = 5.0
    ping_every: float = 5.0
    ping_deadline: float = 3.0
    write_buffer: int = 4 * 1024 * 1024


@dataclass(slots=True)
class Collection:
    """The events of a list action on their way: until `EventList: Complete`."""

    done: asyncio.Future[list[Message]]
    events: list[Message] = field(default_factory=list)


class AmiConnection(asyncio.Protocol):
    """Made by `open_connection`. `lost` ends, with the reason, when the session does."""

    def __init__(self, limits: SessionLimits, on_event: Callable[[Message], None], action_prefix: str) -> None:
        self.reader = Reader()
        self.messages = 0
        self._limits = limits
        self._on_event = on_event
        self._prefix = action_prefix
        self._number = 0
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._out: list[bytes] = []
        self._pending: dict[bytes, tuple[float, OnReply]] = {}
        self._collections: dict[bytes, Collection] = {}
        self._deadline_timer: asyncio.TimerHandle | None = None
        self._ping_timer: asyncio.TimerHandle | None = None
        self._last_read = 0.0
        self._greeted: asyncio.Future[None] = self._loop.create_future()
        self.lost: asyncio.Future[str] = self._loop.create_future()

    # asyncio.Protocol --------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport = cast("asyncio.Transport", transport)  # uvloop's is none by inheritance
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._last_read = self._loop.time()
        on_event = self._on_event
        messages = self.reader.feed(data)
        for message in messages:
            if message.raw.startswith(b"Event: "):
                if not self._collections or not self._collect(message):
                    on_event(message)
            else:
                self._reply(message)
        self.messages += len(messages)
        if not self._greeted.done() and self.reader.greeting is not None:
            self._greeted.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        self.abandon("reset" if exc else "closed by the PBX")

    # life --------------------------------------------------------------------------------------------------------

    def abandon(self, reason: str) -> None:
        """This session is over: nothing waiting is answered any more."""
        if self.lost.done():
            return
        self.lost.set_result(reason)
        for timer in (self._deadline_timer, self._ping_timer):
            if timer is not None:
                timer.cancel()
        self._pending.clear()
        for collection in self._collections.values():
            if not collection.done.done():
                collection.done.set_exception(LinkLost(reason))
                collection.done.exception()  # seen: whoever waited may have gone away already
        self._collections.clear()
        self._out.clear()
        if not self._greeted.done():
            self._greeted.set_result(None)
        if self._transport is not None:
            self._transport.abort()

    async def login(self, user: str, secret: str) -> None:
        """Log in by MD5 challenge, so that the secret does not travel, or in plain where that is not offered."""
        async with self._patience(self._limits.connect):
            await self._greeted
        if self.lost.done():
            raise LinkLost(self.lost.result())
        if not (self.reader.greeting or b"").startswith(b"Asterisk Call Manager/"):
            raise LoginRefused("this is not an Asterisk Manager Interface")
        challenge = await self.request("Challenge", [("AuthType", "MD5")])
        if challenge.name == b"Success":
            # MD5 is what AMI speaks (Asterisk 22); use TLS wherever the line is not your own.
            answer = hashlib.md5(challenge.get(b"Challenge") + secret.encode(), usedforsecurity=False).hexdigest()
            reply = await self.request("Login", [("AuthType", "MD5"), ("Username", user), ("Key", answer)])
        else:
            reply = await self.request("Login", [("Username", user), ("Secret", secret)])
        if reply.name != b"Success":
            raise LoginRefused("the PBX refused the user name or the secret")
        self._ping_timer = self._loop.call_later(self._limits.ping_every, self._ping)

    def _ping(self) -> None:
        self.send_action("Ping", (), _ignore)
        asked = self._loop.time()
        self._ping_timer = self._loop.call_later(self._limits.ping_deadline, self._ping_due, asked)

    def _ping_due(self, asked: float) -> None:
        # Anything read since is a sign of life: a flood of events may well stand before the reply.
        if self._last_read < asked:
            self.abandon("no answer to a ping")
            return
        rest = max(self._limits.ping_every - self._limits.ping_deadline, 0.0)
        self._ping_timer = self._loop.call_later(rest, self._ping)

    # actions -----------------------------------------------------------------------------------------------------

    def send_action(self, name: str, headers: Headers, on_reply: OnReply) -> str:
        """Send soon. Raises `EncodeError` when the action must not be sent, and then nothing was."""
        self._number += 1
        action_id = f"{self._prefix}{self._number}"
        data = encode_action(name, headers, action_id)
        if self.lost.done():
            return action_id
        now = self._loop.time()
        self._pending[action_id.encode()] = (now + self._limits.action, on_reply)
        if self._deadline_timer is None:
            self._deadline_timer = self._loop.call_at(now + self._limits.action, self._deadline)
        if not self._out:
            self._loop.call_soon(self._flush)
        self._out.append(data)
        return action_id

    async def request(self, name: str, headers: Headers) -> Message:
        """Send and wait for the one reply."""
        answer: asyncio.Future[Message | None] = self._loop.create_future()

        def answered(message: Message | None) -> None:
            if not answer.done():
                answer.set_result(message)

        self.send_action(name, headers, answered)
        await asyncio.wait((answer, self.lost), return_when=asyncio.FIRST_COMPLETED)
        reply = answer.result() if answer.done() else None
        if reply is None:
            raise LinkLost(self.lost.result() if self.lost.done() else f"no answer to {name}")
        return reply

    async def collect(self, name: str, headers: Headers) -> list[Message]:
        """Send a list action and wait for all its events."""
        collection = Collection(self._loop.create_future())

        def answered(message: Message | None) -> None:
            # Never an empty list instead: it would say that nothing exists.
            if collection.done.done():
                return
            if message is None:
                collection.done.set_exception(LinkLost(f"no answer to {name}"))
            elif message.name != b"Success":
                collection.done.set_exception(LoginRefused(f"our user may not ask for {name}"))

        action_id = self.send_action(name, headers, answered).encode()
        self._collections[action_id] = collection
        try:
            async with self._patience(self._limits.action * 2):
                await asyncio.wait((collection.done, self.lost), return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._collections.pop(action_id, None)
        if not collection.done.done():
            raise LinkLost(self.lost.result())
        return collection.done.result()

    def _collect(self, message: Message) -> bool:
        collection = self._collections.get(message.exact(b"ActionID"))
        if collection is None:
            return False
        if message.exact(b"EventList") == b"Complete":
            if not collection.done.done():
                collection.done.set_result(collection.events)
        else:
            collection.events.append(message)
        return True

    def _reply(self, message: Message) -> None:
        waiting = self._pending.pop(message.exact(b"ActionID"), None)
        if waiting is not None:
            waiting[1](message)

    def _deadline(self) -> None:
        """Give up on what is overdue; look again when the oldest of the rest is."""
        self._deadline_timer = None
        now = self._loop.time()
        while self._pending:
            action_id, (due, on_reply) = next(iter(self._pending.items()))
            if due > now:
                self._deadline_timer = self._loop.call_at(due, self._deadline)
                return
            del self._pending[action_id]
            on_reply(None)

    def _flush(self) -> None:
        if self._transport is None or not self._out:
            return
        data = b"".join(self._out)
        self._out.clear()
        if self._transport.get_write_buffer_size() + len(data) > self._limits.write_buffer:
            self.abandon("the PBX does not read")
            return
        self._transport.write(data)

    def _patience(self, seconds: float) -> _Patience:
        return _Patience(seconds)


class _Patience:
    """`asyncio.timeout` that speaks of a lost link."""

    def __init__(self, seconds: float) -> None:
        self._timeout = asyncio.timeout(seconds)

    async def __aenter__(self) -> None:
        await self._timeout.__aenter__()

    async def __aexit__(self, *exc: object) -> None:
        try:
            await self._timeout.__aexit__(*exc)  # type: ignore[arg-type]
        except TimeoutError:
            raise LinkLost("the PBX took too long") from None


def _ignore(message: Message | None) -> None:
    """A ping's reply is a sign of life by being read at all."""


async def open_connection(
    host: str,
    port: int,
    *,
    limits: SessionLimits,
    on_event: Callable[[Message], None],
    action_prefix: str,
    tls: ssl.SSLContext | None = None,
) -> AmiConnection:
    """Connect, but do not log in yet."""
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(limits.connect):
            _, connection = await loop.create_connection(
                lambda: AmiConnection(limits, on_event, action_prefix), host, port, ssl=tls
            )
    except TimeoutError:
        raise LinkLost("the PBX took too long to accept the connection") from None
    except OSError as failed:
        raise LinkLost(f"cannot connect: {failed.strerror or type(failed).__name__}") from None
    return connection
