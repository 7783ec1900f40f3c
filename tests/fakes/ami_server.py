"""A fake Asterisk 22 on a real TCP port: the part of AMI that we use, as it was measured on the real one.

async with FakeAsterisk() as pbx:
    settings = LinkSettings("127.0.0.1", pbx.port, pbx.user, pbx.secret)
    caller = pbx.world.call("100")
"""

from __future__ import annotations

import asyncio
import hashlib
import ssl
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import cast

from tests.fakes.ami_world import Channel, Pairs, World


class FakeAsterisk:
    """Listens on an ephemeral port of the loopback. Its knobs are plain attributes."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.user, self.secret = "cordboard", "not-a-secret"
        self.port = 0
        self.silent = False  # neither answers nor tells: a cable that was cut
        self.booted = True
        self.dangerous = False
        self.md5 = True
        self.ignore: set[str] = set()  # actions that are never answered
        self.refuse: dict[str, str] = {}  # actions that are refused, with the message
        self.actions: list[dict[str, str]] = []  # all that came in, without the login
        self.connections = 0
        self.logins = 0
        self.sessions: list[FakeSession] = []
        self.world = World(self.say)
        self._tls = tls
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> FakeAsterisk:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        """Listen; after a `stop`, on the same port as before."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: FakeSession(self), "127.0.0.1", self.port, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        self.reset()
        self.world.close()
        await self._server.wait_closed()

    def reset(self) -> None:
        """Cut every connection, as a network does: at once, unread."""
        for session in list(self.sessions):
            session.transport.abort()
        self.sessions.clear()

    def say(self, event: str, pairs: Pairs) -> None:
        """An event to everybody who is logged in."""
        if not self.silent:
            data = f"Event: {event}\r\nPrivilege: call,all\r\n{lines(pairs)}\r\n".encode()
            for session in self.sessions:
                if session.logged_in:
                    session.transport.write(data)

    def boot(self) -> None:
        self.booted = True
        self.say("FullyBooted", [("Uptime", 0), ("Status", "Fully Booted")])

    def flood(self, count: int, event: str = "NewConnectedLine") -> None:
        """Many events that mean nothing."""
        for number in range(count):
            self.say(event, [("Channel", f"PJSIP/x-{number}"), ("Uniqueid", f"x-{number}")])

    def sent(self, action: str) -> list[dict[str, str]]:
        return [one for one in self.actions if one["action"] == action]


class FakeSession(asyncio.Protocol):
    """One AMI client."""

    def __init__(self, pbx: FakeAsterisk) -> None:
        self.pbx = pbx
        self.logged_in = False
        self.reads = 0
        self._buffer = b""
        self._challenge = "127364"
        self._actions: dict[str, Callable[[dict[str, str]], None]] = {
            "Challenge": self._on_challenge,
            "Login": self._on_login,
            "Getvar": self._on_getvar,
            "CoreStatus": self._on_core_status,
            "Status": self._on_status,
            "DeviceStateList": self._on_devices,
            "Originate": self._on_originate,
        }

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.pbx.sessions.append(self)
        self.pbx.connections += 1
        if not self.pbx.silent:
            self.transport.write(b"Asterisk Call Manager/11.0.0\r\n")

    def connection_lost(self, exc: Exception | None) -> None:
        if self in self.pbx.sessions:
            self.pbx.sessions.remove(self)

    def data_received(self, data: bytes) -> None:
        self.reads += 1
        *messages, self._buffer = (self._buffer + data).split(b"\r\n\r\n")
        for message in messages:
            pairs = (line.split(": ", 1) for line in message.decode().split("\r\n"))
            action = {name.lower(): value for name, value in pairs}
            if self.pbx.silent:
                continue
            if action["action"] not in {"Challenge", "Login"}:
                self.pbx.actions.append(action)
            if action["action"] not in self.pbx.ignore:
                self._handle(action)

    def _handle(self, action: dict[str, str]) -> None:
        name = action["action"]
        if not self.logged_in and name not in {"Challenge", "Login"}:
            self._answer(action, "Error", [("Message", "Permission denied")])
        elif name in self.pbx.refuse:
            self._answer(action, "Error", [("Message", self.pbx.refuse[name])])
        elif name in self._actions:
            self._actions[name](action)
        else:
            self._on_channel(action)

    def _answer(self, action: dict[str, str], response: str, pairs: Pairs = ()) -> None:
        self.transport.write(f"Response: {response}\r\nActionID: {action['actionid']}\r\n{lines(pairs)}\r\n".encode())

    def _list(self, action: dict[str, str], events: Sequence[tuple[str, Pairs]], complete: str) -> None:
        self._answer(action, "Success", [("EventList", "start"), ("Message", "will follow")])
        mark = ("ActionID", action["actionid"])
        for name, pairs in [*events, (complete, [("EventList", "Complete"), ("ListItems", len(events))])]:
            self.transport.write(f"Event: {name}\r\n{lines([*pairs, mark])}\r\n".encode())

    def _on_challenge(self, action: dict[str, str]) -> None:
        if self.pbx.md5:
            self._answer(action, "Success", [("Challenge", self._challenge)])
        else:
            self._answer(action, "Error", [("Message", "Must specify AuthType")])

    def _on_login(self, action: dict[str, str]) -> None:
        expected = hashlib.md5((self._challenge + self.pbx.secret).encode()).hexdigest()
        right = action.get("key") == expected if self.pbx.md5 else action.get("secret") == self.pbx.secret
        if not right or action["username"] != self.pbx.user:
            self._answer(action, "Error", [("Message", "Authentication failed")])
            return
        self.logged_in = True
        self.pbx.logins += 1
        self._answer(action, "Success", [("Message", "Authentication accepted")])
        if self.pbx.booted:
            self.transport.write(
                b"Event: FullyBooted\r\nPrivilege: system,all\r\nUptime: 5\r\nStatus: Fully Booted\r\n\r\n"
            )

    def _on_getvar(self, action: dict[str, str]) -> None:
        self._answer(
            action, "Success", [("Variable", action["variable"]), ("Value", "1" if self.pbx.dangerous else "")]
        )

    def _on_core_status(self, action: dict[str, str]) -> None:
        self._answer(action, "Success", [("CoreStartupDate", "2026-01-02"), ("CoreStartupTime", "03:04:05")])

    def _on_status(self, action: dict[str, str]) -> None:
        wanted = action.get("variables", "").split(",")
        world = self.pbx.world
        events = [("Status", world.status(channel, wanted)) for channel in world.channels.values()]
        self._list(action, events, "StatusComplete")

    def _on_devices(self, action: dict[str, str]) -> None:
        states = self.pbx.world.phone_states.items()
        events = [("DeviceStateChange", [("Device", f"PJSIP/{phone}"), ("State", state)]) for phone, state in states]
        self._list(action, events, "DeviceStateListComplete")

    def _on_originate(self, action: dict[str, str]) -> None:
        self._answer(action, "Success", [("Message", "Originate successfully queued")])
        seconds = int(action["timeout"]) / 1000
        endpoint = action["channel"].removeprefix("PJSIP/")
        self.pbx.world.do_originate(endpoint, action["channelid"], seconds, action["context"])

    def _on_channel(self, action: dict[str, str]) -> None:
        if action["action"] == "Ping":
            self._answer(action, "Success", [("Ping", "Pong"), ("Timestamp", "1.0")])
            return
        channel = self.pbx.world.channels.get(action.get("channel", ""))
        if channel is None:
            self._answer(action, "Error", [("Message", "No such channel")])
            return
        if action["action"] in {"MixMonitor", "MixMonitorMute", "StopMixMonitor"}:
            self._on_recording(action, channel)
            return
        self._answer(action, "Success", [("Message", "done")])
        self._do(action, channel)

    def _on_recording(self, action: dict[str, str], channel: Channel) -> None:
        if action["action"] == "MixMonitor":
            handle = self.pbx.world.do_record(channel, action["file"], action["options"])
            self._answer(action, "Success", [("MixMonitorID", handle)])
        elif not channel.recorder or action["mixmonitorid"] != channel.recorder:
            muting = action["action"] == "MixMonitorMute"
            wrong = "Cannot set mute flag" if muting else "Could not stop monitoring channel"
            self._answer(action, "Error", [("Message", wrong)])
        else:
            if action["action"] == "MixMonitorMute":
                channel.recorder_muted = action["state"] == "1"
            else:
                channel.recorder = ""
            self._answer(action, "Success", [])

    def _do(self, action: dict[str, str], channel: Channel) -> None:
        world = self.pbx.world
        match action["action"]:
            case "AGI":
                world.do_agi(channel, action["command"], action["commandid"])
            case "ControlPlayback":
                world.do_stop(channel)
            case "Redirect":
                extra = world.channels.get(action.get("extrachannel", ""))
                world.do_redirect(channel, action["context"], action["exten"], extra)
            case "Hangup":
                world.do_hang_up(channel, int(action.get("cause", 16)))
            case "Setvar":
                channel.variables[action["variable"]] = action["value"]
            case "AbsoluteTimeout":
                world.do_timeout(channel, float(action["timeout"]))


def lines(pairs: Pairs) -> str:
    return "".join(f"{name}: {value}\r\n" for name, value in pairs)
