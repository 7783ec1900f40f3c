"""The legs that we dialled and that are not over: each fails at most once, however many events say so.

Asterisk 22 tells of a failed leg twice, in either order, because the two come from different threads: `Hangup` with the
Q.850 cause and the SIP status, and `OriginateResponse` with a coarse reason. The first knows more. When the phone could
not be reached at all there never was a channel and only the second comes; it is believed when no `Hangup` follows.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum

from pbx.facts import Fact, LegAnswered, LegFailed, LegFailure, LegRinging, Snapshot

HANGUP_WITHIN = 0.25
"""The two tellings of one failure come within a millisecond of each other; a loaded PBX may take longer."""

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
    RINGING = 2  # a channel exists: its Hangup will come
    ANSWERED = 3


class Legs:
    """Stages by channel id."""

    def __init__(self, emit: Callable[[Fact], None], after: Callable[[float, Callable[[], None]], object]) -> None:
        self._emit = emit
        self._after = after
        self._stages: dict[str, Stage] = {}

    def __len__(self) -> int:
        return len(self._stages)

    def dialled(self, leg: str) -> None:
        self._stages[leg] = Stage.DIALLED

    def refused(self, leg: str) -> None:
        """The order was refused: there will be no leg to tell of."""
        self._stages.pop(leg, None)

    def ringing(self, leg: str) -> None:
        if self._stages.get(leg) is Stage.DIALLED:
            self._stages[leg] = Stage.RINGING
            self._emit(LegRinging(leg))

    def answered(self, leg: str) -> None:
        self._stages[leg] = Stage.ANSWERED
        self._emit(LegAnswered(leg))

    def originate_failed(self, leg: str, reason: bytes) -> None:
        """`OriginateResponse` says failure. Where there was a channel its Hangup says it better."""

        def no_hangup() -> None:
            if self._stages.get(leg) is Stage.DIALLED:
                del self._stages[leg]
                self._emit(LegFailed(leg, _BY_REASON.get(reason, LegFailure.FAILED)))

        if self._stages.get(leg) is Stage.DIALLED:
            self._after(HANGUP_WITHIN, no_hangup)

    def gone(self, leg: str, cause: int, sip_status: bytes) -> None:
        """The channel was hung up: a failure when nobody had answered."""
        if self._stages.pop(leg, Stage.ANSWERED) is Stage.ANSWERED:
            return
        failure = _BY_CAUSE.get(cause, LegFailure.FAILED)
        if sip_status == b"480" and failure is LegFailure.NO_ANSWER:
            # Phones say 480 when somebody presses "reject" or has set do-not-disturb; Asterisk folds it into cause 19.
            failure = LegFailure.REFUSED
        self._emit(LegFailed(leg, failure, cause))

    def missing(self, snapshot: Snapshot) -> None:
        """After a lost link: legs that ended while nobody listened."""
        there = {seen.channel for seen in snapshot.channels}
        for leg in [leg for leg in self._stages if leg not in there]:
            if self._stages.pop(leg) is not Stage.ANSWERED:
                self._emit(LegFailed(leg, LegFailure.FAILED))
