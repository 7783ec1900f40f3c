"""Cases beside the dialplans: how they are written, what a failure says and where, and what no case reaches."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cordboard.cli import app
from ivr.errors import DialplanErrors
from ivr.loader import load_folder
from ivr.rehearsal.case_files import Outcome, play_folder
from ivr.rehearsal.moment import moment

PROJECT = Path(__file__).parents[2]
FLOW = """\
flow: line
numbers: ["100"]
language: en
languages: [en, es]
start: welcome
on_error: sorry
hours:
  desk: {time_zone: America/Bogota, weekly: {mon-fri: ["08:00-18:00"]}}
nodes:
  welcome: {say: {en: Welcome., es: Hola.}, next: open}
  open: {hours: desk, open: trial, closed: closed}
  trial: {split: {main: 1, other: 1}}
  other: {set: {language: es, tier: gold}, next: main}
  main:
    menu:
      prompt: {en: "Press 1.", es: "Oprima el uno."}
      keys: {"1": sales, "2": outage}
      otherwise: done
  outage: {switch: outage, "on": sorry, "off": done}
  sales:
    to_queue: {queue: sales, skills: {must: {spanish: 3}}, data: {tier: "{tier}"}, then: done, otherwise: sorry}
  closed: {say: {en: "We open at {opens_at}.", es: "Abrimos a {opens_at}."}, next: done}
  sorry: {say: {en: Sorry., es: Disculpe.}, next: done}
  done: {hangup: {}}
"""


def run(folder: Path, cases: str, flow: str = FLOW, name: str = "line.test.yaml") -> Outcome:
    (folder / "line.yaml").write_text(flow)
    (folder / name).write_text(cases)
    return play_folder(folder, load_folder(folder))


def problems(outcome: Outcome) -> list[str]:
    return [f"{p.line}:{p.column}: {p.message}" for result in outcome.results for p in result.problems]


GOOD = """\
defaults: {at: 2026-11-24 10:00 America/Bogota}
cases:
  a talk in spanish:
    split: {trial: other}
    steps:
      - hear: welcome
      - press: "1"
      - queue: talked
    expect:
      said: [Welcome, Oprima]
      not_said: [Sorry]
      nodes: [welcome, other, sales, done]
      not_nodes: [sorry]
      language: es
      variables: {tier: gold}
      queue: sales
      skills: {spanish: 3}
      data: {tier: gold}
      at: done
      ends: normal
  an outage, typed during the welcome:
    switches: [outage]
    split: {trial: main}
    steps: [{interrupt: "2"}, {hear: Sorry}]
    expect: {ends: normal}
  after hours:
    at: 2026-12-24 18:00 America/Bogota
    expect: {said: [We open at eight a.m.], ends: normal}
"""


def test_good_cases_pass_and_what_they_do_not_reach_is_listed(tmp_path: Path) -> None:
    outcome = run(tmp_path, GOOD)
    assert problems(outcome) == []
    assert [result.name for result in outcome.results] == [
        "a talk in spanish", "an outage, typed during the welcome", "after hours",
    ]  # fmt: skip
    assert [f"{p.line}:{p.column} {p.message}" for p in outcome.unreached] == [
        "18:18 no case reaches branch 'otherwise' of node 'main'",
        "19:48 no case reaches branch 'off' of node 'outage'",
        "21:107 no case reaches branch 'otherwise' of node 'sales'",
    ]
    assert (outcome.coverage.reached_nodes, outcome.coverage.nodes) == (10, 10)
    assert (outcome.coverage.reached_branches, outcome.coverage.branches) == (12, 15)
    assert outcome.coverage.percent == pytest.approx(100 * 22 / 25)


def test_a_case_without_a_moment_is_at_the_same_one_every_day(tmp_path: Path) -> None:
    outcome = run(tmp_path, "cases:\n  one: {steps: [silence], expect: {not_nodes: [closed]}}\n")
    assert problems(outcome) == []


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        ("steps: [{hear: Goodbye}]",
         "3:24: case 'one': expected to hear 'Goodbye', heard: Welcome. / Press 1."),
        ("steps: [{queue: talked}]",
         "3:25: case 'one': the caller does not wait for an agent; node 'main' waits for a key"),
        ("steps: [{press: '1'}, silence]",
         "3:31: case 'one': nobody waits for a key; node 'sales' waits for an agent"),
        ("steps: [{press: '1'}, {queue: talked}, {press: '1'}]",
         "3:56: case 'one': key 1 is pressed, and the call is over since node 'done'"),
        ("steps: [{press: '1'}, {interrupt: '1'}]",
         "3:43: case 'one': nothing is being said that could be interrupted; node 'sales' waits for an agent"),
        ("steps: [hang_up, hang_up]",
         "3:26: case 'one': the caller hangs up, and the call is over since node 'welcome'"),
        ("expect: {said: [Press, Welcome]}",
         "3:32: case 'one': expected to hear 'Welcome' after that, heard: Welcome. / Press 1."),
        ("expect: {not_said: [press 1]}",
         "3:29: case 'one': heard 'Press 1.', which has 'press 1' in it"),
        ("expect: {nodes: [main, sales]}",
         "3:32: case 'one': expected to come to node 'sales', went: welcome -> open -> trial -> main"),
        ("expect: {not_nodes: [trial]}",
         "3:30: case 'one': came to node 'trial': welcome -> open -> trial -> main"),
        ("expect: {variables: {tier: gold}}",
         "3:36: case 'one': expected tier to be 'gold', it is ''"),
        ("expect: {language: es}",
         "3:28: case 'one': expected the language 'es', it is 'en'"),
        ("expect: {queue: sales}",
         "3:25: case 'one': expected queue 'sales', was sent to no queue"),
        ("{steps: [{press: '1'}], expect: {queue: support, skills: {english: 1}, data: {tier: gold}}}",
         "3:48: case 'one': expected queue 'support', was sent to queue 'sales'"),
        ("{steps: [{press: '1'}], expect: {skills: {english: 1}}}",
         "3:49: case 'one': expected the skills english 1, asked for spanish 3"),
        ("{steps: [{press: '1'}], expect: {data: {tier: gold}}}",
         "3:54: case 'one': expected the agent to see 'gold', they see ''"),
        ("expect: {at: sales}",
         "3:22: case 'one': expected the caller to be at node 'sales', they are at 'main'"),
        ("expect: {ends: normal}",
         "3:24: case 'one': expected the call to end (normal), node 'main' waits for a key"),
        ("{steps: [hang_up], expect: {ends: normal}}",
         "3:42: case 'one': expected the call to end 'normal', it ended 'hung_up'"),
        ("to: '300'", "3:13: case 'one': no flow answers 300; did you mean '100'?"),
        ("answers: {nowhere: ok}",
         "3:28: case 'one': there is no node 'nowhere'; did you mean 'other'?"),
        ("split: {trial: sales}", "3:24: case 'one': no node 'trial' splits callers to 'sales'"),
    ],
)  # fmt: skip
def test_a_failure_says_what_was_expected_and_what_happened(tmp_path: Path, case: str, expected: str) -> None:
    case = case if case.startswith("{") else f"{{{case}}}"
    given = f'defaults: {{to: "100", split: {{trial: main}}}}\ncases:\n  one: {case}\n'
    found = problems(run(tmp_path, given))
    assert found[0] == expected


@pytest.mark.parametrize(
    ("cases", "expected"),
    [
        ("cases: {}", "1:1: 'cases' is empty"),
        ("cases: {one: {step: []}}", "1:15: unknown key 'step' (did you mean 'steps'?)"),
        ("cases: {one: {steps: [{pres: '1'}]}}", "1:24: unknown key 'pres' (did you mean 'press'?)"),
        ("cases: {one: {steps: [{press: '1', hear: x}]}}",
         "1:23: 'steps': a step is one of: hear, press, interrupt, silence, queue, hang_up, error"),
        ("cases: {one: {steps: [{press: one}]}}", "1:31: 'press': 'one' is not keys of the phone: 0 to 9, * and #"),
        ("cases: {one: {at: tomorrow}}",
         "1:19: 'at': 'tomorrow' is no moment such as 2026-12-24 17:59 America/Bogota"),
        ("cases: {one: {at: 2026-12-24 17:59 America/Bogata}}",
         "1:19: 'at': there is no time zone 'America/Bogata'; one is written like America/Bogota"),
        ("cases: {one: {answers: {a: {b: {c: d}}}}}",
         "1:28: 'a': an answer is what went wrong (a word), or a mapping of values"),
        ("cases: {one: {expect: {ends: well}}}",
         "1:30: 'ends' must be one of 'normal', 'busy', 'congestion', 'rejected', 'unallocated', 'hung_up' or "
         "'broken'"),
        ("cases: [", "1:8: not valid YAML: did not find expected node content "
                     "(check the indentation and the quotes of this line and the one above)"),
    ],
)  # fmt: skip
def test_a_file_of_cases_with_a_mistake_is_refused_at_its_place(tmp_path: Path, cases: str, expected: str) -> None:
    with pytest.raises(DialplanErrors) as caught:
        run(tmp_path, cases)
    found = [f"{p.line}:{p.column}: {p.message}{f' ({p.hint})' if p.hint else ''}" for p in caught.value.problems]
    assert found[0].endswith(expected.split(": ", 1)[1])
    assert int(found[0].partition(":")[0]) <= 2


def test_a_moment_is_unix_seconds() -> None:
    assert moment("2026-12-24 17:59 America/Bogota") == 1_798_153_140.0
    assert moment("2026-01-01 0:00") == 1_767_225_600.0
    with pytest.raises(ValueError, match="no moment"):
        moment("2026-02-30 10:00")


# the command


def command(tmp_path: Path, cases: str, *options: str) -> tuple[int, str]:
    (tmp_path / "line.yaml").write_text(FLOW)
    (tmp_path / "line.test.yaml").write_text(cases)
    config = str(PROJECT / "cordboard.yaml")
    found = CliRunner().invoke(app, ["dialplan", "test", str(tmp_path), "--config", config, *options])
    return found.exit_code, found.output


def test_the_exit_status_tells_failures_and_missing_coverage(tmp_path: Path) -> None:
    status, told = command(tmp_path, GOOD)
    assert status == 0
    assert "3 case(s), 0 failed" in told
    assert "coverage 88.0 %: 10 of 10 nodes, 12 of 15 branches" in told
    assert command(tmp_path, GOOD, "--min-coverage", "88")[0] == 0
    status, told = command(tmp_path, GOOD, "--min-coverage", "100")
    assert status == 1
    assert "coverage 88.0 %, and 100 % are asked for" in told
    status, told = command(tmp_path, GOOD.replace("[We open at eight", "[We open at nine"))
    assert status == 1
    assert f"{tmp_path / 'line.test.yaml'}:28:21: case 'after hours': expected to hear 'We open at nine a.m.'" in told
    assert command(tmp_path, "cases: {}")[0] == 2
    assert command(tmp_path, GOOD, "--only", "nothing like it")[0] == 2
    status, told = command(tmp_path, GOOD, "--only", "HOURS", "--min-coverage", "100")
    assert status == 0
    assert "1 case(s)" in told
    assert "coverage" not in told


def test_a_machine_can_read_what_came_of_it(tmp_path: Path) -> None:
    status, told = command(tmp_path, GOOD.replace("ends: normal\n  an", "ends: busy\n  an"), "--json")
    document: dict[str, Any] = json.loads(told)
    assert status == 1
    assert document["ok"] is False
    assert [case["ok"] for case in document["cases"]] == [False, True, True]
    (failure,) = document["cases"][0]["failures"]
    assert (failure["line"], failure["message"]) == (
        20, "case 'a talk in spanish': expected the call to end 'busy', it ended 'normal'",
    )  # fmt: skip
    assert document["coverage"]["branches"] == {"all": 15, "reached": 12}
    assert [one["line"] for one in document["coverage"]["unreached"]] == [18, 19, 21]


def test_the_shipped_dialplans_are_tested_to_the_last_branch() -> None:
    outcome = play_folder(PROJECT / "dialplans", load_folder(PROJECT / "dialplans"))
    assert problems(outcome) == []
    assert outcome.unreached == ()
    assert max(result.seconds for result in outcome.results) < 0.5, "virtual time: a case takes milliseconds"
