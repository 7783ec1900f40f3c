"""What the engine is told, past tense and frozen, made by the shell from the PBX's facts and from people's commands.

An `offer` is one attempt to bring one caller and one agent together, from the first ring to the end of the talk; its id
is the id of the agent's leg, so nothing has to be looked up to tell whose leg rang.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from acd.model import AgentSpec, QueueSpec, WaitingCaller
from acd.orders import TimerId
from acd.states import AgentState


class OfferFailure(StrEnum):
    """Why an offer came to nothing. The first five are the PBX's words for a leg (`pbx.facts.LegFailure`)."""

    NO_ANSWER = "no_answer"
    BUSY = "busy"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    FAILED = "failed"
    UNKNOWN = "unknown"  # the order's fate is unknown, or the leg is not there any more and nobody said why
    LOST = "lost"  # answered, but the talk never began


class EndedBy(StrEnum):
    CALLER = "caller"
    AGENT = "agent"
    TRANSFER = "transfer"  # the caller talks, or waits, with somebody else from now on
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class CallerJoined:
    """`expected_wait_s`: what four in five such callers wait at most; 0 with an agent free for them, None unknown.

    It is told and not asked for, so that a replayed log decides the same.
    """

    caller: WaitingCaller
    expected_wait_s: float | None = None


@dataclass(frozen=True, slots=True)
class CallerLeft:
    """Hung up, or was taken out of the queue by whoever put them in."""

    call: str
    reason: str = "abandoned"


@dataclass(frozen=True, slots=True)
class AgentLoggedIn:
    agent: str


@dataclass(frozen=True, slots=True)
class AgentLoggedOut:
    agent: str


@dataclass(frozen=True, slots=True)
class AgentPaused:
    agent: str
    reason: str


@dataclass(frozen=True, slots=True)
class AgentReady:
    """The agent wants calls again: after a pause, or before their wrap-up time is over."""

    agent: str


@dataclass(frozen=True, slots=True)
class WrapUpExtended:
    agent: str
    seconds: float


@dataclass(frozen=True, slots=True)
class DispositionGiven:
    """What the talk that the agent is in, or wraps up, led to: by name, or by digit."""

    agent: str
    code: str


@dataclass(frozen=True, slots=True)
class PhoneSeen:
    """What is known of an agent's phone. `busy`: it rings or is in a call, ours or another."""

    agent: str
    reachable: bool
    busy: bool


@dataclass(frozen=True, slots=True)
class OfferRinging:
    offer: str


@dataclass(frozen=True, slots=True)
class OfferAnswered:
    offer: str


@dataclass(frozen=True, slots=True)
class OfferFailed:
    offer: str
    reason: OfferFailure


@dataclass(frozen=True, slots=True)
class TalkStarted:
    """Caller and agent are in one bridge."""

    offer: str


@dataclass(frozen=True, slots=True)
class TalkEnded:
    offer: str
    ended_by: EndedBy


@dataclass(frozen=True, slots=True)
class TalkHeld:
    """The caller hears music. `by` is who put them there: "phone" (the button) or "service" (a command)."""

    offer: str
    by: str


@dataclass(frozen=True, slots=True)
class TalkResumed:
    offer: str


@dataclass(frozen=True, slots=True)
class ConsultAsked:
    """The agent who talks with the caller wants another one; raises when that one cannot be rung now."""

    call: str
    agent: str


@dataclass(frozen=True, slots=True)
class ConsultDropped:
    """The agent does not want the other one any more."""

    call: str


@dataclass(frozen=True, slots=True)
class TalkMoved:
    """The caller is, or will be when they answer, with the agent of this offer, and no more with the one before."""

    call: str
    offer: str


@dataclass(frozen=True, slots=True)
class TalkTaken:
    """Another agent's leg, which no offer brought, is with the caller now: the talk is theirs. May be refused."""

    call: str
    agent: str
    offer: str


@dataclass(frozen=True, slots=True)
class TimerFired:
    timer: TimerId


@dataclass(frozen=True, slots=True)
class SwitchLost:
    """The PBX cannot be seen: nothing is offered and no offer expires until `SwitchFound`."""


@dataclass(frozen=True, slots=True)
class SwitchFound:
    """The PBX is seen again and what it holds has been compared with what we believed."""


@dataclass(frozen=True, slots=True)
class AgentRestored:
    """What the database remembers of an agent, told once at the start. In wrap-up: of which call, if that is known, and
    what they said that it led to."""

    agent: str
    state: AgentState
    reason: str
    since: float
    call: str = ""
    queue: str = ""
    disposition: str = ""


@dataclass(frozen=True, slots=True)
class TalkRestored:
    """A talk that went on without us, found in the PBX. `consult`: with somebody who was asked, beside the talk."""

    offer: str
    call: str
    agent: str
    queue: str
    held: bool = False
    consult: bool = False


@dataclass(frozen=True, slots=True)
class QueueSet:
    """The queue is new or has new rules."""

    queue: QueueSpec


@dataclass(frozen=True, slots=True)
class QueueRemoved:
    name: str


@dataclass(frozen=True, slots=True)
class QueueClosed:
    """Its hours are over. Whoever joined after `since` (unix seconds) is not kept; with `leave` nobody is."""

    name: str
    since: float
    leave: bool = False


@dataclass(frozen=True, slots=True)
class QueueOpened:
    name: str


@dataclass(frozen=True, slots=True)
class AgentSet:
    """The agent is new or has a new name, phone or list of queues."""

    agent: AgentSpec


@dataclass(frozen=True, slots=True)
class AgentRemoved:
    agent: str


Fact = (
    CallerJoined
    | CallerLeft
    | AgentLoggedIn
    | AgentLoggedOut
    | AgentPaused
    | AgentReady
    | WrapUpExtended
    | DispositionGiven
    | PhoneSeen
    | OfferRinging
    | OfferAnswered
    | OfferFailed
    | TalkStarted
    | TalkEnded
    | TalkHeld
    | TalkResumed
    | ConsultAsked
    | ConsultDropped
    | TalkMoved
    | TalkTaken
    | TimerFired
    | SwitchLost
    | SwitchFound
    | AgentRestored
    | TalkRestored
    | QueueSet
    | QueueRemoved
    | QueueClosed
    | QueueOpened
    | AgentSet
    | AgentRemoved
)
