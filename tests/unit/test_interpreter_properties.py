"""Any flow, any caller: every step ends in a wait or in the end, and old news changes nothing."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from ivr.effects import Break, CancelTimer, End, EnterQueue, Say, StartTimer, Step, StopSaying
from ivr.flow import Flow
from ivr.inputs import ENDED, INPUT, QUEUE, CallFacts, Input, KeyTyped, Position, PromptEnded, QueueEnded, TimerFired
from ivr.interpreter import advance, begin, resume
from ivr.loader import load_text
from tests.fakes.surroundings import AROUND

IDS = ["a", "b", "c", "d", "e"]
node_ids = st.sampled_from(IDS)
prompts = st.sampled_from(["Hi there", "{caller_number}", "{queue} {x}", {"en": "Yes", "es": "{dialled}"}]).map(
    lambda given: given if isinstance(given, dict) else {"en": given, "es": given}
)
nodes: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.fixed_dictionaries({"say": prompts, "next": node_ids, "bargein": st.sampled_from(["true", "false"])}),
    st.fixed_dictionaries({"set": st.sampled_from([{"language": "es"}, {"x": "12"}]), "next": node_ids}),
    st.fixed_dictionaries(
        {
            "menu": st.fixed_dictionaries(
                {
                    "prompt": prompts,
                    "keys": st.dictionaries(st.sampled_from("12*"), node_ids, min_size=1),
                    "tries": st.sampled_from(["1", "2", "3"]),
                    "otherwise": node_ids,
                    "bargein": st.sampled_from(["true", "false"]),
                },
                optional={"invalid": prompts, "no_input": prompts},
            )
        }
    ),
    st.fixed_dictionaries(
        {"to_queue": st.fixed_dictionaries({"queue": st.just("sales"), "then": node_ids, "otherwise": node_ids})}
    ),
    st.just({"hangup": {}}),
)


@st.composite
def flows(draw: st.DrawFn) -> Flow:
    """Any wiring at all, circles included: what the loader refuses is rewired after loading."""
    written: dict[str, Any] = {
        "flow": "any",
        "numbers": ["1"],
        "language": "en",
        "languages": ["en", "es"],
        "start": "a",
        "nodes": {node_id: draw(nodes) for node_id in IDS[:-1]} | {"e": {"hangup": {}}},
    }
    if draw(st.booleans()):
        written["on_error"] = draw(node_ids)
    safe = json.loads(json.dumps(written))
    safe["nodes"]["f"] = {"set": {"x": "1"}, "next": "e"}
    for node_id, node in safe["nodes"].items():
        if "next" in node and node_id != "f":
            node["next"] = "e"
        if "to_queue" in node:
            node["to_queue"] |= {"then": "e"}
        if "menu" in node:
            node["menu"]["otherwise"] = "e"
    flow, problems = load_text(json.dumps(safe).encode(), "any.yaml")
    assert flow is not None, problems
    wired = {}
    for node_id, node in flow.nodes.items():
        given = written["nodes"].get(node_id, {})
        changes: dict[str, Any] = {}
        if "next" in given:
            changes["next"] = given["next"]
        if "to_queue" in given:
            changes["to_queue"] = node.to_queue.model_copy(update={"then": given["to_queue"]["then"]})  # type: ignore[attr-defined]
        if "menu" in given:
            changes["menu"] = node.menu.model_copy(update={"otherwise": given["menu"]["otherwise"]})  # type: ignore[attr-defined]
        wired[node_id] = node.model_copy(update=changes)
    return dataclasses.replace(flow, nodes=wired)


tokens = st.integers(0, 12)
wild = st.one_of(
    st.sampled_from("129*#x").map(KeyTyped),
    st.builds(PromptEnded, tokens, st.booleans(), st.booleans()),
    tokens.map(TimerFired),
    st.sampled_from(["talked", "timeout"]).map(QueueEnded),
)
apt = st.tuples(st.sampled_from(["key", "prompt", "timer", "queue", "wild"]), st.sampled_from("129*"), wild)
calls = st.builds(CallFacts, st.sampled_from(["", "+1555"]), st.just(""), st.sampled_from(["", "100"]))


def chosen(position: Position, choice: tuple[str, str, Input]) -> Input:
    kind, key, anything = choice
    match kind:
        case "key":
            return KeyTyped(key)
        case "prompt":
            return PromptEnded(position.saying)
        case "timer":
            return TimerFired(position.timer)
        case "queue":
            return QueueEnded("talked")
        case _:
            return anything


class World:
    """Believes only effects: what plays, what runs, and that no more than one of each does."""

    def __init__(self) -> None:
        self.playing = 0
        self.timer = 0
        self.over = False
        self.queued = False

    def apply(self, step: Step, given: Input | None) -> None:
        if isinstance(given, PromptEnded) and given.token == self.playing:
            self.playing = 0
        if isinstance(given, TimerFired) and given.token == self.timer:
            self.timer = 0
        if isinstance(given, QueueEnded):
            self.queued = False
        assert not (self.over and step.effects)
        for effect in step.effects:
            match effect:
                case Say(token=token, pieces=pieces):
                    assert pieces
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
                case EnterQueue():
                    assert not self.playing
                    assert not self.timer
                    self.queued = True
                case End() | Break():
                    assert not self.playing
                    assert not self.timer
                    self.over = True
                case _:
                    pass
        position = step.position
        assert (position.stage == ENDED) == self.over
        assert (position.stage == QUEUE) == self.queued
        assert (position.stage == INPUT) == bool(self.timer)
        waits = [self.over, self.queued, bool(self.timer), bool(self.playing)]
        assert waits.count(True) == 1, "exactly one thing is waited for"
        assert len(position.typed) <= 16


@settings(max_examples=300)
@given(flows(), calls, st.text("12", max_size=20), st.lists(apt, max_size=40))
def test_every_step_waits_for_exactly_one_thing_or_ends(
    flow: Flow, call: CallFacts, typed: str, choices: list[tuple[str, str, Input]]
) -> None:
    world = World()
    step = begin(flow, call, AROUND, typed)
    world.apply(step, None)
    for choice in choices:
        given = chosen(step.position, choice)
        counted = not _stale(step.position, given)
        before = step.position
        step = advance(flow, call, before, given, AROUND)
        if counted:
            world.apply(step, given)
        else:
            assert step == Step(before, ())


def _stale(position: Position, given: Input) -> bool:
    if position.stage == ENDED:
        return True
    match given:
        case PromptEnded(token=token):
            return token != position.saying or token == 0
        case TimerFired(token=token):
            return token != position.timer or token == 0
        case QueueEnded():
            return position.stage != QUEUE
        case KeyTyped(key=key):
            return position.stage == QUEUE or key == "x"


@given(flows(), calls, st.lists(apt, max_size=15))
def test_a_successor_takes_over_from_memory_what_it_would_from_the_position(
    flow: Flow, call: CallFacts, choices: list[tuple[str, str, Input]]
) -> None:
    position = begin(flow, call, AROUND).position
    for choice in choices:
        position = advance(flow, call, position, chosen(position, choice), AROUND).position
    memory = json.loads(json.dumps(position.to_memory()))
    assert len(json.dumps(memory)) < 400
    again = Position.from_memory(memory)
    assert again.to_memory() == memory
    assert resume(flow, call, again, AROUND) == resume(flow, call, position, AROUND)
    World().apply(resume(flow, call, again, AROUND), None)
