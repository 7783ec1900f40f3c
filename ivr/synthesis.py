"""Texts, and sounds that somebody recorded, become files that the PBX plays, without making the event loop wait."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from ivr.voices import Engine, Voice

JOB_LIMIT_S = 180.0
"""For one text, on a machine that is busy with calls. The first one of an engine also loads its model."""

MAX_DEATHS = 3
ENDED = "the speech process ended"


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
class Conversion:
    """A sound file to make fit for a telephone. `content` names what must be in it (`own_sounds.digest`)."""

    source: Path
    content: str
    target: Path


J = TypeVar("J", bound=Job | Conversion)


@dataclass(frozen=True, slots=True)
class Spoken(Generic[J]):
    """A job's result: the file that was written, or why none was. `refused`: another try would end the same way."""

    job: J
    path: Path | None
    reason: str = ""
    refused: bool = False


class Synthesiser(Protocol):
    def speak(self, jobs: Sequence[J]) -> AsyncIterator[Spoken[J]]:
        """Results in the order of the jobs, each as soon as it is there."""


class WorkerSynthesiser:
    """Speaks in a process that lives as long as its jobs (see `speech_worker`).

    A file that makes a library crash takes the process with it, and not the jobs behind it: those get a new one.
    """

    def __init__(self, espeak: Path | None) -> None:
        self._espeak = espeak

    async def speak(self, jobs: Sequence[J]) -> AsyncIterator[Spoken[J]]:
        worker: Process | None = None
        deaths = 0
        try:
            for job in jobs:
                if worker is None and deaths < MAX_DEATHS:
                    worker = await _start()
                if worker is None:
                    yield Spoken(job, None, ENDED)
                    continue
                answer = await _ask(worker, self._line(job))
                if isinstance(answer, str):
                    await _end(worker)
                    worker, deaths = None, deaths + 1
                    yield Spoken(job, None, answer)
                elif "path" in answer:
                    yield Spoken(job, Path(answer["path"]))
                else:
                    yield Spoken(job, None, answer.get("error", ""), refused=True)
        finally:
            if worker is not None:
                await _end(worker)

    def _line(self, job: Job | Conversion) -> bytes:
        if isinstance(job, Conversion):
            told: dict[str, Any] = {"convert": str(job.source), "content": job.content, "path": str(job.target)}
            return json.dumps(told).encode() + b"\n"
        attempts = [
            {"engine": attempt.voice.engine, "voice": attempt.voice.name, "path": str(attempt.path)}
            | ({"program": str(self._espeak)} if attempt.voice.engine is Engine.ESPEAK else {})
            for attempt in job.attempts
        ]
        return json.dumps({"text": job.text, "attempts": attempts}).encode() + b"\n"


async def _start() -> Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "ivr.speech_worker",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )


async def _ask(worker: Process, line: bytes) -> dict[str, Any] | str:
    """The worker's answer, or why there is none; then the worker is of no more use."""
    assert worker.stdin is not None
    assert worker.stdout is not None
    try:
        worker.stdin.write(line)
        await worker.stdin.drain()
        async with asyncio.timeout(JOB_LIMIT_S):
            answer = await worker.stdout.readline()
    except TimeoutError:
        return f"not done within {JOB_LIMIT_S:g} s"
    except ConnectionError:
        return ENDED
    told: dict[str, Any] | str = json.loads(answer) if answer else ENDED
    return told


async def _end(worker: Process) -> None:
    assert worker.stdin is not None
    worker.stdin.close()
    if worker.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            worker.kill()
    await worker.wait()
