"""What the configuration says reaches the PBX's files: every switch that can be set has an effect."""

from __future__ import annotations

from pathlib import Path

import pytest

from cordboard.config_loader import ConfigRefused, parse_config
from cordboard.pbx_config import render
from cordboard.secrets import Secrets
from cordboard.site import agents_of, pbx_settings, queues_of

BASE = """company: A
languages: [en, es]
queues: {sales: {max_wait_s: 90}}
agents:
  1001: {name: Ana, queues: [sales]}
  1002: {name: Ben, queues: [sales], phone: %s, language: es}
"""
SECRETS = Secrets(ami="a" * 40, api_token="t", auditor="b" * 40, agents={"1001": "c" * 20, "1002": "d" * 20})


def files(text: str, folder: Path) -> dict[str, str]:
    return render(pbx_settings(parse_config(text).placed(folder), SECRETS))


def test_tls_phone_and_external_address(tmp_path: Path) -> None:
    text = BASE % "tls" + (
        "pbx:\n  sip: {tls_port: 5061, external_address: pbx.example.net}\n"
        "  tls: {certificate: tls/pbx.crt, key: tls/pbx.key}\n"
    )
    pjsip = files(text, tmp_path)["pjsip.conf"]
    assert "media_encryption = sdes" in pjsip
    assert f"cert_file = {tmp_path}/tls/pbx.crt" in pjsip
    assert "external_media_address = pbx.example.net" in pjsip
    assert pjsip.count("language = es") == 1


def test_browser_phone(tmp_path: Path) -> None:
    made = files(BASE % "browser" + "pbx: {http: {enabled: true, port: 8099}}\n", tmp_path)
    assert "webrtc = yes" in made["pjsip.conf"]
    assert "8099" in made["http.conf"]


def test_trunk_and_where_its_calls_come_from(tmp_path: Path) -> None:
    secret = tmp_path / "trunk.secret"
    secret.write_text("twelve-letters-or-more\n")
    secret.chmod(0o600)
    text = BASE % "udp" + (
        "pbx:\n  trunk: {host: sip.example.net, user: shop, secret_file: trunk.secret, match: [192.0.2.0/24]}\n"
    )
    pjsip = files(text, tmp_path)["pjsip.conf"]
    assert "match = sip.example.net\nmatch = 192.0.2.0/24\n" in pjsip
    assert "password = twelve-letters-or-more" in pjsip


@pytest.mark.parametrize(
    ("phone", "more", "says"),
    [
        ("tls", "", "agents.1002.phone: tls needs pbx.sip.tls_port"),
        ("browser", "", "agents.1002.phone: browser needs pbx.http.enabled"),
        ("udp", "pbx: {sip: {tls_port: 5061}}\n", "pbx.tls: needed, a TLS port is configured"),
        ("udp", "pbx: {ami: {tls: true}}\n", "pbx.ami.tls: the private PBX is reached on this machine"),
    ],
)
def test_what_could_have_no_effect_is_refused(phone: str, more: str, says: str) -> None:
    with pytest.raises(ConfigRefused, match=says):
        parse_config(BASE % phone + more)


def test_distributor_specs() -> None:
    config = parse_config(BASE % "udp")
    (queue,) = queues_of(config)
    assert (queue.name, queue.max_wait_s) == ("sales", 90)
    assert [(agent.id, agent.endpoint, agent.queues) for agent in agents_of(config)] == [
        ("1001", "1001", ("sales",)),
        ("1002", "1002", ("sales",)),
    ]
