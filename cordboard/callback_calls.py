"""Calling somebody back: the agent's phone first, then the customer's, then both together.

Decides when each is rung and given up. Nobody's phone rings without an agent who waits for the answer, and no leg stays
without the other. It refuses to know what was promised, and what is made of how it went.

Once they talk nothing here is needed: whoever is left when one hangs up is a leg without an owner to any look.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from acd.ports import Timer
from cordboard.transfers import Transfers
from pbx.facts import BridgeEntered, ChannelGone, Fact, LegAnswered, LegFailed, LinkDown, OrderFailed
from pbx.orders import Connect, Desk, HangUp, RingNumber, RingPhone

RING_S = 30
RING_MARGIN_S = 5.0
CONNECT_LIMIT_S = 8.0
LEG_GONE_GRACE_S = 1.0
"""The hang-up of an unanswered leg may come before the fact that says why."""

TALKED = "talked"
ORDERS = frozenset(order.__name__ for order in (RingPhone, RingNumber, Connect))


class Stage(StrEnum):
    AGENT = "agent"  # their phone rings
    CUSTOMER = "customer"  # the agent hears that it rings
    CONNECTING = "connecting"
    TALKING = "talking"


class CallbackCall:
    """One of them. `over(outcome)` is called once: "talked", "agent_..." and "..." with why nobody answered, "lost"."""

    __slots__ = ("_agent", "_customer", "_number", "_over", "_shared", "_stage", "_theirs", "_timer", "_who")

    def __init__(self, shared: Transfers, number: str, who: tuple[str, str], over: Callable[[str], None]) -> None:
        """`who`: number and name of the agent, whose phone is taken already."""
        self._shared = shared
        self._number = number
        self._who = who
        self._over = over
        self._stage = Stage.AGENT
        self._agent = shared.new_leg_id()
        self._customer = ""
        self._timer: Timer | None = None

    def begin(self, endpoint: str) -> None:
        self._shared.put(self._agent, self)
        self._shared.switch.send(RingPhone(self._agent, endpoint, RING_S, self._number, ""))
        self._wait(RING_S + RING_MARGIN_S, "agent_no_answer")

    def handle(self, fact: Fact) -> None:
        match fact, self._stage:
            case LegAnswered(channel=leg), Stage.AGENT if leg == self._agent:
                self._ring_customer()
            case LegAnswered(channel=leg), Stage.CUSTOMER if leg == self._customer:
                self._connect()
            case LegFailed(channel=leg, reason=reason), _:
                self._end(f"agent_{reason.value}" if leg == self._agent else reason.value)
            case (ChannelGone(channel=leg), Stage.AGENT) | (ChannelGone(channel=leg), Stage.CUSTOMER):
                self._rung_leg_gone(leg)
            case ChannelGone(), _:
                self._end(TALKED if self._stage is Stage.TALKING else "failed")
            case BridgeEntered(), Stage.CONNECTING:
                self._stage = Stage.TALKING
                self._cancel_timer()
            case OrderFailed(order=order), _ if order in ORDERS:
                self._end("failed")
            case LinkDown(), Stage.TALKING:
                self._end(TALKED, hang_up=False)
            case LinkDown(), _:
                self._end("lost")
            case _:
                pass

    def _ring_customer(self) -> None:
        self._stage = Stage.CUSTOMER
        self._customer = self._shared.new_leg_id()
        self._shared.put(self._customer, self)
        self._shared.switch.send(Desk(self._agent, ringing=True))
        self._shared.switch.send(RingNumber(self._customer, self._number, RING_S, *self._who))
        self._wait(RING_S + RING_MARGIN_S, "no_answer")

    def _connect(self) -> None:
        self._stage = Stage.CONNECTING
        self._shared.switch.send(Connect(self._customer, self._agent))
        self._wait(CONNECT_LIMIT_S, "failed")

    def _rung_leg_gone(self, leg: str) -> None:
        if leg == self._agent and self._stage is Stage.CUSTOMER:
            self._end("agent_left")
        else:
            self._wait(LEG_GONE_GRACE_S, "failed")

    def _end(self, outcome: str, *, hang_up: bool = True) -> None:
        self._cancel_timer()
        for leg in filter(None, (self._customer, self._agent)):
            self._shared.drop(leg)
            if hang_up:
                self._shared.switch.send(HangUp(leg))
        self._shared.phones.release(self._who[0])
        self._over(outcome)

    def _wait(self, seconds: float, outcome: str) -> None:
        self._cancel_timer()
        self._timer = self._shared.timers.after(seconds, lambda: self._end(outcome))

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class CallbackDialler:
    """Begins such calls."""

    def __init__(self, shared: Transfers, names: Callable[[str], str]) -> None:
        """`names(agent)`: what an agent is called."""
        self._shared = shared
        self._names = names

    def take(self, agent: str) -> str | None:
        """The agent's phone, which nobody else rings from now on; None: it is in use. Raises `UnknownAgent`."""
        return self._shared.phones.take(agent)

    def give_back(self, agent: str) -> None:
        self._shared.phones.release(agent)

    def begin(self, number: str, agent: str, endpoint: str, over: Callable[[str], None]) -> None:
        """`take` has given the endpoint."""
        CallbackCall(self._shared, number, (agent, self._names(agent)), over).begin(endpoint)
