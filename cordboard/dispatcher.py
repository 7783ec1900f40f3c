"""One ordered inbox: every fact passes here, one at a time, and is handled to the end before the next.

Decides who hears a fact: the live-channel table first, then the distributor (agents' legs, phones, talks), then the
caller's own call. It refuses to know what any of them does with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Protocol

import structlog

from acd.service import Distributor, RecoveredCaller
from cordboard.calls import CallBook
from cordboard.events import Note
from cordboard.memory import Phase
from cordboard.transfers import Transfers
from pbx.facts import (
    BridgeEntered,
    BridgeLeft,
    CallArrived,
    CallHeld,
    CallReturned,
    ChannelGone,
    CommandDone,
    ControlLost,
    Fact,
    KeyPressed,
    LegAnswered,
    LegAtDesk,
    LegFailed,
    LegRinging,
    LegSpies,
    LinkDown,
    LinkUp,
    Looked,
    MessageRecorded,
    OrderFailed,
    PhoneChanged,
    PhoneHeld,
    PhoneResumed,
    Place,
    Snapshot,
)
from pbx.live import OUR_LEG, LiveChannels
from pbx.orders import Connect, EnterRoom, Hold, Part, TakeBack

log = structlog.get_logger()

TALK_ORDERS = frozenset(order.__name__ for order in (Connect, Part, Hold, EnterRoom, TakeBack))
"""Orders about a caller whose failure is the distributor's to mend."""

CALLERS_ELSEWHERE = frozenset({Place.RETURNED, Place.TALK, Place.HOLD, Place.ROOM, Place.FALLBACK})
"""Where callers of ours are who wait for no command."""


class LegKeys(Protocol):
    """What is pressed on phones that we rang."""

    def press(self, leg: str, key: str) -> None: ...
    def gone(self, leg: str) -> None: ...


class Dispatcher:
    """Routes facts. `recovered` is told once, after the first look, which calls are here."""

    def __init__(
        self,
        live: LiveChannels,
        calls: CallBook,
        distributor: Distributor,
        note: Note,
        recovered: Callable[[set[str]], None],
        keys: LegKeys | None = None,
        *,
        transfers: Transfers,
    ) -> None:
        self._live = live
        self._calls = calls
        self._distributor = distributor
        self._note = note
        self._recovered = recovered
        self._keys = keys
        self._transfers = transfers
        self._first_look = True
        self.linked = False
        self._routes: dict[type, Callable[[Fact], None]] = {
            CallArrived: self._call_arrived,
            CallReturned: self._call_returned,
            KeyPressed: self._key,
            CommandDone: self._to_call,
            MessageRecorded: self._to_call,
            ControlLost: self._control_lost,
            ChannelGone: self._channel_gone,
            BridgeEntered: self._bridge,
            BridgeLeft: self._bridge,
            LegRinging: self._leg,
            LegAnswered: self._leg,
            LegFailed: self._leg,
            CallHeld: self._to_distributor,
            LegAtDesk: self._to_distributor,
            LegSpies: self._to_distributor,
            PhoneHeld: self._to_distributor,
            PhoneResumed: self._to_distributor,
            PhoneChanged: self._to_distributor,
            OrderFailed: self._order_failed,
            LinkUp: self._link_up,
            LinkDown: self._link_down,
            Looked: self._looked,
        }

    def __call__(self, fact: Fact) -> None:
        if self._live.apply(fact):
            self._routes[type(fact)](fact)

    def _call_arrived(self, fact: Fact) -> None:
        assert isinstance(fact, CallArrived)
        self._calls.arrived(fact)

    def _key(self, fact: Fact) -> None:
        assert isinstance(fact, KeyPressed)
        if fact.channel.startswith(OUR_LEG):
            if self._keys is not None:
                self._keys.press(fact.channel, fact.key)
        else:
            self._calls.handle(fact.channel, fact)

    def _to_call(self, fact: Fact) -> None:
        assert isinstance(fact, (CommandDone, MessageRecorded))
        self._calls.handle(fact.channel, fact)

    def _leg(self, fact: Fact) -> None:
        assert isinstance(fact, (LegRinging, LegAnswered, LegFailed))
        if not self._transfers.handle(fact.channel, fact):
            self._distributor.handle(fact)

    def _to_distributor(self, fact: Fact) -> None:
        self._distributor.handle(fact)

    def _call_returned(self, fact: Fact) -> None:
        assert isinstance(fact, CallReturned)
        call = self._calls.get(fact.channel)
        if call is not None:
            call.returned(fact)

    def _bridge(self, fact: Fact) -> None:
        assert isinstance(fact, (BridgeEntered, BridgeLeft))
        if self._transfers.handle(fact.channel, fact):
            return
        self._distributor.handle(fact)
        call = self._calls.get(fact.channel)
        if call is not None and isinstance(fact, BridgeEntered):
            call.entered_bridge()

    def _channel_gone(self, fact: Fact) -> None:
        assert isinstance(fact, ChannelGone)
        # The distributor first: the end of a talk is noted before the end of the call.
        self._distributor.handle(fact)
        if not fact.channel.startswith(OUR_LEG):
            self._calls.handle(fact.channel, fact)
        elif self._transfers.handle(fact.channel, fact):
            pass
        elif self._keys is not None:
            self._keys.gone(fact.channel)

    def _control_lost(self, fact: Fact) -> None:
        assert isinstance(fact, ControlLost)
        call = self._calls.get(fact.channel)
        live = self._live.get(fact.channel)
        if call is not None and call.phase is not Phase.LEAVING and (live is None or live.place is not Place.TALK):
            call.served_by_fallback()

    def _order_failed(self, fact: Fact) -> None:
        assert isinstance(fact, OrderFailed)
        if self._transfers.handle(fact.channel, fact):
            return
        if fact.channel.startswith(OUR_LEG) or fact.order in TALK_ORDERS:
            self._distributor.handle(fact)
            self._calls.handle(fact.channel, fact)
        elif fact.unknown:
            log.warning("order of unknown fate", order=fact.order, channel=fact.channel)
        else:
            self._calls.handle(fact.channel, fact)

    def _link_down(self, fact: Fact) -> None:
        assert isinstance(fact, LinkDown)
        self.linked = False
        self._note("link.down", data={"reason": fact.reason})
        self._distributor.handle(fact)
        self._calls.suspend()
        self._transfers.unlinked(fact)

    def _link_up(self, fact: Fact) -> None:
        assert isinstance(fact, LinkUp)
        snapshot = fact.snapshot
        self.linked = True
        self._note("link.up", data={"channels": len(snapshot.channels)})
        self._calls.relink(
            snapshot.channels
        )  # first: what is corrected below may lead to commands, and those need a fence
        for correction in self._live.compare(snapshot, certain=True):
            self(correction)
        self._distributor.reconcile(snapshot, self._recover(snapshot, certain=True))
        if self._first_look:
            self._first_look = False
            self._recovered({call.channel for call in self._calls})

    def _looked(self, fact: Fact) -> None:
        assert isinstance(fact, Looked)
        snapshot = fact.snapshot
        for correction in self._live.compare(snapshot, certain=False):
            log.warning("belief corrected by looking", correction=type(correction).__name__)
            self(correction)
        self._calls.found(snapshot.channels)
        self._transfers.looked(snapshot)
        # Of the phones the snapshot may be older than the last event; `compare` above has judged them.
        self._distributor.looked(replace(snapshot, phones={}), self._recover(snapshot, certain=False))

    def _recover(self, snapshot: Snapshot, *, certain: bool) -> Iterable[RecoveredCaller]:
        """Adopt the channels that we have never heard of. Legs that nobody waits for the distributor hangs up."""
        recovered: list[RecoveredCaller] = []
        for seen in self._live.strangers(snapshot, certain=certain):
            if seen.place is Place.OFFER or seen.channel.startswith(OUR_LEG):
                self._live.adopt(seen)
            elif seen.controlled or seen.place in CALLERS_ELSEWHERE:
                self._live.adopt(seen)
                caller = self._calls.recover(seen)
                if caller is not None:
                    recovered.append(caller)
        return recovered
