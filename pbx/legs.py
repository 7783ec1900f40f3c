"""The legs that we dialled and that are not over: each fails at most once, however many events say so.

Asterisk 22 tells of a failed leg twice, in either order, because the two come from different threads: `Hangup` with a
Q.850 cause, and `OriginateResponse` with a coarse reason. Mostly the cause says all. Not when the phone could not be
dialled at all: there never was a channel, and only the second comes. And not for cause 19, which stands for our ring
time and for a phone's own 480 alike: only the reason tells them apart. So one waits for the other, but not for long.
"""

from __future__ import annotations

from collections.abc import Callable

from pbx.facts import ChannelGone, Fact, LegAnswered, LegFailed, LegFailure, LegRinging, Snapshot

OTHER_WITHIN = 0.25
"""The two tellings of one failure come within a millisecond of each other; a loaded PBX may take longer."""

_NO_ANSWER = 19

_BY_CAUSE = {
    1: LegFailure.UNREACHABLE,  # SIP 404, 604
    3: LegFailure.UNREACHABLE,  # no contact, no such endpoint
    17: LegFailure.BUSY,  # SIP 486, 600
    18: LegFailure.UNREACHABLE,  # SIP 408: the phone is registered but does not react
    20: LegFailure.UNREACHABLE,
    21: LegFailure.REFUSED,  # SIP 603, 403
    27: LegFailure.UNREACHABLE,  # SIP 502
}

# `Reason` is a control frame number: 3 ringing, 5 busy, 8 congestion, 0 everything else (main/pbx.c, pbx_dial_reason).
_RING_TIME_OVER = b"3"
_BY_REASON = {
    b"0": LegFailure.UNREACHABLE,
    b"3": LegFailure.NO_ANSWER,
    b"5": LegFailure.BUSY,
}


class Leg:
    """One leg from the order to dial it until its end."""

    __slots__ = ("answered", "cause", "channel", "reason", "ringing")

    def __init__(self, channel: str) -> None:
        self.channel = channel
        self.ringing = False
        self.answered = False
        self.cause: int | None = None
        self.reason = b""

    def failure(self) -> LegFailure:
        """Why it was not answered, from what is known by now."""
        if self.cause is None:
            return _BY_REASON.get(self.reason, LegFailure.FAILED)
        if self.cause != _NO_ANSWER:
            return _BY_CAUSE.get(self.cause, LegFailure.FAILED)
        if self.reason == b"0":
            return LegFailure.REFUSED  # the phone said 480: do-not-disturb, or somebody pressed "reject"
        return LegFailure.NO_ANSWER if self.ringing else LegFailure.UNREACHABLE


class Legs:
    """Legs by channel id."""

    def __init__(self, emit: Callable[[Fact], None], after: Callable[[float, Callable[[], None]], object]) -> None:
        self._emit = emit
        self._after = after
        self._legs: dict[str, Leg] = {}

    def __len__(self) -> int:
        return len(self._legs)

    def dialled(self, channel: str) -> None:
        self._legs[channel] = Leg(channel)

    def refused(self, channel: str) -> None:
        """The order was refused: there will be no leg to tell of."""
        self._legs.pop(channel, None)

    def ringing(self, channel: str) -> None:
        leg = self._legs.get(channel)
        if leg is not None and not leg.ringing:
            leg.ringing = True
            self._emit(LegRinging(channel))

    def answered(self, channel: str) -> None:
        leg = self._legs.get(channel)
        if leg is not None:
            leg.answered = True
        self._emit(LegAnswered(channel))

    def originate_failed(self, channel: str, reason: bytes) -> None:
        """`OriginateResponse` says failure."""
        leg = self._legs.get(channel)
        if leg is None:
            return
        leg.reason = reason
        if leg.cause is not None:
            self._over(leg)
        else:
            self._after(OTHER_WITHIN, lambda: self._over(leg))

    def gone(self, channel: str, cause: int) -> None:
        """The channel was hung up: when nobody had answered the leg has failed."""
        leg = self._legs.get(channel)
        if leg is None or leg.answered:
            self._legs.pop(channel, None)
            self._emit(ChannelGone(channel, cause))
            return
        leg.cause = cause
        if cause != _NO_ANSWER or leg.reason:
            self._over(leg)
        else:
            self._after(OTHER_WITHIN, lambda: self._over(leg))

    def missing(self, snapshot: Snapshot) -> None:
        """After a lost link: legs that ended while nobody listened."""
        there = {seen.channel for seen in snapshot.channels}
        for leg in [leg for leg in self._legs.values() if leg.channel not in there]:
            if leg.answered:
                del self._legs[leg.channel]
            else:
                self._over(leg)

    def _over(self, leg: Leg) -> None:
        if self._legs.get(leg.channel) is not leg:
            return
        del self._legs[leg.channel]
        self._emit(LegFailed(leg.channel, leg.failure(), leg.cause or 0))
        if leg.cause is not None:
            self._emit(ChannelGone(leg.channel, leg.cause))
