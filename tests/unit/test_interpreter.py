"""One caller in one flow: what is said, what is waited for, and where every key, silence and failure leads."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from ivr.effects import Break, CancelTimer, Effect, End, EnterQueue, NoteEvent, Say, StartTimer, Step, StopSaying
from ivr.flow import Flow
from ivr.handover import Handover
from ivr.inputs import ENDED, INPUT, QUEUE, CallFacts, Input, KeyTyped, Position, PromptEnded, QueueEnded, TimerFired
from ivr.interpreter import advance, begin, resume
from ivr.loader import load_text
from ivr.walk import MAX_TYPED
from tests.fakes.surroundings import AROUND

CALL = CallFacts(caller_number="+15550142", caller_name="Ada", dialled="300")

FLOW = """
flow: test
numbers: ["1"]
language: en
languages: [en, es]
start: hello
on_error: sorry
nodes:
  hello: {say: {en: Hello, es: Hola}, next: main}
  main:
    menu:
      prompt: {en: Menu, es: Opciones}
      keys: {"1": sales, "2": hours, "9": spanish}
      invalid: {en: Wrong, es: Mal}
      no_input: {en: Nothing, es: Nada}
      timeout: 4s
      tries: 3
      otherwise: bye
  hours: {say: {en: Hours, es: Horario}, bargein: false, next: main}
  spanish: {set: {language: es, ticket: "42"}, next: main}
  sales: {to_queue: {queue: sales, then: thanks, otherwise: nobody}}
  thanks: {say: {en: Thanks, es: Gracias}, next: done}
  nobody: {say: {en: "Nobody in {queue}. {ticket}", es: "Nadie en {queue}. {ticket}"}, next: busy}
  bye: {say: {en: Bye, es: Chau}, next: done}
  sorry: {say: {en: Sorry, es: Disculpe}, next: done}
  busy: {hangup: {cause: busy}}
  done: {hangup: {}}
"""


def load(text: str) -> Flow:
    flow, problems = load_text(text.encode(), "test.yaml")
    assert flow is not None, problems
    return flow


class Caller:
    """Feeds inputs to the interpreter and keeps what came of them."""

    def __init__(self, flow: Flow, typed: str = "") -> None:
        self.flow = flow
        self.heard: list[str] = []
        self.step: Step
        self.take(begin(flow, CALL, AROUND, typed))

    def take(self, step: Step) -> None:
        self.step = step
        self.heard += [" ".join(effect.pieces) for effect in step.effects if isinstance(effect, Say)]

    def give(self, given: Input) -> Caller:
        self.take(advance(self.flow, CALL, self.position, given, AROUND))
        return self

    @property
    def position(self) -> Position:
        return self.step.position

    def key(self, key: str) -> Caller:
        return self.give(KeyTyped(key))

    def prompt_ends(self, *, failed: bool = False) -> Caller:
        return self.give(PromptEnded(self.position.saying, failed=failed))

    def press(self, key: str) -> Caller:
        """A key during a prompt that it may interrupt."""
        return self.key(key).give(PromptEnded(self.position.saying, interrupted=True))

    def silence(self) -> Caller:
        return self.give(TimerFired(self.position.timer))

    def one(self, kind: type[Effect]) -> Effect:
        (found,) = [effect for effect in self.step.effects if isinstance(effect, kind)]
        return found

    def outcomes(self) -> list[str]:
        notes = [effect for effect in self.step.effects if isinstance(effect, NoteEvent)]
        return [note.data["outcome"] for note in notes if note.kind == "menu.outcome"]


@pytest.fixture
def caller() -> Caller:
    return Caller(load(FLOW))


def test_prompts_follow_one_another_and_then_a_key_is_awaited(caller: Caller) -> None:
    assert caller.heard == ["Hello"]
    caller.prompt_ends()
    assert caller.heard == ["Hello", "Menu"]
    assert caller.position.stage == "prompt"
    caller.prompt_ends()
    assert caller.one(StartTimer) == StartTimer("no_input", 4.0, caller.position.timer)
    assert caller.position.stage == INPUT


def test_a_key_after_the_prompt(caller: Caller) -> None:
    caller.prompt_ends().prompt_ends()
    timer = caller.position.timer
    caller.key("1")
    assert caller.one(CancelTimer) == CancelTimer(timer)
    assert caller.one(EnterQueue) == EnterQueue(Handover("sales"))
    assert caller.outcomes() == ["match"]


def test_a_key_during_the_prompt_interrupts_it_once(caller: Caller) -> None:
    caller.prompt_ends().key("1")
    assert caller.one(StopSaying) == StopSaying(caller.position.saying)
    caller.key("5")
    assert [type(effect) for effect in caller.step.effects] == [NoteEvent]
    caller.give(PromptEnded(caller.position.saying, interrupted=True))
    assert caller.position.stage == QUEUE


def test_a_key_before_the_prompt_skips_it(caller: Caller) -> None:
    caller.press("1")
    assert caller.heard == ["Hello"]
    assert caller.position.stage == QUEUE


def test_keys_before_anything_was_said() -> None:
    caller = Caller(load(FLOW), typed="1")
    assert caller.heard == []
    assert caller.position.stage == QUEUE


def test_keys_typed_ahead_go_through_several_menus(caller: Caller) -> None:
    caller.key("9").key("2").prompt_ends()
    assert caller.heard == ["Hello", "Horario"], "9 chose Spanish, 2 the opening hours"


def test_a_prompt_without_bargein_plays_to_its_end_and_keeps_the_key(caller: Caller) -> None:
    caller.prompt_ends().press("2")
    assert caller.heard[-1] == "Hours"
    say = caller.one(Say)
    assert isinstance(say, Say)
    assert not say.interruptible
    caller.key("1")
    assert [type(effect) for effect in caller.step.effects] == [NoteEvent]
    caller.prompt_ends()
    assert caller.position.stage == QUEUE


def test_a_wrong_key_says_so_and_asks_again(caller: Caller) -> None:
    caller.prompt_ends().press("7")
    assert caller.heard[-1] == "Wrong"
    assert caller.outcomes() == ["invalid"]
    caller.prompt_ends()
    assert caller.heard[-1] == "Menu"
    assert caller.press("1").position.stage == QUEUE


def test_a_wrong_key_forgets_what_was_typed_after_it(caller: Caller) -> None:
    caller.key("7").key("1").prompt_ends()
    assert caller.heard[-1] == "Wrong"
    assert caller.position.typed == ""


def test_a_key_during_the_complaint_chooses(caller: Caller) -> None:
    caller.prompt_ends().press("7").press("1")
    assert caller.position.stage == QUEUE


def test_no_key_says_so_and_asks_again(caller: Caller) -> None:
    caller.prompt_ends().prompt_ends().silence()
    assert caller.heard[-1] == "Nothing"
    assert caller.outcomes() == ["no_input"]
    assert caller.prompt_ends().heard[-1] == "Menu"


def test_tries_count_wrong_keys_and_silence_together(caller: Caller) -> None:
    caller.prompt_ends().press("7").prompt_ends()
    caller.prompt_ends().silence().prompt_ends()
    caller.press("8")
    assert caller.outcomes() == ["invalid", "too_many"]
    assert caller.heard[-1] == "Bye"


def test_coming_back_to_a_menu_starts_its_tries_anew(caller: Caller) -> None:
    caller.prompt_ends().press("7").prompt_ends().press("7").prompt_ends()
    caller.press("2").prompt_ends()
    assert caller.heard[-1] == "Menu"
    assert caller.position.tries == 0


def test_a_menu_without_complaints_just_asks_again() -> None:
    text = FLOW.replace("      invalid: {en: Wrong, es: Mal}\n", "")
    caller = Caller(load(text.replace("      no_input: {en: Nothing, es: Nada}\n", "")))
    caller.prompt_ends().press("7")
    assert caller.heard[-1] == "Menu"
    caller.prompt_ends().silence()
    assert caller.heard[-1] == "Menu"
    assert caller.position.stage == "prompt"


def test_after_a_talk_the_flow_goes_on(caller: Caller) -> None:
    caller.press("1").give(QueueEnded("talked"))
    assert caller.heard[-1] == "Thanks"
    assert caller.prompt_ends().one(End) == End(16)
    assert caller.position.stage == ENDED


@pytest.mark.parametrize("result", ["timeout", "unavailable", "anything else"])
def test_without_a_talk_it_goes_otherwise(caller: Caller, result: str) -> None:
    caller.press("1").give(QueueEnded(result))
    assert caller.heard[-1] == "Nobody in sales"
    assert caller.prompt_ends().one(End) == End(17)


def test_variables_are_spelled(caller: Caller) -> None:
    caller.press("9").press("1").give(QueueEnded("timeout"))
    assert caller.heard[-1] == "Nadie en sales cuatro dos"


def test_keys_in_the_queue_mean_nothing(caller: Caller) -> None:
    caller.press("1")
    before = caller.step
    caller.key("1")
    assert caller.step == Step(before.position, ())


@pytest.mark.parametrize(
    "stale",
    [PromptEnded(0), PromptEnded(99), TimerFired(0), TimerFired(99), QueueEnded("talked"), KeyTyped("x"), KeyTyped("")],
)
def test_stale_inputs_change_nothing(caller: Caller, stale: Input) -> None:
    position = caller.prompt_ends().prompt_ends().position
    assert advance(caller.flow, CALL, position, stale, AROUND) == Step(position, ())


def test_the_timer_of_a_question_that_was_answered_is_stale(caller: Caller) -> None:
    caller.prompt_ends().prompt_ends()
    timer = caller.position.timer
    caller.key("7")
    before = caller.position
    assert caller.give(TimerFired(timer)).position == before


def test_typed_keys_are_bounded(caller: Caller) -> None:
    for _ in range(100):
        caller.key("2")
    assert len(caller.position.typed) == MAX_TYPED


def test_digits_are_in_no_event_and_in_no_memory(caller: Caller) -> None:
    caller.key("9").key("2")
    notes = [effect for effect in caller.step.effects if isinstance(effect, NoteEvent)]
    assert notes == [NoteEvent("key.pressed", {})]
    assert "92" not in json.dumps(caller.position.to_memory())
    assert "15550142" not in json.dumps(caller.position.to_memory())


def test_a_failed_prompt_counts_as_heard_but_not_for_ever(caller: Caller) -> None:
    caller.prompt_ends(failed=True)
    assert caller.heard[-1] == "Menu"
    caller.prompt_ends(failed=True).silence().prompt_ends(failed=True).prompt_ends(failed=True)
    assert caller.one(Break) == Break("prompts cannot be played")
    assert caller.position.stage == ENDED


CIRCLE = """
flow: circle
numbers: ["1"]
language: en
start: one
nodes:
  one: {set: {x: "1"}, next: two}
  two: {set: {x: "2"}, next: done}
  sorry: {say: Sorry., next: done}
  done: {hangup: {}}
"""


@pytest.mark.parametrize("on_error", [None, "sorry", "one"])
def test_a_circle_without_a_wait_ends(on_error: str | None) -> None:
    flow = load(CIRCLE)
    # The loader refuses such a circle; the interpreter must survive one all the same.
    nodes = {**flow.nodes, "two": flow.nodes["two"].model_copy(update={"next": "one"})}
    caller = Caller(dataclasses.replace(flow, nodes=nodes, on_error=on_error))
    if on_error == "sorry":
        assert caller.heard == ["Sorry."]
    else:
        assert caller.one(Break) == Break("more than 50 nodes without a wait")


def test_a_prompt_with_nothing_to_say_is_over_at_once() -> None:
    text = FLOW.replace("{en: Hello, es: Hola}", '{en: "{caller_number}", es: "{caller_number}"}')
    anonymous = CallFacts(dialled="1")
    step = begin(load(text), anonymous, AROUND)
    assert [effect.pieces for effect in step.effects if isinstance(effect, Say)] == [("Menu",)]


def test_a_prompt_in_a_language_of_its_own() -> None:
    text = FLOW.replace("say: {en: Hello, es: Hola}", "say: {es: Hola}, language: es")
    say = Caller(load(text)).one(Say)
    assert isinstance(say, Say)
    assert (say.pieces, say.language) == (("Hola",), "es")


# resuming ------------------------------------------------------------------------------------------------------------


def test_a_successor_enters_the_node_again_in_the_caller_s_language(caller: Caller) -> None:
    caller.press("9").prompt_ends()
    memory = json.loads(json.dumps(caller.position.to_memory()))
    step = resume(caller.flow, CALL, Position.from_memory(memory), AROUND)
    assert [effect.pieces for effect in step.effects if isinstance(effect, Say)] == [("Opciones",)]
    assert step.position.saying > caller.position.serial
    assert step.position.variables == (("ticket", "42"),)


def test_a_node_that_is_no_more_means_the_start(caller: Caller) -> None:
    step = resume(caller.flow, CALL, Position("gone", "fr"), AROUND)
    assert (step.position.node, step.position.language) == ("hello", "en")


@pytest.mark.parametrize("memory", [None, 3, "x", [], {}, {"n": 1, "l": [], "t": "x", "v": 3, "e": -1, "q": None}])
def test_a_memory_that_is_not_ours_means_the_start(caller: Caller, memory: object) -> None:
    assert resume(caller.flow, CALL, Position.from_memory(memory), AROUND).position.node == "hello"


def test_the_memory_is_small() -> None:
    root = Path(__file__).parents[2]
    flow = load((root / "dialplans" / "harbor-lane.yaml").read_text())
    caller = Caller(flow).press("2").prompt_ends()
    assert caller.position.stage == QUEUE
    assert len(json.dumps(caller.position.to_memory(), separators=(",", ":"))) < 100


def test_the_shipped_main_line_brings_key_2_to_support() -> None:
    root = Path(__file__).parents[2]
    flow = load((root / "dialplans" / "harbor-lane.yaml").read_text())
    caller = Caller(flow).prompt_ends().prompt_ends().press("2").prompt_ends()
    assert caller.one(EnterQueue) == EnterQueue(Handover("support"))
    assert caller.heard[:2] == ["Thank you for calling Harbor Lane Bikes.", "Para español, oprima el nueve."]
