"""Where this machine gets Debian from.

Decides: which mirrors may carry Debian testing, and with which keyring their signature is checked.
Refuses to know: any mirror by name. Only what the machine's own apt is configured with is used.
"""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path
from urllib.parse import urlsplit

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")


class InstallError(Exception):
    """The installation cannot go on; the text says what to do about it."""


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
