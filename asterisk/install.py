#!/usr/bin/env python3
"""Install a private Asterisk 22 (and optional test tools) without root.

Decides: which Debian packages make up the PBX, where they are unpacked, and when an existing copy is still good.
Refuses to know: how Asterisk is configured or run (see cordboard/pbx_config.py and cordboard/private_pbx.py).

Debian 12 has no Asterisk package, Debian testing has. We let the machine's own apt resolve, download and verify the
packages (signature and checksums are apt's, and stay on), but with a package database of our own that believes nothing
is installed. The closure therefore contains everything down to the C library, is unpacked into one folder, and runs
through its own dynamic loader. Nothing outside that folder is read or written, so neither root nor chroot is needed.

Only the standard library is used: this runs before anything else is installed.

    python asterisk/install.py                 the PBX
    python asterisk/install.py asterisk sipp   the PBX and SIPp, in the same root
    python asterisk/install.py chromium        the browser for the tests of the pages
"""

from __future__ import annotations

import argparse
import concurrent.futures
import contextlib
import fcntl
import hashlib
import json
import os
import platform
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from apt_sources import InstallError, sources
from private_apt import MACHINES, SUITE, Deb, Machine, PrivateApt, resolve

# Raise it when the same package list must be unpacked or arranged differently: every existing root is then rebuilt.
LAYOUT_VERSION = 1
GROUPS: dict[str, tuple[str, ...]] = {
    "asterisk": (
        "asterisk",
        "asterisk-core-sounds-en-wav",
        "asterisk-core-sounds-es-wav",
        "asterisk-moh-opsound-wav",
        "espeak-ng",
        "graphviz",
    ),
    "sipp": ("sip-tester",),
    "chromium": ("chromium",),
}
# Post-install scripts do not run, so links into /etc/alternatives dangle; these are the ones that callers would hear.
SOUND_LINKS = {"en": "en_US_f_Allison", "es": "es_MX_f_Allison"}
UNPACKED_OVER_DOWNLOADED = 4  # for the free-space check; 149 MB of packages were 373 MB unpacked


@dataclass(frozen=True)
class Layout:
    """Every path this installer touches, all below one folder."""

    var: Path

    @property
    def root(self) -> Path:
        return self.var / "asterisk-root"

    @property
    def marker(self) -> Path:
        return self.root / ".installed.json"

    @property
    def bin(self) -> Path:
        return self.var / "bin"

    @property
    def apt(self) -> Path:
        return self.var / "cache" / "apt"

    @property
    def archives(self) -> Path:
        return self.apt / "archives"


class Progress:
    """One updating line on a terminal, one plain line per step elsewhere."""

    def __init__(self) -> None:
        self._tty = sys.stdout.isatty()
        self._step = ""

    def step(self, text: str) -> None:
        self.end()
        self._step = text
        print(f"\r{text} ..." if self._tty else f"{text} ...", end="" if self._tty else "\n", flush=True)

    def detail(self, text: str) -> None:
        if self._tty:
            print(f"\r{self._step} ... {text}\x1b[K", end="", flush=True)

    def end(self) -> None:
        if self._tty and self._step:
            print(flush=True)
        self._step = ""


def resolves(name: str, patience: float) -> bool:
    """Whether `name` resolves within `patience` seconds (asked on a thread: the resolver has time-outs of its own)."""
    answer: list[bool] = []

    def ask() -> None:
        with contextlib.suppress(OSError):
            answer.append(bool(socket.getaddrinfo(name, None)))

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(patience)
    return bool(answer)


def fingerprint(group: str, machine: Machine) -> str:
    facts = (LAYOUT_VERSION, SUITE, machine.debian, GROUPS[group])
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Installed:
    """What the marker in a finished root says."""

    groups: dict[str, str]
    debs: frozenset[str]

    @classmethod
    def read(cls, marker: Path) -> Installed:
        try:
            data = json.loads(marker.read_text())
            return cls(dict(data["groups"]), frozenset(data["debs"]))
        except (OSError, ValueError, KeyError, TypeError):
            return cls({}, frozenset())

    def write(self, marker: Path) -> None:
        marker.write_text(json.dumps({"groups": self.groups, "debs": sorted(self.debs)}, indent=1) + "\n")

    def is_current(self, groups: Iterable[str], machine: Machine) -> bool:
        return all(self.groups.get(group) == fingerprint(group, machine) for group in groups)


def unpack(debs: Sequence[Path], target: Path, progress: Callable[[int], None]) -> None:
    """Extract packages over one another, several at a time."""

    def one(deb: Path) -> None:
        run = subprocess.run(["dpkg-deb", "-x", str(deb), str(target)], capture_output=True, text=True, check=False)
        if run.returncode != 0:
            deb.unlink(missing_ok=True)  # a broken download must not be found again by the next attempt
            raise InstallError(
                f"{deb.name} cannot be unpacked: {run.stderr.strip()}\nIs the disk full? Then run again."
            )

    with concurrent.futures.ThreadPoolExecutor(max(2, os.cpu_count() or 2)) as pool:
        for count, future in enumerate(concurrent.futures.as_completed([pool.submit(one, deb) for deb in debs]), 1):
            future.result()
            progress(count)


def repair_links(root: Path) -> None:
    sounds = root / "usr/share/asterisk/sounds"
    for name, target in SOUND_LINKS.items():
        link = sounds / name
        if (sounds / target).is_dir() and not link.exists():
            link.unlink(missing_ok=True)
            link.symlink_to(target)


LAUNCHERS = {
    "asterisk": {"asterisk": "usr/sbin/asterisk", "espeak-ng": "usr/bin/espeak-ng", "dot": "usr/bin/dot"},
    "sipp": {"sipp": "usr/bin/sipp"},
    "chromium": {"chromium": "usr/lib/chromium/chromium"},
}
ENVIRONMENT = {
    "espeak-ng": 'export ESPEAK_DATA_PATH="$lib"\n',
    # its plug-ins, and the list of them
    "dot": 'export GVBINDIR="$lib/graphviz"\n',
    # its own fonts
    "chromium": 'export FONTCONFIG_SYSROOT="$root"\n',
}
# Chromium looks for its files beside /proc/self/exe, which is the loader: it gets a loader of its own there. And it
# starts itself again for every page, so whoever runs it must say `--no-zygote --browser-subprocess-path=<launcher>`.
OWN_LOADER = frozenset({"chromium"})
LAUNCHER = """\
#!/bin/sh
# Written by asterisk/install.py: runs the private copy through its own loader. `exec`, so that our pid is its pid.
root=$(dirname "$(dirname "$(readlink -f "$0")")")/asterisk-root
lib=$root/usr/lib/{triplet}
{environment}exec "{loader}" --inhibit-cache --library-path "$lib{extra}" "$root/{program}" "$@"
"""


def launchers_exist(layout: Layout, groups: Iterable[str]) -> bool:
    return all((layout.bin / name).exists() for group in groups for name in LAUNCHERS.get(group, ()))


def write_launchers(layout: Layout, machine: Machine) -> None:
    layout.bin.mkdir(parents=True, exist_ok=True)
    library = layout.root / "usr/lib" / machine.triplet
    # private library folders that programs reach by an absolute RUNPATH, which would point at the machine's own copies
    extra = "".join(f":$lib/{name}" for name in ("pulseaudio",) if (library / name).is_dir())
    for name, program in (pair for programs in LAUNCHERS.values() for pair in programs.items()):
        if not (layout.root / program).exists():
            continue
        loader = f"$lib/{machine.loader}"
        if name in OWN_LOADER:
            loader = f"$root/{Path(program).parent}/{machine.loader}"
            shutil.copyfile(library / machine.loader, layout.root / Path(program).parent / machine.loader)
            (layout.root / Path(program).parent / machine.loader).chmod(0o755)
        text = LAUNCHER.format(
            triplet=machine.triplet,
            loader=loader,
            extra=extra,
            program=program,
            environment=ENVIRONMENT.get(name, ""),
        )
        temporary = layout.bin / f".{name}.new"
        temporary.write_text(text)
        temporary.chmod(0o755)
        temporary.replace(layout.bin / name)


def list_plugins(layout: Layout, machine: Machine) -> None:
    """Graphviz finds its plug-ins by a list that the package's post-install script would write."""
    folder = layout.root / "usr/lib" / machine.triplet / "graphviz"
    if folder.is_dir() and not any(folder.glob("config*")):
        subprocess.run([str(layout.bin / "dot"), "-c"], check=True, capture_output=True)


def check_space(folder: Path, download: int) -> None:
    needed = download * (1 + UNPACKED_OVER_DOWNLOADED)
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise InstallError(
            f"{folder} has {free // 10**6} MB free and about {needed // 10**6} MB are needed: free some space, "
            "or set CORDBOARD_ROOT to a folder on a bigger disk."
        )


@contextlib.contextmanager
def only_one(lock: Path) -> Iterator[None]:
    """Two `make` at once must not unpack into each other; the kernel drops the lock of a killed one."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            print("another installation is running, waiting for it ...", flush=True)
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def download(
    apt: PrivateApt, layout: Layout, packages: Sequence[str], wanted: Sequence[Deb], progress: Progress
) -> None:
    """Fetch the closure. apt keeps what is complete and continues what is partial from an interrupted run."""
    total = sum(deb.size for deb in wanted)
    check_space(layout.var, total)
    progress.step(f"downloading {len(wanted)} packages, {total // 10**6} MB")
    names = {deb.file for deb in wanted}

    def show() -> None:
        done = 0
        for path in layout.archives.rglob("*.deb"):
            with contextlib.suppress(OSError):  # apt moves it out of partial/ while we look
                done += path.stat().st_size if path.name in names else 0
        progress.detail(f"{min(100, done * 100 // max(total, 1))} %")

    apt.run("install", "--download-only", "-y", *packages, while_running=show)
    show()


def build(
    layout: Layout, closure: Sequence[Deb], before: Installed, groups: dict[str, str], progress: Progress
) -> None:
    """Unpack into a folder beside the root and change places at the end, so that the root is always a whole one."""
    staging = layout.var / ".asterisk-root.new"
    shutil.rmtree(staging, ignore_errors=True)
    files = frozenset(deb.file for deb in closure)
    if before.debs and before.debs <= files:  # the same versions and more: start from hard links to what is there
        subprocess.run(["cp", "-al", str(layout.root), str(staging)], check=True)
        (staging / layout.marker.name).unlink()  # a link to the marker in use
        new = [layout.archives / name for name in sorted(files - before.debs)]
    else:
        staging.mkdir(parents=True)
        new = [layout.archives / name for name in sorted(files)]
    progress.step(f"unpacking {len(new)} packages")
    unpack(new, staging, lambda count: progress.detail(f"{count * 100 // len(new)} %"))
    repair_links(staging)
    Installed(groups, files).write(staging / layout.marker.name)
    retired = layout.var / ".asterisk-root.old"
    shutil.rmtree(retired, ignore_errors=True)
    if layout.root.exists():
        layout.root.replace(retired)  # a PBX that runs from it keeps its open files
    staging.replace(layout.root)
    shutil.rmtree(retired, ignore_errors=True)


def install(layout: Layout, groups: Sequence[str], etc_apt: Path = Path("/etc/apt")) -> bool:
    """Bring the root up to date with `groups`; False when there was nothing to do."""
    machine = MACHINES.get(platform.machine())
    if machine is None:
        raise InstallError(f"no packages for {platform.machine()}: only {' and '.join(MACHINES)} are supported")
    if Installed.read(layout.marker).is_current(groups, machine) and launchers_exist(layout, groups):
        return False
    progress = Progress()
    with only_one(layout.var / ".install.lock"):
        before = Installed.read(layout.marker)
        if before.is_current(groups, machine):  # the installation that we waited for did it
            write_launchers(layout, machine)
            list_plugins(layout, machine)
            return False
        if not before.is_current(before.groups, machine):
            before = Installed(before.groups, frozenset())  # laid out by another version of this file: start afresh
        every = [group for group in GROUPS if group in groups or group in before.groups]  # what is there stays
        packages = [package for group in every for package in GROUPS[group]]
        apt = PrivateApt(layout.apt, machine)
        progress.step("reading the package list")
        refresh(apt, sources(etc_apt))
        closure = resolve(apt, packages)
        have = before.debs if before.debs <= {deb.file for deb in closure} else frozenset()
        wanted = [deb for deb in closure if deb.file not in have]
        try:
            download(apt, layout, packages, wanted, progress)
            build(layout, closure, before, {group: fingerprint(group, machine) for group in every}, progress)
        except OSError as error:
            raise InstallError(f"{error}\nIs the disk full, or {layout.var} not writable? Then run again.") from error
        finally:
            progress.end()
        write_launchers(layout, machine)
        list_plugins(layout, machine)
        shutil.rmtree(layout.apt, ignore_errors=True)
    return True


def refresh(apt: PrivateApt, found: Sequence[str]) -> None:
    """Fetch the package list from the first mirror that has it."""
    complaints = []
    for mirror in found:
        apt.configure(mirror)
        try:
            return apt.update()
        except InstallError as error:
            complaints.append(str(error))
    raise InstallError(complaints[0])


def advise_on_host_name() -> None:
    """Asterisk looks up its own host name at every call; when that fails, each call stalls for seconds."""
    name = socket.gethostname()
    if not resolves(name, patience=2.0):
        print(
            f"WARNING: the host name {name!r} does not resolve, and calls will stall for seconds in DNS.\n"
            f"         Ask an administrator to add this line to /etc/hosts:   127.0.1.1 {name}",
            file=sys.stderr,
        )


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Install a private Asterisk without root.")
    parser.add_argument(
        "groups", nargs="*", metavar="GROUP", help=f"what to install (default asterisk): {', '.join(GROUPS)}"
    )
    chosen = parser.parse_args(arguments).groups or ["asterisk"]
    if unknown := [group for group in chosen if group not in GROUPS]:
        parser.error(f"no such group: {', '.join(unknown)}; there are {', '.join(GROUPS)}")
    var = Path(os.environ.get("CORDBOARD_ROOT") or Path(__file__).resolve().parent.parent / "var").absolute()
    started = time.monotonic()
    try:
        if install(Layout(var), chosen):
            print(f"installed {', '.join(chosen)} in {Layout(var).root} ({time.monotonic() - started:.0f} s)")
            advise_on_host_name()
    except InstallError as error:
        print(f"\ninstallation failed: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ninterrupted; run it again to go on", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
