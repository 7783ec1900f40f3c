"""What an async AGI reply says. The words of AGI's answers stop here."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from pbx.facts import MessageEnd

STOPPED = 1000
"""`result` of a prompt that AMI `ControlPlayback` stopped (AST_CONTROL_STREAM_STOP in Asterisk 22)."""


NOT_BEGUN = "randomerror"
"""Asterisk 22's word for a recording that ended in its beep: a key, or a hang-up, or there is no beep to play."""

SAMPLES_A_SECOND = 8000
KEPT_SILENCE_S = 1
"""Of the silence that ends a recording Asterisk 22 keeps this much."""


@dataclass(frozen=True, slots=True)
class AgiReply:
    """`status` is 200, 510 (unknown command), 511 (channel is dead); the rest belongs to 200.

    `end` is in samples, `word` is what stands in parentheses.
    """

    status: int
    result: int = 0
    end: int = 0
    word: str = ""


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
        end = int(words[-1][7:]) if words[-1].startswith(b"endpos=") else 0
    except ValueError:
        return None
    word = words[2] if len(words) > 2 and words[2].startswith(b"(") and words[2].endswith(b")") else b""
    return AgiReply(200, result, end, word[1:-1].decode("ascii", "replace"))


def message_end(reply: AgiReply, max_s: int, silence_s: int) -> tuple[MessageEnd, float]:
    """What ended a RECORD FILE, and the seconds of sound in its file.

    Asterisk 22 says "timeout" for silence too. Only what ran to its limit has nothing cut off.
    """
    seconds = reply.end / SAMPLES_A_SECOND
    match reply.word:
        case "dtmf":
            return MessageEnd.KEY, seconds
        case "timeout":
            silent = silence_s and seconds <= max_s - silence_s + KEPT_SILENCE_S
            return MessageEnd.SILENCE if silent else MessageEnd.LIMIT, seconds
        case "hangup" | "waitfor":
            return MessageEnd.HANGUP, seconds
        case word if word == NOT_BEGUN and reply.result > 0:
            return MessageEnd.KEY, 0.0
        case _:
            return MessageEnd.FAILED, 0.0
