"""The supervisor over real, short processes and a PBX in memory: what is started, started again, stopped, given up."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from aiohttp import web

from cordboard.private_pbx import PrivatePbxError
from cordboard.supervisor import (
    BACKOFF_S,
    SETTLED_S,
    AlreadyRunningError,
    Backoff,
    ServiceRefusedError,
    Supervisor,
    service_command,
    sole_owner,
)

LIVES = """
import os, signal, sys, time
log = open(sys.argv[1], "a", buffering=1)
def say(word): log.write(f"{word} {os.getpid()}\\n")
def ends(number, frame):
    say(signal.Signals(number).name)
    if number == signal.SIGHUP or sys.argv[2] != "stubborn": sys.exit(0)
for number in (signal.SIGTERM, signal.SIGHUP): signal.signal(number, ends)
say("begins")
if sys.argv[2].isdigit(): sys.exit(int(sys.argv[2]))
while True: time.sleep(60)
"""


class FakePbx:
    """A PBX that starts as told (an error, or never), and dies when the test says so."""

    def __init__(self) -> None:
        self.happened: list[str] = []
        self.failures: list[Exception] = []
        self.hangs = False
        self._dead = asyncio.Event()

    async def start(self) -> bool:
        self.happened.append("start")
        if self.failures:
            raise self.failures.pop(0)
        if self.hangs:
            await asyncio.Event().wait()
        self._dead = asyncio.Event()
        return True

    async def stop(self) -> None:
        self.happened.append("stop")
        self._dead.set()

    async def wait(self) -> None:
        await self._dead.wait()

    def die(self) -> None:
        self._dead.set()


class Site:
    """A supervisor under test, its service's diary, and a health page that the test switches."""

    def __init__(self, folder: Path, url: str) -> None:
        self.diary = folder / "diary"
        self.diary.touch()
        self.program = folder / "service.py"
        self.program.write_text(LIVES)
        self.url = url
        self.healthy = True
        self.pbx = FakePbx()
        self.said: list[str] = []
        self.ready = asyncio.Event()

    def supervisor(self, how: str = "lives", *, patience: float = 10.0, pbx: bool = True) -> Supervisor:
        return Supervisor(
            self.pbx if pbx else None,
            [sys.executable, "-S", str(self.program), str(self.diary), how],
            self.url,
            self.said.append,
            stop_patience_s=patience,
        )

    def entries(self, word: str) -> list[int]:
        """The processes that wrote this word, in order."""
        lines = [line.split() for line in self.diary.read_text().splitlines()]
        return [int(pid) for written, pid in lines if written == word]

    async def until(self, condition: Callable[[], object]) -> None:
        async with asyncio.timeout(20):
            while not condition():  # noqa: ASYNC110  (processes and files tell nobody)
                await asyncio.sleep(0.01)

    @contextlib.asynccontextmanager
    async def running(self, supervisor: Supervisor) -> AsyncIterator[asyncio.Task[None]]:
        """Until the block ends; then it is asked to stop, and has to."""
        task = asyncio.create_task(supervisor.run(self.ready.set))
        try:
            yield task
        finally:
            supervisor.request_stop()
            async with asyncio.timeout(20):
                await asyncio.wait([task])


def lives(pid: int) -> bool:
    """A zombie does not: in a container nobody may be there to bury it."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.fixture
async def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Site]:
    monkeypatch.setattr("cordboard.supervisor.BACKOFF_S", (0.01, 0.02, 0.05))
    made = Site(tmp_path, "")

    async def health(_request: web.Request) -> web.Response:
        return web.Response(status=200 if made.healthy else 503)

    application = web.Application()
    application.router.add_get("/health", health)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    made.url = f"http://{host}:{port}/health"
    before = asyncio.all_tasks()
    yield made
    await runner.cleanup()
    assert asyncio.all_tasks() - before - {asyncio.current_task()} == set()
    assert not [pid for pid in made.entries("begins") if lives(pid)]


async def test_from_start_to_stop(site: Site) -> None:
    async with site.running(site.supervisor()):
        await site.ready.wait()
        await site.until(lambda: site.entries("begins"))
    assert site.pbx.happened == ["start", "stop"]
    assert site.entries("SIGTERM") == site.entries("begins")
    assert site.said[0] == "starting the private PBX ..."
    assert site.said[-1] == "stopped"


async def test_a_pbx_of_somebody_else_is_left_alone(site: Site) -> None:
    async with site.running(site.supervisor(pbx=False)):
        await site.ready.wait()
    assert site.pbx.happened == []


async def test_a_service_that_dies_is_started_again(site: Site) -> None:
    async with site.running(site.supervisor()) as running:
        for lives in (1, 2):
            await site.until(lambda: len(site.entries("begins")) == lives)  # noqa: B023
            os.kill(site.entries("begins")[-1], signal.SIGKILL)
        await site.until(lambda: len(site.entries("begins")) == 3)
        assert not running.done()
    assert site.pbx.happened == ["start", "stop"]


@pytest.mark.parametrize("status", [0, 1])
async def test_a_service_that_cannot_run_now_is_tried_again(site: Site, status: int) -> None:
    site.healthy = False
    async with site.running(site.supervisor(str(status))) as running:
        await site.until(lambda: len(site.entries("begins")) == 3)
        assert not running.done()
        assert not site.ready.is_set()


async def test_a_service_that_can_never_run_ends_everything(site: Site) -> None:
    site.healthy = False
    with pytest.raises(ServiceRefusedError):
        await site.supervisor("2").run(site.ready.set)
    assert len(site.entries("begins")) == 1
    assert site.pbx.happened == ["start", "stop"]
    assert site.said[-1] == "stopped"


async def test_once_it_has_served_even_that_is_tried_again(site: Site) -> None:
    """The PBX holds talks; somebody broke a file meanwhile."""
    async with site.running(site.supervisor()) as running:
        await site.ready.wait()
        await site.until(lambda: site.entries("begins"))
        site.program.write_text(LIVES.replace('say("begins")', 'say("refuses"); sys.exit(2)'))
        os.kill(site.entries("begins")[-1], signal.SIGKILL)
        await site.until(lambda: len(site.entries("refuses")) >= 2)
        assert not running.done()
        site.program.write_text(LIVES)
        await site.until(lambda: len(site.entries("begins")) == 2)


async def test_a_pbx_that_does_not_start_ends_everything(site: Site) -> None:
    site.pbx.failures = [PrivatePbxError("no room")]
    with pytest.raises(PrivatePbxError, match="no room"):
        await site.supervisor().run(site.ready.set)
    assert site.entries("begins") == []
    assert site.pbx.happened == ["start", "stop"]


async def test_a_pbx_that_dies_is_started_again_however_often_it_takes(site: Site) -> None:
    async with site.running(site.supervisor()) as running:
        await site.ready.wait()
        site.pbx.failures = [PrivatePbxError("the port is still taken"), OSError("disk full")]
        site.pbx.die()
        await site.until(lambda: site.pbx.happened.count("start") == 4)
        assert not running.done()
        assert len(site.entries("begins")) == 1  # the service stays and connects again by itself
    assert site.pbx.happened[-1] == "stop"


async def test_stop_while_the_pbx_starts(site: Site) -> None:
    site.pbx.hangs = True
    supervisor = site.supervisor()
    async with site.running(supervisor):
        await site.until(lambda: site.pbx.happened == ["start"])
    assert site.pbx.happened == ["start", "stop"]
    assert site.entries("begins") == []


async def test_stop_while_the_service_starts(site: Site) -> None:
    site.healthy = False
    async with site.running(site.supervisor()):
        await site.until(lambda: site.entries("begins"))
    assert not site.ready.is_set()
    assert site.entries("SIGTERM") == site.entries("begins")


async def test_stop_while_waiting_to_start_the_service_again(site: Site) -> None:
    site.healthy = False
    async with site.running(site.supervisor("1")):
        await site.until(lambda: len(site.entries("begins")) == 2)
    assert site.said[-1] == "stopped"


async def test_ctrl_c(site: Site) -> None:
    running = asyncio.create_task(site.supervisor().run(site.ready.set))
    await site.ready.wait()
    await site.until(lambda: site.entries("begins"))
    os.kill(os.getpid(), signal.SIGINT)
    async with asyncio.timeout(20):
        await running
    assert site.pbx.happened == ["start", "stop"]


async def test_a_second_stop_is_passed_on(site: Site) -> None:
    supervisor = site.supervisor("stubborn", patience=20)
    running = asyncio.create_task(supervisor.run(site.ready.set))
    await site.ready.wait()
    await site.until(lambda: site.entries("begins"))
    supervisor.request_stop()
    await site.until(lambda: len(site.entries("SIGTERM")) == 1)
    supervisor.request_stop()
    await site.until(lambda: len(site.entries("SIGTERM")) == 2)
    os.kill(site.entries("begins")[0], signal.SIGKILL)
    async with asyncio.timeout(20):
        await running


async def test_a_service_that_does_not_stop_is_killed(site: Site) -> None:
    async with site.running(site.supervisor("stubborn", patience=0.2)):
        await site.until(lambda: site.entries("begins"))
    assert site.pbx.happened == ["start", "stop"]


async def test_the_service_leaves_the_calls_when_the_supervisor_is_killed(site: Site) -> None:
    """SIGKILL of `up`: the service gets SIGHUP, which means that a successor will take over."""
    parent = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        "import asyncio, sys\n"
        "from cordboard.supervisor import Supervisor\n"
        "asyncio.run(Supervisor(None, sys.argv[2:], sys.argv[1], print).run(lambda: None))",
        site.url,
        *(sys.executable, "-S", str(site.program), str(site.diary), "lives"),
        stdout=asyncio.subprocess.DEVNULL,
    )
    await site.until(lambda: site.entries("begins"))
    parent.kill()
    await parent.wait()
    await site.until(lambda: site.entries("SIGHUP") == site.entries("begins"))
    await site.until(lambda: not lives(site.entries("begins")[0]))


def test_one_owner_of_a_folder(tmp_path: Path) -> None:
    lock = tmp_path / "var" / "up.lock"
    with sole_owner(lock):
        with pytest.raises(AlreadyRunningError, match=str(os.getpid())), sole_owner(lock):
            pass
        assert lock.read_text() == str(os.getpid())
    with sole_owner(lock):
        pass


def test_backoff_grows_and_is_forgiven() -> None:
    backoff = Backoff()
    assert [backoff.after(0.0) for _ in range(6)] == [*BACKOFF_S[1:], BACKOFF_S[-1], BACKOFF_S[-1]]
    assert backoff.after(SETTLED_S) == BACKOFF_S[0]
    assert backoff.after(0.0) == BACKOFF_S[1]


def test_the_service_is_this_program(tmp_path: Path) -> None:
    assert service_command(tmp_path)[1:] == ["-m", "cordboard", "serve", "--config", str(tmp_path)]
