"""Queues and agents in files of their own."""

from __future__ import annotations

from pathlib import Path

import pytest

from cordboard.config import Config
from cordboard.config_loader import ConfigRefused, load_config, parse_config
from cordboard.simulation.changes import set_keys

MAIN = "company: Test\ninclude: [queues.yaml, people/day.yaml]\nagents:\n  1001: {name: Ana, queues: [sales]}\n"
QUEUES = "queues:\n  sales: {ring_s: 20}\n  support: {}\n"
DAY = "agents:\n  1002: {name: Ben, queues: [sales, support]}\n"


def write(folder: Path, main: str = MAIN, queues: str = QUEUES, day: str = DAY) -> Path:
    (folder / "people").mkdir()
    (folder / "queues.yaml").write_text(queues)
    (folder / "people" / "day.yaml").write_text(day)
    (folder / "cordboard.yaml").write_text(main)
    return folder / "cordboard.yaml"


def refusal(file: Path) -> list[str]:
    with pytest.raises(ConfigRefused) as refused:
        load_config(file, {})
    return [str(problem).removeprefix(f"{file.parent}/") for problem in refused.value.problems]


def test_they_are_taken_in(tmp_path: Path) -> None:
    config = load_config(write(tmp_path), {})
    assert {name: queue.ring_s for name, queue in config.queues.items()} == {"sales": 20, "support": 15}
    assert {number: agent.name for number, agent in config.agents.items()} == {"1001": "Ana", "1002": "Ben"}


def test_errors_are_said_in_their_own_file(tmp_path: Path) -> None:
    queues = "queues:\n  sales: {ring_s: 1, rings: 2}\n  support: {warn_wait_s: 9, alarm_wait_s: 9}\n"
    file = write(tmp_path, queues=queues, day=DAY.replace("support", "suport"))
    assert refusal(file) == [
        "queues.yaml:2:11: queues.sales.ring_s: input should be greater than or equal to 3",
        'queues.yaml:2:22: queues.sales.rings: unknown key; did you mean "ring_s"?',
    ]
    (tmp_path / "queues.yaml").write_text(queues.replace("ring_s: 1, rings: 2", ""))
    assert refusal(file) == [
        'people/day.yaml:2:37: agents.1002.queues: no queue "suport"; did you mean "support"?',
        "queues.yaml:3:29: queues.support.alarm_wait_s: must be above warn_wait_s (9)",
    ]


def test_one_name_stands_in_one_file(tmp_path: Path) -> None:
    file = write(tmp_path, day="agents:\n  1001: {name: Eve, queues: []}\nqueues: {sales: {}}\n")
    assert refusal(file) == [
        f"cordboard.yaml:4:3: agents.1001: is in {tmp_path}/people/day.yaml, line 2, as well",
        f"people/day.yaml:2:3: agents.1001: is in {file}, line 4, as well",
        f"people/day.yaml:3:10: queues.sales: is in {tmp_path}/queues.yaml, line 2, as well",
        f"queues.yaml:2:3: queues.sales: is in {tmp_path}/people/day.yaml, line 3, as well",
    ]


def test_what_cannot_stand_there(tmp_path: Path) -> None:
    assert refusal(write(tmp_path, queues="web: {port: 1}\nqueues: 5\ninclude: [x.yaml]\n", day="[")) == [
        "people/day.yaml:1:2: expected the node content, but found '<stream end>'",
        "queues.yaml:1:1: web: only queues and agents can stand in an included file",
        "queues.yaml:2:1: queues: must be a mapping (key: value)",
        "queues.yaml:3:1: include: only queues and agents can stand in an included file",
    ]


def test_files_that_are_not_there_or_must_not_be_read(tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    file = write(
        tmp_path / "site", main=MAIN.replace("day.yaml]", "day.yaml, gone.yaml, link.yaml, queues.yaml, big.yaml]")
    )
    (tmp_path / "secret.yaml").write_text("password: hunter2\n")
    (file.parent / "link.yaml").symlink_to(tmp_path / "secret.yaml")
    (file.parent / "big.yaml").write_text("#" * 5_000_001)
    (file.parent / "people" / "day.yaml").write_bytes(b"\xff")
    assert refusal(file) == [
        "cordboard.yaml:2:24: include.1: people/day.yaml is not UTF-8 text",
        "cordboard.yaml:2:41: include.2: gone.yaml cannot be read: No such file or directory",
        "cordboard.yaml:2:52: include.3: link.yaml is a link that leads out of the folder of the configuration",
        "cordboard.yaml:2:63: include.4: queues.yaml is included twice",
        "cordboard.yaml:2:76: include.5: big.yaml is larger than 5 MB",
    ]


@pytest.mark.parametrize("name", ["../x.yaml", "/etc/passwd", "a/../x.yaml", ".hidden.yaml", "x.txt"])
def test_only_names_within_the_folder(tmp_path: Path, name: str) -> None:
    (problem, *_) = refusal(write(tmp_path, main=f"company: T\ninclude: ['{name}']\nqueues: {{}}\n"))
    assert problem.startswith(f"cordboard.yaml:2:11: include.0: '{name}' is not a file in the folder")


def test_a_simulation_can_change_what_was_taken_in(tmp_path: Path) -> None:
    changed = set_keys(write(tmp_path), {"queues.sales.ring_s": 30})
    assert (changed.queues["sales"].ring_s, changed.queues["support"].ring_s) == (30, 15)


def test_a_text_without_a_folder_takes_nothing_in() -> None:
    config: Config = parse_config("company: T\ninclude: [x.yaml]\nqueues: {}\n")
    assert config.include == ["x.yaml"]
