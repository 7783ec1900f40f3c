"""One call in one flow, without a telephone: it is told what the caller does, and knows what they hear meanwhile.

Decides what time does (prompts take as long as they are to say, a silence as long as the flow waits) and that a key
cuts a prompt short as it does on the telephone. The rest is the interpreter's, the same one that real calls meet. It
refuses to know who plays the caller, and where answers from outside come from.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from enum import StrEnum

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
from ivr.handover import LEFT, Handover
from ivr.inputs import Answered, CallFacts, Input, KeyTyped, Position, PromptEnded, QueueEnded, TimerFired
from ivr.inputs import HungUp as CallerGone
from ivr.interpreter import advance, begin, broken
from ivr.rehearsal.happenings import (
    Asked,
    Broke,
    Entered,
    GotAnswer,
    Guarded,
    Happening,
    Heard,
    HungUp,
    Left,
    LeftQueue,
    Over,
    Pressed,
    Queued,
    Said,
    StayedSilent,
    Stumbled,
    Waited,
)
from ivr.requests import What
from ivr.values import Value
from ivr.wording import Draft, Silence, SoundFile, Spoken

CHARACTERS_A_SECOND = 14.0
SOUND_FILE_S = 3.0
MOST_UNASKED = 300
"""Prompts, pauses and answers in a row without the caller being asked anything. More is a flow that goes round."""

_WAIT = "wait"
"""The name of the timer of a node that only lets time pass."""


class Awaits(StrEnum):
    """What a call waits for."""

    PROMPT = "the end of a prompt"
    PAUSE = "the end of a pause"
    KEY = "a key"
    QUEUE = "an agent"
    ANSWER = "an answer from outside"
    NOTHING = "nothing: it is over"


class GoesRound(Exception):
    """The flow goes on and on without asking the caller anything."""


Answer = tuple[str, tuple[tuple[str, Value], ...]]
"""An outcome and values."""

Answers = Callable[[str, str, What], Answer | None]
"""`answer(flow, node, what)`: what a request of a node comes to; None when nobody knows."""


class Rehearsal:
    """Call `begin` once, then what the caller does. Satisfies `Surroundings` for its own flow."""

    def __init__(
        self, flow: Flow, call: CallFacts, at: float, switches: Collection[str] = (), answers: Answers | None = None
    ) -> None:
        self.happenings: list[Happening] = []
        self.position = Position(flow.start, flow.language)
        self.handover: Handover | None = None
        """What the caller waits in a queue with, or did last."""

        self.request: Request | None = None
        self._flow = flow
        self._call = call
        self._now = at
        self._switches = frozenset(switches)
        self._answers = answers
        self._saying: Say | None = None
        self._timer: StartTimer | None = None
        self._in_queue = False
        self._over = False
        self._unasked = 0

    # what is true outside the call --------------------------------------------------------------------------------

    def now(self) -> float:
        return self._now

    def switched_on(self, switch: str) -> bool:
        return switch in self._switches

    # where the call is --------------------------------------------------------------------------------------------

    @property
    def awaits(self) -> Awaits:
        if self._over:
            return Awaits.NOTHING
        if self._saying is not None:
            return Awaits.PROMPT
        if self._in_queue:
            return Awaits.QUEUE
        if self.request is not None:
            return Awaits.ANSWER
        return Awaits.PAUSE if self._timer is not None and self._timer.name == _WAIT else Awaits.KEY

    @property
    def flow(self) -> Flow:
        """The one that runs now."""
        return self._flow.subs.get(self.position.flow, self._flow)

    @property
    def saying(self) -> Say | None:
        """What is being said."""
        return self._saying

    @property
    def patience(self) -> float:
        """So many seconds the flow still waits for a key."""
        return self._timer.seconds if self._timer is not None else 0.0

    # what the caller does -----------------------------------------------------------------------------------------

    def begin(self, typed: str = "") -> None:
        self._take(begin(self._flow, self._call, self, typed))

    def listen(self) -> None:
        """To the end of what is being said, or of a pause."""
        self._unasked += 1
        if self._unasked > MOST_UNASKED:
            raise GoesRound
        if self._saying is not None:
            self._now += seconds_of(self._saying.pieces)
            self._give(PromptEnded(self._saying.token))
        elif self.awaits is Awaits.PAUSE and self._timer is not None:
            self._note(Waited(self._now, self._timer.seconds))
            self._fire(self._timer)

    def listen_on(self) -> None:
        """Until something else than the caller's patience is needed."""
        while self.awaits in {Awaits.PROMPT, Awaits.PAUSE}:
            self.listen()

    def press(self, key: str) -> None:
        """One key, now: during a prompt it cuts it short, if it may."""
        self._unasked = 0
        saying = self._saying
        cut = saying is not None and saying.interruptible
        self._note(Pressed(self._now, key, cut))
        if self._in_queue:
            if self.handover is not None and key in self.handover.keys:
                self.leave_queue(LEFT, key)
            return
        self._give(KeyTyped(key))
        if cut and saying is not None and self._saying is saying:
            self._give(PromptEnded(saying.token, interrupted=True))

    def stay_silent(self) -> None:
        """For as long as the flow waits for a key."""
        self._unasked = 0
        if self._timer is not None:
            self._note(StayedSilent(self._now, self._timer.seconds))
            self._fire(self._timer)

    def leave_queue(self, result: str, key: str = "") -> None:
        """The wait for an agent has ended in this way."""
        self._unasked = 0
        self._in_queue = False
        self._note(LeftQueue(self._now, result, key))
        self._give(QueueEnded(result, key))

    def answer(self, outcome: str, values: tuple[tuple[str, Value], ...] = ()) -> None:
        """What was asked outside has come to this."""
        if self.request is not None:
            token, self.request = self.request.token, None
            self._note(GotAnswer(self._now, outcome, values))
            self._give(Answered(token, outcome, values))

    def hang_up(self) -> None:
        self._note(HungUp(self._now))
        self._saying = None
        self._in_queue = False
        self._give(CallerGone())

    def stumble(self) -> None:
        """Something breaks on our side."""
        self._saying = None
        self._in_queue = False
        self._take(broken(self._flow, self._call, self.position, "as rehearsed", self))

    # the interpreter ----------------------------------------------------------------------------------------------

    def _fire(self, timer: StartTimer) -> None:
        self._timer = None
        self._now += timer.seconds
        self._give(TimerFired(timer.token))

    def _give(self, given: Input) -> None:
        if isinstance(given, PromptEnded):
            self._saying = None
        self._take(advance(self._flow, self._call, self.position, given, self))

    def _take(self, step: Step) -> None:
        self.position = step.position
        for effect in step.effects:
            self._see(effect)
        request = self.request
        if request is not None and self._answers is not None:
            found = self._answers(self.flow.name, self.position.node, request.what)
            if found is not None:
                self._unasked += 1
                if self._unasked > MOST_UNASKED:
                    raise GoesRound
                self.answer(*found)

    def _see(self, effect: Effect) -> None:
        match effect:
            case Say():
                self._saying = effect
                self._note(Said(self._now, text_of(effect.pieces), effect.language))
            case StartTimer():
                self._timer = effect
            case CancelTimer():
                self._timer = None
            case Request():
                self.request = effect
                self._note(Asked(self._now, effect.what))
            case DropRequest():
                self.request = None
            case Music(music_class=music_class):
                self._note(Heard(self._now, music_class))
            case Secure(on=on):
                self._note(Guarded(self._now, on))
            case Went(flow=flow, node=node, label=label, target=target):
                self._note(Left(self._now, flow, node, label, target))
            case EnterQueue(handover=handover):
                self.handover = handover
                self._in_queue = True
                self._note(Queued(self._now, handover))
            case End(cause=cause):
                self._over = True
                self._note(Over(self._now, cause))
            case Break(reason=reason):
                self._over = True
                self._note(Broke(self._now, reason))
            case NoteEvent(kind="node.entered", data=data):
                self._note(Entered(self._now, data.get("flow", self._flow.name), data["node"]))
            case NoteEvent(kind="flow.error", data=data):
                self._note(Stumbled(self._now, data["reason"]))
            case NoteEvent() | StopSaying():
                pass

    def _note(self, happening: Happening) -> None:
        self.happenings.append(happening)


def text_of(pieces: tuple[Spoken, ...]) -> str:
    """What is said, as a person reads it."""
    return " ".join(_written(piece) for piece in pieces if not isinstance(piece, Silence))


def _written(piece: Spoken) -> str:
    match piece:
        case SoundFile(name=name):
            return f"[{name}]"
        case Draft():
            return "[what you said]"
        case _:
            return str(piece)


def seconds_of(pieces: tuple[Spoken, ...]) -> float:
    """About how long it takes to say this."""
    return sum(map(_seconds, pieces))


def _seconds(piece: Spoken) -> float:
    match piece:
        case Silence(seconds=seconds):
            return seconds
        case SoundFile() | Draft():
            return SOUND_FILE_S
        case _:
            return len(piece) / CHARACTERS_A_SECOND
