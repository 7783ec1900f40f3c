"""What a phone says into a call, as samples on demand.

A phone that says nothing still sends RTP: Asterisk 22 takes keys pressed on a silent stream for duplicates, so the SIP
stack pads with silence whenever these voices have nothing to give.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import numpy as np
import soundfile
import soxr

from cordboard.phones.listening import RATE, Samples


class Voice(Protocol):
    """Something that speaks."""

    def speak(self, count: int) -> Samples:
        """The next samples, at most `count`; fewer (or none) when there is nothing more to say."""


class Silence:
    """Says nothing."""

    def speak(self, count: int) -> Samples:
        return np.empty(0, dtype=np.int16)


class Tone:
    """A sine that goes on for ever, without a seam between the pieces."""

    def __init__(self, frequency: float, amplitude: float = 0.25, rate: int = RATE) -> None:
        self._step = 2 * np.pi * frequency / rate
        self._amplitude = amplitude * 32767
        self._spoken = 0

    def speak(self, count: int) -> Samples:
        phase = self._step * (self._spoken + np.arange(count))
        self._spoken += count
        return np.asarray(np.round(self._amplitude * np.sin(phase)), dtype=np.int16)


class Recorded:
    """Says given samples once, or over and over."""

    def __init__(self, samples: Samples, *, repeat: bool = False) -> None:
        self._samples = samples
        self._repeat = repeat and len(samples) > 0
        self._spoken = 0

    @classmethod
    def from_wav(cls, path: Path, *, repeat: bool = False) -> Recorded:
        return cls(read_wav(path), repeat=repeat)

    def speak(self, count: int) -> Samples:
        if self._repeat:
            positions = (self._spoken + np.arange(count)) % len(self._samples)
            self._spoken += count
            return self._samples[positions]
        piece = self._samples[self._spoken : self._spoken + count]
        self._spoken += len(piece)
        return piece


def read_wav(path: Path, rate: int = RATE) -> Samples:
    """The file's first channel as 16-bit samples at `rate`."""
    samples, file_rate = soundfile.read(str(path), dtype="int16", always_2d=True)
    channel: Samples = samples[:, 0]
    if file_rate != rate:
        channel = np.asarray(soxr.resample(channel, file_rate, rate), dtype=np.int16)
    return channel


def write_wav(path: Path, samples: Samples, rate: int = RATE) -> None:
    soundfile.write(str(path), samples, rate, subtype="PCM_16")
