"""One caller from arrival to hang-up: who holds them now (flow, queue, talk), and what a successor must know of it.

Decides the hand-overs between the flow session and the distributor and how a call ended. It refuses to know what a
menu does, which agent is chosen, and AMI.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from acd.destinations import Destination, ToFlow, ToQueue
from acd.service import QueueResult
from cordboard.afterwards import after_hang_up
from cordboard.call_outcome import outcome
from cordboard.call_services import CallServices
from cordboard.flow_transfer import Asked, FlowTransfer
from cordboard.grip import Grip
from cordboard.memory import Memory, Phase
from cordboard.queue_stay import QueueStay
from cordboard.transfers import Shown
from cordboard.waiting import Waiting
from ivr.flow import Flow
from ivr.handover import LEFT, Handover
from ivr.inputs import CallFacts, Position
from ivr.requests import TransferRequest
from ivr.session import CallInfo, Ended, FlowSession, Outcome
from ivr.versions import Chosen
from pbx.facts import CallReturned, ChannelGone, ChannelSeen, CommandDone, Fact, KeyPressed, OrderFailed, Origin, Place
from pbx.orders import Answer, Connect, HangUp, Play, RecordMessage, Remember, SetLanguage, StopMusic

__all__ = ["Call", "CallServices"]

CAUSE_UNALLOCATED = 1
CAUSE_UNSEEN = 0
COMMANDS = frozenset({Answer.__name__, Play.__name__, RecordMessage.__name__})
"""The orders whose end a flow waits for."""


class Call:
    """A caller's channel and its phase. All methods are synchronous; facts come in order.

    The channel is in our hands, or it is not: the link was lost, a talk took it away, a command was refused. While it
    is not, no step is taken: what the queue says meanwhile is kept, and the flow goes on when the channel is back.
    """

    __slots__ = (
        "_by_flow",
        "_ended_by",
        "_flow",
        "_grip",
        "_key",
        "_position",
        "_result",
        "_session",
        "_silent",
        "_spoken",
        "_stay",
        "_talks",
        "_transfer",
        "_transferred",
        "arrived_at",
        "channel",
        "info",
        "origin",
        "phase",
        "services",
        "version",
        "waiting",
    )

    def __init__(self, services: CallServices, channel: str, info: CallInfo, origin: Origin, arrived_at: float) -> None:
        self.services = services
        self.channel = channel
        self.info = info
        self.origin = origin
        self.arrived_at = arrived_at
        self.phase = Phase.FLOW
        self.waiting = Waiting(CallFacts(info.caller_number, info.caller_name, info.dialled, channel), services.around)
        self._grip = Grip(channel, services.switch, services.clock, services.dead_man_s)
        self._stay = QueueStay(channel, services, self.waiting, self._note, self._no_such_queue)
        shown = Shown(info.caller_number, info.caller_name, info.dialled)
        self._transfer = FlowTransfer(channel, shown, services.transfers, self)
        self.version = 0  # of the dialplans; 0: it has met none yet
        self._flow: Flow | None = None
        self._session: FlowSession | None = None
        self._position: Position | None = None
        self._silent = False  # the music ended while we did not look
        self._result: str | None = None  # how the wait ended, which the flow does not know yet
        self._key = ""  # by which key, when they left
        self._talks = 0
        self._transferred = False  # talked with somebody whom the flow rang
        self._by_flow = False  # does so now
        self._spoken = info.language  # what the PBX believes
        self._ended_by = "caller"

    @property
    def flow_name(self) -> str:
        return self._flow.name if self._flow is not None else ""

    @property
    def talks_by_flow(self) -> bool:
        """With somebody whom the flow rang: no talk of a queue's."""
        return self._by_flow

    # what happens -------------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Meet the flow that answers the dialled number, from its start."""
        self._note("call.arrived", self._arrival())
        self._go_on()

    def handle(self, fact: Fact) -> None:
        """Take a fact about this caller's channel that is not the distributor's."""
        match fact:
            case ChannelGone(cause=cause):
                self._gone(cause)
            case CommandDone() if self._grip.awaits(fact):
                if self._grip.taken(fact):
                    self._back_in_hand()
            case OrderFailed(order=order, unknown=False) if order in COMMANDS and self._expects_ends:
                # Refused: the channel is elsewhere, and the fact that says where (gone, lost, returned) is on its way.
                # To the flow it is no prompt that failed: it would run on to its end, unheard.
                self._lose_hold()
            case OrderFailed(order=Connect.__name__, unknown=unknown):
                self._transfer.connect_failed(unknown)
            case KeyPressed(key=key) if self.phase is Phase.QUEUE:
                self._leave_queue_by(key)
            case CommandDone() if self.phase is Phase.QUEUE:
                self._stay.done(fact)
            case CommandDone() | KeyPressed() if self._session is not None and self.phase is Phase.FLOW:
                self._session.handle(fact)
            case _:
                pass

    @property
    def _expects_ends(self) -> bool:
        return self._session is not None or self._stay.speaks

    def entered_bridge(self) -> None:
        if self.phase is Phase.QUEUE:
            self._talk_started()
        else:
            self._transfer.connected()

    def transfer(self, what: TransferRequest, done: Callable[[str], None]) -> Asked:
        """The flow wants the caller to talk with somebody."""
        return self._transfer.begin(what.at, what.to, what.ring_s, done)

    def lets_go(self) -> None:
        """The transfer's: the channel goes into a talk with somebody whom the flow rang."""
        self._drop_session()
        self._grip.lose()

    def talks(self) -> None:
        """The transfer's: they do now."""
        self.phase = Phase.TALK
        self._by_flow = self._transferred = True
        self.remember()

    def _talk_started(self) -> None:
        self.phase = Phase.TALK
        self._talks += 1
        self._stay.hush()
        self._grip.lose()
        self.remember()

    def returned(self, fact: CallReturned) -> None:
        """Back from a talk, begun or not. The channel is in our hands, and every command of before is void."""
        before, was_in_hand = self.phase, self._grip.held
        self._grip.back()
        self._stay.hush()
        self.services.distributor.handle(fact)
        self._transfer.returned()
        if self.phase is Phase.TALK:
            if self._by_flow:
                self._transfer_over()
            elif self.services.distributor.talks.holds(self.channel):
                self._grip.held = False  # on the way to somewhere else in this talk
            elif self.services.distributor.knows(self.channel):
                self._requeued()
            else:  # nobody told the distributor of this talk: its agent is not one of ours any more
                self.queue_ended(QueueResult.TALKED)
        elif before in {Phase.FLOW, Phase.FALLBACK} and self.phase is before:
            if was_in_hand:
                self._drop_session()
            self.phase = Phase.FLOW
            self._go_on()
        if self.phase is Phase.QUEUE:
            self._stay.comfort(self._language)

    def queue_ended(self, result: QueueResult) -> None:
        """The distributor is done with this caller: the flow goes on."""
        self._wait_over(result)

    def transferred(self, to: Destination) -> None:
        """An agent sent the caller on: into a queue, where the node that they left for the talk still counts, or into
        a flow, as if they had dialled its number."""
        match to:
            case ToQueue(queue=queue, same_place=same_place):
                if not (same_place and self.waiting.queue == queue):
                    self.waiting.move(queue, self.services.clock())
                self._enter_queue()
            case ToFlow(number=number):
                self.info = replace(self.info, dialled=number)
                self._drop_session()
                self._flow, self._position, self._result = None, None, None
                self.phase = Phase.FLOW
                self.waiting.over(served=True)
                self._go_on()
            case _:  # a person: nobody comes back from there
                self.queue_ended(QueueResult.TALKED)

    def _wait_over(self, result: str) -> None:
        if self._grip.held:
            self._stay.over()
        self.phase = Phase.FLOW
        self.waiting.over(served=result == QueueResult.TALKED)
        self._result = result
        if self._grip.held:
            self._go_on()

    def served_by_fallback(self) -> None:
        self._lose_hold()
        if self.phase is Phase.QUEUE:
            self.services.distributor.leave(self.channel, "fallback")
        self._transfer.drop("lost")
        self.phase = Phase.FALLBACK

    def stop(self) -> None:
        """The service is being stopped, and the PBX with it."""
        if self.phase is Phase.QUEUE:
            self.services.distributor.leave(self.channel, "stopped")
        if self.phase is not Phase.LEAVING:
            self._hang_up(16, "service")

    # the link is lost, and back; a predecessor died ----------------------------------------------------------------

    def suspend(self) -> None:
        """The link is gone: no step can be taken, and none must be taken by a timer."""
        self._lose_hold()

    def relink(self, seen: ChannelSeen) -> None:
        """After the link is back: fence the channel and go on where the caller was."""
        self._transfer.linked()
        if self.phase is Phase.LEAVING:
            self.services.switch.send(HangUp(self.channel))
        elif seen.place is Place.FALLBACK:
            self.served_by_fallback()
        elif seen.controlled and self.phase is not Phase.FALLBACK:
            self._take_over(seen)

    def found(self, seen: ChannelSeen) -> None:
        """A periodic look shows the channel waiting for commands, and the fact that it does so never came."""
        if self._grip.forgotten(seen) and self.phase in {Phase.FLOW, Phase.QUEUE, Phase.TALK}:
            self._take_over(seen)

    def recover(self, seen: ChannelSeen, memory: Memory | None) -> None:
        """After a restart: become the call that the channel's memory tells of."""
        if memory is not None:
            self.phase = memory.phase
            self.version = memory.version
            self.waiting.restore(memory)
            self._position = Position.from_memory(memory.position) if memory.position is not None else None
        self._note("call.recovered", self._arrival() | {"phase": self.phase})
        self._lose_hold()
        if seen.place is Place.FALLBACK:
            self.phase = Phase.FALLBACK
            return
        if seen.place in {Place.TALK, Place.HOLD, Place.ROOM}:
            self.phase = Phase.TALK
        elif self.phase in {Phase.LEAVING, Phase.FALLBACK}:
            self.phase = Phase.FLOW
        if self.phase is Phase.TALK and memory is not None and not self.waiting.queue:
            talking = seen.bridge != "" or memory.phase is Phase.TALK
            self._transfer.resume(self._position.place(memory.flow) if self._position else "", talking=talking)
            self._by_flow = self._transferred = talking
            self.phase = Phase.TALK if talking else Phase.FLOW
        self._talks = int(self.phase is Phase.TALK and not self._by_flow)
        if self.phase in {Phase.QUEUE, Phase.TALK}:
            self.waiting.complete(self._present_flow(), self._position)
        if seen.controlled and seen.place is not Place.TALK:
            self._take_over(seen)

    # what the PBX must know ----------------------------------------------------------------------------------------

    def renew(self, now: float) -> None:
        """Tell the PBX that we are still here."""
        if self.phase not in {Phase.FLOW, Phase.QUEUE}:
            return
        # On its way into a talk the dialplan turns the timer off, and nobody would renew ours: it would end the talk.
        if not self.services.distributor.connects(self.channel):
            self._grip.renew(now)

    def remember(self) -> None:
        memory = Memory(
            self.phase,
            self.arrived_at,
            self.origin,
            self.info.dialled,
            self.flow_name,
            self.waiting.queue,
            self.waiting.joined_at,
            self._position.to_memory() if self._position is not None else None,
            self.waiting.terms,
            self.waiting.kept,
            self.version,
        )
        self.services.switch.send(Remember(self.channel, memory.dump()))

    # whose the channel is ------------------------------------------------------------------------------------------

    def _take_over(self, seen: ChannelSeen) -> None:
        self._lose_hold()
        # On the way to a talk the dialplan ends the music, and so does whatever a predecessor was saying.
        self._silent = seen.place is Place.RETURNED or self._stay.plan is not None
        self._transfer.linked()
        self._grip.take_over()

    def _lose_hold(self) -> None:
        self._transfer.unlinked()
        self._drop_session()
        self._stay.void()
        self._grip.lose()

    def _back_in_hand(self) -> None:
        self._transfer.returned()
        match self.phase:
            case Phase.QUEUE if self._stay.pending:
                self._enter_queue()
            case Phase.QUEUE:
                if self._silent:
                    self.services.distributor.restart_music(self.channel)
                self._stay.comfort(self._language)
            case Phase.TALK if self._by_flow:
                self._transfer_over()
            case Phase.TALK:
                self.queue_ended(QueueResult.TALKED)
            case Phase.FLOW:
                self._go_on()
            case _:
                pass

    def _transfer_over(self) -> None:
        """They have talked with somebody whom the flow rang, and are in its node again, which is told so."""
        self.phase, self._by_flow = Phase.FLOW, False
        self._go_on()

    def _requeued(self) -> None:
        """The talk did not come about; the caller waits again at the old place."""
        self.phase = Phase.QUEUE
        self._talks -= 1
        self.remember()

    # the flow ------------------------------------------------------------------------------------------------------

    def _go_on(self) -> None:
        """Take the next step of the flow: from its start, after the queue, or again into the node of before."""
        result, self._result = self._result, None
        key, self._key = self._key, ""
        if result is not None and result is not QueueResult.TALKED:
            self.services.switch.send(StopMusic(self.channel))
        position = self._position
        session = self._session or self._new_session(position)
        if session is None:
            self._hang_up(CAUSE_UNALLOCATED)
        elif result is not None:
            session.returned(result, key)
        elif position is None:
            session.begin()
        else:
            session.resume(position)

    def _new_session(self, position: Position | None) -> FlowSession | None:
        """A session in the version of the dialplans that this call began with."""
        if self._flow is None:
            chosen = self._answering()
            if chosen is None:
                return None
            self._flow, self.version = chosen.flow, chosen.version
            data = {"flow": self._flow.name, "version": self._flow.version, "dialplans": self.version}
            self._note("flow.started", data)
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
            around=self.services.around,
            outside=self.services.outside,
            on_secure=lambda on: self.services.secure(self.channel, on),
            position=position,
        )
        return self._session

    def _present_flow(self) -> Flow | None:
        """The one that they are in, met or, after a restart, not yet met again."""
        chosen = self._answering() if self._flow is None else None
        return chosen.flow if chosen is not None else self._flow

    def _answering(self) -> Chosen | None:
        """The flow that answers the number which they dialled, or were sent to."""
        number = self.info.caller_number
        return self.services.library.flow_for(self.info.dialled, self.channel, number, self.version)

    def _moved(self, position: Position) -> None:
        if self._position is None or position.place() != self._position.place():
            self._transfer.forget()
        self._position = position
        if position.language != self._spoken:
            self._spoken = position.language
            self.services.switch.send(SetLanguage(self.channel, position.language))
        self.remember()

    def _flow_ended(self, outcome: Outcome) -> None:
        match outcome:
            case Handover():
                self.waiting.begin(outcome, self.services.clock(), self.services.last_agent)
                self._enter_queue()
            case Ended(cause=cause):
                self._hang_up(cause)
            case _:
                self._note("flow.broken", {"reason": outcome.reason})
                self._hang_up(16)

    def _enter_queue(self) -> None:
        self.phase = Phase.QUEUE
        self.remember()
        self._stay.enter(self._language)

    def _no_such_queue(self, joined_at: float) -> None:
        if self.phase is Phase.QUEUE and self.waiting.joined_at == joined_at:
            self.queue_ended(QueueResult.UNAVAILABLE)

    @property
    def _language(self) -> str:
        return self._position.language if self._position is not None else self.info.language

    def _leave_queue_by(self, key: str) -> None:
        if self._grip.held and self._stay.leave_by(key):
            self._key = key
            self._wait_over(LEFT)

    def _drop_session(self) -> None:
        if self._session is not None:
            self._session.close()
            self._session = None

    # the end -------------------------------------------------------------------------------------------------------

    def _hang_up(self, cause: int, ended_by: str = "flow") -> None:
        self._transfer.drop("caller_left" if ended_by == "caller" else "cancelled")
        self._drop_session()
        self._stay.void()
        self._ended_by = ended_by
        self.phase = Phase.LEAVING
        self.services.switch.send(HangUp(self.channel, cause))

    def _gone(self, cause: int) -> None:
        self._transfer.drop("caller_left")
        position = self._session.position if self._session is not None else self._position
        self._drop_session()
        self._stay.void()
        phase, self.phase = self.phase, Phase.LEAVING
        ended_by = "unknown" if cause == CAUSE_UNSEEN and phase is not Phase.LEAVING else self._ended_by
        if phase is Phase.QUEUE:
            self.services.distributor.leave(self.channel, "abandoned")
        self._note("call.ended", {"outcome": self._outcome(phase), "ended_by": ended_by, "cause": cause})
        flow = self._present_flow()
        if phase in {Phase.FLOW, Phase.QUEUE} and position is not None and flow is not None:
            after_hang_up(self.services, self.channel, self.info, flow, position, self._note)

    def _outcome(self, phase: Phase) -> str:
        return outcome(phase, self._talks > 0, self._transferred, self._ended_by, self.flow_name)

    def _arrival(self) -> dict[str, Any]:
        return {
            "caller": self.info.caller_number,
            "name": self.info.caller_name,
            "dialled": self.info.dialled,
            "origin": self.origin,
        }

    def _note(self, kind: str, data: dict[str, Any]) -> None:
        self.services.note(kind, call_id=self.channel, queue=self.waiting.queue or None, data=data)
