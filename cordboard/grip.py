"""Whether a caller's channel takes our commands: it does, or somebody else has it, or it is on its way back to us.

Decides when the channel is taken over again and when the PBX is told that we are still here. It refuses to know what
the caller is doing.
"""

from __future__ import annotations

from collections.abc import Callable

from pbx.facts import ChannelSeen, CommandDone
from pbx.orders import KeepAlive, TakeOver
from pbx.ports import Switch

LOOK_GRACE_S = 5.0
"""A look may have begun before what we believe came to be."""

LONGEST_FENCE_S = 660.0
"""What a caller says when a predecessor asked for a message is recorded to its end before anything else is done."""


class Grip:
    """On one channel, which is `held` at first."""

    __slots__ = ("_channel", "_clock", "_dead_man_s", "_fence", "_fences", "_lost_at", "_renewed_at", "_switch", "held")

    def __init__(self, channel: str, switch: Switch, clock: Callable[[], float], dead_man_s: int) -> None:
        self._channel = channel
        self._switch = switch
        self._clock = clock
        self._dead_man_s = dead_man_s
        self.held = True
        self._lost_at = 0.0
        self._fence = ""  # the token of a TakeOver that is under way
        self._fences = 0
        self._renewed_at = clock()

    def lose(self) -> None:
        self.held, self._fence = False, ""
        self._lost_at = self._clock()

    def back(self) -> None:
        """The PBX says that it waits for commands; every command of before is void."""
        self.held, self._fence = True, ""

    def take_over(self) -> None:
        """Silence it and learn when it is ours: `taken`."""
        self.lose()
        self._fences += 1
        self._fence = f"fence-{self._fences}"
        self.keep_alive()
        self._switch.send(TakeOver(self._channel, self._fence))

    def awaits(self, fact: CommandDone) -> bool:
        return self._fence != "" and fact.token == self._fence

    def taken(self, fact: CommandDone) -> bool:
        """The answer that was awaited: whether the channel is ours. If not it is going away, or control was lost, and
        that fact follows."""
        self._fence = ""
        self.held = self.held or fact.ok
        return fact.ok

    def forgotten(self, seen: ChannelSeen) -> bool:
        """A look shows it waiting for commands for a while, and the fact that it does so never came."""
        idle = seen.controlled and not self.held and not self._fence
        return idle and self._clock() - self._lost_at >= LOOK_GRACE_S

    def renew(self, now: float) -> None:
        """Tell the PBX that we are still here, often enough that two renewals may be lost; or that we shall be soon."""
        fenced = self._fence != "" and now - self._lost_at < LONGEST_FENCE_S
        if (self.held or fenced) and now - self._renewed_at >= self._dead_man_s / 3:
            self.keep_alive()

    def keep_alive(self) -> None:
        self._renewed_at = self._clock()
        self._switch.send(KeepAlive(self._channel, self._dead_man_s))
