"""The real engines in the real worker process."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

from ivr.loader import load_folder
from ivr.prompts import PromptStore
from ivr.voices import Voices

ROOT = Path(__file__).parents[2]
PRIVATE = ROOT / "var" / "bin" / "espeak-ng"

needs_espeak = pytest.mark.skipif(
    not PRIVATE.exists() and shutil.which("espeak-ng") is None, reason="espeak-ng is not installed"
)


@needs_espeak
async def test_the_shipped_dialplans_are_spoken_in_every_language(tmp_path: Path) -> None:
    dialplans = load_folder(ROOT / "dialplans")
    store = PromptStore(tmp_path, Voices({}, PRIVATE), None)
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            await asyncio.sleep(0.005)
            ticks += 1

    ticking = asyncio.create_task(tick())
    report = await store.prepare(dialplans)
    ticking.cancel()
    assert report.failures == []
    assert ticks > 10, "the event loop went on turning"
    for language, texts in dialplans.texts().items():
        for text in texts:
            (file,) = store.files(language, text)
            samples, rate = soundfile.read(f"{file}.wav", dtype="float32")
            assert rate == 8000
            assert 0.02 < len(samples) / rate / len(text) < 0.2, "as long as a person needs to say it"
            loudness = 20 * np.log10(np.sqrt(np.mean(np.square(samples))))
            assert -26 < loudness < -18
            assert store.seconds((file,)) == pytest.approx(len(samples) / rate)


@needs_espeak
async def test_one_text_sounds_different_in_two_languages(tmp_path: Path) -> None:
    voices = Voices({"en": "espeak:en-us"}, PRIVATE)
    lengths = []
    for language in ("en", "es"):
        folder = tmp_path / language
        folder.mkdir()
        (folder / "x.yaml").write_text(
            f"flow: x\nnumbers: ['1']\nlanguage: {language}\nstart: a\n"
            "nodes: {a: {say: 'Central 5 llamada', next: b}, b: {hangup: {}}}\n"
        )
        store = PromptStore(tmp_path / "prompts", voices)
        assert (await store.prepare(load_folder(folder))).failures == []
        (file,) = store.files(language, "Central 5 llamada")
        lengths.append(soundfile.info(f"{file}.wav").frames)
    assert lengths[0] != lengths[1]


async def test_a_worker_that_dies_is_a_failure_not_a_hang(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ivr.synthesis.sys.executable", "/bin/true")
    store = PromptStore(tmp_path, Voices({}, PRIVATE), None)
    report = await store.prepare(load_folder(ROOT / "tests" / "data" / "dialplans" / "good"), ["en"])
    assert report.spoken == 0
    assert "the synthesis process ended" in {failure.reason for failure in report.failures}
