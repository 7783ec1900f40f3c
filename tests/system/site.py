"""A whole private site for one test: a PBX, the service as a process of its own, phones, and what the service says."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp
import yaml

from cordboard.api_client import ServiceAddress
from cordboard.config_loader import load_config
from cordboard.phones.phone_call import PhoneCall
from cordboard.phones.softphone import AnswerAfter, Incoming, Softphone
from cordboard.private_pbx import PrivatePbx
from cordboard.replaying import replay_all
from cordboard.secrets import load_secrets
from cordboard.site import LAUNCHER, pbx_settings
from cordboard.storage.engine import open_engine
from cordboard.storage.routing import RoutingStore
from tests.system.ami_proxy import AmiProxy
from tests.system.auditor import audited_channels

PROJECT = Path(__file__).parent.parent.parent
INSTALLED = Path(os.environ.get("CORDBOARD_ROOT", PROJECT / "var"))
AGENTS = {"1001": ["sales", "support"], "1002": ["sales", "support"], "1003": ["support"]}
NEWEST = 1_000


def free_ports(count: int, kind: socket.SocketKind = socket.SOCK_STREAM) -> list[int]:
    sockets = [socket.socket(socket.AF_INET, kind) for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


class Site:
    """`await start()`, use it, `await close()`. Every wait is for a condition and has a deadline."""

    def __init__(self, changes: dict[str, Any] | None = None, dialplans: Path | None = None) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="cb", dir="/tmp"))
        self._changes = changes or {}
        self._dialplans = dialplans or PROJECT / "tests" / "data" / "site" / "dialplans"
        self.service: asyncio.subprocess.Process | None = None
        self.events: list[dict[str, Any]] = []
        self.callers = 0
        self._changed = asyncio.Event()
        self._listener: asyncio.Task[None] | None = None
        self._phones: list[Softphone] = []

    # life

    async def start(self) -> None:
        await self.prepare()
        await self.pbx.start()
        await self.start_service()

    async def prepare(self) -> None:
        var = self.folder / "var"
        var.mkdir()
        (var / "asterisk-root").symlink_to(INSTALLED / "asterisk-root")
        (var / "bin").symlink_to(INSTALLED / "bin")
        shutil.copytree(self._dialplans, self.folder / "dialplans")
        (self.folder / "recordings").mkdir()
        prompts = PROJECT / "recordings" / "prompts"
        prompts.mkdir(parents=True, exist_ok=True)
        (self.folder / "recordings" / "prompts").symlink_to(prompts)
        ami, web = free_ports(2)
        (sip,) = free_ports(1, socket.SOCK_DGRAM)
        first = 20_000 + (os.getpid() * 128 + sip) % 20_000 // 2 * 2
        self.proxy = AmiProxy(ami)
        await self.proxy.start()
        self.ami_port = ami
        content: dict[str, Any] = {
            "company": "Test Company",
            "pbx": {
                "sip": {"port": sip},
                "rtp": {"first": first, "last": first + 199},
                "ami": {"port": self.proxy.port},
                "dead_man_s": 20,
            },
            "web": {"port": web},
            "queues": {
                "sales": {"ring_s": 4, "wrap_up_s": 1},
                "support": {"ring_s": 4, "wrap_up_s": 1},
            },
            "agents": {number: {"name": f"Agent {number}", "queues": queues} for number, queues in AGENTS.items()},
            "timers": {"ping_s": 1, "action_s": 2, "look_s": 2, "reconnect_max_s": 1, "drain_s": 1, "unattended_s": 1},
        }
        for path, value in self._changes.items():
            *folders, last = path.split(".")
            section = content
            for name in folders:
                section = section.setdefault(name, {})
            section[last] = value
        self.file = self.folder / "cordboard.yaml"
        self.file.write_text(yaml.safe_dump(content))
        self.config = load_config(self.file, {})
        self.secrets = load_secrets(self.config.var_dir, self.config.agents)
        settings = pbx_settings(self.config, self.secrets)
        # The PBX listens on its own port; the service reaches it through the proxy.
        object.__setattr__(settings, "ami_port", ami)
        object.__setattr__(settings, "first_wait_s", 5)
        self.pbx = PrivatePbx(settings, self.config.var_dir / LAUNCHER)
        self.api = ServiceAddress("127.0.0.1", web, self.secrets.api_token)

    async def start_service(self, *, wait: bool = True) -> None:
        with (self.folder / "service.log").open("ab") as log:
            self.service = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "cordboard", "serve", "--config", str(self.file)),
                stdout=log,
                stderr=log,
                cwd=PROJECT,
                env={key: value for key, value in os.environ.items() if key != "CORDBOARD_ROOT"},
            )
        if wait:
            await self.until(self.healthy, 30, "the service serves")
            await self._listen()

    def reconfigure(self, change: Callable[[dict[str, Any]], None]) -> None:
        """Edit the file as an admin would. The service reads it when it is started the next time."""
        content = yaml.safe_load(self.file.read_text())
        change(content)
        self.file.write_text(yaml.safe_dump(content))

    async def kill_service(self) -> None:
        """SIGKILL: no goodbye, nothing flushed."""
        assert self.service is not None
        self.service.kill()
        await self.service.wait()
        await self._deafen()

    async def close(self) -> None:
        for phone in self._phones:
            with contextlib.suppress(Exception):
                await phone.close()
        await self._deafen()
        if self.service is not None and self.service.returncode is None:
            self.service.send_signal(signal.SIGTERM)
            try:
                await asyncio.wait_for(self.service.wait(), 20)
            except TimeoutError:
                self.service.kill()
                await self.service.wait()
                raise AssertionError("the service did not stop on SIGTERM") from None
        await self.proxy.close()
        await self.pbx.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    # phones

    async def caller(self, number: str = "+15550100001") -> Softphone:
        phone = await Softphone.caller("127.0.0.1", self.config.pbx.sip.port, number)
        self._phones.append(phone)
        return phone

    async def agent(self, number: str = "1001", incoming: Incoming | None = None, *, ready: bool = True) -> Softphone:
        """A registered phone of an agent who is (by REST) logged in, unless not `ready`."""
        phone = await Softphone.agent(
            "127.0.0.1",
            self.config.pbx.sip.port,
            number,
            self.secrets.agents[number],
            incoming=incoming or AnswerAfter(0.3),
        )
        self._phones.append(phone)
        if ready:
            await self.api.ask("POST", f"/api/agents/{number}/login", {})
            await self.until(lambda: self._at_work(number), 10, f"agent {number} is logged in and reachable")
        return phone

    async def call(self, target: str = "100", caller: Softphone | None = None) -> PhoneCall:
        """A customer's call, answered by the service."""
        phone = caller or await self.caller(f"+1555010{self.callers:04d}")
        call = await phone.dial(target)
        self.callers += 1
        await call.wait_established()
        return call

    # what the service says

    async def healthy(self) -> bool:
        assert self.service is not None
        if self.service.returncode is not None:
            raise AssertionError(f"the service ended with {self.service.returncode}:\n{self.log()}")
        with contextlib.suppress(aiohttp.ClientError, TimeoutError):
            async with (
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=1)) as http,
                http.get(f"{self.api.url}/health") as answer,
            ):
                return answer.status == 200
        return False

    def log(self) -> str:
        path = self.folder / "service.log"
        return path.read_text()[-6000:] if path.exists() else ""

    async def until(self, holds: Callable[[], Any], within: float, what: str) -> None:
        """Poll a condition (sync or async) until it holds."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + within
        while True:
            result = holds()
            if asyncio.iscoroutine(result):
                result = await result
            if result:
                return
            if loop.time() > deadline:
                kinds = [event["kind"] for event in self.events[-25:]]
                raise AssertionError(f"not within {within} s: {what}\nlast events: {kinds}\n{self.log()}")
            await asyncio.sleep(0.05)

    async def event(self, kind: str, within: float = 10, after: int = 0, **fields: Any) -> dict[str, Any]:
        """The first event of a kind (after the `after`th of all) whose columns or data hold `fields`."""
        found: list[dict[str, Any]] = []

        def seen() -> bool:
            found.extend(one for one in self.events[after:] if one["kind"] == kind and _holds(one, fields))
            return bool(found)

        await self.until(seen, within, f"event {kind} {fields}")
        return found[0]

    async def agents(self) -> dict[str, dict[str, Any]]:
        return {one["id"]: one for one in (await self.api.ask("GET", "/api/agents"))["agents"]}

    async def agent_is(self, number: str, within: float = 10, **fields: Any) -> None:
        async def holds() -> bool:
            one = (await self.agents())[number]
            return all(one[name] == value for name, value in fields.items())

        await self.until(holds, within, f"agent {number} is {fields}")

    async def _at_work(self, number: str) -> bool:
        one = (await self.agents())[number]
        return one["state"] != "logged_out" and one["reachable"]

    async def live_calls(self) -> list[dict[str, Any]]:
        calls: list[dict[str, Any]] = (await self.api.ask("GET", "/api/calls"))["calls"]
        return calls

    async def records(self) -> list[dict[str, Any]]:
        records: list[dict[str, Any]] = (await self.api.ask("GET", "/api/calls?closed=1&limit=500"))["calls"]
        return records

    async def record(self) -> dict[str, Any]:
        """The only closed record."""
        records: list[dict[str, Any]] = []

        async def one() -> bool:
            records[:] = await self.records()
            return len(records) == 1

        await self.until(one, 5, "exactly one closed record")
        return records[0]

    # the audit

    async def audit(self) -> None:
        """After everything: nothing is left in the PBX, every call has one record, the engine agrees (twice)."""

        async def no_channels() -> bool:
            return not await audited_channels(self.ami_port, self.secrets.auditor)

        async def all_recorded() -> bool:
            return len(await self.records()) >= self.callers and not await self.live_calls()

        await self.until(no_channels, 10, "no channel is left in the PBX")
        await self.until(all_recorded, 10, f"{self.callers} closed records and no live call")
        records = await self.records()
        assert len(records) == self.callers, records
        assert len({one["call_id"] for one in records}) == len(records)
        for agent in (await self.agents()).values():
            assert agent["call"] is None, agent
            assert agent["state"] not in {"offering", "talking"}, agent
        queues = (await self.api.ask("GET", "/api/queues"))["queues"]
        assert all(queue["waiting"] == 0 for queue in queues), queues
        await self.audit_decisions()

    async def audit_decisions(self) -> None:
        """All that the engine decided so far, worked out again from the database, is the same."""
        database = open_engine(self.config.database_url)
        try:
            replayed = await replay_all(RoutingStore(database))
        finally:
            await database.dispose()
        assert replayed.differences == [], replayed.differences[:3]
        offers = sum(event["kind"] == "offer.made" for event in self.events)
        assert replayed.decisions >= offers, "every offer was decided in the replay too"

    async def audit_talk(self, agent: str) -> None:
        """While two talk: the PBX has them in one bridge, and the engine says the same."""
        seen = await audited_channels(self.ami_port, self.secrets.auditor)
        legs = [one for one in seen if one.name.startswith(f"PJSIP/{agent}-")]
        assert len(legs) == 1, seen
        assert legs[0].bridge
        assert sum(one.bridge == legs[0].bridge for one in seen) == 2, seen
        assert (await self.agents())[agent]["state"] == "talking"

    # inside

    async def _listen(self) -> None:
        ready = asyncio.Event()
        self._listener = asyncio.create_task(self._collect(ready))
        await asyncio.wait_for(ready.wait(), 10)

    async def _deafen(self) -> None:
        if self._listener is not None:
            self._listener.cancel()
            await asyncio.gather(self._listener, return_exceptions=True)
            self._listener = None

    async def _collect(self, ready: asyncio.Event) -> None:
        since = self.events[-1]["seq"] if self.events else 0
        headers = {"Authorization": f"Bearer {self.api.token}"}
        async with (
            aiohttp.ClientSession(headers=headers) as http,
            http.ws_connect(f"{self.api.url}/api/events?since={since}") as socket_,
        ):
            ready.set()
            async for message in socket_:
                if message.type is aiohttp.WSMsgType.TEXT:
                    event = message.json()
                    if "kind" in event:
                        self.events.append(event)


def _holds(event: dict[str, Any], fields: dict[str, Any]) -> bool:
    return all(event.get(name, event["data"].get(name)) == value for name, value in fields.items())
