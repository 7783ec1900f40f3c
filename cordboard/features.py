"""Feature codes: what an agent dials on the own phone to log in, pause, ask for more time, say what a talk led to.

Decides what a code does and what the agent hears. The phone that dialled is the proof of who it is (it registered with
its secret), so no code asks for a number or a password.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from acd.errors import AcdError, AlreadyLoggedIn, DispositionOwed, UnknownDisposition
from acd.service import Distributor
from ivr.announcements import Announcement, text_of
from ivr.ports import PromptFiles
from ivr.prompts import PromptMissing
from pbx.facts import CallArrived, CommandDone, Fact, OrderFailed
from pbx.orders import Answer, HangUp, Play
from pbx.ports import Switch


class Command(NamedTuple):
    """What a code asks for, and what was dialled after it: a reason's name, a disposition's digit."""

    name: str
    argument: str = ""


@dataclass(frozen=True, slots=True)
class FeatureCodes:
    """The digits of each code, from the configuration."""

    login: str
    logout: str
    pause: str
    ready: str
    wrap_up: str
    disposition: str
    reasons: Mapping[str, str] = field(default_factory=dict)  # for not being ready, by the digit after `pause`

    def command(self, dialled: str) -> Command | None:
        """None when `dialled` is no code."""
        alone = {self.login: "login", self.logout: "logout", self.pause: "pause", self.ready: "ready"}
        alone[self.wrap_up] = "wrap_up"
        if dialled in alone:
            return Command(alone[dialled])
        code, digit = dialled[:-1], dialled[-1:]
        if code == self.pause and digit in self.reasons:
            return Command("pause", self.reasons[digit])
        if code == self.disposition and digit.isdigit():
            return Command("disposition", digit)
        return None

    @staticmethod
    def looks_like_one(dialled: str) -> bool:
        return dialled.startswith("*")


CONFIRMATION = {
    "login": Announcement.LOGGED_IN,
    "logout": Announcement.LOGGED_OUT,
    "pause": Announcement.PAUSED,
    "ready": Announcement.READY,
    "wrap_up": Announcement.EXTENDED,
    "disposition": Announcement.CLASSIFIED,
}
REFUSAL: dict[type[AcdError], Announcement] = {
    AlreadyLoggedIn: Announcement.ALREADY_LOGGED_IN,
    DispositionOwed: Announcement.NOT_CLASSIFIED,
    UnknownDisposition: Announcement.UNKNOWN_CODE,
}


class FeatureCall:
    """One short call of an agent to the service: do it, say so, hang up."""

    def __init__(
        self,
        arrived: CallArrived,
        command: Command | None,
        switch: Switch,
        prompts: PromptFiles,
        distributor: Distributor,
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
        if self._command is None:
            return Announcement.UNKNOWN_CODE
        name, argument = self._command
        distributor, agent = self._distributor, self._agent
        commands: dict[str, Callable[[], None]] = {
            "login": lambda: distributor.login(agent),
            "logout": lambda: distributor.logout(agent),
            "pause": lambda: distributor.pause(agent, argument),
            "ready": lambda: distributor.ready(agent),
            "wrap_up": lambda: distributor.extend_wrap_up(agent),
            "disposition": lambda: distributor.classify(agent, argument),
        }
        try:
            commands[name]()
        except AcdError as error:
            return REFUSAL.get(type(error), Announcement.REFUSED)
        return CONFIRMATION[name]

    def _say(self, announcement: Announcement) -> None:
        try:
            files = self._prompts.files(self._language, text_of(announcement, self._language))
        except PromptMissing:
            self._switch.send(HangUp(self.channel))
        else:
            self._switch.send(Play(self.channel, "said", files, interruptible=False))
