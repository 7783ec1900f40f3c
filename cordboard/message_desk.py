"""Callers who leave a message now: their drafts, and when a draft becomes a message.

Decides that whoever hangs up has left what they said last. Satisfies `outside.Desk` for both requests; every fact and
every event of the journal is told to it. It refuses to know files and rows (`message_archive` does) and what the flow
says to the caller.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Protocol

from cordboard.events import Event
from cordboard.message import Message, id_of
from cordboard.outside import Done
from ivr.ports import Handle, Timers
from ivr.requests import FAILED, OK, SHORT, KeepRequest, RecordRequest
from pbx.facts import Fact, MessageEnd, MessageRecorded, OrderFailed
from pbx.orders import RecordMessage
from pbx.ports import Switch


class Archive(Protocol):
    """Where messages go; `message_archive.MessageArchive` is the real one. Nothing here blocks or raises."""

    def judge(self, name: str, then: Callable[[float], None], /) -> None: ...
    def drop(self, name: str, /) -> None: ...
    def keep(self, message: Message, then: Callable[[], None] = ..., /) -> None: ...


@dataclass(slots=True)
class _Leaving:
    """A caller with a draft, or who is speaking one."""

    request: RecordRequest
    speaking: Message | None = None  # what the PBX writes, or what is being judged
    draft: Message | None = None
    judging: bool = False  # it is spoken, and how much of it can be heard is being found out
    done: Done | None = None
    gone: bool = False


class _Cancel:
    def __init__(self, leaving: _Leaving) -> None:
        self._leaving = leaving

    def cancel(self) -> None:
        self._leaving.done = None


class MessageDesk:
    def __init__(
        self,
        archive: Archive,
        switch: Switch,
        timers: Timers,
        clock: Callable[[], float],
        refusal: Callable[[], str],
        playable: Callable[[str], str],
    ) -> None:
        """`refusal()`: why nothing can be recorded now, ""; `playable(name)`: a draft as the PBX plays it."""
        self._archive = archive
        self._switch = switch
        self._timers = timers
        self._clock = clock
        self._refusal = refusal
        self._playable = playable
        self._calls: dict[str, _Leaving] = {}
        self._last_ms = 0

    def in_use(self) -> Collection[str]:
        return {
            message.id
            for leaving in self._calls.values()
            for message in (leaving.speaking, leaving.draft)
            if message is not None
        }

    # outside.Desk ------------------------------------------------------------------------------------------------

    def record(self, call: str, what: RecordRequest, done: Done) -> Handle:
        if self._refusal():
            return self._timers.after(0.0, lambda: done(FAILED, ()))
        # What was spoken before and never ended (the link was lost) is found by the archive.
        leaving = self._calls.setdefault(call, _Leaving(what))
        now = self._clock()
        self._last_ms = max(self._last_ms + 1, round(now * 1000))
        name = id_of(what.box, call, self._last_ms)
        leaving.request, leaving.done, leaving.judging = what, done, False
        leaving.speaking = Message(name, what.box, call, what.caller, now)
        self._switch.send(RecordMessage(call, name, name, what.max_s, what.silence_s, what.beep, what.end_keys))
        return _Cancel(leaving)

    def keep(self, call: str, _what: KeepRequest, done: Done) -> Handle:
        leaving = self._calls.pop(call, None)
        if leaving is None or leaving.draft is None:
            return self._timers.after(0.0, lambda: done(FAILED, ()))
        leaving.done = done

        def on_record() -> None:
            if leaving.done is not None:
                leaving.done(OK, ())

        self._archive.keep(leaving.draft, on_record)
        return _Cancel(leaving)

    # what happens ------------------------------------------------------------------------------------------------

    def fact(self, fact: Fact) -> None:
        match fact:
            case MessageRecorded(channel=channel, token=token, end=end):
                leaving = self._calls.get(channel)
                if leaving is not None and leaving.speaking is not None and leaving.speaking.id == token:
                    self._spoken(leaving, leaving.speaking, end)
            case OrderFailed(channel=channel, order=RecordMessage.__name__, unknown=False):
                leaving = self._calls.get(channel)
                if leaving is not None and leaving.speaking is not None:
                    leaving.speaking = None
                    self._answer(leaving, FAILED)
            case _:
                pass

    def noted(self, event: Event) -> None:
        """Every event of the journal, in order."""
        if event.kind == "call.ended" and event.call_id in self._calls:
            leaving = self._calls[event.call_id]
            leaving.gone = True
            leaving.done = None
            if not leaving.judging:  # its end was never told: the archive finds it
                leaving.speaking = None
            self._close(event.call_id, leaving)

    def _spoken(self, leaving: _Leaving, spoken: Message, end: MessageEnd) -> None:
        if end is MessageEnd.FAILED:
            leaving.speaking = None
            self._answer(leaving, FAILED)
            return

        def judged(seconds: float) -> None:
            if leaving.speaking is not spoken:
                return  # they speak another one already: the archive finds this
            leaving.speaking, leaving.judging = None, False
            if seconds < leaving.request.min_s:
                self._archive.drop(spoken.id)
                self._answer(leaving, SHORT)
            else:
                if leaving.draft is not None:
                    self._archive.drop(leaving.draft.id)
                leaving.draft = spoken
                values = (("file", self._playable(spoken.id)), ("seconds", round(seconds, 3)), ("ended", end.value))
                self._answer(leaving, OK, values)
            if leaving.gone:
                self._close(spoken.call, leaving)

        leaving.judging = True
        self._archive.judge(spoken.id, judged)

    def _answer(self, leaving: _Leaving, outcome: str, values: tuple[tuple[str, str | float], ...] = ()) -> None:
        done, leaving.done = leaving.done, None
        if done is not None:
            done(outcome, values)

    def _close(self, call: str, leaving: _Leaving) -> None:
        """The call is over: what they said last is a message, as soon as it is known whether they said anything."""
        if leaving.speaking is None:
            self._calls.pop(call, None)
            if leaving.draft is not None:
                self._archive.keep(leaving.draft)
                leaving.draft = None
