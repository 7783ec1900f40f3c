"""The generated secrets: made once, readable by us alone, never lost half-way."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cordboard.secrets import FILE, SecretsError, load_secrets, read_secret_file


def test_made_once_and_new_agents_get_theirs(tmp_path: Path) -> None:
    first = load_secrets(tmp_path / "var", ["1001"])
    again = load_secrets(tmp_path / "var", ["1001", "1002"])
    assert (again.ami, again.api_token, again.auditor) == (first.ami, first.api_token, first.auditor)
    assert again.agents["1001"] == first.agents["1001"]
    assert set(again.agents) == {"1001", "1002"}
    assert len({again.ami, again.api_token, again.auditor, *again.agents.values()}) == 5
    assert all(len(secret) >= 20 for secret in (again.ami, again.api_token, again.auditor, *again.agents.values()))


def test_nothing_is_written_when_nothing_is_missing(tmp_path: Path) -> None:
    load_secrets(tmp_path, ["1001"])
    before = (tmp_path / FILE).stat()
    load_secrets(tmp_path, ["1001"])
    assert (tmp_path / FILE).stat().st_ino == before.st_ino


def test_the_file_is_ours_alone_and_no_temporary_one_stays(tmp_path: Path) -> None:
    load_secrets(tmp_path, ["1001"])
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600
    assert sorted(os.listdir(tmp_path)) == [FILE, f"{FILE}.lock"]


def test_a_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    load_secrets(tmp_path, [])
    (tmp_path / FILE).chmod(0o640)
    with pytest.raises(SecretsError, match="chmod 600"):
        load_secrets(tmp_path, [])


def test_a_deleted_line_is_made_anew(tmp_path: Path) -> None:
    first = load_secrets(tmp_path, ["1001"])
    file = tmp_path / FILE
    file.write_text("".join(line for line in file.read_text().splitlines(True) if not line.startswith("api_token")))
    again = load_secrets(tmp_path, ["1001"])
    assert again.api_token != first.api_token
    assert again.agents == first.agents


@pytest.mark.parametrize("text", ["agents: [", "just text", "agents: [1]", "agents: {1001: {a: b}}"])
def test_a_spoilt_file_is_refused_and_kept(tmp_path: Path, text: str) -> None:
    file = tmp_path / FILE
    file.write_text(text)
    file.chmod(0o600)
    with pytest.raises(SecretsError, match="move it away"):
        load_secrets(tmp_path, ["1001"])
    assert file.read_text() == text


def test_secrets_stay_out_of_repr(tmp_path: Path) -> None:
    made = load_secrets(tmp_path, ["1001"])
    assert made.ami not in repr(made)
    assert made.agents["1001"] not in repr(made)


def test_a_secret_of_your_own(tmp_path: Path) -> None:
    file = tmp_path / "ami.secret"
    with pytest.raises(SecretsError, match="No such file"):
        read_secret_file(file)
    file.write_text("s3cret\n")
    file.chmod(0o644)
    with pytest.raises(SecretsError, match="others can read it"):
        read_secret_file(file)
    file.chmod(0o600)
    assert read_secret_file(file) == "s3cret"
    file.write_text("two\nlines\n")
    with pytest.raises(SecretsError, match="one secret on one line"):
        read_secret_file(file)
