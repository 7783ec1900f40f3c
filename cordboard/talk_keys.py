"""What agents press during a talk: codes of a star and a digit, some with a destination and # behind it.

Decides when keys are a code, and what the agent hears when it was none: they are with the caller again. The caller
hears none of it: the PBX keeps the codes to itself, and a destination is dialled while the caller is on hold.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import structlog

from acd.control import TalkControl
from acd.errors import AcdError
from acd.ports import Timer, Timers
from acd.supervision import Supervision
from cordboard.talk_desk import WITH_DESTINATION, TalkDesk

log = structlog.get_logger()

DIAL_LIMIT_S = 10.0
"""So long nothing may be pressed before a destination is given up."""

STAR_LIMIT_S = 1.5
"""So soon after a star its digit must come; the PBX keeps a code to itself for as long."""

MOST_DIGITS = 32
END = "#"


@dataclass(slots=True)
class _Dialling:
    """A destination that is being dialled."""

    call: str
    command: str
    digits: str = ""
    timer: Timer | None = None


class TalkKeys:
    """`press` for every key on a leg that we rang."""

    def __init__(
        self,
        codes: Mapping[str, str],
        desk: TalkDesk,
        control: TalkControl,
        supervision: Supervision,
        timers: Timers,
        record: Callable[[str], None] = lambda _call: None,
    ) -> None:
        """`codes`: code -> command. `record(call)` is the recording's: start, pause, go on."""
        self._codes = dict(codes)
        self._desk = desk
        self._control = control
        self._supervision = supervision
        self._timers = timers
        self._record = record
        self._stars: dict[str, Timer] = {}  # legs on which a star was pressed a moment ago
        self._dialling: dict[str, _Dialling] = {}

    def press(self, leg: str, key: str) -> None:
        dialling = self._dialling.get(leg)
        if dialling is not None:
            self._dial(leg, dialling, key)
        elif leg in self._stars:
            self._no_star(leg)
            command = self._codes.get(f"*{key}")
            if command is not None:
                self._do(leg, command)
        elif key == "*":
            self._stars[leg] = self._timers.after(STAR_LIMIT_S, lambda: self._no_star(leg))
        else:
            try:
                self._supervision.key(leg, key)
            except AcdError as error:
                log.info("a supervisor's key did nothing", reason=type(error).__name__)

    def gone(self, leg: str) -> None:
        self._no_star(leg)
        dialling = self._dialling.pop(leg, None)
        if dialling is not None and dialling.timer is not None:
            dialling.timer.cancel()

    def _do(self, leg: str, command: str) -> None:
        call = self._desk.call_of_leg(leg)
        if call is None:
            return
        try:
            if command == "record":
                self._record(call)
            elif command == "hold":
                self._control.toggle_hold(call)
            elif command in WITH_DESTINATION:
                self._control.hold(call)
                self._dialling[leg] = _Dialling(call, command)
                self._wait(leg)
            else:
                self._desk.command(call, command)
        except AcdError as error:
            log.info("a talk code did nothing", command=command, reason=type(error).__name__)

    def _dial(self, leg: str, dialling: _Dialling, key: str) -> None:
        if key == "*" or (key == END and not dialling.digits) or len(dialling.digits) >= MOST_DIGITS:
            self._give_up(leg)
        elif key == END:
            self.gone(leg)
            if self._desk.call_of_leg(leg) != dialling.call:
                return  # the talk is somebody else's by now
            try:
                self._desk.command(dialling.call, dialling.command, dialling.digits)
            except AcdError as error:
                log.info("a destination was refused", command=dialling.command, reason=type(error).__name__)
                self._resume(dialling.call)
        else:
            dialling.digits += key
            self._wait(leg)

    def _no_star(self, leg: str) -> None:
        timer = self._stars.pop(leg, None)
        if timer is not None:
            timer.cancel()

    def _wait(self, leg: str) -> None:
        dialling = self._dialling[leg]
        if dialling.timer is not None:
            dialling.timer.cancel()
        dialling.timer = self._timers.after(DIAL_LIMIT_S, lambda: self._give_up(leg))

    def _give_up(self, leg: str) -> None:
        dialling = self._dialling.get(leg)
        self.gone(leg)
        if dialling is not None:
            self._resume(dialling.call)

    def _resume(self, call: str) -> None:
        with contextlib.suppress(AcdError):  # the talk is over
            self._control.resume(call)
