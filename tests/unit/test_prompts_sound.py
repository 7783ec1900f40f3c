"""Sound made fit for a telephone, and the worker's choice among voices."""

from __future__ import annotations

import json
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from ivr import speech_worker
from ivr.errors import VoiceError
from ivr.sound import for_telephone, write_wav
from ivr.wav import RATE

SOURCE = 24_000


def tone(hertz: float, seconds: float, level: float = 0.1) -> NDArray[np.float32]:
    at = np.arange(int(SOURCE * seconds)) / SOURCE
    return np.asarray(level * np.sin(2 * np.pi * hertz * at), dtype=np.float32)


def quiet(seconds: float) -> NDArray[np.float32]:
    return np.zeros(int(SOURCE * seconds), dtype=np.float32)


def decibels(samples: NDArray[np.int16]) -> float:
    return float(20 * np.log10(np.sqrt(np.mean(np.square(samples / 32768.0)))))


def test_silence_around_it_is_cut_and_a_little_kept() -> None:
    samples = for_telephone(np.concatenate([quiet(1), tone(440, 1), quiet(2)]), SOURCE)
    assert 1.1 <= len(samples) / RATE <= 1.25


@pytest.mark.parametrize("level", [0.001, 0.1, 0.9])
def test_everything_is_equally_loud(level: float) -> None:
    assert decibels(for_telephone(tone(440, 1, level), SOURCE)) == pytest.approx(-20, abs=1)


def test_peaks_do_not_clip() -> None:
    crackle = tone(440, 1, 0.01)
    crackle[12_000] = 1.0
    assert np.abs(for_telephone(crackle, SOURCE)).max() < 32767 * 0.9


def test_what_a_telephone_cannot_carry_does_not_fold_back() -> None:
    # 6 kHz would come out as 2 kHz. The quiet 440 Hz beside it is all that may be left.
    samples = for_telephone(tone(6000, 1, 0.5) + tone(440, 1, 0.05), SOURCE).astype(float)
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    hertz = np.fft.rfftfreq(len(samples), 1 / RATE)
    left = spectrum[np.abs(hertz - 440) < 20].max()
    assert spectrum[hertz > 1000].max() < left / 1000


@pytest.mark.parametrize("samples", [quiet(1), quiet(0), tone(440, 0.001)])
def test_nothing_is_a_short_silence(samples: NDArray[np.float32]) -> None:
    assert 0 < len(for_telephone(samples, SOURCE)) <= RATE


def test_a_file_is_written_whole(tmp_path: Path) -> None:
    path = tmp_path / "en" / "x.wav"
    write_wav(path, for_telephone(tone(440, 1), SOURCE))
    with wave.open(str(path)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (RATE, 1, 2)
    assert [found.name for found in path.parent.iterdir()] == ["x.wav"]


def job(tmp_path: Path, *engines: str) -> dict[str, Any]:
    attempts = [
        {"engine": engine, "voice": "v", "path": str(tmp_path / f"{engine}.wav"), "program": "/nowhere/espeak-ng"}
        for engine in engines
    ]
    return json.loads(json.dumps({"text": "Hello", "attempts": attempts}))  # type: ignore[no-any-return]


def test_the_next_voice_stands_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_text: str, _name: str) -> speech_worker.Sound:
        raise VoiceError("no model")

    monkeypatch.setattr(speech_worker, "speak_hibari", refuse)
    monkeypatch.setattr(speech_worker, "speak_espeak", lambda _text, _name, _program: (tone(440, 1), SOURCE))
    assert speech_worker.do(job(tmp_path, "hibari", "espeak")) == {"path": str(tmp_path / "espeak.wav")}
    assert (tmp_path / "espeak.wav").is_file()
    assert not (tmp_path / "hibari.wav").exists()


def test_when_nobody_can_speak_every_reason_is_told(tmp_path: Path) -> None:
    told = speech_worker.do(job(tmp_path, "hibari", "espeak"))
    assert "hibari has no built-in voice 'v'" in told["error"]
    assert "espeak-ng failed" in told["error"]
