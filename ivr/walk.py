"""One step through a flow while it is being taken: what a verb may do, and the effects collected so far.

Decides what each of those means for the caller's position. It knows no verb. It is made for one input and thrown away;
what remains is a `Step`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ivr.conditions import ConditionFailed
from ivr.effects import (
    Break,
    CancelTimer,
    DropRequest,
    Effect,
    End,
    EnterQueue,
    Music,
    NoteEvent,
    Request,
    Say,
    Secure,
    StartTimer,
    Step,
    StopSaying,
    Went,
)
from ivr.flow import Flow
from ivr.handover import Handover
from ivr.inputs import ENDED, INPUT, OUTSIDE, QUEUE, CallFacts, Frame, Position, PromptEnded
from ivr.node import is_amount, slot_of
from ivr.ports import Surroundings
from ivr.requests import What
from ivr.values import Value, kept, shown
from ivr.wording import QUEUE_VARIABLE, Spoken, filled

MAX_TYPED = 16
"""Keys typed ahead that are kept; more is somebody leaning on the phone."""

MAX_ERRORS = 3
"""Errors that one call may have before it is given up."""

MAX_FRAMES = 8
"""Flows that may wait for each other; a deeper nest is refused at load, and ends in an error all the same."""


class Lost(Exception):
    """What a step needs was known once, and no more since a restart. It must not be taken for empty."""

    def __init__(self, name: str) -> None:
        super().__init__(f"the value of {name!r} was lost in a restart")


class Walk:
    """Verbs call these methods from `enter` and `take`; the interpreter reads the attributes."""

    __slots__ = (
        "around",
        "asking",
        "call",
        "effects",
        "entered",
        "errors",
        "flow",
        "frames",
        "gone",
        "language",
        "lost",
        "main",
        "node",
        "queue",
        "resumed",
        "saying",
        "secrets",
        "secure_from",
        "secured",
        "serial",
        "silent",
        "stage",
        "step_in_node",
        "swallow",
        "target",
        "timer",
        "tries",
        "typed",
        "variables",
    )

    def __init__(self, flow: Flow, call: CallFacts, position: Position, around: Surroundings) -> None:
        self.main = flow
        self.flow = flow.subs.get(position.flow, flow)
        self.call = call
        self.around = around
        self.node = position.node
        self.language = position.language
        self.stage = position.stage
        self.frames = position.frames
        self.variables = position.variables
        self.lost = position.lost
        self.secrets = position.secrets
        self.secure_from = position.secure_from
        self.secured = position.secured
        self.queue = position.queue
        self.typed = position.typed
        self.entered = position.entered
        self.tries = position.tries
        self.step_in_node = position.step
        self.swallow = position.swallow
        self.saying = position.saying
        self.asking = position.asking
        self.timer = position.timer
        self.serial = position.serial
        self.errors = position.errors
        self.gone = position.gone
        self.effects: list[Effect] = []
        self.resumed = False
        self.target: str | None = None
        self.silent: PromptEnded | None = None

    # where to -----------------------------------------------------------------------------------------------------

    def go(self, node: str, label: str = "next") -> None:
        """Leave for another node (or this one again) as soon as the verb returns, by the branch of this label."""
        self.effects.append(Went(self.flow.name, self.node, label, node))
        self.target = node

    def end(self, cause: int) -> None:
        self.secure(False)
        self.stage = ENDED
        self.effects.append(End(cause))

    def enter_queue(self, handover: Handover) -> None:
        """Keys typed until now were meant for what came before, not for what comes after the talk."""
        self.forget_keys()
        self.no_way_back()
        self.queue = handover.queue
        self.stage = QUEUE
        self.effects.append(EnterQueue(handover))

    def call_flow(self, name: str, variables: dict[str, Value]) -> None:
        """Go into another flow; this one goes on behind the present node when it returns."""
        if len(self.frames) >= MAX_FRAMES:
            self.fail(f"more than {MAX_FRAMES} flows within each other")
            return
        here = Frame(
            self._flow_key, self.node, self.variables, self.secrets, self.secure_from, self.language, self.lost
        )
        self.frames = (*self.frames, here)
        self._into(name, variables)

    def goto_flow(self, name: str, variables: dict[str, Value]) -> None:
        """Go on in another flow for good."""
        self.frames = ()
        self._into(name, variables)

    def hung_up(self) -> None:
        """The caller is gone: `on_hangup` of the flow, or of one that called it, or the end."""
        self.gone = True
        self.saying = 0
        self.typed = ""
        self.stop_listening()
        self.stop_asking()
        self.secure(False)
        self._to_on_hangup()

    def _to_on_hangup(self) -> None:
        while self.flow.on_hangup is None and self.frames:
            self._unwind()
        if self.flow.on_hangup is None:
            self.end(16)
        else:
            self.target = self.flow.on_hangup

    def begin_again(self) -> None:
        """The flow from its start, as if nothing were known; of a caller who is gone the end."""
        self.flow, self.frames, self.variables, self.lost = self.main, (), (), ()
        self.forget_secrets()
        if self.gone:
            self.end(16)
            return
        if self.language not in self.flow.languages:
            self.language = self.flow.language
        self.target = self.flow.start

    def _unwind(self) -> None:
        """Out of a sub-flow, into the one that called it, at the node that did."""
        frame, left = self.frames[-1], self.flow
        self.frames = self.frames[:-1]
        self.flow = self.flow_of(frame)
        self.node, self.variables, self.lost = frame.node, frame.variables, frame.lost
        self.secrets, self.secure_from = frame.secrets, frame.secure_from
        self._speak_again(left, frame.language)

    def _speak_again(self, left: Flow, before: str) -> None:
        """A language that a called flow chose stays. Where it merely does not speak the caller's, that is back."""
        had_none = before not in {"", *left.languages} and self.language == self.flow.language_in(left, before)
        if had_none or self.language not in self.flow.languages:
            self.language = before if before in self.flow.languages else self.flow.language

    def return_values(self, values: dict[str, Value]) -> None:
        """Back into the flow that called this one; its node decides what is kept. Without one, the flow is over."""
        if not self.frames:
            self.end(16)
            return
        self._unwind()
        if self.gone:  # whoever waits for this flow does not go on without the caller, unless by its own `on_hangup`
            self._to_on_hangup()
        else:
            self.flow.nodes[self.node].returned(self, values)

    def _into(self, name: str, variables: dict[str, Value]) -> None:
        flow = self.flow_named(name)
        self.language = self.flow.language_in(flow, self.language)
        self.effects.append(Went(self.flow.name, self.node, "flow", name))
        self.flow = flow
        self.variables, self.lost = tuple(variables.items()), ()
        self.forget_secrets()
        self.target = flow.start

    def flow_named(self, name: str) -> Flow:
        return self.main if name == self.main.name else self.main.subs[name]

    @property
    def _flow_key(self) -> str:
        return "" if self.flow is self.main else self.flow.name

    def flow_of(self, frame: Frame) -> Flow:
        return self.main.subs.get(frame.flow, self.main)

    def fail(self, reason: str) -> None:
        """Something that no verb provides for: `on_error` of the flow, or of one that called it, or the end."""
        self.errors += 1
        self.note("flow.error", {"node": self.node, "reason": reason})
        self.silent = None
        while self.flow.on_error is None and self.frames:
            self._unwind()
        if self.flow.on_error is None or self.errors > MAX_ERRORS:
            self.secure(False)
            self.stage = ENDED
            self.target = None
            self.effects.append(Break(reason))
        else:
            self.target = self.flow.on_error

    # speaking and listening ----------------------------------------------------------------------------------------

    def say(self, slot: str, *, interruptible: bool, language: str | None = None) -> None:
        """Say the prompt in this slot of the node; its end comes as `PromptEnded` to `take`."""
        wording = self.flow.wordings[self.node, slot]
        language = self.flow.heard_in(wording, language or self.language)
        pieces = wording.spoken(
            language,
            lambda variable, spoken: self.flow.fill(variable, self.value(variable.name), spoken, self.around.now()),
        )
        self._say(slot, wording.name, pieces, language, interruptible)

    def say_again(self) -> None:
        """What was being said, from its beginning."""
        language = self.flow.nodes[self.node].spoken_in()
        if self.has(self.stage):
            self.say(self.stage, interruptible=True, language=language)
        else:
            self.target = self.node

    def say_own(self, slot: str, pieces: tuple[Spoken, ...], *, interruptible: bool) -> None:
        """Say what the system itself says here (`Node.own_texts`), or play what the caller recorded."""
        self._say(slot, slot, pieces, self.language, interruptible)

    def _say(self, slot: str, name: str, pieces: tuple[Any, ...], language: str, interruptible: bool) -> None:
        self.serial += 1
        self.saying = self.serial
        self.stage = slot
        if pieces and not self.gone:
            self.note("prompt.started", {"node": self.node, "prompt": name, "language": language})
            self.effects.append(Say(pieces, language, interruptible, self.saying))
        else:
            self.silent = PromptEnded(self.saying)

    def has(self, slot: str) -> bool:
        return (self.node, slot) in self.flow.wordings

    def wording_for(self, slot: str, number: int) -> str | None:
        """The slot of the wording of this number (from 0), the last one there is for a later number; None: none."""
        while number > 0 and not self.has(slot_of(slot, number)):
            number -= 1
        return slot_of(slot, number) if self.has(slot) else None

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

    def forget_keys(self) -> None:
        """Also the one that is still expected, and means nothing: something else comes between."""
        self.typed = self.swallow = ""

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

    def secure(self, on: bool) -> None:
        """From here on, until this node is left, nothing may be recorded."""
        if on is not self.secured:
            self.secured = on
            self.effects.append(Secure(on))

    def music(self, music_class: str) -> None:
        self.effects.append(Music(music_class))

    # asking outside ------------------------------------------------------------------------------------------------

    def ask(self, what: What, limit_s: float) -> None:
        """Ask something outside the call; the answer comes as `Answered` to `take`, within `limit_s` seconds."""
        if not what.repeatable:
            self.no_way_back()
        self.serial += 1
        self.asking = self.serial
        self.stage = OUTSIDE
        self.effects.append(Request(what, self.asking, limit_s))

    def stop_asking(self) -> None:
        if self.asking:
            self.effects.append(DropRequest(self.asking))
            self.asking = 0

    # knowing -------------------------------------------------------------------------------------------------------

    def value(self, name: str) -> Value:
        """A variable's value, its kind's empty one when it has none yet. A secret has none here. Raises `Lost`."""
        if name in self.lost:
            raise Lost(name)
        return self.value_if_known(name)

    def value_if_known(self, name: str) -> Value:
        """The same for people to see: what was lost is empty."""
        match name:
            case "caller_number":
                return self.call.caller_number
            case "caller_name":
                return self.call.caller_name
            case "dialled":
                return self.call.dialled
            case "language":
                return self.language
            case _ if name == QUEUE_VARIABLE:
                return self.queue
            case _:
                return dict(self.variables).get(name, self.flow.empty(name))

    def secret(self, name: str) -> Value:
        """A variable's value, for a step that may use secrets."""
        secrets = dict(self.secrets)
        return secrets[name] if name in secrets else self.value(name)

    def filled(self, text: str) -> str:
        """A text that is read, with its variables filled in."""
        return filled(text, lambda name: shown(self.value(name)))

    def filled_if_known(self, text: str) -> str:
        """The same with what is known: for people to see, and where nothing hangs on it."""
        return filled(text, lambda name: shown(self.value_if_known(name)))

    def amount(self, text: str) -> int:
        """A number of seconds, written or in a variable; 0 when the variable holds none."""
        seconds = self.filled_if_known(text)
        return int(seconds) if is_amount(seconds) else 0

    def evaluate(self, expression: str) -> Value | None:
        """The value of an expression of this flow; None when it has none (said, and the flow goes `on_error`)."""
        compiled = self.flow.expressions[expression]
        try:
            return compiled.value({name: self.value(name) for name in compiled.names})
        except ConditionFailed as failed:
            self.fail(f"an expression has no value: {failed}")
            return None

    def assign(self, name: str, value: Value) -> None:
        self.variables = tuple((dict(self.variables) | {name: kept(value, self.flow.kind(name))}).items())
        self.lost = tuple(one for one in self.lost if one != name)

    def assign_secret(self, name: str, value: Value) -> None:
        """Keep a value for the step that may use it, and nothing else. Whoever resumes begins at this node again."""
        self.secrets = tuple((dict(self.secrets) | {name: value}).items())
        self.secure_from = self.secure_from or self.node

    def forget_secrets(self) -> None:
        self.secrets, self.secure_from = (), ""

    def no_way_back(self) -> None:
        """What is done now cannot be undone: whoever resumes must not begin before it, not for a secret's sake."""
        self.secure_from = ""
        if any(frame.secure_from for frame in self.frames):
            self.frames = tuple(replace(frame, secure_from="") for frame in self.frames)

    def has_secret(self, name: str) -> bool:
        return name in dict(self.secrets)

    def note(self, kind: str, data: dict[str, Any]) -> None:
        self.effects.append(NoteEvent(kind, data))

    def step(self) -> Step:
        position = Position(
            node=self.node,
            language=self.language,
            stage=self.stage,
            flow=self._flow_key,
            frames=self.frames,
            variables=self.variables,
            secrets=self.secrets,
            secure_from=self.secure_from,
            secured=self.secured,
            queue=self.queue,
            typed=self.typed,
            entered=self.entered,
            tries=self.tries,
            step=self.step_in_node,
            swallow=self.swallow,
            saying=self.saying,
            asking=self.asking,
            timer=self.timer,
            serial=self.serial,
            errors=self.errors,
            gone=self.gone,
            lost=self.lost,
        )
        return Step(position, tuple(self.effects))
