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
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

SUITE = "forky"
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
# Raise it when the same package list must be unpacked or arranged differently: every existing root is then rebuilt.
LAYOUT_VERSION = 1
GROUPS: dict[str, tuple[str, ...]] = {
    "asterisk": (
        "asterisk",
        "asterisk-core-sounds-en-wav",
        "asterisk-core-sounds-es-wav",
        "asterisk-moh-opsound-wav",
        "espeak-ng",
    ),
    "sipp": ("sip-tester",),
    "chromium": ("chromium",),
}
# Post-install scripts do not run, so links into /etc/alternatives dangle; these are the ones that callers would hear.
SOUND_LINKS = {"en": "en_US_f_Allison", "es": "es_MX_f_Allison"}
UNPACKED_OVER_DOWNLOADED = (
    5  # a generous ratio for the free-space check; sounds and shared libraries compress about 4:1
)


class InstallError(Exception):
    """The installation cannot go on; the text says what to do about it."""


class Machine(NamedTuple):
    """How Debian and the C library call this processor."""

    debian: str
    triplet: str
    loader: str


MACHINES = {
    "x86_64": Machine("amd64", "x86_64-linux-gnu", "ld-linux-x86-64.so.2"),
    "aarch64": Machine("arm64", "aarch64-linux-gnu", "ld-linux-aarch64.so.1"),
}


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


# --- what the machine's own apt configuration says -------------------------------------------------------------------


def parse_deb822(text: str) -> list[tuple[str, list[str]]]:
    """The (URI, suites) pairs of enabled `deb` stanzas in a *.sources file."""
    found = []
    for stanza in re.split(r"\n[ \t]*\n", "\n".join(ln for ln in text.splitlines() if not ln.startswith("#"))):
        fields: dict[str, str] = {}
        name = ""
        for line in stanza.splitlines():
            if line[:1] in (" ", "\t"):
                fields[name] = f"{fields.get(name, '')} {line.strip()}"
            elif ":" in line:
                name, _, value = line.partition(":")
                name = name.strip().lower()
                fields[name] = value.strip()
        enabled = fields.get("enabled", "yes").lower() not in ("no", "false", "0", "off", "without", "disable")
        if enabled and "deb" in fields.get("types", "").split():
            found += [(uri, fields.get("suites", "").split()) for uri in fields.get("uris", "").split()]
    return found


def parse_one_line(text: str) -> list[tuple[str, list[str]]]:
    """The (URI, suites) pairs of `deb` lines in a *.list file."""
    pattern = re.compile(r"^\s*deb\s+(?:\[[^\]]*\]\s*)?(\S+)\s+(\S+)")
    return [(m[1], [m[2]]) for m in map(pattern.match, text.splitlines()) if m]


def mirrors(etc_apt: Path) -> list[str]:
    """Base addresses that may carry Debian testing, best first: those that this machine installs Debian itself from."""
    entries: list[tuple[str, list[str]]] = []
    lists = [etc_apt / "sources.list", *sorted(etc_apt.glob("sources.list.d/*.list"))]
    for path in [*sorted(etc_apt.glob("sources.list.d/*.sources")), *lists]:
        with contextlib.suppress(OSError):
            text = path.read_text(encoding="utf-8", errors="replace")
            entries += parse_deb822(text) if path.suffix == ".sources" else parse_one_line(text)
    usable: list[str] = []
    for uri, suites in entries:
        base = uri.rstrip("/")
        security = "security" in base or any("security" in suite for suite in suites)
        if urlsplit(base).scheme in ("http", "https") and not security and base not in usable:
            usable.append(base)
    return sorted(usable, key=lambda base: urlsplit(base).path.split("/")[-1] != "debian")


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


# --- a private apt ---------------------------------------------------------------------------------------------------


class Deb(NamedTuple):
    """One package file of the closure; the name carries name, version and architecture."""

    file: str
    size: int


def parse_closure(uris: str) -> list[Deb]:
    """What `apt-get --print-uris install` would fetch: lines of `'uri' file size checksum`."""
    return [Deb(m[1], int(m[2])) for m in re.finditer(r"^'[^']+' (\S+\.deb) (\d+) ", uris, re.MULTILINE)]


class PrivateApt:
    """apt-get with state, cache and sources of its own, and a dpkg status that says nothing is installed."""

    def __init__(self, folder: Path, machine: Machine) -> None:
        self._folder = folder
        self._machine = machine
        if '"' in str(folder):
            raise InstallError(
                f"the path {folder} has a quote in it, which apt's configuration cannot express; move it"
            )
        if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
            raise InstallError(
                "apt-get and dpkg-deb are needed, and this machine has none: it is not a Debian.\n"
                "Use a Debian 12 or newer machine or container, or name an existing PBX in the configuration."
            )

    @property
    def nothing(self) -> Path:
        return self._folder / "nothing"

    def configure(self, mirror: str) -> None:
        for name in ("lists/partial", "archives/partial", "nothing/partial"):
            (self._folder / name).mkdir(parents=True, exist_ok=True)
        (self._folder / "status").write_text("")
        (self._folder / "sources.list").write_text(f"deb [signed-by={KEYRING}] {mirror} {SUITE} main\n")
        (self._folder / "apt.conf").write_text(self._configuration())

    def _configuration(self) -> str:
        """Read after the machine's own configuration, so that its proxies keep working and its hooks do not run."""
        here = self._folder
        return f"""
#clear APT::Architectures;
#clear APT::Default-Release;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear DPkg::Pre-Install-Pkgs;
APT::Architecture "{self._machine.debian}"; APT::Architectures {{ "{self._machine.debian}"; }};
APT::Install-Recommends "false"; APT::Install-Suggests "false";
APT::Sandbox::User "root"; // root's apt would otherwise drop to _apt, who may not enter this folder
Dir::State "{here}"; Dir::State::lists "{here}/lists"; Dir::State::status "{here}/status";
Dir::Cache "{here}"; Dir::Cache::archives "{here}/archives";
Dir::Cache::pkgcache "pkgcache.bin"; Dir::Cache::srcpkgcache "";
Dir::Etc::sourcelist "{here}/sources.list"; Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferences "/dev/null"; Dir::Etc::preferencesparts "/dev/null";
Dir::Log "{here}/log"; Dir::Log::Terminal ""; Dir::Log::History "";
Acquire::Check-Valid-Until "false"; // a mirror's or a proxy's Release file can be past its date; it is still signed
Acquire::Languages "none"; Acquire::GzipIndexes "true"; Acquire::Retries "3"; Acquire::http::Timeout "30";
Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
Acquire::IndexTargets::deb::DEP-11-icons-small::DefaultEnabled "false";
"""

    def run(self, *arguments: str, while_running: Callable[[], None] | None = None) -> str:
        command = ["apt-get", "-q", "-c", str(self._folder / "apt.conf"), *arguments]
        environment = {**os.environ, "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"}
        with (
            tempfile.TemporaryFile("w+", errors="replace") as out,
            tempfile.TemporaryFile("w+", errors="replace") as err,
        ):
            with subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=out, stderr=err, env=environment
            ) as process:
                try:
                    while process.poll() is None:
                        if while_running:
                            while_running()
                        with contextlib.suppress(subprocess.TimeoutExpired):
                            process.wait(0.2)
                except BaseException:
                    process.terminate()
                    raise
            out.seek(0)
            err.seek(0)
            if process.returncode != 0:
                raise InstallError(explain(err.read(), arguments[0]))
            return out.read()

    def update(self) -> None:
        # without Error-Mode=any apt only warns when a mirror cannot be reached, and goes on with no packages at all
        self.run("update", "-o", "APT::Update::Error-Mode=any")


def explain(stderr: str, step: str) -> str:
    """apt's complaint and the likeliest cure."""
    lines = [line for line in stderr.splitlines() if line.startswith(("E:", "W:"))] or stderr.splitlines()
    said = "\n".join(lines[-6:])
    if "No space left" in said or "enough free space" in said:
        cure = "The disk is full: free about 600 MB, or set CORDBOARD_ROOT to a folder on a bigger disk."
    elif "NO_PUBKEY" in said or "not signed" in said or "EXPKEYSIG" in said:
        cure = "The mirror's signature is not in the keyring: update the package debian-archive-keyring."
    elif "Unable to locate package" in said or "no installation candidate" in said:
        cure = f"The mirror has no such package in {SUITE}: is it a full Debian mirror?"
    elif "Release file" in said or "404" in said:
        cure = f"The mirror does not carry Debian {SUITE}: set CORDBOARD_DEBIAN_MIRROR to one that does."
    else:
        cure = "Is the network up, and does `apt-get update` work on this machine (proxy, DNS, certificates)?"
    return f"apt-get {step} failed:\n{said}\n{cure}"


# --- the root --------------------------------------------------------------------------------------------------------


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

    def missing(self, groups: Iterable[str], machine: Machine) -> list[str]:
        return [group for group in groups if self.groups.get(group) != fingerprint(group, machine)]


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


LAUNCHERS = {"asterisk": "usr/sbin/asterisk", "sipp": "usr/bin/sipp", "espeak-ng": "usr/bin/espeak-ng"}
LAUNCHER = """\
#!/bin/sh
# Written by asterisk/install.py: runs the private copy through its own loader. `exec`, so that our pid is its pid.
root=$(dirname "$(dirname "$(readlink -f "$0")")")/asterisk-root
lib=$root/usr/lib/{triplet}
{environment}exec "$lib/{loader}" --inhibit-cache --library-path "$lib{extra}" "$root/{program}" "$@"
"""


def write_launchers(layout: Layout, machine: Machine) -> None:
    layout.bin.mkdir(parents=True, exist_ok=True)
    library = layout.root / "usr/lib" / machine.triplet
    # private library folders that programs reach by an absolute RUNPATH, which would point at the machine's own copies
    extra = "".join(f":$lib/{name}" for name in ("pulseaudio",) if (library / name).is_dir())
    for name, program in LAUNCHERS.items():
        if not (layout.root / program).exists():
            continue
        environment = 'export ESPEAK_DATA_PATH="$lib"\n' if name == "espeak-ng" else ""
        text = LAUNCHER.format(
            triplet=machine.triplet, loader=machine.loader, extra=extra, program=program, environment=environment
        )
        temporary = layout.bin / f".{name}.new"
        temporary.write_text(text)
        temporary.chmod(0o755)
        temporary.replace(layout.bin / name)


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


def resolve(apt: PrivateApt, packages: Sequence[str]) -> list[Deb]:
    """Every package file needed; asked with an empty archive, since apt leaves out what it has already downloaded."""
    closure = parse_closure(
        apt.run("--print-uris", "-y", "-o", f"Dir::Cache::archives={apt.nothing}/", "install", *packages)
    )
    if not closure:
        raise InstallError(f"apt-get resolved no packages for {' '.join(packages)}: this is a fault of the installer")
    return closure


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
    """Bring the root up to date with `groups` (those already there stay); False when there was nothing to do."""
    machine = MACHINES.get(platform.machine())
    if machine is None:
        raise InstallError(f"no packages for {platform.machine()}: only {' and '.join(MACHINES)} are supported")
    if not Installed.read(layout.marker).missing(groups, machine):
        return False
    progress = Progress()
    with only_one(layout.var / ".install.lock"):
        before = Installed.read(layout.marker)
        if not before.missing(groups, machine):  # the installation that we waited for did it
            return False
        every = [group for group in GROUPS if group in groups or group in before.groups]
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
        shutil.rmtree(layout.archives, ignore_errors=True)
    return True


def sources(etc_apt: Path) -> list[str]:
    if not KEYRING.exists():
        raise InstallError(
            f"{KEYRING} is missing, so downloads could not be verified. Install the package debian-archive-keyring "
            "(on Debian it is part of the base system)."
        )
    override = os.environ.get("CORDBOARD_DEBIAN_MIRROR")
    found = [override.rstrip("/")] if override else mirrors(etc_apt)
    if not found:
        raise InstallError(
            f"no http(s) Debian mirror found in {etc_apt}/sources.list and {etc_apt}/sources.list.d.\n"
            "Set CORDBOARD_DEBIAN_MIRROR to the base address of one."
        )
    return found


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
