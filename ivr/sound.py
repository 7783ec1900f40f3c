"""Sound made fit for a telephone: 8 kHz, mono, 16 bits, equally loud, without silence around it.

Only the synthesis process imports this: numpy and soxr have no place in the process that drives calls.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soxr
from numpy.typing import NDArray

from ivr.trimming import FRAME, SILENCE, heard_part, rms
from ivr.wav import RATE, write_samples

LOUDNESS = 10 ** (-20 / 20)  # RMS of what is not silence
PEAK = 10 ** (-2 / 20)


def for_telephone(samples: NDArray[np.float32], rate: int) -> NDArray[np.int16]:
    """Resample, trim, level. Silence and nothing become a short silence: a file must exist."""
    if rate != RATE:
        # A good filter matters: everything above 4 kHz would fold back into speech.
        samples = np.asarray(soxr.resample(samples, rate, RATE, quality="VHQ"), dtype=np.float32)
    loudness = rms(samples)
    if not len(loudness) or loudness.max() < 1e-4:
        return np.zeros(FRAME * 10, dtype=np.int16)
    heard = np.flatnonzero(loudness > loudness.max() * SILENCE)
    gain = LOUDNESS / np.sqrt(np.mean(np.square(loudness[heard])))
    gain = min(gain, PEAK / float(np.abs(samples).max()))
    levelled = fade(samples[heard_part(samples)] * gain, FRAME // 2)  # 5 ms: no click where it was cut
    return np.asarray(np.clip(levelled * 32767, -32768, 32767), dtype=np.int16)


def fade(samples: NDArray[np.float32], length: int) -> NDArray[np.float32]:
    """In and out, in place, over so many samples."""
    length = min(length, len(samples) // 2)
    samples[:length] *= np.linspace(0, 1, length, dtype=np.float32)
    samples[len(samples) - length :] *= np.linspace(1, 0, length, dtype=np.float32)
    return samples


def write_wav(path: Path, samples: NDArray[np.int16]) -> None:
    write_samples(path, samples.astype("<i2").tobytes())
