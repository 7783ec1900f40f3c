"""Sound files as the PBX plays them: whether one is whole, how long it lasts, and silence. No sound library needed."""

from __future__ import annotations

import os
import struct
import wave
from dataclasses import dataclass
from pathlib import Path

RATE = 8000
BYTES_A_SECOND = 2 * RATE
BARE = ".sln"
_HEADER = 44


@dataclass(frozen=True, slots=True)
class Sound:
    file: str  # absolute, without extension, as the PBX wants it
    wav: str
    seconds: float


def sound_of(wav: Path) -> Sound | None:
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
    return Sound(str(wav.with_suffix("")), str(wav), length / BYTES_A_SECOND)


def draft_seconds(file: str) -> float | None:
    """How long a caller's own recording lasts: samples without a header. None when it is not there."""
    try:
        return os.stat(f"{file}{BARE}").st_size / BYTES_A_SECOND
    except OSError:
        return None


def write_samples(path: Path, samples: bytes) -> None:
    """16 bits each, mono. All of the file or nothing of it: a caller may be listening to the one that it replaces."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with wave.open(str(draft), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(RATE)
            file.writeframes(samples)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def silence(path: Path, seconds: float) -> Sound | None:
    """A file of nothing; made when it is not there or not whole."""
    sound = sound_of(path)
    if sound is None:
        write_samples(path, bytes(2 * max(1, round(seconds * RATE))))
        sound = sound_of(path)
    return sound
