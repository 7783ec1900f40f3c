"""Messages on disk: what the PBX wrote becomes a FLAC file without the silence around it.

Decides where files are, how much of one can be heard, and that a finished one is whole or not there. Everything here
may block: it belongs on a thread of its own. It refuses to know boxes, callers and rows.
"""

from __future__ import annotations

import contextlib
import os
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from cordboard.message import RATE, SAMPLE_BYTES
from cordboard.recording_files import FLAC, NothingWrittenError, private_file
from ivr.trimming import FRAME, heard_part
from ivr.wav import BARE

FLOOR = 10 ** (-50 / 20)
"""RMS of full scale: what is quieter on a telephone line is noise."""

LEAD, TAIL = 20, 40  # frames of silence kept around what was said


@dataclass(frozen=True, slots=True)
class FinishedMessage:
    """`file` is relative to the recordings folder."""

    file: str
    seconds: float
    size: int


@dataclass(frozen=True, slots=True)
class FallbackMessage:
    """What the plain dialplan recorded by itself."""

    call: str
    at: float
    finished: FinishedMessage


class MessageFiles:
    """`root` is the recordings folder; below it `messages`, and `voicemail`, where the plain dialplan writes."""

    def __init__(self, root: Path, folder: str = "messages", fallback: str = "voicemail") -> None:
        self.root = root
        self.folder = root / folder
        self._fallback = root / fallback

    def prepare(self) -> None:
        """Raises `OSError`."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.folder.chmod(0o700)

    def raw(self, name: str) -> Path:
        """Where the PBX writes."""
        return self.folder / f"{name}{BARE}"

    def playable(self, name: str) -> str:
        """The same for the PBX to play: without its ending."""
        return str(self.folder.absolute() / name)

    def writable(self) -> bool:
        """Quick enough for the event loop."""
        return os.access(self.folder, os.W_OK | os.X_OK)

    def raws(self) -> list[str]:
        with contextlib.suppress(OSError):
            return sorted(path.stem for path in self.folder.glob(f"*{BARE}"))
        return []

    def quiet_for(self, name: str) -> float | None:
        """Since how many seconds nobody has written it; None: it is not there."""
        try:
            return max(0.0, time.time() - self.raw(name).stat().st_mtime)
        except OSError:
            return None

    def heard_s(self, name: str) -> float:
        """Seconds from the first sound of it to the last; 0 when there is none."""
        try:
            samples = self._samples(name)
        except OSError:
            return 0.0
        part = heard_part(samples, FLOOR, lead=0, tail=0)
        return float(part.stop - part.start) / RATE

    def finish(self, name: str, at: float) -> FinishedMessage:
        """Make the finished file. The raw one stays.

        Raises `NothingWrittenError`, and `OSError` or `soundfile.SoundFileError` when another try may help.
        """
        try:
            samples = self._samples(name)
        except FileNotFoundError:
            raise NothingWrittenError("the PBX wrote no file") from None
        part = heard_part(samples, FLOOR, LEAD, TAIL)
        kept = np.round(samples[part] * 32768).astype(np.int16)
        if not len(kept):
            raise NothingWrittenError("nothing was said")
        target = self.folder / time.strftime("%Y-%m-%d", time.gmtime(at)) / f"{name}{FLAC}"
        target.parent.mkdir(mode=0o700, exist_ok=True)
        draft = target.with_suffix(".new")
        try:
            with private_file(draft) as file:
                with soundfile.SoundFile(
                    os.dup(file), "w", samplerate=RATE, channels=1, format="FLAC", subtype="PCM_16", closefd=True
                ) as sound:
                    sound.write(kept)
                os.fsync(file)
            draft.replace(target)
        finally:
            draft.unlink(missing_ok=True)
        return FinishedMessage(str(target.relative_to(self.root)), len(kept) / RATE, target.stat().st_size)

    def forget_raw(self, name: str) -> None:
        """It does no harm if that fails: the next start finds it and what is on record of it."""
        with contextlib.suppress(OSError):
            self.raw(name).unlink(missing_ok=True)

    def finished(self, file: str) -> Path:
        """The finished file; `file` as it is on record. Raises `OSError` for one that leads elsewhere."""
        found = (self.root / file).resolve()
        if not any(found.is_relative_to(folder.resolve()) for folder in (self.folder, self._fallback)):
            raise PermissionError("not below a folder for messages")
        return found

    def delete(self, name: str, file: str) -> None:
        """Every trace on disk. Raises `OSError`."""
        self.raw(name).unlink(missing_ok=True)
        if file:
            self.finished(file).unlink(missing_ok=True)

    def fallbacks(self, quiet_s: float) -> list[FallbackMessage]:
        """What the plain dialplan recorded and nobody writes any more."""
        found = []
        for path in sorted(self._fallback.glob("*.wav")):
            with contextlib.suppress(OSError, soundfile.SoundFileError):
                status = path.stat()
                if time.time() - status.st_mtime < quiet_s or path.is_symlink():
                    continue
                seconds = soundfile.info(path).duration
                done = FinishedMessage(str(path.relative_to(self.root)), round(seconds, 3), status.st_size)
                found.append(FallbackMessage(path.stem, status.st_mtime - seconds, done))
        return found

    def _samples(self, name: str) -> NDArray[np.float32]:
        data = self.raw(name).read_bytes()
        whole = len(data) // SAMPLE_BYTES * SAMPLE_BYTES  # a PBX that was killed may leave half a sample
        samples = np.frombuffer(data[:whole], dtype="<i2").astype(np.float32) / 32768
        return np.pad(samples, (0, -len(samples) % FRAME))
