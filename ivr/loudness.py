"""A sound that somebody recorded made fit for a telephone: equally loud (EBU R 128), its peaks limited, trimmed.

Only the speech process imports this. Loudness is that of ITU-R BS.1770 (pyloudnorm), measured on what the telephone
carries; the level is the mean of what our own voices say, so that a sound may stand beside a spoken text.
"""

from __future__ import annotations

import io
import warnings

import numpy as np
import pyloudnorm
import soundfile
import soxr
from numpy.typing import NDArray
from scipy.ndimage import minimum_filter1d, uniform_filter1d

from ivr.sound import fade
from ivr.trimming import FRAME, heard_part
from ivr.wav import RATE

TARGET_LUFS = -21.0
CEILING = 10 ** (-2 / 20)
"""The highest true peak: the sound between the samples counts, as the far end's converter plays it."""

MOST_GAIN = 10 ** (36 / 20)
"""What needs more was never meant to be heard; it would be all noise."""

BLOCK_S = 0.4
"""BS.1770 measures in blocks of so many seconds: a shorter sound is measured as if it were repeated."""

OVERSAMPLED = 4
REACH = RATE // 200
"""The limiter begins 5 ms before a peak and lets go 5 ms after it."""

MAX_S = 300
MAX_CHANNELS = 8
MAX_RATE = 192_000

Samples = NDArray[np.float32]


class NotPlayable(Exception):
    """What is wrong with the file, in words for whoever recorded it."""


def read(content: bytes) -> tuple[Samples, int]:
    """One side, whatever there were, and the rate. Raises `NotPlayable`."""
    try:
        with soundfile.SoundFile(io.BytesIO(content)) as file:
            rate, channels = int(file.samplerate), int(file.channels)
            if channels > MAX_CHANNELS or not 1000 <= rate <= MAX_RATE:
                raise NotPlayable(f"{channels} channels at {rate} Hz are not for a telephone")
            samples = file.read(MAX_S * rate + 1, dtype="float32", always_2d=True)
    except (soundfile.SoundFileError, RuntimeError, ValueError, OSError):
        raise NotPlayable("it is damaged, or not a sound file") from None
    if len(samples) > MAX_S * rate:
        raise NotPlayable(f"it lasts longer than {MAX_S // 60} minutes")
    if not len(samples):
        raise NotPlayable("there is no sound in it")
    if not np.isfinite(samples).all():
        raise NotPlayable("it is damaged: some of its samples are no numbers")
    return np.asarray(samples.mean(axis=1), dtype=np.float32), rate


def for_telephone(samples: Samples, rate: int) -> NDArray[np.int16]:
    """Resample, trim, level, limit. Raises `NotPlayable` when there is nothing to hear."""
    if rate != RATE:
        samples = np.asarray(soxr.resample(samples, rate, RATE, quality="VHQ"), dtype=np.float32)
    sound = samples[heard_part(samples)]
    measured = loudness(sound) if len(sound) else -np.inf
    if not np.isfinite(measured):
        raise NotPlayable("nothing can be heard in it")
    gain = min(10 ** ((TARGET_LUFS - measured) / 20), MOST_GAIN)
    levelled = fade(limited(np.asarray(sound * gain, dtype=np.float32)), FRAME // 2)
    return np.asarray(np.clip(np.round(levelled * 32767), -32768, 32767), dtype=np.int16)


def loudness(samples: Samples) -> float:
    """Integrated loudness in LUFS, -inf when all of it lies under the gate."""
    block = round(BLOCK_S * RATE) + 1
    if len(samples) < block:
        samples = np.tile(samples, -(-block // len(samples)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # the mean of no blocks
        return float(pyloudnorm.Meter(RATE).integrated_loudness(samples.astype(np.float64)))


def true_peak(samples: Samples) -> float:
    return float(_peaks(samples).max(initial=0.0))


def limited(samples: Samples) -> Samples:
    """No true peak over the ceiling; what is far from a peak stays as it is."""
    needed = np.minimum(1.0, CEILING / np.maximum(_peaks(samples), 1e-9))
    if needed.min(initial=1.0) < 1.0:
        # The mean of minima, over as many samples each, is never more than what is needed at any of them.
        gain = uniform_filter1d(minimum_filter1d(needed, 2 * REACH + 1), 2 * REACH + 1)
        samples = np.asarray(samples * gain, dtype=np.float32)
    over = true_peak(samples) / CEILING
    return np.asarray(samples / over, dtype=np.float32) if over > 1 else samples


def _peaks(samples: Samples) -> NDArray[np.float64]:
    """The highest sound at each sample and on the way to its neighbours."""
    between = np.abs(np.asarray(soxr.resample(samples, RATE, OVERSAMPLED * RATE, quality="VHQ"), dtype=np.float64))
    between = np.resize(np.concatenate([between, np.zeros(OVERSAMPLED)]), len(samples) * OVERSAMPLED)
    highest = np.maximum(between.reshape(-1, OVERSAMPLED).max(axis=1), np.abs(samples))
    return np.asarray(np.maximum(highest, np.concatenate([[0.0], highest[:-1]])), dtype=np.float64)
