"""Talks under control as they go on: what a fact of the PBX means to one, and that none is ever stuck.

This module decides what becomes of a talk when somebody goes, arrives or does not arrive, and tells the engine. The way
from one layout to another is `talks`; what people ask for is `control`. A talk is under control from its first command
on; before that it costs nothing here.

Every move has a deadline, after which the PBX is asked and the talk goes on from what it shows. A caller whom nobody
has any more goes back to the queue that they came from, at their old place.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable

from acd import facts as f
from acd.destinations import Destination, ToQueue
from acd.engine import Engine
from acd.errors import NoTalk
from acd.offers import Offer, OfferPhase
from acd.orders import QueueResult
from acd.ports import Note, OnResult, OnTransfer, Timer, Timers
from acd.talks import Layout, Spot, Talk
from pbx import facts as pf
from pbx.orders import HangUp, KeepAlive, Look, Order, Remember, TakeBack
from pbx.ports import Switch

MOVE_LIMIT_S = 3.0
"""From an order to its arrival. A move takes some ten milliseconds."""

MOST_DELAYS = 2
"""So often a talk may be late before it is given up and the caller goes back to the queue."""

_SPOTS = {pf.Place.HOLD: Spot.HOLD, pf.Place.DESK: Spot.DESK, pf.Place.OFFER: Spot.DESK, pf.Place.SPY: Spot.DESK}


def _spot_of(seen: pf.ChannelSeen) -> Spot | None:
    """None: on the way, or nowhere that a talk knows."""
    if seen.bridge:
        return Spot.ROOM if seen.place is pf.Place.ROOM else Spot.BRIDGE
    return _SPOTS.get(seen.place) if seen.answered else None


class TalkKeeper:
    """The talks under control, by call."""

    def __init__(
        self,
        engine: Engine,
        *,
        tell: Callable[[f.Fact], None],
        switch: Switch,
        timers: Timers,
        clock: Callable[[], float],
        note: Note,
        on_result: OnResult,
        on_transfer: OnTransfer,
        dead_man_s: int = 45,
    ) -> None:
        self._engine = engine
        self._tell = tell
        self._switch = switch
        self._timers = timers
        self._clock = clock
        self._note = note
        self._on_result = on_result
        self._on_transfer = on_transfer
        self._dead_man_s = dead_man_s
        self._talks: dict[str, Talk] = {}
        self._by_leg: dict[str, Talk] = {}
        self._leaving: dict[str, Destination | None] = {}  # callers on their way back to us, and where to; None: on
        self._deadlines: dict[str, Timer] = {}
        self._delays: dict[str, int] = {}
        self._renewed: dict[str, float] = {}
        self._outside: set[str] = set()  # calls that talk with somebody who is no agent

    # what is so ----------------------------------------------------------------------------------------------------

    def owns(self, leg: str) -> bool:
        return leg in self._by_leg

    def holds(self, call: str) -> bool:
        """Whether the call is in a talk that goes otherwise than between two in one bridge."""
        talk = self._talks.get(call)
        return call in self._leaving or (talk is not None and not talk.settled)

    def leg_of(self, call: str) -> str | None:
        """Of whoever talks with the caller."""
        talk = self._talks.get(call)
        if talk is not None:
            return talk.leg.channel if talk.leg is not None else None
        return self._engine.offers.talks.get(call)

    def layout(self, call: str) -> str:
        talk = self._talks.get(call)
        return talk.wanted.value if talk is not None else Layout.TOGETHER.value

    # what the PBX says ---------------------------------------------------------------------------------------------

    def handle(self, fact: pf.Fact) -> bool:
        """Take a fact in; True when it was about a talk under control and nobody else need see it."""
        match fact:
            case pf.CallHeld(channel=channel):
                self._arrived(channel, Spot.HOLD)
            case pf.LegAtDesk(channel=channel):
                self._arrived(channel, Spot.DESK)
            case pf.PhoneHeld(channel=channel):
                self._tell(f.TalkHeld(channel, "phone"))
            case pf.PhoneResumed(channel=channel):
                talk = self._by_leg.get(channel)
                if talk is None or not talk.on_hold or talk.leg is None or talk.leg.channel != channel:
                    self._tell(f.TalkResumed(channel))
            case pf.BridgeEntered(channel=channel):
                talk = self._talk_of(channel)
                if talk is not None:
                    self.do(talk, talk.entered_bridge(channel))
                    self._tell_where(talk)
            case pf.LegAnswered(channel=channel) if channel in self._by_leg:
                talk = self._by_leg[channel]
                if channel in self._engine.offers.open:
                    self._tell(f.OfferAnswered(channel))
                # Again: a channel that did not exist yet remembers nothing.
                self.keep(talk, channel, main=talk.leg is not None and talk.leg.channel == channel)
                self.do(talk, talk.answered(channel))
                return True
            case pf.LegFailed(channel=channel) if channel in self._by_leg:
                if channel in self._engine.offers.open:
                    self._tell(f.OfferFailed(channel, f.OfferFailure(fact.reason.value)))
                self.consult_over("", channel)
                return True
            case pf.ChannelGone(channel=channel):
                return self._gone(channel)
            case pf.OrderFailed(channel=channel, order="RingNumber") if channel in self._by_leg:
                self._switch.send(HangUp(channel))  # of unknown fate: it may ring yet
                self.consult_over("", channel)
                return True
            case pf.OrderFailed(channel=channel):
                talk = self._talk_of(channel)
                if talk is not None:
                    if talk.moving:
                        self._delays.setdefault(talk.call, 1)  # no need to wait until it is late
                    self._switch.send(Look())
            case pf.CallReturned(channel=channel):
                return self._returned(channel)
            case _:
                pass
        return False

    def consult_over(self, _call: str, leg: str) -> None:
        """A leg that was asked came to nothing."""
        talk = self._by_leg.pop(leg, None)
        if talk is not None:
            self._lost(talk, leg)

    def looked(self, channels: Iterable[pf.ChannelSeen], *, certain: bool) -> None:
        """Talks that are late, all of them when `certain`: go on from where the PBX shows everybody."""
        if not self._talks:
            return
        seen = {one.channel: one for one in channels}
        for call, talk in list(self._talks.items()):
            late = certain or bool(self._delays.get(call))
            for party in list(talk.parties()):
                there = seen.get(party.channel)
                if there is None:
                    if late:
                        self._gone(party.channel)
                elif party.spot is Spot.RINGING and there.answered:
                    self.handle(pf.LegAnswered(party.channel))
                elif late and (party.spot is Spot.MOVING or certain):
                    self._seen(talk, party.channel, there)
            self._tell_where(talk)

    def renew(self, now: float) -> None:
        """Tell the PBX that somebody looks after those on hold, often enough that two renewals may be lost."""
        for call, talk in self._talks.items():
            if talk.caller.spot is Spot.HOLD and now - self._renewed.get(call, 0.0) >= self._dead_man_s / 3:
                self._renewed[call] = now
                self._switch.send(KeepAlive(call, self._dead_man_s))
                self.do(talk, talk.stay())

    def adopt(self, queue: str, caller: pf.ChannelSeen, legs: list[pf.ChannelSeen]) -> None:
        """A talk found in the PBX after a restart, not of two in one bridge: three stay together, two are reunited."""
        call, leg = caller.channel, legs[0].channel
        other = legs[1].channel if len(legs) > 1 and caller.bridge else None
        talk = self._talks[call] = Talk(call, leg, queue, self._music(queue))
        self._by_leg[leg] = talk
        if other is not None:
            talk.join(other)
            self._by_leg[other] = talk
        for one in (caller, *legs):
            party, spot = talk.party(one.channel), _spot_of(one)
            if party is not None and spot is not None:
                party.arrive(spot)
        talk.on_hold = talk.caller.spot is Spot.HOLD
        self.do(talk, talk.want(Layout.CONFERENCE if other is not None else Layout.TOGETHER))

    def send_home(self, call: str, queue: str) -> None:
        """Found on hold after a restart, and nobody is there any more: back to the queue, at the old place."""
        self._leaving[call] = ToQueue(queue, same_place=True)
        self._switch.send(TakeBack(call))

    # insides -------------------------------------------------------------------------------------------------------

    def offer(self, call: str) -> Offer:
        offer = self._engine.offers.open.get(self._engine.offers.talks.get(call, ""))
        if offer is None or offer.phase is not OfferPhase.TALKING:
            raise NoTalk(call)
        return offer

    def talk(self, call: str) -> Talk:
        """The talk, under control from now on. One whose caller is on the way out is none any more."""
        offer = self.offer(call)
        if call in self._leaving:
            raise NoTalk(call)
        talk = self._talks.get(call)
        if talk is None:
            talk = self._talks[call] = Talk(call, offer.id, offer.queue, self._music(offer.queue))
            self.keep(talk, offer.id, main=True)
        return talk

    def keep(self, talk: Talk, leg: str, *, main: bool) -> None:
        """Whoever takes over after a crash finds on the leg whose it is, and whether the talk is theirs."""
        self._by_leg[leg] = talk
        self._switch.send(Remember(leg, json.dumps({"c": talk.call, "m": int(main)}, separators=(",", ":"))))

    def let_leg_go(self, leg: str) -> None:
        """It is somebody else's, or nobody's, from now on."""
        self._by_leg.pop(leg, None)

    def hand_over(self, talk: Talk) -> None:
        leaving, heir = talk.leg, talk.other
        orders = talk.hand_over()
        if heir is not None:
            self.keep(talk, heir.channel, main=True)
        if leaving is not None:
            self._by_leg.pop(leaving.channel, None)
        if heir is not None and heir.channel in self._engine.offers.open:
            self._move(talk, heir.channel)
        elif leaving is not None:
            self._tell(f.TalkEnded(leaving.channel, f.EndedBy.TRANSFER))
        self.do(talk, orders)

    def let_go(self, talk: Talk, to: Destination | None) -> None:
        for party in talk.parties():
            self._by_leg.pop(party.channel, None)
        self._leaving[talk.call] = to
        self.do(talk, talk.release())

    def _lost(self, talk: Talk, leg: str) -> None:
        was_main = talk.leg is not None and talk.leg.channel == leg
        offer = self._engine.offers.open.get(leg)
        served = talk.call in self._outside if offer is None else offer.phase is OfferPhase.TALKING
        heir = talk.other if was_main else None
        alone = heir is None and (was_main or talk.leg is None)
        if alone:
            self.let_go(talk, None if was_main and served else self._home(talk))
        else:
            if heir is not None:
                self.keep(talk, heir.channel, main=True)
            self.do(talk, talk.lost(leg))
        if was_main and heir is not None and heir.channel in self._engine.offers.open:
            self._move(talk, heir.channel)
        elif was_main:
            ended_by = f.EndedBy.TRANSFER if heir is not None else f.EndedBy.AGENT
            self._tell(f.TalkEnded(leg, ended_by) if served else f.OfferFailed(leg, f.OfferFailure.LOST))

    def _move(self, talk: Talk, heir: str) -> None:
        """Somebody else talks with the caller from now on. Of a hold that goes on the engine is told anew."""
        self._tell(f.TalkMoved(talk.call, heir))
        talk.on_hold = False

    def _home(self, talk: Talk) -> Destination:
        return ToQueue(talk.queue, same_place=True)

    def _gone(self, channel: str) -> bool:
        talk = self._by_leg.get(channel)
        if talk is None:
            return self._caller_gone(channel)
        if talk.party(channel) is None:  # was let go before
            del self._by_leg[channel]
            return channel not in self._engine.offers.open
        if talk.settled:  # a talk of two that ends like any other: the caller comes back by themselves
            self._forget(talk)
            if channel in self._engine.offers.open:
                return False
            self._leaving[talk.call] = None
            return True
        del self._by_leg[channel]
        consult = talk.other is not None and talk.other.channel == channel
        if consult and channel in self._engine.offers.open:
            offer = self._engine.offers.open[channel]
            if offer.phase is OfferPhase.TALKING:
                self._tell(f.TalkEnded(channel, f.EndedBy.AGENT))
            else:
                self._tell(f.OfferFailed(channel, f.OfferFailure.LOST))
        self._lost(talk, channel)
        return True

    def _caller_gone(self, call: str) -> bool:
        """The legs end; that the talk is over is for the distributor to tell, as always."""
        self._leaving.pop(call, None)
        talk = self._talks.get(call)
        if talk is None:
            return False
        for party in talk.parties():
            if party is not talk.caller:
                self._switch.send(HangUp(party.channel))
        self._forget(talk)
        self._tell(f.CallerLeft(call))  # an heir whose phone still rings has no talk yet that could end
        return False

    def _returned(self, call: str) -> bool:
        talk = self._talks.get(call)
        if call in self._leaving:
            to = self._leaving.pop(call)
            if talk is not None:
                self._forget(talk)
            if to is None:
                self._on_result(call, QueueResult.TALKED)
            else:
                self._on_transfer(call, to)
            return True
        if talk is None:
            return False
        if talk.settled:
            outside = call in self._outside
            self._forget(talk)
            if outside:
                self._on_result(call, QueueResult.TALKED)
            return outside
        # Not where we sent them: the PBX could not do it. Whoever is left is brought together from here.
        self.do(talk, talk.returned())
        return True

    def _arrived(self, channel: str, at: Spot) -> None:
        talk = self._talk_of(channel)
        if talk is not None:
            self.do(talk, talk.arrived(channel, at))
            self._tell_where(talk)

    def _tell_where(self, talk: Talk) -> None:
        """What the places of all mean for the engine's talk and consultation."""
        offers, caller, leg, other = self._engine.offers, talk.caller, talk.leg, talk.other
        main = offers.talks.get(talk.call)
        if main is not None:
            if caller.spot is Spot.HOLD and not talk.on_hold:
                talk.on_hold = True
                self._tell(f.TalkHeld(main, "service"))
            elif caller.spot in (Spot.BRIDGE, Spot.ROOM) and talk.on_hold:
                talk.on_hold = False
                self._tell(f.TalkResumed(main))
        if leg is None:
            return
        if caller.spot is Spot.BRIDGE and leg.spot is Spot.BRIDGE:
            if self._connecting(leg.channel):
                self._tell(f.TalkStarted(leg.channel))
            elif main is None and talk.call not in self._outside:
                self._outside.add(talk.call)
                self._note("talk.outside_started", talk.call, None, talk.queue, {})
        if other is not None and other.spot is Spot.ROOM and leg.spot is Spot.ROOM and self._connecting(other.channel):
            self._tell(f.TalkStarted(other.channel))

    def _connecting(self, leg: str) -> bool:
        offer = self._engine.offers.open.get(leg)
        return offer is not None and offer.phase is OfferPhase.CONNECTING

    def _seen(self, talk: Talk, channel: str, there: pf.ChannelSeen) -> None:
        if there.place is pf.Place.RETURNED:
            self._returned(channel)
            return
        spot = _spot_of(there)
        if spot is not None:
            self.do(talk, talk.arrived(channel, spot))

    def do(self, talk: Talk, orders: Iterable[Order]) -> None:
        for order in orders:
            self._switch.send(order)
        running = self._deadlines.pop(talk.call, None)
        if running is not None:
            running.cancel()
        if talk.call not in self._talks:
            return
        if talk.moving:
            self._deadlines[talk.call] = self._timers.after(MOVE_LIMIT_S, lambda: self._late(talk))
        else:
            self._delays.pop(talk.call, None)

    def _late(self, talk: Talk) -> None:
        self._deadlines.pop(talk.call, None)
        delays = self._delays[talk.call] = self._delays.get(talk.call, 0) + 1
        if delays > MOST_DELAYS:
            main = self._engine.offers.talks.get(talk.call)
            talk.caller.arrive(Spot.HOLD)  # wherever they are: out of it
            self.let_go(talk, self._home(talk))
            if main is not None:
                self._tell(f.TalkEnded(main, f.EndedBy.UNKNOWN))
            return
        self._deadlines[talk.call] = self._timers.after(MOVE_LIMIT_S, lambda: self._late(talk))
        self._switch.send(Look())

    def _forget(self, talk: Talk) -> None:
        for party in talk.parties():
            self._by_leg.pop(party.channel, None)
        self._talks.pop(talk.call, None)
        self._delays.pop(talk.call, None)
        self._renewed.pop(talk.call, None)
        if talk.call in self._outside:
            self._outside.remove(talk.call)
            self._note("talk.outside_ended", talk.call, None, talk.queue, {})
        running = self._deadlines.pop(talk.call, None)
        if running is not None:
            running.cancel()

    def _talk_of(self, channel: str) -> Talk | None:
        return self._by_leg.get(channel) or self._talks.get(channel)

    def _music(self, queue: str) -> str:
        line = self._engine.lines.lines.get(queue)
        return line.spec.music_class if line is not None else "default"

    def note_of(self, call: str, kind: str, data: dict[str, str]) -> None:
        offer = self.offer(call)
        self._note(kind, call, offer.agent, offer.queue, {"offer": offer.id, **data})
