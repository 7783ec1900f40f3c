"""`ask`: which keys are an answer, what becomes of the others, and that what is secure stays so."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.answers import amount, day, luhn
from ivr.effects import Secure
from ivr.inputs import INPUT, Position
from ivr.loader import load_text
from tests.fakes.flow_caller import FlowCaller, flow_of


def caller(asked: str, more: str = "", typed: str = "", end: str = "done") -> FlowCaller:
    text = f"""
flow: test
numbers: ["1"]
language: en
currency: USD
start: ask
nodes:
  ask:
    ask: {{prompt: Enter it., save: x, {asked}}}
    next: {end}
    otherwise: {{no_input: silent, no_match: wrong, else: done}}
  say: {{say: "It is {{x}}.", next: done}}
  silent: {{hangup: {{}}}}
  wrong: {{hangup: {{}}}}
  done: {{hangup: {{}}}}
{more}
"""
    text = text if end == "say" else text.replace('  say: {say: "It is {x}.", next: done}\n', "")
    return FlowCaller(flow_of(text), typed=typed).starts()


@pytest.mark.parametrize(
    ("asked", "keys", "value"),
    [
        ("type: digits, length: 4", "1234", "1234"),
        ("type: digits, length: 2-6", "123#", "123"),
        ("type: digits, length: 2-6, end: none", "123456", "123456"),
        ("type: digits", "99*12#", "12"),  # a star takes back what was typed
        ('type: digits, pattern: "[1-9][0-9]{3}"', "1234#", "1234"),
        ("type: digits, check: luhn", "4111111111111111#", "4111111111111111"),
        ("type: number, min: 1, max: 12", "12#", 12),
        ("type: amount, max: 500", "125*50#", 125.5),
        ("type: amount", "7#", 7.0),
        ("type: date", "24122026", "2026-12-24"),
        ("type: date, format: mmddyyyy, min: 2026-01-01", "12242026", "2026-12-24"),
        ("type: yes_no", "1", True),
        ("type: yes_no", "2", False),
    ],
)
def test_a_good_answer_is_kept_with_its_kind(asked: str, keys: str, value: object) -> None:
    called = caller(asked).listens().presses(keys)
    assert called.position.node == "done"
    assert called.variable("x") == value
    assert called.outcomes() == ["match"]
    assert called.went == ["ask.next"]


@pytest.mark.parametrize(
    ("asked", "keys"),
    [
        ("type: digits, length: 4", "123#"),
        ('type: digits, pattern: "[1-9][0-9]{3}"', "0234#"),
        ("type: digits, check: luhn", "4111111111111112#"),
        ("type: number, min: 1, max: 12", "13#"),
        ("type: number, min: 1", "0#"),
        ("type: amount, max: 500", "500*01#"),
        ("type: amount", "1*2*3#"),
        ("type: amount", "1*234#"),
        ("type: date", "31022026"),
        ("type: date, min: today", "24122020"),
        ("type: yes_no", "3"),
    ],
)
def test_a_bad_answer_is_asked_for_again(asked: str, keys: str) -> None:
    called = caller(f"{asked}, tries: 2, invalid: That is wrong.").listens().presses(keys)
    assert called.outcomes() == ["invalid"]
    assert called.heard == ["Enter it.", "That is wrong."]
    called.listens().presses(keys)
    assert called.heard[2:] == ["Enter it."]
    assert called.outcomes() == ["invalid", "invalid", "too_many"]
    assert called.position.node == "wrong"
    assert called.variable("x") is None


def test_silence_and_half_an_answer_are_told_apart() -> None:
    called = caller("type: digits, length: 4, tries: 2, no_input: Nothing.").stays_silent()
    assert called.heard == ["Enter it.", "Nothing."]
    called.listens().presses("12").stays_silent()
    assert called.outcomes() == ["no_input", "invalid", "too_many"]
    assert called.position.node == "wrong"


def test_the_wait_for_a_further_key_is_its_own() -> None:
    called = caller("type: digits, timeout: 9s, between: 2s").listens()
    assert called.step.effects[-1].seconds == 9  # type: ignore[union-attr]
    called.presses("1")
    assert called.step.effects[-1].seconds == 2  # type: ignore[union-attr]
    assert called.position.stage == INPUT
    called.presses("2").stays_silent()
    assert called.variable("x") == "12"


def test_other_words_for_every_try() -> None:
    asked = "type: digits, length: 2, pattern: '[1]', tries: 4, invalid: [No one., No two.]"
    called = caller(asked)
    for _ in range(3):
        called.listens().presses("9#")
    assert [text for text in called.heard if text.startswith("No")] == ["No one.", "No two.", "No two."]


def test_an_answer_is_read_back_and_confirmed() -> None:
    called = caller("type: digits, length: 2, confirm: true").listens().presses("42")
    assert called.heard[-1] == ("You entered four two . If that is right, press 1. To enter it again, press 2.")
    called.listens().presses("2")
    assert called.heard[-1] == "Enter it."
    assert called.variable("x") == ""
    called.listens().presses("43").listens().presses("1")
    assert called.variable("x") == "43"
    assert called.position.node == "done"


def test_what_nobody_confirms_is_no_answer() -> None:
    called = caller("type: digits, length: 2, tries: 2, confirm: true").listens().presses("42")
    called.stays_silent().stays_silent()
    assert called.position.node == "silent"
    assert called.variable("x") == ""


def test_the_end_key_after_a_full_answer_means_nothing() -> None:
    called = caller("type: digits, length: 2", end="say").listens().presses("42")
    assert called.heard[-1] == "It is four two"
    saying = called.position.saying
    called.presses("#")
    assert called.heard[-1] == "It is four two"
    assert called.heard.count("It is four two") == 2, "it was cut short, so it is said again"
    assert called.position.saying != saying
    assert called.position.typed == ""


def test_keys_typed_ahead_answer() -> None:
    called = caller("type: digits, length: 2", typed="42#")
    assert called.position.node == "done"
    assert called.heard == []


SECURE = "type: digits, length: 4-19, secure: true"


def test_a_secure_answer_is_nowhere_but_among_the_secrets() -> None:
    called = caller(SECURE).listens().presses("4111111")
    assert "4111111" not in repr(called.position)
    assert "4111111" not in str(called.position.to_memory())
    called.presses("#")
    assert dict(called.position.secrets) == {"x": "4111111"}
    assert called.variable("x") is None
    assert "4111111" not in repr(called.position)
    assert "4111111" not in repr(called.effects)
    assert "4111111" not in str(called.position.to_memory())
    secured = [effect.on for effect in called.effects if isinstance(effect, Secure)]
    assert secured == [True, False]


def test_a_successor_asks_again_for_what_was_secure() -> None:
    called = caller(SECURE, end="done").listens().presses("4111111#")
    memory = called.position.to_memory()
    assert Position.from_memory(memory).node == "ask"


def test_secrets_wait_for_a_called_flow_and_a_successor_begins_before_it() -> None:
    main = """
flow: main
numbers: ["1"]
language: en
start: card
nodes:
  card: {ask: {type: digits, secure: true, prompt: Card., save: card}, next: more, otherwise: done}
  more: {call: {flow: more}, next: done}
  done: {hangup: {}}
"""
    more = """
flow: more
language: en
start: sure
nodes:
  sure: {ask: {type: yes_no, prompt: Sure?, save: sure}, next: back, otherwise: back}
  back: {return: }
"""
    called = FlowCaller(flow_of(main, more)).starts().listens().presses("4111#").listens()
    assert (called.position.flow, called.position.secrets) == ("more", ())
    memory = called.position.to_memory()
    assert "4111" not in str(memory)
    assert FlowCaller(called.flow).resumes(memory).heard == ["Card."]
    called.presses("1")
    assert dict(called.position.secrets) == {"card": "4111"}


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("type: yes_no, length: 4", "'length' says nothing about an answer of the type 'yes_no'"),
        ("type: digits, min: 4", "'min' says nothing"),
        ("type: number, min: four", "'four' is not a number"),
        ("type: date, max: tomorrow", "'tomorrow' is no day"),
        ("type: digits, secure: true, confirm: true", "a secure answer is never read back"),
        ("type: number, secure: true", "only digits can be secure"),
        ("type: amount, end: '*'", "* is the decimal point"),
        ("type: digits, length: 0", "'0' is no length such as 8 or 4-12"),
        ("type: digits, pattern: '(a+)+'", "a pattern is made of digits"),
        ("type: colour", "'type' must be one of"),
    ],
)
def test_what_does_not_fit_together_is_said(asked: str, said: str) -> None:
    text = f"""
flow: test
numbers: ["1"]
language: en
start: ask
nodes:
  ask: {{ask: {{prompt: Enter it., save: x, {asked}}}, next: done, otherwise: done}}
  done: {{hangup: {{}}}}
"""
    flow, problems = load_text(text.encode(), "x.yaml")
    assert flow is None
    assert any(said in str(problem) for problem in problems), problems


@given(st.integers(0, 10**12))
def test_luhn_finds_every_single_wrong_digit(number: int) -> None:
    digits = str(number)
    check = next(str(last) for last in range(10) if luhn(digits + str(last)))
    good = digits + check
    for place in range(len(good)):
        for digit in "0123456789":
            if digit != good[place]:
                assert not luhn(good[:place] + digit + good[place + 1 :])


@given(st.integers(0, 999_999), st.integers(0, 99))
def test_amounts(whole: int, cents: int) -> None:
    assert amount(f"{whole}*{cents:02d}") == pytest.approx(whole + cents / 100)
    assert amount(str(whole)) == whole


def test_a_day_without_a_year_is_the_next_one() -> None:
    assert day("2412", "ddmm", date(2026, 11, 24)) == date(2026, 12, 24)
    assert day("0101", "ddmm", date(2026, 11, 24)) == date(2027, 1, 1)
    assert day("0229", "mmdd", date(2026, 11, 24)) == date(2028, 2, 29)
    assert day("3002", "ddmm", date(2026, 11, 24)) is None
