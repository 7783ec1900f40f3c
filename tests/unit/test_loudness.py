"""Recorded sounds made fit for a telephone: every format, one level, no folding back, no peak over the ceiling."""

from __future__ import annotations

import io

import numpy as np
import pyloudnorm
import pytest
import soundfile
import soxr
from numpy.typing import NDArray

from ivr.loudness import CEILING, MAX_S, TARGET_LUFS, NotPlayable, for_telephone, limited, read, true_peak
from ivr.wav import RATE

SOURCE = 44_100
LOUD = 48_000


def voice(seconds: float = 3.0, level: float = 0.1, rate: int = SOURCE) -> NDArray[np.float32]:
    """Something like speech: a buzz whose loudness comes and goes four times a second."""
    at = np.arange(round(seconds * rate)) / rate
    buzz = sum(np.sin(2 * np.pi * 140 * k * at) / k for k in range(1, 20))
    return np.asarray(level * buzz * (0.55 + 0.45 * np.sin(2 * np.pi * 4 * at)), dtype=np.float32)


def quiet(seconds: float, rate: int = SOURCE) -> NDArray[np.float32]:
    return np.zeros(round(seconds * rate), dtype=np.float32)


def encoded(samples: NDArray[np.float32], kind: str, subtype: str | None = None, rate: int = SOURCE) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format=kind, subtype=subtype)
    return file.getvalue()


def lufs(samples: NDArray[np.int16]) -> float:
    """Measured at the rate that BS.1770 gives its filters for, by another set of filters than the code uses."""
    loud = soxr.resample(samples / 32768, RATE, LOUD)
    return float(pyloudnorm.Meter(LOUD, filter_class="DeMan").integrated_loudness(loud))


@pytest.mark.parametrize(
    ("kind", "subtype", "rate"),
    [
        ("WAV", "PCM_16", 44_100),
        ("WAV", "PCM_24", 96_000),
        ("WAV", "FLOAT", 48_000),
        ("WAV", "ULAW", 8_000),
        ("FLAC", None, 44_100),
        ("OGG", "VORBIS", 44_100),
        ("OGG", "OPUS", 48_000),
        ("MP3", None, 44_100),
        ("AIFF", None, 22_050),
        ("AU", None, 16_000),
        ("CAF", None, 11_025),
        ("W64", None, 32_000),
    ],
)
def test_every_format_sounds_the_same(kind: str, subtype: str | None, rate: int) -> None:
    samples, found = read(encoded(voice(rate=rate), kind, subtype, rate))
    assert found == rate
    made = for_telephone(samples, rate)
    assert len(made) / RATE == pytest.approx(3.0, abs=0.15)
    assert lufs(made) == pytest.approx(TARGET_LUFS, abs=0.5)


@pytest.mark.parametrize("level", [0.003, 0.05, 0.24])
def test_everything_is_equally_loud(level: float) -> None:
    assert lufs(for_telephone(voice(level=level), SOURCE)) == pytest.approx(TARGET_LUFS, abs=0.5)


@pytest.mark.parametrize("seconds", [0.05, 0.2, 0.39, 0.41])
def test_a_short_sound_is_as_loud(seconds: float) -> None:
    at = np.arange(round(seconds * SOURCE)) / SOURCE
    beep = np.asarray(0.02 * np.sin(2 * np.pi * 1000 * at), dtype=np.float32)
    made = for_telephone(beep, SOURCE) / 32768
    middle = made[len(made) // 4 : len(made) // 2]
    assert 20 * np.log10(np.sqrt(np.mean(np.square(middle)))) == pytest.approx(TARGET_LUFS, abs=1.5)


def test_silence_around_it_is_cut_and_a_little_kept() -> None:
    made = for_telephone(np.concatenate([quiet(2), voice(1), quiet(3)]), SOURCE)
    assert 1.0 <= len(made) / RATE <= 1.25


def test_a_long_pause_within_does_not_make_it_louder() -> None:
    with_pause = for_telephone(np.concatenate([voice(2), quiet(4), voice(2)]), SOURCE)
    assert len(with_pause) / RATE == pytest.approx(8.0, abs=0.2)
    assert lufs(with_pause) == pytest.approx(TARGET_LUFS, abs=0.5)


def test_what_a_telephone_cannot_carry_does_not_fold_back() -> None:
    at = np.arange(2 * SOURCE) / SOURCE
    for hertz in (4500, 6000, 7900, 15_000):  # would come out as 3500, 2000, 100 and 1000 Hz
        source = 0.5 * np.sin(2 * np.pi * hertz * at) + 0.05 * np.sin(2 * np.pi * 440 * at)
        made = for_telephone(np.asarray(source, dtype=np.float32), SOURCE).astype(float)
        spectrum = np.abs(np.fft.rfft(made * np.hanning(len(made))))
        bins = np.fft.rfftfreq(len(made), 1 / RATE)
        kept = spectrum[np.abs(bins - 440) < 20].max()
        assert spectrum[np.abs(bins - 440) > 60].max() < kept / 300, hertz


def test_a_peak_is_limited_and_what_is_far_from_it_is_not() -> None:
    source = voice(4)
    click = np.hanning(SOURCE // 500)
    source[2 * SOURCE : 2 * SOURCE + len(click)] += np.asarray(0.9 * click, dtype=np.float32)
    made = for_telephone(source, SOURCE) / 32768
    plain = for_telephone(voice(4), SOURCE) / 32768
    assert true_peak(np.asarray(made, dtype=np.float32)) <= CEILING * 1.01
    half = 3 * RATE // 2
    ratio = np.sqrt(np.mean(np.square(made[:half]))) / np.sqrt(np.mean(np.square(plain[:half])))
    assert ratio == pytest.approx(1.0, abs=0.06)


def test_a_peak_between_two_samples_is_seen() -> None:
    # A tone of a quarter of the rate, its samples 3 dB under the tops of the wave.
    at = np.arange(RATE)
    tone = np.asarray(np.sin(2 * np.pi * at / 4 + np.pi / 4), dtype=np.float32)
    assert np.abs(tone).max() == pytest.approx(0.707, abs=0.01)
    assert true_peak(tone[100:-100]) == pytest.approx(1.0, abs=0.05)
    assert true_peak(limited(tone)) <= CEILING + 1e-6


def test_both_sides_of_a_stereo_file_are_heard() -> None:
    left, right = voice(2), quiet(2)
    for sides in ((left, right), (right, left)):
        samples, rate = read(encoded(np.column_stack(sides), "WAV"))
        assert lufs(for_telephone(samples, rate)) == pytest.approx(TARGET_LUFS, abs=0.5)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "damaged"),
        (b"RIFF but not really", "damaged"),
        (b"<html>not found</html>" * 100, "damaged"),
        (encoded(voice(1), "FLAC")[:-2000] + bytes(2000), "damaged"),
        (encoded(quiet(0), "WAV"), "no sound"),
        (encoded(np.full(SOURCE, np.nan, dtype=np.float32), "WAV", "FLOAT"), "no numbers"),
        (encoded(np.zeros((100, 12), dtype=np.float32), "WAV"), "12 channels"),
    ],
)
def test_what_cannot_be_played_says_why(content: bytes, reason: str) -> None:
    with pytest.raises(NotPlayable, match=reason):
        for_telephone(*read(content))


@pytest.mark.parametrize("samples", [quiet(1), voice(1, level=1e-6), voice(0.004)])
def test_nothing_to_hear_is_refused(samples: NDArray[np.float32]) -> None:
    with pytest.raises(NotPlayable, match="nothing can be heard"):
        for_telephone(samples, SOURCE)


def test_five_minutes_at_most() -> None:
    rate = 2000
    read(encoded(quiet(MAX_S, rate), "WAV", rate=rate))
    with pytest.raises(NotPlayable, match="longer than 5 minutes"):
        read(encoded(quiet(MAX_S + 1, rate), "WAV", rate=rate))
