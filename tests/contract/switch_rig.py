"""One link on one PBX, with a caller and agents' phones at the other end: a fake PBX, or a real one with real phones.

The contract of `pbx.ports.Switch` is the same on both. A rig only makes things happen at the far end; what the link
says about them is read from `facts`.
"""

from __future__ import annotations

import asyncio
import shutil
import socket
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from pbx.connection import SessionLimits
from pbx.facts import CallArrived, Fact, LinkUp
from pbx.link import LinkSettings, PbxLink
from tests.fakes.ami_server import FakeAsterisk
from tests.fakes.ami_world import Phone

F = TypeVar("F", bound=Fact)

WITHIN = 10.0
LIMITS = SessionLimits(connect=3.0, action=2.0, ping_every=0.5, ping_deadline=0.5)


class Facts:
    """What the link said so far, and waiting for more."""

    def __init__(self) -> None:
        self.all: list[Fact] = []
        self._more = asyncio.Event()

    def __call__(self, fact: Fact) -> None:
        self.all.append(fact)
        self._more.set()

    def of(self, kind: type[F]) -> list[F]:
        return [fact for fact in self.all if isinstance(fact, kind)]

    async def until(self, holds: Callable[[], bool], what: str) -> None:
        try:
            async with asyncio.timeout(WITHIN):
                while not holds():
                    self._more.clear()
                    await self._more.wait()
        except TimeoutError:
            raise AssertionError(f"never came: {what}; there were {self.all[-12:]}") from None

    async def has(self, fact: Fact) -> None:
        await self.until(lambda: fact in self.all, repr(fact))

    async def next(self, kind: type[F], number: int = 1) -> F:
        """The `number`th fact of a kind since the beginning."""
        await self.until(lambda: len(self.of(kind)) >= number, f"{kind.__name__} number {number}")
        return self.of(kind)[number - 1]


class Rig(ABC):
    """Common to both. Agent 1001 answers, 1002 rings on, 1003 is busy, 1004 is not registered."""

    real = False
    short: str  # a prompt
    long: str  # a prompt that lasts until it is stopped
    recordings: Path  # where recordings are written
    messages: Path  # where callers' messages are written
    missing = "/nowhere/there-is-no-such-prompt"

    def __init__(self) -> None:
        self.facts = Facts()
        self.link: PbxLink
        self._running: asyncio.Task[None]

    async def start(self) -> None:
        self.link = PbxLink(await self._prepare(), self.facts)
        self._running = asyncio.create_task(self.link.run())
        await self.facts.next(LinkUp)

    async def close(self) -> None:
        await self.link.close()
        await asyncio.wait_for(self._running, WITHIN)
        await self._clean()

    async def arrives(self, dialled: str = "100") -> str:
        """A caller comes in; the channel."""
        before = len(self.facts.of(CallArrived))
        await self.call(dialled)
        return (await self.facts.next(CallArrived, before + 1)).channel

    @abstractmethod
    async def _prepare(self) -> LinkSettings: ...
    @abstractmethod
    async def _clean(self) -> None: ...
    @abstractmethod
    async def call(self, dialled: str) -> None: ...
    @abstractmethod
    async def press(self, key: str) -> None: ...
    @abstractmethod
    async def caller_hangs_up(self) -> None: ...
    @abstractmethod
    async def agent_hangs_up(self, leg: str) -> None: ...
    @abstractmethod
    async def reset(self) -> None: ...
    @abstractmethod
    def lose_messages(self) -> None:
        """The folder for messages is gone."""

    @abstractmethod
    def message_seconds(self, message: str) -> float:
        """How long the file of a message is now."""


class FakeRig(Rig):
    short, long = "/prompts/short", "/prompts/long"

    async def _prepare(self) -> LinkSettings:
        self.pbx = FakeAsterisk()
        await self.pbx.start()
        self.pbx.world.long_files.add(self.long)
        self.pbx.world.missing_files.add(self.missing)
        self.pbx.world.phones = {
            "1001": Phone.answers(),
            "1002": Phone.rings_on(),
            "1003": Phone.rejects(17, 486),
        }
        self.recordings, self.messages = Path("/recordings"), Path("/messages")
        return LinkSettings(
            "127.0.0.1",
            self.pbx.port,
            self.pbx.user,
            self.pbx.secret,
            limits=LIMITS,
            recordings=str(self.recordings),
            messages=str(self.messages),
        )

    async def _clean(self) -> None:
        await self.pbx.stop()

    async def call(self, dialled: str) -> None:
        self.channel = self.pbx.world.call(dialled)

    async def press(self, key: str) -> None:
        self.pbx.world.press(self.channel, key)

    async def caller_hangs_up(self) -> None:
        self.pbx.world.hang_up(self.channel)

    async def agent_hangs_up(self, leg: str) -> None:
        self.pbx.world.hang_up(leg)

    async def reset(self) -> None:
        self.pbx.reset()

    def lose_messages(self) -> None:
        self.pbx.world.missing_files.add(str(self.messages))

    def message_seconds(self, message: str) -> float:
        return self.pbx.world.message_seconds(self.channel)


class RealRig(Rig):
    """Asterisk 22 with SIP phones. Needs `make pbx`."""

    real = True

    async def _prepare(self) -> LinkSettings:
        from cordboard.pbx_config import AgentPhone, PbxSettings
        from cordboard.phones.softphone import AnswerAfter, Incoming, Manual, RefuseBusy, Softphone
        from cordboard.private_pbx import PrivatePbx
        from tests.system.ami_proxy import AmiProxy

        installed = Path(__file__).parent.parent.parent / "var"
        self.folder = Path(tempfile.mkdtemp(prefix="cb", dir="/tmp"))
        ami = _free_port(socket.SOCK_STREAM)
        sip = _free_port(socket.SOCK_DGRAM)
        secret = "only-for-these-tests-1"
        first = 40_000 + sip % 9_000 * 2
        settings = PbxSettings(
            root=installed / "asterisk-root",
            var=self.folder / "pbx",
            prompts=self.folder / "prompts",
            voicemail=self.folder / "voicemail",
            ami_secret=secret,
            ami_port=ami,
            sip_port=sip,
            rtp_first=first,
            rtp_last=first + 99,
            agents=tuple(AgentPhone(number, secret, f"Agent {number}") for number in ("1001", "1002", "1003", "1004")),
        )
        sounds = settings.data / "sounds" / "en"
        self.short, self.long = str(sounds / "beep"), str(sounds / "demo-instruct")
        self.pbx = PrivatePbx(settings, installed / "bin" / "asterisk")
        await self.pbx.start()
        self.proxy = AmiProxy(ami)
        await self.proxy.start()
        self.phone = await Softphone.caller("127.0.0.1", sip)
        behaviours: dict[str, Incoming] = {"1001": AnswerAfter(0.05), "1002": Manual(), "1003": RefuseBusy(0.05)}
        self.agents = {
            number: await Softphone.agent("127.0.0.1", sip, number, secret, incoming=behaviour)
            for number, behaviour in behaviours.items()
        }
        self.recordings, self.messages = self.folder / "recordings", self.folder / "messages"
        self.messages.mkdir()
        return LinkSettings(
            "127.0.0.1",
            self.proxy.port,
            settings.ami_user,
            secret,
            limits=LIMITS,
            recordings=str(self.recordings),
            messages=str(self.messages),
        )

    async def _clean(self) -> None:
        for phone in (self.phone, *self.agents.values()):
            await phone.close()
        await self.proxy.close()
        await self.pbx.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    async def call(self, dialled: str) -> None:
        self.caller = await self.phone.dial(dialled)

    async def press(self, key: str) -> None:
        await self.caller.wait_established()
        await self.caller.send_digits(key)

    async def caller_hangs_up(self) -> None:
        await self.caller.hang_up()

    async def agent_hangs_up(self, leg: str) -> None:
        for phone in self.agents.values():
            for call in phone.live_calls:
                await call.hang_up()

    async def reset(self) -> None:
        self.proxy.reset()

    def lose_messages(self) -> None:
        self.messages.rmdir()

    def message_seconds(self, message: str) -> float:
        file = self.messages / f"{message}.sln"
        return file.stat().st_size / 16_000 if file.exists() else 0.0


def _free_port(kind: socket.SocketKind) -> int:
    with socket.socket(socket.AF_INET, kind) as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port
