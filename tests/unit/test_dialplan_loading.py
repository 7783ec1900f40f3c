"""What is a dialplan and what is refused, with the words that an admin reads."""

from __future__ import annotations

from pathlib import Path

import pytest

from ivr.dialplans import Dialplans
from ivr.errors import DialplanErrors
from ivr.loader import load_folder, load_text
from ivr.problems import Severity
from ivr.yaml_tree import MAX_BYTES

ROOT = Path(__file__).parents[2]
DATA = ROOT / "tests" / "data" / "dialplans"
QUEUES = {"sales", "support"}

MINIMAL = """
flow: {name}
numbers: ["{number}"]
language: en
start: bye
nodes: {{bye: {{hangup: {{}}}}}}
"""


def write(folder: Path, name: str, number: str) -> None:
    (folder / f"{name}.yaml").write_text(MINIMAL.format(name=name, number=number))


@pytest.mark.parametrize("path", sorted((DATA / "good").glob("*.yaml")), ids=lambda path: path.stem)
def test_good_ones_load_without_a_word(path: Path) -> None:
    flow, problems = load_text(path.read_bytes(), path.name, QUEUES)
    assert problems == []
    assert flow is not None


@pytest.mark.parametrize("path", sorted((DATA / "bad").glob("*.yaml")), ids=lambda path: path.stem)
def test_bad_ones_are_refused_with_every_finding(path: Path) -> None:
    flow, problems = load_text(path.read_bytes(), path.name, QUEUES)
    assert flow is None
    said = [str(problem).removeprefix(f"{path.name}:") for problem in sorted(problems)]
    assert said == path.with_suffix(".expected").read_text().splitlines()


def test_the_shipped_dialplans_are_good() -> None:
    dialplans = load_folder(ROOT / "dialplans", QUEUES)
    assert dialplans.warnings == ()
    flow = dialplans.flow_for("100")
    assert flow is not None
    assert set(flow.languages) == {"en", "es"}
    assert dialplans.flow_for("999") is None


def test_values_stay_as_written() -> None:
    dialplans = load_folder(DATA / "good")
    flow = dialplans.flow_for("0100")
    assert flow is not None
    assert (flow.description, flow.language, flow.numbers) == ("2024", "no", ("0100", "+15550100"))
    assert flow.nodes["hello"].tags == ("1", "yes")


def test_a_flow_knows_every_text_it_can_say() -> None:
    flow = load_folder(DATA / "good").flow_for("300")
    assert flow is not None
    english = flow.texts()["en"]
    assert {"Hello.", "You called from", ". Your ticket is", ". {Braces} are spoken.", "sales"} <= english
    assert {"zero", "one", "nine"} <= english
    assert "Para español, oprima el nueve." in flow.texts()["es"]
    assert "Para español, oprima el nueve." not in english


def test_queues_are_only_checked_when_they_are_known() -> None:
    text = (DATA / "bad" / "unknown-queue.yaml").read_bytes()
    assert load_text(text, "x.yaml", None)[1] == []


def test_an_unreachable_node_is_only_a_warning(tmp_path: Path) -> None:
    write(tmp_path, "one", "1")
    with (tmp_path / "one.yaml").open("a") as file:
        file.write("description: x\n")
    text = (tmp_path / "one.yaml").read_text().replace("{bye:", "{lost: {hangup: {}}, bye:")
    (tmp_path / "one.yaml").write_text(text)
    dialplans = load_folder(tmp_path)
    assert [(w.severity, w.message) for w in dialplans.warnings] == [
        (Severity.WARNING, "no way leads to node 'lost'"),
    ]


def test_two_files_cannot_answer_one_number_or_bear_one_name(tmp_path: Path) -> None:
    write(tmp_path, "one", "1")
    write(tmp_path, "two", "1")
    (tmp_path / "three.yaml").write_text(MINIMAL.format(name="one", number="3"))
    with pytest.raises(DialplanErrors) as refused:
        load_folder(tmp_path)
    assert [str(problem) for problem in refused.value.problems] == [
        f"{tmp_path}/three.yaml:2:7: flow 'one' is also in one.yaml",
        f"{tmp_path}/two.yaml:3:11: number '1' is already answered by one.yaml",
    ]


def test_every_file_s_errors_come_at_once(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("flow: [")
    (tmp_path / "b.yml").write_text("flow: x")
    (tmp_path / ".hidden.yaml").write_text("flow: [")
    (tmp_path / "notes.txt").write_text("flow: [")
    with pytest.raises(DialplanErrors) as refused:
        load_folder(tmp_path)
    assert {Path(problem.file).name for problem in refused.value.problems} == {"a.yaml", "b.yml"}


@pytest.mark.parametrize("folder", ["", "nowhere"])
def test_a_folder_without_dialplans_is_refused(tmp_path: Path, folder: str) -> None:
    with pytest.raises(DialplanErrors):
        load_folder(tmp_path / folder)


def test_the_version_follows_the_content(tmp_path: Path) -> None:
    def load() -> Dialplans:
        return load_folder(tmp_path)

    write(tmp_path, "one", "1")
    before = load()
    assert load().version == before.version
    write(tmp_path, "one", "2")
    after = load()
    assert after.version != before.version
    assert after.flows[0].version != before.flows[0].version


HEAD = b"flow: x\nnumbers: ['1']\nlanguage: en\nstart: a\n"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"# " + b"x" * MAX_BYTES, "larger than 5 MB"),
        (b"a: b\n" * 900_000, "given twice"),
        (HEAD + b"tags: [" + b"x," * 300_000 + b"]", "more than 200000 values"),
        (b"[" * 1_000_000, "nested more than 20 deep"),
        (b"{a: " * 100_000, "nested more than 20 deep"),
        (b"- " * 100_000, "nested more than 20 deep"),
        (HEAD + b"description: " + b"x" * 1_000_000, "more than 10000 characters"),
        (b"\x00\x01\x02", "not valid YAML"),
        (HEAD + b"nodes: {a: {hangup: {}}}\n" + b"\n" * 1_000_000, ""),
    ],
    ids=["huge", "million-duplicates", "million-values", "brackets", "braces", "dashes", "text", "nul", "blank-lines"],
)
def test_giants_are_refused_in_bounded_effort(data: bytes, said: str) -> None:
    flow, problems = load_text(data, "x.yaml")
    if said:
        assert said in problems[0].message
        assert len(problems) <= 200
    else:
        assert flow is not None
