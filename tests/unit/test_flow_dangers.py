"""What could go wrong in a flow that is right: keys nobody expects, a link lost at the worst moment, a long memory."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cordboard.memory import Memory, Phase
from ivr.effects import Break, End, EnterQueue, NoteEvent, Request
from ivr.errors import DialplanErrors
from ivr.inputs import Frame, Position
from ivr.interpreter import resume
from ivr.values import Kind, kept, read, shown
from ivr.walk import MAX_FRAMES, Walk
from pbx.actions import MAX_MEMORY
from pbx.facts import Origin
from tests.fakes.brain import Brain, FakePbx
from tests.fakes.flow_caller import CALL, FlowCaller, flow_of
from tests.fakes.surroundings import AROUND
from tests.fakes.virtual_time import VirtualTime

ASK = """
flow: test
numbers: ["1"]
language: en
currency: USD
start: ask
nodes:
  ask:
    ask: {{prompt: Enter it., save: x, {asked}}}
    next: choose
    otherwise: wrong
  choose: {{menu: {{prompt: Choose., keys: {{"1": done, "#": hash}}, otherwise: done}}}}
  hash: {{hangup: {{}}}}
  wrong: {{hangup: {{cause: busy}}}}
  done: {{hangup: {{}}}}
"""


def asking(asked: str, typed: str = "") -> FlowCaller:
    return FlowCaller(flow_of(ASK.format(asked=asked)), typed=typed).starts()


# keys -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "keys"),
    [
        ("type: number, length: 3", "1A3"),
        ("type: number, length: 3, end: none", "1#3"),
        ('type: number, length: 3, end: "*"', "1#3"),
        ("type: digits, length: 4, check: luhn", "11B1"),
        ("type: digits, length: 3", "1D2"),
        ("type: digits, length: 3, end: none", "1#2"),
        ("type: yes_no", "A"),
        ("type: date, format: ddmm", "24C2"),
        ("type: amount", "1A#"),
    ],
)
def test_keys_that_are_no_digits_are_no_answer_and_break_nothing(asked: str, keys: str) -> None:
    caller = asking(asked).listens().presses(keys)
    assert caller.outcomes() == ["invalid"]
    assert caller.variable("x") is None


def test_who_ends_a_full_answer_by_the_end_key_hears_the_confirmation_again_not_the_question() -> None:
    caller = asking("type: digits, length: 4, confirm: true").listens().presses("1234#")
    question, *confirmations = caller.heard
    assert question == "Enter it."
    assert len(confirmations) == 2
    assert len({*confirmations}) == 1
    assert caller.nodes == ["ask"]
    assert caller.listens().presses("1").position.node == "choose"
    assert caller.variable("x") == "1234"


def test_the_end_key_after_a_full_answer_that_is_wrong_gives_no_more_tries() -> None:
    caller = asking("type: digits, length: 4, check: luhn, invalid: Wrong., tries: 2").listens()
    caller.presses("1234#")
    assert caller.heard == ["Enter it.", "Wrong.", "Wrong."]
    caller.listens().presses("1235#")
    assert caller.outcomes() == ["invalid", "invalid", "too_many"]


def test_an_end_key_typed_ahead_is_used_up_by_its_own_answer() -> None:
    caller = asking("type: digits, length: 2", typed="12#").listens()
    assert caller.position.node == "choose"
    assert caller.presses("#").position.node == "hash"


def test_a_menu_with_the_end_key_takes_it_once_it_was_heard() -> None:
    caller = asking("type: digits, length: 2").listens().presses("12")
    assert caller.heard[-1] == "Choose."
    assert caller.listens().presses("#").position.node == "hash"


def test_what_is_left_of_an_answer_is_no_key_of_the_menu_that_follows() -> None:
    caller = asking("type: digits, length: 2").listens().presses("12#")
    assert caller.position.node == "choose"
    assert caller.heard[-2:] == ["Choose.", "Choose."]


def test_keys_pressed_while_another_system_is_asked_are_kept() -> None:
    caller = FlowCaller(
        flow_of("""
flow: test
numbers: ["1"]
language: en
start: look
services: {crm: {url: https://crm.example.com}}
nodes:
  look: {http: {service: crm, get: /x}, next: choose, otherwise: choose}
  choose: {menu: {prompt: Choose., keys: {"1": done, "2": two}, otherwise: done}}
  two: {hangup: {}}
  done: {hangup: {}}
""")
    ).starts()
    assert caller.presses("2").is_answered().position.node == "two"


def test_keys_typed_ahead_of_a_confirmation_are_used_or_forgotten_like_any_others() -> None:
    caller = asking("type: digits, length: 2, confirm: true", typed="1223451").listens()
    assert caller.variable("x") == "34"  # 12, no: 34, and 5 is no answer to the confirmation, nor is what came after it
    assert len(caller.heard) == 3
    assert "Enter it." not in caller.heard
    assert caller.position.typed == ""
    assert caller.presses("1").position.node == "choose"


def test_what_was_not_confirmed_is_no_answer_to_on_hangup() -> None:
    caller = FlowCaller(
        flow_of("""
flow: test
numbers: ["1"]
language: en
currency: USD
start: ask
on_hangup: tell
services: {crm: {url: https://crm.example.com}}
nodes:
  ask: {ask: {prompt: How much?, type: amount, save: sum, confirm: true}, next: done, otherwise: done}
  tell: {http: {service: crm, post: /left, body: {sum: "{sum}"}}, next: done, otherwise: done}
  done: {hangup: {}}
""")
    ).starts()
    caller.listens().presses("500#").listens().hangs_up()
    assert caller.last(Request).what.body == {"sum": 0.0}


# sub-flows ------------------------------------------------------------------------------------------------------------

MAIN = """
flow: main
numbers: ["1"]
language: es
start: sub
on_hangup: left
services: {crm: {url: https://crm.example.com}}
nodes:
  sub: {call: {flow: inner}, next: order}
  order: {http: {service: crm, post: /order}, next: bye, otherwise: bye}
  bye: {say: Adiós., next: done}
  left: {http: {service: crm, post: /left}, next: done, otherwise: done}
  done: {hangup: {}}
"""
INNER = """
flow: inner
language: en
start: hello
nodes:
  hello: {say: Hello., next: back}
  back: {return: }
"""


def test_the_callers_language_is_back_after_a_flow_that_does_not_speak_it() -> None:
    caller = FlowCaller(flow_of(MAIN, INNER)).starts()
    assert caller.position.language == "en"
    caller.listens().is_answered()
    assert caller.heard == ["Hello.", "Adiós."]
    assert caller.position.language == "es"


def test_and_after_a_restart_in_its_midst() -> None:
    flow = flow_of(MAIN, INNER)
    caller = FlowCaller(flow).starts()
    caller.resumes(json.loads(json.dumps(caller.position.to_memory()))).listens().is_answered()
    assert caller.heard[-1] == "Adiós."


def test_a_language_chosen_in_a_called_flow_stays_when_it_can() -> None:
    main = MAIN.replace("language: es", "language: es\nlanguages: [es, en, fr]").replace(
        "say: Adiós.", "say: {es: Adiós., en: Bye., fr: Adieu.}"
    )
    inner = INNER.replace("language: en", "language: en\nlanguages: [en, es, fr]").replace(
        "say: Hello., next: back", "say: {en: Hello., es: Hola., fr: Salut.}, next: choose"
    )
    caller = FlowCaller(flow_of(main, inner + "  choose: {set: {language: fr}, next: back}\n")).starts()
    assert caller.listens().is_answered().heard == ["Hola.", "Adieu."]


def test_who_hangs_up_in_a_called_flow_gives_no_order_of_the_calling_one() -> None:
    """A return from `on_hangup` does not go on as if the caller were there."""
    inner = INNER.replace("start: hello", "start: hello\non_hangup: back")
    left = "  left: {http: {service: crm, post: /left}, next: done, otherwise: done}\n"
    main = MAIN.replace("on_hangup: left\n", "").replace(left, "")
    caller = FlowCaller(flow_of(main, inner)).starts().hangs_up()
    assert caller.last(Request) is None
    assert caller.last(End) is not None
    # The calling flow's own `on_hangup` still has its turn, once.
    caller = FlowCaller(flow_of(MAIN, inner)).starts().hangs_up()
    assert caller.last(Request).what.url == "https://crm.example.com/left"
    assert caller.last(End) is None
    assert caller.is_answered().last(End) is not None


def deep(levels: int) -> list[str]:
    """Flows that call each other in a row. The first one has a number."""
    files = []
    for level in range(levels):
        numbers = 'numbers: ["1"]\n' if level == 0 else ""
        calls = f"call: {{flow: f{level + 1}}}, next: b" if level < levels - 1 else "say: Hello., next: b"
        nodes = f"  a: {{{calls}}}\n  b: {{return: }}\n  e: {{hangup: {{}}}}\n"
        files.append(f"flow: f{level}\n{numbers}language: en\nstart: a\non_error: e\nnodes:\n{nodes}")
    return files


def test_flows_within_flows_have_an_end() -> None:
    caller = FlowCaller(flow_of(*deep(MAX_FRAMES + 1), name="f0")).starts()
    assert caller.heard == ["Hello."]
    assert len(caller.position.frames) == MAX_FRAMES
    with pytest.raises(DialplanErrors, match=f"more than {MAX_FRAMES} flows within each other"):
        flow_of(*deep(MAX_FRAMES + 2))
    # What was loaded is believed by nobody:
    flow = flow_of(*deep(3))
    position = Position("a", "en", flow="f1", frames=(Frame("", "a"),) * MAX_FRAMES)
    walk = Walk(flow, CALL, position, AROUND)
    walk.call_flow("f2", {})
    assert walk.target == "e"
    assert [effect.data["reason"] for effect in walk.effects if isinstance(effect, NoteEvent)] == [
        f"more than {MAX_FRAMES} flows within each other"
    ]


def test_a_place_whose_caller_is_another_node_now_is_no_place_to_come_back_to() -> None:
    flow = flow_of(MAIN.replace("call: {flow: inner}, next: order", "goto: {flow: inner}"), INNER)
    position = Position("hello", "en", flow="inner", frames=(Frame("", "sub"),))
    caller = FlowCaller(flow)
    caller.takes(resume(flow, CALL, position, AROUND)).listens()
    assert caller.nodes[0] == "sub"


# secrets --------------------------------------------------------------------------------------------------------------

PAY = """
flow: pay
numbers: ["1"]
language: en
start: card
services: {bank: {url: https://bank.example.com}}
nodes:
  card: {ask: {prompt: Your card., type: digits, length: 4, save: card, secure: true}, next: AFTER, otherwise: bye}
  note: {http: {service: bank, post: /note}, next: moment, otherwise: moment}
  moment: {say: One moment., next: charge}
  queue: {to_queue: {queue: sales, then: bye, otherwise: bye}}
  charge: {http: {service: bank, post: /charge, body: {card: "{card}"}}, next: bye, otherwise: failed}
  failed: {say: It failed., next: bye}
  bye: {hangup: {}}
"""


def paying(after: str) -> FlowCaller:
    written = PAY.replace("AFTER", after)
    keep = {"moment": ("note", "queue"), "note": ("queue",), "queue": ("note", "moment", "charge", "failed")}[after]
    lines = [line for line in written.splitlines() if not line.startswith(tuple(f"  {node}:" for node in keep))]
    caller = FlowCaller(flow_of("\n".join(lines)))
    return caller.starts().listens().presses("4242")


def test_a_link_lost_and_found_does_not_lose_what_is_secure() -> None:
    caller = paying("moment")
    caller.takes(resume(caller.flow, caller.call, caller.position, AROUND)).listens()
    assert caller.last(Request).what.body == {"card": "4242"}


def test_what_is_secure_and_was_forgotten_is_not_sent_empty() -> None:
    caller = paying("moment").listens().is_answered("failed")
    assert caller.heard[-1] == "It failed."
    position = Position("moment", "en")
    caller.takes(resume(caller.flow, caller.call, position, AROUND)).listens()
    assert len([effect for effect in caller.effects if isinstance(effect, Request)]) == 1
    assert caller.heard[-1] == "It failed."


def test_an_order_is_not_given_again_by_going_back_to_a_secure_question() -> None:
    caller = paying("note")
    assert caller.position.node == "note"
    assert caller.position.to_memory()["n"] == "note"
    caller.is_answered()
    assert caller.position.to_memory()["n"] == "moment"


def test_who_waits_for_an_agent_waits_there_after_a_restart() -> None:
    caller = paying("queue")
    assert caller.last(EnterQueue) is not None
    assert caller.position.to_memory()["n"] == "queue"


# memory ---------------------------------------------------------------------------------------------------------------

LONG = """
flow: bill
numbers: ["1"]
language: en
currency: USD
start: ask
on_error: broken
services: {bank: {url: https://bank.example.com}}
nodes:
  ask: {ask: {prompt: How much?, type: amount, save: sum}, next: look, otherwise: done}
  look:
    http: {service: bank, get: /x, save: {a: a, b: b, c: c, d: d, e: e, f: f, g: g}}
    next: sure
    otherwise: done
  sure: {menu: {prompt: "Pay {sum}?", keys: {"1": pay, "2": done, "3": tell, "4": hear}, otherwise: done}}
  pay: {http: {service: bank, post: /pay, body: {sum: "{sum}"}}, next: done, otherwise: done}
  tell: {http: {service: bank, put: /tell, body: {text: "{a}"}}, next: done, otherwise: done}
  hear: {say: "It reads {a:spell}.", next: done}
  broken: {say: Sorry., next: done}
  done: {hangup: {}}
"""


def remembered(position: Position) -> dict[str, Any]:
    """What a successor finds on the channel."""
    text = Memory(Phase.FLOW, 1.0, Origin.PUBLIC, "1", "bill", position=position.to_memory()).dump()
    assert len(text) <= MAX_MEMORY
    memory = Memory.load(text)
    assert memory is not None
    assert memory.position is not None
    return memory.position


def at_sure(**values: str) -> FlowCaller:
    caller = FlowCaller(flow_of(LONG)).starts().listens().presses("12*50#")
    return caller.is_answered(**{name: values.get(name, "") for name in "abcdefg"})


def test_what_is_short_is_kept_when_what_is_long_cannot_be() -> None:
    caller = at_sure(a="x" * 120, b="ñ" * 120, c="y" * 90)
    caller.resumes(remembered(caller.position)).listens()
    assert caller.variable("sum") == 12.5
    assert caller.presses("1").last(Request).what.body == {"sum": 12.5}


def test_what_was_lost_is_not_taken_for_empty() -> None:
    caller = at_sure(a="ñ" * 120, b="x" * 120)
    memory = remembered(caller.position)
    asked = caller.last(Request)
    caller.resumes(memory).listens().presses("3")
    assert caller.last(Request) is asked
    assert caller.went[-1] == "tell.otherwise"
    caller.resumes(memory).listens().presses("4")
    assert caller.heard[-1] == "Sorry."


def test_without_a_place_for_errors_the_flow_begins_again() -> None:
    text = LONG.replace("on_error: broken\n", "").replace("  broken: {say: Sorry., next: done}\n", "")
    caller = FlowCaller(flow_of(text)).resumes({"n": "hear", "l": "en", "v": {"a": None, "sum": 5.0}})
    assert caller.heard == ["How much?"]
    assert caller.position.variables == ()
    assert caller.last(Break) is None


def test_an_agent_sees_what_is_left_of_what_was_known() -> None:
    queue = "queue: {to_queue: {queue: sales, data: {what: '{a}', sum: '{sum}'}, then: done, otherwise: done}}"
    text = LONG.replace('"4": hear}', '"4": hear, "5": queue}').replace("  broken:", f"  {queue}\n  broken:")
    caller = FlowCaller(flow_of(text)).resumes({"n": "queue", "l": "en", "v": {"a": None, "sum": 5.0}})
    assert caller.last(EnterQueue).handover.data == (("what", ""), ("sum", "5.00"))


def test_what_was_lost_is_known_again_once_it_is_set() -> None:
    memory = {"n": "ask", "l": "en", "v": {"sum": None, "a": "x"}}
    caller = FlowCaller(flow_of(LONG)).resumes(memory).listens().presses("7#")
    caller.is_answered(**dict.fromkeys("abcdefg", "x"))
    assert caller.heard[-1] == "Pay seven dollars"
    assert caller.position.lost == ()


def test_an_amount_whose_kind_has_changed_is_lost_not_empty() -> None:
    caller = FlowCaller(flow_of(LONG)).resumes({"n": "sure", "l": "en", "v": {"sum": "12"}})
    assert caller.heard == ["Sorry."]


def test_what_flows_that_wait_know_is_shortened_as_well() -> None:
    values = tuple((f"long_name_{n}", "ñ" * 120) for n in range(8))
    position = Position(
        "a", "en", flow="f2", frames=(Frame("", "a", values), Frame("f1", "b", values)), variables=values
    )
    text = Memory(Phase.FLOW, 1.0, Origin.PUBLIC, "1", "f0", position=position.to_memory()).dump()
    assert len(text) <= MAX_MEMORY
    memory = Memory.load(text)
    assert memory is not None
    assert memory.position is not None
    again = Position.from_memory(memory.position)
    assert (again.node, again.flow, len(again.frames)) == ("a", "f2", 2)
    assert again.lost
    assert again.frames[0].lost


# numbers --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "kept_as"),
    [(0.1 + 0.2, 0.3), (2.675, 2.68), (-2.675, -2.68), (-0.001, 0.0), (1e300, 1e300), (5, 5.0), (0.005, 0.01)],
)
def test_an_amount_has_two_decimals_wherever_it_came_from(value: float, kept_as: float) -> None:
    """Compared, shown, sent and spoken it is the same."""
    amount = kept(value, Kind.AMOUNT)
    assert amount == kept_as
    assert shown(amount)[:2] != "-0"
    if abs(value) < 1e9:
        assert shown(float(amount)) == f"{kept_as:.2f}"


def test_what_was_worked_out_is_compared_as_it_is_said() -> None:
    text = """
flow: sums
numbers: ["1"]
language: en
currency: USD
start: ask
nodes:
  ask: {ask: {type: amount, save: paid, prompt: How much?}, next: add, otherwise: no}
  add: {set: {sum: {expr: paid + 0.2}}, next: judge}
  judge: {if: [{when: sum == 0.3, to: yes}], else: no}
  "yes": {say: "{sum}.", next: no}
  "no": {hangup: {}}
"""
    caller = FlowCaller(flow_of(text)).starts().listens().presses("0*10#")
    assert caller.nodes[-1] == "yes"


def test_a_number_that_no_condition_could_hold_is_refused() -> None:
    with pytest.raises(DialplanErrors, match="a number has at most 15 digits"):
        flow_of(ASK.format(asked="type: number, length: 4-20"))


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("2026-12-24", Kind.DATE, "2026-12-24"),
        ("2026-02-30", Kind.DATE, None),
        ("tomorrow", Kind.DATE, None),
        ("", Kind.DATE, ""),
        ("17:59", Kind.TIME, "17:59"),
        ("24:00", Kind.TIME, None),
        ("soon", Kind.TIME, None),
        ("1899-12-31", Kind.DATE, "1899-12-31"),
    ],
)
def test_written_dates_and_times_are_some(text: str, kind: Kind, value: str | None) -> None:
    assert read(text, kind) == value


# a link that is lost, a service that is killed ------------------------------------------------------------------------

ORDER = """
flow: test
numbers: ["100"]
language: en
start: hello
services: {bank: {url: https://bank.example.com}}
nodes:
  hello: {say: Hello, next: pay}
  pay: {http: {service: bank, post: /pay}, next: paid, otherwise: unsure}
  paid: {say: Paid, next: done}
  unsure: {say: Unsure, next: done}
  done: {hangup: {}}
"""


def ordering() -> Brain:
    brain = Brain(FakePbx(VirtualTime()), agents=(), text=ORDER)
    brain.pbx.call("c1")
    brain.time.advance(1.5)
    assert len(brain.outside.asked) == 1
    return brain


@pytest.mark.parametrize("killed", [False, True])
def test_an_order_under_way_is_not_given_again_and_its_late_answer_is_nobodys(*, killed: bool) -> None:
    brain = after = ordering()
    (asked,) = brain.outside.asked
    if killed:
        brain.killed()
        after = brain.successor(agents=(), text=ORDER)
    else:
        brain.lose_link()
        assert asked.cancelled
        brain.restore_link()
        asked.answer()
    after.time.settle()
    assert after.outside.asked == ([] if killed else [asked])
    assert after.heard("c1")[-1] == "Unsure"
    after.time.advance(5)
    assert after.ended("c1") == {"outcome": "completed", "ended_by": "flow"}


@pytest.mark.parametrize("stopped", [False, True])
def test_an_order_under_way_holds_nobody_who_leaves(*, stopped: bool) -> None:
    brain = ordering()
    if stopped:
        brain.calls.stop()
    else:
        brain.pbx.hang_up("c1")
    brain.time.settle()
    brain.outside.asked[0].answer()
    brain.time.advance(60)
    assert brain.heard("c1") == ["Hello"]
    assert brain.ended("c1")["outcome"] == ("stopped" if stopped else "left_in_flow")
    assert len(brain.calls) == 0
