"""The sound of one call: reads every received sample, keeps it with its time, and feeds the phone's voice.

Decides how the recording is kept. What is heard in it is `listening`, what is said is `speaking`.

The SIP stack (baresip-python 0.5.2a3) keeps two seconds of received sound and, when it is read more than one second
late, throws away the oldest; `lost_seconds` counts that, so that a test can tell a broken prompt from a stalled reader.
A re-INVITE (hold, resume) replaces both streams; what was not read before that is gone, at most one reading interval.
"""

from __future__ import annotations

import asyncio
import bisect
import contextlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from baresip import AudioNotActive, AudioRestarted, Call

from cordboard.phones import steady_clock
from cordboard.phones.listening import RATE, Samples
from cordboard.phones.speaking import Silence, Voice

_INTERVAL = 0.02
_SPEAK_AHEAD = RATE // 5  # samples: how long the event loop may stall before the far end hears a gap
_SAMPLE_BYTES = 2
_FIRST_BUFFER = 20 * RATE


@dataclass(frozen=True, slots=True)
class AudioMark:
    """At `at` (unix seconds) the recording was `position` samples long."""

    position: int
    at: float


class CallSound:
    """One call's recording and voice. `changed` is called after each new piece of sound."""

    def __init__(self, call: Call, changed: Callable[[], None]) -> None:
        self._streams = call.audio
        self._changed = changed
        self._buffer: Samples = np.empty(_FIRST_BUFFER, dtype=np.int16)
        self._positions: list[int] = []  # the recording's length after each mark, for bisect
        self._marks: list[AudioMark] = []
        self._length = 0
        self._voice: Voice = Silence()
        self._flushing = False
        self._lost_before_restart = 0
        self._lost_now = 0
        self._task: asyncio.Task[None] | None = None

    # -- hearing -------------------------------------------------------------------------------------------------

    @property
    def position(self) -> int:
        """How many samples were received so far: a mark to listen on from."""
        return self._length

    @property
    def marks(self) -> tuple[AudioMark, ...]:
        return tuple(self._marks)

    @property
    def lost_seconds(self) -> float:
        """Received sound that was thrown away because nobody read it in time."""
        return (self._lost_before_restart + self._lost_now) / _SAMPLE_BYTES / RATE

    def heard(self, start: int = 0) -> Samples:
        """Everything received from position `start` on, exactly."""
        view = self._buffer[start : self._length]
        view.flags.writeable = False
        return view

    def time_of(self, position: int) -> float:
        """When the sample at `position` was received, unix seconds, to about one reading interval."""
        if not self._marks:
            raise ValueError("nothing was received yet")
        index = min(bisect.bisect_right(self._positions, position), len(self._marks) - 1)
        mark = self._marks[index]
        return mark.at - (mark.position - position) / RATE

    # -- speaking ------------------------------------------------------------------------------------------------

    def say(self, voice: Voice) -> None:
        """Speak with this voice from now on; what was queued of the last one is dropped."""
        self._voice = voice
        with contextlib.suppress(AudioNotActive, AudioRestarted):  # no streams yet, or new ones: nothing is queued
            if self._streams.info().tx_buffered:
                self._streams.flush_tx()
                self._flushing = True

    # -- life ----------------------------------------------------------------------------------------------------

    def start(self) -> None:
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run(), name="call-audio")

    def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()

    async def stopped(self) -> None:
        """Wait until the reader is gone; surface what killed it, if anything did."""
        if self._task is None:
            return
        self._task.cancel()
        try:
            await self._task
        except asyncio.CancelledError:
            if not self._task.cancelled():
                raise

    async def _run(self) -> None:
        while True:
            try:
                self._listen()
                self._speak()
            except AudioRestarted:
                self._lost_before_restart += self._lost_now
                self._lost_now = 0
                continue  # bound to the new streams by the next operation
            except AudioNotActive:
                pass  # not yet, or not any more: the owner stops us when the call closes
            await asyncio.sleep(_INTERVAL)

    def _listen(self) -> None:
        pcm = self._streams.read(RATE * _SAMPLE_BYTES)
        if not pcm:
            return
        stats = self._streams.stats()
        self._lost_now = stats.rx_discarded_bytes + stats.rx_dropped_bytes
        piece = np.frombuffer(pcm, dtype=np.int16)
        self._append(piece)
        self._positions.append(self._length)
        self._marks.append(AudioMark(self._length, steady_clock.now()))
        self._changed()

    def _append(self, piece: Samples) -> None:
        length = self._length + len(piece)
        if length > len(self._buffer):
            grown = np.empty(2 * length, dtype=np.int16)
            grown[: self._length] = self._buffer[: self._length]
            self._buffer = grown
        self._buffer[self._length : length] = piece
        self._length = length

    def _speak(self) -> None:
        info = self._streams.info()
        if not info.tx_ready or (self._flushing and info.tx_buffered):
            return  # a flush is carried out by the next packet, and takes with it what is written before that
        self._flushing = False
        wanted = _SPEAK_AHEAD - info.tx_buffered // _SAMPLE_BYTES
        if wanted > 0:
            self._streams.write(self._voice.speak(wanted).tobytes())
