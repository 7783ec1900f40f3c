"""Texts to sound files, without ever making the event loop wait."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ivr.voices import Engine, Voice

JOB_LIMIT_S = 180.0
"""For one text, on a machine that is busy with calls. The first one of an engine also loads its model."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """A voice, and the file that it would write."""

    voice: Voice
    path: Path


@dataclass(frozen=True, slots=True)
class Job:
    """One text; the attempts are tried in order until one succeeds."""

    language: str
    text: str
    attempts: tuple[Attempt, ...]


@dataclass(frozen=True, slots=True)
class Spoken:
    """A job's result: the file that was written, or why none was."""

    job: Job
    path: Path | None
    reason: str = ""


class Synthesiser(Protocol):
    def speak(self, jobs: Sequence[Job]) -> AsyncIterator[Spoken]:
        """Results in the order of the jobs, each as soon as it is there."""


class WorkerSynthesiser:
    """Speaks in a process that lives as long as its jobs (see `speech_worker`)."""

    def __init__(self, espeak: Path | None) -> None:
        self._espeak = espeak

    async def speak(self, jobs: Sequence[Job]) -> AsyncIterator[Spoken]:
        if not jobs:
            return
        worker = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "ivr.speech_worker",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        assert worker.stdin is not None
        assert worker.stdout is not None
        try:
            for job in jobs:
                path, reason = None, "the synthesis process ended"
                try:
                    worker.stdin.write(self._line(job))
                    await worker.stdin.drain()
                    async with asyncio.timeout(JOB_LIMIT_S):
                        answer = await worker.stdout.readline()
                    if answer:
                        told = json.loads(answer)
                        path = Path(told["path"]) if "path" in told else None
                        reason = told.get("error", "")
                except TimeoutError:
                    reason = f"not spoken within {JOB_LIMIT_S:g} s"
                    worker.kill()
                except ConnectionError:
                    pass
                yield Spoken(job, path, reason)
        finally:
            worker.stdin.close()
            if worker.returncode is None:
                worker.kill()
            await worker.wait()

    def _line(self, job: Job) -> bytes:
        attempts = [
            {"engine": attempt.voice.engine, "voice": attempt.voice.name, "path": str(attempt.path)}
            | ({"program": str(self._espeak)} if attempt.voice.engine is Engine.ESPEAK else {})
            for attempt in job.attempts
        ]
        return json.dumps({"text": job.text, "attempts": attempts}).encode() + b"\n"
