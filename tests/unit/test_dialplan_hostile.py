"""Files that nobody would write who means well: refused with a word about why, in bounded time and memory; and texts
that another program would take for commands: spoken, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bench.fuzz_dialplan import broken_rule, fuzz
from ivr.dialplans import Dialplans
from ivr.handover import Handover
from ivr.loader import load_text
from ivr.prompts import PromptStore
from ivr.session import CallInfo, FlowSession, Outcome
from ivr.voices import Voices
from ivr.yaml_tree import MAX_BYTES
from tests.fakes.prompts import FakeSynthesiser
from tests.fakes.surroundings import FakeOutside, FakeSurroundings
from tests.fakes.switch import FakeSwitch
from tests.fakes.virtual_time import VirtualTime

HEAD = "flow: x\nnumbers: ['1']\nlanguage: en\nstart: a\nnodes: {a: {hangup: {}}}\n"
MENU = "menu: {prompt: Hi., keys: {1: a}, otherwise: a, "
MANY = 1_000_000


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        (HEAD + "description: a\x00b\n", "6:15", "not valid YAML: the character U+0000"),
        (HEAD + 'description: "a\\0b"\n', "6:14", "the invisible character U+0000"),
        (HEAD + "description: a\x1b[2Jb\n", "6:15", "not valid YAML: the character U+001B"),
        (HEAD + 'description: "a\\eb"\n', "6:14", "the invisible character U+001B"),
        (HEAD + "description: a\u202eb\n", "6:14", "the invisible character U+202E"),
        (HEAD + "a\u202eb: c\n", "6:1", "the invisible character U+202E"),
        (HEAD + "description: a\ufeffb\n", "6:14", "the invisible character U+FEFF"),
        (HEAD + 'description: "\\ud800"\n', "6:17", "invalid Unicode character escape"),
        (HEAD + "description: &a [*a]\n", "6:14", "anchor &a: anchors and aliases are not part of the language"),
        (HEAD + "description: *a\n", "6:14", "alias *a: anchors and aliases are not part of the language"),
        (HEAD + "description: !!python/object/apply:os.system [id]\n", "6:14", "tags are not part of the language"),
        (HEAD + "description: !env HOME\n", "6:14", "tags are not part of the language"),
        (HEAD + "? [a, b]\n: c\n", "6:3", "a key must be a plain word"),
        (HEAD + "? " + "k" * MANY + "\n: c\n", "6:3", "a key of more than 200 characters"),
        (HEAD + "description: " + "x" * MANY + "\n", "6:14", "a text of more than 10000 characters"),
        (HEAD + "<<: {a: b}\n", "6:1", "unknown key '<<'"),
        (HEAD + "flow: y\n", "6:1", "key 'flow' is given twice (first on line 1)"),
        (HEAD + "x: " + "[" * 100_000, "6:23", "nested more than 20 deep"),
        ("[" * 100_000, "1:21", "nested more than 20 deep"),
        ("k: v\n" * MANY, "2:1", "key 'k' is given twice"),
        ("".join(f"k{n}: v\n" for n in range(500_000)), "100000:9", "more than 200000 values in one file"),
        ("#\n" * MANY + "flow: [\n", "1000002:1", "not valid YAML"),
        ("%YAML 9.9\n---\n" + HEAD, "1:1", "incompatible YAML document"),
        (HEAD + "on_error: " + "9" * 9_000, "6:11", "999' is not a node's name"),
        (HEAD.replace("'1'", "9" * 9_000), "2:11", "999' is not a number that can be dialled"),
        (HEAD.replace("hangup: {}", MENU + "tries: 1e999}"), "5:68", "'tries' must be a whole number"),
        (HEAD.replace("hangup: {}", MENU + "timeout: 9999999s}"), "5:70", "'9999999s' is not a duration"),
        (HEAD + "include: [../../etc/shadow.yaml]\n", "6:11", "is not a file of the dialplans' folder"),
        (HEAD.replace("flow: x", "flow: ../../x"), "1:7", "'../../x' is not a name"),
        (HEAD + "prompts: {../x: Hi.}\n", "6:11", "'../x' is not a name"),
    ],
)  # fmt: skip
def test_it_is_refused_where_it_stands(text: str, place: str, said: str) -> None:
    data = text.encode()[:MAX_BYTES]
    flow, problems = load_text(data, "x.yaml")
    assert flow is None
    found = [problem for problem in problems if said in str(problem)]
    assert found, problems[:5]
    assert f"{found[0].line}:{found[0].column}" == place
    assert broken_rule({"x.yaml": data})[0] == ""


@pytest.mark.parametrize("coding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_other_codings_are_named(coding: str) -> None:
    (problem,) = load_text(HEAD.encode(coding), "x.yaml")[1]
    assert str(problem) == "x.yaml:1:1: not UTF-8 text but UTF-16 or UTF-32 (save the file as UTF-8)"


def test_a_surrogate_in_bytes_is_no_text() -> None:
    data = f"{HEAD}description: é".encode() + b"\xed\xa0\x80"
    (problem,) = load_text(data, "x.yaml")[1]
    assert str(problem) == "x.yaml:6:15: not UTF-8 text (save the file as UTF-8)"


@pytest.mark.parametrize("before", ["\ufeff", "---\n", "%YAML 1.1\n---\n", "# a comment\n\n"])
def test_what_an_editor_puts_before_a_file_does_no_harm(before: str) -> None:
    assert load_text((before + HEAD).encode(), "x.yaml")[0] is not None


def test_every_line_end_is_one() -> None:
    for end in ("\n", "\r\n", "\r"):
        (problem,) = load_text((HEAD + "extra: 1\n").replace("\n", end).encode(), "x.yaml")[1]
        assert (problem.line, problem.column) == (6, 1)


COMMANDS = [
    "${SHELL(touch /tmp/x)} now",
    "$[1 + 1] `id` $(id)",
    "'; DROP TABLE calls; --",
    "../../../etc/passwd ok",
    "a\\nb %s",
]


async def test_texts_that_look_like_commands_become_files_named_by_hashes(tmp_path: Path) -> None:
    nodes = (
        "".join(f"  n{n}: {{say: {text!r}, next: n{n + 1}}}\n" for n, text in enumerate(COMMANDS))
        .replace("${", "${{")
        .replace(")}", ")}}")
    )
    text = f"flow: x\nnumbers: ['1']\nlanguage: en\nstart: n0\nnodes:\n{nodes}  n{len(COMMANDS)}: {{hangup: {{}}}}\n"
    flow, problems = load_text(text.encode(), "x.yaml")
    assert flow is not None, problems
    espeak = tmp_path / "espeak-ng"
    espeak.write_text("#!/bin/sh\necho 'eSpeak NG text-to-speech: 1.52.0'\n")
    espeak.chmod(0o755)
    store = PromptStore(tmp_path / "prompts", Voices({}, espeak), FakeSynthesiser())
    assert (await store.prepare(Dialplans([flow]))).ok
    texts = sorted(flow.texts()["en"])
    assert any("SHELL" in text for text in texts)
    for spoken in texts:
        (file,) = store.files("en", spoken)
        assert re.fullmatch(r"[0-9a-f]{32}", file.removeprefix(f"{tmp_path}/prompts/en/"))


EVERYWHERE = """
flow: x
description: "${SHELL(id)}"
numbers: ["1"]
language: en
start: hello
nodes:
  hello: {description: "${SHELL(id)}", tags: ["${SHELL(id)}"], say: "${{SHELL(id)}} says hello.", next: keep}
  keep: {set: {secretly: "${SHELL(id)}"}, next: tell}
  tell: {say: "You said {secretly}.", next: wait}
  wait: {to_queue: {queue: sales, data: {note: "${{SHELL(id)}} {secretly}"}, then: bye, otherwise: bye}}
  bye: {hangup: {}}
"""


async def test_no_order_to_the_pbx_holds_what_stands_in_texts(tmp_path: Path) -> None:
    """Sound files are named by hashes, and the rest never leaves the service. What is kept on the channel itself is
    stored as it is and not evaluated: the contract of the switch shows that on the real PBX."""
    flow, problems = load_text(EVERYWHERE.encode(), "x.yaml")
    assert flow is not None, problems
    espeak = tmp_path / "espeak-ng"
    espeak.write_text("#!/bin/sh\necho 'eSpeak NG text-to-speech: 1.52.0'\n")
    espeak.chmod(0o755)
    store = PromptStore(tmp_path / "prompts", Voices({}, espeak), FakeSynthesiser())
    assert (await store.prepare(Dialplans([flow]))).ok
    time, sessions, outcomes = VirtualTime(), list[FlowSession](), list[Outcome]()
    switch = FakeSwitch(time, lambda fact: sessions[0].handle(fact) if sessions else None)
    switch.call("c1")
    sessions.append(
        FlowSession(
            "c1",
            CallInfo("+15", "${SHELL(id)}", "1", "en"),
            flow,
            store,
            switch,
            time,
            lambda kind, data: None,
            outcomes.append,
            lambda position: None,
            around=FakeSurroundings(time.now),
            outside=FakeOutside(),
        )
    )
    sessions[0].begin()
    time.advance(60)
    (handover,) = outcomes
    assert isinstance(handover, Handover)
    assert "SHELL" in str(handover)
    orders = switch.sent(object)
    assert {"Answer", "Play"} <= {type(order).__name__ for order in orders}
    assert not [order for order in orders if "SHELL" in repr(order)]


def test_an_expression_of_the_pbx_is_no_variable() -> None:
    text = HEAD.replace("hangup: {}", "say: 'Hi ${SHELL(id)}.', next: a")
    (problem, *_) = load_text(text.encode(), "x.yaml")[1]
    assert problem.message == "'{SHELL(id)}' is no variable; write {{ and }} for braces that are meant"


@pytest.mark.parametrize(
    "confirm", ["{en: 'Is {code} right?'}", "[]", "{}", "true", "no", "[{en: [x]}]", "{silence: x}"]
)
def test_a_confirmation_is_a_prompt_of_any_shape_or_refused(confirm: str) -> None:
    ask = f"ask: {{type: digits, prompt: Hi., save: code, confirm: {confirm}}}"
    ask += ", next: b, otherwise: b}, b: {hangup: {}}"
    text = HEAD.replace("hangup: {}}", ask)
    flow, problems = load_text(text.encode(), "x.yaml")
    assert (flow is not None) == (confirm in {"{en: 'Is {code} right?'}", "true"}), problems


def test_a_search_for_files_that_cannot_be_judged() -> None:
    outcome = fuzz(2, seed=2)
    assert outcome.broken == []
    assert sum(outcome.files.values()) > 5
