"""What a message is that a caller left for a box. Pure: it refuses to know the PBX, the disk and the database."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

RATE = 8000
SAMPLE_BYTES = 2

FALLBACK_BOX = "fallback"
"""Where messages are that the plain dialplan took while the service was away."""

_NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9_.-]")
_BOX = re.compile(r"[a-z][a-z0-9_-]{0,39}")
_LONGEST_CALL = 60


class MessageState(StrEnum):
    NEW = "new"
    HEARD = "heard"
    DONE = "done"  # dealt with
    DELETED = "deleted"  # there was one


OPEN = (MessageState.NEW, MessageState.HEARD, MessageState.DONE)


@dataclass(slots=True)
class Message:
    """Times are unix seconds. `file` is below the recordings folder, "" until it can be fetched."""

    id: str
    box: str
    call: str
    caller: str
    at: float
    seconds: float = 0.0
    size: int = 0
    state: MessageState = MessageState.NEW
    file: str = ""

    def view(self) -> dict[str, Any]:
        """Plain JSON for people."""
        return {
            "id": self.id,
            "box": self.box,
            "call_id": self.call,
            "caller": self.caller,
            "at": self.at,
            "seconds": self.seconds,
            "size": self.size,
            "state": self.state.value,
            "ready": bool(self.file),
        }


def id_of(box: str, call: str, milliseconds: int) -> str:
    """It says of which box, call and time: with nothing but the file a message can be put on record."""
    return f"{box}.{_NOT_IN_A_NAME.sub('_', call)[:_LONGEST_CALL]}-{milliseconds}"


def from_id(name: str) -> Message | None:
    """The message of a file that nothing else is known of; None when the name is none of ours."""
    box, dot, rest = name.partition(".")
    call, dash, milliseconds = rest.rpartition("-")
    if not dot or not dash or not call or not _BOX.fullmatch(box):
        return None
    if not milliseconds.isdecimal() or not milliseconds.isascii() or len(milliseconds) > 15:
        return None
    return Message(name, box, call, "", int(milliseconds) / 1000)
