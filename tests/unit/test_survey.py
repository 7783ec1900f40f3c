"""`survey` in a flow: which keys are an answer, what is asked again, and what is kept of a caller who hangs up."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cordboard.survey import Scores, csat, mean, nps, results
from cordboard.survey_cli import lines
from ivr.effects import NoteEvent, StartTimer
from ivr.inputs import ENDED, TimerFired
from ivr.loader import load_text
from ivr.rehearsal.answers import WrittenAnswers
from ivr.requests import SurveyAnswer
from tests.fakes.flow_caller import FlowCaller, Request, flow_of

FLOW = """
flow: shop
numbers: ["300"]
language: en
start: how
nodes:
  how:
    survey:
      name: after
      questions:
        - {id: content, type: csat, prompt: How content?}
        - {id: again, type: nps, prompt: Would you?}
        - {id: easy, type: ces, prompt: How easy?}
      invalid: Not that.
      no_input: Hello?
      timeout: 4s
      between: 1s
      tries: 2
    next: bye
  bye: {say: Bye., next: done}
  done: {hangup: {}}
"""


def asked(typed: str = "") -> FlowCaller:
    return FlowCaller(flow_of(FLOW), typed=typed).starts()


def answers(caller: FlowCaller) -> list[tuple[str, int]]:
    requests = [effect.what for effect in caller.effects if isinstance(effect, Request)]
    assert all(isinstance(what, SurveyAnswer) for what in requests)
    return [(what.question, what.score) for what in requests if isinstance(what, SurveyAnswer)]


def notes(caller: FlowCaller, kind: str) -> list[dict[str, Any]]:
    return [one.data for one in caller.effects if isinstance(one, NoteEvent) and one.kind == kind]


def test_three_questions_one_after_the_other() -> None:
    caller = asked()
    caller.presses("5").is_answered().presses("8").is_answered().presses("7").is_answered()
    assert answers(caller) == [("content", 5), ("again", 8), ("easy", 7)]
    assert caller.heard == ["How content?", "Would you?", "How easy?", "Bye."]


def test_what_is_kept_of_an_answer() -> None:
    request = asked().presses("4").last(Request)
    assert request.what == SurveyAnswer("after", "content", "csat", 4, "shop", "how")
    assert request.limit_s <= 5


def test_an_answer_that_cannot_be_kept_does_not_keep_the_caller() -> None:
    caller = asked().presses("5").is_answered("failed")
    assert caller.heard[-1] == "Would you?"


def test_of_zero_to_ten_a_one_waits_for_a_zero() -> None:
    caller = asked().presses("5").is_answered().listens().presses("1")
    assert answers(caller) == [("content", 5)]
    timer = caller.last(StartTimer)
    assert timer.seconds == 1.0
    assert answers(caller.presses("0"))[1:] == [("again", 10)]


def test_a_one_that_stays_alone_is_a_one() -> None:
    caller = asked().presses("5").is_answered().listens().presses("1")
    caller.gives(TimerFired(caller.position.timer))
    assert answers(caller)[1:] == [("again", 1)]


def test_the_key_after_a_one_answers_the_next_question() -> None:
    caller = asked().presses("5").is_answered().listens().presses("16")
    assert answers(caller)[1:] == [("again", 1)]
    caller.is_answered()
    assert answers(caller)[2:] == [("easy", 6)]


@pytest.mark.parametrize("typed", ["5107", "5#10#7#", "517", "501"])
def test_a_caller_who_knows_the_questions_types_ahead(typed: str) -> None:
    caller = asked(typed)
    while caller.position.asking:
        caller.is_answered()
    expected = {
        "5107": [("content", 5), ("again", 10), ("easy", 7)],
        "5#10#7#": [("content", 5), ("again", 10), ("easy", 7)],
        "517": [("content", 5), ("again", 1), ("easy", 7)],
        "501": [("content", 5), ("again", 0), ("easy", 1)],
    }
    assert answers(caller) == expected[typed]
    assert not any("?" in heard for heard in caller.heard)


def test_the_key_that_many_press_while_the_next_question_is_asked_already() -> None:
    caller = asked().presses("5").is_answered().presses("#")
    assert caller.heard == ["How content?", "Would you?", "Would you?"], "it was cut short, so it is said again"
    caller.presses("9").is_answered().presses("7").presses("#").is_answered()
    assert answers(caller) == [("content", 5), ("again", 9), ("easy", 7)]
    assert caller.heard[-1] == "Bye."
    assert "Not that." not in caller.heard


def test_the_key_that_many_press_at_the_end_means_nothing() -> None:
    caller = asked().presses("5#").is_answered().presses("1#").is_answered().presses("7#").is_answered()
    assert answers(caller) == [("content", 5), ("again", 1), ("easy", 7)]
    assert "Not that." not in caller.heard


@pytest.mark.parametrize("wrong", ["6", "0", "9", "*", "#"])
def test_a_wrong_key_is_told_and_the_question_asked_again(wrong: str) -> None:
    caller = asked().listens().presses(wrong)
    assert caller.heard == ["How content?", "Not that."]
    caller.listens().presses("3")
    assert caller.heard == ["How content?", "Not that.", "How content?"]
    assert answers(caller) == [("content", 3)]


def test_a_question_without_an_answer_is_left_out_and_no_other() -> None:
    caller = asked().stays_silent()
    assert caller.heard[-1] == "Hello?"
    caller.stays_silent()
    assert notes(caller, "survey.skipped") == [{"node": "how", "question": "content", "reason": "no_input"}]
    assert caller.heard[-1] == "Would you?"
    caller.presses("9").is_answered().presses("8").presses("*")
    assert answers(caller) == [("again", 9)]
    assert [one["reason"] for one in notes(caller, "survey.skipped")] == ["no_input", "invalid"]
    assert caller.heard[-1] == "Bye."


def test_who_hangs_up_has_answered_what_they_have_answered() -> None:
    caller = asked().presses("5").is_answered().presses("8").hangs_up()
    assert answers(caller) == [("content", 5), ("again", 8)]
    assert caller.position.stage == ENDED


def test_after_a_restart_the_survey_begins_again() -> None:
    caller = asked().presses("5").is_answered()
    again = FlowCaller(caller.flow).resumes(caller.position.to_memory())
    assert again.heard == ["How content?"]


def test_a_rehearsed_call_needs_no_answer_for_it() -> None:
    flow = flow_of(FLOW)
    kept = WrittenAnswers({}, {flow.name: flow})("shop", "how", asked().presses("4").last(Request).what)
    assert kept == ("ok", ())


def test_no_event_of_the_flow_holds_a_key() -> None:
    caller = asked().presses("5").is_answered()
    assert not any("5" in str(one.data) for one in caller.effects if isinstance(one, NoteEvent))


@given(st.text(alphabet="0123456789*#", max_size=12), st.data())
def test_no_key_at_any_moment_gives_an_answer_that_is_none(keys: str, data: st.DataObject) -> None:
    caller = asked()
    for key in keys:
        if data.draw(st.booleans()):
            caller.listens()
        caller.presses(key)
        if caller.position.asking:
            caller.is_answered()
    limits = {"content": (1, 5), "again": (0, 10), "easy": (1, 7)}
    given_to = [question for question, _ in answers(caller)]
    assert len(given_to) == len(set(given_to))
    assert all(limits[question][0] <= score <= limits[question][1] for question, score in answers(caller))


def test_two_questions_of_one_id_are_refused() -> None:
    flow, problems = load_text(FLOW.replace("id: easy", "id: content").encode(), "shop.yaml")
    assert flow is None
    assert [str(one) for one in problems] == ["shop.yaml:13:16: 'content' is the id of another question already"]


# What answers come to


def test_the_formulas_by_hand() -> None:
    """Ten callers: 3 x 5, 4 x 4, 2 x 3, 1 x 1 of 1 to 5; and of 0 to 10: 4 promoters, 3 passives, 3 detractors."""
    content = Counter({5: 3, 4: 4, 3: 2, 1: 1})
    assert csat(content) == 0.7
    assert mean(content) == 3.8
    assert nps(Counter({10: 3, 9: 1, 8: 2, 7: 1, 6: 1, 0: 2})) == 10.0
    assert nps(Counter({0: 5})) == -100.0
    assert mean(Counter({1: 1, 7: 3})) == 5.5


def test_nothing_comes_of_no_answers() -> None:
    assert results(Scores.empty()).view() == {
        "csat_answers": 0,
        "csat": None,
        "csat_mean": None,
        "nps_answers": 0,
        "nps": None,
        "ces_answers": 0,
        "ces_mean": None,
    }


def test_the_table_at_the_command_line() -> None:
    scores = Scores.empty()
    for type_, score in (("csat", 5), ("csat", 2), ("nps", 10), ("ces", 6), ("unknown", 3)):
        scores.add(type_, score)
    told = list(lines({"by": "queue", "groups": {"sales": results(scores).view(), "": results(Scores.empty()).view()}}))
    assert told == [
        "queue           CSAT, of answers             NPS             CES",
        "sales         50%, mean 3.50 (2)        +100 (1)        6.00 (1)",
        "(none)                         -               -               -",
    ]
    assert list(lines({"by": "queue", "groups": {}})) == ["Nobody answered in this time."]
