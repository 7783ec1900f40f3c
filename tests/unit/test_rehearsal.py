"""A call without a telephone: time, keys, silences, queues and answers from outside, as the flow's own interpreter has
them."""

from __future__ import annotations

import pytest

from ivr.inputs import CallFacts
from ivr.rehearsal.answers import WrittenAnswers, answer_of
from ivr.rehearsal.happenings import Broke, Entered, Left, Over, Pressed, Said, StayedSilent, Stumbled, Waited
from ivr.rehearsal.rehearsal import Awaits, GoesRound, Rehearsal, seconds_of, text_of
from ivr.requests import HttpRequest, Saved, What
from ivr.values import Kind
from ivr.wording import Silence, SoundFile
from tests.fakes.flow_caller import flow_of

START = 1_700_000_000.0
CALL = CallFacts("+15550142", "Ada", "300", "call-1")
FLOW = """
flow: test
numbers: ["300"]
language: en
start: hello
on_error: sorry
nodes:
  hello: {say: "Hello. You dialled {dialled}.", next: still}
  still: {say: "Please hear this out.", bargein: false, next: pause}
  pause: {wait: 5s, next: main}
  main:
    menu: {prompt: "Press 1.", keys: {"1": ask, "2": sales}, invalid: Wrong., timeout: 4s, tries: 2, otherwise: done}
  ask: {ask: {type: digits, prompt: "Your number.", save: account, length: 4}, next: sales, otherwise: done}
  sales: {to_queue: {queue: sales, keys: {"3": main}, data: {account: "{account}"}, then: done, otherwise: outage}}
  outage: {switch: outage, "on": sorry, "off": done}
  sorry: {say: "Sorry.", next: done}
  done: {hangup: {cause: busy}}
"""


def rehearsal(text: str = FLOW, **given: object) -> Rehearsal:
    call = Rehearsal(flow_of(text), CALL, START, **given)  # type: ignore[arg-type]
    call.begin()
    return call


def said(call: Rehearsal) -> list[str]:
    return [one.text for one in call.happenings if isinstance(one, Said)]


def nodes(call: Rehearsal) -> list[str]:
    return [one.node for one in call.happenings if isinstance(one, Entered)]


def test_values_are_said_in_words_and_time_passes_as_they_are_said() -> None:
    call = rehearsal()
    assert call.awaits is Awaits.PROMPT
    assert said(call) == ["Hello. You dialled three zero zero"]
    assert call.now() == START
    call.listen()
    assert call.now() == pytest.approx(START + len("Hello. You dialled" + "three" + "zero" + "zero") / 14)
    assert said(call)[-1] == "Please hear this out."


def test_prompts_and_pauses_lead_to_the_next_question() -> None:
    call = rehearsal()
    call.listen_on()
    assert call.awaits is Awaits.KEY
    assert call.patience == 4.0
    assert Waited in {type(one) for one in call.happenings}
    assert nodes(call) == ["hello", "still", "pause", "main"]


def test_a_key_cuts_a_prompt_short_only_where_it_may() -> None:
    call = rehearsal()
    call.press("1")
    assert said(call)[-1] == "Please hear this out."
    call.press("2")
    assert said(call)[-1] == "Please hear this out.", "not this one"
    assert [one.during for one in call.happenings if isinstance(one, Pressed)] == [True, False]
    call.listen_on()
    assert call.position.node == "ask", "the first key chose, the second is the first digit of the answer"
    for key in "345":
        call.press(key)
    assert dict(call.position.variables) == {"account": "2345"}


def test_silence_takes_as_long_as_the_flow_waits() -> None:
    call = rehearsal()
    call.listen_on()
    before = call.now()
    call.stay_silent()
    assert call.now() == before + 4.0
    assert call.happenings[-2:] != []
    assert any(isinstance(one, StayedSilent) for one in call.happenings)
    call.listen_on()
    call.stay_silent()
    assert call.awaits is Awaits.NOTHING
    assert call.happenings[-1] == Over(call.now(), 17)


def test_a_queue_gives_the_caller_back_as_one_likes() -> None:
    call = rehearsal(switches=["outage"])
    call.listen_on()
    call.press("2")
    assert call.awaits is Awaits.QUEUE
    assert call.handover is not None
    assert call.handover.queue == "sales"
    call.press("7")
    assert call.awaits is Awaits.QUEUE, "not a key that leads out of it"
    call.press("3")
    call.listen_on()
    assert call.position.node == "main"
    call.press("2")
    call.leave_queue("timeout")
    assert nodes(call)[-2:] == ["outage", "sorry"]
    assert ("outage", "on") in [(one.node, one.label) for one in call.happenings if isinstance(one, Left)]


def test_a_caller_can_hang_up_in_the_middle_of_a_prompt() -> None:
    call = rehearsal()
    call.hang_up()
    assert call.awaits is Awaits.NOTHING
    assert call.happenings[-1] == Over(START, 16)


def test_something_can_break_on_our_side() -> None:
    call = rehearsal()
    call.stumble()
    assert [one.reason for one in call.happenings if isinstance(one, Stumbled)] == ["as rehearsed"]
    assert said(call)[-1] == "Sorry."
    for _ in range(3):
        call.stumble()
    assert isinstance(call.happenings[-1], Broke)
    assert call.awaits is Awaits.NOTHING


def test_a_flow_that_goes_round_is_noticed() -> None:
    call = rehearsal('{flow: round, numbers: ["1"], language: en, start: a, nodes: {a: {wait: 1s, next: b}, '
                     'b: {say: Again., next: c}, c: {switch: x, "on": d, "off": a}, d: {hangup: {}}}}')  # fmt: skip
    with pytest.raises(GoesRound):
        call.listen_on()


DESK = """
flow: desk
numbers: ["300"]
language: en
start: desk
nodes:
  desk: {transfer: {to: "1001"}, next: done, otherwise: {busy: later, else: desk}}
  later: {callback: {queue: sales, number: "{caller_number}"}, next: done, otherwise: done}
  done: {hangup: {}}
"""


def test_whoever_is_asked_outside_is_asked_by_node_and_answers_at_once() -> None:
    asked: list[tuple[str, str, str]] = []
    answers = iter(["no_answer", "busy", "ok"])

    def answer(flow: str, node: str, what: What) -> tuple[str, tuple[()]]:
        asked.append((flow, node, type(what).__name__))
        return next(answers), ()

    call = rehearsal(DESK, answers=answer)
    assert call.awaits is Awaits.NOTHING
    assert asked == [
        ("desk", "desk", "TransferRequest"), ("desk", "desk", "TransferRequest"), ("desk", "later", "CallbackRequest"),
    ]  # fmt: skip
    assert nodes(call) == ["desk", "desk", "later", "done"]


def test_an_answer_that_nobody_knows_is_waited_for() -> None:
    call = rehearsal(DESK, answers=WrittenAnswers({"desk/later": ("ok",)}, {"desk": flow_of(DESK)}))
    assert call.awaits is Awaits.ANSWER
    call.answer("busy")
    assert nodes(call) == ["desk", "later", "done"]


def test_a_flow_that_asks_for_ever_is_noticed() -> None:
    with pytest.raises(GoesRound):
        rehearsal(DESK, answers=lambda *_asked: ("no_answer", ()))


def test_a_caller_who_hangs_up_is_not_waited_for() -> None:
    call = rehearsal(DESK)
    call.hang_up()
    assert call.awaits is Awaits.NOTHING
    assert call.request is None


def test_values_that_a_system_could_not_have_sent_are_no_answer() -> None:
    flow = flow_of(FLOW)
    what = HttpRequest(
        "billing", "GET", "http://x/", save=(
            Saved("owed", ("a",), Kind.AMOUNT), Saved("tier", ("b",), Kind.TEXT, ("gold", "silver"), "silver"),
        ),
    )  # fmt: skip
    assert answer_of(flow, "main", what, {"owed": "12"}) == ("failed", ()), "kinds are those of the node's variables"
    what = HttpRequest("billing", "GET", "http://x/", save=(Saved("tier", ("b",), Kind.TEXT, ("gold",), "none"),))
    assert answer_of(flow, "main", what, {"tier": "gold"}) == ("ok", (("tier", "gold"),))
    assert answer_of(flow, "main", what, {"tier": "lead"}) == ("ok", (("tier", "none"),))
    assert answer_of(flow, "main", what, {}) == ("ok", (("tier", "none"),))


def test_sounds_and_silences_take_their_time() -> None:
    pieces = ("Hello.", Silence(0.5), SoundFile("jingle"))
    assert text_of(pieces) == "Hello. [jingle]"
    assert seconds_of(pieces) == pytest.approx(6 / 14 + 0.5 + 3.0)
