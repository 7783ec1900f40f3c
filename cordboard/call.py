"""One caller from arrival to hang-up: who holds them now (flow, queue, talk), and what a successor must know of it.

Decides the hand-overs between the flow session and the distributor and how a call ended. It refuses to know what a
menu does, which agent is chosen, and AMI.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from acd.model import WaitingCaller
from acd.service import Distributor, QueueResult
from ivr.flow import Flow
from ivr.inputs import Position
from ivr.library import DialplanLibrary
from ivr.ports import PromptFiles, Timers
from ivr.session import CallInfo, Ended, FlowSession, Outcome, ToQueue
from pbx.facts import ChannelGone, ChannelSeen, CommandDone, Fact, Origin, Place
from pbx.orders import HangUp, KeepAlive, Remember, StopMusic, TakeOver
from pbx.ports import Switch

CAUSE_UNALLOCATED = 1
CAUSE_UNSEEN = 0


class Phase(StrEnum):
    """Who holds the caller."""

    FLOW = "flow"
    QUEUE = "queue"
    TALK = "talk"
    FALLBACK = "fallback"  # the plain dialplan, because we were away too long
    LEAVING = "leaving"  # hung up by us, the PBX has not said so yet


class CallNote(Protocol):
    def __call__(
        self,
        kind: str,
        *,
        call_id: str | None = None,
        agent: str | None = None,
        queue: str | None = None,
        data: dict[str, Any] | None = None,
    ) -> None: ...


@dataclass(frozen=True, slots=True)
class CallServices:
    """What every call needs from the process."""

    switch: Switch
    timers: Timers
    clock: Callable[[], float]
    note: CallNote
    library: DialplanLibrary
    prompts: PromptFiles
    distributor: Distributor
    dead_man_s: int


@dataclass(frozen=True, slots=True)
class Memory:
    """What is stored on the caller's channel for whoever takes the call over."""

    phase: Phase
    arrived_at: float
    origin: Origin
    dialled: str
    flow: str = ""
    queue: str = ""
    joined_at: float = 0.0
    position: dict[str, Any] | None = None

    def dump(self) -> str:
        fields: dict[str, Any] = {"p": self.phase, "a": round(self.arrived_at, 3), "o": self.origin, "d": self.dialled}
        if self.flow:
            fields["f"] = self.flow
        if self.queue:
            fields |= {"q": self.queue, "j": round(self.joined_at, 3)}
        if self.position is not None:
            fields["s"] = self.position
        return json.dumps(fields, separators=(",", ":"))

    @classmethod
    def load(cls, text: str) -> Memory | None:
        """None when there is nothing to go by: empty, or not written by us."""
        try:
            fields = json.loads(text)
            return cls(
                phase=Phase(fields["p"]),
                arrived_at=float(fields["a"]),
                origin=Origin(fields["o"]),
                dialled=str(fields["d"]),
                flow=str(fields.get("f", "")),
                queue=str(fields.get("q", "")),
                joined_at=float(fields.get("j", 0.0)),
                position=fields.get("s"),
            )
        except (ValueError, KeyError, TypeError):
            return None


class Call:
    """A caller's channel and its phase. All methods are synchronous; facts come in order."""

    __slots__ = (
        "_control_token",
        "_ended_by",
        "_fences",
        "_flow",
        "_position",
        "_session",
        "_talked",
        "arrived_at",
        "channel",
        "info",
        "joined_at",
        "origin",
        "phase",
        "queue",
        "renewed_at",
        "services",
    )

    def __init__(self, services: CallServices, channel: str, info: CallInfo, origin: Origin, arrived_at: float) -> None:
        self.services = services
        self.channel = channel
        self.info = info
        self.origin = origin
        self.arrived_at = arrived_at
        self.phase = Phase.FLOW
        self.queue = ""
        self.joined_at = 0.0
        self.renewed_at = arrived_at
        self._flow: Flow | None = None
        self._session: FlowSession | None = None
        self._position: Position | None = None
        self._control_token = ""
        self._fences = 0
        self._talked = False
        self._ended_by = "caller"

    @property
    def flow_name(self) -> str:
        return self._flow.name if self._flow is not None else ""

    def begin(self) -> None:
        """Meet the flow that answers the dialled number, from its start."""
        self._note("call.arrived", self._arrival())
        self._start_flow()

    def handle(self, fact: Fact) -> None:
        """Take a fact about this caller's channel that is not the distributor's."""
        match fact:
            case ChannelGone(cause=cause):
                self._gone(cause)
            case CommandDone(token=token, ok=ok) if token == self._control_token:
                self._control_token = ""
                self._fenced(ok)
            case _:
                if self._session is not None and self.phase is Phase.FLOW:
                    self._session.handle(fact)

    def talk_started(self) -> None:
        self.phase = Phase.TALK
        self._talked = True
        self.remember()

    def queue_ended(self, result: QueueResult) -> None:
        """The distributor is done with this caller, who is under our control again: the flow goes on."""
        self.phase = Phase.FLOW
        self.queue = ""
        self.renewed_at = self.services.clock()
        if result is not QueueResult.TALKED:
            self.services.switch.send(StopMusic(self.channel))
        session = self._session or self._new_session(self._position)
        if session is None:
            self._hang_up(CAUSE_UNALLOCATED)
        else:
            session.returned(result)

    def requeued(self) -> None:
        """The talk did not come about; the caller waits again at the old place."""
        self.phase = Phase.QUEUE
        self.remember()

    def served_by_fallback(self) -> None:
        self._drop_session()
        if self.phase is Phase.QUEUE:
            self.services.distributor.leave(self.channel, "fallback")
        self.phase = Phase.FALLBACK

    def suspend(self) -> None:
        """The link is gone: no step can be taken, and none must be taken by a timer."""
        if self.phase is Phase.FLOW:
            self._drop_session()

    def relink(self, seen: ChannelSeen) -> None:
        """After the link is back: fence the channel and go on where the caller was."""
        if seen.place is Place.FALLBACK:
            self.served_by_fallback()
        elif self.phase is Phase.LEAVING:
            self.services.switch.send(HangUp(self.channel))
        elif self.phase in {Phase.FLOW, Phase.QUEUE} and seen.controlled:
            self._take_over()

    def recover(self, seen: ChannelSeen, memory: Memory | None) -> None:
        """After a restart: become the call that the channel's memory tells of."""
        if memory is not None:
            self.phase = memory.phase
            self.queue = memory.queue
            self.joined_at = memory.joined_at
            self._position = Position.from_memory(memory.position) if memory.position is not None else None
        self._note("call.recovered", self._arrival() | {"phase": self.phase})
        if seen.place is Place.FALLBACK:
            self.phase = Phase.FALLBACK
        elif seen.place is Place.TALK:
            self.phase = Phase.TALK
            self._talked = True
        elif self.phase is Phase.TALK:  # the agent hung up while we were away
            self._talked = True
            self._take_over()
        else:
            if self.phase in {Phase.LEAVING, Phase.FALLBACK}:
                self.phase = Phase.FLOW
            self._take_over()

    def stop(self) -> None:
        """The service is being stopped, and the PBX with it."""
        if self.phase is Phase.QUEUE:
            self.services.distributor.leave(self.channel, "stopped")
        self._hang_up(16, "service")

    def renew(self, now: float) -> None:
        """Tell the PBX that we are still here, often enough that two renewals may be lost."""
        if self.phase in {Phase.FLOW, Phase.QUEUE} and now - self.renewed_at >= self.services.dead_man_s / 3:
            self.renewed_at = now
            self.services.switch.send(KeepAlive(self.channel, self.services.dead_man_s))

    def remember(self) -> None:
        memory = Memory(
            self.phase,
            self.arrived_at,
            self.origin,
            self.info.dialled,
            self.flow_name,
            self.queue,
            self.joined_at,
            self._position.to_memory() if self._position is not None else None,
        )
        self.services.switch.send(Remember(self.channel, memory.dump()))

    def _start_flow(self) -> None:
        session = self._new_session(None)
        if session is None:
            self._hang_up(CAUSE_UNALLOCATED)
            return
        session.begin()

    def _new_session(self, position: Position | None) -> FlowSession | None:
        """A session in the version of the flow that this call began with; after a restart, in the present one."""
        if self._flow is None:
            self._flow = self.services.library.flow_for(self.info.dialled)
            if self._flow is None:
                return None
            self._note("flow.started", {"flow": self._flow.name, "version": self._flow.version})
        self._position = position
        self._session = FlowSession(
            self.channel,
            self.info,
            self._flow,
            self.services.prompts,
            self.services.switch,
            self.services.timers,
            self._note,
            self._flow_ended,
            self._moved,
            position=position,
        )
        return self._session

    def _moved(self, position: Position) -> None:
        self._position = position
        self.remember()

    def _flow_ended(self, outcome: Outcome) -> None:
        match outcome:
            case ToQueue(queue=queue):
                self.phase = Phase.QUEUE
                self.queue = queue
                self.joined_at = self.services.clock()
                self.remember()
                self._join()
            case Ended(cause=cause):
                self._hang_up(cause)
            case _:
                self._note("flow.broken", {"reason": outcome.reason})
                self._hang_up(16)

    def _join(self) -> None:
        self.services.distributor.join(
            WaitingCaller(
                call=self.channel,
                queue=self.queue,
                joined_at=self.joined_at,
                caller_number=self.info.caller_number,
                caller_name=self.info.caller_name,
            )
        )

    def _take_over(self) -> None:
        self._drop_session()
        self._fences += 1
        self._control_token = f"fence-{self._fences}"
        self.renewed_at = self.services.clock()
        self.services.switch.send(KeepAlive(self.channel, self.services.dead_man_s))
        self.services.switch.send(TakeOver(self.channel, self._control_token))

    def _fenced(self, ok: bool) -> None:
        """The channel is ours and idle."""
        if not ok:
            return  # it is going away, or its control was lost; that fact follows
        match self.phase:
            case Phase.QUEUE:
                pass  # the distributor has them; music never stopped
            case Phase.TALK:
                self.queue_ended(QueueResult.TALKED)
            case Phase.FLOW:
                position = self._position
                session = self._new_session(position)
                if session is None:
                    self._hang_up(CAUSE_UNALLOCATED)
                elif position is None:
                    session.begin()
                else:
                    session.resume(position)
            case _:
                pass

    def _hang_up(self, cause: int, ended_by: str = "flow") -> None:
        self._drop_session()
        self._ended_by = ended_by
        self.phase = Phase.LEAVING
        self.services.switch.send(HangUp(self.channel, cause))

    def _gone(self, cause: int) -> None:
        self._drop_session()
        phase = self.phase
        ended_by = "unknown" if cause == CAUSE_UNSEEN and phase is not Phase.LEAVING else self._ended_by
        if phase is Phase.QUEUE:
            self.services.distributor.leave(self.channel, "abandoned")
        self._note("call.ended", {"outcome": self._outcome(phase), "ended_by": ended_by, "cause": cause})

    def _outcome(self, phase: Phase) -> str:
        if phase is Phase.FALLBACK:
            return "fallback"
        if self._talked:
            return "talked"
        if phase is Phase.QUEUE:
            return "abandoned_in_queue"
        if self._ended_by == "service":
            return "stopped"
        if phase is Phase.LEAVING:
            return "completed" if self.flow_name else "no_such_number"
        return "left_in_flow"

    def _drop_session(self) -> None:
        if self._session is not None:
            self._session.close()
            self._session = None

    def _arrival(self) -> dict[str, Any]:
        return {
            "caller": self.info.caller_number,
            "name": self.info.caller_name,
            "dialled": self.info.dialled,
            "origin": self.origin,
        }

    def _note(self, kind: str, data: dict[str, Any]) -> None:
        self.services.note(kind, call_id=self.channel, queue=self.queue or None, data=data)
