"""What we tell the PBX to do, imperative and frozen. `actions` turns each into AMI; nothing above knows how.

An order is given once. It is carried out, refused (`OrderFailed`), or of unknown fate (`OrderFailed(unknown=True)`).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Answer:
    channel: str
    token: str


@dataclass(frozen=True, slots=True)
class Play:
    """Play sound files one after another. Ends with one `CommandDone(token)`.

    `files` are absolute paths without extension, as the PBX wants them; the caller of this has checked that they
    exist (a missing one would drop the call). `interruptible`: a key stops it (the key arrives as `KeyPressed`).
    """

    channel: str
    token: str
    files: tuple[str, ...]
    interruptible: bool = True


@dataclass(frozen=True, slots=True)
class StopPlay:
    """Stop what `Play` started, if it still plays. Its `CommandDone` comes with `interrupted=True`."""

    channel: str


@dataclass(frozen=True, slots=True)
class RecordMessage:
    """Record what the caller says, after a beep, into a file of its own. Ends with one `MessageRecorded(token)`.

    `message` is our name for it, and the name of its file in the messages folder that the link was given: bare samples,
    so that a PBX that dies leaves nothing unreadable. A file of this name is overwritten. It ends after `max_s`, after
    `silence_s` of silence (0: never for that), with a key of `end_keys`, or when the caller is gone; nothing else ends
    it, a `StopPlay` does not. Other keys arrive as `KeyPressed` and are not heard in it when they come as RFC 4733.
    """

    channel: str
    token: str
    message: str
    max_s: int
    silence_s: int = 0
    beep: bool = True
    end_keys: str = "#"


@dataclass(frozen=True, slots=True)
class StartMusic:
    channel: str
    music_class: str


@dataclass(frozen=True, slots=True)
class StopMusic:
    channel: str


@dataclass(frozen=True, slots=True)
class TakeOver:
    """Fence a channel that waits for commands: silence it and learn when every older command is over.

    `CommandDone(token)` says that the channel is ours and idle; replies to commands from before are dropped.
    """

    channel: str
    token: str


@dataclass(frozen=True, slots=True)
class Remember:
    """Store what a successor needs on the channel itself: it lives exactly as long as the channel. <= 700 bytes."""

    channel: str
    memory: str


@dataclass(frozen=True, slots=True)
class SetLanguage:
    """The language in which the PBX itself speaks to the caller, were we to vanish."""

    channel: str
    language: str


@dataclass(frozen=True, slots=True)
class KeepAlive:
    """Renew the dead-man's timer: without us for so many seconds, the plain dialplan takes the caller over."""

    channel: str
    seconds: int


@dataclass(frozen=True, slots=True)
class RingPhone:
    """Dial an agent's phone under our own channel id `leg`, at most `ring_s` seconds."""

    leg: str
    endpoint: str
    ring_s: int
    caller_number: str
    caller_name: str


@dataclass(frozen=True, slots=True)
class Connect:
    """Let a waiting caller and an answered leg talk. When the leg ends first the caller comes back (`CallReturned`)."""

    channel: str
    leg: str


@dataclass(frozen=True, slots=True)
class StartRecording:
    """Record what a channel says (left) and hears (right), wherever it goes, until `StopRecording` or its end.

    `recording` is our name for it, and the name of its file in the recordings folder that the link was given. The PBX
    opens the file later and in silence: that it exists is for whoever reads it to see.
    """

    channel: str
    recording: str


@dataclass(frozen=True, slots=True)
class MuteRecording:
    """Silence in the file from now on; its time goes on."""

    channel: str
    recording: str


@dataclass(frozen=True, slots=True)
class UnmuteRecording:
    channel: str
    recording: str


@dataclass(frozen=True, slots=True)
class StopRecording:
    """The file is complete a moment after this."""

    channel: str
    recording: str


@dataclass(frozen=True, slots=True)
class RingNumber:
    """Dial a number through the trunk under our own channel id `leg`, at most `ring_s` seconds."""

    leg: str
    number: str
    ring_s: int
    caller_number: str
    caller_name: str


@dataclass(frozen=True, slots=True)
class Part:
    """Take both out of their talk in one step: the caller hears music (`CallHeld`), the leg is at the desk
    (`LegAtDesk`). Neither is hung up by the other's going."""

    channel: str
    leg: str
    music_class: str


@dataclass(frozen=True, slots=True)
class Hold:
    """Put a caller on hold who is in no talk of two: `CallHeld`."""

    channel: str
    music_class: str


@dataclass(frozen=True, slots=True)
class Desk:
    """An agent's leg waits for what comes next (`LegAtDesk`), hearing nothing or that somebody is being rung.

    Not for a leg in a talk of two: `Part` is for that. It stays there for minutes; who means it longer says it again.
    """

    channel: str
    ringing: bool = False


@dataclass(frozen=True, slots=True)
class EnterRoom:
    """Into the room of this name, where any number talk. A caller whom the last leg leaves comes back."""

    channel: str
    room: str
    leg: bool


@dataclass(frozen=True, slots=True)
class TakeBack:
    """A caller in a talk, on hold or in a room comes back into our hands (`CallReturned`). A leg of two is hung up."""

    channel: str


class SpyMode(StrEnum):
    LISTEN = "listen"  # hears both, is heard by nobody
    WHISPER = "whisper"  # is heard by the agent alone
    BARGE = "barge"  # is heard by both


@dataclass(frozen=True, slots=True)
class Spy:
    """A supervisor's answered leg hears the talk of another leg; given again, the mode changes."""

    channel: str
    spied: str
    mode: SpyMode


@dataclass(frozen=True, slots=True)
class HangUp:
    """End a channel with a Q.850 cause (16 normal, 17 busy, 1 no such number, 26 answered elsewhere, 34 congestion).

    Of two orders for one channel the later cause counts. 0 is none: what an earlier one said stands.
    """

    channel: str
    cause: int = 16


@dataclass(frozen=True, slots=True)
class Look:
    """Take a snapshot for reconciliation; answered by `Looked`."""


Order = (
    Answer
    | Play
    | StopPlay
    | RecordMessage
    | StartMusic
    | StopMusic
    | TakeOver
    | Remember
    | SetLanguage
    | KeepAlive
    | RingPhone
    | RingNumber
    | Connect
    | StartRecording
    | MuteRecording
    | UnmuteRecording
    | StopRecording
    | Part
    | Hold
    | Desk
    | EnterRoom
    | TakeBack
    | Spy
    | HangUp
    | Look
)
