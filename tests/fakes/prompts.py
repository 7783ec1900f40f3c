"""Prompts without sound: a text's file is the text, and a synthesiser that writes silence."""

from __future__ import annotations

import wave
from collections.abc import AsyncIterator, Iterable, Sequence
from pathlib import Path

from ivr.errors import PromptMissing
from ivr.synthesis import Job, Spoken


class FakePrompts:
    """Satisfies `PromptFiles`: `/en/Hello` is the file of "Hello" in English. `missing` texts have none."""

    def __init__(self, seconds: float = 1.0) -> None:
        self.missing: set[str] = set()
        self._seconds = seconds

    def files(self, language: str, text: str) -> tuple[str, ...]:
        if text in self.missing:
            raise PromptMissing(language)
        return (f"/{language}/{text}",)

    def seconds(self, files: Iterable[str], /) -> float:
        return self._seconds * len(tuple(files))


class FakeSynthesiser:
    """Writes 0.1 s of silence for every job; `failing` texts are refused by every voice."""

    def __init__(self) -> None:
        self.jobs: list[Job] = []
        self.failing: set[str] = set()

    async def speak(self, jobs: Sequence[Job]) -> AsyncIterator[Spoken]:
        for job in jobs:
            self.jobs.append(job)
            if job.text in self.failing:
                yield Spoken(job, None, "no voice today")
                continue
            path = job.attempts[0].path
            write_silence(path)
            yield Spoken(job, path)


def write_silence(path: Path, seconds: float = 0.1) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(b"\0\0" * int(8000 * seconds))
