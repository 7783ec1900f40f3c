"""Sounds of the admin's own, in `<prompts>/own/NAME.wav` or `own/LANGUAGE/NAME.wav`: which there are, what is wrong.

Decides which file a name stands for and which files are refused unread: those that lie elsewhere, are too big, or are
there twice. It refuses to know flows, and sound: the speech process (`speech_worker`) makes each fit for a telephone,
once for each content. What is wrong with a sound is known before a dialplan is checked, so that the check can say where
it is used.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ivr.node import SOUND_PATTERN, SOUND_RULE
from ivr.synthesis import Conversion, Synthesiser
from ivr.wav import Sound, sound_of

FORMAT = "1 8000 s16 -21 LUFS -2 dBTP trimmed"
"""Part of every hash: change it with `loudness`, and every sound is made anew."""

FOLDER = "own"
READY = "own-ready"
NAME = re.compile(SOUND_PATTERN)
LANGUAGE = re.compile(r"[a-z]{2,3}")
ENDINGS = {"wav", "wave", "flac", "ogg", "oga", "opus", "mp3", "aiff", "aif", "aifc", "au", "snd", "caf", "w64", "rf64"}
OTHER_SOUNDS = {"m4a", "mp4", "aac", "wma", "amr", "gsm", "webm", "ulaw", "alaw", "sln", "raw"}
MAX_BYTES = 60_000_000
MAX_FILES = 2000

Key = tuple[str, str]
"""Language ("" for every one) and name."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a sound cannot be played, and what to do about it."""

    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class SoundList:
    """The sounds as they were when they were looked at. `folder` is for people."""

    folder: str
    sounds: Mapping[Key, Sound] = field(default_factory=dict)
    troubles: Mapping[Key, Trouble] = field(default_factory=dict)

    def trouble(self, language: str, name: str) -> Trouble | None:
        """Why a caller who speaks `language` could not hear the sound, None when they can."""
        if NAME.fullmatch(name) is None:
            return Trouble(f"{name!r} is not {SOUND_RULE}")
        for key in ((language, name), ("", name)):
            if key in self.sounds:
                return None
            if key in self.troubles:
                return self.troubles[key]
        wanted = f"{self.folder}/{name}.wav, or {self.folder}/{language}/{name}.wav"
        return Trouble(f"there is no sound {name!r}", f"put a file there: {wanted} (or .flac, .ogg, .mp3)")


class OwnSounds:
    """`prepare` before the dialplans are read. What was once found stays: a call in progress may still need it."""

    def __init__(self, prompts: Path, synthesiser: Synthesiser) -> None:
        self._folder = prompts / FOLDER
        self._ready = prompts / READY
        self._synthesiser = synthesiser
        self._sounds: dict[Key, Sound] = {}
        self._seen: dict[tuple[str, int, int], str | Trouble] = {}  # path, size and time: the hash, or what is wrong

    def sound(self, language: str, name: str) -> Sound | None:
        return self._sounds.get((language, name)) or self._sounds.get(("", name))

    async def prepare(self) -> SoundList:
        """Look at the folder, and have every sound of it that is new made fit for a telephone."""
        found, troubles = await asyncio.to_thread(_find, self._folder)
        ready: dict[Key, Sound] = {}
        waiting: dict[Key, Conversion] = {}
        stamps: dict[Key, tuple[str, int, int]] = {}
        for key, path in found.items():
            try:
                known = await asyncio.to_thread(self._look, path)
            except OSError as error:
                troubles[key] = Trouble(f"the sound {path.name!r} cannot be read ({error.strerror})")
                continue
            stamps[key], what = known
            if isinstance(what, Trouble):
                troubles[key] = what
                continue
            target = self._ready / f"{what}.wav"
            sound = await asyncio.to_thread(sound_of, target)
            if sound is not None:
                ready[key] = sound
            else:
                waiting[key] = Conversion(path, what, target)
        jobs = list({job.target: job for job in waiting.values()}.values())
        made = {done.job.target: done async for done in self._synthesiser.speak(jobs)}
        for key, job in waiting.items():
            done = made[job.target]
            sound = sound_of(job.target) if done.path is not None else None
            if sound is not None:
                ready[key] = sound
            else:
                reason = done.reason or "it could not be written"
                troubles[key] = Trouble(f"the sound {job.source.name!r} cannot be played: {reason}")
                if done.refused:
                    self._seen[stamps[key]] = troubles[key]
        self._sounds.update(ready)
        return SoundList(str(self._folder), ready, troubles)

    def _look(self, path: Path) -> tuple[tuple[str, int, int], str | Trouble]:
        """What is known of a file's content, which is read only when the file is new or another."""
        status = path.stat()
        stamp = (str(path), status.st_size, status.st_mtime_ns)
        if stamp not in self._seen:
            with path.open("rb") as file:
                self._seen[stamp] = digest(file.read(MAX_BYTES + 1))
        return stamp, self._seen[stamp]


def digest(content: bytes) -> str:
    """The name of what becomes of a sound."""
    return hashlib.sha256(FORMAT.encode() + b"\0" + content).hexdigest()[:32]


def _find(folder: Path) -> tuple[dict[Key, Path], dict[Key, Trouble]]:
    """The file of every sound, as far as names, places and sizes tell."""
    found: dict[Key, Path] = {}
    troubles: dict[Key, Trouble] = {}
    root = folder.resolve()
    for language, entry in _entries(folder):
        name, dot, ending = entry.name.rpartition(".")
        if not dot or not name or name.startswith("."):
            continue
        key, path = (language, name.lower()), Path(entry.path)
        ending = ending.lower()
        if ending in OTHER_SOUNDS:
            troubles.setdefault(
                key, Trouble(f"the sound {entry.name!r} is of a kind that is not read", "save it as wav, flac or mp3")
            )
        elif ending in ENDINGS:
            wrong = _wrong(path, root, name)
            if wrong is None and key in found:
                wrong = Trouble(f"there are two sounds {name!r}: {found[key].name} and {entry.name}", "remove one")
            if wrong is not None:
                troubles[key] = wrong
            else:
                found[key] = path
                troubles.pop(key, None)
    return {key: path for key, path in found.items() if key not in troubles}, troubles


def _wrong(path: Path, root: Path, name: str) -> Trouble | None:
    if NAME.fullmatch(name) is None:
        return Trouble(f"{path.name!r} is no name for a sound", f"rename the file: {SOUND_RULE}")
    try:
        where, status = path.resolve(strict=True), path.stat()
    except OSError as error:
        return Trouble(f"the sound {path.name!r} cannot be read ({error.strerror})")
    if not where.is_relative_to(root):
        return Trouble(f"the sound {path.name!r} leads out of the folder for sounds", "put the file itself there")
    if not stat.S_ISREG(status.st_mode):
        return Trouble(f"{path.name!r} is not a file")
    if status.st_size > MAX_BYTES:
        return Trouble(f"the sound {path.name!r} has more than {MAX_BYTES // 1_000_000} MB", "save it as flac or mp3")
    return None


def _entries(folder: Path) -> Iterable[tuple[str, os.DirEntry[str]]]:
    """Everything in the folder and in those of languages, in one order. Nothing is followed out of it."""
    seen = 0
    folders = [("", folder)]
    while folders:
        language, here = folders.pop(0)
        try:
            entries = sorted(os.scandir(here), key=lambda entry: entry.name)
        except OSError:
            continue
        for entry in entries:
            seen += 1
            if seen > MAX_FILES:
                return
            if not language and entry.is_dir(follow_symlinks=False):
                if LANGUAGE.fullmatch(entry.name):
                    folders.append((entry.name, here / entry.name))
            else:
                yield language, entry
