"""The legs that we dialled and that are not over: each fails at most once, however many events say so.

Asterisk 22 tells of a failed leg twice, in either order, because the two come from different threads: `Hangup` with the
Q.850 cause and the SIP status, and `OriginateResponse` with a coarse reason. The first knows more. When the phone could
not be reached at all there never was a channel and only the second comes.
"""

from __future__ import annotations

from enum import IntEnum

from pbx.facts import LegFailed, LegFailure, Snapshot

_BY_CAUSE = {
    1: LegFailure.UNREACHABLE,  # SIP 404, 604
    3: LegFailure.UNREACHABLE,  # no contact, no such endpoint
    17: LegFailure.BUSY,  # SIP 486, 600
    18: LegFailure.UNREACHABLE,  # SIP 408: the phone is registered but does not react
    19: LegFailure.NO_ANSWER,  # our ring time passed
    20: LegFailure.UNREACHABLE,
    21: LegFailure.REFUSED,  # SIP 603, 403
    27: LegFailure.UNREACHABLE,  # SIP 502
}

# `Reason` is a control frame number: 3 ringing, 5 busy, 8 congestion, 0 everything else (main/pbx.c, pbx_dial_reason).
_BY_REASON = {
    b"0": LegFailure.UNREACHABLE,
    b"3": LegFailure.NO_ANSWER,
    b"5": LegFailure.BUSY,
}


class Stage(IntEnum):
    DIALLED = 1  # ordered; no channel seen yet
    CREATED = 2  # the channel exists: its Hangup will come
    RINGING = 3
    ANSWERED = 4


class Legs:
    """Stages by channel id."""

    def __init__(self) -> None:
        self._stages: dict[str, Stage] = {}

    def __len__(self) -> int:
        return len(self._stages)

    def dialled(self, leg: str) -> None:
        self._stages[leg] = Stage.DIALLED

    def refused(self, leg: str) -> None:
        """The order was refused: there will be no leg to tell of."""
        self._stages.pop(leg, None)

    def created(self, leg: str) -> None:
        if self._stages.get(leg) is Stage.DIALLED:
            self._stages[leg] = Stage.CREATED

    def ringing(self, leg: str) -> bool:
        """True when that is news."""
        if self._stages.get(leg, Stage.ANSWERED) >= Stage.RINGING:
            return False
        self._stages[leg] = Stage.RINGING
        return True

    def answered(self, leg: str) -> None:
        self._stages[leg] = Stage.ANSWERED

    def originate_failed(self, leg: str, reason: bytes) -> LegFailed | None:
        """`OriginateResponse` says failure. Where a channel exists its Hangup says it better."""
        if self._stages.get(leg) is not Stage.DIALLED:
            return None
        del self._stages[leg]
        return LegFailed(leg, _BY_REASON.get(reason, LegFailure.FAILED))

    def gone(self, leg: str, cause: int, sip_status: bytes) -> LegFailed | None:
        """The channel was hung up: a failure when nobody had answered."""
        if self._stages.pop(leg, Stage.ANSWERED) is Stage.ANSWERED:
            return None
        failure = _BY_CAUSE.get(cause, LegFailure.FAILED)
        if sip_status == b"480" and failure is LegFailure.NO_ANSWER:
            # Phones say 480 when somebody presses "reject" or has set do-not-disturb; Asterisk folds it into cause 19.
            failure = LegFailure.REFUSED
        return LegFailed(leg, failure, cause)

    def missing(self, snapshot: Snapshot) -> list[LegFailed]:
        """After a lost link: legs that ended while nobody listened."""
        there = {seen.channel for seen in snapshot.channels}
        missing = [leg for leg in self._stages if leg not in there]
        unanswered = [leg for leg in missing if self._stages[leg] is not Stage.ANSWERED]
        for leg in missing:
            del self._stages[leg]
        return [LegFailed(leg, LegFailure.FAILED) for leg in unanswered]
