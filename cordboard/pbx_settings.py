"""What a private PBX is configured with, checked value by value.

Decides: which values may enter Asterisk's configuration at all. Every field is held to the characters that it needs:
in those files a line feed, a semicolon or a bracket is syntax, and in the dialplan so are `$`, `{`, `,` and `&`.
Refuses to know: what the files look like (`pbx_config`), and where the values come from. It has no default secret.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

CALLS_CSV = Path("log/cdr-custom/calls.csv")
"""Below a PBX's own folder: one line for each part of each call, written by the PBX itself (see cdr_custom.conf)."""

SOCKET_PATH_MAX = 107  # of a unix socket address on Linux; Asterisk truncates a longer one without a word
# Each of these hands a shell, a foreign program or the dialplan itself to whoever gets hold of AMI.
DANGEROUS_MODULES = frozenset(
    {
        "app_system",
        "app_externalivr",
        "app_forkcdr",
        "func_curl",
        "func_shell",
        "pbx_ael",
        "pbx_dundi",
        "pbx_lua",
        "pbx_realtime",
        "pbx_spool",
        "res_ari",
        "res_clioriginate",
        "res_phoneprov",
    }
)

_SHAPES = {
    "name": (re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,39}"), "a letter, then letters, digits, _ and -, 40 at most"),
    "talk code": (re.compile(r"\*[0-9]"), "a star and a digit"),
    "extension": (re.compile(r"[0-9][0-9A-Za-z]{1,19}"), "2 to 20 digits and letters, a digit first"),
    "number": (re.compile(r"\+?[0-9]{2,20}"), "2 to 20 digits, + allowed before them"),
    "secret": (re.compile(r"[A-Za-z0-9_.~+/=-]{12,80}"), "12 to 80 of A-Z a-z 0-9 _ . ~ + / = -"),
    "sip user": (re.compile(r"[A-Za-z0-9_.+-]{1,60}"), "letters, digits and _ . + -"),
    "host": (re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,252}[A-Za-z0-9])?"), "a host name or an IPv4 address"),
    "language": (re.compile(r"[a-z]{2,3}(_[A-Z]{2})?"), "a language code such as en or es_MX"),
    "module": (re.compile(r"[a-z][a-z0-9_]{2,60}"), "a module's name without .so"),
    "path": (re.compile(r"/[\w/.+@=~ -]*"), "an absolute path of letters, digits, spaces and _ / . + @ = ~ -"),
    "display name": (re.compile(r"[\w .,'()&@/+-]{1,80}"), "letters, digits, spaces and . , ' ( ) & @ / + - _"),
}


class PbxSettingsError(ValueError):
    """A value may not enter the PBX's configuration. The text names the field, never the value: it may be a secret."""


def _require(field: str, shape: str, value: str | Path) -> None:
    pattern, expected = _SHAPES[shape]
    if not pattern.fullmatch(str(value)):
        raise PbxSettingsError(f"{field}: must be {expected}")


def _require_port(field: str, port: int) -> None:
    if not 1 <= port <= 65535:
        raise PbxSettingsError(f"{field}: must be a port between 1 and 65535")


class PhoneConnection(StrEnum):
    """How an agent's phone reaches the PBX."""

    UDP = "udp"
    TLS = "tls"  # signalling over TLS, media over SRTP
    BROWSER = "browser"  # WebRTC over the HTTP server's WebSocket


@dataclass(frozen=True)
class AgentPhone:
    extension: str
    secret: str
    name: str
    connection: PhoneConnection = PhoneConnection.UDP
    language: str | None = None  # None: the site's first

    def __post_init__(self) -> None:
        _require("agent extension", "extension", self.extension)
        _require(f"agent {self.extension} secret", "secret", self.secret)
        _require(f"agent {self.extension} name", "display name", self.name)
        if self.language is not None:
            _require(f"agent {self.extension} language", "language", self.language)


@dataclass(frozen=True)
class Trunk:
    """One SIP provider that we register with."""

    host: str
    user: str
    secret: str
    port: int = 5060
    context: str = "cordboard-in"
    match: tuple[str, ...] = ()  # addresses and networks that calls come from, beside the host's own

    def __post_init__(self) -> None:
        _require("trunk host", "host", self.host)
        _require("trunk user", "sip user", self.user)
        _require("trunk secret", "secret", self.secret)
        _require("trunk context", "name", self.context)
        _require_port("trunk port", self.port)
        for network in self.match:
            try:
                ipaddress.ip_network(network)
            except ValueError as error:
                raise PbxSettingsError("trunk match: must be addresses or networks such as 192.0.2.0/24") from error


@dataclass(frozen=True)
class TlsFiles:
    certificate: Path
    key: Path

    def __post_init__(self) -> None:
        _require("tls certificate", "path", self.certificate)
        _require("tls key", "path", self.key)


@dataclass(frozen=True)
class MusicClass:
    name: str
    directory: Path

    def __post_init__(self) -> None:
        _require("music class name", "name", self.name)
        _require("music class directory", "path", self.directory)


@dataclass(frozen=True)
class PbxSettings:
    """Everything that the templates may use. A port that is None switches its listener off."""

    root: Path  # where install.py put Asterisk
    var: Path  # everything this PBX writes, its configuration included
    prompts: Path  # <prompts>/<language>/*.wav, 8 kHz
    voicemail: Path  # messages taken by the fallback
    ami_secret: str
    auditor_secret: str | None = None
    node: str = "cordboard"
    languages: tuple[str, ...] = ("en",)

    ami_user: str = "cordboard"
    ami_host: str = "127.0.0.1"
    ami_port: int = 5038
    ami_tls_port: int | None = None

    sip_host: str = "127.0.0.1"
    sip_port: int = 5060
    sip_tls_port: int | None = None
    external_address: str | None = None  # the public address, when the PBX is behind NAT
    local_networks: tuple[str, ...] = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8")
    rtp_first: int = 10000
    rtp_last: int = 12000

    http_host: str = "127.0.0.1"
    http_port: int | None = None
    https_port: int | None = None
    tls: TlsFiles | None = None

    agents: tuple[AgentPhone, ...] = ()
    trunk: Trunk | None = None
    demo_callers: bool = True
    music: tuple[MusicClass, ...] = ()  # `default` is added from the installed root when it is not here

    talk_codes: tuple[str, ...] = ()  # what agents press during a talk, not heard by the other side
    fallback_number: str | None = None
    dead_man_s: int = 45
    first_wait_s: int = 8
    max_calls: int | None = None
    extra_modules: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if all(music.name != "default" for music in self.music):
            shipped = MusicClass("default", self.root / "usr/share/asterisk/moh")
            object.__setattr__(self, "music", (shipped, *self.music))
        self._check_shapes()
        self._check_ports()
        self._check_sense()

    def _check_shapes(self) -> None:
        for field in ("root", "var", "prompts", "voicemail"):
            _require(field, "path", getattr(self, field))
        for field in ("node", "ami_user"):
            _require(field, "name", getattr(self, field))
        for field in ("ami_host", "sip_host", "http_host"):
            _require(field, "host", getattr(self, field))
        _require("ami_secret", "secret", self.ami_secret)
        if self.auditor_secret is not None:
            _require("auditor_secret", "secret", self.auditor_secret)
        if self.fallback_number is not None:
            _require("fallback_number", "number", self.fallback_number)
        if self.external_address is not None:
            _require("external_address", "host", self.external_address)
        for language in self.languages:
            _require("languages", "language", language)
        for code in self.talk_codes:
            _require("talk_codes", "talk code", code)
        for module in self.extra_modules:
            _require("extra_modules", "module", module)
        for network in self.local_networks:
            try:
                ipaddress.ip_network(network)
            except ValueError as error:
                raise PbxSettingsError("local_networks: must be networks such as 10.0.0.0/8") from error

    def _listeners(self) -> Iterator[tuple[str, int | None]]:
        for field in ("ami_port", "ami_tls_port", "http_port", "https_port", "sip_port", "sip_tls_port"):
            yield field, getattr(self, field)

    def _check_ports(self) -> None:
        for field, port in (*self._listeners(), ("rtp_first", self.rtp_first), ("rtp_last", self.rtp_last)):
            if port is not None:
                _require_port(field, port)
        tcp = [port for field, port in self._listeners() if port is not None and field != "sip_port"]
        if len(set(tcp)) != len(tcp):
            raise PbxSettingsError("ports: two listeners have the same one")
        if self.rtp_last - self.rtp_first < 3:
            raise PbxSettingsError("rtp_last: a call takes two ports, so the range must have at least four")
        if any((self.ami_tls_port, self.sip_tls_port, self.https_port)) and self.tls is None:
            raise PbxSettingsError("tls: a TLS port is configured, but no certificate and key")

    def _check_sense(self) -> None:
        if not self.languages:
            raise PbxSettingsError("languages: at least one is needed")
        if self.ami_user == "auditor":
            raise PbxSettingsError("ami_user: `auditor` is taken by the auditor")
        if refused := sorted(DANGEROUS_MODULES.intersection(self.extra_modules)):
            raise PbxSettingsError(f"extra_modules: refused, they reach beyond the PBX: {', '.join(refused)}")
        extensions = [agent.extension for agent in self.agents]
        if len(set(extensions)) != len(extensions):
            raise PbxSettingsError("agents: two have the same extension")
        connections = {agent.connection for agent in self.agents}
        if PhoneConnection.TLS in connections and self.sip_tls_port is None:
            raise PbxSettingsError("sip_tls_port: needed, an agent's phone connects by TLS")
        if PhoneConnection.BROWSER in connections and self.http_port is None:
            raise PbxSettingsError("http_port: needed, an agent's phone is a browser")
        if self.fallback_number is not None and self.trunk is None and self.fallback_number not in extensions:
            raise PbxSettingsError("fallback_number: needs a trunk, unless it is an agent's extension")
        if self.trunk and self.demo_callers and (self.trunk.host == "localhost" or self.trunk.host.startswith("127.")):
            raise PbxSettingsError(
                "trunk host: is this machine, so its calls would be demo callers; set demo_callers off"
            )
        if not 5 <= self.dead_man_s <= 3600 or not 1 <= self.first_wait_s <= 60:
            raise PbxSettingsError("dead_man_s: must be 5 to 3600, and first_wait_s 1 to 60")
        if len(str(self.run / "asterisk.ctl").encode()) > SOCKET_PATH_MAX:
            raise PbxSettingsError(
                f"var: too long, the control socket's path would have over {SOCKET_PATH_MAX} bytes; use a shorter one"
            )

    @property
    def etc(self) -> Path:
        return self.var / "etc"

    @property
    def run(self) -> Path:
        return self.var / "run"

    @property
    def log(self) -> Path:
        return self.var / "log"

    @property
    def lib(self) -> Path:
        return self.var / "lib"

    @property
    def spool(self) -> Path:
        return self.var / "spool"

    @property
    def data(self) -> Path:
        """Asterisk's own sounds, documentation and the like: read only."""
        return self.root / "usr/share/asterisk"

    @property
    def modules(self) -> Path:
        """The first that exists, since the folder is named after the processor."""
        found = sorted((self.root / "usr/lib").glob("*/asterisk/modules"))
        return found[0] if found else self.root / "usr/lib/asterisk/modules"

    @property
    def module_links(self) -> Path:
        """The folder that the PBX knows of: only what it may load is in it."""
        return self.var / "modules"

    @property
    def calls_csv(self) -> Path:
        return self.var / CALLS_CSV

    @property
    def browser_phones(self) -> bool:
        return any(agent.connection is PhoneConnection.BROWSER for agent in self.agents)

    @property
    def fallback_route(self) -> str:
        """The dial string of the fallback number: an agent's phone when it is one, else through the trunk."""
        local = any(agent.extension == self.fallback_number for agent in self.agents)
        return f"PJSIP/{self.fallback_number}" if local else f"PJSIP/{self.fallback_number}@trunk"
