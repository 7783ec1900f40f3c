"""Prompts without sound: a text's file is the text, and a synthesiser that writes silence."""

from __future__ import annotations

import wave
from collections.abc import AsyncIterator, Iterable, Sequence
from pathlib import Path

from ivr.errors import PromptMissing
from ivr.synthesis import Conversion, J, Job
from ivr.synthesis import Spoken as Done
from ivr.wording import Draft, Silence, SoundFile, Spoken


class FakePrompts:
    """Satisfies `PromptFiles`: `/en/Hello` is the file of "Hello" in English. `missing` texts have none."""

    def __init__(self, seconds: float = 1.0) -> None:
        self.missing: set[Spoken] = set()
        self._seconds = seconds

    def files(self, language: str, piece: Spoken) -> tuple[str, ...]:
        if piece in self.missing:
            raise PromptMissing(language)
        match piece:
            case SoundFile(name=name):
                return (f"/own/{language}/{name}",)
            case Draft(file=file):
                return (file,)
            case Silence(seconds=seconds):
                return (f"/silence/{seconds:g}",)
            case _:
                return (f"/{language}/{piece}",)

    def seconds(self, files: Iterable[str], /) -> float:
        return self._seconds * len(tuple(files))


class FakeSynthesiser:
    """Writes 0.1 s of silence for every job; `failing` texts are refused by every voice, sounds as `refusing` says."""

    def __init__(self) -> None:
        self.jobs: list[Job | Conversion] = []
        self.failing: set[str] = set()
        self.refusing: dict[str, str] = {}

    async def speak(self, jobs: Sequence[J]) -> AsyncIterator[Done[J]]:
        for job in jobs:
            self.jobs.append(job)
            if isinstance(job, Job) and job.text in self.failing:
                yield Done(job, None, "no voice today")
                continue
            if isinstance(job, Conversion) and job.source.name in self.refusing:
                yield Done(job, None, self.refusing[job.source.name], refused=True)
                continue
            path = job.attempts[0].path if isinstance(job, Job) else job.target
            write_silence(path)
            yield Done(job, path)


def write_silence(path: Path, seconds: float = 0.1) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(b"\0\0" * int(8000 * seconds))
