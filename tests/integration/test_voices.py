"""The real engines in the real worker process."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

from ivr.loader import load_files, load_folder
from ivr.prompts import PromptStore
from ivr.synthesis import Conversion, WorkerSynthesiser
from ivr.voices import Voices
from ivr.wording import SoundFile

ROOT = Path(__file__).parents[2]
PRIVATE = ROOT / "var" / "bin" / "espeak-ng"

needs_espeak = pytest.mark.skipif(
    not PRIVATE.exists() and shutil.which("espeak-ng") is None, reason="espeak-ng is not installed"
)


@needs_espeak
async def test_the_shipped_main_line_is_spoken_in_every_language(tmp_path: Path) -> None:
    dialplans = load_files({"main.yaml": (ROOT / "dialplans" / "harbor-lane.yaml").read_bytes()})
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
    assert "the speech process ended" in {failure.reason for failure in report.failures}


async def test_recorded_sounds_are_made_by_the_speech_process(tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    at = np.arange(44_100) / 44_100
    soundfile.write(own / "beep.flac", 0.05 * np.sin(2 * np.pi * 440 * at), 44_100)
    (own / "broken.mp3").write_bytes(b"this is no sound")
    store = PromptStore(tmp_path, Voices({}, PRIVATE))
    found = await store.find_sounds()
    assert found.trouble("en", "beep") is None
    (file,) = store.files("en", SoundFile("beep"))
    samples, rate = soundfile.read(f"{file}.wav")
    assert (rate, store.seconds([file])) == (8000, pytest.approx(1.0, abs=0.1))
    assert np.sqrt(np.mean(np.square(samples))) == pytest.approx(10 ** (-21 / 20), rel=0.15)
    trouble = found.trouble("en", "broken")
    assert trouble is not None
    assert trouble.message == "the sound 'broken.mp3' cannot be played: it is damaged, or not a sound file"


async def test_a_job_that_kills_the_worker_does_not_take_the_others_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fragile = tmp_path / "worker"
    fragile.write_text(
        "#!/bin/sh\n"
        "while read -r line; do\n"
        """  case $line in *deadly*) exit 1;; *) echo '{"path": "/x.wav"}';; esac\n"""
        "done\n"
    )
    fragile.chmod(0o755)
    monkeypatch.setattr("ivr.synthesis.sys.executable", str(fragile))
    jobs = [Conversion(Path(name), "", tmp_path / name) for name in ("a", "deadly", "b", "deadly-2", "c")]
    done = [one async for one in WorkerSynthesiser(None).speak(jobs)]
    assert [one.path is not None for one in done] == [True, False, True, False, True]
    assert not any(one.refused for one in done), "another try may end differently"
