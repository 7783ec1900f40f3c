"""Whatever is in a file, loading it ends with a flow or with findings, never with anything else."""

from __future__ import annotations

import json
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from ivr.errors import DialplanErrors
from ivr.loader import load_files, load_text
from ivr.problems import Severity

ROOT = Path(__file__).parents[2]
QUEUES = {"sales", "support"}
SHIPPED = (ROOT / "dialplans" / "harbor-lane.yaml").read_text().splitlines()
SHORT = (ROOT / "tests" / "data" / "dialplans" / "good" / "every-verb.yaml").read_text()

keys = st.sampled_from(["flow", "numbers", "nodes", "start", "say", "menu", "keys", "set", "next", "a", "1", "hangup"])
values = st.recursive(
    st.none() | st.sampled_from(["en", "a", "5s", "{x}", "1", "", "true"]) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=12,
)


def judge(data: bytes) -> None:
    flow, problems = load_text(data, "x.yaml", QUEUES)
    assert (flow is None) == any(problem.severity is Severity.ERROR for problem in problems)
    lines = data.count(b"\n") + data.count(b"\r") + 2
    for problem in problems:
        assert 1 <= problem.line <= lines
        assert problem.column >= 1
        assert problem.message


@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace")))
def test_any_bytes(data: bytes) -> None:
    judge(data)


@given(values)
def test_any_shape(value: object) -> None:
    judge(json.dumps(value).encode())


@settings(max_examples=150)
@given(
    st.integers(0, len(SHIPPED) - 1), st.sampled_from(["drop", "twice", "indent", "cut", "swap"]), st.integers(0, 60)
)
def test_a_slip_of_the_editor(line: int, slip: str, column: int) -> None:
    lines = list(SHIPPED)
    match slip:
        case "drop":
            del lines[line]
        case "twice":
            lines.insert(line, lines[line])
        case "indent":
            lines[line] = "  " + lines[line]
        case "cut":
            lines[line] = lines[line][:column]
        case _:
            lines[line], lines[line - 1] = lines[line - 1], lines[line]
    judge("\n".join(lines).encode())


NAMES = ["a.yaml", "b.yaml", "c/d.yaml", "c/e.yaml", "gone.yaml", "../a.yaml"]


@given(
    st.dictionaries(st.sampled_from(NAMES[:4]), st.lists(st.sampled_from(NAMES), max_size=4), min_size=1),
    st.lists(st.sampled_from(NAMES), max_size=4),
)
def test_any_way_of_including(parts: dict[str, list[str]], taken: list[str]) -> None:
    """Circles, diamonds, files that are not there: a set or findings, each in a file of the set."""
    prompts = {"prompts": {"hi": {"en": "Hi."}}}
    files = {name: json.dumps({"include": names} | prompts).encode() for name, names in parts.items()}
    nodes = {"hello": {"say": "hi", "next": "bye"}, "bye": {"hangup": {}}}
    flow = {"flow": "x", "numbers": ["1"], "language": "en", "start": "hello", "nodes": nodes, "include": taken}
    files["flow.yaml"] = json.dumps(flow).encode()
    found: set[str] = set()
    try:
        dialplans = load_files(files)
    except DialplanErrors as errors:
        found = {problem.file for problem in errors.problems}
    else:
        assert dialplans.texts() == {"en": frozenset({"Hi."})}
        assert len(taken) == 1
    assert found <= files.keys()


@settings(max_examples=150)
@given(st.integers(0, len(SHORT)), st.text(alphabet="{}[]:,*&!|>'\"#-\t\n aé1", min_size=1, max_size=3))
def test_a_stray_character(at: int, stray: str) -> None:
    judge((SHORT[:at] + stray + SHORT[at:]).encode())
