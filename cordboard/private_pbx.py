"""The life of one private Asterisk process: start it, adopt one that runs already, stop it, notice its death.

Decides: when the PBX counts as started (its own CLI says fully booted and AMI accepts) and how hard it is stopped.
Refuses to know: what is in the configuration, and everything about calls. Restarting it is the supervisor's decision.

Asterisk writes its own pid file; a process counts as ours only if its command line names our configuration, since pids
are reused. It gets a session of its own: Ctrl-C in the terminal must reach the service, which drains, not the calls.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
from pathlib import Path

from cordboard.pbx_config import write
from cordboard.pbx_settings import PbxSettings

_POLL_S = 0.02


class PrivatePbxError(Exception):
    """The PBX did not start, or its CLI did not answer. The text ends with what the PBX said last."""


class PrivatePbx:
    def __init__(self, settings: PbxSettings, launcher: Path) -> None:
        self.settings = settings
        self._launcher = launcher
        self._process: asyncio.subprocess.Process | None = None
        self._pid: int | None = None

    @property
    def pid(self) -> int | None:
        """Of the running process that we started or adopted; None when there is none."""
        return self._pid if self.alive else None

    @property
    def alive(self) -> bool:
        if self._process is not None:
            return self._process.returncode is None
        return self._pid is not None and self._is_ours(self._pid)

    @property
    def configuration(self) -> Path:
        return self.settings.etc / "asterisk.conf"

    @property
    def console(self) -> Path:
        return self.settings.log / "console.log"

    def adopt(self) -> bool:
        """Take over a PBX that runs with this configuration, if there is one (its owner may have been killed)."""
        if self.alive:
            return True
        with contextlib.suppress(OSError, ValueError):
            pid = int((self.settings.run / "asterisk.pid").read_text())
            if self._is_ours(pid):
                self._process, self._pid = None, pid
                return True
        return False

    async def start(self, within: float = 30.0) -> bool:
        """Write the configuration and have the PBX run it. True when it was started, False when it was adopted.

        An adopted PBX keeps the configuration that it has read, and its calls.
        """
        changed = await asyncio.to_thread(write, self.settings)
        if self.adopt():
            if changed:
                await self.cli("core reload")
            await self._ready(within)
            return False
        self._require_free_ports()
        with self.console.open("ab") as console:
            self._process = await asyncio.create_subprocess_exec(
                *(str(self._launcher), "-f", "-n", "-C", str(self.configuration)),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=console,
                stderr=asyncio.subprocess.STDOUT,
                start_new_session=True,
                umask=0o077,  # recordings and messages are for us alone
            )
        self._pid = self._process.pid
        try:
            await self._ready(within)
        except BaseException:
            self.kill()
            await self._process.wait()
            raise
        return True

    def _require_free_ports(self) -> None:
        """Asterisk 22 starts without a SIP transport whose port is taken, and says so in its log only."""
        settings = self.settings
        for kind, host, port, key in (
            (socket.SOCK_DGRAM, settings.sip_host, settings.sip_port, "pbx.sip.port"),
            (socket.SOCK_STREAM, settings.ami_host, settings.ami_port, "pbx.ami.port"),
        ):
            with socket.socket(socket.AF_INET, kind) as probe:
                if kind == socket.SOCK_STREAM:  # as Asterisk does: connections of a predecessor may still linger
                    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind((host, port))
                except OSError as error:
                    raise PrivatePbxError(
                        f"port {port} at {host} cannot be had ({error.strerror}): end what uses it, or change {key}"
                    ) from None

    async def stop(self, drain: float = 0.0, within: float = 10.0) -> None:
        """Stop it: calls get `drain` seconds to end by themselves, no new ones come in. Then they are cut."""
        if not self.alive:
            return
        if drain > 0:
            with contextlib.suppress(PrivatePbxError):
                await self.cli("core stop gracefully")
            if await self._gone_within(drain):
                return
        self._signal(signal.SIGTERM)
        if not await self._gone_within(within):
            self.kill()
            await self.wait()

    def kill(self) -> None:
        """SIGKILL: what a crash is to everybody else."""
        self._signal(signal.SIGKILL)

    async def wait(self) -> None:
        """Return when the process is gone."""
        if self._process is not None:
            await self._process.wait()
            return
        if self._pid is None:
            return
        try:
            descriptor = os.pidfd_open(self._pid)  # an adopted process is not our child, so it cannot be waited for
        except ProcessLookupError:
            return
        gone = asyncio.Event()
        loop = asyncio.get_running_loop()
        try:
            loop.add_reader(descriptor, gone.set)
            if self.alive:
                await gone.wait()
        finally:
            loop.remove_reader(descriptor)
            os.close(descriptor)

    async def cli(self, command: str) -> str:
        """Run one CLI command in the PBX."""
        process = await asyncio.create_subprocess_exec(
            *(str(self._launcher), "-C", str(self.configuration), "-rx", command),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        try:
            output, _ = await process.communicate()
        except BaseException:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
            raise
        text = output.decode(errors="replace")
        if process.returncode != 0:
            raise PrivatePbxError(text.strip() or f"the CLI ended with {process.returncode}")
        return text

    async def _ready(self, within: float) -> None:
        try:
            async with asyncio.timeout(within):
                await self._until_booted()
                await self._until_ami_accepts()
        except TimeoutError as error:
            raise PrivatePbxError(f"the PBX did not start within {within:.0f} s:\n{self._last_words()}") from error

    async def _until_booted(self) -> None:
        while True:
            self._require_alive()
            try:
                await self.cli("core waitfullybooted")
                return
            except PrivatePbxError:  # the control socket is not there yet
                await asyncio.sleep(_POLL_S)

    async def _until_ami_accepts(self) -> None:
        while True:
            self._require_alive()
            try:
                _, writer = await asyncio.open_connection(self.settings.ami_host, self.settings.ami_port)
            except OSError:
                await asyncio.sleep(_POLL_S)
                continue
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
            return

    def _require_alive(self) -> None:
        if not self.alive:
            raise PrivatePbxError(f"the PBX stopped while it started:\n{self._last_words()}")

    def _last_words(self) -> str:
        try:
            return "\n".join(self.console.read_text(errors="replace").splitlines()[-8:])
        except OSError:
            return "(no output)"

    async def _gone_within(self, seconds: float) -> bool:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.wait()
        return not self.alive

    def _signal(self, number: signal.Signals) -> None:
        if self._pid is not None and self.alive:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._pid, number)

    def _is_ours(self, pid: int) -> bool:
        try:
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            return False
        arguments = command.split(b"\0")
        return os.fsencode(self.configuration) in arguments and b"-f" in arguments  # `-rx` is a CLI, not the PBX
