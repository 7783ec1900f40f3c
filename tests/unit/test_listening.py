"""What counts as heard, on synthetic sound."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cordboard.phones.listening import (
    RATE,
    Samples,
    first_sound,
    heard_share,
    hears_tone,
    loudness,
    seconds_of_sound,
    tone_share,
)
from cordboard.phones.speaking import Tone

SECOND = RATE
FRAME = RATE // 50


def speech(seed: int, seconds: float = 4.0) -> Samples:
    """Noise with a spectrum and a syllable rhythm like speech: no two seeds resemble each other."""
    rng = np.random.default_rng(seed)
    count = int(seconds * RATE)
    spectrum = np.fft.rfft(rng.normal(size=count))
    frequencies = np.fft.rfftfreq(count, 1 / RATE)
    spectrum *= (frequencies > 100) / (1 + (frequencies / 600) ** 2)
    sound = np.fft.irfft(spectrum, count)
    rhythm = 0.6 + 0.4 * np.sin(2 * np.pi * 4 * np.arange(count) / RATE + rng.uniform(0, 6))
    sound = sound * rhythm
    return np.asarray(sound / np.max(np.abs(sound)) * 12000, dtype=np.int16)


def silence(seconds: float) -> Samples:
    return np.zeros(int(seconds * RATE), dtype=np.int16)


def through_g711(samples: Samples) -> Samples:
    """Mu-law there and back, computed from its formula."""
    scaled = samples / 32768
    companded = np.sign(scaled) * np.log1p(255 * np.abs(scaled)) / np.log1p(255)
    stepped = np.round(companded * 127) / 127
    return np.asarray(np.sign(stepped) * np.expm1(np.abs(stepped) * np.log1p(255)) / 255 * 32767, dtype=np.int16)


@given(seed=st.integers(0, 10_000), before=st.integers(0, 3 * SECOND), gain=st.floats(0.2, 1.0))
@settings(max_examples=25, deadline=None)
def test_the_right_prompt_is_heard_wholly_wherever_it_is_and_however_loud(seed: int, before: int, gain: float) -> None:
    prompt = speech(seed)
    played = np.concatenate([np.zeros(before, dtype=np.int16), (prompt * gain).astype(np.int16), silence(0.7)])
    assert heard_share(through_g711(played), prompt) == 1.0


@given(seed=st.integers(0, 10_000), other=st.integers(10_001, 20_000))
@settings(max_examples=25, deadline=None)
def test_a_wrong_prompt_is_not_heard_at_all(seed: int, other: int) -> None:
    played = np.concatenate([silence(0.5), speech(other, 6.0)])
    assert heard_share(through_g711(played), speech(seed)) == 0.0


@given(seed=st.integers(0, 10_000), lost=st.integers(0, 4 * SECOND - FRAME))
@settings(max_examples=25, deadline=None)
def test_one_lost_frame_costs_one_piece_at_most(seed: int, lost: int) -> None:
    prompt = speech(seed)
    shortened = np.concatenate([silence(1), prompt[:lost], prompt[lost + FRAME :], silence(1)])
    assert heard_share(shortened, prompt) >= 7 / 8
    concealed = np.concatenate([silence(1), prompt, silence(1)])
    concealed[SECOND + lost : SECOND + lost + FRAME] = 0
    assert heard_share(concealed, prompt) == 1.0


@given(seed=st.integers(0, 10_000), lost=st.integers(0, 3 * FRAME))
@settings(max_examples=15, deadline=None)
def test_frames_lost_at_the_edges_of_the_recording_cost_nothing(seed: int, lost: int) -> None:
    prompt = speech(seed, 1.0)
    assert heard_share(prompt[lost:], prompt) == 1.0
    assert heard_share(prompt[: len(prompt) - lost], prompt) == 1.0


@given(seed=st.integers(0, 10_000), cut=st.integers(1, 7))
@settings(max_examples=15, deadline=None)
def test_of_an_interrupted_prompt_the_played_part_is_heard(seed: int, cut: int) -> None:
    prompt = speech(seed)
    played = np.concatenate([silence(0.3), prompt[: cut * SECOND // 2], silence(1)])
    assert heard_share(played, prompt) == pytest.approx(cut / 8)


def test_pauses_in_the_prompt_prove_nothing_and_count_for_nothing() -> None:
    prompt = np.concatenate([speech(1, 1.0), silence(2), speech(2, 1.0)])
    assert heard_share(silence(10), prompt) == 0.0
    assert heard_share(np.concatenate([speech(1, 1.0), silence(5)]), prompt) == 0.5


def test_silence_and_fragments() -> None:
    prompt = speech(3)
    assert heard_share(silence(0), prompt) == 0.0
    assert heard_share(silence(0.2), prompt) == 0.0
    with pytest.raises(ValueError, match="no half second of sound"):
        heard_share(prompt, silence(3))


@given(frequency=st.integers(200, 3400), start=st.integers(0, SECOND))
@settings(max_examples=40, deadline=None)
def test_a_tone_is_heard_as_itself_and_as_no_other(frequency: int, start: int) -> None:
    tone = Tone(frequency).speak(SECOND)
    recording = through_g711(np.concatenate([np.zeros(start, dtype=np.int16), tone, silence(0.5)]))
    assert hears_tone(recording, frequency)
    other = frequency + 100 if frequency < 1800 else frequency - 100
    assert not hears_tone(recording, other)


def test_speech_and_silence_are_no_tones() -> None:
    assert not hears_tone(speech(5), 440)
    assert not hears_tone(silence(2), 440)
    assert not hears_tone(silence(0.05), 440)
    assert tone_share(silence(1), 440) == 0.0
    with pytest.raises(ValueError, match="at least one sample"):
        hears_tone(silence(1), 440, window=0)


def test_the_share_of_a_tone_among_two() -> None:
    both = (Tone(500, 0.2).speak(SECOND) // 1 + Tone(1500, 0.2).speak(SECOND)).astype(np.int16)
    assert tone_share(both, 500) == pytest.approx(0.5, abs=0.02)


def test_where_sound_begins_and_how_much_there_is() -> None:
    recording = np.concatenate([silence(1.0), speech(7, 1.0), silence(1.0)])
    start = first_sound(recording)
    assert start is not None
    assert SECOND <= start < SECOND + 5 * FRAME
    assert 0.8 <= seconds_of_sound(recording) <= 1.0
    assert first_sound(silence(1)) is None
    assert first_sound(silence(0)) is None
    assert seconds_of_sound(silence(0)) == 0.0
    assert loudness(silence(0)) == 0.0
