"""A private PBX, and where asked for the service beside it, set up for one measurement.

Decides the configuration that is measured: production's own, with what a bench needs appended once the PBX runs. It
refuses to know what is measured. No proxy and no test harness stands between the service and its PBX.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import sqlite3
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import yaml

from bench.process import cpu_seconds
from cordboard.api_client import ServiceAddress
from cordboard.config_loader import load_config
from cordboard.private_pbx import PrivatePbx
from cordboard.secrets import load_secrets
from cordboard.site import LAUNCHER, PROMPTS, pbx_settings
from ivr.folder import read_folder
from ivr.library import DialplanLibrary
from ivr.prompts import PromptStore
from ivr.voices import Voices

PROJECT = Path(__file__).resolve().parent.parent
INSTALLED = PROJECT / "var"
RTP_PORTS = 4_000
LEFT_BEHIND = "Surrogate/"
"""What Asterisk 22 calls the empty channel that remains when it takes a leg out of its dialplan to bridge it."""


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def until(holds: Callable[[], Awaitable[bool]], within: float) -> None:
    """Ask again and again until it holds. Raises `TimeoutError`."""
    async with asyncio.timeout(within):
        while True:
            if await holds():
                return
            await asyncio.sleep(0.2)


class BenchSite:
    """`async with BenchSite(...)`. `rtp_first`: two sites at the same time need ranges of their own."""

    def __init__(self, dialplan: str, *, rtp_first: int, **sections: Any) -> None:
        self._dialplan = dialplan
        self._sections = sections
        self._rtp_first = rtp_first
        self._service: asyncio.subprocess.Process | None = None
        self.folder = Path(tempfile.mkdtemp(prefix="cb", dir="/tmp"))

    async def __aenter__(self) -> BenchSite:
        try:
            self._prepare()
            await self.pbx.start()
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_exc: object) -> None:
        if self._service is not None and self._service.returncode is None:
            self._service.send_signal(signal.SIGTERM)
            try:
                await asyncio.wait_for(self._service.wait(), 30)
            except TimeoutError:
                self._service.kill()
                await self._service.wait()
        if hasattr(self, "pbx"):
            await self.pbx.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    # what is measured

    @property
    def service_pid(self) -> int:
        assert self._service is not None
        return self._service.pid

    def cpu(self) -> dict[str, float]:
        """CPU seconds so far, of the PBX and of the service (0 where there is none)."""
        assert self.pbx.pid is not None
        service = cpu_seconds(self.service_pid) if self._service is not None else 0.0
        return {"asterisk": cpu_seconds(self.pbx.pid), "service": service}

    @property
    def sip_port(self) -> int:
        return self.config.pbx.sip.port

    def count(self, query: str) -> int:
        """One number from the service's database, as committed."""
        with contextlib.closing(
            sqlite3.connect(f"file:{self.config.var_dir / 'cordboard.db'}?mode=ro", uri=True)
        ) as db:
            return int(db.execute(query).fetchone()[0])

    async def until_idle(self, within: float = 30.0) -> None:
        """No channel is in use in the PBX, and the service has written down every call."""

        async def idle() -> bool:
            if any(not name.startswith(LEFT_BEHIND) for name in await self._channels()):
                return False
            return self._service is None or not (await self.api.ask("GET", "/api/calls"))["calls"]

        try:
            await until(idle, within)
        except TimeoutError:
            raise RuntimeError(f"not idle after {within:.0f} s, channels: {await self._channels()}") from None

    async def left_behind(self) -> int:
        """Channels that the PBX lists and that no thread of it looks after: nobody can ever hang them up."""
        return sum(name.startswith(LEFT_BEHIND) for name in await self._channels())

    async def _channels(self) -> list[str]:
        lines = (await self.pbx.cli("core show channels concise")).splitlines()
        return [line.partition("!")[0] for line in lines if "!" in line]

    # what a bench adds

    async def prompt(self, text: str) -> Path:
        """The file that says `text` of our dialplan, spoken if need be, without its ending."""
        config = self.config
        prompts = PromptStore(
            config.recordings_dir / PROMPTS, Voices(config.voices, config.var_dir / "bin" / "espeak-ng")
        )
        library = DialplanLibrary(prompts, config.queues.keys, config.languages)
        reading = await library.read(read_folder(config.dialplans_dir))
        assert reading.ok, reading.findings
        (file,) = prompts.files(config.languages[0], text)
        return Path(file)

    def edit(self, file: str, text: str = "", **replace: str) -> None:
        """Append to a configuration file of the PBX, and replace words in it. A reload has to follow."""
        path = self.pbx.settings.etc / file
        content = path.read_text() if path.exists() else ""
        for old, new in replace.items():
            content = content.replace(old, new)
        path.write_text(content + text)

    def add_module(self, module: str) -> None:
        """Put a module that the allow-list does not have where the PBX can load it from."""
        settings, name = self.pbx.settings, f"{module}.so"
        (settings.module_links / name).symlink_to(settings.modules / name)

    # life

    def _prepare(self) -> None:
        var = self.folder / "var"
        var.mkdir()
        for name in ("asterisk-root", "bin"):
            (var / name).symlink_to(INSTALLED / name)
        (self.folder / "dialplans").mkdir()
        (self.folder / "dialplans" / "bench.yaml").write_text(self._dialplan)
        (self.folder / "recordings").mkdir()
        prompts = PROJECT / "recordings" / "prompts"  # spoken once for all runs
        prompts.mkdir(parents=True, exist_ok=True)
        (self.folder / "recordings" / "prompts").symlink_to(prompts)
        content: dict[str, Any] = {
            "company": "Bench",
            "pbx": {
                "sip": {"port": free_port(socket.SOCK_DGRAM)},
                "rtp": {"first": self._rtp_first, "last": self._rtp_first + RTP_PORTS - 1},
                "ami": {"port": free_port()},
            },
            "web": {"port": free_port()},
            "queues": {"sales": {}},
            **self._sections,
        }
        file = self.folder / "cordboard.yaml"
        file.write_text(yaml.safe_dump(content))
        self.config = load_config(file, {})
        self.secrets = load_secrets(self.config.var_dir, self.config.agents)
        self.pbx = PrivatePbx(pbx_settings(self.config, self.secrets), self.config.var_dir / LAUNCHER)
        self.api = ServiceAddress("127.0.0.1", content["web"]["port"], self.secrets.api_token)

    async def start_service(self) -> None:
        """After whatever was edited in the PBX's configuration."""
        log = self.folder / "service.log"
        with log.open("ab") as output:
            self._service = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "cordboard", "serve", "--config", str(self.folder / "cordboard.yaml")),
                stdout=output,
                stderr=output,
                cwd=PROJECT,
                env={key: value for key, value in os.environ.items() if not key.startswith("CORDBOARD_")},
            )
        try:
            await until(self._healthy, 60)
        except TimeoutError:
            raise RuntimeError(f"the service did not start:\n{log.read_text()[-3000:]}") from None

    async def _healthy(self) -> bool:
        assert self._service is not None
        if self._service.returncode is not None:
            raise RuntimeError(f"the service ended:\n{(self.folder / 'service.log').read_text()[-3000:]}")
        timeout = aiohttp.ClientTimeout(total=2)
        with contextlib.suppress(aiohttp.ClientError, TimeoutError):
            async with aiohttp.ClientSession(timeout=timeout) as http, http.get(f"{self.api.url}/health") as answer:
                return answer.status == 200
        return False
