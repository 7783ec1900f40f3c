"""`cordboard up`: the private PBX and the service as two processes, so that neither falls with the other.

Decides in which order things start and stop, and starts again what died. A talk lives in the PBX: the service may be
killed and started again without anybody hearing it, so the two never share a process.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import fcntl
import os
import signal
import sys
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any, Protocol

import aiohttp
import structlog

from cordboard.private_pbx import PrivatePbxError

log = structlog.get_logger()

PR_SET_PDEATHSIG = 1
BACKOFF_S = (0.1, 0.5, 1.0, 2.0, 5.0)
REFUSED = 2
"""The service's exit status for a configuration that cannot work."""

SETTLED_S = 30.0
"""A process that lived so long starts its backoff anew."""


class AlreadyRunningError(Exception):
    """Another `cordboard up` owns this folder."""


class ServiceRefusedError(Exception):
    """The service ended at its start with the status that means: not with this configuration."""


class Pbx(Protocol):
    """The private PBX, as much of it as supervising needs."""

    async def start(self) -> bool: ...
    async def stop(self) -> None: ...
    async def wait(self) -> None: ...


@contextlib.contextmanager
def sole_owner(lock: Path) -> Iterator[None]:
    """Hold the lock file of a var folder; the system lets go of it however this process ends."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise AlreadyRunningError(f"already running here as process {file.read().strip() or '?'}") from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def die_with_parent() -> None:
    """Runs in the child: SIGHUP (leave the calls to a successor) when the supervisor dies, however it dies."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGHUP)


class Backoff:
    """How long to wait before the next start of something that keeps dying."""

    def __init__(self) -> None:
        self._tries = 0

    def after(self, lived_s: float) -> float:
        self._tries = 0 if lived_s >= SETTLED_S else self._tries + 1
        return BACKOFF_S[min(self._tries, len(BACKOFF_S) - 1)]


class Supervisor:
    """Owns the PBX (None: an external one) and the service process until asked to stop."""

    def __init__(
        self,
        pbx: Pbx | None,
        service_command: list[str],
        health_url: str,
        say: Callable[[str], None],
        *,
        stop_patience_s: float = 30.0,
    ) -> None:
        """`stop_patience_s`: how long the service may take to let calls end and to write everything down."""
        self._pbx = pbx
        self._command = service_command
        self._health_url = health_url
        self._say = say
        self._stop_patience_s = stop_patience_s
        self._stop = asyncio.Event()
        self._served = False
        self._service: asyncio.subprocess.Process | None = None

    def request_stop(self) -> None:
        """Drain; a second request stops at once."""
        if self._stop.is_set() and self._service is not None and self._service.returncode is None:
            self._service.send_signal(signal.SIGTERM)
        self._stop.set()

    async def run(self, ready: Callable[[], None]) -> None:
        """Start everything, call `ready` once it serves, supervise until a stop is requested, stop everything.

        Raises `ServiceRefusedError` when the service says at the start that it can never run like this, and whatever
        the PBX raises when it cannot be started. Once everything has served, nothing ends the supervision but a stop:
        a PBX that holds talks is never given up for a file that was broken meanwhile.
        """
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):  # SIGHUP: the terminal was closed
            loop.add_signal_handler(number, self.request_stop)
        tasks: list[asyncio.Task[Any]] = []
        try:
            await self._until_stop(ready, tasks)
            self._say("stopping: new callers are refused, calls may end (again Ctrl-C: at once) ...")
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._stop_service()
            if self._pbx is not None:
                await self._pbx.stop()
            self._say("stopped")

    async def _until_stop(self, ready: Callable[[], None], tasks: list[asyncio.Task[Any]]) -> None:
        """Every task begun is added to `tasks`; whoever calls this ends them."""

        def begin(work: Coroutine[Any, Any, Any], name: str) -> asyncio.Task[Any]:
            tasks.append(asyncio.create_task(work, name=name))
            return tasks[-1]

        stopping = begin(self._stop.wait(), "stop requested")
        if self._pbx is not None:
            self._say("starting the private PBX ...")
            starting = begin(self._pbx.start(), "start the PBX")
            await _first([starting, stopping])
            if stopping.done():
                return
            begin(self._keep_pbx(self._pbx), "keep the PBX")
            tasks.remove(starting)
        self._say("starting the service ...")
        begin(self._keep_service(), "keep the service")
        serving = begin(self._wait_healthy(), "service healthy")
        await _first(tasks)
        if serving.done():
            self._served = True
            ready()
            await _first([task for task in tasks if task is not serving])

    async def _keep_pbx(self, pbx: Pbx) -> None:
        backoff, loop = Backoff(), asyncio.get_running_loop()
        while True:
            born = loop.time()
            await pbx.wait()
            log.error("the PBX died; starting it again")
            await asyncio.sleep(backoff.after(loop.time() - born))
            try:
                await pbx.start()
            except (PrivatePbxError, OSError) as error:
                log.error("the PBX does not start; trying again", reason=str(error))

    async def _keep_service(self) -> None:
        backoff, loop = Backoff(), asyncio.get_running_loop()
        while True:
            born = loop.time()
            self._service = await asyncio.create_subprocess_exec(
                *self._command, stdin=asyncio.subprocess.DEVNULL, preexec_fn=die_with_parent, start_new_session=True
            )
            status = await self._service.wait()
            if status == REFUSED and not self._served:
                raise ServiceRefusedError("the service cannot run like this; it has said why")
            log.error("the service ended; starting it again", status=status)
            await asyncio.sleep(backoff.after(loop.time() - born))

    async def _wait_healthy(self) -> None:
        async with aiohttp.ClientSession() as http:
            while True:
                with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                    async with http.get(self._health_url, timeout=aiohttp.ClientTimeout(total=2)) as answer:
                        if answer.status == 200:
                            return
                await asyncio.sleep(0.1)

    async def _stop_service(self) -> None:
        service = self._service
        if service is None or service.returncode is not None:
            return
        service.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(service.wait(), self._stop_patience_s)
        except TimeoutError:
            log.error("the service did not stop in time; killing it", seconds=self._stop_patience_s)
            service.kill()
            await service.wait()


async def _first(tasks: list[asyncio.Task[Any]]) -> None:
    """Until one of them is over; its exception, if it has one, is ours."""
    done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in done:
        task.result()


def service_command(config: Path) -> list[str]:
    return [sys.executable, "-m", "cordboard", "serve", "--config", str(config)]
