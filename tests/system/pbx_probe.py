"""The least that is needed to look at a real PBX from outside: free ports, one AMI session, one SIP request.

Deliberately not our own AMI client: what is tested here must hold for any.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import socket
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import cast

Message = dict[str, str]


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def free_udp_range(size: int) -> int:
    """The first of `size` UDP ports that are all free, below the ports that the system gives out by itself."""
    for first in range(20000, 32000, size):
        with contextlib.ExitStack() as stack:
            try:
                for port in range(first, first + size):
                    stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)).bind(("127.0.0.1", port))
            except OSError:
                continue
            return first
    raise RuntimeError("no free range of UDP ports")


@dataclass
class RawAmi:
    """One logged-in AMI session that keeps everything it hears."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    heard: list[Message] = field(default_factory=list)
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _ids: itertools.count[int] = field(default_factory=itertools.count)

    async def listen(self) -> None:
        message: Message = {}
        while line := await self.reader.readline():
            key, separator, value = line.decode().rstrip("\r\n").partition(":")
            if separator:
                message[key] = value.strip()
            elif message:
                self.heard.append(message)
                self._news.set()
                message = {}

    async def until(self, found: Callable[[Message], bool], within: float = 10.0) -> Message:
        async with asyncio.timeout(within):
            while True:
                for message in self.heard:
                    if found(message):
                        return message
                self._news.clear()
                await self._news.wait()

    async def event(self, name: str, **headers: str) -> Message:
        return await self.until(lambda m: m.get("Event") == name and headers.items() <= m.items())

    async def do(self, action: str, **headers: str) -> Message:
        token = f"probe-{next(self._ids)}"
        lines = {"Action": action, "ActionID": token, **headers}
        self.writer.write("".join(f"{key}: {value}\r\n" for key, value in lines.items()).encode() + b"\r\n")
        return await self.until(lambda m: m.get("ActionID") == token and "Response" in m)

    async def listed(self, action: str, item: str, complete: str) -> list[Message]:
        token = (await self.do(action))["ActionID"]
        await self.event(complete, ActionID=token)
        return [m for m in self.heard if m.get("ActionID") == token and m.get("Event") == item]


@contextlib.asynccontextmanager
async def ami(port: int, user: str, secret: str) -> AsyncIterator[RawAmi]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    assert (await reader.readline()).startswith(b"Asterisk Call Manager")
    session = RawAmi(reader, writer)
    listening = asyncio.create_task(session.listen())
    try:
        assert (await session.do("Login", Username=user, Secret=secret))["Response"] == "Success"
        yield session
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


class SipCaller(asyncio.DatagramProtocol):
    """Sends one INVITE and collects the status codes that come back."""

    def __init__(self, pbx_port: int, caller: str, dialled: str) -> None:
        self.statuses: list[int] = []
        self._pbx_port, self._caller, self._dialled = pbx_port, caller, dialled
        self._news = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        port = transport.get_extra_info("sockname")[1]
        sdp = (
            f"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio {port} RTP/AVP 0\r\n"
            "a=rtpmap:0 PCMU/8000\r\n"
        )
        target = f"sip:{self._dialled}@127.0.0.1:{self._pbx_port}"
        invite = (
            f"INVITE {target} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{port};branch=z9hG4bK-{port}\r\n"
            f"From: <sip:{self._caller}@127.0.0.1:{port}>;tag={port}\r\nTo: <{target}>\r\nCall-ID: {port}@127.0.0.1\r\n"
            f"CSeq: 1 INVITE\r\nContact: <sip:{self._caller}@127.0.0.1:{port}>\r\nMax-Forwards: 70\r\n"
            f"Content-Type: application/sdp\r\nContent-Length: {len(sdp)}\r\n\r\n{sdp}"
        )
        cast(asyncio.DatagramTransport, transport).sendto(invite.encode(), ("127.0.0.1", self._pbx_port))

    def datagram_received(self, data: bytes, addr: tuple[str | object, int]) -> None:
        first, _, _ = data.partition(b"\r\n")
        if first.startswith(b"SIP/2.0 "):
            self.statuses.append(int(first.split()[1]))
            self._news.set()

    async def until(self, status: int, within: float = 10.0) -> list[int]:
        async with asyncio.timeout(within):
            while status not in self.statuses:
                self._news.clear()
                await self._news.wait()
        return self.statuses


@contextlib.asynccontextmanager
async def invite(pbx_port: int, caller: str, dialled: str) -> AsyncIterator[SipCaller]:
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.create_datagram_endpoint(
        lambda: SipCaller(pbx_port, caller, dialled), local_addr=("127.0.0.1", 0)
    )
    try:
        yield protocol
    finally:
        transport.close()
