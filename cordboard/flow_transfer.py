"""A caller of a flow and somebody who is rung for them: from the dialling until the caller is back in the flow.

Decides when a leg is dialled, connected and given up, and that whoever asked gets one answer. There is one leg at most,
and it never outlives the caller's interest in it. It refuses to know flows, queues and who may be dialled (`allowed`).

A transfer that was connected is answered only when the caller is in our hands again, to whoever asks next: the session
that asked first is gone by then, with the link or the process perhaps.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Any, Protocol

from acd.destinations import Person, ToAgent, kind_of
from acd.errors import AcdError
from acd.ports import Timer
from cordboard.allowed import Allowed, is_number
from cordboard.transfers import Shown, Transfers
from pbx.facts import ChannelGone, Fact, LegAnswered, LegFailed, OrderFailed
from pbx.orders import Connect, HangUp, Look, RingNumber, RingPhone, StartMusic, StopMusic, TakeBack

RING_MARGIN_S = 5.0
"""The PBX ends the ringing itself; it should have told us by then."""

CONNECT_LIMIT_S = 8.0
"""Two looks long: what only they can show is no failure yet."""

LEG_GONE_GRACE_S = 1.0
"""The hang-up of an unanswered leg may come before the fact that says why."""

MUSIC = "default"
TALKED = "ok"


class Stage(StrEnum):
    IDLE = "idle"
    RINGING = "ringing"
    CONNECTING = "connecting"  # answered, both on their way into one bridge
    TALKING = "talking"


class Owner(Protocol):
    """Whoever has the caller's channel."""

    def lets_go(self) -> None:
        """The channel leaves our hands for the talk; it comes back, whether there was one or not."""

    def talks(self) -> None: ...


class Asked:
    """What whoever asked holds until the answer; `cancel` ends the ringing."""

    __slots__ = ("_transfer",)

    def __init__(self, transfer: FlowTransfer) -> None:
        self._transfer: FlowTransfer | None = transfer

    def cancel(self) -> None:
        transfer, self._transfer = self._transfer, None
        if transfer is not None:
            transfer.cancelled(self)


class FlowTransfer:
    """For one caller, whose channel the `owner` has. All methods are synchronous."""

    __slots__ = (
        "_agent",
        "_asked",
        "_at",
        "_call",
        "_done",
        "_kept",
        "_leg",
        "_owner",
        "_shared",
        "_shown",
        "_timer",
        "stage",
    )

    def __init__(self, call: str, shown: Shown, shared: Transfers, owner: Owner) -> None:
        self._call = call
        self._shown = shown
        self._shared = shared
        self._owner = owner
        self.stage = Stage.IDLE
        self._leg = ""
        self._agent: str | None = None
        self._asked: Asked | None = None
        self._done: Callable[[str], None] = _nobody
        self._at = ""  # the node that asked last
        self._kept: str | None = None  # the answer to it, when it asks next
        self._timer: Timer | None = None

    # what is asked ------------------------------------------------------------------------------------------------

    def begin(self, at: str, to: str, ring_s: int, done: Callable[[str], None]) -> Asked:
        """Ring an agent's extension or a number, at most so long. `at` is the node of the flow that asks.

        `done` is called once, never within this, with "ok" (they have talked), "busy", "no_answer", "refused",
        "unreachable", "failed" or "not_allowed". Not after `cancel`, and not when they come to talk: then whoever asks
        again afterwards, in the same node of the flow, is told at once.
        """
        self.drop("failed", keep=True)
        asked = self._asked = Asked(self)
        self._done = done
        if self._kept is not None and self._at == at:
            self._wait(0.0, self._tell_kept)
            return asked
        self._kept, self._at = None, at
        outcome = self._ring(to, ring_s)
        if outcome:
            self._wait(0.0, lambda: self._failed(outcome))
        return asked

    def cancelled(self, asked: Asked) -> None:
        """Nobody waits for the answer any more. A talk that has begun goes on."""
        if self._asked is asked and self.stage in {Stage.IDLE, Stage.RINGING}:
            self.drop("cancelled", keep=True)

    def forget(self) -> None:
        """The caller went on elsewhere in the flow: what became of an earlier talk is no answer to anything."""
        self._kept = None

    # what happens to the caller ------------------------------------------------------------------------------------

    def connected(self) -> bool:
        """The caller entered a bridge. Whether that was ours."""
        if self.stage is not Stage.CONNECTING:
            return False
        self._cancel_timer()
        self.stage = Stage.TALKING
        self._note("transfer.answered", {})
        self._owner.talks()
        return True

    def returned(self) -> None:
        """The caller is in our hands again."""
        if self.stage is Stage.TALKING:
            self._over(TALKED)
        elif self.stage is Stage.CONNECTING:
            self._over("failed")

    def resume(self, at: str, *, talking: bool) -> None:
        """After a restart the caller was found in a talk of this node, or on the way into one. The PBX ends the leg."""
        self.stage, self._at = Stage.TALKING if talking else Stage.CONNECTING, at
        if not talking:
            self._wait(CONNECT_LIMIT_S, self._give_up)

    def connect_failed(self, unknown: bool) -> None:
        if self.stage is not Stage.CONNECTING:
            return
        if unknown:
            self._shared.switch.send(Look())  # they may be talking; if not, the deadline ends it
        else:
            self._give_up()

    def unlinked(self) -> None:
        """The channel is out of our hands. No phone must ring for somebody whom we cannot connect; a talk may go on."""
        if self.stage in {Stage.IDLE, Stage.RINGING}:
            self.drop("lost", keep=True)
        else:
            self._cancel_timer()

    def linked(self) -> None:
        """The PBX can be seen again: whoever was on their way into a talk is there soon, or comes back."""
        if self.stage is Stage.CONNECTING:
            self._wait(CONNECT_LIMIT_S, self._give_up)

    def drop(self, outcome: str, *, keep: bool = False) -> None:
        """The caller is gone, or it is nothing to them any more: the leg ends, nobody is told."""
        self._asked, self._done = None, _nobody
        if not keep:
            self._kept = None
        if self.stage is not Stage.IDLE:
            self._end(TALKED if self.stage is Stage.TALKING else outcome, hang_up=True)
        else:
            self._cancel_timer()

    # what happens to the leg ----------------------------------------------------------------------------------------

    def handle(self, fact: Fact) -> None:
        match fact, self.stage:
            case LegAnswered(), Stage.RINGING:
                self._connect()
            case LegFailed(reason=reason), Stage.RINGING:
                self._failed(reason.value)
            case ChannelGone(), Stage.RINGING:
                self._wait(LEG_GONE_GRACE_S, lambda: self._failed("failed"))
            case ((LegFailed() | ChannelGone()), Stage.CONNECTING):
                self._over("failed", hang_up=False)
            case ChannelGone(), Stage.TALKING:
                self._over(TALKED, hang_up=False)
            case OrderFailed(order="RingPhone" | "RingNumber", unknown=unknown), Stage.RINGING:
                self._failed("failed", hang_up=unknown)  # of unknown fate: it may ring yet
            case _:
                pass

    # insides --------------------------------------------------------------------------------------------------------

    def _ring(self, to: str, ring_s: int) -> str:
        """Why nobody is rung, "" when somebody is."""
        shared, shown = self._shared, self._shown
        person = _person(shared.allowed, to)
        if isinstance(person, str):
            return person
        leg = shared.new_leg_id()
        if isinstance(person, ToAgent):
            try:
                endpoint = shared.phones.take(person.agent)
            except AcdError:  # they have left since the configuration was read
                return "unreachable"
            if endpoint is None:
                return "busy"
            self._agent = person.agent
            order: RingPhone | RingNumber = RingPhone(leg, endpoint, ring_s, shown.number, shown.name)
        else:
            order = RingNumber(leg, person.number, ring_s, shown.dialled, "")
        self._leg, self.stage = leg, Stage.RINGING
        shared.put(leg, self)
        self._note("transfer.started", {"to": kind_of(person)})
        shared.switch.send(StartMusic(self._call, MUSIC))
        shared.switch.send(order)
        self._wait(ring_s + RING_MARGIN_S, lambda: self._failed("no_answer", hang_up=True))
        return ""

    def _connect(self) -> None:
        self.stage = Stage.CONNECTING
        self._asked, self._done = None, _nobody
        self._owner.lets_go()
        self._shared.switch.send(Connect(self._call, self._leg))
        self._wait(CONNECT_LIMIT_S, self._give_up)

    def _give_up(self) -> None:
        """They do not come together. The caller comes back into our hands, from wherever they are."""
        self._over("failed")
        self._shared.switch.send(TakeBack(self._call))

    def _failed(self, outcome: str, *, hang_up: bool = False) -> None:
        """Nobody answered; the caller is still in our hands."""
        done, self._done, self._asked = self._done, _nobody, None
        if self.stage is Stage.RINGING:
            self._shared.switch.send(StopMusic(self._call))
        self._end(outcome, hang_up=hang_up)
        done(outcome)

    def _over(self, outcome: str, *, hang_up: bool = True) -> None:
        """Nobody to be told yet: the caller is on the way back to us."""
        self._kept = outcome
        self._end(outcome, hang_up=hang_up)

    def _end(self, outcome: str, *, hang_up: bool) -> None:
        self._cancel_timer()
        if self._leg:
            self._shared.drop(self._leg)
            if hang_up:
                self._shared.switch.send(HangUp(self._leg))
        if self._agent is not None:
            self._shared.phones.release(self._agent)
        self._note("transfer.ended", {"outcome": "talked" if outcome == TALKED else outcome})
        self.stage, self._leg, self._agent = Stage.IDLE, "", None

    def _tell_kept(self) -> None:
        self._cancel_timer()
        done, self._done, self._asked = self._done, _nobody, None
        outcome, self._kept = self._kept, None
        done(outcome or "failed")

    def _note(self, kind: str, data: dict[str, Any]) -> None:
        self._shared.note(kind, call_id=self._call, agent=self._agent, data=data)

    def _wait(self, seconds: float, then: Callable[[], None]) -> None:
        self._cancel_timer()
        self._timer = self._shared.timers.after(seconds, then)

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _person(allowed: Allowed, to: str) -> Person | str:
    """Or why nobody can be meant. What a caller typed may be anything."""
    if not is_number(to):
        return "not_allowed"
    try:
        return allowed.person(to)
    except AcdError:
        return "unreachable" if allowed.may_begin(to) else "not_allowed"


def _nobody(_outcome: str) -> None:
    pass
