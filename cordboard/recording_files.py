"""Recordings on disk: what the PBX wrote becomes a FLAC file with two sides, left the caller, right the agent.

Decides where files are and that a finished one is whole or not there. Everything here may block: it belongs on a thread
of its own. It refuses to know which talk it was.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import soundfile
from numpy.typing import NDArray

from cordboard.recording import FRAME_BYTES, RATE, SIDES

RAW = ".raw"
FLAC = ".flac"
_BLOCK = 10 * RATE  # frames
_PATIENT = 19  # the lowest priority of a process, or on Linux of a thread
MARGIN_S = 0.25
"""How much more than asked for is cut, on both ends, when the PBX did not do it: its clock starts a moment later."""


@dataclass(frozen=True, slots=True)
class Finished:
    """A file that is ready. `path` is relative to the recordings folder."""

    path: str
    seconds: float
    size: int
    sha256: str


class NothingWrittenError(Exception):
    """There is no sound at all. The text says why."""


class RecordingFiles:
    """`root` is the recordings folder, `folder` the one below it that is ours."""

    def __init__(self, root: Path, folder: str = "calls") -> None:
        self.root = root
        self.folder = root / folder

    def prepare(self) -> None:
        """Raises `OSError`."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.folder.chmod(0o700)

    def raw(self, recording: str) -> Path:
        """Where the PBX writes."""
        return self.folder / f"{recording}{RAW}"

    def trouble(self, min_free_bytes: int) -> str:
        """Why nothing should be recorded now, "" when it can be. An absent folder is made again."""
        try:
            self.prepare()
            if not os.access(self.folder, os.W_OK | os.X_OK):
                return "the folder for recordings cannot be written"
            space = os.statvfs(self.folder)
        except OSError as error:
            return f"the folder for recordings cannot be used ({error.strerror})"
        free = space.f_bavail * space.f_frsize
        if free < min_free_bytes:
            return f"only {free // 1_000_000} MB of disk are free"
        return ""

    def raws(self) -> list[str]:
        """The recordings of which a raw file is there."""
        with contextlib.suppress(OSError):
            return sorted(path.stem for path in self.folder.glob(f"*{RAW}"))
        return []

    def quiet_for(self, recording: str) -> float | None:
        """Since how many seconds nobody has written it; None: it is not there."""
        try:
            return max(0.0, time.time() - self.raw(recording).stat().st_mtime)
        except OSError:
            return None

    def finish(self, recording: str, started_at: float, cuts: Sequence[tuple[float, float | None]]) -> Finished:
        """Make the finished file. `cuts` (seconds) become silence. The raw file stays.

        Raises `NothingWrittenError`, and `OSError` or `soundfile.SoundFileError` when another try may help.
        """
        day = time.strftime("%Y-%m-%d", time.gmtime(started_at))
        target = self.folder / day / f"{recording}{FLAC}"
        target.parent.mkdir(mode=0o700, exist_ok=True)
        temporary = target.with_suffix(".new")
        try:
            with self._open(recording) as raw, private_file(temporary) as file:
                frames = _compress(raw.fileno(), file, cuts)
                os.fsync(file)
            if frames == 0:
                raise NothingWrittenError("the PBX wrote nothing")
            temporary.replace(target)
        finally:
            temporary.unlink(missing_ok=True)
        return Finished(str(target.relative_to(self.root)), frames / RATE, target.stat().st_size, _sha256(target))

    def forget_raw(self, recording: str) -> None:
        """It does no harm if that fails: the next start finds it and what is on record of it."""
        with contextlib.suppress(OSError):
            self.raw(recording).unlink(missing_ok=True)

    def finished(self, path: str) -> Path:
        """The finished file; `path` as it is on record. Raises `OSError` for one that leads elsewhere."""
        found = (self.root / path).resolve()
        if not found.is_relative_to(self.folder.resolve()):
            raise PermissionError("not below the folder for recordings")
        return found

    def delete(self, recording: str, path: str) -> None:
        """Every trace on disk. Raises `OSError`."""
        self.raw(recording).unlink(missing_ok=True)
        if path:
            self.finished(path).unlink(missing_ok=True)

    @contextlib.contextmanager
    def _open(self, recording: str) -> Iterator[BinaryIO]:
        try:
            file = self.raw(recording).open("rb")
        except FileNotFoundError:
            raise NothingWrittenError("the PBX wrote no file") from None
        with file:
            yield file


def be_patient() -> None:
    """Let this thread run only when nobody else wants to."""
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _PATIENT)


@contextlib.contextmanager
def private_file(path: Path) -> Iterator[int]:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _compress(raw: int, target: int, cuts: Sequence[tuple[float, float | None]]) -> int:
    """Frames written. A frame that was not written whole, by a PBX that was killed, is left out."""
    frames, rest = 0, b""
    with soundfile.SoundFile(
        os.dup(target), "w", samplerate=RATE, channels=SIDES, format="FLAC", subtype="PCM_16", closefd=True
    ) as sound:
        while data := rest + os.read(raw, _BLOCK * FRAME_BYTES):
            whole = len(data) // FRAME_BYTES
            if whole == 0:
                break
            rest = data[whole * FRAME_BYTES :]
            block = np.frombuffer(data[: whole * FRAME_BYTES], dtype="<i2").reshape(-1, SIDES)
            sound.write(_cut(block, frames, cuts))
            frames += whole
    return frames


def _cut(block: NDArray[np.int16], first: int, cuts: Sequence[tuple[float, float | None]]) -> NDArray[np.int16]:
    for start, end in cuts:
        begin = max(0, round((start - MARGIN_S) * RATE) - first)
        stop = len(block) if end is None else min(len(block), round((end + MARGIN_S) * RATE) - first)
        if begin < stop:
            block = block.copy()
            block[begin:stop] = 0
    return block


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
