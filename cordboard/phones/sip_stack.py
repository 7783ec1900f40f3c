"""The one SIP stack of the process, shared by all its phones.

baresip keeps its state in process globals: one runtime at a time, bound to one event loop. So the first phone starts
it, the last one to close stops it, and this module is the only one that holds something for the whole process.

Decides which phone an event belongs to. Two quirks of baresip-python 0.5.2a3 are dealt with here:
- `UserAgent.dial` returns after the events of the new call have begun to arrive (a 404 from the same machine is faster
  than the coroutine's wake-up), and its Call misses them. We keep the events of unclaimed calls and replay them.
- A user agent cannot be destroyed, and an incoming call goes to the first one with the dialled user name. So incoming
  calls are routed by user name to the phone that is open now, not to the user agent that the stack chose.
A third one is left alone: a user agent whose registration failed tries again every minute while the stack runs, its
phone closed or not. Telling it to stop while its REGISTER is unanswered corrupts the stack's heap.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable
from typing import ClassVar

from baresip import BaresipError, Call, Config, Event, Runtime, StackEvent, UserAgent

from cordboard.phones.errors import StackError

_START_TRIES = 5
_RTP_PORTS = (
    "28000-29900"  # shared by all processes that play phones: the stack tries random ports of it until one is free
)

CallListener = Callable[[StackEvent], None]
IncomingListener = Callable[[Call], None]


class SipStack:
    """Started by `acquire`, stopped by the last `release`."""

    _shared: ClassVar[SipStack | None] = None
    _gate: ClassVar[tuple[asyncio.AbstractEventLoop, asyncio.Lock] | None] = None

    def __init__(self, runtime: Runtime, address: str, port: int, loop: asyncio.AbstractEventLoop) -> None:
        self.address = address
        self.port = port
        self._runtime = runtime
        self._loop = loop
        self._users = 0
        self._phones: dict[str, IncomingListener] = {}
        self._calls: dict[int, CallListener] = {}
        self._unclaimed: dict[int, list[StackEvent]] = {}
        self._refusals: set[asyncio.Task[None]] = set()
        runtime.subscribe(self._on_event)

    # -- life ----------------------------------------------------------------------------------------------------

    @classmethod
    async def acquire(cls, address: str) -> SipStack:
        """The process's stack, speaking from this local address, started if need be. Pair with `release`."""
        async with cls._lock():
            stack = cls._shared
            if stack is not None and stack._loop is not asyncio.get_running_loop():
                if not stack._loop.is_closed():
                    raise StackError("the SIP stack is in use on another event loop of this process")
                # Its phones were never closed, and with their loop gone nobody else can stop it any more.
                cls._shared = None
                await stack._stop()
                stack = None
            if stack is None:
                stack = cls._shared = await cls._start(address)
            elif stack.address != address:
                raise StackError(f"the SIP stack already speaks from {stack.address}, this phone needs {address}")
            stack._users += 1
            return stack

    async def release(self) -> None:
        """Stop the stack when no phone is left."""
        async with self._lock():
            self._users -= 1
            if self._users == 0 and SipStack._shared is self:
                SipStack._shared = None
                await self._stop()

    @classmethod
    def _lock(cls) -> asyncio.Lock:
        loop = asyncio.get_running_loop()
        if cls._gate is None or cls._gate[0] is not loop:  # a lock serves one loop only
            cls._gate = (loop, asyncio.Lock())
        return cls._gate[1]

    @classmethod
    async def _start(cls, address: str) -> SipStack:
        error: Exception | None = None
        for _ in range(_START_TRIES):
            port = _free_port(address)
            directives = f"sip_listen {address}:{port}\nrtp_ports {_RTP_PORTS}\n{_jitter_buffer(address)}"
            runtime = Runtime()
            try:
                await runtime.start(
                    Config(net_interface=address, max_concurrent_calls=None, extra_config_text=directives)
                )
            except BaresipError as failure:  # somebody took the port meanwhile, most likely
                error = failure
                continue
            return cls(runtime, address, port, asyncio.get_running_loop())
        raise StackError(f"the SIP stack did not start on {address}: {error}")

    async def _stop(self) -> None:
        for task in self._refusals:
            task.cancel()
        await self._runtime.close()

    # -- phones --------------------------------------------------------------------------------------------------

    async def user_agent(self, user: str, aor: str) -> UserAgent:
        """A user agent for this address of record. Its incoming calls go to whoever has the user name `plugged` in."""
        try:
            agent = await UserAgent.create(self._runtime, aor)
        except BaresipError as error:
            raise StackError(f"the SIP stack refused the account of {user}: {error}") from error
        agent.on_incoming(lambda call: self._route(user, call))
        return agent

    def plug(self, user: str, listener: IncomingListener) -> None:
        """Incoming calls to this user name go to `listener` from now on."""
        self._phones[user] = listener

    def unplug(self, user: str, listener: IncomingListener) -> None:
        if self._phones.get(user) == listener:
            del self._phones[user]

    def claim(self, call: Call, listener: CallListener) -> None:
        """Deliver the call's events to `listener`, those that came before this claim first."""
        self._calls[call.handle] = listener
        for event in self._unclaimed.pop(call.handle, []):
            # The Call subscribed too late for these as well; without them it would never learn that it was answered
            # or closed. Private, but the version is pinned and nothing public tells it.
            call._on_stack_event(event)
            self._deliver(event)

    # -- events --------------------------------------------------------------------------------------------------

    def _on_event(self, event: StackEvent) -> None:
        if not event.call:
            return
        if event.call in self._calls:
            self._deliver(event)
        elif event.event is Event.CALL_OUTGOING:
            self._unclaimed[event.call] = []
        elif event.call in self._unclaimed:
            self._unclaimed[event.call].append(event)

    def _deliver(self, event: StackEvent) -> None:
        listener = self._calls.get(event.call)
        if event.event is Event.CALL_CLOSED:
            self._calls.pop(event.call, None)
        if listener is not None:
            listener(event)

    def _route(self, user: str, call: Call) -> None:
        listener = self._phones.get(user)
        if listener is not None:
            listener(call)
            return
        task = self._loop.create_task(_refuse(call), name="refuse-call-to-closed-phone")
        self._refusals.add(task)
        task.add_done_callback(self._refusals.discard)


async def _refuse(call: Call) -> None:
    with contextlib.suppress(BaresipError):  # the caller gave up first
        await call.reject()


async def resolve(host: str, port: int) -> tuple[str, str]:
    """(the host's IPv4 address, our own address toward it)."""
    if host == "0.0.0.0":
        host = "127.0.0.1"
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, family=socket.AF_INET, type=socket.SOCK_DGRAM)
        remote = found[0][4]
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect(remote)  # sends nothing; the kernel chooses the way
            return str(remote[0]), str(probe.getsockname()[0])
    except OSError as error:
        raise StackError(f"no way to {host}: {error}") from error


def _jitter_buffer(address: str) -> str:
    # With it the last 100 ms are lost when the far end hangs up. On loopback there is no jitter, and without the buffer
    # every sample arrives, but for a first frame that overtakes the ACK.
    return "audio_jitter_buffer_type off\n" if address.startswith("127.") else ""


def _free_port(address: str) -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind((address, 0))
        return int(probe.getsockname()[1])
