"""A SIP phone: dials, is called, answers or not.

Decides what the phone does with an incoming call. Knows no queue and no menu: to Cordboard it is any phone.

    async with await Softphone.agent("127.0.0.1", 5060, "1001", secret, incoming=AnswerAfter(1)) as agent:
        async with await Softphone.caller("127.0.0.1", 5060) as caller:
            call = await caller.dial("100")
            await call.wait_established()
            theirs = await agent.wait_incoming()
"""

# ruff: noqa: ASYNC109 - a wait that says what it waited for, and what it saw instead, must know its own limit

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from baresip import Account, BaresipError, Call, NoLocalAddressError, RegistrationError, UserAgent

from cordboard.phones.errors import PhoneError, RegistrationFailed, StackError
from cordboard.phones.phone_call import CallState, PhoneCall
from cordboard.phones.sip_stack import SipStack, resolve
from cordboard.phones.waiting import Changes

# Without this the stack offers to switch video on and sends a re-INVITE 50 to 150 ms into every call that it answers,
# which replaces the audio streams and drops what was not read yet.
_NO_VIDEO = "video_codecs=none"
_UNREGISTER_TIMEOUT = 2.0


@dataclass(frozen=True, slots=True)
class Manual:
    """Rings until somebody answers, refuses or gives up."""


@dataclass(frozen=True, slots=True)
class AnswerAfter:
    """Rings this long, then answers. With all of its `lines` in use it refuses; None means that it always has one."""

    seconds: float = 0.0
    lines: int | None = None


@dataclass(frozen=True, slots=True)
class RefuseBusy:
    """Refuses with 486 Busy Here after this long."""

    seconds: float = 0.0


Incoming = Manual | AnswerAfter | RefuseBusy


class Softphone:
    """Open with `caller` or `agent`, then `close`, or use it as a context manager."""

    def __init__(self, stack: SipStack, agent: UserAgent, user: str, domain: str, incoming: Incoming) -> None:
        self.user = user
        self.incoming = incoming
        self.registered = False
        self._stack = stack
        self._agent = agent
        self._domain = domain
        self._calls: list[PhoneCall] = []
        self._arrived: list[PhoneCall] = []
        self._listeners: list[Callable[[PhoneCall], None]] = []
        self._changes = Changes()
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False
        stack.plug(user, self._on_incoming)

    # -- life ----------------------------------------------------------------------------------------------------

    @classmethod
    async def caller(
        cls,
        pbx_host: str,
        pbx_port: int = 5060,
        number: str = "+15550100123",
        name: str = "",
        *,
        incoming: Incoming = Manual(),
    ) -> Softphone:
        """A phone that calls in without registering, as the outside world does. `number` is its From user."""
        return await cls._open(pbx_host, pbx_port, user=number, name=name, secret="", incoming=incoming)

    @classmethod
    async def agent(
        cls,
        host: str,
        port: int,
        extension: str,
        secret: str,
        *,
        incoming: Incoming = Manual(),
        timeout: float = 10.0,
    ) -> Softphone:
        """A registered phone. Raises RegistrationFailed with the registrar's SIP status."""
        phone = await cls._open(host, port, user=extension, name="", secret=secret, incoming=incoming)
        try:
            await phone.register(timeout)
        except BaseException:
            await phone.close()
            raise
        return phone

    @classmethod
    async def _open(cls, host: str, port: int, *, user: str, name: str, secret: str, incoming: Incoming) -> Softphone:
        address, local = await resolve(host, port)
        domain = f"{address}:{port}"
        try:
            account = Account(
                user=user, domain=domain, password=secret, reg_interval=600 if secret else 0, extra_params=(_NO_VIDEO,)
            )
        except ValueError as error:
            raise PhoneError(f"this cannot be a SIP account: {error}") from error
        stack = await SipStack.acquire(local)
        try:
            agent = await stack.user_agent(user, _display_name(name) + account.aor())
        except BaseException:
            await stack.release()
            raise
        return cls(stack, agent, user, domain, incoming)

    async def register(self, timeout: float = 10.0) -> None:
        try:
            await self._agent.register(timeout=timeout)
        except RegistrationError as error:
            raise RegistrationFailed(self.user, error.status, error.reason or str(error)) from error
        self.registered = True

    async def unregister(self, timeout: float = 10.0) -> None:
        try:
            await self._agent.unregister(timeout=timeout)
        except RegistrationError as error:
            raise RegistrationFailed(self.user, error.status, error.reason or str(error)) from error
        finally:
            self.registered = False

    async def close(self) -> None:
        """Hang up everything, unregister, and leave nothing running."""
        if self._closed:
            return
        self._closed = True
        self._stack.unplug(self.user, self._on_incoming)
        try:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            await asyncio.gather(*(call.finish() for call in self._calls))
            if self.registered:
                with contextlib.suppress(PhoneError, BaresipError):  # the PBX is gone; the registration will expire
                    await self.unregister(_UNREGISTER_TIMEOUT)
        finally:
            await self._stack.release()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    # -- calls ---------------------------------------------------------------------------------------------------

    @property
    def uri(self) -> str:
        """Where this phone can be called directly, without a PBX."""
        return f"sip:{self.user}@{self._stack.address}:{self._stack.port}"

    @property
    def calls(self) -> tuple[PhoneCall, ...]:
        """All calls of this phone, the ended ones too, oldest first."""
        return tuple(self._calls)

    @property
    def live_calls(self) -> tuple[PhoneCall, ...]:
        return tuple(call for call in self._calls if call.state is not CallState.CLOSED)

    async def dial(self, target: str) -> PhoneCall:
        """Dial a number at the PBX, or a whole `sip:` URI. Returns when the INVITE is out; then wait on the call."""
        self._refuse_when_closed()
        uri = target if target.startswith("sip:") else f"sip:{target}@{self._domain}"
        try:
            native = await self._agent.dial(uri)
        except (NoLocalAddressError, ValueError) as error:
            raise PhoneError(f"cannot dial: {error}") from error
        except BaresipError as error:
            raise StackError(f"the SIP stack did not dial: {error}") from error
        call = PhoneCall(native, outgoing=True, peer=uri)
        self._calls.append(call)
        self._stack.claim(native, call.on_stack_event)
        return call

    def on_incoming(self, listener: Callable[[PhoneCall], None]) -> None:
        """Call `listener` for each incoming call, before it is answered or refused."""
        self._listeners.append(listener)

    async def wait_incoming(self, timeout: float = 10.0) -> PhoneCall:
        """The next incoming call that nobody took from here yet."""
        await self._changes.wait_until(
            lambda: bool(self._arrived), awaited=f"a call to {self.user}", timeout=timeout, seen=self._describe
        )
        return self._arrived.pop(0)

    def _describe(self) -> str:
        states = ", ".join(call.state for call in self._calls) or "none"
        return f"registered: {self.registered}, calls: {states}"

    def _refuse_when_closed(self) -> None:
        if self._closed:
            raise PhoneError(f"phone {self.user} is closed")

    def _on_incoming(self, native: Call) -> None:
        call = PhoneCall(native, outgoing=False, peer=native.peer or "")
        self._calls.append(call)
        self._stack.claim(native, call.on_stack_event)
        self._arrived.append(call)
        self._changes.notify()
        for listener in list(self._listeners):
            listener(call)
        incoming = self.incoming
        if isinstance(incoming, AnswerAfter) and incoming.lines is not None and len(self.live_calls) > incoming.lines:
            incoming = RefuseBusy()
        if not isinstance(incoming, Manual):
            task = asyncio.get_running_loop().create_task(_react(call, incoming), name=f"react-{self.user}")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)


async def _react(call: PhoneCall, incoming: AnswerAfter | RefuseBusy) -> None:
    await asyncio.sleep(incoming.seconds)
    with contextlib.suppress(PhoneError):  # the caller gave up first
        if isinstance(incoming, AnswerAfter):
            await call.answer()
        else:
            await call.refuse()


def _display_name(name: str) -> str:
    if not name:
        return ""
    if any(character in '"\\<>' or not character.isprintable() for character in name):
        raise PhoneError("a display name holds neither quotes, backslashes, angle brackets nor control characters")
    return f'"{name}" '
