"""apt-get without root: state, cache and sources of its own, and a dpkg status that says nothing is installed.

Decides: how apt is configured and called, and what its complaints mean for the person who reads them.
Refuses to know: what the packages are for and where they are unpacked.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from apt_sources import KEYRING, InstallError

SUITE = "forky"


class Machine(NamedTuple):
    """How Debian and the C library call this processor."""

    debian: str
    triplet: str
    loader: str


MACHINES = {
    "x86_64": Machine("amd64", "x86_64-linux-gnu", "ld-linux-x86-64.so.2"),
    "aarch64": Machine("arm64", "aarch64-linux-gnu", "ld-linux-aarch64.so.1"),
}


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


def resolve(apt: PrivateApt, packages: Sequence[str]) -> list[Deb]:
    """Every package file needed; asked with an empty archive, since apt leaves out what it has already downloaded."""
    closure = parse_closure(
        apt.run("--print-uris", "-y", "-o", f"Dir::Cache::archives={apt.nothing}/", "install", *packages)
    )
    if not closure:
        raise InstallError(f"apt-get resolved no packages for {' '.join(packages)}: this is a fault of the installer")
    return closure
