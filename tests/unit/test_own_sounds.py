"""The admin's own sounds: found by name, made once for each content; what is wrong is said before a caller hears it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ivr.dialplans import Dialplans
from ivr.errors import PromptMissing
from ivr.own_sounds import MAX_BYTES
from ivr.prompts import PromptStore
from ivr.voices import Voices
from ivr.wav import sound_of
from ivr.wording import Silence, SoundFile
from tests.fakes.prompts import FakeSynthesiser


@pytest.fixture
def synthesiser() -> FakeSynthesiser:
    return FakeSynthesiser()


@pytest.fixture
def store(tmp_path: Path, synthesiser: FakeSynthesiser) -> PromptStore:
    return PromptStore(tmp_path, Voices({}, tmp_path / "missing"), synthesiser)


def put(tmp_path: Path, name: str, content: bytes = b"sound") -> Path:
    path = tmp_path / "own" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def wav_of(file: str) -> Path:
    return Path(f"{file}.wav")


async def trouble(store: PromptStore, name: str, language: str = "en") -> str:
    found = (await store.find_sounds()).trouble(language, name)
    return f"{found.message} ({found.hint})" if found is not None else ""


async def test_a_sound_of_the_callers_language_goes_before_one_for_all(store: PromptStore, tmp_path: Path) -> None:
    put(tmp_path, "hello.wav", b"for all")
    put(tmp_path, "en/hello.flac", b"english")
    found = await store.find_sounds()
    assert found.trouble("en", "hello") is None
    assert found.trouble("es", "hello") is None
    assert store.files("en", SoundFile("hello")) != store.files("es", SoundFile("hello"))
    assert store.files("es", SoundFile("hello")) == store.files("fr", SoundFile("hello"))
    (file,) = store.files("en", SoundFile("hello"))
    assert file.startswith("/")
    assert store.seconds((file, file)) == pytest.approx(0.2)


async def test_each_content_is_made_once(store: PromptStore, tmp_path: Path, synthesiser: FakeSynthesiser) -> None:
    put(tmp_path, "one.wav", b"same")
    put(tmp_path, "two.wav", b"same")
    await store.find_sounds()
    assert len(synthesiser.jobs) == 1
    made = len(synthesiser.jobs)
    await store.find_sounds()
    assert len(synthesiser.jobs) == made
    before = store.files("en", SoundFile("one"))
    put(tmp_path, "one.wav", b"another")
    await store.find_sounds()
    assert len(synthesiser.jobs) == made + 1
    assert store.files("en", SoundFile("one")) != before
    assert sound_of(Path(f"{before[0]}.wav")) is not None, "a call in progress may still need the old sound"


async def test_a_sound_that_is_taken_away_is_missed_by_the_next_load(store: PromptStore, tmp_path: Path) -> None:
    file = put(tmp_path, "hello.wav")
    await store.find_sounds()
    file.unlink()
    assert "there is no sound 'hello'" in await trouble(store, "hello")
    assert store.files("en", SoundFile("hello")), "a call in progress may still need it"


async def test_a_sound_that_nobody_put_there(store: PromptStore, tmp_path: Path) -> None:
    said = await trouble(store, "hello")
    assert f"{tmp_path}/own/hello.wav, or {tmp_path}/own/en/hello.wav" in said
    with pytest.raises(PromptMissing):
        store.files("en", SoundFile("hello"))


@pytest.mark.parametrize(
    "name", ["../en/x", "..", ".", "", "a/b", "/etc/passwd", "hello.wav", "Hello", "a b", "a\x00b", "x" * 61, "-x"]
)
async def test_a_name_is_a_name_and_no_path(store: PromptStore, tmp_path: Path, name: str) -> None:
    put(tmp_path, "hello.wav")
    assert "is not a sound's name" in await trouble(store, name)
    with pytest.raises(PromptMissing):
        store.files("en", SoundFile(name))


async def test_nothing_is_followed_out_of_the_folder(store: PromptStore, tmp_path: Path) -> None:
    secret = tmp_path / "secret.wav"
    secret.write_bytes(b"secret")
    put(tmp_path, "good.wav")
    (tmp_path / "own" / "link.wav").symlink_to(secret)
    (tmp_path / "own" / "inside.wav").symlink_to("good.wav")
    (tmp_path / "own" / "gone.wav").symlink_to("nowhere.wav")
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "hello.wav").write_bytes(b"secret")
    (tmp_path / "own" / "es").symlink_to(outside)
    os.mkfifo(tmp_path / "own" / "pipe.wav")
    (tmp_path / "own" / "folder.wav").mkdir()
    assert "leads out of the folder" in await trouble(store, "link")
    assert "cannot be read" in await trouble(store, "gone")
    assert "is not a file" in await trouble(store, "pipe")
    assert "there is no sound" in await trouble(store, "folder")
    assert "there is no sound" in await trouble(store, "hello", "es")
    assert await trouble(store, "inside") == ""


async def test_what_is_there_and_cannot_be_used_is_told(store: PromptStore, tmp_path: Path) -> None:
    put(tmp_path, "song.m4a")
    put(tmp_path, "twice.wav")
    put(tmp_path, "twice.mp3")
    put(tmp_path, "Big Name.wav")
    put(tmp_path, "notes.txt")
    with put(tmp_path, "huge.wav").open("r+b") as file:
        file.truncate(MAX_BYTES + 1)
    found = await store.find_sounds()
    assert "of a kind that is not read (save it as wav" in await trouble(store, "song")
    assert "two sounds 'twice': twice.mp3 and twice.wav" in await trouble(store, "twice")
    assert "more than 60 MB" in await trouble(store, "huge")
    assert "rename the file" in " ".join(one.hint for one in found.troubles.values())
    assert "there is no sound 'notes'" in await trouble(store, "notes")


async def test_a_kind_that_is_not_read_does_not_hide_one_that_is(store: PromptStore, tmp_path: Path) -> None:
    put(tmp_path, "song.m4a")
    put(tmp_path, "song.wav")
    assert await trouble(store, "song") == ""


async def test_what_the_speech_process_refuses_is_told_and_not_tried_again(
    store: PromptStore, tmp_path: Path, synthesiser: FakeSynthesiser
) -> None:
    put(tmp_path, "bad.wav")
    synthesiser.refusing["bad.wav"] = "it is damaged, or not a sound file"
    assert "'bad.wav' cannot be played: it is damaged" in await trouble(store, "bad")
    tried = len(synthesiser.jobs)
    assert "it is damaged" in await trouble(store, "bad")
    assert len(synthesiser.jobs) == tried
    put(tmp_path, "bad.wav", b"mended")
    synthesiser.refusing.clear()
    assert await trouble(store, "bad") == ""


async def test_a_made_sound_that_somebody_broke_is_made_anew(store: PromptStore, tmp_path: Path) -> None:
    put(tmp_path, "hello.wav")
    await store.find_sounds()
    (file,) = store.files("en", SoundFile("hello"))
    wav_of(file).write_bytes(b"broken")
    await store.find_sounds()
    assert sound_of(wav_of(file)) is not None
    wav_of(file).unlink()
    with pytest.raises(PromptMissing):
        store.files("en", SoundFile("hello"))


async def test_silences_are_made_as_long_as_they_are(store: PromptStore) -> None:
    with pytest.raises(PromptMissing):
        store.files("en", Silence(0.3))
    report = await store.prepare(Dialplans([]), more={"en": [Silence(0.3), Silence(2.0), SoundFile("hello")]})
    assert [failure.reason for failure in report.failures if failure.text == "hello"] == ["there is no sound 'hello'"]
    for seconds in (0.3, 2.0):
        (file,) = store.files("en", Silence(seconds))
        assert store.seconds([file]) == pytest.approx(seconds)
        assert set(wav_of(file).read_bytes()[44:]) == {0}
