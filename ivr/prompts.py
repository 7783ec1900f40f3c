"""The sound files of everything that callers can hear, made before the first of them calls.

Decides where a text's file is: `<root>/<language>/<hash>.wav`, the hash over text, voice and sound format, so that an
unchanged text is never spoken twice and a changed one never plays the old sound. It refuses to know flows: it is given
texts. Files of texts that are no longer used stay; a call in progress may still need them.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from ivr.announcements import Announcement, spoken_language, text_of
from ivr.dialplans import Dialplans
from ivr.errors import PromptMissing, VoiceError
from ivr.synthesis import Attempt, Job, Synthesiser, WorkerSynthesiser
from ivr.voices import Voice, Voices

__all__ = ["PromptFailure", "PromptMissing", "PromptReport", "PromptStore"]

FORMAT = "1 8000 s16 trimmed -20dB"
"""Part of every hash: change it with `sound`, and everything is spoken anew."""

BYTES_A_SECOND = 16_000
_HEADER = 44

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class PromptFailure:
    """A text that no voice could speak."""

    language: str
    text: str
    reason: str


@dataclass(slots=True)
class PromptReport:
    """What `prepare` did. `cached` were there already."""

    cached: int = 0
    spoken: int = 0
    failures: list[PromptFailure] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not self.failures


@dataclass(frozen=True, slots=True)
class _Sound:
    file: str  # absolute, without extension, as the PBX wants it
    wav: str
    seconds: float


class PromptStore:
    """Satisfies the port `PromptFiles`."""

    def __init__(self, root: Path, voices: Voices, synthesiser: Synthesiser | None = None) -> None:
        self._root = root.absolute()
        self._voices = voices
        self._synthesiser = synthesiser or WorkerSynthesiser(voices.espeak)
        self._sounds: dict[tuple[str, str], _Sound] = {}
        self._seconds: dict[str, float] = {}
        self._lock = asyncio.Lock()

    def files(self, language: str, text: str) -> tuple[str, ...]:
        """See the port. The file is looked for each time: the PBX drops a caller whose file is missing."""
        sound = self._sounds.get((language, text))
        if sound is None or not os.path.exists(sound.wav):
            raise PromptMissing(language)
        return (sound.file,)

    def seconds(self, files: Iterable[str]) -> float:
        """How long these files play."""
        return sum(self._seconds.get(file, 0.0) for file in files)

    async def prepare(
        self, dialplans: Dialplans, languages: Iterable[str] = (), more: Mapping[str, Iterable[str]] | None = None
    ) -> PromptReport:
        """Have a good file for every text of the dialplans, every announcement and what `more` there is, by language.

        Nothing is spoken twice.
        """
        texts = dialplans.texts()
        async with self._lock:
            spoken_in = {*texts, *languages}
            wanted = _with_announcements(texts, spoken_in)
            for language, others in (more or {}).items():
                wanted.setdefault(language, set()).update(others)
            report = await self._prepare(wanted)
            for language in sorted(spoken_in):
                self._borrow_announcements(language)
                await self._name(Announcement.FALLBACK_APOLOGY, language)
        if report.spoken or report.failures:
            log.info("prompts prepared", cached=report.cached, spoken=report.spoken, failed=len(report.failures))
        return report

    async def _prepare(self, texts: Mapping[str, Iterable[str]]) -> PromptReport:
        report = PromptReport()
        jobs: list[Job] = []
        for language in sorted(texts):
            try:
                chain = await self._voices.chain(language)
            except VoiceError as error:
                report.failures += [PromptFailure(language, text, str(error)) for text in sorted(texts[language])]
                continue
            wanted = [self._job(language, text, chain) for text in sorted(texts[language])]
            good = await asyncio.to_thread(_look, wanted)
            for job, sound in zip(wanted, good, strict=True):
                if sound is None:
                    jobs.append(job)
                else:
                    report.cached += 1
                    self._keep(job, sound)
        async for spoken in self._synthesiser.speak(jobs):
            sound = _sound(spoken.path) if spoken.path is not None else None
            if sound is None:
                report.failures.append(PromptFailure(spoken.job.language, spoken.job.text, spoken.reason))
            else:
                report.spoken += 1
                self._keep(spoken.job, sound)
        return report

    def _job(self, language: str, text: str, chain: Iterable[Voice]) -> Job:
        attempts = []
        for voice in chain:
            content = "\0".join((FORMAT, voice.engine, voice.version, voice.name, text))
            name = hashlib.sha256(content.encode()).hexdigest()[:32]
            attempts.append(Attempt(voice, self._root / language / f"{name}.wav"))
        return Job(language, text, tuple(attempts))

    def _keep(self, job: Job, sound: _Sound) -> None:
        self._sounds[job.language, job.text] = sound
        self._seconds[sound.file] = sound.seconds

    def _borrow_announcements(self, language: str) -> None:
        """Where there is no translation, English is heard under the language that was asked for."""
        lender = spoken_language(language)
        for announcement in Announcement:
            text = text_of(announcement, language)
            sound = self._sounds.get((lender, text))
            if sound is not None:
                self._sounds.setdefault((language, text), sound)

    async def _name(self, announcement: Announcement, language: str) -> None:
        """Give an announcement a fixed name for the plain dialplan, which knows no hashes."""
        sound = self._sounds.get((language, text_of(announcement, language)))
        if sound is not None:
            await asyncio.to_thread(_copy, Path(sound.wav), self._root / language / f"{announcement}.wav")


def _with_announcements(texts: Mapping[str, frozenset[str]], languages: Iterable[str]) -> dict[str, set[str]]:
    everything = {language: set(found) for language, found in texts.items()}
    for language in languages:
        everything.setdefault(spoken_language(language), set()).update(text_of(one, language) for one in Announcement)
    return everything


def _look(jobs: Iterable[Job]) -> list[_Sound | None]:
    """What the best voice has spoken already. A file that is not whole goes, or it would pass for one that is."""
    found = []
    for job in jobs:
        for attempt in job.attempts:
            if _sound(attempt.path) is None:
                attempt.path.unlink(missing_ok=True)
        found.append(_sound(job.attempts[0].path))
    return found


def _sound(wav: Path) -> _Sound | None:
    """The file as a sound, None when it is missing or not whole."""
    try:
        with wav.open("rb") as file:
            header = file.read(_HEADER)
            size = os.fstat(file.fileno()).st_size
    except OSError:
        return None
    if len(header) < _HEADER or header[:4] != b"RIFF" or header[36:40] != b"data":
        return None
    (length,) = struct.unpack("<I", header[40:44])
    if length == 0 or _HEADER + length != size:
        return None
    return _Sound(str(wav.with_suffix("")), str(wav), length / BYTES_A_SECOND)


def _copy(source: Path, target: Path) -> None:
    if (
        target.exists()
        and target.stat().st_size == source.stat().st_size
        and target.read_bytes() == source.read_bytes()
    ):
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f".{target.name}.{os.getpid()}")
    shutil.copyfile(source, draft)
    draft.replace(target)
