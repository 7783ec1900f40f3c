"""A scripted SIP phone on loopback UDP: it registers, and does to every call what the test says.

It can do what no decent phone does: refuse with any status, ring for ever, answer and send no sound, fall silent in
the middle of a call. It sends no RTP and throws away what it is sent. Cheap enough for hundreds in one event loop.

    async with await SipPhone.register("127.0.0.1", 5060, "1001", secret, Refuse(603)) as phone:
        call = await phone.call()            # the first INVITE
        await call.until("refused")
"""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self, cast

T1 = 0.5  # seconds until something unanswered is sent again; then twice as long each time
TRIES = 5
REASONS = {100: "Trying", 180: "Ringing", 200: "OK", 481: "No Such Dialog", 486: "Busy Here", 487: "Terminated"}


@dataclass(frozen=True, slots=True)
class Answer:
    """Rings so long, then answers."""

    after: float = 0.0


@dataclass(frozen=True, slots=True)
class Refuse:
    """Refuses with this status; unless `rings`, without a ring before."""

    status: int = 486
    after: float = 0.0
    rings: bool = False


@dataclass(frozen=True, slots=True)
class Ring:
    """Rings until the caller gives up, or the test answers or refuses."""


@dataclass(frozen=True, slots=True)
class Nothing:
    """Does not react at all, as if somebody had cut the cable."""


Script = Answer | Refuse | Ring | Nothing


@dataclass(frozen=True)
class Message:
    """One SIP message; header names in lower case, in order, repeated ones repeated."""

    first: str
    headers: tuple[tuple[str, str], ...]
    body: str

    @classmethod
    def parse(cls, data: bytes) -> Message:
        head, _, body = data.decode("utf-8", "replace").partition("\r\n\r\n")
        first, *lines = head.split("\r\n")
        pairs = (line.partition(":") for line in lines)
        return cls(first, tuple((name.strip().lower(), value.strip()) for name, _, value in pairs), body)

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key == name]

    def get(self, name: str) -> str:
        return next(iter(self.all(name)), "")

    @property
    def method(self) -> str:
        return self.first.partition(" ")[0]

    @property
    def status(self) -> int:
        return int(self.first.split()[1]) if self.first.startswith("SIP/2.0 ") else 0


@dataclass(eq=False)
class SipCall:
    """One INVITE and what became of it.

    `state`: `new`, `ringing`, `answered` (200 sent), `talking` (and acknowledged), or how it ended: `refused`,
    `cancelled` (the other side gave up), `over` (somebody said BYE).
    """

    phone: SipPhone
    invite: Message
    tag: str
    state: str = "new"
    acked: bool = False
    ends: list[Message] = field(default_factory=list)  # the CANCEL and the BYE that we were sent
    _last: bytes = b""

    async def until(self, state: str, within: float = 10.0) -> None:
        await self.phone.until(lambda: self.state == state, within, f"call is {state}", lambda: self.state)

    async def until_ended(self, within: float = 10.0) -> None:
        """The other side gave up, or anybody said BYE."""
        ended = {"cancelled", "over"}
        await self.phone.until(lambda: self.state in ended, within, "call has ended", lambda: self.state)

    def ring(self) -> None:
        self._respond(180)
        self._become("ringing")

    def answer(self) -> None:
        if self.state in {"new", "ringing"}:
            self._respond(200, body=self.phone.sdp())
            self._become("answered")
            self._repeat_until_acked()

    def refuse(self, status: int) -> None:
        if self.state in {"new", "ringing"}:
            self._respond(status)
            self._become("refused")
            self._repeat_until_acked()

    def hang_up(self) -> None:
        """BYE, of a call that was answered."""
        target = re.search(r"<([^>]+)>", self.invite.get("contact"))
        lines = [
            f"From: {self.invite.get('to')};tag={self.tag}",
            f"To: {self.invite.get('from')}",
            f"Call-ID: {self.invite.get('call-id')}",
        ]
        self.phone.request("BYE", target[1] if target else self.phone.registrar, lines)
        self._become("over")

    # what the other side sends

    def repeated(self) -> None:
        """The INVITE again: our answer was lost."""
        if self._last:
            self.phone.send(self._last)

    def cancelled(self, cancel: Message) -> None:
        self.ends.append(cancel)
        self.phone.respond(cancel, 200, self.tag)
        if self.state in {"new", "ringing"}:
            self._respond(487)
            self._become("cancelled")
            self._repeat_until_acked()

    def confirmed(self) -> None:
        self.acked = True
        if self.state == "answered":
            self._become("talking")

    def ended(self, bye: Message) -> None:
        self.ends.append(bye)
        self.phone.respond(bye, 200, self.tag)
        self._become("over")

    def _respond(self, status: int, body: str = "") -> None:
        self._last = self.phone.respond(self.invite, status, self.tag, body)

    def _become(self, state: str) -> None:
        self.state = state
        self.phone.changed()

    def _repeat_until_acked(self, wait: float = T1, tries: int = TRIES) -> None:
        def again() -> None:
            if not self.acked and self.state != "over" and tries:
                self.repeated()
                self._repeat_until_acked(wait * 2, tries - 1)

        self.phone.after(wait, again)


@dataclass(eq=False)
class SipPhone(asyncio.DatagramProtocol):
    """Made by `register`. `script` may be changed at any time, for the calls to come."""

    host: str
    port: int
    user: str
    secret: str
    script: Script
    calls: list[SipCall] = field(default_factory=list)
    _cseq: itertools.count[int] = field(default_factory=lambda: itertools.count(1))
    _responses: dict[int, asyncio.Future[Message]] = field(default_factory=dict)
    _timers: set[asyncio.TimerHandle] = field(default_factory=set)
    _silent: bool = False

    @classmethod
    async def register(
        cls, host: str, port: int, user: str, secret: str, script: Script = Answer(), expires: int = 300
    ) -> SipPhone:
        """A phone that the registrar has accepted. Raises `ConnectionError` with the status when it does not."""
        loop = asyncio.get_running_loop()
        _, phone = await loop.create_datagram_endpoint(
            lambda: cls(host, port, user, secret, script), local_addr=("127.0.0.1", 0)
        )
        # Where the other side's sound goes; nobody reads it.
        phone._sound, _ = await loop.create_datagram_endpoint(asyncio.DatagramProtocol, local_addr=("127.0.0.1", 0))
        try:
            await phone.renew(expires)
        except BaseException:
            phone.die()
            raise
        return phone

    async def renew(self, expires: int) -> None:
        """REGISTER; with `expires` 0 it takes the registration back."""
        answer = await self._register(expires)
        challenge = answer.get("www-authenticate")
        if answer.status == 401 and challenge:
            answer = await self._register(expires, self._authorization(challenge))
        if answer.status != 200:
            raise ConnectionError(f"the registrar says {answer.status} to {self.user}")

    async def unregister(self) -> None:
        await self.renew(0)

    def die(self) -> None:
        """The cable is cut: nothing is sent or heard any more, and nobody is told."""
        self._silent = True
        for timer in self._timers:
            timer.cancel()
        self._transport.close()
        self._sound.close()

    async def close(self) -> None:
        if not self._silent:
            for call in self.calls:
                if call.state in {"answered", "talking"}:
                    call.hang_up()
                elif call.state in {"new", "ringing"}:
                    call.refuse(486)
            try:
                await self.unregister()
            finally:
                self.die()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        await self.close()

    async def call(self, number: int = 1, within: float = 10.0) -> SipCall:
        """The `number`th call that this phone got."""
        await self.until(lambda: len(self.calls) >= number, within, f"{number} call(s)", lambda: len(self.calls))
        return self.calls[number - 1]

    async def until(self, holds: Callable[[], bool], within: float, what: str, seen: Callable[[], object]) -> None:
        try:
            async with asyncio.timeout(within):
                while not holds():
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            raise AssertionError(f"phone {self.user}, not within {within} s: {what}; seen: {seen()}") from None

    # what calls use

    @property
    def registrar(self) -> str:
        return f"sip:{self.host}:{self.port}"

    def sdp(self) -> str:
        port = self._sound.get_extra_info("sockname")[1]
        return (
            "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
            f"m=audio {port} RTP/AVP 0 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\n"
        )

    def changed(self) -> None:
        self._news.set()

    def after(self, seconds: float, callback: Callable[[], None]) -> None:
        def fire() -> None:
            self._timers.discard(timer)
            callback()

        if not self._silent:
            timer = asyncio.get_running_loop().call_later(seconds, fire)
            self._timers.add(timer)

    def send(self, data: bytes) -> None:
        if not self._silent:
            self._transport.sendto(data, (self.host, self.port))

    def respond(self, request: Message, status: int, tag: str, body: str = "") -> bytes:
        to = request.get("to")
        lines = [
            f"SIP/2.0 {status} {REASONS.get(status, 'As The Test Says')}",
            *(f"Via: {via}" for via in request.all("via")),
            f"From: {request.get('from')}",
            f"To: {to}" if ";tag=" in to else f"To: {to};tag={tag}",
            f"Call-ID: {request.get('call-id')}",
            f"CSeq: {request.get('cseq')}",
            self._contact,
        ]
        data = finished(lines, body)
        self.send(data)
        return data

    def request(self, method: str, target: str, lines: list[str]) -> int:
        number = next(self._cseq)
        branch = f"z9hG4bK{secrets.token_hex(8)}"
        head = [
            f"{method} {target} SIP/2.0",
            f"Via: SIP/2.0/UDP 127.0.0.1:{self._own_port};rport;branch={branch}",
            "Max-Forwards: 70",
            *lines,
            f"CSeq: {number} {method}",
            self._contact,
        ]
        self._sent = finished(head)
        self.send(self._sent)
        return number

    # UDP

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)
        self._own_port = transport.get_extra_info("sockname")[1]
        self._contact = f"Contact: <sip:{self.user}@127.0.0.1:{self._own_port}>"
        self._news = asyncio.Event()
        self._sound: asyncio.DatagramTransport
        self._registration = secrets.token_hex(8)

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        message = Message.parse(data)
        if message.status:
            number, _, method = message.get("cseq").partition(" ")
            waiting = self._responses.get(int(number)) if method == "REGISTER" and message.status >= 200 else None
            if waiting is not None and not waiting.done():
                waiting.set_result(message)
            return
        call = next((one for one in self.calls if one.invite.get("call-id") == message.get("call-id")), None)
        match message.method:
            case "INVITE" if call is None:
                self._called(message)
            case "INVITE" if call is not None and ";tag=" in message.get("to"):
                self.respond(message, 200, call.tag, self.sdp())  # within the call: hold, say
            case "INVITE" if call is not None:
                call.repeated()
            case "CANCEL" if call is not None:
                call.cancelled(message)
            case "BYE" if call is not None:
                call.ended(message)
            case "ACK":
                if call is not None:
                    call.confirmed()
            case "OPTIONS" | "NOTIFY" | "INFO" | "UPDATE":
                self.respond(message, 200, "phone")
            case _:
                self.respond(message, 481, "phone")

    def _called(self, invite: Message) -> None:
        call = SipCall(self, invite, secrets.token_hex(4))
        self.calls.append(call)
        match self.script:
            case Answer(after):
                call.ring()
                self.after(after, call.answer)
            case Refuse(status, after, rings):
                if rings:
                    call.ring()
                if after or rings:
                    self.after(after, lambda: call.refuse(status))
                else:
                    call.refuse(status)
            case Ring():
                call.ring()
            case Nothing():
                pass
        self.changed()

    # REGISTER

    async def _register(self, expires: int, authorization: str = "") -> Message:
        who = f"<sip:{self.user}@{self.host}>"
        lines = [
            f"From: {who};tag={self._registration}",
            f"To: {who}",
            f"Call-ID: {self._registration}",
            f"Expires: {expires}",
            *([f"Authorization: {authorization}"] if authorization else []),
        ]
        number = self.request("REGISTER", self.registrar, lines)
        sent = self._sent
        answer: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        self._responses[number] = answer
        try:
            for attempt in range(TRIES):
                done, _ = await asyncio.wait([answer], timeout=T1 * 2**attempt)
                if done:
                    return answer.result()
                self.send(sent)
            raise ConnectionError(f"the registrar does not answer {self.user}")
        finally:
            del self._responses[number]

    def _authorization(self, challenge: str) -> str:
        given = dict(re.findall(r'(\w+)="?([^",]+)"?', challenge))
        realm, nonce, cnonce = given["realm"], given["nonce"], secrets.token_hex(4)
        secret = _md5(f"{self.user}:{realm}:{self.secret}")
        wanted = _md5(f"REGISTER:{self.registrar}")
        proof = _md5(f"{secret}:{nonce}:00000001:{cnonce}:auth:{wanted}")
        return (
            f'Digest username="{self.user}", realm="{realm}", nonce="{nonce}", uri="{self.registrar}", '
            f'response="{proof}", algorithm=MD5, qop=auth, nc=00000001, cnonce="{cnonce}", '
            f'opaque="{given.get("opaque", "")}"'
        )


def finished(lines: list[str], body: str = "") -> bytes:
    kind = ["Content-Type: application/sdp"] if body else []
    return "\r\n".join([*lines, *kind, f"Content-Length: {len(body)}", "", body]).encode()


def _md5(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()
