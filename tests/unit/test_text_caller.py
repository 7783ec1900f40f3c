"""A caller in a terminal: what is shown, and what a typed line does."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from cordboard.cli import app
from cordboard.text_caller import TextCaller, queue_words
from ivr.handover import Handover, Skills
from ivr.inputs import CallFacts
from ivr.rehearsal.rehearsal import Rehearsal
from tests.fakes.flow_caller import flow_of

PROJECT = Path(__file__).parents[2]
FLOW = """
flow: line
numbers: ["100"]
language: en
time_zone: America/Bogota
start: hello
nodes:
  hello: {say: "Hello.", next: main}
  main: {menu: {prompt: "Press 1.", keys: {"1": pin, "2": sales}, no_input: Hello?, timeout: 4s, otherwise: done}}
  pin: {ask: {type: digits, prompt: "Your PIN.", save: pin, length: 4, secure: true}, next: rest, otherwise: done}
  rest: {wait: {for: 10s, music: calm}, next: sales}
  sales:
    to_queue:
      {queue: sales, head_start_s: 60, data: {line: "{dialled}"}, keys: {"3": main}, then: done, otherwise: done}
  done: {hangup: {cause: busy}}
"""


def call(*lines: str, stepwise: bool = False) -> list[str]:
    told: list[str] = []
    typed = iter(lines)
    rehearsal = Rehearsal(flow_of(FLOW), CallFacts("+15550142", "", "100", "c"), 1_798_153_140.0)

    def read(question: str) -> str | None:
        return next(typed, None)

    TextCaller(rehearsal, read, told.append, stepwise=stepwise).run()
    return told


def test_a_whole_call_is_told_with_the_flows_own_time() -> None:
    assert call("", "12", "timeout") == [
        "17:59:00  -- hello",
        "17:59:00  en  Hello.",
        "17:59:00  -- main",
        "17:59:00  en  Press 1.",
        "17:59:01  no key for 4 s",
        "17:59:05  en  Hello?",
        "17:59:05  en  Press 1.",
        "17:59:06  key 1",
        "17:59:06  -- pin",
        "17:59:06  secure: nothing is recorded from here",
        "17:59:06  en  Your PIN.",
        "17:59:06  key (hidden), during the prompt",
        "?? 'timeout' are no keys: 0 to 9, * and #; hangup hangs up",
        "17:59:06  the caller hangs up",
        "17:59:06  secure: over",
        "17:59:06  the call is over (hung_up)",
    ]


def test_a_wait_for_an_agent_ends_as_one_types() -> None:
    told = call("2", "tired", "3", "2", "talked")
    assert told[4:] == [
        "17:59:01  key 2",
        "17:59:01  -- sales",
        "17:59:01  waits in queue sales; 60 s ahead; line: 100",
        "?? 'tired' is no end of a wait; known: closed, empty, full, talked, timeout, too_long, unavailable",
        "17:59:01  key 3",
        "17:59:01  left the queue: by_key 3",
        "17:59:01  -- main",
        "17:59:01  en  Press 1.",
        "17:59:01  key 2",
        "17:59:01  -- sales",
        "17:59:01  waits in queue sales; 60 s ahead; line: 100",
        "17:59:01  left the queue: talked",
        "17:59:01  -- done",
        "17:59:01  the call is over (busy)",
    ]


def test_a_key_can_cut_a_prompt_short_step_by_step() -> None:
    told = call("2", "hangup", stepwise=True)
    assert told == [
        "17:59:00  -- hello",
        "17:59:00  en  Hello.",
        "17:59:00  key 2, during the prompt",
        "17:59:00  -- main",
        "17:59:00  -- sales",
        "17:59:00  waits in queue sales; 60 s ahead; line: 100",
        "17:59:00  the caller hangs up",
        "17:59:00  the call is over (hung_up)",
    ]


def test_music_and_pauses_are_told() -> None:
    told = call("1", "1234", "full")
    assert told[-9:-3] == [
        "17:59:01  -- rest",
        "17:59:01  music: calm",
        "17:59:01  a pause of 10 s",
        "17:59:11  the music ends",
        "17:59:11  -- sales",
        "17:59:11  waits in queue sales; 60 s ahead; line: 100",
    ]


def test_what_a_flow_asks_of_others_is_answered_by_typing() -> None:
    told: list[str] = []
    flow = flow_of("""
flow: message
numbers: ["1"]
language: en
start: box
nodes:
  box: {voicemail: {box: sales, prompt: Speak., review: true}, next: desk, otherwise: desk}
  desk: {transfer: {to: "+15550100"}, next: done, otherwise: done}
  done: {hangup: {}}
""")
    typed = iter(["short", "ok seconds=7 file=draft", "1", "ok", "busy"])
    call = Rehearsal(flow, CallFacts("+15550142", "", "1", "c"), 0.0)
    TextCaller(call, lambda _question: next(typed), told.append).run()
    told = [line.split("  ", 1)[1] for line in told]
    asked = [line for line in told if line.startswith("asks: ")]
    assert [line.split(":")[1] for line in asked] == [" record", " record", " keep", " transfer"]
    assert "to +15550100" in asked[-1], "whoever tries a flow wants to see it"
    assert [line for line in told if line.startswith("answer: ")] == [
        "answer: short", "answer: ok seconds=7 file=draft", "answer: ok", "answer: busy",
    ]  # fmt: skip
    assert told[-1] == "the call is over (normal)"


def test_what_a_caller_waits_with_is_told() -> None:
    handover = Handover("sales", Skills((("spanish", 3),), (("bikes", 1),)), prefer="1001")
    assert queue_words(handover) == "queue sales; must have spanish 3; nice to have bikes 1; for agent 1001 at first"


def command(*options: str, given: str = "") -> tuple[int, str]:
    config = str(PROJECT / "cordboard.yaml")
    found = CliRunner().invoke(app, ["dialplan", "simulate", *options, "--config", config], input=given)
    return found.exit_code, found.output


def test_the_command_takes_keys_from_a_pipe(tmp_path: Path) -> None:
    status, told = command("100", "--at", "2026-12-24 17:59", given="1\ntalked\n")
    assert status == 0
    assert told.startswith("17:59:00  -- welcome\n17:59:00  en  Thank you for calling")
    assert "the call is over (normal)" in told
    assert "[" not in told, "a pipe is not asked"


def test_the_command_says_what_it_was_given_wrongly(tmp_path: Path) -> None:
    assert command("999") == (2, "no flow answers 999; known: 100, 200\n")
    assert command("100", "--at", "noon")[1].startswith("'noon' is no moment such as")
    wrong = tmp_path / "lookups.yaml"
    wrong.write_text("balance: {a: {b: c}}\n")
    status, told = command("100", "--lookups", str(wrong))
    assert status == 2
    assert told == f"{wrong}:1:10: an answer is what went wrong (a word), or a mapping of values\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--switch", "nowhere"], "there is no switch that a flow looks at called 'nowhere'"),
        (["--lookups", "{file}"], "there is no node called 'mian'; did you mean 'main'?"),
    ],
)
def test_a_name_that_no_flow_has_is_not_passed_over(arguments: list[str], said: str, tmp_path: Path) -> None:
    file = tmp_path / "answers.yaml"
    file.write_text("mian: failed")
    root = Path(__file__).parents[2]
    command = ["dialplan", "simulate", "100", "--config", str(root / "cordboard.yaml")]
    done = CliRunner().invoke(app, [*command, *(one.format(file=file) for one in arguments)])
    assert done.exit_code == 2
    assert said in done.stderr


def test_lines_that_end_while_another_system_is_asked_end_the_call() -> None:
    flow = flow_of("""
flow: left
numbers: ["1"]
language: en
start: menu
on_hangup: tell
services: {crm: {url: "http://127.0.0.1:8090"}}
nodes:
  menu: {menu: {prompt: Press 1., keys: {"1": done}, otherwise: done}}
  tell: {http: {service: crm, post: /visits}, next: done, otherwise: done}
  done: {hangup: {}}
""")
    told: list[str] = []
    TextCaller(Rehearsal(flow, CallFacts("+15550142", "", "1", "c"), 0.0), lambda _question: None, told.append).run()
    assert any("answer: failed" in line for line in told)
    assert "the call is over" in told[-1]
