"""Where requests may go: the origins of the configuration, perhaps with a folder, and nothing else.

Decides about the very URL object that is sent, so that no two readings of a text can differ.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable

from yarl import URL

_HOST = re.compile(r"[A-Za-z0-9.:_-]{1,253}")


class BadAddress(ValueError):
    """The text says what is wrong with an address of the configuration."""


class AllowList:
    """Empty: nothing may be asked."""

    def __init__(self, addresses: Iterable[str]) -> None:
        """Raises `BadAddress`."""
        self._places = [_place(parse_address(address)) for address in addresses]

    def url(self, text: str) -> URL | None:
        """What may be sent for this address, None when nothing may."""
        try:
            url = URL(text, encoded=True)
            return url if self._may_be_asked(url) else None
        except ValueError:  # also of what the object works out late, as a port or a host
            return None

    def _may_be_asked(self, url: URL) -> bool:
        if url.user is not None or url.password is not None or not url.host or _climbs(url):
            return False
        origin, path = _place(url)
        return any(origin == allowed and _inside(path, folder) for allowed, folder in self._places)


def parse_address(text: str) -> URL:
    """An address as the configuration names it. Raises `BadAddress`."""
    try:
        url = URL(text)
        port = url.port
    except ValueError:
        raise BadAddress("is no address such as https://billing.example.com") from None
    if port is None or url.scheme not in {"http", "https"} or not _HOST.fullmatch(url.raw_host or ""):
        raise BadAddress("is no address such as https://billing.example.com")
    if url.user is not None or url.password is not None:
        raise BadAddress("must not hold a password; name its file in `secrets`")
    if url.query_string or url.fragment or _climbs(url):
        raise BadAddress("is an address, perhaps with a path, and nothing behind it")
    if url.scheme == "http" and not _on_this_machine(url.raw_host or ""):
        raise BadAddress("must begin with https:// (http:// is for this machine alone)")
    return url


def _place(url: URL) -> tuple[tuple[str, str | None, int | None], str]:
    return (url.scheme, url.host, url.port), url.raw_path


def _inside(path: str, folder: str) -> bool:
    folder = folder.rstrip("/")
    return path == folder or path.startswith(f"{folder}/")


def _climbs(url: URL) -> bool:
    """Whether a server could read the path as another one."""
    raw = url.raw_path.lower().replace("%2e", ".")
    return "\\" in raw or "%5c" in raw or any(part in {".", ".."} for part in raw.replace("%2f", "/").split("/"))


def _on_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
