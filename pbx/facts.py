"""What the PBX told us, in our own words, past tense and frozen.

This module decides the vocabulary in which everything above `pbx` learns about the PBX. It knows no AMI word: event
names, header names, cause texts and English errors stop at `translate` and `actions`.

`channel` is always the PBX's unique id of a channel (for a leg that we originated: the id that we chose). It survives
masquerades, which a channel's name does not. Facts carry no time: whoever handles them is given `now`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Origin(StrEnum):
    """The door through which a call came in."""

    PUBLIC = "public"  # a trunk, or the demo's loopback callers
    AGENT = "agent"  # an agent's registered phone: feature codes and internal calls


class LegFailure(StrEnum):
    """Why a leg that we dialled was never answered."""

    NO_ANSWER = "no_answer"
    BUSY = "busy"
    REFUSED = "refused"  # a person or a phone said no (declined, do not disturb)
    UNREACHABLE = "unreachable"  # not registered, no route, no such endpoint
    FAILED = "failed"  # everything else; the cause says what


class PhoneState(StrEnum):
    """What the PBX knows of a registered phone."""

    UNREACHABLE = "unreachable"
    IDLE = "idle"
    RINGING = "ringing"
    BUSY = "busy"


class Place(StrEnum):
    """Where a channel stands, as far as its dialplan position and bridge tell."""

    ARRIVAL = "arrival"  # in our hands (async AGI), before any talk
    RETURNED = "returned"  # in our hands again, after a talk
    TALK = "talk"  # a caller sent into a talk
    OFFER = "offer"  # an agent's leg that we dialled
    HOLD = "hold"  # a caller on hold
    DESK = "desk"  # an agent's leg between two talks
    ROOM = "room"  # a caller or a leg in a talk of three or more, or of two who consult
    SPY = "spy"  # a supervisor's leg
    FALLBACK = "fallback"  # being served by the plain dialplan because we were away
    OTHER = "other"


class MessageEnd(StrEnum):
    """What ended a caller's message."""

    KEY = "key"
    SILENCE = "silence"
    LIMIT = "limit"  # as long as one may be
    HANGUP = "hangup"
    FAILED = "failed"  # the PBX could not record; there may be no file


@dataclass(frozen=True, slots=True)
class CallArrived:
    """A caller's channel waits for our first command. It is not answered yet."""

    channel: str
    name: str
    origin: Origin
    endpoint: str
    dialled: str
    caller_number: str
    caller_name: str
    language: str


@dataclass(frozen=True, slots=True)
class CallReturned:
    """A caller came back from a talk (or from one that never began) and waits for commands again."""

    channel: str


@dataclass(frozen=True, slots=True)
class LegRinging:
    channel: str


@dataclass(frozen=True, slots=True)
class LegAnswered:
    """A leg that we dialled was answered and can be connected now."""

    channel: str


@dataclass(frozen=True, slots=True)
class LegFailed:
    """A leg that we dialled ended unanswered. `cause` is the Q.850 cause, 0 when unknown."""

    channel: str
    reason: LegFailure
    cause: int = 0


@dataclass(frozen=True, slots=True)
class CallHeld:
    """A caller is on hold, out of every talk, as we ordered."""

    channel: str


@dataclass(frozen=True, slots=True)
class LegAtDesk:
    """A leg is out of every talk and waits, as we ordered."""

    channel: str


@dataclass(frozen=True, slots=True)
class LegSpies:
    """A supervisor's leg hears the talk, in the way ordered last. Until then a further order would be refused."""

    channel: str


@dataclass(frozen=True, slots=True)
class PhoneHeld:
    """Somebody pressed "hold" on the phone of this channel: the other side hears music."""

    channel: str


@dataclass(frozen=True, slots=True)
class PhoneResumed:
    channel: str


@dataclass(frozen=True, slots=True)
class KeyPressed:
    channel: str
    key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class CommandDone:
    """The command issued under `token` ended. `ok` is False when the PBX could not do it."""

    channel: str
    token: str
    ok: bool
    interrupted: bool = False


@dataclass(frozen=True, slots=True)
class MessageRecorded:
    """A caller's message is over and its file complete. `seconds` of sound; none, and no file, for a key in the beep.

    Who hangs up in the midst is told of here first, then gone. When the link is lost meanwhile this never comes, and
    the file tells.
    """

    channel: str
    token: str
    end: MessageEnd
    seconds: float


@dataclass(frozen=True, slots=True)
class ControlLost:
    """The channel left our hands without being hung up by us: its commands are void, their fate unknown."""

    channel: str


@dataclass(frozen=True, slots=True)
class ChannelGone:
    """The channel was hung up. `cause` is the Q.850 cause."""

    channel: str
    cause: int


@dataclass(frozen=True, slots=True)
class BridgeEntered:
    channel: str
    bridge: str


@dataclass(frozen=True, slots=True)
class BridgeLeft:
    channel: str
    bridge: str


@dataclass(frozen=True, slots=True)
class PhoneChanged:
    endpoint: str
    state: PhoneState


@dataclass(frozen=True, slots=True)
class OrderFailed:
    """The PBX refused an order, or did not answer it before its deadline (`unknown` is then True).

    An order of unknown fate is never sent again; whoever gave it reconciles by looking.
    """

    channel: str
    order: str
    reason: str
    unknown: bool = False


@dataclass(frozen=True, slots=True)
class ChannelSeen:
    """One channel of a snapshot."""

    channel: str
    name: str
    endpoint: str
    place: Place
    answered: bool
    controlled: bool  # waits in async AGI: we can give it commands
    bridge: str  # "" when in none
    caller_number: str
    caller_name: str
    dialled: str
    language: str
    memory: str  # what `Remember` stored, "" when nothing
    seconds_left: int | None = None  # of the dead-man's timer, None when it is off
    recording: str = ""  # what `StartRecording` began and nobody stopped
    recording_handle: str = ""  # the PBX's own name for it, for the link alone


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What exists in the PBX now: the answer to "look" after a lost link or a restart."""

    channels: tuple[ChannelSeen, ...]
    phones: dict[str, PhoneState] = field(default_factory=dict)
    started_at: float = 0.0  # when this PBX process started, unix seconds
    took_s: float = 0.0  # to look: what is younger it may not show


@dataclass(frozen=True, slots=True)
class LinkUp:
    """We are connected, logged in and have looked. Everything believed before must be compared with `snapshot`."""

    snapshot: Snapshot


@dataclass(frozen=True, slots=True)
class LinkDown:
    """The link to the PBX is gone; what happens there now is unseen until the next LinkUp."""

    reason: str


@dataclass(frozen=True, slots=True)
class Looked:
    """A periodic snapshot, taken while the link was up, for reconciliation."""

    snapshot: Snapshot


Fact = (
    CallArrived
    | CallReturned
    | LegRinging
    | LegAnswered
    | LegFailed
    | CallHeld
    | LegAtDesk
    | LegSpies
    | PhoneHeld
    | PhoneResumed
    | KeyPressed
    | CommandDone
    | MessageRecorded
    | ControlLost
    | ChannelGone
    | BridgeEntered
    | BridgeLeft
    | PhoneChanged
    | OrderFailed
    | LinkUp
    | LinkDown
    | Looked
)
