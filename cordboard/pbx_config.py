"""The configuration of a private Asterisk, rendered from settings.

Decides: which files there are, which modules the PBX runs, which events the service hears, and how files are replaced.
Refuses to know: how Asterisk is started (`private_pbx`) and whether a value makes sense (`pbx_settings`).
The text of each file, and the reason for each of its quirks, is in its template.
"""

from __future__ import annotations

import os
import re
from functools import cache
from pathlib import Path

import jinja2

from cordboard.pbx_settings import (
    AgentPhone,
    MusicClass,
    PbxSettings,
    PbxSettingsError,
    PhoneConnection,
    TlsFiles,
    Trunk,
)

__all__ = [
    "AgentPhone",
    "MusicClass",
    "PbxSettings",
    "PbxSettingsError",
    "PhoneConnection",
    "TlsFiles",
    "Trunk",
    "render",
    "write",
]

TEMPLATES = Path(__file__).resolve().parent.parent / "asterisk" / "etc"

# All that a call needs, in dependency order by theme. Everything else of Asterisk stays on disk.
MODULES: tuple[str, ...] = (
    # SIP
    *("res_pjproject", "res_sorcery_config", "res_sorcery_memory", "res_sorcery_astdb", "res_pjsip"),
    *("res_pjsip_session", "res_pjsip_pubsub", "res_pjsip_sdp_rtp", "res_pjsip_acl", "res_pjsip_authenticator_digest"),
    *("res_pjsip_outbound_authenticator_digest", "res_pjsip_outbound_registration", "res_pjsip_registrar"),
    *("res_pjsip_endpoint_identifier_ip", "res_pjsip_endpoint_identifier_user", "res_pjsip_caller_id"),
    *("res_pjsip_dlg_options", "res_pjsip_dtmf_info", "res_pjsip_nat", "res_pjsip_path", "res_pjsip_rfc3326"),
    *("res_pjsip_sips_contact", "res_http_websocket", "res_pjsip_transport_websocket", "chan_pjsip"),
    # media
    *("res_timing_timerfd", "res_rtp_asterisk", "res_srtp", "bridge_simple", "bridge_native_rtp"),
    *("bridge_builtin_features", "bridge_softmix", "codec_ulaw", "codec_alaw", "codec_a_mu", "codec_resample"),
    *("format_pcm", "format_sln", "format_wav", "res_musiconhold"),
    # the service's hands: async AGI, sounds that can be stopped, an event for an answered leg, the phones' states
    *("res_speech", "res_agi", "app_controlplayback", "app_userevent", "res_manager_devicestate"),
    # the dialplan
    *("pbx_config", "app_dial", "app_playback", "app_record", "app_mixmonitor", "app_stack"),
    *("app_confbridge", "app_chanspy"),
    *("func_callerid", "func_cdr", "func_channel", "func_env", "func_logic", "func_strings", "func_timeout"),
    *("res_cdrel_custom", "cdr_custom"),
)

EVENTS: tuple[str, ...] = (
    *("AsyncAGIStart", "AsyncAGIExec", "AsyncAGIEnd", "DTMFEnd", "Newstate", "Hangup", "OriginateResponse"),
    *("BridgeEnter", "BridgeLeave", "UserEvent", "DeviceStateChange", "Hold", "Unhold", "FullyBooted", "Shutdown"),
)

# Asterisk's core reads these whether or not there is anything to say, and logs an error for each that is missing.
EMPTY: tuple[str, ...] = (*("acl.conf", "ccss.conf", "cel.conf", "pjproject.conf", "stasis.conf", "udptl.conf"),)

_SYNTAX = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029;\[\]<>{}$\"\\|`]")


def _refuse_syntax(value: object) -> object:
    """The second lock, behind the settings' own checks: nothing that is syntax gets into a file."""
    if isinstance(value, jinja2.Undefined):
        return value  # StrictUndefined raises by itself, and says which name is missing
    if _SYNTAX.search(str(value)):
        raise PbxSettingsError("a value for the PBX's configuration has a character that is syntax there")
    return value


@cache
def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        undefined=jinja2.StrictUndefined,
        finalize=_refuse_syntax,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )


def render(settings: PbxSettings) -> dict[str, str]:
    """Every configuration file by name."""
    environment = _environment()
    names = sorted(name for name in environment.list_templates() if name.endswith(".conf.j2"))
    files = dict.fromkeys(EMPTY, "; Nothing to configure; the defaults are right.\n")
    return files | {
        name.removesuffix(".j2"): environment.get_template(name).render(s=settings, modules=MODULES, events=EVENTS)
        for name in names
    }


def write(settings: PbxSettings, directory: Path | None = None) -> list[str]:
    """Bring the files in `directory` (the settings' own by default) up to date; the names of those that changed.

    The files hold secrets: only their owner reads them. A PBX that reloads meanwhile sees an old file or a new one.
    """
    target = directory or settings.etc
    folders = (
        settings.var,
        target,
        settings.run,
        settings.log,
        settings.lib,
        settings.spool,
        settings.calls_csv.parent,
    )
    for folder in (*folders, settings.voicemail):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    changed = []
    for name, text in render(settings).items():
        path = target / name
        if path.is_file() and path.read_text(encoding="utf-8") == text:
            continue
        temporary = target / f".{name}.new"
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
        temporary.replace(path)
        changed.append(name)
    _link_modules(settings)
    return changed


def _link_modules(settings: PbxSettings) -> None:
    folder = settings.module_links
    folder.mkdir(mode=0o700, exist_ok=True)
    wanted = {f"{module}.so": settings.modules / f"{module}.so" for module in (*MODULES, *settings.extra_modules)}
    for link in folder.iterdir():
        if not link.is_symlink() or wanted.get(link.name) != link.readlink():
            link.unlink()
    for name, module in wanted.items():
        if not (folder / name).is_symlink():
            (folder / name).symlink_to(module)
