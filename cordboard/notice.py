"""The notice that a talk may be recorded: said to its end before the caller joins the queue, each text once a call.

Decides when it is said and when it was heard. It refuses to know what comes before and after it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ivr.errors import PromptMissing
from ivr.ports import PromptFiles, Timer, Timers
from pbx.facts import CommandDone
from pbx.orders import Play, StopPlay
from pbx.ports import Switch

PLAY_MARGIN_S = 5.0


class Notice:
    """For one caller. `pending`: they must hear it, and have not yet; what they hear now is perhaps nothing."""

    __slots__ = ("_call", "_note", "_over", "_prompts", "_switch", "_text", "_timer", "_timers", "_token", "_told")

    def __init__(
        self,
        call: str,
        switch: Switch,
        timers: Timers,
        prompts: PromptFiles,
        note: Callable[[str, dict[str, Any]], None],
        over: Callable[[], None],
    ) -> None:
        """`over` is called when it was heard, never within `say`."""
        self._call = call
        self._switch = switch
        self._timers = timers
        self._prompts = prompts
        self._note = note
        self._over = over
        self._told: set[str] = set()
        self._text = ""  # that is pending
        self._token = ""  # of what is being said
        self._timer: Timer | None = None

    @property
    def pending(self) -> bool:
        return self._text != ""

    @property
    def speaks(self) -> bool:
        return self._token != ""

    def say(self, texts: Mapping[str, str], language: str) -> bool:
        """Begin to say it, in the first language there is if not in theirs. False: there is nothing to say.

        Raises `PromptMissing`: they will not be told.
        """
        self.void()
        self._text = ""
        if not texts:
            return False
        spoken = language if language in texts else next(iter(texts))
        text = texts[spoken]
        if text in self._told:
            return False
        try:
            files = self._prompts.files(spoken, text)
        except PromptMissing:
            self._note("prompt.missing", {"language": spoken})
            raise
        self._text = text
        self._token = f"notice-{len(self._told)}"
        self._note("queue.notice", {"language": spoken})
        self._timer = self._timers.after(self._prompts.seconds(files) + PLAY_MARGIN_S, self._overdue)
        self._switch.send(Play(self._call, self._token, files, interruptible=False))
        return True

    def done(self, fact: CommandDone) -> bool:
        """Whether it was ours that ended."""
        if not self._token or fact.token != self._token:
            return False
        if not fact.ok:
            self._note("command.failed", {"command": "play"})
        self._heard()
        return True

    def void(self) -> None:
        """They are out of our hands: it is still pending, and no command of ours will end."""
        self._token = ""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _overdue(self) -> None:
        """The PBX never said that it is over. Nobody must be kept from the queue by that."""
        self._note("command.overdue", {"command": "play"})
        self._switch.send(StopPlay(self._call))
        self._heard()

    def _heard(self) -> None:
        self.void()
        self._told.add(self._text)
        self._text = ""
        self._over()
