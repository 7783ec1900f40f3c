"""The configuration: one YAML file, read strictly, refused whole with every error at file:line:column.

Decides what can be configured and its defaults. It refuses to know what the values are used for, and it holds no
secret: those are generated (`secrets`) or, for a PBX of your own, named by file.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, StringConstraints

from ivr.node import FILE_PATTERN, MAX_INCLUDES, worded
from ivr.opening import Hours as OpeningHours
from ivr.opening import TimeZone

Host = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.:\-]+$", max_length=253)]
Port = Annotated[int, Field(ge=1, le=65535)]
Number = Annotated[str, StringConstraints(pattern=r"^\+?[0-9*#]{1,32}$")]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,39}$")]
AgentNumber = Annotated[str, StringConstraints(pattern=r"^[0-9]{2,10}$")]
Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}$")]
Code = Annotated[str, StringConstraints(pattern=r"^\*[0-9]{1,6}$")]
Digit = Annotated[str, StringConstraints(pattern=r"^[0-9]$")]
TalkCode = Annotated[str, StringConstraints(pattern=r"^\*[0-9]$")]
Region = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
SecretKey = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9_]{0,39}$")]
Prefix = Annotated[str, StringConstraints(pattern=r"^\+?[0-9]{1,31}$")]
Text = Annotated[str, StringConstraints(min_length=1, max_length=80, pattern=r"^[^\x00-\x1f\x7f]+$")]
Spoken = Annotated[
    str, StringConstraints(min_length=1, max_length=1000, pattern=r"^[^\x00-\x1f\x7f]*\w[^\x00-\x1f\x7f]*$")
]
Seconds = Annotated[int, Field(ge=1, le=86_400)]
Level = Annotated[int, Field(ge=1, le=5)]
Skills = dict[Name, Level]

if TYPE_CHECKING:
    FileName = str
else:
    FileName = worded(FILE_PATTERN, "a file in the folder of the configuration such as queues.yaml")


class Section(BaseModel):
    """Unknown keys are refused, nothing is coerced, nothing changes after the load."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Address(Section):
    host: Host = "127.0.0.1"
    port: Port


class SipAddress(Address):
    port: Port = 5060
    tls_port: Port | None = Field(None, description="SIP over TLS, sound over SRTP; needs `pbx.tls`")
    external_address: Host | None = Field(None, description="the public address, when the PBX is behind NAT")


class RtpRange(Section):
    first: Annotated[int, Field(ge=1024, le=65534)] = 10_000
    last: Annotated[int, Field(ge=1025, le=65535)] = 10_999


class AmiAddress(Address):
    port: Port = 5038
    user: Name = "cordboard"
    tls: bool = False
    secret_file: Path | None = Field(None, description="for a PBX of your own: the file that holds the AMI secret")


class HttpSwitch(Section):
    """The PBX's own HTTP server: it carries WebSocket SIP for browser phones."""

    enabled: bool = False
    host: Host = "127.0.0.1"
    port: Port = 8088
    tls_port: Port | None = Field(None, description="the same over TLS; needs `pbx.tls`")


class TlsFiles(Section):
    certificate: Path
    key: Path


class Trunk(Section):
    """The SIP provider that brings public calls."""

    host: Host
    port: Port = 5060
    user: Text
    secret_file: Path = Field(description="the file that holds the trunk's secret, readable only by us")
    match: list[Text] = Field(
        default_factory=list, description="addresses or networks that calls may come from, beside the host's own"
    )


class Pbx(Section):
    private: bool = Field(True, description="true: Cordboard runs its own Asterisk; false: it drives yours")
    sip: SipAddress = SipAddress()
    rtp: RtpRange = RtpRange()
    ami: AmiAddress = AmiAddress()
    http: HttpSwitch = HttpSwitch()
    tls: TlsFiles | None = Field(None, description="the PBX's certificate")
    trunk: Trunk | None = None
    demo_callers: bool = Field(True, description="let anyone on this machine's loopback call in as a customer")
    fallback_number: Number | None = Field(None, description="where callers go while the service is away")
    dead_man_s: Annotated[int, Field(ge=5, le=3600)] = 45


class Web(Section):
    host: Host = "127.0.0.1"
    port: Port = 8080
    allowed_hosts: list[Host] = Field(default_factory=list, description="names, beside loopback, that browsers may use")


class Database(Section):
    url: Annotated[str, StringConstraints(pattern=r"^(sqlite\+aiosqlite|postgresql\+asyncpg)://")] | None = Field(
        None, description="default: cordboard.db in the var folder"
    )
    routing_log_days: Annotated[int, Field(ge=1, le=3650)] = Field(
        30, description="for how long it can be explained why a call went where it did"
    )


class Relaxed(Section):
    """From `after_s` on a waiting caller must have only this."""

    after_s: Seconds
    must: Skills = Field(default_factory=dict)


class Hours(OpeningHours):
    """When a queue is open. `days` come before holidays, and those before the weekly hours."""

    model_config = Section.model_config

    at_close: Literal["serve", "leave"] = Field("serve", description="whoever waits then")


class Comfort(Section):
    """What waiting callers hear between the music."""

    every_s: Annotated[int, Field(ge=5, le=3600)] = 60
    first_s: Annotated[int, Field(ge=1, le=3600)] | None = Field(None, description="`every_s` when absent")
    messages: list[Annotated[dict[Language, Spoken], Field(min_length=1)]] = Field(
        default_factory=list, description="one after another, each in every language of the site"
    )
    announce_position: bool = False
    announce_wait: bool = False


class Queue(Section):
    number: AgentNumber | None = Field(None, description="what agents dial to send a caller here")
    ring_s: Annotated[int, Field(ge=3, le=120)] = 15
    wrap_up_s: Annotated[int, Field(ge=0, le=3600)] = 5
    wrap_up_max_s: Annotated[int, Field(ge=1, le=7200)] | None = Field(
        None, description="the longest wrap-up, extensions included; default: 300, or wrap_up_s if that is more"
    )
    dispositions: dict[Digit, Name] = Field(default_factory=dict, description="what a talk led to, by digit")
    disposition_required: bool = Field(False, description="the wrap-up lasts until one is given")
    music: Name = "default"
    max_wait_s: Seconds | None = Field(None, description="then the caller goes on with the flow's `otherwise`")
    max_expected_wait_s: Seconds | None = Field(
        None, description="nobody joins who has to expect a longer wait, unless an agent is free for them"
    )
    max_waiting: Annotated[int, Field(ge=0, le=100_000)] | None = Field(
        None, description="nobody joins behind so many, unless an agent is free for them"
    )
    when_empty: Literal["wait", "leave"] = Field("wait", description="while none of its agents is logged in")
    strategy: Literal[
        "longest_idle", "round_robin", "fewest_calls", "least_occupied", "most_skilled", "least_skilled", "ring_all"
    ] = Field("longest_idle", description="which free agent comes first, or all of them at once")
    warn_wait_s: Seconds = Field(60, description="a wait that the wallboard warns of")
    alarm_wait_s: Seconds = Field(180, description="a wait that it raises an alarm for")
    head_start_s: Annotated[int, Field(ge=0, le=86_400)] = Field(
        0, description="its callers count as having waited so much longer than those of other queues"
    )
    must: Skills = Field(default_factory=dict, description="skill to the level that an agent needs")
    nice: Skills = Field(default_factory=dict, description="agents who have more of these come first")
    relax: list[Relaxed] = Field(default_factory=list, description="what is needed after some waiting")
    comfort: Comfort | None = Field(None, description="only music when absent")
    hours: Hours | None = Field(None, description="always open when absent")
    record: Literal["never", "always", "on_demand"] = Field("never", description="whether talks are recorded")
    record_share: Annotated[float, Field(gt=0, le=1)] = Field(1.0, description="of those that `always` are")
    record_notice: dict[Language, Spoken] = Field(
        default_factory=dict, description="language to what callers hear before they wait"
    )
    record_silently: bool = Field(False, description="no notice: the flow tells callers, or nobody must")


class Agent(Section):
    name: Text
    supervisor: bool = Field(False, description="may listen to others' talks, whisper, barge in and take over")
    queues: list[Name] = Field(min_length=1)
    skills: Skills = Field(default_factory=dict, description="skill to proficiency, 1 to 5")
    language: Language | None = None
    phone: Literal["udp", "tls", "browser"] = Field("udp", description="how the phone connects")


class FeatureCodes(Section):
    login: Code = "*45"
    logout: Code = "*46"
    pause: Code = "*47"
    ready: Code = "*48"
    wrap_up: Code = Field("*49", description="extends the wrap-up")
    disposition: Code = Field("*50", description="and a digit: what the talk led to")


class Figures(Section):
    service_level_s: Seconds = Field(20, description="who is answered within so many seconds is answered in time")
    short_abandon_s: Seconds = Field(5, description="who hangs up sooner is a short abandon")


class TalkCodes(Section):
    """What an agent presses during a talk. A destination follows where one is needed, and # ends it."""

    hold: TalkCode = Field("*1", description="put the caller on hold, and take them back")
    consult: TalkCode = Field("*2", description="then an agent or a number, and #")
    complete: TalkCode = Field("*3", description="after consulting: caller and the other one talk, you are out")
    cancel: TalkCode = Field("*4", description="back to the caller, the other one is hung up")
    conference: TalkCode = Field("*5", description="all three talk")
    transfer: TalkCode = Field("*6", description="then an agent, a queue's number or a number, and #")
    requeue: TalkCode = Field("*7", description="the caller goes back to their queue, at the old place")
    record: TalkCode = Field("*8", description="start recording, pause, go on")


class Transfers(Section):
    """Where callers may be sent, beside agents, queues and flows. Nothing is dialled that no prefix allows."""

    prefixes: list[Prefix] = Field(default_factory=list, description="numbers that begin so may be dialled")
    ring_s: Annotated[int, Field(ge=5, le=120)] = Field(30, description="how long a number may ring")


class Lookups(Section):
    """Other systems that flows may ask over HTTP. Nothing is asked that is not allowed here."""

    allow: list[Annotated[str, StringConstraints(min_length=1, max_length=200)]] = Field(
        default_factory=list, description="addresses, as https://billing.example.com/api"
    )
    longest_s: Annotated[int, Field(ge=1, le=60)] = Field(20, description="all tries of one request together")
    at_once: Annotated[int, Field(ge=1, le=1000)] = Field(64, description="requests under way")
    at_once_per_service: Annotated[int, Field(ge=1, le=1000)] = 16
    failures: Annotated[int, Field(ge=1, le=100)] = Field(
        5, description="so many in a row, and the service is left alone for `pause_s`"
    )
    pause_s: Seconds = Field(15, description="then one request tries it again")


class Timers(Section):
    look_s: Seconds = Field(2, description="how often belief and PBX are compared")
    ping_s: Seconds = Field(5, description="how often the PBX is asked for a sign of life")
    action_s: Seconds = Field(5, description="how long the PBX may take to answer an order")
    reconnect_max_s: Seconds = 15
    unattended_s: Seconds = Field(30, description="how long after its end a call that nobody saw is put on record")
    drain_s: Seconds = Field(10, description="how long a stop waits for what is under way")


class Logs(Section):
    level: Literal["debug", "info", "warning", "error"] = "info"
    file: Path | None = Field(None, description="JSON lines; standard error when absent")
    personal_data: bool = Field(False, description="keep fields marked as personal in the log")


class Config(Section):
    """The whole file."""

    company: Text
    include: Annotated[list[FileName], Field(max_length=MAX_INCLUDES)] = Field(
        default_factory=list, description="files beside this one whose `queues` and `agents` are taken in"
    )
    languages: list[Language] = Field(default_factory=lambda: ["en"], min_length=1, description="the first is default")
    node: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]{1,32}$")] = Field(
        "cordboard", description="the PBX's system name: makes call ids unique across machines"
    )
    var: Path = Path("var")
    pbx: Pbx = Pbx()
    web: Web = Web()
    database: Database = Database()
    dialplans: Path = Path("dialplans")
    dialplans_at_start: Literal["folder", "published"] = Field(
        "folder", description="what is served when the folder was changed since it was published"
    )
    dialplans_keep: Annotated[int, Field(ge=2, le=100_000)] | None = Field(
        None, description="so many versions of the dialplans are kept; null: all"
    )
    recordings: Path = Path("recordings")
    recordings_days: Annotated[int, Field(ge=1, le=36_500)] | None = Field(
        None, description="recordings of talks, and messages, are deleted after so many days; null: never"
    )
    recordings_min_free_mb: Annotated[int, Field(ge=0, le=1_000_000)] = Field(
        500, description="with less disk than this nothing is recorded"
    )
    voices: dict[Language, Text] = Field(default_factory=dict, description="language to the name of a voice")
    queues: dict[Name, Queue]
    agents: dict[AgentNumber, Agent] = Field(default_factory=dict)
    not_ready_reasons: dict[Digit, Name] = Field(
        default_factory=dict, description="why an agent may be not ready, by digit; none: whatever they say"
    )
    max_misses: Annotated[int, Field(ge=1, le=100)] = Field(
        3, description="calls missed in a row until an agent is taken for absent"
    )
    feature_codes: FeatureCodes = FeatureCodes()
    time_zone: TimeZone = Field("UTC", description="where days and hours begin, as `Europe/Madrid`")
    region: Region | None = Field(None, description="the country in which numbers without + are meant, as US")
    figures: Figures = Figures()
    talk_codes: TalkCodes = TalkCodes()
    transfers: Transfers = Transfers()
    lookups: Lookups = Lookups()
    secrets: dict[SecretKey, Path] = Field(
        default_factory=dict,
        description="name to a file, readable only by us, whose secret headers of services may use",
    )
    timers: Timers = Timers()
    logs: Logs = Logs()

    _root: Path = PrivateAttr(default_factory=Path.cwd)
    _var_override: Path | None = PrivateAttr(default=None)

    def placed(self, root: Path, var_override: Path | None = None) -> Config:
        """The same configuration, its relative paths taken from `root`."""
        copy = self.model_copy()
        copy._root = root
        copy._var_override = var_override
        return copy

    @property
    def root(self) -> Path:
        return self._root

    @property
    def var_dir(self) -> Path:
        return (self._var_override or self._root / self.var).absolute()

    @property
    def log_file(self) -> Path | None:
        return self._root / self.logs.file if self.logs.file is not None else None

    @property
    def dialplans_dir(self) -> Path:
        return (self._root / self.dialplans).absolute()

    @property
    def recordings_dir(self) -> Path:
        return (self._root / self.recordings).absolute()

    @property
    def database_url(self) -> str:
        """As configured; a relative SQLite file stands beside the configuration, the default one in the var folder."""
        if self.database.url is None:
            return f"sqlite+aiosqlite:///{self.var_dir / 'cordboard.db'}"
        relative = re.fullmatch(r"sqlite\+aiosqlite:///([^/:?][^?]*)(\?.*)?", self.database.url)
        if relative is None:
            return self.database.url
        return f"sqlite+aiosqlite:///{(self._root / relative[1]).absolute()}{relative[2] or ''}"


def config_schema() -> dict[str, Any]:
    """The JSON Schema of the file, for editors."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **Config.model_json_schema()}
