"""What may and may not get into Asterisk's configuration."""

from __future__ import annotations

import configparser
import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from cordboard.pbx_config import EVENTS, MODULES, render, write
from cordboard.pbx_settings import (
    DANGEROUS_MODULES,
    AgentPhone,
    MusicClass,
    PbxSettings,
    PbxSettingsError,
    PhoneConnection,
    TlsFiles,
    Trunk,
)

SECRET = "only-for-tests-0123"
ADA = AgentPhone("1001", "ada-secret-0123456", "Ada Okafor")
TRUNK = Trunk("sip.example.net", "acme-42", "trunk-secret-0123")
TLS = TlsFiles(Path("/etc/cordboard/cert.pem"), Path("/etc/cordboard/key.pem"))


def settings(**changes: object) -> PbxSettings:
    base = PbxSettings(
        root=Path("/srv/cordboard/asterisk-root"),
        var=Path("/srv/cordboard/pbx"),
        prompts=Path("/srv/cordboard/prompts"),
        voicemail=Path("/srv/cordboard/voicemail"),
        ami_secret=SECRET,
        agents=(ADA,),
    )
    return replace(base, **changes)  # type: ignore[arg-type]


def sections(text: str, name: str) -> list[dict[str, str]]:
    """The sections called `name` in an Asterisk file, in which names repeat."""
    found = []
    for chunk in ("\n" + text).split("\n[")[1:]:
        title, _, body = chunk.partition("]")
        if title == name:
            parser = configparser.ConfigParser(interpolation=None, comment_prefixes=(";",), strict=False)
            parser.read_string(f"[x]{body}")
            found.append(dict(parser["x"]))
    return found


def of_type(text: str, name: str, kind: str) -> dict[str, str]:
    return next(section for section in sections(text, name) if section["type"] == kind)


@pytest.mark.parametrize(
    "bad", ["x\ny", "x\ry", "x;y", "x]y", "x[y", "x\0y", "x\x1by", "x\u2028y", "x${y}", "x`y", 'x"y']
)
@pytest.mark.parametrize(
    "build",
    [
        lambda v: settings(ami_secret=SECRET + v),
        lambda v: settings(auditor_secret=SECRET + v),
        lambda v: settings(ami_user="a" + v),
        lambda v: settings(node="a" + v),
        lambda v: settings(ami_host="a" + v),
        lambda v: settings(sip_host="a" + v),
        lambda v: settings(prompts=Path("/p" + v)),
        lambda v: settings(voicemail=Path("/p" + v)),
        lambda v: settings(var=Path("/p" + v)),
        lambda v: settings(languages=("en" + v,)),
        lambda v: settings(fallback_number="10" + v),
        lambda v: settings(extra_modules=("app_queue" + v,)),
        lambda v: settings(local_networks=("10.0.0.0/8" + v,)),
        lambda v: AgentPhone("10" + v, SECRET, "Ada"),
        lambda v: AgentPhone("1001", SECRET + v, "Ada"),
        lambda v: AgentPhone("1001", SECRET, "Ada" + v),
        lambda v: Trunk("host" + v, "user", SECRET),
        lambda v: Trunk("host", "user" + v, SECRET),
        lambda v: Trunk("host", "user", SECRET + v),
        lambda v: Trunk("host", "user", SECRET, context="in" + v),
        lambda v: MusicClass("jazz" + v, Path("/m")),
        lambda v: MusicClass("jazz", Path("/m" + v)),
        lambda v: TlsFiles(Path("/c" + v), Path("/k")),
    ],
)
def test_syntax_in_a_value_is_refused(build: Callable[[str], object], bad: str) -> None:
    with pytest.raises(PbxSettingsError) as refusal:
        build(bad)
    assert bad not in str(refusal.value)


def test_a_value_that_slipped_past_the_settings_is_refused_by_the_renderer() -> None:
    forged = settings()
    object.__setattr__(forged, "ami_secret", "x\n[admin]\nsecret=")
    with pytest.raises(PbxSettingsError):
        render(forged)


def test_there_is_no_default_secret() -> None:
    paths = {name: Path("/x") for name in ("root", "var", "prompts", "voicemail")}
    with pytest.raises(TypeError):
        PbxSettings(**paths)  # type: ignore[arg-type]
    with pytest.raises(PbxSettingsError, match="ami_secret"):
        PbxSettings(**paths, ami_secret="short")  # type: ignore[arg-type]
    assert "[auditor]" not in render(settings())["manager.conf"]


def test_dangerous_things_are_off() -> None:
    files = render(settings())
    assert "live_dangerously = no" in files["asterisk.conf"]
    assert "autoload = no" in files["modules.conf"]
    assert not DANGEROUS_MODULES.intersection(MODULES)
    assert "res_pjsip_endpoint_identifier_anonymous" not in files["modules.conf"]
    for module in DANGEROUS_MODULES:
        with pytest.raises(PbxSettingsError, match=module):
            settings(extra_modules=(module,))


def test_a_benchmark_can_ask_for_a_harmless_module() -> None:
    assert "load = app_queue.so" in render(settings(extra_modules=("app_queue",)))["modules.conf"]


def test_the_service_may_neither_configure_nor_stop_the_pbx() -> None:
    (service,) = sections(render(settings())["manager.conf"], "cordboard")
    assert not {"command", "config", "all"}.intersection(service["write"].split(","))
    assert service["permit"] == "127.0.0.1/255.255.255.255,::1/128"
    assert int(service["writetimeout"]) >= 5000


def test_events_are_an_allow_list() -> None:
    text = render(settings())["manager.conf"]
    filters = [line for line in text.splitlines() if line.startswith("eventfilter")]
    assert filters == [f"eventfilter(action(include),name({event})) =" for event in EVENTS]


def test_the_auditor_can_touch_nothing() -> None:
    (auditor,) = sections(render(settings(auditor_secret=SECRET))["manager.conf"], "auditor")
    assert auditor["write"] == "reporting"


def test_nobody_is_anonymous() -> None:
    text = render(settings())["pjsip.conf"]
    assert "[anonymous]" not in text
    assert of_type(text, "global", "global")["endpoint_identifier_order"] == "username,ip"


def test_demo_callers_come_from_this_machine_and_only_get_in() -> None:
    text = render(settings())["pjsip.conf"]
    demo = of_type(text, "demo-caller", "endpoint")
    assert demo["context"] == "cordboard-in"
    assert demo["identify_by"] == "ip"
    assert demo["permit"] == of_type(text, "demo-caller", "identify")["match"] == "127.0.0.0/8"
    assert "demo-caller" not in render(settings(demo_callers=False))["pjsip.conf"]


def test_nothing_dials_out_unless_a_fallback_number_says_so() -> None:
    assert "Dial(" not in render(settings(trunk=TRUNK))["extensions.conf"]
    with_number = render(settings(trunk=TRUNK, fallback_number="+34910000000"))["extensions.conf"]
    assert with_number.count("Dial(") == 1
    assert "Dial(PJSIP/+34910000000@trunk,45)" in with_number
    assert "Dial(PJSIP/1001,45)" in render(settings(fallback_number="1001"))["extensions.conf"]
    with pytest.raises(PbxSettingsError, match="fallback_number"):
        settings(fallback_number="5551234")


def test_every_agent_has_one_phone_with_its_own_secret() -> None:
    text = render(settings())["pjsip.conf"]
    endpoint = of_type(text, "1001", "endpoint")
    assert endpoint["context"] == "cordboard-agents"
    assert endpoint["direct_media"] == "no"
    assert of_type(text, "1001", "auth")["password"] == ADA.secret
    assert of_type(text, "1001", "aor")["max_contacts"] == "1"
    with pytest.raises(PbxSettingsError, match="agents"):
        settings(agents=(ADA, ADA))


def test_a_trunk_is_there_only_when_configured() -> None:
    assert sections(render(settings())["pjsip.conf"], "trunk") == []
    text = render(settings(trunk=TRUNK))["pjsip.conf"]
    assert of_type(text, "trunk", "registration")["client_uri"] == "sip:acme-42@sip.example.net:5060"
    assert of_type(text, "trunk", "endpoint")["identify_by"] == "ip"
    assert of_type(text, "trunk", "identify")["match"] == "sip.example.net"
    with pytest.raises(PbxSettingsError, match="demo"):
        settings(trunk=Trunk("127.0.0.1", "u", SECRET))


def test_tls_and_browser_phones_can_be_switched_on() -> None:
    plain = render(settings())
    assert sections(plain["pjsip.conf"], "tls") == sections(plain["pjsip.conf"], "wss") == []
    assert sections(plain["http.conf"], "general")[0]["enabled"] == "no"
    phones = (
        AgentPhone("1001", SECRET, "Desk", PhoneConnection.TLS),
        AgentPhone("1002", SECRET, "Browser", PhoneConnection.BROWSER),
    )
    full = settings(agents=phones, tls=TLS, sip_tls_port=5061, http_port=8088, https_port=8089, ami_tls_port=5039)
    files = render(full)
    pjsip = files["pjsip.conf"]
    assert of_type(pjsip, "tls", "transport")["cert_file"] == str(TLS.certificate)
    assert of_type(pjsip, "ws", "transport")["protocol"] == "ws"
    assert of_type(pjsip, "wss", "transport")["protocol"] == "wss"
    assert of_type(pjsip, "1001", "endpoint")["media_encryption"] == "sdes"
    assert of_type(pjsip, "1002", "endpoint")["webrtc"] == "yes"
    assert "tlsenable = yes" in files["http.conf"]
    assert "tlsbindaddr = 127.0.0.1:5039" in files["manager.conf"]
    assert "icesupport = yes" in files["rtp.conf"]


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"sip_tls_port": 5061}, "tls"),
        ({"http_port": 5038}, "ports"),
        ({"sip_port": 0}, "sip_port"),
        ({"rtp_first": 10000, "rtp_last": 10001}, "rtp_last"),
        ({"languages": ()}, "languages"),
        ({"ami_user": "auditor"}, "ami_user"),
        ({"dead_man_s": 0}, "dead_man_s"),
        ({"var": Path("/" + "long/" * 30)}, "var"),
        ({"agents": (AgentPhone("1001", SECRET, "A", PhoneConnection.TLS),)}, "sip_tls_port"),
        ({"agents": (AgentPhone("1001", SECRET, "A", PhoneConnection.BROWSER),)}, "http_port"),
    ],
)
def test_settings_that_make_no_sense_are_refused(changes: dict[str, object], complaint: str) -> None:
    with pytest.raises(PbxSettingsError, match=complaint):
        settings(**changes)


def test_the_dead_mans_switch_takes_its_times_from_the_settings() -> None:
    text = render(settings(dead_man_s=33, first_wait_s=7))["extensions.conf"]
    assert text.count("Set(TIMEOUT(absolute)=33)") == 6  # two doors of two patterns each, hold, and the way back
    assert "Set(TIMEOUT(absolute)=7)" in text


def test_music_of_our_own_stands_beside_or_instead_of_the_shipped_one() -> None:
    jazz = MusicClass("jazz", Path("/srv/jazz"))
    assert [music.name for music in settings(music=(jazz,)).music] == ["default", "jazz"]
    mine = MusicClass("default", Path("/srv/mine"))
    assert settings(music=(mine,)).music == (mine,)


def test_only_modules_on_the_list_are_there_to_be_loaded(tmp_path: Path) -> None:
    base = settings(var=tmp_path / "pbx", voicemail=tmp_path / "voicemail")
    write(replace(base, extra_modules=("app_queue",)))
    (base.module_links / "app_system.so").symlink_to(base.modules / "app_system.so")
    (base.module_links / "chan_pjsip.so").unlink()
    (base.module_links / "chan_pjsip.so").symlink_to("/elsewhere/chan_pjsip.so")
    write(base)
    links = {link.name: link.readlink() for link in base.module_links.iterdir()}
    assert links == {f"{module}.so": base.modules / f"{module}.so" for module in MODULES}
    assert f"astmoddir => {base.module_links}" in render(base)["asterisk.conf"]


def test_files_are_private_and_only_written_when_they_change(tmp_path: Path) -> None:
    base = settings(var=tmp_path / "pbx", voicemail=tmp_path / "voicemail")
    assert set(write(base)) == set(render(base))
    assert write(base) == []
    assert write(replace(base, dead_man_s=30)) == ["extensions.conf"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in base.etc.iterdir()} == {0o600}
    folders = [base.var, base.etc, base.run, base.log, base.lib, base.spool, base.voicemail, base.calls_csv.parent]
    assert {stat.S_IMODE(folder.stat().st_mode) for folder in folders} == {0o700}
