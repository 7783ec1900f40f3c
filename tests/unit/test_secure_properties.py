"""Whatever a caller types in a secure step, and whatever happens: it is in nothing but the request that may have it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from ivr.effects import Request, Secure
from ivr.inputs import Answered, HungUp, KeyTyped, Position, PromptEnded, TimerFired
from ivr.interpreter import advance, begin, resume
from ivr.requests import HttpRequest
from tests.fakes.flow_caller import CALL, flow_of
from tests.fakes.surroundings import AROUND

CARD, PIN = "4929737115608843", "7391"
PIECES = {CARD[at : at + 4] for at in range(len(CARD) - 3)} | {PIN}
"""Whoever has four digits of a card in a row has too much."""

MAIN = """
flow: pay
numbers: ["1"]
language: en
start: card
on_error: sorry
on_hangup: left
services:
  bank: {url: https://bank.example.com/api}
nodes:
  card:
    ask: {type: digits, length: 12-19, check: luhn, secure: true, save: card, prompt: Card., invalid: No., tries: 2}
    next: more
    otherwise: sorry
  more: {call: {flow: more, save: {sure: sure}}, next: pay}
  pay:
    http: {service: bank, post: "/pay/{caller_number}", body: {card: "{card}", list: ["{card}"]}, save: {code: code}}
    next: thanks
    otherwise: {refused: card, else: sorry}
  thanks: {say: "Thank you, {caller_number}.", next: rate}
  rate: {ask: {type: digits, length: 1, save: score, prompt: How was it?}, next: done, otherwise: done}
  sorry: {say: Sorry., next: done}
  left: {http: {service: bank, post: /left, body: {who: "{caller_number}"}}, next: done, otherwise: done}
  done: {hangup: {}}
"""
MORE = """
flow: more
language: en
returns: {sure: yes_no}
start: pin
services:
  bank: {url: https://bank.example.com/api}
nodes:
  pin: {ask: {type: digits, length: 4, secure: true, save: pin, prompt: Pin.}, next: check, otherwise: back}
  check: {http: {service: bank, put: /check, body: {pin: "{pin}"}}, next: sure, otherwise: back}
  sure: {ask: {type: yes_no, prompt: Sure?, save: sure}, next: give, otherwise: back}
  give: {return: {sure: "{sure}"}}
  back: {return: {sure: "{sure}"}}
"""
FLOW = flow_of(MAIN, MORE)

inputs = st.lists(
    st.one_of(
        st.sampled_from([CARD, CARD + "#", PIN, CARD[:8], "1", "2", "*", "#"]),
        st.sampled_from(["prompt", "prompt", "timer", "ok", "refused", "failed", "restart"]),
        st.just("gone"),
    ),
    max_size=20,
)


def texts(given_: Any) -> Iterator[str]:
    """Every text anywhere in it, whatever its repr shows."""
    if isinstance(given_, str):
        yield given_
    elif isinstance(given_, dict):
        for key, value in given_.items():
            yield from texts(key)
            yield from texts(value)
    elif isinstance(given_, (tuple, list, set, frozenset)):
        for one in given_:
            yield from texts(one)
    elif is_dataclass(given_) and not isinstance(given_, type):
        for one in fields(given_):
            yield from texts(getattr(given_, one.name))
    else:
        yield str(given_)


def leaks(found: str) -> bool:
    return any(piece in found for piece in PIECES)


def may_have_it(effect: object) -> bool:
    return isinstance(effect, Request) and isinstance(effect.what, HttpRequest) and effect.what.secret


@given(inputs)
@example([CARD, "prompt", PIN, "ok", "1", "ok", "prompt"])
@settings(max_examples=100, deadline=None)
def test_secrets_are_in_no_effect_but_the_request_in_no_memory_and_in_no_repr(given_: list[str]) -> None:
    step = begin(FLOW, CALL, AROUND)
    secured = False

    def take(kind: str, key: str = "") -> None:
        nonlocal step, secured
        at = step.position
        match kind:
            case "key":
                step = advance(FLOW, CALL, at, KeyTyped(key), AROUND)
                if at.saying:
                    look()
                    step = advance(FLOW, CALL, step.position, PromptEnded(at.saying, interrupted=True), AROUND)
            case "prompt":
                step = advance(FLOW, CALL, at, PromptEnded(at.saying), AROUND)
            case "timer":
                step = advance(FLOW, CALL, at, TimerFired(at.timer), AROUND)
            case "gone":
                step = advance(FLOW, CALL, at, HungUp(), AROUND)
            case "restart":
                secured = False
                memory = json.loads(json.dumps(at.to_memory()))
                step = resume(FLOW, CALL, Position.from_memory(memory), AROUND)
            case outcome:
                step = advance(FLOW, CALL, at, Answered(at.asking, outcome, (("code", "A1"),)), AROUND)
        look()

    def look() -> None:
        nonlocal secured
        position = step.position
        assert not leaks(repr(step))
        assert not leaks(repr(KeyTyped(CARD)))
        assert not leaks(json.dumps(position.to_memory()))
        assert not any(map(leaks, texts(position.variables)))
        assert not any(leaks(text) for frame in position.frames for text in texts(frame.variables))
        for effect in step.effects:
            if isinstance(effect, Secure):
                secured = effect.on
            if not may_have_it(effect):
                assert not any(map(leaks, texts(effect))), effect
        here = FLOW.subs.get(position.flow, FLOW).nodes.get(position.node)
        collects = position.stage != "ended" and position.node in {"card", "pin"} and here is not None
        assert secured is collects, (position.node, position.stage)

    look()
    for one in given_:
        if one.isdigit() or one in {"*", "#"} or one.endswith("#"):
            for key in one:
                take("key", key)
        else:
            take(one)


def test_the_way_through_reaches_the_request_with_the_secret_in_it() -> None:
    """So that the property above cannot hold for want of a secret."""
    step = begin(FLOW, CALL, AROUND)
    for key in CARD:
        step = advance(FLOW, CALL, step.position, PromptEnded(step.position.saying), AROUND)
        step = advance(FLOW, CALL, step.position, KeyTyped(key), AROUND)
    step = advance(FLOW, CALL, step.position, KeyTyped("#"), AROUND)
    for key in PIN:
        step = advance(FLOW, CALL, step.position, PromptEnded(step.position.saying), AROUND)
        step = advance(FLOW, CALL, step.position, KeyTyped(key), AROUND)
    (asked,) = [effect for effect in step.effects if isinstance(effect, Request)]
    assert may_have_it(asked)
    assert any(map(leaks, texts(asked)))
    assert not leaks(repr(asked))
