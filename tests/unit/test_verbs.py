"""The verbs that decide and lead: if, hours, split, switch, wait, goto, call and return, and what hanging up does."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from ivr.effects import Break, End, Music, StartTimer
from ivr.errors import DialplanErrors
from ivr.inputs import ENDED, CallFacts
from ivr.interpreter import begin
from ivr.values import Kind
from tests.fakes.flow_caller import FlowCaller, flow_of
from tests.fakes.surroundings import AROUND

HEAD = """
flow: {name}
numbers: [{numbers}]
language: en
start: start
"""


def text(nodes: str, name: str = "test", numbers: str = '"1"', head: str = "") -> str:
    return HEAD.format(name=name, numbers=numbers) + head + "nodes:\n" + nodes + "\n  done: {hangup: {}}\n"


def walk(nodes: str, head: str = "") -> FlowCaller:
    return FlowCaller(flow_of(text(nodes, head=head)))


# if and set


@pytest.mark.parametrize(("age", "went"), [("9#", "2"), ("21#", "1"), ("17#", "else")])
def test_the_first_true_condition_decides(age: str, went: str) -> None:
    called = walk("""
  start: {ask: {type: number, prompt: Age., save: age}, next: judge, otherwise: done}
  judge:
    if:
      - {when: age >= 18 && age < 100, to: done}
      - {when: age < 13, to: done}
    else: done""").starts()
    called.listens().presses(age)
    assert called.went[-1] == f"judge.{went}"


def test_what_is_worked_out_has_a_kind() -> None:
    flow = flow_of(
        text(
            """
  start: {ask: {type: amount, prompt: Amount., save: paid}, next: sum, otherwise: done}
  sum: {set: {rest: {expr: "100.0 - paid"}, enough: {expr: paid >= 100.0}, half: {expr: rest / 2.0}}, next: tell}
  tell: {say: "You still owe {rest:money}.", next: done}""",
            head="currency: USD\n",
        )
    )
    assert (flow.kinds["rest"], flow.kinds["enough"], flow.kinds["half"]) == (Kind.AMOUNT, Kind.YES_NO, Kind.AMOUNT)
    called = FlowCaller(flow).starts().listens().presses("60*50#")
    assert called.variable("rest") == 39.5
    assert called.heard[-1] == "You still owe thirty-nine dollars and fifty cents"


def test_an_expression_without_a_value_is_an_error_of_the_flow() -> None:
    nodes = """
  start: {ask: {type: number, prompt: N., save: n}, next: divide, otherwise: done}
  divide: {set: {share: {expr: 10 / n}}, next: done}
  sorry: {say: Sorry., next: done}"""
    called = walk(nodes, head="on_error: sorry\n").starts().listens().presses("0#")
    assert called.heard[-1] == "Sorry."
    assert called.position.errors == 1


def test_a_text_that_is_written_in_the_flow_can_be_spoken() -> None:
    called = walk("""
  start: {set: {plan: the gold plan}, next: tell}
  tell: {say: "You have {plan}.", next: done}""").starts()
    assert called.heard == ["You have the gold plan"]


# hours


HOURS = """
hours:
  shop: {time_zone: America/Bogota, weekly: {mon-fri: ["09:00-18:00"]}, days: {2026-12-25: []}}
"""
SHOP = """
  start: {hours: shop, open: done, closed: tell, holiday: feast}
  tell: {say: "We open {opens_on}, {opens_at}.", next: done}
  feast: {say: Happy holidays., next: done}"""


@pytest.mark.parametrize(
    ("at", "label"),
    [
        ("2026-12-24 17:59", "open"),
        ("2026-12-24 18:00", "closed"),
        ("2026-12-25 10:00", "holiday"),
        ("2026-12-26 10:00", "closed"),
    ],
)
def test_hours_by_the_clock_of_their_zone(at: str, label: str) -> None:
    called = walk(SHOP, HOURS)
    instant = datetime.fromisoformat(at).replace(tzinfo=ZoneInfo("America/Bogota")).timestamp()
    called.around.at = lambda: instant
    called.starts()
    assert called.went[0] == f"start.{label}"
    if label == "closed" and at.startswith("2026-12-26"):
        assert called.variable("opens_on") == "2026-12-28"
        assert called.variable("opens_at") == "09:00"
        assert called.heard == ["We open Monday, December twenty-eighth nine a.m."], "a near day needs no year"


# split, switch


def test_shares_of_the_callers_go_each_way() -> None:
    flow = flow_of(
        text("""
  start: {split: {a: 30, b: 70}}
  a: {hangup: {}}
  b: {goto: done}""")
    )
    drawn = [begin(flow, CallFacts(call_id=f"call-{n}"), AROUND) for n in range(2000)]
    counts = Counter(step.position.node for step in drawn)
    assert counts["a"] == pytest.approx(600, abs=80)
    again = begin(flow, CallFacts(call_id="call-7"), AROUND)
    assert again.position == drawn[7].position


def test_two_splits_draw_independently() -> None:
    flow = flow_of(
        text("""
  start: {split: {a: 1, b: 1}}
  a: {split: {c: 1, d: 1}}
  b: {split: {c: 1, d: 1}}
  c: {hangup: {}}
  d: {goto: done}""")
    )
    counts: Counter[str] = Counter()
    for n in range(800):
        called = FlowCaller(flow, CallFacts(call_id=f"call-{n}")).starts()
        counts[" ".join(called.nodes[1:3])] += 1
    assert all(count > 140 for count in counts.values())
    assert len(counts) == 4


def test_a_switch_is_looked_at_when_the_caller_comes() -> None:
    nodes = """
  start: {switch: outage, on: notice, off: done}
  notice: {say: There is an outage., next: done}"""
    called = walk(nodes)
    called.around.on.add("outage")
    assert called.starts().heard == ["There is an outage."]
    assert walk(nodes).starts().went == ["start.off"]


# wait


def test_a_wait_lets_time_pass_with_music() -> None:
    called = walk("""
  start: {wait: {for: 10s, music: jazz}, next: next}
  next: {wait: 2s, next: done}""").starts()
    assert [effect.seconds for effect in called.effects if isinstance(effect, StartTimer)] == [10]
    assert called.last(Music) == Music("jazz")
    called.presses("1").stays_silent()
    assert called.last(Music) == Music("")
    assert called.position.typed == "1"
    assert called.stays_silent().nodes == ["start", "next", "done"]


# call, return, goto


MAIN = text("""
  start: {call: {flow: ask-code, with: {digits: "2"}, save: {code: typed, good: ok}}, next: judge}
  judge: {if: [{when: good, to: tell}], else: done}
  tell: {say: "Your code is {code}.", next: done}""")
SUB = """
flow: ask-code
language: en
params: {digits: number}
returns: {typed: digits, ok: yes_no}
start: ask
nodes:
  ask: {ask: {type: digits, length: 2, prompt: Your code., save: code}, next: good, otherwise: bad}
  good: {return: {typed: "{code}", ok: "yes"}}
  bad: {return: {typed: "", ok: "no"}}
"""


def test_a_flow_is_called_and_gives_back() -> None:
    called = FlowCaller(flow_of(MAIN, SUB)).starts().listens()
    assert called.position.flow == "ask-code"
    assert dict(called.position.variables) == {"digits": 2}
    called.presses("42")
    assert called.heard[-1] == "Your code is four two"
    assert dict(called.position.variables) == {"code": "42", "good": True}
    assert called.position.frames == ()


def test_a_successor_finds_the_way_back() -> None:
    flow = flow_of(MAIN, SUB)
    memory = FlowCaller(flow).starts().listens().position.to_memory()
    called = FlowCaller(flow).resumes(memory).listens().presses("42")
    assert called.heard[-1] == "Your code is four two"


@pytest.mark.parametrize(
    "broken", [{"c": []}, {"c": [["", "tell", {}]]}, {"c": [["gone", "x", {}]]}, {"c": 7}, {"f": "gone"}]
)
def test_a_way_back_that_is_none_begins_at_the_start(broken: dict[str, object]) -> None:
    flow = flow_of(MAIN, SUB)
    memory = FlowCaller(flow).starts().listens().position.to_memory() | broken
    called = FlowCaller(flow).resumes(memory)
    assert called.nodes[0] == "start"


def test_an_error_in_a_called_flow_is_handled_by_who_called_it() -> None:
    sub = """
flow: divide
language: en
params: {n: number}
start: work
nodes:
  work: {set: {x: {expr: 1 / n}}, next: back}
  back: {return: {}}
"""
    main = text(
        """
  start: {call: {flow: divide, with: {n: "0"}}, next: done}
  sorry: {say: Sorry., next: done}""",
        head="on_error: sorry\n",
    )
    called = FlowCaller(flow_of(main, sub)).starts()
    assert called.heard == ["Sorry."]
    assert called.position.flow == ""


def test_goto_another_flow_is_for_good() -> None:
    main = text("""
  start: {set: {x: "1"}, next: away}
  away: {goto: {flow: other}}""")
    other = text(
        """
  start: {say: Other., next: done}""",
        name="other",
        numbers='"2"',
    )
    dialplans = flow_of(main, other, name="test")
    called = FlowCaller(dialplans).starts()
    assert (called.heard, called.position.variables, called.position.flow) == (["Other."], (), "other")
    assert called.listens().position.stage == ENDED


def test_flows_that_lead_into_each_other_are_linked() -> None:
    first = text(
        """
  start: {say: One., next: away}
  away: {goto: {flow: second}}""",
        name="first",
    )
    second = text(
        """
  start: {menu: {prompt: Two., keys: {"1": away}, otherwise: done}}
  away: {goto: {flow: first}}""",
        name="second",
        numbers='"2"',
    )
    called = FlowCaller(flow_of(first, second, name="first")).starts()
    called.listens().presses("1").listens()
    assert called.heard == ["One.", "Two.", "One.", "Two."]


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ("{flow: ask-cod, with: {digits: '2'}}", "there is no flow 'ask-cod' (did you mean 'ask-code'?)"),
        ("{flow: ask-code, with: {digits: two}}", "'two' is no number"),
        ("{flow: ask-code}", "flow 'ask-code' needs 'digits'"),
        ("{flow: ask-code, with: {digits: '2', more: '1'}}", "flow 'ask-code' has no 'more'"),
        ("{flow: ask-code, with: {digits: '2'}, save: {x: typd}}", "flow 'ask-code' returns no 'typd'"),
        ("{flow: ask-code, with: {digits: '{caller_name}'}}", "{caller_name} is a text, and a number is needed"),
    ],
)
def test_a_call_that_does_not_fit_is_refused(call: str, said: str) -> None:
    main = text(f"""
  start: {{call: {call}, next: done}}""")
    with pytest.raises(DialplanErrors) as refused:
        flow_of(main, SUB)
    assert any(said in str(problem) for problem in refused.value.problems), refused.value


# hanging up


LEAVING = text(
    """
  start: {menu: {prompt: Menu., keys: {"1": start}, otherwise: done}}
  left: {set: {gone: "1"}, next: more}
  more: {if: [{when: gone == "1", to: done}], else: done}""",
    head="on_hangup: left\n",
)


def test_a_caller_who_hangs_up_is_followed_by_on_hangup() -> None:
    called = FlowCaller(flow_of(LEAVING)).starts()
    called.hangs_up()
    assert called.variable("gone") == "1"
    assert called.nodes == ["start", "left", "more", "done"]
    assert called.position.stage == ENDED
    assert isinstance(called.step.effects[-1], End)
    assert called.hangs_up().step.effects == ()


def test_without_on_hangup_the_flow_is_over() -> None:
    called = walk("\n  start: {say: Hello., next: done}").starts().hangs_up()
    assert called.position.stage == ENDED
    assert called.last(Break) is None
