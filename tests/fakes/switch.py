"""An in-memory `Switch`: records orders and behaves like the PBX as far as callers, prompts and legs go.

Facts never arrive inside `send`: they come through virtual time, as they come through the inbox in the real thing.
Everything that it does by itself can be switched off: `seconds_per_file=None` leaves the ending of prompts to the test
(`finish`), a phone without a script leaves its leg to the test (`emit`).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from pbx.facts import (
    BridgeEntered,
    BridgeLeft,
    CallArrived,
    CallHeld,
    CallReturned,
    ChannelGone,
    ChannelSeen,
    CommandDone,
    Fact,
    KeyPressed,
    LegAnswered,
    LegAtDesk,
    LegFailed,
    LegFailure,
    LegRinging,
    LegSpies,
    LinkDown,
    LinkUp,
    Looked,
    MessageEnd,
    MessageRecorded,
    OrderFailed,
    Origin,
    Place,
    Snapshot,
)
from pbx.orders import (
    Answer,
    Connect,
    Desk,
    EnterRoom,
    HangUp,
    Hold,
    Look,
    MuteRecording,
    Order,
    Part,
    Play,
    RecordMessage,
    RingNumber,
    RingPhone,
    Spy,
    StartMusic,
    StartRecording,
    StopMusic,
    StopPlay,
    StopRecording,
    TakeBack,
    TakeOver,
    UnmuteRecording,
)
from pbx.ports import FactSink
from tests.fakes.virtual_time import VirtualTime, VirtualTimer

O = TypeVar("O", bound=Order)  # noqa: E741


@dataclass(frozen=True)
class PhoneScript:
    """What a phone does when it is dialled: answer after so many seconds, or fail after so many with a reason."""

    answer_after: float | None = None
    fail_after: float = 0.0
    failure: LegFailure | None = None
    cause: int = 0

    @staticmethod
    def answers(after: float = 1.0) -> PhoneScript:
        return PhoneScript(answer_after=after)

    @staticmethod
    def rings_on() -> PhoneScript:
        """Nobody answers: the leg fails when the ring time of the order is over."""
        return PhoneScript()

    @staticmethod
    def fails(reason: LegFailure, cause: int = 0, after: float = 0.0) -> PhoneScript:
        return PhoneScript(failure=reason, cause=cause, fail_after=after)


@dataclass
class FakeChannel:
    """One channel. `commands` are the ones not over yet, the first of them is running."""

    channel: str
    leg: bool = False
    answered: bool = False
    bridge: str = ""
    peer: str = ""
    music: str = ""
    recording: str = ""
    recording_muted: bool = False
    commands: deque[Answer | Play | RecordMessage | TakeOver] = field(default_factory=deque)
    timers: list[VirtualTimer] = field(default_factory=list)
    place: Place = Place.ARRIVAL
    memory: str = ""
    moving: bool = False
    endpoint: str = ""

    def seen(self) -> ChannelSeen:
        """As a look at the PBX shows it."""
        answered = self.answered or not self.leg
        ours = self.place in {Place.ARRIVAL, Place.RETURNED} and not self.leg
        place, bridge, memory = self.place, self.bridge, self.memory
        return ChannelSeen(
            self.channel, "PJSIP/x", self.endpoint, place, answered, ours, bridge, "", "", "100", "en", memory
        )


class FakeSwitch:
    """See the module. `sink` may be set after construction (the one who sends is often also the one who listens)."""

    def __init__(
        self,
        time: VirtualTime,
        sink: FactSink | None = None,
        *,
        seconds_per_file: float | None = 1.0,
        answer_seconds: float | None = 0.0,
    ) -> None:
        self.time = time
        self.sink = sink
        self.seconds_per_file = seconds_per_file
        self.answer_seconds = answer_seconds
        self.phones: dict[str, PhoneScript] = {}
        self.channels: dict[str, FakeChannel] = {}
        self.orders: list[Order] = []
        self.snapshot = Snapshot(channels=())
        self.up = True
        self.move_seconds = 0.0  # from an order that sends a channel elsewhere to its arrival
        self.sees = False  # a look shows the channels as they are, not the `snapshot` that the test made
        self.deaf_to: set[type] = set()  # orders that are accepted and never carried out
        self._bridges = 0

    # what the test asks ------------------------------------------------------------------------------------------

    def sent(self, kind: type[O]) -> list[O]:
        """Every order of one kind, oldest first."""
        return [order for order in self.orders if isinstance(order, kind)]

    def last(self, kind: type[O]) -> O:
        return self.sent(kind)[-1]

    def take(self) -> list[Order]:
        """The orders since the last `take`."""
        orders, self.orders = self.orders, []
        return orders

    # what the test makes happen ----------------------------------------------------------------------------------

    def emit(self, fact: Fact) -> None:
        """Deliver a fact now."""
        if self.sink is None:
            raise AssertionError("the fake switch has no sink yet")
        self.sink(fact)

    def call(self, channel: str, *, dialled: str = "100", caller: str = "+15550100", **more: str) -> FakeChannel:
        """A caller comes in."""
        self.channels[channel] = made = FakeChannel(channel)
        origin = Origin(more.get("origin", "public"))
        endpoint = more.get("endpoint", "trunk")
        self.emit(
            CallArrived(
                channel=channel,
                name=f"PJSIP/{endpoint}-{channel}",
                origin=origin,
                endpoint=endpoint,
                dialled=dialled,
                caller_number=caller,
                caller_name=more.get("name", ""),
                language=more.get("language", "en"),
            )
        )
        return made

    def press(self, channel: str, key: str) -> None:
        """The caller presses a key: it stops an interruptible prompt that plays, as in the PBX."""
        known = self.channels.get(channel)
        plays = known.commands[0] if known and known.commands else None
        self.emit(KeyPressed(channel, key))
        if isinstance(plays, Play) and plays.interruptible and known and known.commands and known.commands[0] is plays:
            self.finish(channel, interrupted=True)
        elif isinstance(plays, RecordMessage) and key in plays.end_keys:
            self.recorded(channel, MessageEnd.KEY)

    def finish(self, channel: str, *, ok: bool = True, interrupted: bool = False) -> None:
        """The command that runs on the channel ends now."""
        known = self.channels[channel]
        command = known.commands.popleft()
        self._stop_timers(known)
        self._run_next(known)
        self.emit(CommandDone(channel, command.token, ok, interrupted))

    def recorded(self, channel: str, end: MessageEnd, seconds: float = 5.0) -> None:
        """The caller's message that is being recorded ends now."""
        known = self.channels[channel]
        command = known.commands.popleft()
        assert isinstance(command, RecordMessage)
        self._stop_timers(known)
        self._run_next(known)
        self.emit(MessageRecorded(channel, command.token, end, seconds))

    def hang_up(self, channel: str, cause: int = 16) -> None:
        """The far end hangs up (or the PBX does): a talk ends, a leg that rings fails."""
        known = self.channels.get(channel)
        if known is None:
            return
        if known.commands and isinstance(known.commands[0], RecordMessage):
            self.recorded(channel, MessageEnd.HANGUP)
        del self.channels[channel]
        self._stop_timers(known)
        room = known.bridge if known.bridge.startswith("room-") else ""
        peer = self.channels.get(known.peer)
        if known.leg and not known.answered:
            reason = LegFailure.BUSY if cause == 17 else LegFailure.REFUSED if cause == 21 else LegFailure.FAILED
            self.emit(LegFailed(channel, reason, cause))
        if known.bridge:
            self.emit(BridgeLeft(channel, known.bridge))
        self.emit(ChannelGone(channel, cause))
        if peer is not None and known.bridge:
            bridge, peer.bridge, peer.peer = peer.bridge, "", ""
            self.emit(BridgeLeft(peer.channel, bridge))
            if peer.leg:
                self.hang_up(peer.channel)
            else:
                self.emit(CallReturned(peer.channel))
        here = [one for one in self.channels.values() if room and one.bridge == room]
        if not any(one.leg for one in here):
            for one in here:  # the last leg has left
                self._move(one, CallReturned(one.channel))

    def lose_link(self, reason: str = "reset") -> None:
        self.up = False
        for known in self.channels.values():
            known.commands.clear()
            self._stop_timers(known)
        self.emit(LinkDown(reason))

    def restore_link(self, snapshot: Snapshot | None = None) -> None:
        self.up = True
        self.emit(LinkUp(snapshot or self.snapshot))

    # Switch ------------------------------------------------------------------------------------------------------

    def send(self, order: Order) -> None:
        self.orders.append(order)
        if not self.up:
            self._soon(OrderFailed(_channel_of(order), type(order).__name__, "link down"))
            return
        if type(order) in self.deaf_to:
            return
        match order:
            case Look():
                self.time.after(0.0, lambda: self.emit(Looked(self.picture() if self.sees else self.snapshot)))
            case RingPhone() | RingNumber():
                self._ring(order)
            case _:
                known = self.channels.get(order.channel)
                if known is None:
                    self._soon(OrderFailed(order.channel, type(order).__name__, "no such channel"))
                else:
                    self._carry_out(order, known)

    def picture(self) -> Snapshot:
        return Snapshot(tuple(known.seen() for known in self.channels.values()))

    def _carry_out(self, order: Order, known: FakeChannel) -> None:
        match order:
            case Answer() | Play() | RecordMessage():
                known.commands.append(order)
                if len(known.commands) == 1:
                    self._run_next(known)
            case TakeOver():
                known.commands.clear()
                self._stop_timers(known)
                known.commands.append(order)
                self._run_next(known)
            case StopPlay():
                if known.commands and isinstance(known.commands[0], Play):
                    plays = known.commands[0]
                    self.time.after(0.0, lambda: self._stopped(known, plays))
            case StartMusic(music_class=music_class):
                known.music = music_class
            case StopMusic():
                known.music = ""
            case Connect(leg=leg):
                self._moved(order, known, lambda: self._bridge(known, leg))
            case StartRecording(recording=recording):
                known.recording, known.recording_muted = recording, False
            case MuteRecording() | UnmuteRecording() | StopRecording():
                self._of_recording(order, known)
            case Part(leg=leg):
                self._moved(order, known, lambda: self._part(known, leg), self.channels.get(leg))
            case Hold(channel=channel):
                self._moved(order, known, lambda: self._move(known, CallHeld(channel)))
            case Desk(channel=channel):
                self._moved(order, known, lambda: self._move(known, LegAtDesk(channel)))
            case TakeBack(channel=channel):
                self._moved(order, known, lambda: self._move(known, CallReturned(channel)))
            case Spy(channel=channel):
                self._soon(LegSpies(channel))
            case EnterRoom(channel=channel, room=room):
                self._moved(order, known, lambda: self._move(known, BridgeEntered(channel, f"room-{room}")))
            case HangUp(channel=channel, cause=cause):
                self.time.after(0.0, lambda: self.hang_up(channel, cause))
            case _:
                pass

    def _of_recording(self, order: MuteRecording | UnmuteRecording | StopRecording, known: FakeChannel) -> None:
        if known.recording != order.recording:
            self._soon(OrderFailed(order.channel, type(order).__name__, "no such recording"))
        elif isinstance(order, StopRecording):
            known.recording = ""
        else:
            known.recording_muted = isinstance(order, MuteRecording)

    # insides -----------------------------------------------------------------------------------------------------

    def _soon(self, fact: Fact) -> None:
        self.time.after(0.0, lambda: self.emit(fact))

    def _stop_timers(self, known: FakeChannel) -> None:
        for timer in known.timers:
            timer.cancel()
        known.timers.clear()

    def _run_next(self, known: FakeChannel) -> None:
        if not known.commands:
            return
        match known.commands[0]:
            case Play(files=files):
                known.music = ""  # a prompt ends the music for good, as in the PBX
                seconds = None if self.seconds_per_file is None else self.seconds_per_file * len(files)
            case Answer():
                seconds, known.answered = self.answer_seconds, True
            case TakeOver():
                seconds = self.answer_seconds
            case RecordMessage():  # its end is the test's to make
                seconds = None
        if seconds is not None:
            known.timers.append(self.time.after(seconds, lambda: self.finish(known.channel)))

    def _moved(
        self, order: Order, known: FakeChannel, then: Callable[[], None], extra: FakeChannel | None = None
    ) -> None:
        """A move takes its time; one that is ordered while another is under way is refused, as Asterisk does."""
        movers = [one for one in (known, extra) if one is not None]
        if any(one.moving for one in movers):
            self._soon(OrderFailed(known.channel, type(order).__name__, "no such channel"))
            return
        for one in movers:
            one.moving = True
            one.commands.clear()
            self._stop_timers(one)

        def arrive() -> None:
            for one in movers:
                one.moving = False
            then()

        self.time.after(self.move_seconds, arrive)

    def _part(self, caller: FakeChannel, leg: str) -> None:
        other = self.channels.get(leg)
        if other is not None:
            self._leave_bridge(other)
            caller.peer = other.peer = ""
            self._move(other, LegAtDesk(leg))
        self._move(caller, CallHeld(caller.channel))

    def _move(self, known: FakeChannel, arrived: CallHeld | LegAtDesk | CallReturned | BridgeEntered) -> None:
        """Out of the bridge that it is in; who is left alone there by it ends or comes back, as in the PBX."""
        if known.channel not in self.channels:
            return
        peer = self.channels.get(known.peer)
        known.peer = ""
        self._leave_bridge(known)
        known.place = _PLACES[type(arrived)]
        if isinstance(arrived, BridgeEntered):
            known.bridge = arrived.bridge
        self.emit(arrived)
        if peer is not None and peer.bridge and not peer.bridge.startswith("room-"):
            peer.peer = ""
            self._leave_bridge(peer)
            if peer.leg:
                self.hang_up(peer.channel)
            else:
                self.emit(CallReturned(peer.channel))

    def _leave_bridge(self, known: FakeChannel) -> None:
        if known.bridge:
            bridge, known.bridge = known.bridge, ""
            self.emit(BridgeLeft(known.channel, bridge))

    def _stopped(self, known: FakeChannel, play: Play) -> None:
        """A stop never hits the next prompt."""
        if known.commands and known.commands[0] is play:
            self.finish(known.channel, interrupted=True)

    def _ring(self, order: RingPhone | RingNumber) -> None:
        endpoint = order.endpoint if isinstance(order, RingPhone) else order.number
        script = self.phones.get(endpoint)
        if script is not None and script.failure is LegFailure.UNREACHABLE:
            self._soon(LegFailed(order.leg, LegFailure.UNREACHABLE, script.cause))
            return
        known = self.channels[order.leg] = FakeChannel(order.leg, leg=True, place=Place.OFFER, endpoint=endpoint)
        if script is None:
            return
        known.timers.append(self.time.after(0.0, lambda: self.emit(LegRinging(order.leg))))
        if script.failure is not None:
            fact = LegFailed(order.leg, script.failure, script.cause)
            known.timers.append(self.time.after(script.fail_after, lambda: self._leg_failed(fact)))
        elif script.answer_after is not None and script.answer_after < order.ring_s:
            known.timers.append(self.time.after(script.answer_after, lambda: self.answer_leg(order.leg)))
        else:
            missed = LegFailed(order.leg, LegFailure.NO_ANSWER)
            known.timers.append(self.time.after(order.ring_s, lambda: self._leg_failed(missed)))

    def answer_leg(self, leg: str) -> None:
        """Whoever rings picks up now."""
        known = self.channels[leg]
        self._stop_timers(known)
        known.answered = True
        self.emit(LegAnswered(leg))

    def _leg_failed(self, fact: LegFailed) -> None:
        if self.channels.pop(fact.channel, None) is not None:
            self.emit(fact)
            self.emit(ChannelGone(fact.channel, fact.cause))

    def _bridge(self, caller: FakeChannel, leg: str) -> None:
        other = self.channels.get(leg)
        if caller.channel not in self.channels:
            return
        if other is None:  # the agent hung up in the meantime: the caller comes straight back
            self.emit(CallReturned(caller.channel))
            return
        self._bridges += 1
        caller.bridge = other.bridge = f"bridge-{self._bridges}"
        caller.peer, other.peer = leg, caller.channel
        caller.place = Place.TALK
        self.emit(BridgeEntered(caller.channel, caller.bridge))
        self.emit(BridgeEntered(leg, other.bridge))


_PLACES = {
    CallHeld: Place.HOLD,
    LegAtDesk: Place.DESK,
    CallReturned: Place.RETURNED,
    BridgeEntered: Place.ROOM,
}


def _channel_of(order: Order) -> str:
    match order:
        case RingPhone(leg=leg) | RingNumber(leg=leg):
            return leg
        case Look():
            return ""
        case _:
            return order.channel
