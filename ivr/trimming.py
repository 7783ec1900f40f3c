"""Which part of a sound is heard: the silence around it found by its loudness in frames of 10 ms. Numpy alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ivr.wav import RATE

FRAME = RATE // 100
SILENCE = 10 ** (-42 / 20)  # under the peak
LEAD, TAIL = 4, 12  # frames of silence kept: plosives begin softly, words end softly
NOTHING = 1e-5


def heard_part(samples: NDArray[np.float32], floor: float = NOTHING, lead: int = LEAD, tail: int = TAIL) -> slice:
    """Without the silence around it; nothing of what is silent throughout. Under `floor` (RMS) all is silence."""
    loudness = rms(samples)
    heard = np.flatnonzero(loudness > max(loudness.max(initial=0.0) * SILENCE, floor))
    if not len(heard):
        return slice(0, 0)
    return slice(max(int(heard[0]) - lead, 0) * FRAME, (int(heard[-1]) + 1 + tail) * FRAME)


def rms(samples: NDArray[np.float32]) -> NDArray[np.float64]:
    """Of each frame."""
    frames = samples[: len(samples) // FRAME * FRAME].reshape(-1, FRAME)
    return np.sqrt(np.mean(np.square(frames, dtype=np.float64), axis=1)) if len(frames) else np.zeros(0)
