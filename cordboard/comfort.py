"""What a waiting caller hears between the music: their place, the wait to expect, messages of the queue.

Decides what is said when, counted from when they joined, so that a restart changes nothing; and that nothing ever waits
for it: an agent's answer, a key and the end of the wait cut it short. It refuses to know where the caller goes then.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from ivr.announcements import spoken_language
from ivr.errors import PromptMissing
from ivr.ports import PromptFiles, Timer, Timers
from ivr.waiting_words import place_text, place_texts, wait_text, wait_texts
from pbx.facts import CommandDone
from pbx.orders import Play, StopPlay
from pbx.ports import Switch

PLAY_MARGIN_S = 5.0
QUANTILE = 0.8
"""Which share of callers waits no longer than what is announced."""


@dataclass(frozen=True, slots=True)
class ComfortPlan:
    """Of a queue: the first turn after `first_s`, then one every `every_s`; each says the next message."""

    every_s: float
    first_s: float
    messages: tuple[Mapping[str, str], ...] = ()
    place: bool = False
    wait: bool = False

    def next_turn(self, waited_s: float) -> int:
        """The first turn, counted from 0, that is not over after so long a wait."""
        return max(0, math.floor((waited_s - self.first_s) / self.every_s) + 1)

    def due(self, turn: int) -> float:
        """So many seconds after joining."""
        return self.first_s + turn * self.every_s

    def texts(self, languages: set[str]) -> dict[str, set[str]]:
        """All that can be said, by the language in which it is spoken."""
        texts: dict[str, set[str]] = {}
        for message in self.messages:
            for language, text in message.items():
                texts.setdefault(language, set()).add(text)
        for language in {spoken_language(language) for language in languages}:
            found = texts.setdefault(language, set())
            found.update(place_texts(language) if self.place else ())
            found.update(wait_texts(language) if self.wait else ())
        return texts


class Line(Protocol):
    """The distributor, as much of it as is needed."""

    def position(self, call: str) -> int | None: ...

    def expected_wait(self, call: str) -> float | None: ...

    def connects(self, call: str) -> bool: ...

    def restart_music(self, call: str) -> None: ...


class Comfort:
    """For one caller. Between `begin` and `end` their channel is in our hands and nobody else speaks to them."""

    __slots__ = (
        "_call",
        "_clock",
        "_joined_at",
        "_language",
        "_line",
        "_note",
        "_prompts",
        "_serial",
        "_switch",
        "_timer",
        "_timers",
        "_token",
        "_watchdog",
    )

    def __init__(
        self,
        call: str,
        switch: Switch,
        timers: Timers,
        clock: Callable[[], float],
        prompts: PromptFiles,
        line: Line,
        note: Callable[[str, dict[str, Any]], None],
    ) -> None:
        self._call = call
        self._switch = switch
        self._timers = timers
        self._clock = clock
        self._prompts = prompts
        self._line = line
        self._note = note
        self._joined_at = 0.0
        self._language = ""
        self._serial = 0
        self._token = ""  # of what is being said
        self._timer: Timer | None = None
        self._watchdog: Timer | None = None

    @property
    def speaks(self) -> bool:
        return self._token != ""

    def begin(self, plan: ComfortPlan | None, joined_at: float, language: str) -> None:
        """They wait, and hear music. Without a plan nothing is said."""
        self.void()
        self._joined_at, self._language = joined_at, language
        if plan is not None:
            self._await_turn(plan, plan.next_turn(self._clock() - joined_at))

    def end(self) -> None:
        """They wait no more, and are still in our hands: whatever is said stops now."""
        speaks = self.speaks
        self.void()
        if speaks:
            self._switch.send(StopPlay(self._call))

    def void(self) -> None:
        """They are out of our hands: nothing is said any more, and no command of ours will end."""
        self._token = ""
        self._cancel(self._timer)
        self._cancel(self._watchdog)
        self._timer = self._watchdog = None

    def done(self, fact: CommandDone) -> None:
        """A command on their channel has ended, ours perhaps."""
        if self._token and fact.token == self._token:
            self._token = ""
            self._cancel(self._watchdog)
            if not fact.ok:
                self._note("command.failed", {"command": "play"})
            self._line.restart_music(self._call)

    def _await_turn(self, plan: ComfortPlan, turn: int) -> None:
        wait_s = self._joined_at + plan.due(turn) - self._clock()
        self._timer = self._timers.after(wait_s, lambda: self._turn(plan, turn))

    def _turn(self, plan: ComfortPlan, turn: int) -> None:
        self._await_turn(plan, turn + 1)
        if self.speaks or self._line.connects(self._call):
            return
        files, said = self._sayings(plan, turn)
        if not files:
            return
        self._serial += 1
        self._token = f"comfort-{self._serial}"
        self._note("queue.comfort", said | {"language": self._language})
        if "wait_s" in said:
            self._note("queue.expected", {"wait_s": said["wait_s"], "quantile": QUANTILE})
        self._watchdog = self._timers.after(self._prompts.seconds(files) + PLAY_MARGIN_S, self._overdue)
        self._switch.send(Play(self._call, self._token, files, interruptible=False))

    def _sayings(self, plan: ComfortPlan, turn: int) -> tuple[tuple[str, ...], dict[str, Any]]:
        """The files to play, and what they say, for the history."""
        language, ours = self._language, spoken_language(self._language)
        sayings: list[tuple[str, str, str, Any]] = []
        position = self._line.position(self._call) if plan.place else None
        if position is not None:
            sayings.append((ours, place_text(position, ours), "position", position))
        wait_s = self._line.expected_wait(self._call) if plan.wait else None
        if wait_s is not None:
            sayings.append((ours, wait_text(wait_s, ours), "wait_s", round(wait_s, 1)))
        if plan.messages:
            number = turn % len(plan.messages)
            text = plan.messages[number].get(language)
            if text is not None:
                sayings.append((language, text, "message", number + 1))
        files: list[str] = []
        said: dict[str, Any] = {}
        for spoken, text, name, value in sayings:
            try:
                files += self._prompts.files(spoken, text)
                said[name] = value
            except PromptMissing:
                self._note("prompt.missing", {"language": spoken})
        return tuple(files), said

    def _overdue(self) -> None:
        """The PBX never said that it is over. Music again: a caller in silence is the worst of all."""
        self._token = ""
        self._note("command.overdue", {"command": "play"})
        self._switch.send(StopPlay(self._call))
        self._line.restart_music(self._call)

    @staticmethod
    def _cancel(timer: Timer | None) -> None:
        if timer is not None:
            timer.cancel()
