"""Where requests may go, and the words for what is wrong in the configuration."""

from __future__ import annotations

from pathlib import Path

import pytest

from cordboard.config_loader import ConfigRefused, parse_config
from cordboard.lookups.allow_list import AllowList
from cordboard.secrets import SecretsError
from cordboard.site import allow_list_of, lookup_limits_of, service_secrets_of

ALLOWED = AllowList(["https://billing.example.com", "https://crm.example.com/api/v2/", "http://127.0.0.1:8090"])


@pytest.mark.parametrize(
    "url",
    [
        "https://billing.example.com/customers/1?x=2",
        "https://billing.example.com:443/",
        "https://BILLING.example.com/a",
        "https://crm.example.com/api/v2/x",
        "https://crm.example.com/api/v2",
        "http://127.0.0.1:8090/a%20b",
    ],
)
def test_allowed(url: str) -> None:
    assert ALLOWED.url(url) is not None


@pytest.mark.parametrize(
    "url",
    [
        "http://billing.example.com/",
        "https://billing.example.com:444/",
        "https://billing.example.com.evil.test/",
        "https://billing.example.com@evil.test/",
        "https://me:pass@billing.example.com/",
        "https://evil.test/billing.example.com",
        "https://crm.example.com/",
        "https://crm.example.com/api/v22/x",
        "https://crm.example.com/api/v2/../x",
        "https://crm.example.com/api/v2/%2e%2E/x",
        "https://crm.example.com/api/v2/..%2fx",
        "https://crm.example.com/api/v2/..\\x",
        "http://127.0.0.1/",
        "http://127.0.0.2:8090/",
        "http://localhost:8090/",
        "http://[::1]:8090/",
        "file:///etc/passwd",
        "//billing.example.com/",
        "/customers",
        "https://exämple.com/x",
        "https://billing.example.com:x/",
        "",
    ],
)
def test_not_allowed(url: str) -> None:
    assert ALLOWED.url(url) is None


def test_nothing_is_allowed_by_default() -> None:
    config = parse_config("company: A\nqueues: {}\n")
    assert allow_list_of(config).url("http://127.0.0.1:8090/") is None
    assert allow_list_of(config).url("https://billing.example.com/") is None
    assert lookup_limits_of(config).longest_s == 20.0


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("billing.example.com", "no address such as"),
        ("ftp://billing.example.com", "no address such as"),
        ("https://", "no address such as"),
        ("https://a b.example.com", "no address such as"),
        ("http://billing.example.com", r"must begin with https://"),
        ("http://10.0.0.1:80", r"must begin with https://"),
        ("https://me:secret@billing.example.com", "must not hold a password"),
        ("https://billing.example.com/?a=b", "nothing behind it"),
    ],
)
def test_bad_addresses_are_refused_with_their_place(address: str, words: str) -> None:
    text = f'company: A\nqueues: {{}}\nlookups:\n  allow:\n    - https://good.example.com\n    - "{address}"\n'
    with pytest.raises(ConfigRefused, match=rf"cordboard.yaml:6:7: lookups.allow.1: .*{words}"):
        parse_config(text)


def test_secrets_are_read_from_files_that_only_we_can_read(tmp_path: Path) -> None:
    file = tmp_path / "billing.secret"
    file.write_text("s3cret\n")
    file.chmod(0o644)
    config = parse_config("company: A\nqueues: {}\nsecrets: {BILLING: billing.secret}\n").placed(tmp_path)
    with pytest.raises(SecretsError, match="others can read it"):
        service_secrets_of(config)
    file.chmod(0o600)
    assert service_secrets_of(config) == {"BILLING": "s3cret"}


def test_a_secret_has_a_name_in_capitals() -> None:
    with pytest.raises(ConfigRefused, match=r"cordboard.yaml:3:11: secrets.billing: the key: "):
        parse_config("company: A\nqueues: {}\nsecrets: {billing: billing.secret}\n")
