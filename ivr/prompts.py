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
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from ivr.announcements import Announcement, spoken_language, text_of
from ivr.dialplans import Dialplans
from ivr.errors import PromptMissing, VoiceError
from ivr.own_sounds import OwnSounds, SoundList
from ivr.synthesis import Attempt, Job, Synthesiser, WorkerSynthesiser
from ivr.voices import Voice, Voices
from ivr.wav import Sound, draft_seconds, silence, sound_of
from ivr.wording import Draft, Silence, SoundFile, Spoken

__all__ = ["PromptFailure", "PromptMissing", "PromptReport", "PromptStore"]

FORMAT = "1 8000 s16 trimmed -20dB"
"""Part of every hash: change it with `sound`, and everything is spoken anew."""

SILENCE = "silence"
"""The folder for silences; no language is called so."""

MANY = 100
"""So many texts take a while to be spoken, and whoever waits wants to know why."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class PromptFailure:
    """A text that no voice could speak, or a sound that is not there."""

    language: str
    text: str
    reason: str


@dataclass(slots=True)
class PromptReport:
    """What `prepare` did with texts. `cached` were there already."""

    cached: int = 0
    spoken: int = 0
    failures: list[PromptFailure] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not self.failures


class PromptStore:
    """Satisfies the port `PromptFiles`."""

    def __init__(self, root: Path, voices: Voices, synthesiser: Synthesiser | None = None) -> None:
        self._root = root.absolute()
        self._voices = voices
        self._synthesiser = synthesiser or WorkerSynthesiser(voices.espeak)
        self._own = OwnSounds(self._root, self._synthesiser)
        self._sounds: dict[tuple[str, str], Sound] = {}
        self._silences: dict[float, Sound] = {}
        self._seconds: dict[str, float] = {}
        self._lock = asyncio.Lock()

    def files(self, language: str, piece: Spoken) -> tuple[str, ...]:
        """See the port. The file is looked for each time: the PBX drops a caller whose file is missing."""
        match piece:
            case Draft(file=file):
                if draft_seconds(file) is None:
                    raise PromptMissing(language)
                return (file,)
            case SoundFile(name=name):
                sound = self._own.sound(language, name)
            case Silence(seconds=seconds):
                sound = self._silences.get(seconds)
            case str():
                sound = self._sounds.get((language, piece))
        if sound is None or not os.path.exists(sound.wav):
            raise PromptMissing(language)
        return (sound.file,)

    def seconds(self, files: Iterable[str]) -> float:
        """How long these files play."""
        return sum(self._seconds.get(file) or draft_seconds(file) or 0.0 for file in files)

    async def find_sounds(self) -> SoundList:
        """The sounds of the admin's own as they are now, made fit for a telephone; before dialplans are checked."""
        async with self._lock:
            found = await self._own.prepare()
        self._seconds.update((sound.file, sound.seconds) for sound in found.sounds.values())
        return found

    async def prepare(
        self, dialplans: Dialplans, languages: Iterable[str] = (), more: Mapping[str, Iterable[Spoken]] | None = None
    ) -> PromptReport:
        """Have a good file for every piece of the dialplans, every announcement and what `more` there is, by language.

        Nothing is spoken twice.
        """
        texts = await asyncio.to_thread(dialplans.texts)  # thousands: calls must not notice
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

    async def _prepare(self, pieces: Mapping[str, Iterable[Spoken]]) -> PromptReport:
        report = PromptReport()
        texts: dict[str, list[str]] = {}
        for language, wanted in pieces.items():
            texts[language] = [piece for piece in wanted if isinstance(piece, str)]
            for piece in wanted:
                match piece:
                    case SoundFile(name=name) if self._own.sound(language, name) is None:
                        report.failures.append(PromptFailure(language, name, f"there is no sound {name!r}"))
                    case Silence(seconds=seconds):
                        await self._be_silent(seconds)
        await self._speak(texts, report)
        return report

    async def _be_silent(self, seconds: float) -> None:
        sound = await asyncio.to_thread(silence, self._root / SILENCE / f"{round(seconds * 1000)}.wav", seconds)
        if sound is not None:
            self._silences[seconds] = sound
            self._seconds[sound.file] = sound.seconds

    async def _speak(self, texts: Mapping[str, Iterable[str]], report: PromptReport) -> None:
        jobs: list[Job] = []
        for language in sorted(texts):
            try:
                chain = await self._voices.chain(language)
            except VoiceError as error:
                report.failures += [PromptFailure(language, text, str(error)) for text in sorted(texts[language])]
                continue
            for job, sound in await asyncio.to_thread(self._look, language, texts[language], chain):
                if sound is None:
                    jobs.append(job)
                else:
                    report.cached += 1
                    self._keep(job, sound)
        if len(jobs) > MANY:
            log.info("texts are being spoken, which is done once", texts=len(jobs))
        async for spoken in self._synthesiser.speak(jobs):
            sound = sound_of(spoken.path) if spoken.path is not None else None
            if sound is None:
                report.failures.append(PromptFailure(spoken.job.language, spoken.job.text, spoken.reason))
            else:
                report.spoken += 1
                self._keep(spoken.job, sound)

    def _look(self, language: str, texts: Iterable[str], chain: Iterable[Voice]) -> list[tuple[Job, Sound | None]]:
        """What the best voice has spoken already. A file that is not whole goes, or it would pass for one that is."""
        found = []
        for job in [self._job(language, text, chain) for text in sorted(texts)]:
            for attempt in job.attempts:
                if sound_of(attempt.path) is None:
                    attempt.path.unlink(missing_ok=True)
            found.append((job, sound_of(job.attempts[0].path)))
        return found

    def _job(self, language: str, text: str, chain: Iterable[Voice]) -> Job:
        attempts = []
        for voice in chain:
            content = "\0".join((FORMAT, voice.engine, voice.version, voice.name, text))
            name = hashlib.sha256(content.encode()).hexdigest()[:32]
            attempts.append(Attempt(voice, self._root / language / f"{name}.wav"))
        return Job(language, text, tuple(attempts))

    def _keep(self, job: Job, sound: Sound) -> None:
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


def _with_announcements(texts: Mapping[str, Iterable[Spoken]], languages: Iterable[str]) -> dict[str, set[Spoken]]:
    everything: dict[str, set[Spoken]] = {language: set(found) for language, found in texts.items()}
    for language in languages:
        everything.setdefault(spoken_language(language), set()).update(text_of(one, language) for one in Announcement)
    return everything


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
