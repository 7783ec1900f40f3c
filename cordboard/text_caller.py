"""A caller in a terminal: what they hear is shown, and what they type is pressed. The call is a rehearsal.

Decides the words in which a call is told, and what a typed line means where the call stands. It refuses to know where
lines come from: a person, a pipe or a test.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from datetime import datetime
from typing import get_args

from ivr.handover import Handover
from ivr.problems import did_you_mean
from ivr.rehearsal.answers import answer_of
from ivr.rehearsal.case import Result
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
from ivr.rehearsal.play import ending_of
from ivr.rehearsal.rehearsal import Awaits, Rehearsal
from ivr.requests import FAILED, What
from ivr.values import shown

KEYS = frozenset("0123456789*#")
RESULTS: tuple[str, ...] = get_args(Result)
HANG_UP = "hangup"


EMPTY_VALUES: tuple[object, ...] = ("", None, (), {}, 0, 0.0, False)
"""What a request says nothing with."""


class TextCaller:
    """`read(question)` is a line, None at the end of all lines: then the caller hangs up."""

    def __init__(
        self,
        call: Rehearsal,
        read: Callable[[str], str | None],
        show: Callable[[str], None],
        *,
        stepwise: bool = False,
    ) -> None:
        """`stepwise`: ask at every prompt, so that a key can cut it short."""
        self._call = call
        self._read = read
        self._show = show
        self._stepwise = stepwise
        self._zone = call.flow.zone  # a flow that is called may have another one
        self._told = 0
        self._guarded = False

    def run(self) -> None:
        """The whole call."""
        self._call.begin()
        while True:
            self._tell()
            match self._call.awaits:
                case Awaits.NOTHING:
                    return
                case Awaits.PROMPT if self._stepwise:
                    self._at_prompt()
                case Awaits.PROMPT | Awaits.PAUSE:
                    self._call.listen()
                case Awaits.KEY:
                    self._at_key()
                case Awaits.QUEUE:
                    self._in_queue()
                case Awaits.ANSWER:
                    self._at_request()

    # what is typed ------------------------------------------------------------------------------------------------

    def _at_prompt(self) -> None:
        line = self._line("Enter to listen on, or keys")
        if line == "":
            self._call.listen()
        elif line is not None:
            self._press(line)

    def _at_key(self) -> None:
        line = self._line(f"keys, or Enter to be silent for {self._call.patience:g} s")
        if line == "":
            self._call.stay_silent()
        elif line is not None:
            self._press(line)

    def _in_queue(self) -> None:
        handover = self._call.handover
        keys = f", or a key ({' '.join(handover.keys)})" if handover is not None and handover.keys else ""
        line = self._line(f"what became of the wait: {', '.join(RESULTS)}{keys}")
        if line is None:
            return
        if line in RESULTS:
            self._call.leave_queue(line)
        elif line and set(line) <= KEYS:
            self._press(line)
        else:
            self._show(f"?? {line!r} is no end of a wait; {did_you_mean(line, RESULTS)}")

    def _at_request(self) -> None:
        request, gone = self._call.request, self._call.position.gone
        line = self._line("the answer: ok, name=value name=value, or what went wrong")
        if line is None and gone:  # nobody is left to say more
            self._call.answer(FAILED)
        if line is None or request is None:
            return
        if "=" in line:
            written = dict(part.partition("=")[::2] for part in line.split() if "=" in part)
            self._call.answer(*answer_of(self._call.flow, self._call.position.node, request.what, written))
        elif line:
            self._call.answer(line)

    def _line(self, question: str) -> str | None:
        """What was typed; None when that was to hang up, which is done then."""
        line = self._read(question)
        line = None if line is None else line.strip()
        if line is None or line == HANG_UP:
            if not self._call.position.gone:
                self._call.hang_up()
            return None
        return line

    def _press(self, line: str) -> None:
        if not set(line) <= KEYS:
            self._show(f"?? {line!r} are no keys: 0 to 9, * and #; {HANG_UP} hangs up")
            return
        for key in line:
            if self._call.awaits is not Awaits.NOTHING:
                self._call.press(key)

    # what is told -------------------------------------------------------------------------------------------------

    def _tell(self) -> None:
        happenings = self._call.happenings
        for one in happenings[self._told :]:
            if isinstance(one, Guarded):
                self._guarded = one.on
            text = self._words(one)
            if text:
                at = datetime.fromtimestamp(one.at, self._zone)
                self._show(f"{at:%H:%M:%S}  {text}")
        self._told = len(happenings)

    def _words(self, one: Happening) -> str:
        match one:
            case Entered(flow=flow, node=node):
                main = self._call.happenings[0]
                inner = not (isinstance(main, Entered) and main.flow == flow)
                return f"-- {flow}/{node}" if inner else f"-- {node}"
            case Said(text=text, language=language):
                return f"{language}  {text}"
            case Pressed(key=key, during=during):
                return f"key {'(hidden)' if self._guarded else key}{', during the prompt' if during else ''}"
            case StayedSilent(seconds=seconds):
                return f"no key for {seconds:g} s"
            case Waited(seconds=seconds):
                return f"a pause of {seconds:g} s"
            case Asked(what=what):
                return f"asks: {asked_words(what)}"
            case GotAnswer(outcome=outcome, values=values):
                listed = "".join(f" {name}={shown(value)}" for name, value in values)
                return f"answer: {outcome}{listed}"
            case Queued(handover=handover):
                return f"waits in {queue_words(handover)}"
            case LeftQueue(result=result, key=key):
                return f"left the queue: {result}{f' {key}' if key else ''}"
            case Heard(music_class=music_class):
                return f"music: {music_class}" if music_class else "the music ends"
            case Guarded(on=on):
                return "secure: nothing is recorded from here" if on else "secure: over"
            case Stumbled(reason=reason):
                return f"error: {reason}"
            case HungUp():
                return "the caller hangs up"
            case Over() | Broke():
                reason = f": {one.reason}" if isinstance(one, Broke) else ""
                return f"the call is over ({ending_of([*self._call.happenings])}){reason}"
            case Left():
                return ""
            case _:
                return ""


def asked_words(what: What) -> str:
    """A request as a person reads it, without what a secure question collected."""
    secret = getattr(what, "secret", False)
    told = {one.name: getattr(what, one.name) for one in fields(what) if one.repr or not secret}
    kind = type(what).__name__.removesuffix("Request").lower()
    return f"{kind}: " + ", ".join(f"{name} {value}" for name, value in told.items() if value not in EMPTY_VALUES)


def queue_words(handover: Handover) -> str:
    """Where a caller waits, and with what."""
    said = [f"queue {handover.queue}"]
    if handover.skills is not None:
        said += [f"must have {', '.join(f'{name} {level}' for name, level in handover.skills.must) or 'nothing'}"]
        if handover.skills.nice:
            said.append(f"nice to have {', '.join(f'{name} {level}' for name, level in handover.skills.nice)}")
    if handover.head_start_s:
        said.append(f"{handover.head_start_s} s ahead")
    if handover.prefer:
        said.append(f"for agent {handover.prefer} at first")
    said += [f"{name}: {text}" for name, text in handover.data]
    return "; ".join(said)
