"""One caller in one flow: what the interpreter wants becomes orders, what the PBX tells becomes inputs.

Decides nothing about the flow. It sees to it that no wait is for ever: every command has a watchdog, and a prompt that
cannot be played counts as one that was. A step that breaks goes `on_error`: its caller is never left in silence. It
refuses to know queues (an outcome says where to) and who else hears a fact.

No task and no coroutine: thousands of these live at once, and each step is a plain call.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import structlog

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
from ivr.errors import PromptMissing
from ivr.flow import Flow
from ivr.handover import Handover
from ivr.inputs import (
    ENDED,
    Answered,
    CallFacts,
    HungUp,
    Input,
    KeyTyped,
    Position,
    PromptEnded,
    QueueEnded,
    TimerFired,
)
from ivr.interpreter import advance, begin, broken, resume
from ivr.ports import Handle, Note, Outside, PromptFiles, Surroundings, Timer, Timers, Values
from ivr.requests import FAILED
from pbx.facts import CommandDone, Fact, KeyPressed
from pbx.failures import where
from pbx.orders import Answer, Play, StartMusic, StopMusic, StopPlay
from pbx.ports import Switch

log = structlog.get_logger()

ANSWER_LIMIT_S = 10.0
PLAY_MARGIN_S = 5.0
"""What a prompt may take longer than it is: a busy machine, a jittery line."""

STOP_LIMIT_S = 3.0
MAX_EARLY_KEYS = 16


@dataclass(frozen=True, slots=True)
class CallInfo:
    """What is known of a call when it arrives."""

    caller_number: str
    caller_name: str
    dialled: str
    language: str


@dataclass(frozen=True, slots=True)
class Ended:
    """The flow is over: hang up with this Q.850 cause."""

    cause: int


@dataclass(frozen=True, slots=True)
class Broken:
    """The flow cannot go on, and has no place of its own for that."""

    reason: str


Outcome = Handover | Ended | Broken
"""With a `Handover` the caller waits for an agent now; the flow goes on with `FlowSession.returned`."""


class FlowSession:
    """Call `begin` or `resume` once, then `handle` with every fact about the channel.

    `on_outcome` is the last thing that a step does, so the owner may `close` from it. `remember` is called whenever the
    caller has come to another node, before the outcome. After `close` nothing happens any more, whatever is called.
    """

    __slots__ = (
        "_answered",
        "_around",
        "_asked",
        "_asked_limit",
        "_asking",
        "_call",
        "_channel",
        "_closed",
        "_early",
        "_flow",
        "_note",
        "_on_outcome",
        "_on_secure",
        "_outcome",
        "_outside",
        "_position",
        "_prompts",
        "_remember",
        "_remembered",
        "_resuming",
        "_saying",
        "_secured",
        "_switch",
        "_timer",
        "_timers",
        "_watchdog",
    )

    def __init__(
        self,
        channel: str,
        call: CallInfo,
        flow: Flow,
        prompts: PromptFiles,
        switch: Switch,
        timers: Timers,
        note: Note,
        on_outcome: Callable[[Outcome], None],
        remember: Callable[[Position], None],
        *,
        around: Surroundings,
        outside: Outside,
        on_secure: Callable[[bool], None] = lambda _on: None,
        position: Position | None = None,
    ) -> None:
        """`position`: where the caller stood when a predecessor had them; `returned` may then be called at once.

        `on_secure`: a step begins, or ends, of which nothing may be recorded.
        """
        self._channel = channel
        self._call = CallFacts(call.caller_number, call.caller_name, call.dialled, channel)
        self._around = around
        self._outside = outside
        self._on_secure = on_secure
        self._secured = False
        self._asking = 0
        self._asked: Handle | None = None
        self._asked_limit: Timer | None = None
        self._flow = flow
        self._prompts = prompts
        self._switch = switch
        self._timers = timers
        self._note = note
        self._on_outcome = on_outcome
        self._remember = remember
        self._position = position
        self._remembered: Position | None = None
        self._resuming: Position | None = None
        self._answered = False
        self._early = ""
        self._saying = 0
        self._outcome: Outcome | None = None
        self._timer: Timer | None = None
        self._watchdog: Timer | None = None
        self._closed = False

    @property
    def flow(self) -> Flow:
        """The version that this call began with."""
        return self._flow

    @property
    def position(self) -> Position | None:
        """Where the caller stands; None until the flow has begun."""
        return self._position

    # what the owner says ------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Answer, then meet the flow from its start."""
        self._answer()

    def resume(self, position: Position) -> None:
        """Enter the node again where the caller was. Answering an answered call is harmless, and it may not be."""
        self._resuming = position
        self._answer()

    def returned(self, result: str, key: str = "") -> None:
        """Back from the queue: "talked", or why nobody talked to them, "by_key" when they left by this key."""
        if self._closed:
            return
        self._answered = True
        position = self._position
        if position is None:
            self._step(self._begun())
            return
        # A successor's position came from memory and waits for nothing: enter the node to wait where it left off.
        step = self._next(position, QueueEnded(result, key))
        if step.position is position:
            queued = self._resumed(position)
            if any(isinstance(effect, EnterQueue) for effect in queued.effects):
                step = self._next(queued.position, QueueEnded(result, key))
            else:
                step = queued
        self._step(step)

    def handle(self, fact: Fact) -> None:
        """A fact about this caller's channel. Everything but keys and ended commands is somebody else's."""
        if self._closed:
            return
        if type(fact) is KeyPressed:
            self._key(fact.key)
        elif type(fact) is CommandDone:
            self._command_done(fact)

    def hung_up(self) -> bool:
        """The caller is gone. True when the flow goes on without them (its `on_hangup`): the last outcome follows."""
        if self._closed or self._position is None:
            return False
        self._cancel_watchdog()
        self._saying = 0
        self._answered = True
        flow = self._flow.subs.get(self._position.flow, self._flow)
        if flow.on_hangup is None and self._flow.on_hangup is None and not self._position.frames:
            return False
        self._advance(HungUp())
        return not self._closed

    def close(self) -> None:
        """Stop every timer. For a call that was hung up, handed over, or whose link is lost."""
        self._closed = True
        self._cancel_timer()
        self._cancel_watchdog()
        self._drop_request()
        if self._secured:  # whoever goes on with this call says it again
            self._secured = False
            self._on_secure(False)

    # what the PBX says --------------------------------------------------------------------------------------------

    def _answer(self) -> None:
        if self._closed:
            return
        self._watch(ANSWER_LIMIT_S, self._answer_overdue)
        self._switch.send(Answer(self._channel, "answer"))

    def _answer_overdue(self) -> None:
        self._watchdog = None
        self._note("command.overdue", {"command": "answer"})
        self._begin_flow()

    def _begin_flow(self) -> None:
        self._answered = True
        if self._resuming is not None:
            position, self._resuming = self._resuming, None
            step = self._resumed(position)
        else:
            step = self._begun()
        self._early = ""
        self._step(step)

    def _key(self, key: str) -> None:
        if self._answered:
            self._advance(KeyTyped(key))
        elif len(self._early) < MAX_EARLY_KEYS:
            self._early += key

    def _command_done(self, fact: CommandDone) -> None:
        if not self._answered:
            if fact.token != "answer":
                return
            self._cancel_watchdog()
            if fact.ok:
                self._note("call.answered", {})
                self._begin_flow()
            else:
                self._note("command.failed", {"command": "answer"})
                self._on_outcome(Broken("the call could not be answered"))
        elif self._saying and fact.token == f"say-{self._saying}":
            token, self._saying = self._saying, 0
            self._cancel_watchdog()
            if not fact.ok:
                self._note("command.failed", {"command": "play"})
            self._advance(PromptEnded(token, fact.interrupted, failed=not fact.ok))

    def _play_overdue(self) -> None:
        """The PBX never said that the prompt is over. Go on: a caller in silence is the worst of all."""
        self._watchdog = None
        token, self._saying = self._saying, 0
        self._note("command.overdue", {"command": "play"})
        self._switch.send(StopPlay(self._channel))
        self._advance(PromptEnded(token, failed=True))

    # what the interpreter says ------------------------------------------------------------------------------------

    def _advance(self, given: Input) -> None:
        if self._position is not None and not self._closed:
            self._step(self._next(self._position, given))

    def _begun(self) -> Step:
        start = Position(self._flow.start, self._flow.language)
        return self._whole(start, lambda: begin(self._flow, self._call, self._around, self._early))

    def _resumed(self, position: Position) -> Step:
        return self._whole(position, lambda: resume(self._flow, self._call, position, self._around))

    def _next(self, position: Position, given: Input) -> Step:
        return self._whole(position, lambda: advance(self._flow, self._call, position, given, self._around))

    def _whole(self, position: Position, step: Callable[[], Step]) -> Step:
        """A step, or where the flow goes when something of ours breaks in it."""
        try:
            return step()
        except Exception as error:
            what = type(error).__name__
            log.error("a step of a flow broke", flow=self._flow.name, node=position.node, traceback=where(error))
        try:
            return broken(self._flow, self._call, position, f"broken: {what}", self._around)
        except Exception as error:
            log.error("what follows an error broke", flow=self._flow.name, node=position.node, traceback=where(error))
        return Step(replace(position, stage=ENDED), (Break(f"broken: {what}"),))

    def _step(self, step: Step) -> None:
        """Carry out a step, and the ones that follow from it at once (a prompt without a file ends as it begins)."""
        while True:
            self._position = step.position
            unplayed = 0
            for effect in step.effects:
                unplayed = self._carry_out(effect) or unplayed
            if not unplayed:
                break
            step = self._next(self._position, PromptEnded(unplayed, failed=True))
        self._remember_place()
        if self._outcome is not None:
            outcome, self._outcome = self._outcome, None
            self._on_outcome(outcome)

    def _carry_out(self, effect: Effect) -> int:
        """The token of a prompt that cannot be played, else 0."""
        match effect:
            case NoteEvent(kind=kind, data=data):
                self._note(kind, data)
            case Say():
                return self._say(effect)
            case StartTimer(seconds=seconds, token=token):
                self._cancel_timer()
                self._timer = self._timers.after(seconds, lambda: self._fired(token))
            case CancelTimer():
                self._cancel_timer()
            case StopSaying():
                if self._saying:
                    self._watch(STOP_LIMIT_S, self._play_overdue)
                    self._switch.send(StopPlay(self._channel))
            case Request():
                self._ask(effect)
            case DropRequest():
                self._drop_request()
            case Music(music_class=""):
                self._switch.send(StopMusic(self._channel))
            case Music(music_class=music_class):
                self._switch.send(StartMusic(self._channel, music_class))
            case Secure(on=on):
                self._secured = on
                self._on_secure(on)
            case Went():
                pass
            case EnterQueue(handover=handover):
                self._outcome = handover
            case End(cause=cause):
                self._outcome = Ended(cause)
            case Break(reason=reason):
                self._outcome = Broken(reason)
        return 0

    def _say(self, say: Say) -> int:
        files: list[str] = []
        try:
            for piece in say.pieces:
                files += self._prompts.files(say.language, piece)
        except PromptMissing:
            self._note("prompt.missing", {"language": say.language})
            return say.token
        self._saying = say.token
        self._watch(self._prompts.seconds(files) + PLAY_MARGIN_S, self._play_overdue)
        self._switch.send(Play(self._channel, f"say-{say.token}", tuple(files), say.interruptible))
        return 0

    def _ask(self, request: Request) -> None:
        """Ask outside. Whoever is asked answers once, and never after the limit."""
        self._drop_request()
        token = self._asking = request.token
        begun = False

        def answered(outcome: str, values: Values) -> None:
            if self._asking != token:
                return
            if not begun:  # the step that asks has not come to its end
                self._timers.after(0.0, lambda: answered(outcome, values))
                return
            self._drop_request()
            self._advance(Answered(token, outcome, values))

        self._asked_limit = self._timers.after(request.limit_s, lambda: answered(FAILED, ()))
        try:
            self._asked = self._outside.begin(self._channel, request.what, answered)
        except Exception as error:
            what = type(request.what).__name__
            log.error("a request could not be begun", flow=self._flow.name, request=what, traceback=where(error))
            self._timers.after(0.0, lambda: answered(FAILED, ()))
        begun = True

    def _drop_request(self) -> None:
        self._asking = 0
        if self._asked is not None:
            self._asked.cancel()
            self._asked = None
        if self._asked_limit is not None:
            self._asked_limit.cancel()
            self._asked_limit = None

    def _fired(self, token: int) -> None:
        self._timer = None
        self._advance(TimerFired(token))

    def _remember_place(self) -> None:
        """A successor needs the node and what the flow knows, not every wait within the node."""
        position, before = self._position, self._remembered
        if position is None or isinstance(self._outcome, (Ended, Broken)):
            return
        if (
            before is None
            or before.node != position.node
            or before.flow != position.flow
            or before.frames is not position.frames
            or before.language != position.language
            or before.variables is not position.variables
        ):
            self._remembered = position
            self._remember(position)

    def _watch(self, seconds: float, overdue: Callable[[], None]) -> None:
        self._cancel_watchdog()
        self._watchdog = self._timers.after(seconds, overdue)

    def _cancel_watchdog(self) -> None:
        if self._watchdog is not None:
            self._watchdog.cancel()
            self._watchdog = None

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
