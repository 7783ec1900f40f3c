"""A flow session between the interpreter and the switch: orders out, facts in, and no wait for ever."""

from __future__ import annotations

from typing import Any

import pytest

from ivr.flow import Flow
from ivr.handover import Handover
from ivr.inputs import Position
from ivr.loader import load_text
from ivr.session import (
    ANSWER_LIMIT_S,
    PLAY_MARGIN_S,
    STOP_LIMIT_S,
    Broken,
    CallInfo,
    Ended,
    FlowSession,
    Outcome,
)
from pbx.facts import BridgeEntered, CommandDone, Fact, KeyPressed
from pbx.orders import Answer, Order, Play, StopPlay, TakeOver
from tests.fakes.prompts import FakePrompts
from tests.fakes.surroundings import FakeOutside, FakeSurroundings
from tests.fakes.switch import FakeSwitch
from tests.fakes.virtual_time import VirtualTime

FLOW = """
flow: test
numbers: ["100"]
language: en
start: hello
nodes:
  hello: {say: "Hello {caller_number}", next: main}
  main:
    menu: {prompt: Menu, keys: {"1": sales, "2": hours}, no_input: Nothing, timeout: 4s, tries: 2, otherwise: bye}
  hours: {say: Hours, next: main}
  sales: {to_queue: {queue: sales, then: thanks, otherwise: bye}}
  thanks: {say: Thanks, bargein: false, next: done}
  bye: {say: Bye, next: busy}
  busy: {hangup: {cause: busy}}
  done: {hangup: {}}
prompts: {}
"""

INFO = CallInfo("+15", "Ada", "100", "en")


def flow() -> Flow:
    loaded, problems = load_text(FLOW.encode(), "test.yaml")
    assert loaded is not None, problems
    return loaded


class Rig:
    """A session on the fake switch: prompts of one second a piece, answers at once."""

    def __init__(self, *, seconds_per_file: float | None = 1.0, answer_seconds: float | None = 0.0) -> None:
        self.time = VirtualTime()
        self.switch = FakeSwitch(
            self.time, self._fact, seconds_per_file=seconds_per_file, answer_seconds=answer_seconds
        )
        self.prompts = FakePrompts()
        self.around = FakeSurroundings(self.time.now)
        self.outside = FakeOutside()
        self.notes: list[tuple[str, dict[str, Any]]] = []
        self.outcomes: list[Outcome] = []
        self.places: list[Position] = []
        self.session: FlowSession | None = None
        self.switch.call("c1")
        self.session = self.made()

    def made(self, position: Position | None = None) -> FlowSession:
        return FlowSession(
            "c1",
            INFO,
            flow(),
            self.prompts,
            self.switch,
            self.time,
            lambda kind, data: self.notes.append((kind, data)),
            self.outcomes.append,
            self.places.append,
            around=self.around,
            outside=self.outside,
            position=position,
        )

    @property
    def live(self) -> FlowSession:
        assert self.session is not None
        return self.session

    def _fact(self, fact: Fact) -> None:
        if self.session is not None:
            self.session.handle(fact)

    def begun(self) -> Rig:
        self.live.begin()
        self.time.settle()
        return self

    def played(self) -> list[str]:
        return [" ".join(file.rsplit("/", 1)[1] for file in play.files) for play in self.switch.sent(Play)]

    def kinds(self) -> list[str]:
        return [kind for kind, _ in self.notes]


def test_it_answers_first_and_speaks_when_answered() -> None:
    rig = Rig(answer_seconds=1.0)
    rig.live.begin()
    assert rig.switch.take() == [Answer("c1", "answer")]
    rig.time.advance(1.0)
    assert rig.switch.take() == [Play("c1", "say-1", ("/en/Hello", "/en/one", "/en/five"), True)]
    assert rig.notes == [
        ("call.answered", {}),
        ("node.entered", {"node": "hello"}),
        ("prompt.started", {"node": "hello", "prompt": "hello.say", "language": "en"}),
    ]


def test_a_whole_call() -> None:
    rig = Rig().begun()
    rig.time.advance(3.0)
    rig.switch.press("c1", "2")
    rig.time.advance(1.0)
    assert rig.played() == ["Hello one five", "Menu", "Hours", "Menu"]
    rig.time.advance(1.0)
    rig.switch.press("c1", "1")
    assert rig.outcomes == [Handover("sales")]
    rig.live.returned("talked")
    rig.time.advance(1.0)
    assert rig.played()[-1] == "Thanks"
    assert rig.outcomes == [Handover("sales"), Ended(16)]
    assert [place.node for place in rig.places] == ["hello", "main", "hours", "main", "sales", "thanks"]
    assert rig.time.pending() == 0


def test_silence_runs_out_of_tries() -> None:
    rig = Rig().begun()
    rig.time.advance(3 + 1 + 4 + 1 + 1 + 4 + 1)
    assert rig.played() == ["Hello one five", "Menu", "Nothing", "Menu", "Bye"]
    assert rig.outcomes == [Ended(17)]


def test_a_key_stops_the_prompt_by_order_too() -> None:
    """The PBX stops an interruptible prompt by itself; a key that came just before it began needs the order."""
    rig = Rig(seconds_per_file=None).begun()
    rig.live.handle(KeyPressed("c1", "1"))
    assert rig.switch.last(StopPlay) == StopPlay("c1")
    rig.time.settle()
    assert rig.outcomes == [Handover("sales")]
    assert ("prompt.ended", {"interrupted": True}) in rig.notes


@pytest.mark.parametrize("answered_after", [0.0, 2.0])
def test_a_key_before_the_answer_counts(answered_after: float) -> None:
    rig = Rig(answer_seconds=answered_after)
    rig.live.begin()
    rig.live.handle(KeyPressed("c1", "1"))
    rig.time.advance(answered_after)
    assert rig.outcomes == [Handover("sales")]
    assert rig.played() == []


def test_digits_are_never_noted() -> None:
    rig = Rig().begun()
    for key in "7*#":
        rig.switch.press("c1", key)
    assert [data for kind, data in rig.notes if kind == "key.pressed"] == [{}] * 3
    assert not any(key in str(rig.notes) for key in "7*#")


def test_a_prompt_whose_end_is_never_told_is_over_when_it_must_be() -> None:
    rig = Rig(seconds_per_file=None).begun()
    rig.time.advance(3.0 + PLAY_MARGIN_S)
    assert ("command.overdue", {"command": "play"}) in rig.notes
    assert rig.played() == ["Hello one five", "Menu"]
    rig.live.handle(CommandDone("c1", "say-1", ok=True))
    assert rig.played() == ["Hello one five", "Menu"], "its end comes after all, and is stale"


def test_a_stop_that_is_never_told_does_not_wait_for_the_whole_prompt() -> None:
    rig = Rig(seconds_per_file=None).begun()
    rig.switch.channels["c1"].commands.clear()
    rig.live.handle(KeyPressed("c1", "1"))
    rig.time.advance(STOP_LIMIT_S)
    assert rig.outcomes == [Handover("sales")]


def test_an_answer_that_is_never_told_does_not_strand_the_caller() -> None:
    rig = Rig(answer_seconds=None)
    rig.live.begin()
    rig.switch.take()
    rig.time.advance(ANSWER_LIMIT_S)
    rig.live.handle(CommandDone("c1", "answer", ok=True))
    assert rig.played() == ["Hello one five"]


def test_a_call_that_cannot_be_answered_is_broken() -> None:
    rig = Rig(answer_seconds=None)
    rig.live.begin()
    rig.live.handle(CommandDone("c1", "answer", ok=False))
    assert rig.outcomes == [Broken("the call could not be answered")]


def test_a_prompt_that_the_pbx_cannot_play_is_noted_and_passed_over() -> None:
    rig = Rig(seconds_per_file=None).begun()
    rig.switch.finish("c1", ok=False)
    assert ("command.failed", {"command": "play"}) in rig.notes
    assert rig.played()[-1] == "Menu"


def test_a_prompt_without_a_file_is_noted_and_passed_over() -> None:
    rig = Rig()
    rig.prompts.missing.add("Hello")
    rig.begun()
    assert rig.played() == ["Menu"]
    assert ("prompt.missing", {"language": "en"}) in rig.notes


def test_without_any_file_the_call_is_given_up_not_spun() -> None:
    rig = Rig()
    rig.prompts.missing |= {"Hello", "Menu", "Nothing", "Bye"}
    rig.begun()
    rig.time.advance(60.0)
    assert rig.played() == []
    assert rig.outcomes == [Broken("prompts cannot be played")]


def test_after_close_nothing_happens_any_more() -> None:
    rig = Rig(seconds_per_file=None).begun()
    rig.live.close()
    rig.switch.take()
    rig.notes.clear()
    rig.live.handle(KeyPressed("c1", "1"))
    rig.live.handle(CommandDone("c1", "say-1", ok=True))
    rig.live.returned("talked")
    rig.time.advance(100.0)
    assert (rig.switch.take(), rig.notes, rig.outcomes) == ([], [], [])
    assert rig.time.pending() == 0


def test_other_facts_and_other_commands_are_not_ours() -> None:
    rig = Rig().begun()
    orders: list[Order] = rig.switch.take()
    rig.live.handle(BridgeEntered("c1", "b1"))
    rig.live.handle(CommandDone("c1", "fence-1", ok=True))
    rig.live.handle(CommandDone("c1", "answer", ok=True))
    assert orders
    assert rig.switch.take() == []


# taking over ---------------------------------------------------------------------------------------------------------


def remembered(rig: Rig) -> Position:
    return Position.from_memory(rig.places[-1].to_memory())


def test_a_successor_resumes_at_the_node() -> None:
    rig = Rig().begun()
    rig.time.advance(3.0)
    rig.live.close()
    position = remembered(rig)
    rig.switch.send(TakeOver("c1", "fence-1"))
    rig.time.settle()
    rig.switch.take()
    rig.session = rig.made(position)
    rig.session.resume(position)
    rig.time.settle()
    assert rig.switch.sent(Answer) == [Answer("c1", "answer")]
    assert rig.played() == ["Menu"]
    rig.switch.press("c1", "1")
    assert rig.outcomes == [Handover("sales")]


@pytest.mark.parametrize(("result", "said"), [("talked", "Thanks"), ("timeout", "Bye")])
def test_a_successor_goes_on_after_the_queue(result: str, said: str) -> None:
    rig = Rig().begun()
    rig.switch.press("c1", "1")
    rig.live.close()
    position = remembered(rig)
    assert position.node == "sales"
    rig.switch.take()
    rig.session = rig.made(position)
    rig.session.returned(result)
    assert rig.outcomes == [Handover("sales")], "the caller is not put into the queue a second time"
    assert rig.played() == [said]


def test_a_successor_that_knows_nothing_begins_anew() -> None:
    rig = Rig()
    rig.live.returned("talked")
    assert rig.played() == ["Hello one five"]


def test_the_place_is_remembered_before_the_outcome() -> None:
    rig = Rig()
    order: list[str] = []
    rig.session = FlowSession(
        "c1",
        INFO,
        flow(),
        rig.prompts,
        rig.switch,
        rig.time,
        lambda _kind, _data: None,
        lambda outcome: order.append(type(outcome).__name__),
        lambda position: order.append(position.node),
        around=rig.around,
        outside=rig.outside,
    )
    rig.begun()
    rig.switch.press("c1", "1")
    assert order == ["hello", "sales", "Handover"]


def test_a_secure_step_that_is_cut_off_is_over() -> None:
    """Whoever goes on with the call says it again; else nothing of it would ever be recorded."""
    rig = Rig()
    text = """
flow: test
numbers: ["100"]
language: en
start: card
nodes:
  card: {ask: {type: digits, secure: true, save: card, prompt: Card.}, next: done, otherwise: done}
  done: {hangup: {}}
"""
    asked, problems = load_text(text.encode(), "test.yaml")
    assert asked is not None, problems
    told: list[bool] = []
    session = FlowSession(
        "c1",
        INFO,
        asked,
        rig.prompts,
        rig.switch,
        rig.time,
        lambda _kind, _data: None,
        rig.outcomes.append,
        rig.places.append,
        around=rig.around,
        outside=rig.outside,
        on_secure=told.append,
    )
    rig.session = session
    session.begin()
    rig.time.settle()
    assert told == [True]
    session.close()
    session.close()
    assert told == [True, False]
