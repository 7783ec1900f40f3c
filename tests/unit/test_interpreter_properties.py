"""Any flow of any verbs, any caller: every step ends in one wait or in the end, and old news changes nothing."""

from __future__ import annotations

import copy
import dataclasses
import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from ivr.effects import (
    Break,
    CancelTimer,
    DropRequest,
    Effect,
    End,
    EnterQueue,
    Request,
    Say,
    Secure,
    StartTimer,
    Step,
    StopSaying,
)
from ivr.flow import Flow
from ivr.inputs import (
    ENDED,
    INPUT,
    OUTSIDE,
    QUEUE,
    Answered,
    CallFacts,
    HungUp,
    Input,
    KeyTyped,
    Position,
    PromptEnded,
    QueueEnded,
    TimerFired,
    shorter,
)
from ivr.interpreter import advance, begin, broken, resume
from ivr.loader import load_files
from ivr.requests import HttpRequest, RecordRequest, What
from ivr.values import EMPTY, Kind
from ivr.verbs import VERBS, verbs_of
from ivr.walk import MAX_FRAMES
from tests.fakes.surroundings import FakeSurroundings

AROUND = FakeSurroundings(on={"storm"})


def both(text: str) -> dict[str, str]:
    return {"en": text, "es": text}


NODES: dict[str, dict[str, Any]] = {
    "say": {"say": both("{caller_number}"), "next": "wait"},
    "wait": {"wait": {"for": "2s", "music": "calm"}, "next": "plain"},
    "plain": {"say": both("It is {amount} on {day} for {name:spell}."), "next": "spanish", "bargein": "false"},
    "spanish": {
        "set": {"language": "es", "n": {"expr": "n + 1"}, "amount": {"expr": "amount / double(n)"}},
        "next": "menu",
    },
    "menu": {
        "menu": {
            "prompt": [both("Menu"), both("Menu again")],
            "keys": {"1": "digits", "2": "pin", "#": "call", "3": "split", "4": "if", "5": "other"},
            "invalid": both("No"),
            "tries": "2",
            "otherwise": "queue",
        }
    },
    "digits": {
        "ask": {
            "type": "number",
            "length": "2-3",
            "save": "n",
            "prompt": both("Number"),
            "confirm": "true",
            "tries": "2",
        },
        "next": "sum",
        "otherwise": {"no_input": "queue", "else": "menu2"},
    },
    "menu2": {"menu": {"prompt": both("{x}"), "keys": {"1": "queue"}, "bargein": "false", "otherwise": "end"}},
    "sum": {
        "ask": {"type": "amount", "save": "amount", "prompt": both("Sum"), "invalid": both("No")},
        "next": "day",
        "otherwise": "end",
    },
    "day": {
        "ask": {"type": "date", "format": "ddmm", "save": "day", "prompt": both("{n}")},
        "next": "sure",
        "otherwise": "end",
    },
    "sure": {"ask": {"type": "yes_no", "save": "sure", "prompt": both("Sure")}, "next": "get", "otherwise": "end"},
    "pin": {
        "ask": {
            "type": "digits",
            "length": "4",
            "secure": "true",
            "save": "pin",
            "prompt": both("Pin"),
            "no_input": both("Pin?"),
        },
        "next": "post",
        "otherwise": "end",
    },
    "get": {
        "http": {
            "service": "crm",
            "get": "/{x}/{n}",
            "save": {"name": "name", "amount": {"from": "a", "type": "amount"}},
        },
        "next": "customer",
        "otherwise": {"not_found": "customer", "else": "hours"},
    },
    "post": {"http": {"service": "crm", "post": "/x", "body": {"pin": "{pin}"}}, "next": "queue", "otherwise": "queue"},
    "customer": {"customer": None, "next": "hours", "otherwise": "hours"},
    "hours": {"hours": "desk", "open": "switch", "closed": "switch"},
    "switch": {"switch": "storm", "on": "survey", "off": "transfer"},
    "split": {"split": {"transfer": "1", "voicemail": "2"}},
    "if": {"if": [{"when": "n > 5 && amount < 10.0", "to": "queue"}], "else": "goto"},
    "goto": {"goto": "callback"},
    "call": {"call": {"flow": "inner", "with": {"given": "{n}"}, "save": {"n": "got"}}, "next": "queue"},
    "other": {"goto": {"flow": "second"}},
    "queue": {
        "to_queue": {
            "queue": "sales",
            "data": {"name": "{name}", "sum": "{amount}"},
            "then": "survey",
            "otherwise": {"full": "voicemail", "else": "callback"},
            "keys": {"7": "callback"},
        }
    },
    "transfer": {"transfer": {"to": "{x}"}, "next": "end", "otherwise": {"busy": "voicemail", "else": "end"}},
    "callback": {"callback": {"queue": "sales", "data": {"why": "{name}"}}, "next": "end", "otherwise": "end"},
    "voicemail": {
        "voicemail": {"box": "main", "prompt": both("Speak"), "review": "true", "tries": "2"},
        "next": "end",
        "otherwise": {"no_message": "end", "else": "end"},
    },
    "survey": {
        "survey": {
            "name": "how",
            "questions": [
                {"id": "a", "type": "nps", "prompt": both("A")},
                {"id": "b", "type": "csat", "prompt": both("B")},
            ],
        },
        "next": "end",
    },
    "mark": {"set": {"x": "12"}, "next": "end"},
    "end": {"hangup": {}},
}
INNER: dict[str, dict[str, Any]] = {
    "hello": {"say": "Hello {given}", "next": "secret"},
    "secret": {
        "ask": {"type": "digits", "length": "2", "secure": "true", "save": "code", "prompt": "Code"},
        "next": "tell",
        "otherwise": "deeper",
    },
    "tell": {"http": {"service": "crm", "put": "/c", "body": {"c": "{code}"}}, "next": "deeper", "otherwise": "deeper"},
    "deeper": {"call": {"flow": "innermost", "save": {"said": "said"}}, "next": "after"},
    "after": {"say": "After", "next": "back"},
    "back": {"return": {"got": "{given}"}},
    "stop": {"hangup": {"cause": "busy"}},
}
INNERMOST: dict[str, dict[str, Any]] = {
    "ask": {
        "ask": {"type": "digits", "save": "said", "prompt": "Qué", "length": "1-2"},
        "next": "back",
        "otherwise": "back",
    },
    "back": {"return": {"said": "{said}"}},
}
SECOND: dict[str, dict[str, Any]] = {
    "say": {"say": "Second", "next": "stop"},
    "stop": {"hangup": {}},
}
CRM = {"crm": {"url": "https://crm.example.com"}}
FILES: dict[str, dict[str, Any]] = {
    "any": {
        "numbers": ["1"],
        "language": "en",
        "languages": ["en", "es"],
        "currency": "USD",
        "start": "say",
        "on_error": "end",
        "on_hangup": "mark",
        "services": CRM,
        "hours": {"desk": {"time_zone": "UTC", "weekly": {"mon-fri": ["09:00-17:00"]}}},
        "nodes": NODES,
    },
    "inner": {
        "language": "en",
        "params": {"given": "number"},
        "returns": {"got": "number"},
        "start": "hello",
        "on_error": "stop",
        "on_hangup": "back",
        "services": CRM,
        "nodes": INNER,
    },
    "innermost": {"language": "es", "returns": {"said": "digits"}, "start": "ask", "nodes": INNERMOST},
    "second": {"numbers": ["2"], "language": "es", "start": "say", "nodes": SECOND},
}


def loaded() -> Flow:
    files = {f"{name}.yaml": json.dumps({"flow": name} | file).encode() for name, file in FILES.items()}
    (flow,) = [flow for flow in load_files(files, {"sales"}) if flow.name == "any"]
    return flow


FLOW = loaded()


def test_every_verb_is_among_them() -> None:
    assert {
        verb for file in FILES.values() for node in file["nodes"].values() for verb in verbs_of(node)
    } == VERBS.keys()


@st.composite
def flows(draw: st.DrawFn) -> Flow:
    """Any wiring at all, circles included: what the loader refuses is rewired after loading."""
    wired = {flow.name: _rewired(draw, flow, FILES[flow.name]["nodes"]) for flow in FLOW.family()}
    subs = {name: wired[name] for name in FLOW.subs}
    return dataclasses.replace(wired["any"], subs=subs)


def _rewired(draw: st.DrawFn, flow: Flow, written: dict[str, dict[str, Any]]) -> Flow:
    ids = st.sampled_from(sorted(written))
    nodes = {}
    for node_id in draw(st.lists(ids, unique=True, max_size=4)):
        node, changed = flow.nodes[node_id], copy.deepcopy(written[node_id])
        for path, _, _ in node.branches():
            if node.verb == "split":
                continue  # whose keys are the nodes
            place = changed
            for part in path[:-1]:
                place = place[part]
            place[path[-1]] = draw(ids)
        nodes[node_id] = type(node).model_validate(changed)
    return dataclasses.replace(
        flow,
        nodes=dict(flow.nodes) | nodes,
        start=draw(ids if flow.numbers else st.just(flow.start) | ids),
        on_error=draw(st.none() | ids),
        on_hangup=draw(st.none() | ids),
    )


tokens = st.integers(0, 12)
answers = st.sampled_from(["ok", "ok", "ok", "failed", "not_found", "refused", "busy", "short", "already", "surprise"])
wild: st.SearchStrategy[Input] = st.one_of(
    st.sampled_from("129*#Ax").map(KeyTyped),
    st.builds(PromptEnded, tokens, st.booleans(), st.booleans()),
    tokens.map(TimerFired),
    st.sampled_from(["talked", "timeout"]).map(QueueEnded),
    st.builds(Answered, tokens, answers),
    st.just(HungUp()),
)
kinds = st.sampled_from(
    ["key"] * 4 + ["prompt"] * 8 + ["cut"] + ["timer", "queue", "left"] * 2 + ["answer"] * 5 + ["wild"]
)
apt = st.tuples(kinds, st.sampled_from("0123456789*#AD"), answers, wild)
calls = st.builds(CallFacts, st.sampled_from(["", "+1555"]), st.just(""), st.sampled_from(["", "100"]))
Choice = tuple[str, str, str, Input]


def answer_to(position: Position, what: What | None, key: str, outcome: str) -> Answered:
    """As whoever is asked would answer."""
    values: tuple[tuple[str, Any], ...] = ()
    if outcome == "ok" and isinstance(what, HttpRequest):
        some = {Kind.TEXT: "Ana", Kind.AMOUNT: 12.5}
        values = tuple((saved.name, some.get(saved.kind, EMPTY[saved.kind])) for saved in what.save)
    elif outcome == "ok" and isinstance(what, RecordRequest):
        ended = "hangup" if key == "0" else "key"
        values = (("file", "/messages/1"), ("seconds", 3.0), ("ended", ended))
    return Answered(position.asking, outcome, values)


class World:
    """Believes only effects: what plays, what runs, what is asked, and that no more than one of each does."""

    def __init__(self) -> None:
        self.playing = 0
        self.timer = 0
        self.asked: Request | None = None
        self.over = False
        self.queued = False
        self.gone = False
        self.secured = False

    def chosen(self, position: Position, choice: Choice) -> Input:
        kind, key, outcome, anything = choice
        match kind:
            case "key":
                return KeyTyped(key)
            case "prompt":
                return PromptEnded(position.saying)
            case "cut":
                return PromptEnded(position.saying, interrupted=True)
            case "timer":
                return TimerFired(position.timer)
            case "queue":
                return QueueEnded("talked" if key > "5" else "full")
            case "left":
                return QueueEnded("by_key", key)
            case "answer":
                return answer_to(position, self.asked.what if self.asked is not None else None, key, outcome)
            case _:
                return anything

    def apply(self, step: Step, given: Input | None) -> None:
        self._happened(given)
        assert not (self.over and step.effects)
        for effect in step.effects:
            self._carry_out(effect)
        self._agrees(step.position)

    def _happened(self, given: Input | None) -> None:
        match given:
            case PromptEnded(token=token) if token == self.playing:
                self.playing = 0
            case TimerFired(token=token) if token == self.timer:
                self.timer = 0
            case Answered(token=token) if self.asked is not None and token == self.asked.token:
                self.asked = None
            case QueueEnded():
                self.queued = False
            case HungUp():
                self.gone, self.playing, self.queued = True, 0, False
            case _:
                pass

    def _carry_out(self, effect: Effect) -> None:
        match effect:
            case Say(token=token, pieces=pieces):
                assert pieces
                assert not self.gone
                assert not self.playing
                self.playing = token
            case StopSaying(token=token):
                assert token == self.playing
            case StartTimer(token=token):
                assert not self.timer
                self.timer = token
            case CancelTimer(token=token):
                assert token == self.timer
                self.timer = 0
            case Request():
                assert self.asked is None
                self.asked = effect
            case DropRequest(token=token):
                assert self.asked is not None
                assert token == self.asked.token
                self.asked = None
            case Secure(on=on):
                assert on is not self.secured
                self.secured = on
            case EnterQueue():
                assert not self.gone
                assert not self.playing
                assert not self.timer
                self.queued = True
            case End() | Break():
                assert not self.over
                assert not self.playing
                assert not self.timer
                assert self.asked is None
                self.over = True
            case _:
                pass

    def _agrees(self, position: Position) -> None:
        assert (position.stage == ENDED) == self.over
        assert (position.stage == QUEUE) == self.queued
        assert (position.stage == INPUT) == bool(self.timer)
        assert (position.stage == OUTSIDE) == (self.asked is not None)
        waits = [self.over, self.queued, bool(self.timer), bool(self.playing), self.asked is not None]
        assert waits.count(True) == 1, "exactly one thing is waited for"
        assert position.secured is self.secured
        assert position.gone is self.gone
        assert not (self.secured and self.over)
        assert len(position.typed) <= 16
        assert len(position.frames) <= MAX_FRAMES


@settings(max_examples=200, deadline=None)
@given(flows(), calls, st.text("12", max_size=20), st.lists(apt, min_size=20, max_size=40))
def test_every_step_waits_for_exactly_one_thing_or_ends(
    flow: Flow, call: CallFacts, typed: str, choices: list[Choice]
) -> None:
    world = World()
    step = begin(flow, call, AROUND, typed)
    world.apply(step, None)
    for choice in choices:
        given = world.chosen(step.position, choice)
        counted = not _stale(step.position, given)
        before = step.position
        step = advance(flow, call, before, given, AROUND)
        if counted:
            world.apply(step, given)
        else:
            assert step == Step(before, ())
        here = flow.subs.get(step.position.flow, flow)
        assert step.position.language in here.languages
        assert not (here.secrets & dict(step.position.variables).keys())


def _stale(position: Position, given: Input) -> bool:
    if position.stage == ENDED:
        return True
    match given:
        case PromptEnded(token=token):
            return token != position.saying or token == 0
        case TimerFired(token=token):
            return token != position.timer or token == 0
        case Answered(token=token):
            return token != position.asking or token == 0
        case QueueEnded():
            return position.stage != QUEUE
        case KeyTyped(key=key):
            return position.stage == QUEUE or key == "x" or position.gone
        case HungUp():
            return position.gone


@settings(max_examples=100, deadline=None)
@given(flows(), calls, st.lists(apt, min_size=8, max_size=25), st.lists(apt, max_size=10))
def test_something_of_ours_may_break_anywhere(
    flow: Flow, call: CallFacts, choices: list[Choice], later: list[Choice]
) -> None:
    world, step = played(flow, call, choices)
    if step.position.stage == ENDED:
        return
    world.queued = False
    playing = world.playing
    step = broken(flow, call, step.position, "as a test", AROUND)
    assert [effect.token for effect in step.effects if isinstance(effect, StopSaying)] == [playing] * bool(playing)
    world.playing = 0
    world.apply(
        dataclasses.replace(step, effects=tuple(e for e in step.effects if not isinstance(e, StopSaying))), None
    )
    for choice in later:
        given = world.chosen(step.position, choice)
        if not _stale(step.position, given):
            step = advance(flow, call, step.position, given, AROUND)
            world.apply(step, given)


@settings(max_examples=150, deadline=None)
@given(flows(), calls, st.lists(apt, min_size=8, max_size=25), st.integers(0, 20), st.lists(apt, max_size=10))
def test_a_successor_takes_over_from_memory_and_goes_on(
    flow: Flow, call: CallFacts, choices: list[Choice], cut: int, later: list[Choice]
) -> None:
    _, step = played(flow, call, [choice for choice in choices if not isinstance(choice[3], HungUp)])
    position = step.position
    memory = json.loads(json.dumps(position.to_memory()))
    again = Position.from_memory(memory)
    assert again.to_memory() == memory
    if not position.secrets and not any(frame.secrets for frame in position.frames):
        assert resume(flow, call, again, AROUND) == resume(flow, call, position, AROUND)
    for _ in range(cut):  # less and less of the variables has room
        memory = shorter(memory) or memory
    again = Position.from_memory(json.loads(json.dumps(memory)))
    for found in (again, position):
        world, step = World(), resume(flow, call, found, AROUND)
        world.apply(step, None)
        posts = [one for one in step.effects if isinstance(one, Request) and getattr(one.what, "method", "") == "POST"]
        assert not posts or len(_entered(step)) > 1, "an order of unknown fate"
        for choice in later:
            given = world.chosen(step.position, choice)
            if not _stale(step.position, given):
                step = advance(flow, call, step.position, given, AROUND)
                world.apply(step, given)


def _entered(step: Step) -> list[str]:
    return [effect.data["node"] for effect in step.effects if getattr(effect, "kind", "") == "node.entered"]


def played(flow: Flow, call: CallFacts, choices: list[Choice]) -> tuple[World, Step]:
    world, step = World(), begin(flow, call, AROUND)
    world.apply(step, None)
    for choice in choices:
        given = world.chosen(step.position, choice)
        if not _stale(step.position, given):
            step = advance(flow, call, step.position, given, AROUND)
            world.apply(step, given)
    return world, step
