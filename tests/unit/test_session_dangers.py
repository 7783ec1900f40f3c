"""A session when something of ours breaks: the caller is not left in silence, and every answer counts once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from ivr.flow import Flow
from ivr.inputs import Input, KeyTyped
from ivr.node import Node
from ivr.ports import Handle, Values
from ivr.requests import What
from ivr.session import Broken, CallInfo, Ended, FlowSession, Outcome
from ivr.verbs.say import SayNode
from ivr.walk import Walk
from pbx.facts import Fact
from pbx.orders import Play
from tests.fakes.flow_caller import flow_of
from tests.fakes.prompts import FakePrompts
from tests.fakes.surroundings import FakeOutside, FakeSurroundings
from tests.fakes.switch import FakeSwitch
from tests.fakes.virtual_time import VirtualTime

FLOW = """
flow: test
numbers: ["1"]
language: en
start: hello
on_error: sorry
services: {crm: {url: https://crm.example.com}}
nodes:
  hello: {say: Hello, next: look}
  look: {http: {service: crm, get: /x, save: {a: a}}, next: good, otherwise: bad}
  good: {say: Good, next: done}
  bad: {say: Bad, next: done}
  sorry: {say: Sorry, next: done}
  done: {hangup: {}}
"""
SECRET = "4929737115608843"


class BreaksOnEntry(SayNode):
    def enter(self, walk: Walk) -> None:
        raise ValueError(SECRET)


class BreaksOnKey(SayNode):
    def take(self, walk: Walk, given: Input) -> None:
        if isinstance(given, KeyTyped):
            raise ValueError(SECRET)
        super().take(walk, given)


class Rig:
    def __init__(self, flow: Flow, outside: Any = None) -> None:
        self.time = VirtualTime()
        self.switch = FakeSwitch(self.time, self._fact, seconds_per_file=1.0)
        self.outside = outside or FakeOutside()
        self.notes: list[tuple[str, dict[str, Any]]] = []
        self.outcomes: list[Outcome] = []
        self.places: list[str] = []
        self.session = FlowSession(
            "c1",
            CallInfo("+15", "", "1", "en"),
            flow,
            FakePrompts(),
            self.switch,
            self.time,
            lambda kind, data: self.notes.append((kind, data)),
            self.outcomes.append,
            lambda position: self.places.append(f"{position.flow}/{position.node}"),
            around=FakeSurroundings(self.time.now),
            outside=self.outside,
        )
        self.switch.call("c1")
        self.session.begin()
        self.time.settle()

    def _fact(self, fact: Fact) -> None:
        self.session.handle(fact)

    def played(self) -> list[str]:
        return [play.files[0].rsplit("/", 1)[1] for play in self.switch.sent(Play)]


def with_node(flow: Flow, name: str, kind: type[Node]) -> Flow:
    return replace(
        flow, nodes=dict(flow.nodes) | {name: kind.model_validate(flow.nodes[name].model_dump(by_alias=True))}
    )


@pytest.mark.parametrize("kind", [BreaksOnEntry, BreaksOnKey])
def test_a_step_that_breaks_goes_on_error_and_says_nothing_of_what_was_typed(
    kind: type[Node], capsys: pytest.CaptureFixture[str]
) -> None:
    rig = Rig(with_node(flow_of(FLOW), "hello", kind))
    rig.switch.press("c1", "4")
    rig.time.advance(30)
    assert rig.played()[-1] == "Sorry"
    assert rig.outcomes == [Ended(16)]
    assert rig.time.pending() == 0
    assert ("flow.error", {"node": "hello", "reason": "broken: ValueError"}) in rig.notes
    assert SECRET not in repr(rig.notes) + "".join(capsys.readouterr())


def test_a_place_for_errors_that_breaks_itself_ends_the_call() -> None:
    flow = with_node(with_node(flow_of(FLOW), "hello", BreaksOnEntry), "sorry", BreaksOnEntry)
    rig = Rig(flow)
    assert rig.outcomes == [Broken("broken: ValueError")]
    rig.switch.press("c1", "1")
    rig.time.advance(60)
    assert rig.played() == []


class AtOnce(FakeOutside):
    """Answers before it has been asked, so to say."""

    def begin(self, call: str, what: What, done: Callable[[str, Values], None], /) -> Handle:
        asked = super().begin(call, what, done)
        done("ok", (("a", "x"),))
        done("failed", ())
        return asked


class Breaks(FakeOutside):
    def begin(self, call: str, what: What, done: Callable[[str, Values], None], /) -> Handle:
        raise ValueError(SECRET)


def test_an_answer_within_the_question_counts_once_and_afterwards() -> None:
    rig = Rig(flow_of(FLOW), AtOnce())
    rig.time.advance(10)
    assert rig.played() == ["Hello", "Good"]
    assert rig.outcomes == [Ended(16)]
    assert rig.time.pending() == 0


def test_whoever_cannot_even_be_asked_has_failed(capsys: pytest.CaptureFixture[str]) -> None:
    rig = Rig(flow_of(FLOW), Breaks())
    rig.time.advance(10)
    assert rig.played() == ["Hello", "Bad"]
    assert rig.time.pending() == 0
    assert SECRET not in "".join(capsys.readouterr())


def test_an_answer_after_the_limit_another_one_and_one_after_the_end_change_nothing() -> None:
    rig = Rig(flow_of(FLOW))
    rig.time.advance(1)
    (asked,) = rig.outside.asked
    rig.time.advance(30)
    assert rig.played() == ["Hello", "Bad"]
    assert asked.cancelled
    asked.answer(a="late")
    asked.answer(a="later")
    rig.time.advance(30)
    assert rig.played() == ["Hello", "Bad"]
    assert rig.outcomes == [Ended(16)]
    rig = Rig(flow_of(FLOW))
    rig.time.advance(1)
    rig.session.close()
    rig.outside.asked[0].answer(a="x")
    rig.time.advance(30)
    assert rig.played() == ["Hello"]
    assert rig.outcomes == []


def test_another_flow_whose_first_node_has_the_same_name_is_remembered_as_another_place() -> None:
    one = "flow: one\nnumbers: ['1']\nlanguage: en\nstart: start\nnodes:\n  start: {goto: {flow: two}}\n"
    two = "flow: two\nnumbers: ['2']\nlanguage: en\nstart: start\nnodes:\n  start: {say: Two, next: away}\n"
    one = one.replace("start: {goto: {flow: two}}", "start: {say: One, next: away}\n  away: {goto: {flow: two}}")
    away = "  away: {goto: {flow: three}}\n"
    three = "flow: three\nlanguage: en\nstart: away\nnodes:\n  away: {say: Three, next: done}\n  done: {hangup: {}}\n"
    rig = Rig(flow_of(one, two + away, three, name="one"))
    rig.time.advance(10)
    assert rig.played() == ["One", "Two", "Three"]
    assert rig.places == ["/start", "two/start", "three/away"]
