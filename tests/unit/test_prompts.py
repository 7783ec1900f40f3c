"""Prompts on disk: spoken once, found again, mended when somebody broke them."""

from __future__ import annotations

import wave
from pathlib import Path

import pytest

from ivr.announcements import Announcement, text_of
from ivr.dialplans import Dialplans
from ivr.errors import PromptMissing, VoiceError
from ivr.loader import load_text
from ivr.prompts import PromptStore
from ivr.voices import Engine, Voices
from tests.fakes.prompts import FakeSynthesiser, write_silence


def dialplans(text: str = "Hello", language: str = "en") -> Dialplans:
    written = f"""
flow: test
numbers: ["1"]
language: {language}
start: hello
nodes:
  hello: {{say: "{text} {{caller_number}}", next: done}}
  done: {{hangup: {{}}}}
"""
    flow, problems = load_text(written.encode(), "test.yaml")
    assert flow is not None, problems
    return Dialplans([flow])


def wav_of(store: PromptStore, text: str) -> Path:
    (file,) = store.files("en", text)
    assert Path(file).is_absolute()
    wav = Path(f"{file}.wav")
    assert wav.is_file()
    return wav


def break_file(wav: Path, damage: str) -> None:
    match damage:
        case "deleted":
            wav.unlink()
        case "truncated":
            wav.write_bytes(wav.read_bytes()[:-100])
        case "empty":
            wav.write_bytes(b"")
        case _:
            wav.write_bytes(b"something else entirely, but long enough to hold a header")


@pytest.fixture
def espeak(tmp_path: Path) -> Path:
    program = tmp_path / "espeak-ng"
    program.write_text("#!/bin/sh\necho 'eSpeak NG text-to-speech: 1.52.0'\n")
    program.chmod(0o755)
    return program


@pytest.fixture
def synthesiser() -> FakeSynthesiser:
    return FakeSynthesiser()


@pytest.fixture
def store(tmp_path: Path, espeak: Path, synthesiser: FakeSynthesiser) -> PromptStore:
    return PromptStore(tmp_path / "prompts", Voices({}, espeak), synthesiser)


async def test_every_text_gets_a_file(store: PromptStore, tmp_path: Path) -> None:
    report = await store.prepare(dialplans())
    assert report.ok
    assert report.spoken == 1 + 10 + len(Announcement)
    assert wav_of(store, "Hello").parent == tmp_path / "prompts" / "en"
    (file,) = store.files("en", "Hello")
    assert store.files("en", "seven")
    assert store.seconds((file, file)) == pytest.approx(0.2)


async def test_nothing_is_spoken_twice(store: PromptStore, synthesiser: FakeSynthesiser) -> None:
    await store.prepare(dialplans())
    spoken = len(synthesiser.jobs)
    report = await store.prepare(dialplans())
    assert (report.spoken, report.cached) == (0, spoken)
    await store.prepare(dialplans("Welcome"))
    assert len(synthesiser.jobs) == spoken + 1
    assert store.files("en", "Hello"), "a call in progress may still need the old text"


async def test_another_voice_is_another_file(
    store: PromptStore, tmp_path: Path, espeak: Path, synthesiser: FakeSynthesiser
) -> None:
    await store.prepare(dialplans())
    other = PromptStore(tmp_path / "prompts", Voices({"en": "espeak:en-gb"}, espeak), synthesiser)
    await other.prepare(dialplans())
    assert other.files("en", "Hello") != store.files("en", "Hello")


@pytest.mark.parametrize("damage", ["deleted", "truncated", "empty", "other"])
async def test_a_broken_file_is_spoken_anew(store: PromptStore, synthesiser: FakeSynthesiser, damage: str) -> None:
    await store.prepare(dialplans())
    spoken = len(synthesiser.jobs)
    wav = wav_of(store, "Hello")
    break_file(wav, damage)
    if damage == "deleted":
        with pytest.raises(PromptMissing):
            store.files("en", "Hello")
    await store.prepare(dialplans())
    assert len(synthesiser.jobs) == spoken + 1
    with wave.open(str(wav)) as opened:
        assert (opened.getframerate(), opened.getnchannels(), opened.getsampwidth()) == (8000, 1, 2)


async def test_a_text_that_cannot_be_spoken_is_reported(store: PromptStore, synthesiser: FakeSynthesiser) -> None:
    synthesiser.failing.add("Hello")
    report = await store.prepare(dialplans())
    assert [(failure.text, failure.reason) for failure in report.failures] == [("Hello", "no voice today")]
    assert not report.ok
    with pytest.raises(PromptMissing):
        store.files("en", "Hello")


async def test_a_language_without_a_voice_is_reported(
    tmp_path: Path, synthesiser: FakeSynthesiser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    store = PromptStore(tmp_path, Voices({}, tmp_path / "missing"), synthesiser)
    report = await store.prepare(dialplans("Hola", "es"), ["en"])
    assert {failure.reason for failure in report.failures} == {"no voice for 'es': espeak-ng is not installed"}
    assert store.files("en", text_of(Announcement.LOGGED_IN, "en"))


async def test_announcements_come_in_every_language_asked_for(store: PromptStore, tmp_path: Path) -> None:
    await store.prepare(dialplans(), ["es", "fr"])
    for language in ("en", "es", "fr"):
        for announcement in Announcement:
            assert store.files(language, text_of(announcement, language))
        assert (tmp_path / "prompts" / language / "fallback-apology.wav").is_file()
    assert text_of(Announcement.READY, "fr") == text_of(Announcement.READY, "en")
    assert text_of(Announcement.READY, "es") != text_of(Announcement.READY, "en")


async def test_the_named_apology_follows_its_text(store: PromptStore, tmp_path: Path) -> None:
    named = tmp_path / "prompts" / "en" / "fallback-apology.wav"
    write_silence(named, 0.5)
    await store.prepare(dialplans())
    assert named.read_bytes() == wav_of(store, text_of(Announcement.FALLBACK_APOLOGY, "en")).read_bytes()


async def test_who_speaks_what(espeak: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def chain(language: str, configured: dict[str, str]) -> list[tuple[str, str]]:
        return [(voice.engine, voice.name) for voice in await Voices(configured, espeak).chain(language)]

    assert await chain("en", {}) == [("hibari", "heart"), ("espeak", "en-us")]
    assert await chain("es", {}) == [("espeak", "es-419")]
    assert await chain("de", {}) == [("espeak", "de")]
    assert await chain("en", {"en": "espeak:en-gb"}) == [("espeak", "en-gb"), ("espeak", "en-us")]
    assert await chain("es", {"es": "es"}) == [("espeak", "es"), ("espeak", "es-419")]
    monkeypatch.setattr("ivr.voices._hibari_version", lambda: None)
    assert await chain("en", {}) == [("espeak", "en-us")]


@pytest.mark.parametrize("wrong", ["festival:kal", "espeak:", "--help me", "espeak:../x", ""])
def test_a_wrong_voice_is_refused_at_once(wrong: str) -> None:
    with pytest.raises(VoiceError):
        Voices({"en": wrong})


async def test_a_program_that_is_not_espeak_is_none(tmp_path: Path) -> None:
    program = tmp_path / "espeak-ng"
    program.write_text("#!/bin/sh\nexit 1\n")
    program.chmod(0o755)
    chain = await Voices({}, program).chain("en")
    assert [voice.engine for voice in chain] == [Engine.HIBARI]
