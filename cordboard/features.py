"""Feature codes: what an agent dials on the own phone to log in, log out, pause and be ready.

Decides what a code does and what the agent hears. The phone that dialled is the proof of who it is (it registered with
its secret), so no code asks for a number or a password.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from acd.errors import AcdError
from acd.service import Distributor
from ivr.announcements import Announcement, text_of
from ivr.ports import PromptFiles
from ivr.prompts import PromptMissing
from pbx.facts import CallArrived, CommandDone, Fact, OrderFailed
from pbx.orders import Answer, HangUp, Play
from pbx.ports import Switch


@dataclass(frozen=True, slots=True)
class FeatureCodes:
    """The digits of each code, from the configuration."""

    login: str
    logout: str
    pause: str
    ready: str

    def command(self, dialled: str) -> str | None:
        """`login`, `logout`, `pause` or `ready`; None when `dialled` is no code."""
        return {self.login: "login", self.logout: "logout", self.pause: "pause", self.ready: "ready"}.get(dialled)

    @staticmethod
    def looks_like_one(dialled: str) -> bool:
        return dialled.startswith("*")


CONFIRMATION = {
    "login": Announcement.LOGGED_IN,
    "logout": Announcement.LOGGED_OUT,
    "pause": Announcement.PAUSED,
    "ready": Announcement.READY,
}


class FeatureCall:
    """One short call of an agent to the service: do it, say so, hang up."""

    def __init__(
        self, arrived: CallArrived, command: str | None, switch: Switch, prompts: PromptFiles, distributor: Distributor
    ) -> None:
        self.channel = arrived.channel
        self._agent = arrived.endpoint
        self._language = arrived.language
        self._command = command
        self._switch = switch
        self._prompts = prompts
        self._distributor = distributor

    def begin(self) -> None:
        self._switch.send(Answer(self.channel, "answer"))

    def handle(self, fact: Fact) -> None:
        match fact:
            case CommandDone(token="answer", ok=True):
                self._say(self._carry_out())
            case CommandDone() | OrderFailed(order="Answer" | "Play", unknown=False):
                self._switch.send(HangUp(self.channel))
            case _:
                pass

    def _carry_out(self) -> Announcement:
        commands: dict[str, Callable[[str], object]] = {
            "login": self._distributor.login,
            "logout": self._distributor.logout,
            "pause": self._distributor.pause,
            "ready": self._distributor.ready,
        }
        if self._command is None:
            return Announcement.UNKNOWN_CODE
        try:
            commands[self._command](self._agent)
        except AcdError:
            return Announcement.REFUSED
        return CONFIRMATION[self._command]

    def _say(self, announcement: Announcement) -> None:
        try:
            files = self._prompts.files(self._language, text_of(announcement, self._language))
        except PromptMissing:
            self._switch.send(HangUp(self.channel))
        else:
            self._switch.send(Play(self.channel, "said", files, interruptible=False))
