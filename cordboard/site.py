"""What the configuration means for the PBX, for the link to it and for the distributor.

Decides only how one vocabulary becomes another; every default is elsewhere.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path

from acd.model import AgentSpec, QueueSpec, Rules
from acd.skills import Need, Relaxed, Requirement
from acd.strategies import Strategy
from cordboard.allowed import Allowed
from cordboard.comfort import ComfortPlan
from cordboard.config import Config
from cordboard.doors import Hours
from cordboard.features import FeatureCodes
from cordboard.lookups.allow_list import AllowList
from cordboard.lookups.breaker import Rules as BreakerRules
from cordboard.lookups.lookups import Limits
from cordboard.messages import FOLDER as MESSAGES
from cordboard.pbx_settings import CALLS_CSV, AgentPhone, MusicClass, PbxSettings, PhoneConnection, TlsFiles, Trunk
from cordboard.recording import RecordMode, RecordRule
from cordboard.recordings import FOLDER
from cordboard.secrets import Secrets, read_secret_file
from cordboard.talk_desk import NamedFlow, Site
from ivr.announcements import DEFAULT_LANGUAGE
from ivr.known import Reach
from ivr.opening import opening
from pbx.connection import SessionLimits
from pbx.link import LinkSettings

LAUNCHER = Path("bin/asterisk")
PBX_FOLDER = "pbx"
PROMPTS = Path("prompts")
VOICEMAIL = Path("voicemail")
LONGEST_WRAP_UP_S = 300


def queues_of(config: Config) -> Iterator[QueueSpec]:
    for name, queue in config.queues.items():
        yield QueueSpec(
            name,
            queue.ring_s,
            float(queue.wrap_up_s),
            queue.music,
            queue.max_wait_s,
            strategy=Strategy(queue.strategy),
            requirement=Requirement(
                _needs(queue.must),
                _needs(queue.nice),
                tuple(Relaxed(float(step.after_s), _needs(step.must)) for step in queue.relax),
            ),
            head_start_s=float(queue.head_start_s),
            max_waiting=queue.max_waiting,
            max_expected_wait_s=queue.max_expected_wait_s,
            leave_when_empty=queue.when_empty == "leave",
            wrap_up_max_s=float(queue.wrap_up_max_s or max(queue.wrap_up_s, LONGEST_WRAP_UP_S)),
            dispositions=queue.dispositions,
            disposition_required=queue.disposition_required,
        )


def agents_of(config: Config) -> Iterator[AgentSpec]:
    for number, agent in config.agents.items():
        yield AgentSpec(number, agent.name, number, tuple(agent.queues), agent.skills)


def record_rules_of(config: Config) -> dict[str, RecordRule]:
    return {name: RecordRule(RecordMode(queue.record), queue.record_share) for name, queue in config.queues.items()}


def hours_of(config: Config) -> dict[str, Hours]:
    """Of every queue that has hours. The configuration was checked."""
    return {
        name: Hours(opening(queue.hours), queue.hours.at_close == "leave")
        for name, queue in config.queues.items()
        if queue.hours is not None
    }


def skills_of(config: Config) -> dict[str, dict[str, int]]:
    """What every agent can do, by number."""
    return {number: dict(agent.skills) for number, agent in config.agents.items()}


def rules_of(config: Config) -> Rules:
    return Rules(max_misses=config.max_misses, not_ready_reasons=tuple(config.not_ready_reasons.values()))


def feature_codes_of(config: Config) -> FeatureCodes:
    return FeatureCodes(**config.feature_codes.model_dump(), reasons=config.not_ready_reasons)


def talk_site(config: Config, flows: Callable[[], Collection[NamedFlow]]) -> Site:
    """What callers may be sent to, and by whom talks may be supervised."""
    return Site(
        agents=config.agents.keys(),
        supervisors=frozenset(number for number, agent in config.agents.items() if agent.supervisor),
        queue_numbers={queue.number: name for name, queue in config.queues.items() if queue.number is not None},
        queues=config.queues.keys(),
        prefixes=tuple(config.transfers.prefixes),
        flows=flows,
        trunk=config.pbx.trunk is not None or not config.pbx.private,
    )


def allowed_of(config: Config) -> Allowed:
    """Whom a flow may send its callers to."""
    trunk = config.pbx.trunk is not None or not config.pbx.private
    return Allowed(config.agents.keys(), tuple(config.transfers.prefixes), trunk)


def comfort_of(config: Config) -> dict[str, ComfortPlan]:
    """What is said to those who wait, of every queue that says something."""
    return {
        name: ComfortPlan(
            float(said.every_s),
            float(said.first_s or said.every_s),
            tuple(said.messages),
            said.announce_position,
            said.announce_wait,
        )
        for name, queue in config.queues.items()
        if (said := queue.comfort) is not None
    }


def notices_of(config: Config) -> dict[str, dict[str, str]]:
    """What callers must hear before they wait, the site's first language first."""
    return {
        name: {language: queue.record_notice[language] for language in config.languages}
        for name, queue in config.queues.items()
        if queue.record != "never" and queue.record_notice
    }


def queue_texts(config: Config) -> dict[str, set[str]]:
    """All that can be said to those who wait, or are about to, by language."""
    texts = comfort_texts(config)
    for notice in notices_of(config).values():
        for language, text in notice.items():
            texts.setdefault(language, set()).add(text)
    return texts


def comfort_texts(config: Config) -> dict[str, set[str]]:
    """All that can be said to those who wait, by language."""
    texts: dict[str, set[str]] = {}
    for plan in comfort_of(config).values():
        for language, found in plan.texts({*config.languages, DEFAULT_LANGUAGE}).items():
            texts.setdefault(language, set()).update(found)
    return texts


def _needs(levels: Mapping[str, int]) -> tuple[Need, ...]:
    """In one order, so that queues which demand the same are seen to."""
    return tuple(Need(skill, level) for skill, level in sorted(levels.items()))


def calls_csv(config: Config) -> Path:
    """Where the private PBX writes down its calls."""
    return config.var_dir / PBX_FOLDER / CALLS_CSV


def pbx_settings(config: Config, secrets: Secrets) -> PbxSettings:
    """The private PBX of this site.

    Raises `PbxSettingsError` for a value that must not enter its configuration, `SecretsError` for a secret's file.
    """
    pbx, var = config.pbx, config.var_dir
    trunk = None
    if pbx.trunk is not None:
        secret = read_secret_file(config.root / pbx.trunk.secret_file)
        trunk = Trunk(pbx.trunk.host, pbx.trunk.user, secret, pbx.trunk.port, match=tuple(pbx.trunk.match))
    tls = None
    if pbx.tls is not None:
        tls = TlsFiles(config.root / pbx.tls.certificate, config.root / pbx.tls.key)
    return PbxSettings(
        root=var / "asterisk-root",
        var=var / PBX_FOLDER,
        prompts=config.recordings_dir / PROMPTS,
        voicemail=config.recordings_dir / VOICEMAIL,
        ami_secret=secrets.ami,
        auditor_secret=secrets.auditor,
        node=config.node,
        languages=tuple(config.languages),
        ami_user=pbx.ami.user,
        ami_host=pbx.ami.host,
        ami_port=pbx.ami.port,
        sip_host=pbx.sip.host,
        sip_port=pbx.sip.port,
        sip_tls_port=pbx.sip.tls_port,
        external_address=pbx.sip.external_address,
        rtp_first=pbx.rtp.first,
        rtp_last=pbx.rtp.last,
        http_host=pbx.http.host,
        http_port=pbx.http.port if pbx.http.enabled else None,
        https_port=pbx.http.tls_port if pbx.http.enabled else None,
        tls=tls,
        agents=tuple(
            AgentPhone(number, secrets.agents[number], agent.name, PhoneConnection(agent.phone), agent.language)
            for number, agent in config.agents.items()
        ),
        trunk=trunk,
        demo_callers=pbx.demo_callers,
        music=tuple(MusicClass(name, folder) for name, folder in _music(config)),
        talk_codes=tuple(config.talk_codes.model_dump().values()),
        fallback_number=pbx.fallback_number,
        dead_man_s=pbx.dead_man_s,
    )


def _music(config: Config) -> Iterator[tuple[str, Path]]:
    """Every class that a queue names beside `default` is a folder of its own under recordings/music."""
    for name in sorted({queue.music for queue in config.queues.values()} - {"default"}):
        yield name, config.recordings_dir / "music" / name


def link_settings(config: Config, secrets: Secrets) -> LinkSettings:
    ami, timers = config.pbx.ami, config.timers
    secret = secrets.ami if ami.secret_file is None else read_secret_file(config.root / ami.secret_file)
    return LinkSettings(
        host=ami.host,
        port=ami.port,
        user=ami.user,
        secret=secret,
        tls=ssl.create_default_context() if ami.tls else None,
        limits=SessionLimits(action=timers.action_s, ping_every=timers.ping_s),
        backoff_most=float(timers.reconnect_max_s),
        recordings=str(config.recordings_dir / FOLDER),
        messages=str(config.recordings_dir / MESSAGES),
    )


def allow_list_of(config: Config) -> AllowList:
    return AllowList(config.lookups.allow)


def reach_of(config: Config) -> Reach:
    """What dialplans may ask."""
    allowed = allow_list_of(config)
    return Reach(lambda url: allowed.url(url) is not None, config.secrets.keys())


def lookup_limits_of(config: Config) -> Limits:
    lookups = config.lookups
    rules = BreakerRules(lookups.failures, pause_s=float(lookups.pause_s))
    return Limits(float(lookups.longest_s), lookups.at_once, lookups.at_once_per_service, rules)


def service_secrets_of(config: Config) -> dict[str, str]:
    """What headers of services may hold. Raises `SecretsError`."""
    return {name: read_secret_file(config.root / file) for name, file in config.secrets.items()}
