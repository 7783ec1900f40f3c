"""One caller of a flow, a PBX in memory and two agents, for transfers: the owner asks again as a flow's node would."""

from __future__ import annotations

from itertools import count
from typing import Any

from acd.invariants import violations
from acd.model import AgentSpec, QueueSpec, WaitingCaller
from acd.service import Distributor
from cordboard.allowed import Allowed
from cordboard.flow_transfer import Asked, FlowTransfer
from cordboard.grip import LOOK_GRACE_S
from cordboard.transfers import Shown, Transfers
from pbx.facts import (
    BridgeEntered,
    CallReturned,
    ChannelGone,
    Fact,
    LegAnswered,
    LegFailed,
    LegRinging,
    LinkDown,
    LinkUp,
    Looked,
    OrderFailed,
    Snapshot,
)
from pbx.orders import Look, RingNumber, RingPhone
from tests.fakes.switch import FakeChannel, FakeSwitch, PhoneScript
from tests.fakes.virtual_time import VirtualTime

ALLOWED = "+15550199"
AGENTS = ("1001", "1002")


class TransferFloor:
    """`ann` is in a flow, in our hands. `ask` is her transfer node; its answer is in `answers`."""

    def __init__(self) -> None:
        ids = count(1)
        self.time = VirtualTime()
        self.switch = FakeSwitch(self.time, self.handle)
        self.switch.sees = True
        self.notes: list[tuple[str, str | None, dict[str, Any]]] = []
        self.answers: list[str] = []
        self.here = True
        self.node = "put-through"
        self.in_hand = True
        self.lost_at = 0.0
        self.talking = False
        self.wanted: tuple[str, int] | None = None  # what the node asks for, while it has no answer
        self.asked: Asked | None = None
        self.most_legs = 0

        def new_leg_id() -> str:
            return f"cb-{next(ids):04d}"

        self.distributor = Distributor(
            [QueueSpec("sales", ring_s=10)],
            [AgentSpec(agent, f"Agent {agent}", agent, ("sales",)) for agent in AGENTS],
            switch=self.switch,
            timers=self.time,
            clock=self.time.now,
            note=lambda kind, call, _agent, _queue, data: self.notes.append((kind, call, data)),
            on_result=lambda _call, _result: None,
            new_leg_id=new_leg_id,
            rung_by_others=lambda leg: self.transfers.owns(leg),  # noqa: PLW0108 - not made yet
        )
        self.transfers = Transfers(
            self.switch,
            self.time,
            self.distributor.phones,
            Allowed(AGENTS, ("+1555",), trunk=True),
            self._note,
            new_leg_id,
        )
        self.transfer = FlowTransfer("ann", Shown("+15550142", "Ann", "100"), self.transfers, self)
        self.switch.channels["ann"] = FakeChannel("ann", answered=True)
        for phone in (*AGENTS, ALLOWED):
            self.switch.phones[phone] = PhoneScript.answers(2.0)

    def ask(self, to: str, ring_s: int = 20) -> None:
        self.wanted = (to, ring_s)
        self._enter()

    def join(self, call: str) -> None:
        """Somebody waits for an agent."""
        self.switch.channels[call] = FakeChannel(call, answered=True)
        self.distributor.join(WaitingCaller(call, "sales", self.time.now()))

    def give_up(self) -> None:
        """The flow goes elsewhere, if it can: it has its node only while nobody talks."""
        if self.asked is not None and self.in_hand:
            self.asked.cancel()
            self.wanted = self.asked = None

    def look(self) -> None:
        if self.switch.up:
            self.switch.send(Look())
            self.time.settle()

    def hang_up(self) -> None:
        self.switch.hang_up("ann")

    # the owner -----------------------------------------------------------------------------------------------------

    def lets_go(self) -> None:
        assert self.in_hand
        self.in_hand, self.asked = False, None
        self.lost_at = self.time.now()

    def talks(self) -> None:
        self.talking = True

    def _enter(self) -> None:
        assert self.wanted is not None
        to, ring_s = self.wanted
        self.asked = self.transfer.begin(self.node, to, ring_s, self._answered)

    def _answered(self, outcome: str) -> None:
        assert self.wanted is not None, "a second answer"
        assert self.in_hand, "the flow cannot go on: the caller is elsewhere"
        self.wanted = self.asked = None
        self.answers.append(outcome)

    def _back(self) -> None:
        self.in_hand, self.talking = True, False
        self.transfer.returned()
        if self.wanted is not None:
            self._enter()

    # the dispatcher ------------------------------------------------------------------------------------------------

    def handle(self, fact: Fact) -> None:
        match fact:
            case LegRinging(channel=leg) | LegAnswered(channel=leg) | LegFailed(channel=leg):
                if not self.transfers.handle(leg, fact):
                    self.distributor.handle(fact)
            case BridgeEntered(channel="ann"):
                self.transfer.connected()
            case CallReturned(channel="ann"):
                self._back()
            case ChannelGone(channel="ann"):
                self.here, self.wanted = False, None
                self.transfer.drop("caller_left")
            case ChannelGone(channel=channel):
                self.distributor.handle(fact)
                self.transfers.handle(channel, fact)
            case OrderFailed(channel="ann", order="Connect", unknown=unknown):
                self.transfer.connect_failed(unknown)
            case OrderFailed(channel=channel):
                if not self.transfers.handle(channel, fact):
                    self.distributor.handle(fact)
            case LinkDown():
                self.transfer.unlinked()
                self.in_hand, self.lost_at = False, self.time.now()
                self.distributor.handle(fact)
            case LinkUp(snapshot=snapshot):
                self._linked(fact)
                self.distributor.reconcile(snapshot)
            case Looked(snapshot=snapshot):
                self._found(snapshot)
                self.distributor.looked(snapshot)
                self.transfers.looked(snapshot)
            case _:
                self.distributor.handle(fact)
        assert violations(self.distributor.engine) == []
        self.most_legs = max(self.most_legs, len(self.rung()))

    def _linked(self, fact: LinkUp) -> None:
        """As the live-channel table and the call's own relinking do it."""
        seen = {one.channel: one for one in fact.snapshot.channels}
        if self.here and "ann" not in seen:
            self.handle(ChannelGone("ann", 0))
        elif self.here and seen["ann"].bridge:
            self.transfer.connected()
        elif self.here:
            self._back()
        self.transfer.linked()

    def _found(self, snapshot: Snapshot) -> None:
        """As the call does it: waits for commands, and nobody told us."""
        controlled = any(one.channel == "ann" and one.controlled and not one.bridge for one in snapshot.channels)
        if self.here and controlled and not self.in_hand and self.time.now() - self.lost_at >= LOOK_GRACE_S:
            self._back()

    def _note(self, kind: str, **more: Any) -> None:
        self.notes.append((kind, more["agent"], more["data"]))

    # what tests ask ------------------------------------------------------------------------------------------------

    def rung(self) -> list[str]:
        """Legs dialled for ann that exist and that nobody has ordered to end."""
        ours = {one.leg for kind in (RingPhone, RingNumber) for one in self.switch.sent(kind)}
        return [leg for leg in ours if self.transfers.owns(leg)]

    def legs(self) -> list[str]:
        return [one.channel for one in self.switch.channels.values() if one.leg]

    def outcomes(self) -> list[str]:
        return [data["outcome"] for kind, _, data in self.notes if kind == "transfer.ended"]
