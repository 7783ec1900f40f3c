"""What can be heard in a recording: pure functions on arrays of 16-bit samples.

Decides when a prompt, a tone or any sound counts as heard. Knows no call, no clock and no file.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.int16]
_Floats = NDArray[np.float64]

RATE = 8000
_PIECE_SECONDS = 0.5
_MATCH = 0.8  # the right piece measures 0.9 and more after G.711, a wrong one 0.3 and less
_QUIET_RMS = 100.0  # of 32768, about -50 dBFS: below this a piece is a pause and proves nothing


def heard_share(recording: Samples, reference: Samples, rate: int = RATE) -> float:
    """The share, 0 to 1, of the half-second pieces of `reference` that occur somewhere in `recording`.

    A piece occurs where its normalised cross-correlation is over 0.8, so loudness does not matter and one lost frame
    costs at most the piece that it was lost from. Pauses inside the reference are left out of the count.
    """
    size = int(_PIECE_SECONDS * rate)
    pieces = _loud_pieces(reference, size)
    if len(pieces) == 0:
        raise ValueError("the reference holds no half second of sound, so it cannot be listened for")
    # Silence around it: of the first and the last piece a frame may be lost at the edge of the recording.
    surrounded = np.pad(recording.astype(np.float64), size)
    return float(np.mean(_best_matches(surrounded, pieces) > _MATCH))


def _loud_pieces(reference: Samples, size: int) -> _Floats:
    count = len(reference) // size
    pieces = reference[: count * size].reshape(count, size).astype(np.float64)
    loud: _Floats = pieces[np.sqrt(np.mean(pieces**2, axis=1)) > _QUIET_RMS]
    return loud


def _best_matches(recording: _Floats, pieces: _Floats) -> _Floats:
    """For each piece its highest normalised cross-correlation with any stretch of the recording."""
    size = pieces.shape[1]
    length = 1 << (len(recording) + size - 1).bit_length()
    spectrum = np.fft.rfft(recording, length)
    energy = np.concatenate(([0.0], np.cumsum(recording**2)))
    # A stretch of near silence would match anything after the division, so it counts as a quiet one.
    stretch = np.sqrt(np.maximum(energy[size:] - energy[:-size], size * (_QUIET_RMS / 4) ** 2))
    best = np.empty(len(pieces))
    for index, piece in enumerate(pieces):
        products = np.fft.irfft(spectrum * np.conj(np.fft.rfft(piece, length)), length)[: len(stretch)]
        best[index] = np.max(products / stretch) / np.linalg.norm(piece)
    return best


def tone_share(samples: Samples, frequency: float, rate: int = RATE) -> float:
    """The share, 0 to 1, of the energy of `samples` that lies at `frequency`: one bin of a Fourier transform."""
    values = samples.astype(np.float64)
    energy = float(values @ values)
    if energy == 0.0:
        return 0.0
    turns = np.exp(-2j * np.pi * frequency / rate * np.arange(len(values)))
    return min(1.0, float(2 * abs(values @ turns) ** 2 / (len(values) * energy)))


def hears_tone(recording: Samples, frequency: float, window: float = 0.2, rate: int = RATE) -> bool:
    """Does any stretch of `window` seconds consist mostly of this tone?"""
    size = int(window * rate)
    if size <= 0:
        raise ValueError("the window must hold at least one sample")
    step = max(1, size // 2)
    stretches = (recording[start : start + size] for start in range(0, len(recording) - size + 1, step))
    return any(loudness(stretch) > _QUIET_RMS and tone_share(stretch, frequency, rate) > 0.5 for stretch in stretches)


def loudness(samples: Samples) -> float:
    """Root mean square of the samples, 0 to 32768."""
    if len(samples) == 0:
        return 0.0
    return float(np.sqrt(np.mean(samples.astype(np.float64) ** 2)))


def first_sound(recording: Samples, frame: int = RATE // 50) -> int | None:
    """The position of the first frame (20 ms by default) that is not quiet; None when there is none."""
    count = len(recording) // frame
    frames: Any = recording[: count * frame].reshape(count, frame).astype(np.float64)
    loud = np.flatnonzero(np.sqrt(np.mean(frames**2, axis=1)) > _QUIET_RMS) if count else np.empty(0, dtype=np.intp)
    return int(loud[0]) * frame if len(loud) else None


def seconds_of_sound(recording: Samples, rate: int = RATE) -> float:
    """How much of the recording is not quiet, in seconds, counted in frames of 20 ms."""
    frame = rate // 50
    count = len(recording) // frame
    frames: Any = recording[: count * frame].reshape(count, frame).astype(np.float64)
    return float(np.sum(np.sqrt(np.mean(frames**2, axis=1)) > _QUIET_RMS)) * frame / rate if count else 0.0
