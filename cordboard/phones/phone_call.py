"""One call of one phone, from the first ring to the end.

Decides the call's state from the stack's events and what its end means. What is heard and said is `call_sound`.
"""

# ruff: noqa: ASYNC109 - a wait that says what it waited for, and what it saw instead, must know its own limit

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from baresip import BaresipError, Call, DigitEvent, Event, StackEvent, StaleHandleError

from cordboard.phones import listening, steady_clock
from cordboard.phones.call_sound import CallSound
from cordboard.phones.ending import Ending, ending_of
from cordboard.phones.errors import CallEnded, PhoneError
from cordboard.phones.listening import Samples
from cordboard.phones.speaking import Tone, Voice, write_wav
from cordboard.phones.waiting import Changes

_HOLD_TRIES = 20  # a hold that meets another re-INVITE in flight is refused at once; both are over within a second
_LISTEN_EVERY = 0.25
_FRAME = listening.RATE // 50


class CallState(StrEnum):
    TRYING = "trying"  # an outgoing call that nobody has reacted to yet
    RINGING = "ringing"
    EARLY = "early"  # sound before the answer
    ESTABLISHED = "established"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class StateChange:
    state: CallState
    at: float  # unix seconds


class PhoneCall:
    """Made by Softphone. Every `wait_...` has a timeout; its error names what was awaited and what was seen."""

    def __init__(self, call: Call, *, outgoing: bool, peer: str) -> None:
        self._call = call
        self._state = CallState.TRYING if outgoing else CallState.RINGING
        self._changes = Changes()
        self._history = [StateChange(self._state, steady_clock.now())]
        self._listeners: list[Callable[[StateChange], None]] = []
        self._digits = ""
        self._ending: Ending | None = None
        self._ended_by_us = False
        self.outgoing = outgoing
        self.peer = peer
        self.sound = CallSound(call, self._changes.notify)
        call.on_dtmf(self._on_digit)

    # -- state ---------------------------------------------------------------------------------------------------

    @property
    def state(self) -> CallState:
        return self._state

    @property
    def history(self) -> tuple[StateChange, ...]:
        """Every state with the time it was entered."""
        return tuple(self._history)

    @property
    def sip_call_id(self) -> str | None:
        call_id: str | None = self._call.call_id
        return call_id

    @property
    def ending(self) -> Ending | None:
        """How the call ended, None while it lives."""
        return self._ending

    @property
    def close_reason(self) -> str | None:
        return self._ending.reason if self._ending else None

    @property
    def status(self) -> int | None:
        """The SIP status that ended an unanswered call, such as 486; None otherwise."""
        return self._ending.status if self._ending else None

    @property
    def on_hold_by_far_end(self) -> bool:
        return bool(self._call.remote_on_hold)

    @property
    def received_digits(self) -> str:
        return self._digits

    def on_change(self, listener: Callable[[StateChange], None]) -> None:
        """Call `listener` with each change of state, those that have happened already included."""
        self._listeners.append(listener)
        for change in self._history[1:]:
            listener(change)

    # -- waiting -------------------------------------------------------------------------------------------------

    async def wait_ringing(self, timeout: float = 5.0) -> None:
        """The far end rings, or has gone further than that."""
        await self._wait("ringing", timeout, lambda: self._state is not CallState.TRYING)

    async def wait_established(self, timeout: float = 10.0) -> None:
        await self._wait("it was established", timeout, lambda: self._state is CallState.ESTABLISHED)

    async def wait_closed(self, timeout: float = 10.0) -> Ending:
        await self._wait("the end of the call", timeout, lambda: self._ending is not None)
        assert self._ending is not None
        return self._ending

    async def wait_digits(self, digits: str, timeout: float = 5.0) -> None:
        """The far end has pressed these keys, in this order, perhaps among others."""
        await self._wait(f"the keys {digits}", timeout, lambda: digits in self._digits)

    async def wait_held(self, timeout: float = 5.0, *, held: bool = True) -> None:
        """The far end put us on hold (or, with `held=False`, took us off)."""
        await self._wait(f"hold={held} by the far end", timeout, lambda: self._call.remote_on_hold is held)

    async def wait_tone(self, frequency: float, timeout: float = 5.0, *, window: float = 0.2) -> None:
        """The tone is heard from now on."""
        size = round(window * listening.RATE)
        await self._wait_heard(
            f"a tone of {frequency:g} Hz", timeout, size, lambda new: listening.hears_tone(new, frequency, window)
        )

    async def wait_sound(self, timeout: float = 5.0) -> None:
        """Any sound is heard from now on."""
        await self._wait_heard("any sound", timeout, _FRAME, lambda new: listening.first_sound(new) is not None)

    async def wait_silence(self, seconds: float = 0.5, timeout: float = 5.0) -> None:
        """Nothing is heard for this long, from now on, though audio arrives."""
        size = round(seconds * listening.RATE)
        await self._wait_heard(
            f"{seconds:g} s of silence",
            timeout,
            size,
            lambda new: len(new) >= size and listening.first_sound(new[-size:]) is None,
        )

    async def _wait_heard(self, awaited: str, timeout: float, overlap: int, heard: Callable[[Samples], bool]) -> None:
        """Looks only at what is new since the last look, and at `overlap` samples before it."""
        start = looked = self.sound.position

        def is_heard() -> bool:
            nonlocal looked
            new = self.heard(max(start, looked - 2 * overlap))
            looked = self.sound.position
            return heard(new)

        await self._wait(awaited, timeout, is_heard)

    async def wait_prompt(self, reference: Samples, timeout: float = 15.0, *, share: float = 0.8) -> None:
        """At least this share of the prompt was heard, counted from the beginning of the call."""
        last_look = float("-inf")
        loop = asyncio.get_running_loop()

        def heard_enough() -> bool:
            nonlocal last_look
            if self._state is not CallState.CLOSED and loop.time() - last_look < _LISTEN_EVERY:
                return False  # comparing is dear, and this is asked fifty times a second
            last_look = loop.time()
            return self.heard_prompt(reference) >= share

        await self._wait(f"{share:.0%} of a prompt of {len(reference) / listening.RATE:.1f} s", timeout, heard_enough)

    async def _wait(self, awaited: str, timeout: float, holds: Callable[[], bool]) -> None:
        def holds_or_never_will() -> bool:
            if holds():
                return True
            if self._ending is not None:
                raise CallEnded(awaited, self._ending.status, self._ending.reason)
            return False

        await self._changes.wait_until(holds_or_never_will, awaited=awaited, timeout=timeout, seen=self._describe)

    def _describe(self) -> str:
        path = " -> ".join(change.state for change in self._history)
        sound = f"{self.sound.position / listening.RATE:.1f} s of audio, {len(self._digits)} keys received"
        return f"{path}, {sound}" + (f", ended: {self._ending.reason}" if self._ending else "")

    # -- doing ---------------------------------------------------------------------------------------------------

    async def answer(self) -> None:
        """Answer an incoming call."""
        await self._command("answering", self._call.answer())

    async def refuse(self) -> None:
        """Refuse an incoming call with 486 Busy Here, the only refusal that baresip-python 0.5.2a3 can send."""
        self._ended_by_us = True
        with contextlib.suppress(StaleHandleError):  # the caller gave up first
            await self._call.reject()

    async def hang_up(self) -> None:
        """End the call in whatever state it is: CANCEL, 486 or BYE. Nothing happens when it is over already."""
        if self._ending is None:
            self._ended_by_us = True
            with contextlib.suppress(StaleHandleError):  # the far end was faster
                await self._call.hangup()

    async def send_digits(self, digits: str, *, gap: float = 0.15) -> None:
        """Press these keys, each for 100 ms, as RTP telephone events. Returns when the last one is released."""
        await self._command("sending digits", self._call.send_dtmf(digits, interdigit_ms=round(gap * 1000)))

    async def hold(self) -> None:
        await self._renegotiate("holding", self._call.hold)

    async def resume(self) -> None:
        await self._renegotiate("resuming", self._call.resume)

    def say(self, voice: Voice) -> None:
        """Speak with this voice from now on."""
        self.sound.say(voice)

    def say_tone(self, frequency: float) -> None:
        self.say(Tone(frequency))

    async def _command(self, doing: str, command: Awaitable[None]) -> None:
        try:
            await command
        except StaleHandleError:
            ending = self._ending
            raise CallEnded(doing, ending.status if ending else None, ending.reason if ending else "gone") from None
        except BaresipError as error:
            raise PhoneError(f"{doing} failed: {error}") from error

    async def _renegotiate(self, doing: str, command: Callable[[], Awaitable[None]]) -> None:
        for _ in range(_HOLD_TRIES - 1):
            try:
                await self._command(doing, command())
            except CallEnded:
                raise
            except PhoneError:
                if self._state is not CallState.ESTABLISHED:
                    raise
                await asyncio.sleep(0.05)
            else:
                return
        await self._command(doing, command())

    # -- hearing -------------------------------------------------------------------------------------------------

    def heard(self, start: int = 0) -> Samples:
        """Everything received, as 16-bit samples at 8 kHz, from position `start` on (see `sound.position`)."""
        return self.sound.heard(start)

    def heard_tone(self, frequency: float, window: float = 0.2, *, start: int = 0) -> bool:
        """Was there a stretch of `window` seconds that was mostly this tone?"""
        return listening.hears_tone(self.heard(start), frequency, window)

    def heard_prompt(self, reference: Samples, *, start: int = 0) -> float:
        """The share, 0 to 1, of the prompt that was heard."""
        return listening.heard_share(self.heard(start), reference)

    def record_to(self, path: Path) -> None:
        """Write what was heard so far as a wav file."""
        write_wav(path, self.heard())

    # -- events of the stack -------------------------------------------------------------------------------------

    def on_stack_event(self, event: StackEvent) -> None:
        """Called by the stack, in order."""
        match event.event:
            case Event.CALL_RINGING:
                self._enter(CallState.RINGING)
            case Event.CALL_PROGRESS:
                self.sound.start()
                self._enter(CallState.EARLY)
            case Event.CALL_ESTABLISHED:
                self.sound.start()
                self._enter(CallState.ESTABLISHED)
            case Event.CALL_CLOSED:
                was_answered = any(change.state is CallState.ESTABLISHED for change in self._history)
                self._ending = ending_of(
                    event.text or "", by_us=self._ended_by_us, outgoing=self.outgoing, answered=was_answered
                )
                self.sound.stop()
                self._enter(CallState.CLOSED)
            case Event.CALL_HOLD | Event.CALL_RESUME:
                # The Call notes the hold itself, after us: look again when it has.
                asyncio.get_running_loop().call_soon(self._changes.notify)
            case _:
                pass

    async def finish(self) -> None:
        """Hang up if need be and wait for everything that runs on behalf of this call."""
        with contextlib.suppress(BaresipError):
            await self.hang_up()
        await self.sound.stopped()

    def _on_digit(self, digit: DigitEvent) -> None:
        self._digits += digit.digit
        self._changes.notify()

    def _enter(self, state: CallState) -> None:
        if state is self._state:
            return
        self._state = state
        change = StateChange(state, steady_clock.now())
        self._history.append(change)
        self._changes.notify()
        for listener in list(self._listeners):
            listener(change)
