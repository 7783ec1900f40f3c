"""What an async AGI reply says. The words of AGI's answers stop here."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

STOPPED = 1000
"""`result` of a prompt that AMI `ControlPlayback` stopped (AST_CONTROL_STREAM_STOP in Asterisk 22)."""


@dataclass(frozen=True, slots=True)
class AgiReply:
    """`status` is 200, 510 (unknown command), 511 (channel is dead); `result` and `end` (samples) belong to 200."""

    status: int
    result: int = 0
    end: int = 0


FINE = AgiReply(200)


def parse_reply(encoded: bytes) -> AgiReply | None:
    """None means: not a reply to one of our commands, so the replies of this channel may be shifted by one."""
    if encoded == b"200%20result%3D0%0A":
        return FINE
    text = unquote_to_bytes(encoded)
    if not text.endswith(b"\n") or text.count(b"\n") != 1:
        return None
    words = text.split()
    if not words or not words[0].isdigit():
        return None
    status = int(words[0])
    if status in {510, 511}:
        return AgiReply(status)
    if status != 200 or len(words) < 2 or not words[1].startswith(b"result="):
        return None
    try:
        result = int(words[1][7:])
        end = int(words[2][7:]) if len(words) > 2 and words[2].startswith(b"endpos=") else 0
    except ValueError:
        return None
    return AgiReply(200, result, end)
