"""Channels in our hands: at most one async AGI command outstanding on each, the rest waits here in order.

Decides when a command starts, what its reply means, and that a stop never hits the next prompt. An `asyncio`-free core:
it is given `send`, `stop` and `after`. Quirks of Asterisk 22 that it hides (res/res_agi.c):
- A running command is not interrupted by another one; a prompt is, by an escape digit or by AMI `ControlPlayback`.
- A stop that arrives just after a prompt ended waits on the channel and stops the next one: that one is played again
  from where it was cut, because a result of 1000 without a stop of ours can mean nothing else.
- Why RECORD FILE ended stands in parentheses in its reply; `result` may be what was left of the time.
- Replies are matched by CommandID alone. One that cannot be parsed shifts all later ones: the channel is given up.
- Commands still queued in the PBX survive a redirect and run on return, hence nothing is sent ahead.
- A negative result ends the AGI, and so does a hang-up, and neither says which it was: what failed, and that control is
  lost, is told only when no `Hangup` has followed for a moment.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Protocol

from pbx.actions import record_message
from pbx.agi_reply import NOT_BEGUN, STOPPED, AgiReply, message_end, parse_reply
from pbx.errors import EncodeError
from pbx.facts import CommandDone, ControlLost, Fact, MessageEnd, MessageRecorded, OrderFailed
from pbx.orders import Answer, Play, RecordMessage, StartMusic, StopMusic, StopPlay, TakeOver

Command = Answer | Play | RecordMessage | StartMusic | StopMusic | TakeOver
ESCAPE_DIGITS = "0123456789*#ABCD"
STOP_AFTER = 0.1
"""A pressed key stops a prompt within a frame; when it did not (it fell between two files) we stop it ourselves."""

LOST_AFTER = 1.0
"""Asterisk hangs up within milliseconds after an AGI that ended for a hang-up; a loaded one may take longer."""

MAX_QUEUE = 64
MAX_REPLAYS = 3


class Timer(Protocol):
    def cancel(self) -> None: ...


class Wire(Protocol):
    """How commands leave. Both raise `EncodeError` for what must not be sent."""

    def command(self, channel: str, command: str, command_id: str) -> None: ...
    def stop(self, channel: str) -> None: ...


class Hand:
    """One channel in our hands."""

    __slots__ = (
        "channel",
        "command_id",
        "failed",
        "file",
        "hanging",
        "keyed",
        "leaving",
        "offset",
        "queue",
        "replays",
        "running",
        "stop_sent",
        "stopping",
        "timer",
    )

    def __init__(self, channel: str) -> None:
        self.channel = channel
        self.queue: deque[tuple[Command, bool]] = deque()  # the command, and whether it was stopped before it began
        self.running: Command | None = None
        self.command_id = b""
        self.failed: Command | None = None  # ended with a negative result: the AGI is ending
        self.leaving = False  # we sent it elsewhere
        self.hanging = False  # its hang-up is under way
        self.timer: Timer | None = None
        self._reset_play()

    def _reset_play(self) -> None:
        self.file = 0
        self.offset = 0
        self.replays = 0
        self.keyed = False  # a key was pressed while an interruptible prompt played
        self.stopping = False  # StopPlay was ordered
        self.stop_sent = False

    def begin(self, command: Command) -> None:
        self.running = command
        self._reset_play()

    def clear(self) -> None:
        self.queue.clear()
        self.running = None
        self.command_id = b""
        self.cancel_timer()

    def cancel_timer(self) -> None:
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None


class AsyncAgi:
    """All channels in our hands, by unique id."""

    def __init__(
        self,
        wire: Wire,
        emit: Callable[[Fact], None],
        after: Callable[[float, Callable[[], None]], Timer],
        command_prefix: str,
        messages: str = "",
    ) -> None:
        """`messages`: the folder of callers' messages, as the PBX sees it."""
        self.stale_replies = 0
        self.garbled_replies = 0
        self._wire = wire
        self._emit = emit
        self._after = after
        self._prefix = command_prefix
        self._messages = messages
        self._number = 0
        self._hands: dict[str, Hand] = {}
        self._ending: dict[str, Timer] = {}  # channels whose AGI ended: lost, unless they turn out to be hung up

    def __len__(self) -> int:
        return len(self._hands)

    # what happens to channels ------------------------------------------------------------------------------------

    def entered(self, channel: str) -> None:
        """The channel waits for commands, freshly: nothing older can be outstanding."""
        self.drop(channel)
        self._hands[channel] = Hand(channel)

    def ended(self, channel: str) -> None:
        """Async AGI ended on the channel. When neither we nor a hang-up made it end, control is lost."""
        hand = self._hands.pop(channel, None)
        if hand is None:
            return
        hand.clear()
        if hand.leaving or hand.hanging:
            return

        def lost() -> None:
            del self._ending[channel]
            if isinstance(hand.failed, (Answer, Play, TakeOver)):
                self._emit(CommandDone(channel, hand.failed.token, ok=False))
            self._emit(ControlLost(channel))

        self._ending[channel] = self._after(LOST_AFTER, lost)

    def drop(self, channel: str) -> None:
        """The channel is gone, or its story begins anew."""
        hand = self._hands.pop(channel, None)
        if hand is not None:
            hand.clear()
        timer = self._ending.pop(channel, None)
        if timer is not None:
            timer.cancel()

    def drop_all(self) -> None:
        for channel in [*self._hands, *self._ending]:
            self.drop(channel)

    def hanging(self, channel: str) -> None:
        """We hang it up: that its AGI ends is no loss."""
        hand = self._hands.get(channel)
        if hand is not None:
            hand.hanging = True

    def leave(self, channel: str) -> None:
        """We send the channel elsewhere; whatever ran or waited here is void."""
        hand = self._hands.get(channel)
        if hand is not None:
            hand.clear()
            hand.leaving = True

    def stay(self, channel: str) -> None:
        """The PBX refused to send it elsewhere."""
        hand = self._hands.get(channel)
        if hand is not None:
            hand.leaving = False

    def key(self, channel: str) -> None:
        """A key was pressed: an interruptible prompt stops by itself, at most we must help."""
        hand = self._hands.get(channel)
        if hand is None or hand.keyed or not isinstance(hand.running, Play) or not hand.running.interruptible:
            return
        hand.keyed = True
        self._stop_later(hand)

    # orders ------------------------------------------------------------------------------------------------------

    def order(self, order: Command | StopPlay) -> None:
        if isinstance(order, TakeOver):
            self._take_over(order)
            return
        hand = self._hands.get(order.channel)
        if hand is None or hand.leaving or hand.failed is not None:
            self._emit(OrderFailed(order.channel, type(order).__name__, "not controlled"))
        elif isinstance(order, StopPlay):
            self._stop_play(hand)
        elif hand.running is None:
            self._begin(hand, order)
        elif len(hand.queue) < MAX_QUEUE:
            hand.queue.append((order, False))
        else:
            self._emit(OrderFailed(order.channel, type(order).__name__, "too many commands wait"))

    def _take_over(self, order: TakeOver) -> None:
        old = self._hands.get(order.channel)
        may_play = old is None or isinstance(old.running, Play)
        self.entered(order.channel)
        if may_play:
            self._wire.stop(order.channel)
        self._begin(self._hands[order.channel], order)

    def _stop_play(self, hand: Hand) -> None:
        hand.queue = deque((command, stopped or isinstance(command, Play)) for command, stopped in hand.queue)
        if not isinstance(hand.running, Play) or hand.stopping:
            return
        hand.stopping = True
        if not hand.keyed:
            self._stop_now(hand)

    def _stop_later(self, hand: Hand) -> None:
        command_id = hand.command_id

        def overdue() -> None:
            hand.timer = None
            if hand.command_id == command_id:
                self._stop_now(hand)

        hand.timer = self._after(STOP_AFTER, overdue)

    def _stop_now(self, hand: Hand) -> None:
        if not hand.stop_sent:
            hand.stop_sent = True
            self._wire.stop(hand.channel)

    # commands ----------------------------------------------------------------------------------------------------

    def _begin(self, hand: Hand, command: Command) -> None:
        hand.begin(command)
        if isinstance(command, Play) and not command.files:
            self._finish(hand, ok=True)
        else:
            self._send(hand, command)

    def _send(self, hand: Hand, command: Command) -> None:
        self._number += 1
        command_id = f"{self._prefix}{self._number}"
        hand.command_id = command_id.encode()
        try:
            self._wire.command(hand.channel, self._text(command, hand), command_id)
        except EncodeError:
            self._finish(hand, ok=False)

    def refused(self, channel: str, command_id: str, reason: str, *, unknown: bool) -> None:
        """The PBX did not take the command, or did not say so in time (then it may still run, and still answer)."""
        hand = self._hands.get(channel)
        if hand is None or hand.command_id != command_id.encode() or hand.running is None:
            return
        self._emit(OrderFailed(channel, type(hand.running).__name__, reason, unknown))
        if not unknown:
            hand.cancel_timer()
            self._next(hand)

    def reply(self, channel: str, command_id: bytes, encoded: bytes) -> None:
        """A command ended."""
        hand = self._hands.get(channel)
        if hand is None or hand.running is None or hand.command_id != command_id:
            self.stale_replies += 1
            return
        reply = parse_reply(encoded)
        if reply is None:
            self._garbled(hand)
        elif isinstance(hand.running, RecordMessage):
            self._recorded(hand, hand.running, reply)
        elif reply.result < 0:
            failed = hand.running
            hand.clear()
            hand.failed = failed
        elif isinstance(hand.running, Play):
            self._played(hand, hand.running, reply)
        else:
            self._finish(hand, ok=reply.status == 200)

    def _played(self, hand: Hand, play: Play, reply: AgiReply) -> None:
        hand.cancel_timer()
        result = reply.result
        if reply.status != 200:
            self._finish(hand, ok=False)
        elif result == STOPPED and not (hand.stop_sent or hand.keyed) and hand.replays < MAX_REPLAYS:
            hand.replays += 1
            hand.offset = reply.end
            self._send(hand, play)
        elif result or hand.keyed or hand.stopping:
            self._finish(hand, ok=True, interrupted=True)
        elif hand.file + 1 < len(play.files):
            hand.file += 1
            hand.offset = 0
            self._send(hand, play)
        else:
            self._finish(hand, ok=True)

    def _recorded(self, hand: Hand, order: RecordMessage, reply: AgiReply) -> None:
        end, seconds = message_end(reply, order.max_s, order.silence_s)
        self._emit(MessageRecorded(hand.channel, order.token, end, seconds))
        if reply.result < 0 and reply.word != NOT_BEGUN:
            hand.clear()
            hand.failed = order
        else:
            self._next(hand)

    def _finish(self, hand: Hand, *, ok: bool, interrupted: bool = False) -> None:
        command = hand.running
        if isinstance(command, RecordMessage):  # not sent
            self._emit(MessageRecorded(hand.channel, command.token, MessageEnd.FAILED, 0.0))
        elif isinstance(command, (Answer, Play, TakeOver)):
            self._emit(CommandDone(hand.channel, command.token, ok, interrupted))
        elif not ok and command is not None:
            self._emit(OrderFailed(hand.channel, type(command).__name__, "refused"))
        self._next(hand)

    def _next(self, hand: Hand) -> None:
        hand.running = None
        while hand.queue and hand.running is None:
            command, stopped = hand.queue.popleft()
            if stopped and isinstance(command, Play):
                self._emit(CommandDone(hand.channel, command.token, ok=True, interrupted=True))
            else:
                self._begin(hand, command)

    def _garbled(self, hand: Hand) -> None:
        self.garbled_replies += 1
        self.drop(hand.channel)
        self._emit(ControlLost(hand.channel))
        self._number += 1
        self._wire.command(hand.channel, "ASYNCAGI BREAK", f"{self._prefix}{self._number}")

    def _text(self, command: Command, hand: Hand) -> str:
        match command:
            case Play():
                digits = ESCAPE_DIGITS if command.interruptible else ""
                text = f'STREAM FILE {_quoted(command.files[hand.file])} "{digits}"'
                return f"{text} {hand.offset}" if hand.offset else text
            case RecordMessage():
                return record_message(command, self._messages)
            case Answer():
                return "ANSWER"
            case StartMusic():
                return f"SET MUSIC ON {_quoted(command.music_class)}"
            case StopMusic():
                return "SET MUSIC OFF"
            case TakeOver():
                return "NOOP"


def _quoted(word: str) -> str:
    """One word of an AGI command. A quote or a backslash would end it early; control characters `wire` refuses."""
    if '"' in word or "\\" in word:
        raise EncodeError("a quote or a backslash in an AGI argument")
    return f'"{word}"'
