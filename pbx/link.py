"""The link to the PBX: connect, log in, look, carry facts in and orders out, and begin again when it is lost.

Decides the life of the link. Nothing is ever resent: what was outstanding when the link was lost is forgotten here, and
whoever ordered it looks at the snapshot of the next `LinkUp`. It refuses to know why an order was given.
"""

from __future__ import annotations

import asyncio
import random
import secrets
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import structlog

from pbx import actions
from pbx.agi import AsyncAgi
from pbx.connection import AmiConnection, SessionLimits, open_connection
from pbx.errors import EncodeError, LinkError, LinkLost, LoginRefused
from pbx.facts import Fact, LinkDown, LinkUp, Looked, OrderFailed
from pbx.inbox import CAPACITY, Inbox
from pbx.legs import Legs
from pbx.look import look
from pbx.monitors import Monitors
from pbx.orders import (
    Answer,
    Connect,
    Desk,
    EnterRoom,
    HangUp,
    Hold,
    KeepAlive,
    Look,
    MuteRecording,
    Order,
    Part,
    Play,
    RecordMessage,
    Remember,
    RingNumber,
    RingPhone,
    SetLanguage,
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
from pbx.translate import Translator
from pbx.wire import Message

log = structlog.get_logger()

_Move = Connect | Part | Hold | Desk | EnterRoom | TakeBack | Spy


@dataclass(frozen=True, slots=True)
class LinkSettings:
    """Where the PBX is and how patient we are with it. Seconds."""

    host: str
    port: int
    user: str
    secret: str = field(repr=False)
    tls: ssl.SSLContext | None = None
    limits: SessionLimits = field(default_factory=SessionLimits)
    backoff_first: float = 0.2
    backoff_most: float = 5.0
    boot: float = 60.0
    inbox: int = CAPACITY
    recordings: str = ""  # the folder, as the PBX sees it; "": nothing can be recorded
    messages: str = ""  # likewise, of what callers say to nobody


@dataclass(slots=True)
class LinkCounters:
    """For `/metrics`. Totals since the process started, but for `up`, `waiting` and `held`."""

    up: bool = False
    waiting: int = 0  # facts in the inbox
    held: int = 0  # channels in our hands
    messages: int = 0
    unknown_events: int = 0
    oversize_messages: int = 0
    facts_dropped: int = 0
    facts_handled: int = 0
    handler_errors: int = 0
    orders: int = 0
    orders_failed: int = 0
    stale_replies: int = 0
    garbled_replies: int = 0
    connects: int = 0
    losses: int = 0


class PbxLink:
    """A `ports.Switch`. `run` owns the link until `close`; `sink` gets every fact, in order, on this event loop."""

    def __init__(self, settings: LinkSettings, sink: FactSink) -> None:
        self._settings = settings
        self._sink = sink
        self._connection: AmiConnection | None = None  # only while the link is up
        self._session: AmiConnection | None = None  # from login on
        self._box: Inbox | None = None
        self._early: list[Fact] | None = None  # facts between login and the first look
        self._legs = Legs(self._emit, self._after)
        self._monitors = Monitors()
        self._counts = LinkCounters()
        self._booted: asyncio.Event | None = None
        self._closing: asyncio.Event | None = None
        self._looking: asyncio.Task[None] | None = None
        # Replies to commands of a predecessor, or of another controller, must never be taken for ours.
        prefix = f"cb{secrets.token_hex(3)}-"
        self._prefix = prefix
        self._agi = AsyncAgi(self, self._emit, self._after, prefix, settings.messages)
        self._translator = Translator(self._emit, self._agi, self._legs)
        self._carriers: dict[type[Order], Callable[..., None]] = {
            Answer: self._agi.order,
            Play: self._agi.order,
            StopPlay: self._agi.order,
            RecordMessage: self._agi.order,
            StartMusic: self._agi.order,
            StopMusic: self._agi.order,
            TakeOver: self._agi.order,
            Remember: self._remember,
            SetLanguage: self._set_language,
            KeepAlive: self._keep_alive,
            StartRecording: self._start_recording,
            MuteRecording: self._of_recording,
            UnmuteRecording: self._of_recording,
            StopRecording: self._of_recording,
            RingPhone: lambda order: self._ring(actions.ring_phone(order), order),
            RingNumber: lambda order: self._ring(actions.ring_number(order), order),
            Connect: lambda order: self._move(actions.connect(order), order),
            Part: lambda order: self._move(actions.part(order), order),
            Hold: lambda order: self._move(actions.hold(order), order),
            Desk: lambda order: self._move([actions.desk(order)], order),
            EnterRoom: lambda order: self._move(actions.enter_room(order), order),
            TakeBack: lambda order: self._move([actions.take_back(order)], order),
            Spy: lambda order: self._move(actions.spy(order), order),
            HangUp: self._hang_up,
            Look: self._look,
        }

    # life --------------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Keep the link up until `close`. Ends early only by cancellation."""
        self._closing = asyncio.Event()
        pause = self._settings.backoff_first
        while not self._closing.is_set():
            connects = self._counts.connects
            reason = await self._session_until_close()
            if self._closing.is_set():
                return
            if self._counts.connects > connects:
                pause = self._settings.backoff_first
            log.warning("no PBX link", reason=reason, retry_in=round(pause, 2))
            try:
                # Half fixed, half random: many services must not come back to one PBX in step.
                async with asyncio.timeout(pause * (0.5 + random.random() / 2)):
                    await self._closing.wait()
            except TimeoutError:
                pause = min(pause * 2, self._settings.backoff_most)

    async def close(self) -> None:
        """End `run`. What is under way in the PBX goes on there."""
        if self._closing is not None:
            self._closing.set()

    async def _session_until_close(self) -> str:
        """Why the session ended."""
        assert self._closing is not None
        session = asyncio.ensure_future(self._one_session())
        closing = asyncio.ensure_future(self._closing.wait())
        try:
            await asyncio.wait((session, closing), return_when=asyncio.FIRST_COMPLETED)
        finally:
            closing.cancel()
            session.cancel()
            await asyncio.wait((session, closing))
        try:
            session.result()
        except LinkError as lost:
            return str(lost)
        except asyncio.CancelledError:
            pass
        return "closed by us"

    async def _one_session(self) -> None:
        """From connecting to the loss of the connection, which is raised as `LinkError`."""
        settings = self._settings
        self._booted = asyncio.Event()
        connection = await open_connection(
            settings.host,
            settings.port,
            limits=settings.limits,
            on_event=self._event,
            action_prefix=self._prefix,
            tls=settings.tls,
        )
        self._session = connection
        self._early = []
        try:
            await connection.login(settings.user, settings.secret)
            await self._until_booted(connection)
            await refuse_dangerous(connection)
            snapshot = await look(connection)
            self._up(connection, LinkUp(snapshot))
            reason = await asyncio.shield(connection.lost)
            raise LinkLost(reason)
        finally:
            connection.abandon("closed by us")  # does nothing when it was lost before
            self._down(connection)

    async def _until_booted(self, connection: AmiConnection) -> None:
        """Asterisk says FullyBooted at login, or later while it still starts. Before that its lists are not true."""
        assert self._booted is not None
        booted = asyncio.ensure_future(self._booted.wait())
        try:
            await asyncio.wait(
                (booted, connection.lost), timeout=self._settings.boot, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            booted.cancel()
        if connection.lost.done():
            raise LinkLost(connection.lost.result())
        if not self._booted.is_set():
            raise LoginRefused("no FullyBooted: the PBX is not ready, or our user may not read class system")

    def _up(self, connection: AmiConnection, fact: LinkUp) -> None:
        early, self._early = self._early or [], None
        self._connection = connection
        self._counts.connects += 1
        self._inbox.put_always(fact)
        self._legs.missing(fact.snapshot)
        self._monitors.looked(fact.snapshot)
        for one in early:
            self._inbox.put(one)
        log.info("the PBX link is up", channels=len(fact.snapshot.channels))

    def _down(self, connection: AmiConnection) -> None:
        self._counts.messages += connection.messages
        self._counts.oversize_messages += connection.reader.oversize
        was_up, self._connection, self._session, self._early = self._connection is not None, None, None, None
        self._agi.drop_all()
        if self._looking is not None:
            self._looking.cancel()
        if was_up:
            self._counts.losses += 1
            self._inbox.put_always(LinkDown(connection.lost.result()))

    def counters(self) -> LinkCounters:
        """A fresh copy of the figures."""
        counts, inbox, session = replace(self._counts), self._box, self._session
        counts.up = self._connection is not None
        counts.held = len(self._agi)
        counts.unknown_events = self._translator.unknown
        counts.stale_replies = self._agi.stale_replies
        counts.garbled_replies = self._agi.garbled_replies
        if session is not None:
            counts.messages += session.messages
            counts.oversize_messages += session.reader.oversize
        if inbox is not None:
            counts.waiting = len(inbox)
            counts.facts_dropped = inbox.dropped
            counts.facts_handled = inbox.handled
            counts.handler_errors = inbox.handler_errors
        return counts

    @property
    def _inbox(self) -> Inbox:
        """Made on first use: orders may come, and fail, before `run` has begun."""
        if self._box is None:
            self._box = Inbox(asyncio.get_running_loop(), self._sink, self._look_again, self._settings.inbox)
        return self._box

    # facts in ----------------------------------------------------------------------------------------------------

    def _event(self, message: Message) -> None:
        if message.raw.startswith(b"Event: FullyBooted") and self._booted is not None:
            self._booted.set()
        else:
            self._translator.event(message)

    def _emit(self, fact: Fact) -> None:
        if type(fact) is OrderFailed:
            self._counts.orders_failed += 1
        if self._early is not None:
            if len(self._early) < self._settings.inbox:  # the rest the first look shows
                self._early.append(fact)
        else:
            self._inbox.put(fact)

    def _after(self, seconds: float, callback: Callable[[], None]) -> asyncio.TimerHandle:
        return asyncio.get_running_loop().call_later(seconds, callback)

    # orders out --------------------------------------------------------------------------------------------------

    def send(self, order: Order) -> None:
        self._counts.orders += 1
        if self._connection is None:
            self._fail(order, "link down")
            return
        try:
            self._carriers[type(order)](order)
        except EncodeError as refused:
            log.error("an order that must not be sent", order=type(order).__name__, reason=str(refused))
            self._fail(order, "bad value")

    def _fail(self, order: Order, reason: str, *, unknown: bool = False) -> None:
        match order:
            case RingPhone(leg=channel) | RingNumber(leg=channel):
                pass
            case Look():
                channel = ""
            case _:
                channel = order.channel
        self._emit(OrderFailed(channel, type(order).__name__, reason, unknown))

    def _send(self, action: actions.Action, order: Order, on_failure: Callable[[], None] | None = None) -> None:
        """Send one action of an order. Success is silent: the truth is the event that follows."""

        def answered(reply: Message | None) -> None:
            if reply is not None and reply.raw.startswith(b"Response: Success"):
                return
            if reply is None:
                self._fail(order, "no answer", unknown=True)
                return
            if on_failure is not None:
                on_failure()
            self._fail(order, actions.refusal(reply.text(b"Message")))

        assert self._connection is not None
        self._connection.send_action(action[0], action[1], answered)

    def _send_quietly(self, action: actions.Action) -> None:
        """Send an action whose failure another one of the same order tells."""
        if self._connection is not None:
            self._connection.send_action(action[0], action[1], _ignore)

    def _remember(self, order: Remember) -> None:
        *first, last = actions.remember(order)
        for action in first:
            self._send_quietly(action)
        self._send(last, order)

    def _set_language(self, order: SetLanguage) -> None:
        self._send(actions.set_language(order), order)

    def _keep_alive(self, order: KeepAlive) -> None:
        self._send(actions.keep_alive(order), order)

    def _ring(self, action: actions.Action, order: RingPhone | RingNumber) -> None:
        self._legs.dialled(order.leg)
        self._send(action, order, lambda: self._legs.refused(order.leg))

    def _move(self, steps: list[actions.Action], order: _Move) -> None:
        """Send a channel to another place of the dialplan, with what it must know there; out of our hands with it."""
        *variables, redirect = steps
        self._agi.leave(order.channel)
        for variable in variables:
            self._send_quietly(variable)
        self._send(redirect, order, lambda: self._agi.stay(order.channel))

    def _start_recording(self, order: StartRecording) -> None:
        *variables, start = actions.start_recording(order, self._settings.recordings)

        def answered(reply: Message | None) -> None:
            handle = reply.text(b"MixMonitorID") if reply is not None else ""
            if handle:
                self._monitors.started(order.channel, order.recording, handle)
                return
            self._monitors.over(order.channel, order.recording)
            if reply is None:
                self._fail(order, "no answer", unknown=True)
            else:
                self._fail(order, actions.refusal(reply.text(b"Message")))

        assert self._connection is not None
        self._monitors.ordered(order.channel, order.recording)
        for variable in variables:
            self._send_quietly(variable)
        self._connection.send_action(start[0], start[1], answered)

    def _of_recording(self, order: MuteRecording | UnmuteRecording | StopRecording) -> None:
        def send(handle: str) -> None:
            if not handle or self._connection is None:
                self._fail(order, "no such recording")
            elif isinstance(order, StopRecording):
                self._monitors.over(order.channel, order.recording)
                variable, stop = actions.stop_recording(order.channel, handle)
                self._send_quietly(variable)
                self._send(stop, order)
            else:
                mute = isinstance(order, MuteRecording)
                self._send(actions.mute_recording(order.channel, handle, mute=mute), order)

        self._monitors.with_handle(order.channel, order.recording, send)

    def _hang_up(self, order: HangUp) -> None:
        self._send(actions.hang_up(order), order)
        self._agi.hanging(order.channel)

    def _look(self, order: Look) -> None:
        if self._looking is None or self._looking.done():
            self._looking = asyncio.get_running_loop().create_task(self._look_now(order), name="look")

    def _look_again(self) -> None:
        if self._connection is not None:
            self._look(Look())

    async def _look_now(self, order: Look) -> None:
        connection = self._connection
        if connection is None:
            return
        try:
            snapshot = await look(connection)
        except LinkError as failed:
            if not connection.lost.done():
                log.warning("a look at the PBX failed", reason=str(failed))
                self._fail(order, "no answer", unknown=True)
            return
        except Exception:
            log.exception("a look at the PBX could not be understood")
            return
        if self._connection is connection:
            self._inbox.put_always(Looked(snapshot))

    # agi.Wire ----------------------------------------------------------------------------------------------------

    def command(self, channel: str, command: str, command_id: str) -> None:
        def answered(reply: Message | None) -> None:
            if reply is None:
                self._agi.refused(channel, command_id, "no answer", unknown=True)
            elif not reply.raw.startswith(b"Response: Success"):
                self._agi.refused(channel, command_id, actions.refusal(reply.text(b"Message")), unknown=False)

        name, headers = actions.agi_command(channel, command, command_id)
        if self._connection is not None:
            self._connection.send_action(name, headers, answered)

    def stop(self, channel: str) -> None:
        self._send_quietly(actions.stop_playback(channel))


async def refuse_dangerous(connection: AmiConnection) -> None:
    """Whoever may give AGI commands may do anything on a PBX with `live_dangerously`: not with our callers.

    Asterisk 22 tells the setting nowhere but in the CLI. A function that AMI may only read when it is on (`STAT`,
    harmless as used here) tells it too; where the function is not loaded at all the answer is empty, and safe as well.
    """
    reply = await connection.request("Getvar", (("Variable", "STAT(e,/)"),))
    if reply.get(b"Value") == b"1":
        raise LoginRefused("live_dangerously is on in asterisk.conf: turn it off")


def _ignore(reply: Message | None) -> None:
    """The order's last action tells."""
