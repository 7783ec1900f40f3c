"""Sound made fit for a telephone: 8 kHz, mono, 16 bits, equally loud, without silence around it.

Only the synthesis process imports this: numpy and soxr have no place in the process that drives calls.
"""

from __future__ import annotations

import os
import wave
from pathlib import Path

import numpy as np
import soxr
from numpy.typing import NDArray

RATE = 8000
FRAME = RATE // 100  # 10 ms
SILENCE = 10 ** (-42 / 20)  # under the peak
LEAD, TAIL = 4, 12  # frames of silence kept: plosives begin softly, words end softly
LOUDNESS = 10 ** (-20 / 20)  # RMS of what is not silence
PEAK = 10 ** (-2 / 20)


def for_telephone(samples: NDArray[np.float32], rate: int) -> NDArray[np.int16]:
    """Resample, trim, level. Silence and nothing become a short silence: a file must exist."""
    if rate != RATE:
        # A good filter matters: everything above 4 kHz would fold back into speech.
        samples = np.asarray(soxr.resample(samples, rate, RATE, quality="VHQ"), dtype=np.float32)
    frames = samples[: len(samples) // FRAME * FRAME].reshape(-1, FRAME)
    loudness = np.sqrt(np.mean(np.square(frames, dtype=np.float64), axis=1)) if len(frames) else np.zeros(0)
    if not len(loudness) or loudness.max() < 1e-4:
        return np.zeros(FRAME * 10, dtype=np.int16)
    heard = np.flatnonzero(loudness > loudness.max() * SILENCE)
    begin, end = max(heard[0] - LEAD, 0) * FRAME, (heard[-1] + 1 + TAIL) * FRAME
    gain = LOUDNESS / np.sqrt(np.mean(np.square(loudness[heard])))
    gain = min(gain, PEAK / float(np.abs(samples).max()))
    levelled = samples[begin:end] * gain
    fade = min(FRAME // 2, len(levelled) // 2)  # 5 ms: no click where it was cut
    levelled[:fade] *= np.linspace(0, 1, fade, dtype=np.float32)
    levelled[len(levelled) - fade :] *= np.linspace(1, 0, fade, dtype=np.float32)
    return np.asarray(np.clip(levelled * 32767, -32768, 32767), dtype=np.int16)


def write_wav(path: Path, samples: NDArray[np.int16]) -> None:
    """All of the file or nothing of it: a caller may be listening to the one that it replaces."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with wave.open(str(draft), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(RATE)
            file.writeframes(samples.astype("<i2").tobytes())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
