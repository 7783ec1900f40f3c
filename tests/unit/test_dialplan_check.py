"""`cordboard dialplan check`, as people and CI run it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cordboard.cli import app

ROOT = Path(__file__).parents[2]
LINT = ROOT / "tests" / "data" / "dialplans" / "lint"


def check(*arguments: str, config: Path = ROOT / "cordboard.yaml") -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["dialplan", "check", "--config", str(config), *arguments])
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture
def warned(tmp_path: Path) -> str:
    (tmp_path / "people.yaml").write_bytes((LINT / "people.yaml").read_bytes())
    return str(tmp_path)


def test_the_shipped_dialplans_are_good_even_strictly() -> None:
    code, said, wrong = check("--strict")
    assert (code, wrong) == (0, "")
    assert said.endswith("no errors, 0 warning(s)\n")


def test_a_warning_is_said_and_counts_only_strictly(warned: str) -> None:
    code, said, wrong = check(warned)
    assert code == 0
    assert said == "1 flow(s), no errors, 1 warning(s)\n"
    assert wrong.startswith(f"{warned}/people.yaml:6:3: warning: from menu 'main' no way leads to a person")
    assert check(warned, "--strict")[0] == 1


def test_errors_have_the_exit_status_1(tmp_path: Path) -> None:
    (tmp_path / "routing.yaml").write_bytes((LINT / "routing.yaml").read_bytes())
    code, said, wrong = check(str(tmp_path))
    assert code == 1
    assert said == "0 flow(s), 2 error(s), 1 warning(s)\n"
    assert len(wrong.splitlines()) == 3


def test_json_is_one_document(warned: str) -> None:
    code, said, wrong = check(warned, "--json", "--strict")
    assert (code, wrong) == (1, "")
    found = json.loads(said)
    assert (found["ok"], found["flows"], found["errors"], found["warnings"]) == (False, 1, 0, 1)
    assert found["findings"][0]["rule"] == "no-person"
    assert (found["findings"][0]["line"], found["findings"][0]["column"]) == (6, 3)


def test_a_file_that_cannot_be_read_hides_none_of_the_others(tmp_path: Path) -> None:
    (tmp_path / "outside.yaml").write_text("flow: outside")
    folder = tmp_path / "dialplans"
    folder.mkdir()
    (folder / "a-link.yaml").symlink_to(tmp_path / "outside.yaml")
    (folder / "routing.yaml").write_bytes((LINT / "routing.yaml").read_bytes())
    code, said, wrong = check(str(folder))
    assert code == 1
    assert said == "0 flow(s), 3 error(s), 1 warning(s)\n"
    assert "a-link.yaml:1:1: a link that leads out of the folder (copy the file)" in wrong


def test_a_file_is_no_folder() -> None:
    code, _, wrong = check(str(LINT / "people.yaml"))
    assert code == 1
    assert wrong.endswith(
        "people.yaml:1:1: the folder cannot be read: Not a directory (name the folder that it is in)\n"
    )


def test_a_folder_is_checked_without_a_configuration(tmp_path: Path) -> None:
    (tmp_path / "routing.yaml").write_bytes((LINT / "routing.yaml").read_bytes())
    code, _, wrong = check(str(tmp_path), config=tmp_path / "none.yaml")
    assert code == 1
    assert "there is no node 'by'" in wrong
    assert "queue" not in wrong, "nothing is known of queues"


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    code, said, wrong = check(str(tmp_path / "none"), "--json")
    assert (code, wrong) == (1, "")
    assert json.loads(said)["errors"] == 1
    assert check(config=tmp_path / "none.yaml")[0] == 2, "without a folder the configuration must say which"
