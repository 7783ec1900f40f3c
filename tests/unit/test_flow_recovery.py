"""The link is lost or the service killed in the midst of a flow: what the caller hears next, verb by verb."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ivr.dialplans import Dialplans
from ivr.loader import load_files
from ivr.versions import Versions
from tests.fakes.brain import Brain

MAIN = """
flow: main
numbers: ["100"]
language: en
languages: [en, es]
currency: USD
start: look
on_error: sorry
services: {billing: {url: "https://billing.example.com/api"}}
nodes:
  look:
    http: {service: billing, get: "/c/{caller_number}", save: {balance: {from: b, type: amount}}}
    next: inside
    otherwise: sorry
  inside: {call: {flow: sub, with: {owed: "{balance}"}, save: {paid: typed}}, next: tell}
  tell: {say: {en: "{paid} of {balance}.", es: "{paid} de {balance}."}, next: hold}
  hold: {wait: {for: 20s, music: default}, next: sorry}
  sorry: {say: {en: Sorry, es: Perdón}, next: done}
  done: {hangup: {}}
"""
SUB = """
flow: sub
language: es
languages: [en, es]
currency: USD
params: {owed: amount}
returns: {typed: digits}
start: spanish
nodes:
  spanish: {set: {language: es}, next: ask}
  ask:
    ask: {type: digits, length: 4, save: code, prompt: {en: "{owed}. Code?", es: "{owed}. ¿Código?"}}
    next: back
    otherwise: back
  back: {return: {typed: "{code}"}}
"""


def away(brain: Brain) -> Brain:
    brain.lose_link()
    brain.time.advance(3)
    brain.restore_link()
    return brain


def killed(brain: Brain) -> Brain:
    brain.killed()
    brain.time.advance(3)
    after = brain.successor(versions=brain.library.versions)
    after.time.settle()
    return after


@pytest.fixture(params=[away, killed])
def lost(request: pytest.FixtureRequest) -> Callable[[Brain], Brain]:
    found: Callable[[Brain], Brain] = request.param
    return found


def in_the_request() -> Brain:
    flows = load_files({"main.yaml": MAIN.encode(), "sub.yaml": SUB.encode()})
    brain = Brain(agents=(), versions=Versions({1: Dialplans(tuple(flows))}, 1))
    brain.pbx.call("c1")
    brain.time.settle()
    return brain


def in_the_question(brain: Brain, balance: float = 12.5) -> Brain:
    brain.outside.asked[-1].done("ok", (("balance", balance),))
    brain.time.settle()
    return brain


def keys(brain: Brain, typed: str) -> None:
    for key in typed:
        brain.pbx.press("c1", key)
    brain.time.settle()


def test_a_question_to_another_system_is_asked_again(lost: Callable[[Brain], Brain]) -> None:
    brain = in_the_request()
    late = brain.outside.asked[-1]
    brain = lost(brain)
    assert len([one for one in brain.outside.asked if one is not late]) == 1
    if late in brain.outside.asked:  # the process that asked still lives
        late.done("ok", (("balance", 999.0),))
    in_the_question(brain)
    brain.time.advance(1)
    assert "doce" in str(brain.heard("c1"))
    assert "novecientos" not in str(brain.heard("c1"))


def test_half_an_answer_is_forgotten_and_the_question_put_again_in_the_same_words(
    lost: Callable[[Brain], Brain],
) -> None:
    brain = in_the_question(in_the_request())
    brain.time.advance(5)
    asked = brain.heard("c1")
    keys(brain, "12")
    brain = lost(brain)
    brain.time.advance(5)
    assert brain.heard("c1") == asked * 2  # what was looked up is still known, and the language
    keys(brain, "3456")
    brain.time.advance(1)
    assert "tres" in str(brain.heard("c1")[len(asked) * 2 :])


def test_music_of_a_pause_is_heard_again(lost: Callable[[Brain], Brain]) -> None:
    brain = in_the_question(in_the_request())
    brain.time.advance(5)
    keys(brain, "3456")
    brain.time.advance(12)
    assert brain.music("c1") == "default"
    brain = lost(brain)
    assert brain.music("c1") == "default"
    brain.time.advance(21)
    assert brain.heard("c1")[-1] == "Perdón"
    brain.time.advance(5)
    assert brain.phase("c1") is None
