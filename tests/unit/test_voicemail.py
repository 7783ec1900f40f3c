"""`voicemail`: a message is left, heard, recorded again, sent; nobody's message is lost by going away or by silence."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ivr.effects import Request, Say
from ivr.inputs import Answered, HungUp, Input, KeyTyped, PromptEnded, TimerFired
from ivr.loader import load_text
from ivr.requests import KeepRequest, RecordRequest
from ivr.wording import Draft
from tests.fakes.flow_caller import FlowCaller, flow_of

ASK = "Please leave a message."
REVIEW = "To send your message, press 1. To hear it, press 2. To record it again, press 3."
FLOW = """
flow: test
numbers: ["1"]
language: {language}
start: leave
nodes:
  leave:
    voicemail: {{box: repairs, {more}}}
    next: thanks
    otherwise: {{no_message: nothing, failed: broken, else: done}}
  thanks: {{say: "Thank you.", next: done}}
  nothing: {{hangup: {{}}}}
  broken: {{hangup: {{}}}}
  done: {{hangup: {{}}}}
"""


def caller(more: str = f"prompt: {ASK}, review: true", language: str = "en", typed: str = "") -> FlowCaller:
    return FlowCaller(flow_of(FLOW.format(more=more, language=language)), typed=typed).starts()


def recorded(called: FlowCaller, ended: str = "key", file: str = "/m/one") -> FlowCaller:
    assert isinstance(called.last(Request).what, RecordRequest)
    return called.is_answered("ok", file=file, seconds=4.2, ended=ended)


def test_what_is_asked_of_the_pbx() -> None:
    called = caller("prompt: Go., max: 90s, min: 2s, silence: 3s, end: any, beep: false").listens()
    asked = called.last(Request)
    assert asked.what == RecordRequest("repairs", "+15550142", 90, 2.0, 3, "0123456789*#", beep=False)
    assert asked.limit_s > 90
    assert "+15550142" not in repr(asked)


def test_without_review_it_is_on_record_before_the_flow_goes_on() -> None:
    called = recorded(caller(f"prompt: {ASK}").listens())
    assert isinstance(called.last(Request).what, KeepRequest)
    assert called.heard == [ASK]
    assert called.is_answered().heard == [ASK, "Thank you."]
    assert called.went == ["leave.next"]


def test_without_a_prompt_the_recording_begins_at_once() -> None:
    assert isinstance(caller("beep: true").last(Request).what, RecordRequest)


def test_a_key_cuts_the_prompt_short_and_is_no_answer_to_the_review() -> None:
    called = caller().presses("1")
    called = recorded(called)
    assert called.heard[-1] == REVIEW
    called.listens()
    assert called.nodes == ["leave"]


def test_keys_in_the_message_mean_nothing() -> None:
    called = recorded(caller().listens().presses("123#"))
    assert called.listens().heard == [ASK, REVIEW]
    assert called.presses("1").is_answered().heard[-1] == "Thank you."


def test_it_can_be_heard_and_recorded_again() -> None:
    called = recorded(caller().listens()).listens().presses("2")
    assert called.last(Say).pieces == (Draft("/m/one"),)
    called.listens()
    assert called.heard[-1] == REVIEW
    called.listens().presses("3")
    recorded(called, file="/m/two").presses("2")  # a key in the review's text counts
    assert called.last(Say).pieces == (Draft("/m/two"),)
    called.presses("1")  # and so does one while it is heard
    assert isinstance(called.last(Request).what, KeepRequest)


def test_nothing_said_is_asked_for_again_and_then_given_up() -> None:
    called = caller().listens()
    for _ in range(2):
        called.is_answered("short").listens()
        assert called.heard[-1] == "Nothing could be heard. Please leave your message after the tone."
    assert called.is_answered("short").went == ["leave.otherwise.no_message"]
    assert called.outcomes("voicemail.outcome") == ["short"] * 3


def test_nothing_said_the_second_time_leaves_the_first_message() -> None:
    called = recorded(caller().listens()).listens().presses("3").is_answered("short")
    assert called.heard[-1] == REVIEW
    assert called.listens().presses("2").last(Say).pieces == (Draft("/m/one"),)


@pytest.mark.parametrize("keys", ["", "9", "*"])
def test_who_does_not_answer_the_review_has_sent_it(keys: str) -> None:
    called = recorded(caller().listens())
    for _ in range(3):
        called = called.listens().presses(keys) if keys else called.stays_silent()
    assert isinstance(called.last(Request).what, KeepRequest)
    assert called.heard.count(REVIEW) == 3


def test_nothing_can_be_recorded() -> None:
    assert caller().listens().is_answered("failed").went == ["leave.otherwise.failed"]


def test_a_message_that_is_not_on_record_yet_keeps_nobody() -> None:
    called = recorded(caller().listens()).presses("1").is_answered("failed")
    assert called.heard[-1] == "Thank you."


def test_a_hang_up_in_the_message_and_none_that_follows() -> None:
    called = recorded(caller().listens(), ended="hangup")
    assert called.heard == [ASK], "nothing is said to somebody who is gone"
    assert not isinstance(called.last(Request).what, KeepRequest)
    called.gives(TimerFired(called.position.timer))
    assert isinstance(called.last(Request).what, KeepRequest)


def test_a_hang_up_in_the_review_asks_nothing_more() -> None:
    called = recorded(caller().listens())
    asked = len([effect for effect in called.effects if isinstance(effect, Request)])
    called.hangs_up()
    assert len([effect for effect in called.effects if isinstance(effect, Request)]) == asked


def test_the_systems_own_words_in_spanish_and_ones_own() -> None:
    called = recorded(caller("review: true", language="es"))
    assert called.heard == [
        "Para enviar su mensaje, oprima el uno. Para escucharlo, oprima el dos. Para grabarlo de nuevo, oprima el tres."
    ]
    called = recorded(caller("review: One sends it., short: Again."))
    assert called.heard == ["One sends it."]
    assert caller("short: Again.").is_answered("short").heard == ["Again."]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ("box: B", "name"),
        ("min: 3s, max: 2s", "no message can be as long as that"),
        ("max: 20m", "600"),
        ("end: '12'", "the key that ends the message"),
        ("silence: forever", "not a duration"),
    ],
)
def test_what_is_wrong_is_told(more: str, message: str) -> None:
    text = FLOW.format(more=more, language="en").replace("box: repairs, box: B", "box: B")
    flow, problems = load_text(text.encode(), "x.yaml")
    assert flow is None
    assert any(message in str(problem) for problem in problems), problems


def test_a_language_that_the_system_has_no_words_in_needs_its_own() -> None:
    _, problems = load_text(FLOW.format(more="review: true", language="fr").encode(), "x.yaml")
    assert {(problem.message, problem.hint) for problem in problems} == {("no translation to 'fr'", "write your own")}
    flow, problems = load_text(FLOW.format(more="review: Un., short: Rien.", language="fr").encode(), "x.yaml")
    assert flow is not None, problems


INPUTS = st.one_of(
    st.sampled_from("0123456789*#").map(KeyTyped),
    st.just("prompt"),
    st.just("timer"),
    st.sampled_from(["ok", "short", "failed", "hangup"]),
    st.just("gone"),
)


@given(st.lists(INPUTS, max_size=25))
@settings(max_examples=100, deadline=None)
def test_whatever_happens_the_caller_waits_for_something_or_is_done(inputs: list[object]) -> None:
    called = caller()
    for one in inputs:
        at = called.position
        match one:
            case "prompt":
                given: Input = PromptEnded(at.saying)
            case "timer":
                given = TimerFired(at.timer)
            case "gone":
                given = HungUp()
            case str(outcome):
                ended = (("file", "/m"), ("ended", "hangup" if outcome == "hangup" else "key"))
                given = Answered(at.asking, "ok" if outcome == "hangup" else outcome, ended)
            case key:
                assert isinstance(key, KeyTyped)
                given = key
        called.gives(given)
        at = called.position
        assert at.stage == "ended" or at.saying or at.timer or at.asking
