"""What is right value by value and yet a mistake: every rule with its finding, its place and its words."""

from __future__ import annotations

import re
from pathlib import Path
from random import Random
from time import process_time
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from ivr.folder import read_folder
from ivr.known import Known
from ivr.lint.report import as_document
from ivr.loader import judge_files, load_text
from ivr.problems import Problem, Severity
from ivr.yaml_tree import read_tree

DATA = Path(__file__).parents[1] / "data" / "dialplans"
SITE = Known({"sales", "support"}, {"1001": {"bikes": 3}}, comfort={"sales": [("en", "For a callback, press five.")]})


def judged(path: Path) -> list[Problem]:
    files = read_folder(path) if path.is_dir() else {path.name: path.read_bytes()}
    return sorted(judge_files(files, SITE, advice=True)[1])


@pytest.mark.parametrize(
    "path",
    sorted(one for one in (DATA / "lint").iterdir() if one.suffix != ".expected"),
    ids=lambda path: path.stem,
)
def test_every_finding_and_nothing_else(path: Path) -> None:
    said = [f"[{problem.rule or 'value'}] {problem}" for problem in judged(path)]
    assert said == path.with_suffix(".expected").read_text().splitlines()


def test_a_load_says_every_error_and_spares_the_advice() -> None:
    for path in (DATA / "lint").glob("*.yaml"):
        errors = [problem for problem in judged(path) if problem.severity is Severity.ERROR]
        loaded = judge_files({path.name: path.read_bytes()}, SITE)[1]
        assert [problem for problem in sorted(loaded) if problem.severity is Severity.ERROR] == errors
        advice = {problem.rule for problem in loaded if problem.severity is Severity.WARNING}
        assert advice <= {"unreachable", "unknown-skill", "unknown-agent", "unknown-number"}


@pytest.mark.parametrize("path", sorted((DATA / "good").glob("*.yaml")), ids=lambda path: path.stem)
def test_nothing_is_said_against_good_ones(path: Path) -> None:
    site = Known({"sales", "support"}, None)
    found = judge_files({path.name: path.read_bytes()}, site, advice=True)[1]
    assert [problem for problem in found if problem.rule != "no-person"] == []


def test_every_rule_is_in_the_table_of_the_documentation() -> None:
    root = DATA.parents[2]
    checks = "".join(path.read_text() for path in root.glob("ivr/*.py"))
    lint = "".join(path.read_text() for path in root.glob("ivr/lint/*.py"))
    rules = set(re.findall(r'rule="([a-z-]+)"', checks)) | set(
        re.findall(r'^[A-Z_]+ = "([a-z]+-[a-z-]+)"$', lint, re.M)
    )
    rules |= {problem.rule or "value" for path in (DATA / "lint").glob("*.yaml") for problem in judged(path)}
    table = (root / "docs" / "dialplan-tools.md").read_text()
    assert len(rules) > 30
    assert not {rule for rule in rules if f"`{rule}`" not in table}


def test_the_document_for_programs() -> None:
    problems = [
        Problem("b.yaml", 2, 3, "wrong", "do this", Severity.WARNING, "no-person"),
        Problem("a.yaml", 9, 1, "worse"),
    ]
    assert as_document(2, problems, strict=False) == {
        "ok": False,
        "flows": 2,
        "errors": 1,
        "warnings": 1,
        "findings": [
            {
                "file": "a.yaml",
                "line": 9,
                "column": 1,
                "severity": "error",
                "rule": "value",
                "message": "worse",
                "hint": "",
            },
            {
                "file": "b.yaml",
                "line": 2,
                "column": 3,
                "severity": "warning",
                "rule": "no-person",
                "message": "wrong",
                "hint": "do this",
            },
        ],
    }
    assert as_document(2, problems[:1], strict=False)["ok"]
    assert not as_document(2, problems[:1], strict=True)["ok"]


def test_many_warnings_do_not_refuse_a_flow() -> None:
    menus = "\n".join(
        f"  m{n}: {{menu: {{prompt: Press 1., keys: {{'1': m{n + 1}}}, otherwise: m{n + 1}}}}}" for n in range(150)
    )
    text = f"flow: long\nnumbers: ['1']\nlanguage: en\nstart: m0\nnodes:\n{menus}\n  m150: {{hangup: {{}}}}\n"
    flows, problems = judge_files({"long.yaml": text.encode()}, SITE, advice=True)
    assert len(flows) == 1
    assert len(problems) == 100
    assert {problem.severity for problem in problems} == {Severity.WARNING}


@pytest.mark.parametrize(
    "node",
    [
        "{{set: {{x: '1'}}, next: m{n}}}",
        "{{menu: {{prompt: Press 1., keys: {{'1': m{n}}}, otherwise: m{n}}}}}",
        "{{if: [{{when: 'dialled == \"{n}\"', to: m{n}}}], else: m{n}}}",
        "{{ask: {{type: digits, prompt: What?, save: x}}, next: m{n}, otherwise: m{n}}}",
    ],
)
@pytest.mark.parametrize("last", ["{{hangup: {{}}}}", "{{say: Again., next: m0}}"])
def test_a_long_chain_takes_no_long_time(node: str, last: str) -> None:
    count = 2000
    nodes = "".join(f"  m{n}: {node.format(n=n + 1)}\n" for n in range(count)) + f"  m{count}: {last.format()}\n"
    text = f"flow: long\nnumbers: ['1']\nlanguage: en\nstart: m0\nnodes:\n{nodes}"
    before = process_time()
    judge_files({"long.yaml": text.encode()}, SITE, advice=True)
    assert process_time() - before < 4, "it takes half a second on an idle machine"


MENU = """
flow: one
numbers: ["1"]
language: {language}
start: main
nodes:
  main: {{menu: {{prompt: "{prompt}", keys: {{"1": q}}, otherwise: q}}}}
  q: {{to_queue: {{queue: sales, keys: {{"5": q}}, then: bye, otherwise: bye}}}}
  bye: {{hangup: {{}}}}
"""


@pytest.mark.parametrize(
    ("language", "prompt", "keys"),
    [
        ("en", "For sales, press 1.", ""),
        ("en", "Press one, two or 3; or press the star.", "*23"),
        ("en", "Press 1, or the pound key.", "#"),
        ("en", "Please DIAL zero. We have pressed 1 press.", "0"),
        ("en", "Press releases are on our page, and 24 bikes in the shop.", ""),
        ("es", "Oprima el uno. Marque la tecla número dos o presione asterisco.", "*2"),
        ("es", "Pulse 1, 2 o el tres.", "23"),
        ("fr", "Tapez 2.", ""),
    ],
)
def test_keys_that_callers_are_told_of(language: str, prompt: str, keys: str) -> None:
    text = MENU.format(language=language, prompt=prompt)
    found = judge_files({"x.yaml": text.encode()}, SITE, advice=True)[1]
    told = "".join(problem.message.split("press ")[1][0] for problem in found if problem.rule == "offered-key")
    assert told == keys


TEXT = """
flow: one
numbers: ["1"]
language: en
start: a
nodes:
  a: {{description: '{text}', set: {{x: "1"}}, next: bye}}
  bye: {{hangup: {{}}}}
"""


@pytest.mark.parametrize(
    ("text", "severity"),
    [
        ("-----BEGIN RSA PRIVATE KEY-----", "error"),
        ("key AKIAIOSFODNN7EXAMPLE", "error"),
        ("ghp_aBcDeFgHiJkLmNoPqRsTuVwXyZ012345", "error"),
        ("xoxb-1234567890-abcdef", "error"),
        ("sk_live_abcdEFGH1234", "error"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln", "error"),
        ("https://bob:secret1@host/path", "error"),
        ("https://host/path?api_key=abcd1234", "error"),
        ("Authorization: Bearer abcdefgh.ijkl", "error"),
        ("password: hunter2", "error"),
        ("Contraseña: abc123", "error"),
        ("d41d8cd98f00b204e9800998ecf8427e", "warning"),
        ("x9Kd2Lq8Zr4Tn6Vb1", "warning"),
        ("the password: eight letters, please", ""),
        ("press 1 for your secret question", ""),
        ("https://host/path?api_key={key}", ""),
        ("Authorization: Bearer {token}", ""),
        ("CustomersOfTheWestCoast2026Archive", ""),
        ("order-2026-11-24-with-a-very-long-name", ""),
        ("4111111111111111", ""),
        ("https://example.com/path/to/OpenOrders", ""),
        ("WELCOMETOHARBORLANEBIKES", ""),
    ],
)
def test_what_looks_like_a_secret(text: str, severity: str) -> None:
    found = [
        problem
        for problem in judge_files({"x.yaml": TEXT.format(text=text).encode()}, SITE, advice=True)[1]
        if problem.rule == "plain-secret"
    ]
    assert "".join(problem.severity.value for problem in found) == severity
    assert not any(word in str(problem) for problem in found for word in text.split() if len(word) > 9)


@pytest.mark.parametrize(
    ("place", "found"),
    [
        ('api_token: "4711"', True),
        ("password: hunter2", True),
        ('token: "{x}"', False),
        ("key: abcdef123456", True),
        ("key: sales", False),
        ("monkey: abcdef", False),
        ("secretary: agnes", False),
    ],
)
def test_what_stands_under_a_name_of_a_secret(place: str, found: bool) -> None:
    text = TEXT.format(text="").replace('set: {x: "1"}', f"set: {{x: '1', {place}}}")
    problems = judge_files({"x.yaml": text.encode()}, SITE, advice=True)[1]
    assert [problem.rule for problem in problems if problem.rule == "plain-secret"] == ["plain-secret"] * found


def test_text_that_stands_alone_is_judged_the_same() -> None:
    path = DATA / "lint" / "after-hangup-at-once.yaml"
    flow, problems = load_text(path.read_bytes(), path.name)
    assert flow is None
    assert [problem.rule for problem in problems] == ["needs-caller"]


def damaged(whole: Any, random: Random) -> Any:
    """The same with something gone, doubled, emptied or put elsewhere."""
    if isinstance(whole, dict) and whole:
        keys = list(whole)
        key = random.choice(keys)
        match random.randrange(6):
            case 0:
                return {name: one for name, one in whole.items() if name != key}
            case 1:
                return whole | {key: random.choice(list(whole.values()))}
            case 2:
                return whole | {random.choice(["a", "bye", "1", "then", "on_hangup"]): whole[key]}
            case _:
                return whole | {key: damaged(whole[key], random)}
    if isinstance(whole, list) and whole:
        return [*whole[1:], damaged(whole[0], random)]
    return random.choice([whole, "", "1", "bye", "{card}", "card", "true", [], {}, {"en": "x"}, "n > 5", "9" * 300])


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 10**9))
def test_damaged_flows_are_judged_all_the_same(seed: int) -> None:
    random = Random(seed)
    files = sorted(path for path in DATA.rglob("*.yaml") if path.stat().st_size < 5000 and path.parent.name != "bad")
    chosen = random.sample(files, 3)
    contents = {}
    for number, path in enumerate(chosen):
        root = read_tree(path.read_bytes(), path.name).root
        plain = root.plain() if root is not None else {}
        for _ in range(random.randrange(1, 4)):
            plain = damaged(plain, random)
        contents[f"{number}.yaml"] = yaml.safe_dump(plain).encode()
    for problem in judge_files(contents, SITE, advice=True)[1]:
        assert problem.line >= 1
        assert str(problem)


def test_many_flows_that_lead_into_each_other_are_judged_once() -> None:
    """What can be come to from each of them is the whole folder: looking at it for each anew takes the square."""

    def flow(number: int) -> bytes:
        says = "".join(f"  n{one}: {{say: Hi., next: n{one + 1}}}\n" for one in range(50))
        ways = "".join(f"  g{one}: {{goto: {{flow: f{(number + one) % 40}}}}}\n" for one in range(1, 9))
        split = "n50: {split: {bye: 1, " + ", ".join(f"g{one}: 1" for one in range(1, 9)) + "}}"
        head = f"flow: f{number}\nnumbers: ['{number}']\nlanguage: en\nstart: n0\nnodes:\n"
        return f"{head}{says}{ways}  {split}\n  bye: {{hangup: {{}}}}\n".encode()

    begun = process_time()
    flows, problems = judge_files({f"f{number}.yaml": flow(number) for number in range(40)}, SITE, advice=True)
    assert (len(flows), problems) == (40, [])
    assert process_time() - begun < 3
