"""The commands that a newcomer types, against a site that `cordboard up` itself brings up, kills included."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import shutil
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.system.auditor import audited_channels
from tests.system.site import PROJECT, Site

pytestmark = [pytest.mark.system, pytest.mark.timeout(180)]


@pytest.fixture
async def up_site(tmp_path: Path) -> AsyncIterator[Site]:
    """Configured, not started: `cordboard up` starts it, PBX included. The shipped main line."""
    dialplans = tmp_path / "dialplans"
    dialplans.mkdir()
    shutil.copy(PROJECT / "dialplans" / "harbor-lane.yaml", dialplans)
    site = Site({"agents.1001.name": "Ana"}, dialplans=dialplans)
    await site.prepare()
    # No proxy here: what is configured is what the PBX listens on.
    text = site.file.read_text().replace(f"port: {site.proxy.port}", f"port: {site.ami_port}")
    site.file.write_text(text)
    try:
        yield site
    finally:
        await site.proxy.close()
        await site.close()


async def cordboard(site: Site, *arguments: str, within: float = 60) -> tuple[int, str]:
    """Run a command to its end: exit status and everything that it printed."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "cordboard", *arguments, "--config", str(site.file)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        cwd=PROJECT,
    )
    try:
        output, _ = await asyncio.wait_for(process.communicate(), within)
    except TimeoutError:
        process.kill()
        await process.wait()
        raise
    return process.returncode or 0, output.decode()


class Up:
    """A running `cordboard up`."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.log = site.folder / "up.log"

    async def start(self) -> None:
        with self.log.open("wb") as log:
            self.process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "cordboard", "up", "--config", str(self.site.file)),
                stdout=log,
                stderr=log,
                cwd=PROJECT,
            )
        await self.site.until(self._card_printed, 40, f"the card is printed\n{self.log.read_text()}")

    async def stop(self) -> int:
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGTERM)
        return await asyncio.wait_for(self.process.wait(), 30)

    def child(self, word: str) -> int | None:
        """The process of this site whose command line holds `word`."""
        for folder in Path("/proc").iterdir():
            if folder.name.isdigit():
                with contextlib.suppress(OSError):
                    command = (folder / "cmdline").read_bytes().split(b"\0")
                    joined = b" ".join(command)
                    if str(self.site.folder).encode() in joined and word.encode() in command:
                        return int(folder.name)
        return None

    def _card_printed(self) -> bool:
        assert self.process.returncode is None, self.log.read_text()
        return "is open." in self.log.read_text()


@pytest.fixture
async def up(up_site: Site) -> AsyncIterator[Up]:
    made = Up(up_site)
    try:
        await made.start()
        yield made
    finally:
        if made.process.returncode is None:
            await made.stop()


async def test_up_demo_kills_and_stop(up: Up) -> None:
    site = up.site
    printed = up.log.read_text()
    for number, secret in site.secrets.agents.items():
        assert re.search(rf"{number}\s+secret {re.escape(secret)}", printed)

    status, told = await cordboard(site, "demo")
    assert status == 0, told
    for words in ("connected to agent", "agent answers -> they talk", "in queue support at position 1"):
        assert words in told

    status, told = await cordboard(site, "explain", "last")
    assert status == 0, told
    assert re.search(r"in queue support: answered by 100[13] after", told), told
    assert "every decision was the same" in told
    status, told = await cordboard(site, "replay")
    assert status == 0, told

    status, told = await cordboard(site, "up")
    assert status == 1
    assert "already running" in told

    service = up.child("serve")
    assert service is not None
    os.kill(service, signal.SIGKILL)
    await site.until(lambda: up.child("serve") not in {None, service}, 10, "the service is started again")
    pbx = up.child("-f")
    assert pbx is not None
    os.kill(pbx, signal.SIGKILL)
    await site.until(lambda: up.child("-f") not in {None, pbx}, 10, "the PBX is started again")

    async def serves() -> bool:
        status, _ = await cordboard(site, "queues")
        return status == 0 and await _linked(site)

    await site.until(serves, 20, "the site serves again")
    status, told = await cordboard(site, "demo")
    assert status == 0, told
    assert await up.stop() == 0
    assert up.child("serve") is None
    assert up.child("-f") is None


async def test_agents_by_command_line(up: Up) -> None:
    site = up.site
    for command, state in (("login", "ready"), ("pause", "not_ready"), ("ready", "ready"), ("logout", "logged_out")):
        status, told = await cordboard(site, "agents", command, "1001")
        assert status == 0, told
        assert json.loads(told)["agent"]["state"] == state
    status, told = await cordboard(site, "agents", "login", "4711")
    assert status == 2
    assert "4711" in told


async def test_a_caller_from_the_command_line_hears_and_records(up: Up) -> None:
    site = up.site
    heard = site.folder / "heard.wav"
    status, told = await cordboard(site, "call", "100", "--press", "2", "--hangup-after", "12", "--record", str(heard))
    assert status == 0, told
    assert "in queue support at position 1" in told
    assert heard.stat().st_size > 8000 * 2 * 5

    async def empty() -> bool:
        return not await audited_channels(site.ami_port, site.secrets.auditor)

    await site.until(empty, 5, "the PBX is empty")


async def test_a_bad_dialplan_is_refused_and_the_running_one_stays(up: Up) -> None:
    site = up.site
    (site.folder / "dialplans" / "bad.yaml").write_text(
        "flow: bad\nlanguage: en\nnumbers: ['200']\nstart: nowhere\nnodes: {a: {hangup: {}}}\n"
    )
    status, told = await cordboard(site, "dialplan", "reload")
    assert status == 2
    assert re.search(r"bad\.yaml:4:\d+", told), told
    status, told = await cordboard(site, "dialplan", "check")
    assert status == 1
    status, told = await cordboard(site, "call", "100", "--hangup-after", "3")
    assert status == 0
    assert "prompt started" in told


async def _linked(site: Site) -> bool:
    import aiohttp

    with contextlib.suppress(aiohttp.ClientError, TimeoutError):
        async with aiohttp.ClientSession() as http, http.get(f"{site.api.url}/health") as answer:
            return answer.status == 200
    return False
