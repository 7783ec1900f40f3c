"""`cordboard serve` as a process: what it says and how it ends when it cannot start, and that a stop is one."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import sqlite3
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml

from cordboard.secrets import load_secrets

TRY_AGAIN, REFUSED = 1, 2
# Nobody speaks this language: nothing has to be synthesised, and that is only a warning.
FLOW = """
flow: test
numbers: ["100"]
language: zz
start: hello
nodes:
  hello: {say: Hello, next: done}
  done: {hangup: {}}
"""


class Served:
    """A folder with a configuration, and the service in it."""

    def __init__(self, folder: Path, pbx: asyncio.Server) -> None:
        self.folder = folder
        self.dialled = 0
        self.web = free_port()
        self.content: dict[str, Any] = {
            "company": "Test Company",
            "languages": ["zz"],
            "pbx": {"private": True, "ami": {"port": pbx.sockets[0].getsockname()[1]}},
            "web": {"port": self.web},
            "queues": {"sales": {}},
            "agents": {"1001": {"name": "Ada", "queues": ["sales"]}},
        }
        (folder / "dialplans").mkdir()
        self.flow = folder / "dialplans" / "test.yaml"
        self.flow.write_text(FLOW)
        self.process: asyncio.subprocess.Process | None = None

    async def start(self) -> asyncio.subprocess.Process:
        file = self.folder / "cordboard.yaml"
        file.write_text(yaml.safe_dump(self.content))
        load_secrets(self.folder / "var", ["1001"])
        self.process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "cordboard", "serve", "--config", str(file)),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        return self.process

    async def end(self) -> tuple[int | None, str]:
        """Its exit status and everything that it said that is no log line."""
        assert self.process is not None
        async with asyncio.timeout(30):
            _, said = await self.process.communicate()
        return self.process.returncode, "\n".join(
            line for line in said.decode().splitlines() if not line.startswith("{")
        )

    async def healthy_enough(self) -> None:
        """Its web port answers: whether the PBX is there is another question."""
        await self.health()

    async def health(self) -> Any:
        async with asyncio.timeout(30), aiohttp.ClientSession() as http:
            while True:
                with contextlib.suppress(aiohttp.ClientError):
                    async with http.get(f"http://127.0.0.1:{self.web}/health") as answer:
                        return await answer.json()
                await asyncio.sleep(0.02)


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Served]:
    """With a PBX that takes connections, counts them and says nothing."""
    made: Served

    def connected(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        made.dialled += 1
        writer.close()

    pbx = await asyncio.start_server(connected, "127.0.0.1", 0)
    made = Served(tmp_path, pbx)
    yield made
    if made.process is not None and made.process.returncode is None:
        made.process.kill()
        await made.process.communicate()
    pbx.close()
    await pbx.wait_closed()


async def test_a_broken_dialplan(site: Served) -> None:
    site.flow.write_text(FLOW.replace("next: done", "next: gone"))
    await site.start()
    status, said = await site.end()
    assert status == REFUSED
    assert "test.yaml:7:" in said
    assert "Traceback" not in said


async def test_a_dialplan_that_broke_since_it_was_published(site: Served) -> None:
    """What was published is served, and nobody can overlook it."""
    await site.start()
    before = await site.health()
    assert before["dialplans"] == {"ok": True, "version": 1, "canary": None, "detail": ""}
    assert site.process is not None
    site.process.terminate()
    await site.end()
    site.flow.write_text(FLOW.replace("next: done", "next: gone"))
    await site.start()
    dialplans = (await site.health())["dialplans"]
    assert (dialplans["ok"], dialplans["version"]) == (False, 1)
    assert "test.yaml:7:" in dialplans["detail"]
    site.process.terminate()
    _, said = await site.process.communicate()
    alarms = [line for line in said.decode().splitlines() if "dialplans refused at the start" in line]
    assert len(alarms) == 1
    assert '"level":"error"' in alarms[0].replace(" ", "")


async def test_a_voice_that_is_none(site: Served) -> None:
    site.content["voices"] = {"zz": "nobody:at all"}
    await site.start()
    assert await site.end() == (
        REFUSED,
        "voices: 'nobody:at all' is no voice for 'zz': write hibari:NAME or espeak:NAME",
    )


async def test_a_database_of_a_newer_version(site: Served) -> None:
    (site.folder / "var").mkdir()
    with contextlib.closing(sqlite3.connect(site.folder / "var" / "cordboard.db")) as database, database:
        database.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
        database.execute("INSERT INTO alembic_version VALUES ('9999')")
    await site.start()
    status, said = await site.end()
    assert status == REFUSED
    assert said.startswith("database: the database was made by a newer Cordboard")


async def test_a_database_that_is_away(site: Served) -> None:
    """Not now is not never: another try may help. The password stays where it is."""
    site.content["database"] = {"url": f"postgresql+asyncpg://cordboard:geheim@127.0.0.1:{free_port()}/cordboard"}
    await site.start()
    status, said = await site.end()
    assert status == TRY_AGAIN
    assert "Connect call failed" in said or "refused" in said.lower()
    assert "geheim" not in said
    assert "Traceback" not in said


async def test_a_database_file_that_cannot_be_opened(site: Served) -> None:
    (site.folder / "var" / "cordboard.db").mkdir(parents=True)
    await site.start()
    status, said = await site.end()
    assert (status, said) == (TRY_AGAIN, "the database cannot be used now: unable to open database file")


async def test_the_port_is_taken(site: Served) -> None:
    """Perhaps by another service, which drives the PBX: its calls are not touched."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", site.web))
        taken.listen()
        await site.start()
        status, said = await site.end()
    assert status == TRY_AGAIN
    assert str(site.web) in said
    assert "in use" in said
    assert "Traceback" not in said
    assert site.dialled == 0


async def test_an_address_that_is_not_ours(site: Served) -> None:
    site.content["web"]["host"] = "192.0.2.1"
    await site.start()
    status, said = await site.end()
    assert status == REFUSED
    assert "192.0.2.1" in said


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
async def test_asked_to_end(site: Served, number: signal.Signals) -> None:
    process = await site.start()
    await site.healthy_enough()
    process.send_signal(number)
    assert await site.end() == (0, "")


async def test_asked_to_end_while_it_prepares(site: Served) -> None:
    """The first start may speak for a minute; a stop does not wait for that."""
    bin_ = site.folder / "var" / "bin"
    bin_.mkdir(parents=True)
    speaks = site.folder / "speaks"
    voice = bin_ / "espeak-ng"
    voice.write_text(
        "#!/bin/sh\n"
        '[ "$1" = --version ] && echo "eSpeak NG text-to-speech: 1.51" && exit\n'
        f"touch {speaks}\n"
        "while kill -0 $PPID 2>/dev/null; do sleep 0.1; done\n"
    )
    voice.chmod(0o755)
    process = await site.start()
    async with asyncio.timeout(30):
        while not speaks.exists():  # noqa: ASYNC110  (a file tells nobody)
            await asyncio.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    assert await site.end() == (0, "")
    assert site.dialled == 0
