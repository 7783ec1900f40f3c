"""What a recording is, and which talks are recorded. Pure: it refuses to know the PBX, the disk and the database."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

RATE = 8000
SIDES = 2
SAMPLE_BYTES = 2
FRAME_BYTES = SIDES * SAMPLE_BYTES
"""Of the raw file: 16-bit samples, the caller's and the agent's in turn."""

_NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9_.-]")
_LONGEST_CALL = 100


class RecordingState(StrEnum):
    RECORDING = "recording"  # the PBX writes
    FINISHING = "finishing"  # the talk is over, the file is not ready
    READY = "ready"
    FAILED = "failed"  # there is no file, and `reason` says why
    DELETED = "deleted"  # there was one


UNFINISHED = (RecordingState.RECORDING, RecordingState.FINISHING)


class Why(StrEnum):
    """Why a recording is silent for a while."""

    PAUSE = "pause"
    HOLD = "hold"
    SECURE = "secure"


@dataclass(slots=True)
class Silence:
    """A stretch without sound, in seconds from the start of the recording. `end` None: it lasts."""

    start: float
    end: float | None
    why: str
    kept: bool = True  # False: the PBX did not do it, or was not heard to; then it is cut when the file is finished


@dataclass(slots=True)
class Recording:
    """One part of a talk: from its start, or from the agent's, to the end of either. Times are unix seconds."""

    recording: str  # its name, in the PBX too
    call_id: str
    agent: str
    queue: str
    started_at: float
    ended_at: float | None = None
    seconds: float = 0.0  # of sound in the file
    silences: list[Silence] = field(default_factory=list)
    path: str = ""  # below the recordings folder
    size: int = 0
    sha256: str = ""
    state: RecordingState = RecordingState.RECORDING
    reason: str = ""

    def be_silent_for(self, reasons: Collection[Why], now: float) -> None:
        """Bring the stretches in line with the reasons that there are from now on."""
        at = round(max(0.0, now - self.started_at), 3)
        lasting = self.silences[-1] if self.silences and self.silences[-1].end is None else None
        if lasting is not None and lasting.why not in reasons:
            lasting.end = at
            lasting = None
        if lasting is None and reasons:
            self.silences.append(Silence(at, None, min(reasons)))

    def view(self) -> dict[str, Any]:
        """Plain JSON for people."""
        return {
            "recording": self.recording,
            "call_id": self.call_id,
            "agent": self.agent,
            "queue": self.queue,
            "started_at": self.started_at,
            "ended_at": self.ended_at,
            "seconds": self.seconds,
            "silences": silences_as_json(self.silences),
            "size": self.size,
            "sha256": self.sha256,
            "state": self.state.value,
            "reason": self.reason,
        }


def silences_as_json(silences: list[Silence]) -> list[dict[str, Any]]:
    return [{"from": one.start, "to": one.end, "why": one.why, "kept": one.kept} for one in silences]


def silences_from_json(stored: list[dict[str, Any]]) -> list[Silence]:
    return [Silence(one["from"], one["to"], one["why"], one["kept"]) for one in stored]


def name_of(call_id: str, milliseconds: int) -> str:
    """A name that says of which call and since when: with nothing but the file a recording can be put on record."""
    return f"{_NOT_IN_A_NAME.sub('_', call_id).lstrip('._-')[:_LONGEST_CALL]}-{milliseconds}"


def from_name(name: str) -> Recording | None:
    """The recording of a file that nothing else is known of; None when the name is none of ours."""
    call_id, dash, milliseconds = name.rpartition("-")
    if not dash or not call_id or not milliseconds.isdigit() or len(milliseconds) > 15:
        return None
    return Recording(name, call_id, "", "", int(milliseconds) / 1000, state=RecordingState.FINISHING)


class RecordMode(StrEnum):
    NEVER = "never"
    ALWAYS = "always"
    ON_DEMAND = "on_demand"


@dataclass(frozen=True, slots=True)
class RecordRule:
    """Which talks of a queue are recorded. `share` is of those that always are, 0 to 1."""

    mode: RecordMode = RecordMode.NEVER
    share: float = 1.0


def draw(call_id: str) -> float:
    """A call's lot, 0 up to 1: the same whoever asks again, so that the choice can be explained afterwards."""
    return int.from_bytes(hashlib.sha256(call_id.encode()).digest()[:6]) / 2**48
