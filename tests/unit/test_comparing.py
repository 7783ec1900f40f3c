"""Two sets of dialplans compared: what is told, in which words, and that nothing that a caller notices is missed."""

from __future__ import annotations

import copy
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from cordboard.cli import app
from ivr.comparing.compare import Difference, compare
from ivr.dialplans import Dialplans
from ivr.errors import DialplanErrors
from ivr.loader import load_files
from tests.fakes.large_flow import large_flow

SHOP = """
flow: shop
numbers: ["100"]
language: en
start: main
nodes:
  main:
    menu:
      prompt: Press one for sales or two for service.
      keys: {"1": sales, "2": service, "3": address}
      invalid: Not that one.
      otherwise: sales
  sales: {say: Sales., next: sales-queue}
  sales-queue: {to_queue: {queue: sales, then: bye, otherwise: {closed: closed, else: nobody}}}
  service: {say: Service., next: service-queue}
  service-queue: {to_queue: {queue: support, then: bye, otherwise: nobody}}
  address: {say: Harbor Lane twelve., next: main}
  closed: {say: We are closed., next: bye}
  nobody: {say: Nobody is free., next: bye}
  bye: {say: Goodbye., next: done}
  done: {hangup: {}}
"""


def loaded(*texts: str) -> Dialplans:
    return load_files({f"{number}.yaml": text.encode() for number, text in enumerate(texts)})


def told(old: str, *changes: tuple[str, str]) -> list[str]:
    new = old
    for before, after in changes:
        assert before in new
        new = new.replace(before, after)
    return [str(difference) for difference in compare(loaded(old), loaded(new))]


# The words


def test_nobody_notices_when_nothing_has_changed() -> None:
    assert compare(loaded(SHOP), loaded(SHOP)) == []


def test_another_text() -> None:
    assert told(SHOP, ("Service.", "Service and repairs.")) == [
        "A caller who dials 100, presses 2: hears “Service and repairs.” instead of “Service.”"
    ]


def test_another_text_after_a_wrong_key() -> None:
    assert told(SHOP, ("Not that one.", "Pardon?")) == [
        "A caller who dials 100: hears “Pardon?” after a wrong answer instead of “Not that one.”"
    ]


def test_of_a_long_text_the_part_that_is_different() -> None:
    many = "one two three four five six seven eight nine ten eleven twelve "
    [line] = told(SHOP.replace("Service.", f"{many}OLD {many}"), ("OLD", "NEW"))
    assert line.endswith("“…eight nine ten eleven twelve NEW one two three four five six seven…”") is False
    assert "NEW" in line
    assert "OLD" in line
    assert len(line) < 250


def test_another_queue() -> None:
    assert told(SHOP, ("queue: support", "queue: sales")) == [
        "A caller who dials 100, presses 2: waits in the queue sales instead of support"
    ]


def test_another_reason_has_a_place_of_its_own() -> None:
    assert told(SHOP, ("otherwise: nobody}", "otherwise: {closed: closed, else: nobody}}")) == [
        "A caller who dials 100, presses 2, finds the queue closed: "
        "reaches “We are closed.” instead of “Nobody is free.”"
    ]


def test_a_key_more_and_a_key_less() -> None:
    assert told(SHOP, (', "3": address', ', "4": service')) == [
        "A caller who dials 100: can now press 4 for “Service.”",
        "A caller who dials 100: can no longer press 3 for “Harbor Lane twelve.”",
    ]


def test_keys_that_changed_places() -> None:
    assert told(SHOP, ('"1": sales, "2": service', '"2": sales, "1": service')) == [
        "A caller who dials 100: finds behind key 2 what was behind key 1",
        "A caller who dials 100: finds behind key 1 what was behind key 2",
    ]


def test_a_key_that_moved_is_not_two_differences() -> None:
    assert told(SHOP, ('"3": address', '"9": address')) == [
        "A caller who dials 100: finds behind key 9 what was behind key 3"
    ]


def test_a_step_that_was_put_in() -> None:
    assert told(SHOP, ("start: main", "start: news\n"), ("nodes:", "nodes:\n  news: {say: News., next: main}")) == [
        "A caller who dials 100: first hears “News.”"
    ]


def test_a_step_that_was_taken_out() -> None:
    assert told(SHOP, ('"1": sales,', '"1": sales-queue,'), ("otherwise: sales\n", "otherwise: sales-queue\n")) == [
        "A caller who dials 100, presses 1: no longer hears “Sales.”"
    ]


def test_numbers() -> None:
    assert told(SHOP, ('["100"]', '["101"]')) == [
        "A caller who dials 100: is no longer answered",
        "A caller who dials 101: is answered now, with the menu “Press one for sales or two for service.”",
    ]


def test_settings() -> None:
    assert told(SHOP, ("otherwise: sales\n", "otherwise: sales\n      timeout: 8s\n      tries: 2\n")) == [
        "A caller who dials 100: has 8 s instead of 5 s to press a key",
        "A caller who dials 100: may try 2 times instead of 3",
    ]


def test_a_difference_is_told_once_where_it_is_met_first() -> None:
    assert told(SHOP, ("Goodbye.", "Bye.")) == [
        "A caller who dials 100, presses 1, has talked with an agent: hears “Bye.” instead of “Goodbye.”"
    ]


def test_what_happens_on_errors() -> None:
    [line] = told(SHOP, ("start: main", "start: main\non_error: nobody"))
    assert (
        line
        == "A caller who dials 100, meets a fault of ours: reaches “Nobody is free.” instead of the end of the call"
    )


LANGUAGES = """
flow: two
numbers: ["100"]
language: en
languages: [en, es]
start: ask
nodes:
  ask: {menu: {prompt: {en: Nine for Spanish., es: Ya.}, keys: {"9": spanish, "1": talk}, otherwise: talk}}
  spanish: {set: {language: es}, next: ask}
  talk: {say: {en: Hello., es: Hola.}, next: done}
  done: {hangup: {}}
"""


def test_in_which_language() -> None:
    assert told(LANGUAGES, ("Hola.", "Buenas.")) == [
        "A caller who dials 100, presses 9, then 1: hears “Buenas.” instead of “Hola.” in Spanish"
    ]


def test_another_language_first() -> None:
    lines = told(LANGUAGES, ("language: en\n", "language: es\n"))
    assert lines[0] == "A caller who dials 100: hears “Ya.” in Spanish instead of “Nine for Spanish.” in English"


DECIDES = """
flow: decides
numbers: ["100"]
language: en
time_zone: America/Bogota
hours:
  shop: {time_zone: America/Bogota, weekly: {mon-fri: ["09:00-18:00"]}}
start: when
nodes:
  when: {hours: shop, open: code, closed: shut, holiday: feast}
  code: {ask: {type: number, prompt: Your number., save: n, min: "1", max: "99"}, next: rich, otherwise: shut}
  rich:
    if: [{when: n > 50, to: gold}, {when: n > 10, to: silver}]
    else: shut
  gold: {say: Gold., next: done}
  silver: {say: Silver., next: done}
  shut: {say: Shut., next: done}
  feast: {say: Feast., next: done}
  done: {hangup: {}}
"""


def test_other_hours() -> None:
    assert told(DECIDES, ("09:00-18:00", "09:00-17:00")) == [
        f"A caller who dials 100: meets other settings: hours {day} is 09:00-17:00 instead of 09:00-18:00"
        for day in ("Friday", "Monday", "Thursday", "Tuesday", "Wednesday")
    ]


def test_other_holidays() -> None:
    [line] = told(DECIDES, ("weekly:", "holidays: {country: CO}, weekly:"))
    assert line.startswith("A caller who dials 100: finds other holidays (new: 2026-01-01, ")


def test_another_condition() -> None:
    assert told(DECIDES, ("n > 50", "n > 60")) == [
        "A caller who dials 100, calls while it is open, gives an answer: reaches “Gold.” on a new condition, `n > 60`",
        "A caller who dials 100, calls while it is open, gives an answer: "
        "no longer reaches “Gold.” on the condition `n > 50`",
    ]


def test_conditions_in_another_order() -> None:
    new = DECIDES.replace(
        "[{when: n > 50, to: gold}, {when: n > 10, to: silver}]",
        "[{when: n > 10, to: silver}, {when: n > 50, to: gold}]",
    )
    assert [one.text for one in compare(loaded(DECIDES), loaded(new))] == ["is asked the conditions in another order"]


# What is no difference


def renamed(text: str, how: str = "x-") -> str:
    """The same flow with another name for every node."""
    plain = yaml.safe_load(text)
    names = {name: f"{how}{number}" for number, name in enumerate(plain["nodes"])}

    def swapped(value: Any, key: str = "") -> Any:
        if isinstance(value, dict):
            return {
                names.get(name, name) if key in {"nodes", "split", "words"} else name: swapped(inner, name)
                for name, inner in value.items()
            }
        if isinstance(value, list):
            return [swapped(inner) for inner in value]
        return names.get(value, value) if key not in {"say", "prompt", "queue", "flow"} else value

    return json.dumps(swapped(plain))


@pytest.mark.parametrize("text", [SHOP, LANGUAGES, DECIDES], ids=["shop", "languages", "decides"])
def test_names_of_nodes_are_no_difference(text: str) -> None:
    assert compare(loaded(text), loaded(renamed(text))) == []


@settings(max_examples=20, deadline=None)
@given(st.integers(min_value=8, max_value=60), st.integers(min_value=1, max_value=1000))
def test_no_flow_differs_from_itself_or_from_itself_renamed(size: int, seed: int) -> None:
    text = large_flow(size, seed)
    assert compare(loaded(text), loaded(text)) == []
    assert compare(loaded(text), loaded(renamed(text))) == []


def test_descriptions_and_nodes_that_nobody_comes_to_are_no_difference() -> None:
    assert told(SHOP, ("flow: shop", "flow: shop\ndescription: Another")) == []
    assert told(SHOP, ("nodes:", "nodes:\n  unused: {say: Unused., next: done}")) == []


def test_a_flow_that_is_cut_in_two_is_no_difference() -> None:
    whole = """
flow: whole
numbers: ["100"]
language: en
start: hello
nodes:
  hello: {say: Hello., next: more}
  more: {say: More., next: bye}
  bye: {say: Bye., next: done}
  done: {hangup: {}}
"""
    main = """
flow: main
numbers: ["100"]
language: en
start: go
nodes:
  go: {goto: hello}
  hello: {say: Hello., next: called}
  called: {call: {flow: sub}, next: bye}
  bye: {say: Bye., next: done}
  done: {hangup: {}}
"""
    sub = """
flow: sub
language: en
start: more
nodes:
  more: {say: More., next: back}
  back: {return: {}}
"""
    assert compare(loaded(whole), loaded(main, sub)) == []
    changed = sub.replace("More.", "Less.")
    assert [str(one) for one in compare(loaded(main, sub), loaded(main, changed))] == [
        "A caller who dials 100: hears “Less.” instead of “More.”"
    ]


# Nothing is missed

EVERYTHING = [
    """
flow: everything
description: Every verb
numbers: ["100"]
language: en
languages: [en, es]
time_zone: America/Bogota
currency: USD
start: opening
on_error: sorry
on_hangup: note
hours: {shop: {time_zone: America/Bogota, weekly: {mon-fri: ["09:00-18:00"]}, days: {"2026-12-24": ["09:00-12:00"]}}}
services: {billing: {url: "https://billing.example.com", headers: {x-key: abc}, timeout: 2s, tries: 3}}
prompts:
  wrong: {en: Not that., es: Eso no.}
nodes:
  opening: {hours: shop, open: trial, closed: closed, holiday: feast}
  trial: {split: {main: 3, pin: 1}}
  main:
    menu:
      prompt: {en: Press a key., es: Oprima una tecla.}
      keys: {"1": billing, "2": queue, "8": asked, "9": spanish, "*": main}
      words: {billing: {en: [billing, my bill], es: [cuenta]}}
      invalid: wrong
      no_input: [{en: "Hello?", es: "Hola?"}, {silence: 300ms}]
      timeout: 4s
      tries: 2
      otherwise: queue
  spanish: {set: {language: es, tier: gold}, next: main}
  billing: {call: {flow: pay, with: {who: "{caller_number}"}, save: {paid: amount}}, next: rich}
  rich:
    if: [{when: paid > 100.0, to: thanks}, {when: paid > 0.0 && tier == "gold", to: queue}]
    else: sorry
  pin:
    ask:
      type: digits
      prompt: {en: Your PIN., es: Su PIN.}
      save: pin
      length: 4-6
      pattern: "[0-9]{4,6}"
      invalid: wrong
      timeout: 9s
      between: 2s
      tries: 2
      confirm: true
    next: day
    otherwise: {no_input: sorry, else: main}
  day:
    ask: {type: date, prompt: {en: "Which day?", es: "Que dia?"}, save: day, format: ddmm, min: today, max: today+30d}
    next: night
    otherwise: sorry
  night: {switch: night-mode, on: closed, off: hold}
  hold: {wait: {for: 10s, music: default}, next: known}
  known: {customer: {number: "{dialled}"}, next: look-up, otherwise: {unknown: nobody, else: sorry}}
  look-up:
    http:
      service: billing
      post: /customers/{caller_number}
      query: {part: "1"}
      body: {number: "{dialled}"}
      save: {level: {from: customer.level, one_of: [gold, blue], default: blue}}
      timeout: 4s
      tries: 2
    next: put-through
    otherwise: {not_found: closed, failed: sorry, else: nobody}
  put-through:
    transfer: {to: "1001", ring: 20s}
    next: asked
    otherwise: {busy: leave, else: promise}
  leave:
    voicemail: {box: office, prompt: {en: Speak now., es: Hable.}, max: 90s, min: 2s, silence: 4s, review: true}
    next: thanks
    otherwise: {no_message: sorry, else: closed}
  asked:
    survey:
      name: after
      questions:
        - {id: content, type: csat, prompt: {en: "How?", es: "Como?"}}
        - {id: again, type: nps, prompt: {en: "Again?", es: "Otra?"}}
      invalid: wrong
      no_input: [{en: "Eh?", es: "Que?"}]
      timeout: 9s
      between: 2s
      tries: 3
    next: thanks
  promise:
    callback: {queue: sales, number: "{dialled}", data: {of: "{dialled}"}}
    next: thanks
    otherwise: {already: away, else: sorry}
  away: {goto: {flow: other}}
  queue:
    to_queue:
      queue: sales
      skills: {must: {spanish: 2}, nice: {bikes: 1}, relax: [{after_s: 30, must: {spanish: 1}}]}
      head_start_s: 60
      prefer: last
      prefer_s: 20
      data: {day: "{day}"}
      keys: {"1": feast}
      keep_place: false
      then: thanks
      otherwise: {closed: closed, full: sorry, else: nobody}
  thanks: {say: {en: "Thanks for {paid}.", es: "Gracias por {paid}."}, bargein: false, next: done}
  closed: {say: {en: "Closed until {opens_on:date}.", es: "Cerrado."}, next: done}
  feast: {say: {es: Feliz.}, language: es, next: done}
  sorry: {say: {en: Sorry., es: Disculpe.}, next: done}
  nobody: {say: {en: Nobody., es: Nadie.}, next: busy}
  note: {set: {left: "1"}, next: done}
  busy: {hangup: {cause: busy}}
  done: {hangup: {}}
""",
    """
flow: pay
params: {who: digits}
returns: {amount: amount}
language: en
languages: [en, es]
start: much
nodes:
  much:
    ask: {type: amount, prompt: {en: "How much, {who}?", es: "Cuanto, {who}?"}, save: n}
    next: back
    otherwise: nothing
  nothing: {set: {n: {expr: "0.0"}}, next: back}
  back: {return: {amount: "{n}"}}
""",
    """
flow: other
numbers: ["102"]
language: en
start: here
nodes:
  here: {say: Elsewhere., next: over}
  over: {hangup: {cause: congestion}}
""",
]

NOT_HEARD = {
    "flow", "description", "tags", "params", "returns", "languages"
}  # fmt: skip
"""Keys whose value alone nobody hears: the other values that they must fit change what is heard."""


def leaves(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from leaves(inner, (*path, index))
    else:
        yield path, value


OTHERS = ("{} else", "{}x", "es", "none", "number", "mmdd", "today+2d", "rejected", "UTC", "1-9", "[0-9]{{3}}", "EUR")
EXPRESSIONS = ("tier == 'x'", "amount == 3.0", "1.0", "{{pin}}", "{{dialled}}")


def others(value: str, nodes: list[str]) -> Iterator[str]:
    """Values that could stand in the place of one; some do not fit."""
    if value in nodes:
        yield from (node for node in nodes if node != value)
    elif value.isdecimal():
        yield from ("3", "1002")
    elif value in {"true", "false"}:
        yield from {"true", "false"} - {value}
    elif value[0].isdecimal() and value[-1] in "sm":
        yield "7s"
    elif value[0].isdecimal() and ":" in value:
        yield "08:00-11:00"
    else:
        yield from (text.format(value) for text in (*OTHERS, *EXPRESSIONS))


def mutants(texts: list[str]) -> Iterator[tuple[str, list[tuple[str, list[str]]]]]:
    """For every value, the sets in which it is another one, and for every key the set without it."""
    plain = [yaml.load(text, Loader=yaml.BaseLoader) for text in texts]
    for index, file in enumerate(plain):
        paths = [path for path, _ in leaves(file) if is_heard(path)]
        for path, value in leaves(file):
            if is_heard(path):
                tried = [other for other in others(value, list(file["nodes"])) if other != value]
                yield f"{file['flow']}: {path}", [(other, changed(plain, index, path, other)) for other in tried]
        for path in dict.fromkeys(one[:length] for one in paths for length in range(1, len(one) + 1)):
            if isinstance(path[-1], str) and len(path) != 2:  # a node that is left out never loads
                yield f"{file['flow']}: without {path}", [("", changed(plain, index, path, None))]


def is_heard(path: tuple[str | int, ...]) -> bool:
    return path[0] not in NOT_HEARD and path[-1] not in {"description", "tags"}


def changed(plain: list[Any], index: int, path: tuple[str | int, ...], value: Any) -> list[str]:
    copied = copy.deepcopy(plain)
    at = copied[index]
    for part in path[:-1]:
        at = at[part]
    if value is None:
        del at[path[-1]]
    else:
        at[path[-1]] = value
    return [json.dumps(file) for file in copied]


SAME_ALTHOUGH = {
    "everything: ('nodes', 'pin', 'ask', 'prompt', 'es')": "nobody is asked for the PIN in Spanish",
    "everything: ('nodes', 'day', 'ask', 'prompt', 'es')": "nor for a day",
    "everything: ('nodes', 'leave', 'voicemail', 'prompt', 'es')": "nor for a message",
    "pay: ('language',)": "whoever comes from another flow keeps their language",
}


def test_every_single_change_that_loads_is_told() -> None:
    """Whatever value of a set of flows with every verb is changed, or left out: some caller is told of."""
    before = loaded(*EVERYTHING)
    tried: set[str] = set()
    missed: set[str] = set()
    for name, sets in mutants(EVERYTHING):
        for _, texts in sets:
            try:
                after = loaded(*texts)
            except DialplanErrors:
                continue
            tried.add(name)
            if not compare(before, after):
                missed.add(name)
            break
    assert missed == SAME_ALTHOUGH.keys()
    assert len(tried) > 150


def test_two_large_flows_are_compared_in_reasonable_time() -> None:
    text = large_flow(1000)
    before, after = loaded(text), loaded(renamed(text))
    begun = time.monotonic()
    assert compare(before, after) == []
    assert time.monotonic() - begun < 10


# The command


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    old, new = tmp_path / "old", tmp_path / "new"
    for folder, text in ((old, SHOP), (new, SHOP.replace("Service.", "Repairs."))):
        folder.mkdir()
        (folder / "shop.yaml").write_text(text)
    return old, new


def test_the_command_says_that_nobody_would_notice(files: tuple[Path, Path]) -> None:
    run = CliRunner().invoke(app, ["dialplan", "diff", str(files[0]), str(files[0] / "shop.yaml")])
    assert (run.exit_code, run.output) == (0, "No caller would notice.\n")


def test_the_command_groups_by_caller(files: tuple[Path, Path]) -> None:
    run = CliRunner().invoke(app, ["dialplan", "diff", *map(str, files)])
    assert run.exit_code == 1
    assert run.output == "A caller who dials 100, presses 2:\n  hears “Repairs.” instead of “Service.”\n"


def test_the_command_for_machines(files: tuple[Path, Path]) -> None:
    run = CliRunner().invoke(app, ["dialplan", "diff", "--json", *map(str, files)])
    assert run.exit_code == 1
    assert json.loads(run.output) == {
        "same": False,
        "differences": [
            {
                "caller": "A caller who dials 100, presses 2",
                "way": ["dials 100", "presses 2"],
                "what": "hears",
                "text": "hears “Repairs.” instead of “Service.”",
                "old_node": "shop/service",
                "new_node": "shop/service",
                "about": "say en",
            }
        ],
    }


def test_the_command_refuses_what_does_not_load(files: tuple[Path, Path]) -> None:
    (files[1] / "shop.yaml").write_text("flow: shop\n")
    run = CliRunner().invoke(app, ["dialplan", "diff", *map(str, files)])
    assert run.exit_code == 2
    assert "shop.yaml:1:1" in run.output


def test_a_difference_as_text() -> None:
    assert str(Difference(("dials 1", "presses 2", "presses 3"), "hears", "hears it")) == (
        "A caller who dials 1, presses 2, then 3: hears it"
    )
