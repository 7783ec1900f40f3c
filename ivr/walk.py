"""One step through a flow while it is being taken: what a verb may do, and the effects collected so far.

Decides what each of those means for the caller's position. It knows no verb. It is made for one input and thrown away;
what remains is a `Step`.
"""

from __future__ import annotations

from typing import Any

from ivr.effects import Break, CancelTimer, Effect, End, EnterQueue, NoteEvent, Say, StartTimer, Step, StopSaying
from ivr.flow import Flow
from ivr.handover import Handover
from ivr.inputs import ENDED, INPUT, QUEUE, CallFacts, Position, PromptEnded
from ivr.node import is_amount
from ivr.wording import QUEUE_VARIABLE, filled

MAX_TYPED = 16
"""Keys typed ahead that are kept; more is somebody leaning on the phone."""

MAX_ERRORS = 3
"""Errors that one call may have before it is given up."""


class Walk:
    """Verbs call these methods from `enter` and `take`; the interpreter reads the attributes."""

    __slots__ = (
        "call",
        "effects",
        "errors",
        "flow",
        "language",
        "node",
        "queue",
        "saying",
        "serial",
        "silent",
        "stage",
        "target",
        "timer",
        "tries",
        "typed",
        "variables",
    )

    def __init__(self, flow: Flow, call: CallFacts, position: Position) -> None:
        self.flow = flow
        self.call = call
        self.node = position.node
        self.language = position.language
        self.stage = position.stage
        self.variables = position.variables
        self.queue = position.queue
        self.typed = position.typed
        self.tries = position.tries
        self.saying = position.saying
        self.timer = position.timer
        self.serial = position.serial
        self.errors = position.errors
        self.effects: list[Effect] = []
        self.target: str | None = None
        self.silent: PromptEnded | None = None

    # where to -----------------------------------------------------------------------------------------------------

    def go(self, node: str) -> None:
        """Leave for another node (or this one again) as soon as the verb returns."""
        self.target = node

    def end(self, cause: int) -> None:
        self.stage = ENDED
        self.effects.append(End(cause))

    def enter_queue(self, handover: Handover) -> None:
        """Keys typed until now were meant for what came before, not for what comes after the talk."""
        self.typed = ""
        self.queue = handover.queue
        self.stage = QUEUE
        self.effects.append(EnterQueue(handover))

    def fail(self, reason: str) -> None:
        """Something that no verb provides for: the flow's `on_error`, or the end."""
        self.errors += 1
        self.note("flow.error", {"node": self.node, "reason": reason})
        if self.flow.on_error is None or self.errors > MAX_ERRORS:
            self.stage = ENDED
            self.target = None
            self.effects.append(Break(reason))
        else:
            self.target = self.flow.on_error

    # speaking and listening ----------------------------------------------------------------------------------------

    def say(self, slot: str, *, interruptible: bool, language: str | None = None) -> None:
        """Say the prompt in this slot of the node; its end comes as `PromptEnded` to `take`."""
        language = language or self.language
        wording = self.flow.wordings[self.node, slot]
        pieces = wording.spoken(language, self.value)
        self.serial += 1
        self.saying = self.serial
        self.stage = slot
        if pieces:
            self.note("prompt.started", {"node": self.node, "prompt": wording.name, "language": language})
            self.effects.append(Say(pieces, language, interruptible, self.saying))
        else:
            self.silent = PromptEnded(self.saying)

    def has(self, slot: str) -> bool:
        return (self.node, slot) in self.flow.wordings

    def type_ahead(self, key: str, *, barge_in: bool) -> None:
        """Keep a key for the node that will ask for it; the first one also stops the prompt when it may."""
        if barge_in and not self.typed and self.saying:
            self.effects.append(StopSaying(self.saying))
        if len(self.typed) < MAX_TYPED:
            self.typed += key

    def next_typed(self) -> str:
        """Use up the oldest key typed ahead, "" when there is none."""
        key, self.typed = self.typed[:1], self.typed[1:]
        return key

    def forget_typed(self) -> None:
        self.typed = ""

    def listen(self, name: str, seconds: float) -> None:
        """Wait for a key, at most so long."""
        self.serial += 1
        self.timer = self.serial
        self.stage = INPUT
        self.effects.append(StartTimer(name, seconds, self.timer))

    def stop_listening(self) -> None:
        if self.timer:
            self.effects.append(CancelTimer(self.timer))
            self.timer = 0

    # knowing -------------------------------------------------------------------------------------------------------

    def value(self, name: str) -> str:
        """A variable's value, "" when it has none yet."""
        match name:
            case "caller_number":
                return self.call.caller_number
            case "caller_name":
                return self.call.caller_name
            case "dialled":
                return self.call.dialled
            case _ if name == QUEUE_VARIABLE:
                return self.queue
            case _:
                return dict(self.variables).get(name, "")

    def filled(self, text: str) -> str:
        """A text for people's screens, with its variables filled in."""
        return filled(text, self.value)

    def amount(self, text: str) -> int:
        """A number of seconds, written or in a variable; 0 when the variable holds none."""
        seconds = self.filled(text)
        return int(seconds) if is_amount(seconds) else 0

    def assign(self, name: str, value: str) -> None:
        self.variables = tuple((dict(self.variables) | {name: value}).items())

    def note(self, kind: str, data: dict[str, Any]) -> None:
        self.effects.append(NoteEvent(kind, data))

    def step(self) -> Step:
        position = Position(
            node=self.node,
            language=self.language,
            stage=self.stage,
            variables=self.variables,
            queue=self.queue,
            typed=self.typed,
            tries=self.tries,
            saying=self.saying,
            timer=self.timer,
            serial=self.serial,
            errors=self.errors,
        )
        return Step(position, tuple(self.effects))
