"""A caller in a flow, without a PBX: gives inputs to the interpreter and keeps what came of them."""

from __future__ import annotations

from typing import Any

from ivr.effects import Break, Effect, End, EnterQueue, NoteEvent, Request, Say, Secure, Step, Went
from ivr.flow import Flow
from ivr.inputs import Answered, CallFacts, HungUp, Input, KeyTyped, Position, PromptEnded, QueueEnded, TimerFired
from ivr.interpreter import advance, begin, resume
from ivr.loader import load_files
from ivr.values import Value
from tests.fakes.surroundings import FakeSurroundings

CALL = CallFacts("+15550142", "Ada", "300", "call-1")


def flow_of(*texts: str, name: str = "") -> Flow:
    """The flow of this name (or the only one that has numbers) of a set of files."""
    dialplans = load_files({f"f{index}.yaml": text.encode() for index, text in enumerate(texts)}, {"sales", "support"})
    found = [flow for flow in dialplans if (flow.name == name if name else flow.numbers)]
    assert len(found) == 1
    return found[0]


class FlowCaller:
    """Every method that acts returns the caller again, so that a call reads as one line."""

    def __init__(self, flow: Flow, call: CallFacts = CALL, typed: str = "") -> None:
        self.flow = flow
        self.call = call
        self.around = FakeSurroundings()
        self.heard: list[str] = []
        self.nodes: list[str] = []
        self.went: list[str] = []
        self.effects: list[Effect] = []
        self.step: Step
        self._typed = typed

    def starts(self) -> FlowCaller:
        return self.takes(begin(self.flow, self.call, self.around, self._typed))

    def resumes(self, memory: dict[str, Any]) -> FlowCaller:
        return self.takes(resume(self.flow, self.call, Position.from_memory(memory), self.around))

    def takes(self, step: Step) -> FlowCaller:
        self.step = step
        self.effects += step.effects
        for effect in step.effects:
            match effect:
                case Say(pieces=pieces):
                    self.heard.append(" ".join(map(str, pieces)))
                case NoteEvent(kind="node.entered", data=data):
                    self.nodes.append(data["node"])
                case Went(node=node, label=label):
                    self.went.append(f"{node}.{label}")
                case _:
                    pass
        return self

    @property
    def position(self) -> Position:
        return self.step.position

    def gives(self, given: Input) -> FlowCaller:
        return self.takes(advance(self.flow, self.call, self.position, given, self.around))

    def listens(self) -> FlowCaller:
        """To the end of every prompt, until something else is awaited."""
        while self.position.saying:
            self.gives(PromptEnded(self.position.saying))
        return self

    def presses(self, keys: str) -> FlowCaller:
        """One key after another; a prompt that plays ends by it."""
        for key in keys:
            saying = self.position.saying
            self.gives(KeyTyped(key))
            if saying and self.position.saying == saying:
                self.gives(PromptEnded(saying, interrupted=True))
        return self

    def stays_silent(self) -> FlowCaller:
        self.listens()
        return self.gives(TimerFired(self.position.timer))

    def hangs_up(self) -> FlowCaller:
        return self.gives(HungUp())

    def is_answered(self, outcome: str = "ok", **values: Value) -> FlowCaller:
        return self.gives(Answered(self.position.asking, outcome, tuple(values.items())))

    def is_back_from_queue(self, result: str) -> FlowCaller:
        return self.gives(QueueEnded(result))

    def outcomes(self, kind: str = "ask.outcome") -> list[str]:
        notes = [effect for effect in self.effects if isinstance(effect, NoteEvent) and effect.kind == kind]
        return [note.data["outcome"] for note in notes]

    def variable(self, name: str) -> Value | None:
        return dict(self.position.variables).get(name)

    def last(self, kind: type[Any]) -> Any:
        return next((effect for effect in reversed(self.effects) if isinstance(effect, kind)), None)


__all__ = ["Break", "End", "EnterQueue", "FlowCaller", "Request", "Secure", "flow_of"]
