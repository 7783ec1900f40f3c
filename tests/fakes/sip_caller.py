"""A line from which customers call over loopback UDP, as many at once as the test likes. No sound goes either way.

async with SipCaller.open("127.0.0.1", 5060) as line:
    call = line.dial("100", "+15550100")
    await call.until("talking")
    call.hang_up()
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, cast

from tests.fakes.sip_phone import T1, TRIES, Message, finished


@dataclass(eq=False)
class PlacedCall:
    """`state`: `dialled`, `talking` (answered, by whatever answers calls there), `refused`, `over`."""

    line: SipCaller
    number: str
    caller: str
    id: str = field(default_factory=lambda: secrets.token_hex(8))
    state: str = "dialled"
    heard: bool = False  # something came back: no need to repeat ourselves
    _to: str = ""
    _cseq: int = 1
    _last: bytes = b""
    _ack: bytes = b""

    async def until(self, state: str, within: float = 10.0) -> None:
        try:
            async with asyncio.timeout(within):
                while self.state != state:
                    self.line.news.clear()
                    await self.line.news.wait()
        except TimeoutError:
            raise AssertionError(f"the caller is {self.state}, not {state} within {within} s") from None

    def dial(self) -> None:
        self._last = self._request("INVITE", self.line.sdp())
        self._repeat(self._last)

    def hang_up(self) -> None:
        if self.state == "talking":
            self._become("over")
            self._cseq += 1
            self.heard = False
            self._repeat(self._request("BYE"))

    def responded(self, response: Message) -> None:
        self.heard = True
        _, _, method = response.get("cseq").partition(" ")
        if method != "INVITE" or response.status < 200:
            return
        if not self._ack:
            self._to = response.get("to")
            answered = response.status < 300
            self._ack = self._message("ACK", branch="ACK" if answered else "INVITE")  # as RFC 3261 has it
            self._become("talking" if answered else "refused")
        self.line.send(self._ack)

    def ended(self, bye: Message) -> None:
        self.line.respond(bye)
        self._become("over")

    def _become(self, state: str) -> None:
        self.state = state
        self.line.news.set()

    def _request(self, method: str, body: str = "") -> bytes:
        data = self._message(method, body)
        self.line.send(data)
        return data

    def _message(self, method: str, body: str = "", branch: str | None = None) -> bytes:
        line, own = self.line, f"127.0.0.1:{self.line.own_port}"
        target = f"sip:{self.number}@{line.host}:{line.port}"
        return finished(
            [
                f"{method} {target} SIP/2.0",
                f"Via: SIP/2.0/UDP {own};rport;branch=z9hG4bK{self.id}{branch or method}",
                "Max-Forwards: 70",
                f"From: <sip:{self.caller}@{own}>;tag={self.id}",
                f"To: {self._to or f'<{target}>'}",
                f"Call-ID: {self.id}",
                f"CSeq: {self._cseq} {method}",
                f"Contact: <sip:{self.caller}@{own}>",
            ],
            body,
        )

    def _repeat(self, request: bytes, wait: float = T1, tries: int = TRIES) -> None:
        def again() -> None:
            if not self.heard and tries:
                self.line.send(request)
                self._repeat(request, wait * 2, tries - 1)

        asyncio.get_running_loop().call_later(wait, again)


@dataclass(eq=False)
class SipCaller(asyncio.DatagramProtocol):
    host: str
    port: int
    news: asyncio.Event = field(default_factory=asyncio.Event)
    _calls: dict[str, PlacedCall] = field(default_factory=dict)

    @classmethod
    @contextlib.asynccontextmanager
    async def open(cls, host: str, port: int) -> AsyncIterator[SipCaller]:
        loop = asyncio.get_running_loop()
        transport, line = await loop.create_datagram_endpoint(lambda: cls(host, port), local_addr=("127.0.0.1", 0))
        # Where the other side's sound goes; nobody reads it.
        sound, _ = await loop.create_datagram_endpoint(asyncio.DatagramProtocol, local_addr=("127.0.0.1", 0))
        line._sound_port = sound.get_extra_info("sockname")[1]
        try:
            yield line
        finally:
            for call in line._calls.values():
                call.hang_up()
            transport.close()
            sound.close()

    def dial(self, number: str, caller: str) -> PlacedCall:
        call = PlacedCall(self, number, caller)
        self._calls[call.id] = call
        call.dial()
        return call

    def sdp(self) -> str:
        return (
            "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
            f"m=audio {self._sound_port} RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n"
        )

    def send(self, data: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.sendto(data, (self.host, self.port))

    def respond(self, request: Message) -> None:
        kept = ("via", "from", "to", "call-id", "cseq")
        self.send(
            finished(["SIP/2.0 200 OK", *(f"{name}: {value}" for name, value in request.headers if name in kept)])
        )

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)
        self.own_port: int = transport.get_extra_info("sockname")[1]
        self._sound_port = 0

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        message = Message.parse(data)
        call = self._calls.get(message.get("call-id"))
        if call is None:
            return
        if message.status:
            call.responded(message)
        elif message.method == "BYE":
            call.ended(message)
        elif message.method != "ACK":
            self.respond(message)
