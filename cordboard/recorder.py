"""The recorder: which talk is recorded when, and when the recording is silent.

Decides from what is noted in the journal, from what people ask for, and from the rules of the queues. It gives orders
to the PBX and refuses to know files and the database (`recording_archive` does). One file a talk part: a talk that goes
to another agent gets a new one. Pure: `clock`, `switch`, `note` and `archive` are given.

A recording is silent while there is a reason: somebody paused it, the caller is on hold, a secure step runs. An order
to be silent that did not arrive is made good when the file is finished.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from acd.errors import AcdError
from cordboard.events import Event, Note
from cordboard.recording import (
    Recording,
    RecordingState,
    RecordMode,
    RecordRule,
    Why,
    draw,
    from_name,
    name_of,
)
from pbx.facts import OrderFailed, Snapshot
from pbx.orders import MuteRecording, StartRecording, StopRecording, UnmuteRecording
from pbx.ports import Switch

COMMANDS = ("start", "stop", "pause", "resume")
ORDERS = frozenset(order.__name__ for order in (StartRecording, MuteRecording, UnmuteRecording, StopRecording))
"""Orders whose failure is for the recorder."""

LINK_DOWN = "link down"
LOST = "lost"
"""The PBX does not record any more what we thought it did."""

LOOK_GRACE_S = 5.0
"""A periodic look may have begun before the PBX started what we ordered."""


class NoTalk(AcdError):
    """The call is not in a talk now."""


class RecordingRefused(AcdError):
    """This cannot be done with the recording of this talk now."""


class Archive(Protocol):
    """Where recordings go. Nothing here blocks or raises."""

    def refusal(self) -> str:
        """Why nothing can be recorded now, "" when it can."""

    def save(self, recording: Recording) -> None:
        """Put on record what is known of it now."""

    def finish(self, recording: Recording) -> None:
        """Its talk is over: make the file what it will be, and put that on record."""


@dataclass(frozen=True, slots=True)
class TalkNow:
    """A talk that is under way, as whoever keeps the talks says."""

    call_id: str
    agent: str
    queue: str
    held: bool = False


@dataclass(slots=True)
class _Talk:
    call_id: str
    agent: str
    queue: str
    reasons: set[Why] = field(default_factory=set)
    wanted: str = ""  # by whom a recording is wanted that cannot begin yet
    part: Recording | None = None
    by: str = ""  # who wanted the part


class Recorder:
    def __init__(
        self,
        rules: Mapping[str, RecordRule],
        *,
        switch: Switch,
        clock: Callable[[], float],
        note: Note,
        archive: Archive,
    ) -> None:
        self._rules = rules
        self._switch = switch
        self._clock = clock
        self._note = note
        self._archive = archive
        self._talks: dict[str, _Talk] = {}
        self._secure: set[str] = set()
        self._untold: set[str] = set()
        self._left: dict[str, Recording] = {}  # what a predecessor did not finish, until the first look
        self._last_ms = 0

    # what happens ------------------------------------------------------------------------------------------------

    def noted(self, event: Event) -> None:
        """Every event of the journal, in order."""
        call = event.call_id
        if call is None:
            return
        match event.kind:
            case "talk.started":
                self._begin_talk(TalkNow(call, event.agent or "", event.queue or ""))
            case "talk.held":
                self._reason(call, Why.HOLD, on=True)
            case "talk.resumed":
                self._reason(call, Why.HOLD, on=False)
            case "talk.ended":
                self._end_talk(call, "talk_ended")
            case "call.ended":
                self._end_talk(call, "call_ended")
                self._secure.discard(call)
                self._untold.discard(call)
            case _:
                pass

    def order_failed(self, fact: OrderFailed) -> None:
        """One of `ORDERS` was refused, or nobody knows what became of it."""
        talk = self._talks.get(fact.channel)
        part = talk.part if talk is not None else None
        if talk is None or part is None or fact.order == StopRecording.__name__:
            return  # it ended by itself, with its channel
        lost = not fact.unknown and fact.reason in {"no such channel", "no such recording"}
        if fact.order == StartRecording.__name__:
            if not fact.unknown:
                talk.part = None
                talk.wanted = talk.by if fact.reason == LINK_DOWN else ""
                self._fail(part, fact.reason)
        elif lost:
            self._end_part(talk, LOST)
        elif fact.order == MuteRecording.__name__ and part.silences:
            part.silences[-1].kept = False
            self._archive.save(part)

    # what people ask for -----------------------------------------------------------------------------------------

    def command(self, call: str, command: str, by: str = "") -> None:
        """One of `COMMANDS`. Raises `NoTalk` or `RecordingRefused`, whose text can be shown, with nothing changed."""
        talk = self._talks.get(call)
        if talk is None:
            raise NoTalk("This call is not in a talk now.")
        match command:
            case "start":
                self._start(talk, by)
            case "stop":
                self._stop(talk)
            case "pause":
                self._require(talk)
                if Why.PAUSE in talk.reasons:
                    raise RecordingRefused("The recording is paused already.")
                self._reason(call, Why.PAUSE, on=True)
            case "resume":
                self._require(talk)
                if Why.PAUSE not in talk.reasons:
                    raise RecordingRefused("The recording is not paused.")
                self._reason(call, Why.PAUSE, on=False)
            case _:
                raise RecordingRefused(f"There is no command {command!r}; there are: {', '.join(COMMANDS)}.")

    def press(self, call: str) -> None:
        """The one key of an agent: start, then pause and go on in turn."""
        talk = self._talks.get(call)
        if talk is None or (talk.part is None and not talk.wanted):
            self.command(call, "start", talk.agent if talk is not None else "")
        else:
            self.command(call, "resume" if Why.PAUSE in talk.reasons else "pause")

    def secure(self, call: str, on: bool) -> None:
        """A step begins, or ends, of which nothing must be recorded. May come before the talk."""
        if on:
            self._secure.add(call)
        else:
            self._secure.discard(call)
        self._reason(call, Why.SECURE, on=on)

    def forbid(self, call: str) -> None:
        """The caller could not be told that they may be recorded, so they are not."""
        self._untold.add(call)

    def state(self, call: str) -> str:
        """`""`, `recording` or `paused` (for whatever reason), as the people in a talk are shown it."""
        talk = self._talks.get(call)
        if talk is None or talk.part is None:
            return ""
        return "paused" if talk.reasons else "recording"

    # a restart, a lost link, a look ------------------------------------------------------------------------------

    def left(self, recordings: Iterable[Recording]) -> None:
        """Once, at the start: what a predecessor did not finish."""
        for one in recordings:
            if one.state is RecordingState.FINISHING:
                self._archive.finish(one)
            else:
                self._left[one.recording] = one

    def linked(self, snapshot: Snapshot, talks: Iterable[TalkNow]) -> None:
        """The link is up, and whoever keeps the talks has compared: go on with what the PBX records."""
        running = {seen.channel: seen.recording for seen in snapshot.channels if seen.recording}
        for now in talks:
            talk = self._talks.get(now.call_id)
            if talk is None:
                self._adopt(now, running.get(now.call_id, ""))
            elif talk.part is not None and running.get(now.call_id) != talk.part.recording:
                self._end_part(talk, LOST)
                self._by_rule(talk)
            elif talk.part is not None:
                self._say_again(talk)
            elif talk.wanted:
                self._by_rule(talk)
        for recording in self._left.values():
            self._close(recording, LOST)
        self._left = {}
        self._stop_strays(running)

    def looked(self, snapshot: Snapshot) -> None:
        """A periodic look: what ended unseen is finished, what nobody wants is stopped."""
        running = {seen.channel: seen.recording for seen in snapshot.channels if seen.recording}
        before = self._clock() - LOOK_GRACE_S
        here = {seen.channel for seen in snapshot.channels}
        for talk in list(self._talks.values()):
            part = talk.part
            settled = part is not None and part.started_at <= before and talk.call_id in here
            if part is not None and settled and running.get(talk.call_id) != part.recording:
                self._end_part(talk, LOST)
        self._stop_strays(running)

    def running(self) -> list[Recording]:
        return [talk.part for talk in self._talks.values() if talk.part is not None]

    # insides -----------------------------------------------------------------------------------------------------

    def _begin_talk(self, now: TalkNow) -> _Talk:
        self._end_talk(now.call_id, "talk_ended")
        talk = self._talks[now.call_id] = _Talk(now.call_id, now.agent, now.queue)
        if now.call_id in self._secure:
            talk.reasons.add(Why.SECURE)
        if now.held:
            talk.reasons.add(Why.HOLD)
        self._by_rule(talk)
        return talk

    def _by_rule(self, talk: _Talk) -> None:
        rule = self._rules.get(talk.queue, RecordRule())
        if talk.wanted:
            self._begin_part(talk, talk.wanted)
        elif rule.mode is RecordMode.ALWAYS:
            lot = draw(talk.call_id)
            if lot < rule.share:
                self._begin_part(talk, "rule")
            else:
                self._tell("recording.skipped", talk, {"share": rule.share, "lot": round(lot, 6)})

    def _adopt(self, now: TalkNow, running: str) -> None:
        """A talk of before our time. What the PBX records of it goes on, even when nothing of it was put on record."""
        part = self._left.pop(running, None) if running else None
        if running and part is None:
            part = from_name(running)
        if part is None:
            self._begin_talk(now)
            return
        part.call_id, part.state = now.call_id, RecordingState.RECORDING
        part.agent, part.queue = part.agent or now.agent, part.queue or now.queue
        talk = self._talks[now.call_id] = _Talk(now.call_id, now.agent, now.queue, part=part)
        talk.reasons = {Why(one.why) for one in part.silences if one.end is None} - {Why.HOLD}
        if now.held:
            talk.reasons.add(Why.HOLD)
        if now.call_id in self._secure:
            talk.reasons.add(Why.SECURE)
        part.be_silent_for(talk.reasons, self._clock())
        self._archive.save(part)
        self._say_again(talk)

    def _end_talk(self, call: str, reason: str) -> None:
        talk = self._talks.pop(call, None)
        if talk is not None and talk.part is not None:
            self._end_part(talk, reason)

    def _start(self, talk: _Talk, by: str) -> None:
        rule = self._rules.get(talk.queue, RecordRule())
        if talk.part is not None or talk.wanted:
            raise RecordingRefused("This talk is recorded already.")
        if rule.mode is RecordMode.NEVER:
            raise RecordingRefused(f"Talks of the queue {talk.queue!r} are not recorded: its `record` is `never`.")
        refusal = self._refusal(talk)
        if refusal:
            raise RecordingRefused(f"Nothing can be recorded now: {refusal}.")
        self._begin_part(talk, by or "request")

    def _stop(self, talk: _Talk) -> None:
        self._require(talk)
        if self._rules.get(talk.queue, RecordRule()).mode is RecordMode.ALWAYS:
            raise RecordingRefused(f"Talks of the queue {talk.queue!r} are recorded by rule; pause is possible.")
        talk.wanted = ""
        talk.reasons.discard(Why.PAUSE)
        if talk.part is not None:
            self._end_part(talk, "stopped")

    @staticmethod
    def _require(talk: _Talk) -> None:
        if talk.part is None and not talk.wanted:
            raise RecordingRefused("This talk is not being recorded.")

    def _begin_part(self, talk: _Talk, by: str) -> None:
        if talk.reasons:  # not even a moment of what must not be heard
            talk.wanted = by
            return
        talk.wanted, talk.by = "", by
        now = self._clock()
        self._last_ms = max(self._last_ms + 1, round(now * 1000))
        part = Recording(name_of(talk.call_id, self._last_ms), talk.call_id, talk.agent, talk.queue, now)
        refusal = self._refusal(talk)
        if refusal:
            self._fail(part, refusal)
            return
        talk.part = part
        self._switch.send(StartRecording(talk.call_id, part.recording))
        self._archive.save(part)
        self._tell("recording.started", talk, {"recording": part.recording, "by": by})

    def _refusal(self, talk: _Talk) -> str:
        return "the caller was not told" if talk.call_id in self._untold else self._archive.refusal()

    def _end_part(self, talk: _Talk, reason: str) -> None:
        part, talk.part = talk.part, None
        assert part is not None
        self._switch.send(StopRecording(talk.call_id, part.recording))
        self._close(part, reason)

    def _close(self, part: Recording, reason: str) -> None:
        if reason != LOST:  # else the file tells how long it went on
            part.ended_at = self._clock()
            part.be_silent_for(set(), part.ended_at)
        part.state = RecordingState.FINISHING
        self._note(
            "recording.stopped",
            call_id=part.call_id,
            agent=part.agent or None,
            queue=part.queue or None,
            data={"recording": part.recording, "reason": reason},
        )
        self._archive.save(part)
        self._archive.finish(part)

    def _fail(self, part: Recording, reason: str) -> None:
        part.ended_at, part.state, part.reason = self._clock(), RecordingState.FAILED, reason
        self._archive.save(part)
        self._note(
            "recording.failed",
            call_id=part.call_id,
            agent=part.agent or None,
            queue=part.queue or None,
            data={"recording": part.recording, "reason": reason},
        )

    def _reason(self, call: str, why: Why, *, on: bool) -> None:
        talk = self._talks.get(call)
        if talk is None or (why in talk.reasons) is on:
            return
        was_silent = bool(talk.reasons)
        if on:
            talk.reasons.add(why)
        else:
            talk.reasons.discard(why)
        part, silent = talk.part, bool(talk.reasons)
        if part is None:
            if talk.wanted and not silent:
                self._begin_part(talk, talk.wanted)
            return
        if silent is not was_silent:
            self._say_again(talk)
        part.be_silent_for(talk.reasons, self._clock())
        self._archive.save(part)
        self._tell("recording.paused" if on else "recording.resumed", talk, {"recording": part.recording, "why": why})

    def _say_again(self, talk: _Talk) -> None:
        assert talk.part is not None
        order = MuteRecording if talk.reasons else UnmuteRecording
        self._switch.send(order(talk.call_id, talk.part.recording))

    def _stop_strays(self, running: Mapping[str, str]) -> None:
        ours = {part.recording for part in self.running()}
        for channel, recording in running.items():
            if recording not in ours:
                self._switch.send(StopRecording(channel, recording))

    def _tell(self, kind: str, talk: _Talk, data: dict[str, Any]) -> None:
        self._note(kind, call_id=talk.call_id, agent=talk.agent or None, queue=talk.queue or None, data=data)
