"""Where the parties of a controlled talk are, where they should be, and the next step there.

This module decides the steps between two layouts of one talk (together, on hold, consulting, in conference) and what it
means for the others when a party goes. It is pure: facts about channels in, orders to the PBX out. It refuses to know
agents' states, queues and who may ask for what (`control` does).

Every step is one of the PBX's own moves, and the next one is taken when the last has been seen to arrive: a channel on
its way takes no second order (Asterisk 22 refuses it). So the same few lines lead from any layout to any other, and
from whatever a look at the PBX shows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from pbx.orders import Connect, Desk, EnterRoom, HangUp, Hold, Order, Part, TakeBack


class Spot(StrEnum):
    BRIDGE = "bridge"  # in a talk of two, caller and leg
    HOLD = "hold"  # a caller who hears music
    DESK = "desk"  # a leg that waits
    ROOM = "room"
    RINGING = "ringing"  # a leg that nobody has answered
    MOVING = "moving"  # ordered elsewhere, not arrived


class Layout(StrEnum):
    TOGETHER = "together"
    HELD = "held"
    CONSULT = "consult"  # the caller on hold, both legs with each other, or the second still ringing
    CONFERENCE = "conference"


@dataclass(slots=True)
class Party:
    channel: str
    spot: Spot
    bound_for: Spot | None = None  # while moving
    ringing: bool = False  # at the desk, hears that somebody is being rung

    def move(self, to: Spot, *, ringing: bool = False) -> None:
        self.spot, self.bound_for, self.ringing = Spot.MOVING, to, ringing

    def arrive(self, at: Spot) -> None:
        self.spot, self.bound_for = at, None


class Talk:
    """One caller, the leg of whoever talks with them, perhaps a second leg. Methods return the orders that follow."""

    def __init__(self, call: str, leg: str, queue: str, music: str) -> None:
        self.caller = Party(call, Spot.BRIDGE)
        self.leg: Party | None = Party(leg, Spot.BRIDGE)
        self.other: Party | None = None
        self.wanted = Layout.TOGETHER
        self.queue = queue  # that they came from
        self.music = music
        self.on_hold = False  # the caller hears music because of us, not of a phone's button
        self.ending = False  # the caller is on the way out of this talk

    @property
    def call(self) -> str:
        return self.caller.channel

    @property
    def room(self) -> str:
        return f"room-{self.call}"

    @property
    def moving(self) -> bool:
        return any(party.spot is Spot.MOVING for party in self.parties())

    @property
    def settled(self) -> bool:
        """A talk of two like any other, with nothing under way."""
        two = self.caller.spot is Spot.BRIDGE and self.leg is not None and self.leg.spot is Spot.BRIDGE
        return two and self.wanted is Layout.TOGETHER and self.other is None and not self.ending

    def party(self, channel: str) -> Party | None:
        return next((party for party in self.parties() if party.channel == channel), None)

    # what is wanted ------------------------------------------------------------------------------------------------

    def want(self, layout: Layout) -> list[Order]:
        self.wanted = layout
        return self.steps()

    def ask(self, leg: str) -> list[Order]:
        """Somebody else is being rung; the caller waits on hold."""
        self.other = Party(leg, Spot.RINGING)
        return self.want(Layout.CONSULT)

    def join(self, leg: str) -> None:
        """Somebody who waits already, and whom nobody has to ask."""
        self.other = Party(leg, Spot.DESK)

    def drop_other(self) -> list[Order]:
        """The second leg ends, the first is with the caller again."""
        dropped, self.other = self.other, None
        orders: list[Order] = [HangUp(dropped.channel)] if dropped is not None else []
        return orders + self.want(Layout.TOGETHER)

    def hand_over(self) -> list[Order]:
        """The second leg takes the first one's place, when it is answered; the first ends."""
        leaving, self.leg, self.other = self.leg, self.other, None
        orders = self.want(Layout.TOGETHER)
        # After the caller's own way: the end of the leg would end the talk that they are still in.
        return orders + ([HangUp(leaving.channel)] if leaving is not None else [])

    def stay(self) -> list[Order]:
        """The leg at the desk waits on: the PBX lets nobody wait there for ever. No other move begins meanwhile."""
        if self.leg is None or self.leg.spot is not Spot.DESK or self.moving:
            return []
        self.leg.move(Spot.DESK, ringing=self.leg.ringing)
        return [Desk(self.leg.channel, self.leg.ringing)]

    def release(self) -> list[Order]:
        """The caller comes back into our hands, every leg ends."""
        self.ending = True
        legs = [party.channel for party in (self.leg, self.other) if party is not None]
        caller, self.leg, self.other = self.caller, None, None
        by_itself = caller.spot is Spot.ROOM and not legs  # a room lets a caller go when the last leg has left
        if caller.spot is Spot.MOVING or by_itself:
            caller.move(caller.bound_for or Spot.ROOM)
            return [HangUp(leg) for leg in legs]  # when they arrive they go on to us
        caller.move(Spot.HOLD)
        return [TakeBack(caller.channel), *(HangUp(leg) for leg in legs)]

    # what happens --------------------------------------------------------------------------------------------------

    def arrived(self, channel: str, at: Spot) -> list[Order]:
        """A party came to where it was sent, or is seen there."""
        party = self.party(channel)
        if party is None:
            return []
        party.arrive(at)
        if self.ending and party is self.caller:
            if at is Spot.BRIDGE:
                return []  # the other leg is being hung up, which ends it
            party.move(Spot.HOLD)
            return [TakeBack(channel)]
        return self.steps()

    def entered_bridge(self, channel: str) -> list[Order]:
        party = self.party(channel)
        if party is None:
            return []
        if party is self.caller and party.spot is Spot.HOLD and self.leg is not None:
            return self._reunited(self.leg)
        return self.arrived(channel, party.bound_for if party.bound_for is Spot.ROOM else Spot.BRIDGE)

    def _reunited(self, leg: Party) -> list[Order]:
        """Nobody sent the caller: while we could not look after them the PBX put them back to the agent."""
        dropped, self.other = self.other, None
        self.wanted = Layout.TOGETHER
        leg.arrive(Spot.BRIDGE)
        self.caller.arrive(Spot.BRIDGE)
        return [HangUp(dropped.channel)] if dropped is not None else []

    def returned(self) -> list[Order]:
        """The caller is in our hands, where nothing had sent them."""
        return self.arrived(self.call, Spot.DESK)

    def answered(self, leg: str) -> list[Order]:
        """The leg that was rung waits now."""
        party = self.party(leg)
        if party is None or party.spot is not Spot.RINGING:
            return []
        return self.arrived(leg, Spot.DESK)

    def lost(self, channel: str) -> list[Order]:
        """A leg is gone. Whoever remains is brought together; with nobody left the caller comes back to us."""
        if self.other is not None and self.other.channel == channel:
            self.other = None
            if self.leg is None:
                return self.release()
            return self.want(Layout.TOGETHER)
        if self.leg is not None and self.leg.channel == channel:
            self.leg = None
            if self.other is None:
                return self.release()
            self.leg, self.other = self.other, None
            return self.want(Layout.TOGETHER)
        return []

    def steps(self) -> list[Order]:
        """The next moves, none while one is under way."""
        if self.moving or self.ending or self.leg is None:
            return []
        return list(self._steps(self.caller, self.leg, self.other))

    def _steps(self, caller: Party, leg: Party, other: Party | None) -> Iterator[Order]:
        match self.wanted:
            case Layout.TOGETHER:
                yield from self._together(caller, leg)
            case Layout.HELD:
                yield from self._apart(caller, leg, ringing=False)
            case Layout.CONSULT if other is not None:
                ringing = other.spot is Spot.RINGING
                if ringing or caller.spot is not Spot.HOLD:
                    yield from self._apart(caller, leg, ringing=ringing)
                else:
                    yield from self._meet(leg, other)
            case Layout.CONFERENCE if other is not None:
                if caller.spot is Spot.BRIDGE:
                    yield from self._apart(caller, leg, ringing=False)
                else:
                    yield from self._meet(leg, other, caller)
            case _:
                pass

    def _together(self, caller: Party, leg: Party) -> Iterator[Order]:
        if leg.spot is Spot.RINGING:
            yield from self._hold(caller)
        elif leg.spot is Spot.ROOM:
            # The caller first: one whom the last leg leaves behind in a room goes on.
            if caller.spot is Spot.ROOM:
                yield from self._hold(caller)
            else:
                leg.move(Spot.DESK)
                yield Desk(leg.channel)
        elif leg.spot is Spot.DESK or caller.spot is not Spot.BRIDGE:
            caller.move(Spot.BRIDGE)
            leg.move(Spot.BRIDGE)
            yield Connect(caller.channel, leg.channel)

    def _apart(self, caller: Party, leg: Party, *, ringing: bool) -> Iterator[Order]:
        if caller.spot is Spot.BRIDGE and leg.spot is Spot.BRIDGE:
            caller.move(Spot.HOLD)
            leg.move(Spot.DESK)
            yield Part(caller.channel, leg.channel, self.music)
            return
        yield from self._hold(caller)
        if leg.spot is Spot.ROOM or (leg.spot is Spot.DESK and leg.ringing != ringing):
            leg.move(Spot.DESK, ringing=ringing)
            yield Desk(leg.channel, ringing)

    def _hold(self, caller: Party) -> Iterator[Order]:
        if caller.spot is not Spot.HOLD:
            caller.move(Spot.HOLD)
            yield Hold(caller.channel, self.music)

    def _meet(self, *parties: Party) -> Iterator[Order]:
        for party in parties:
            if party.spot in (Spot.DESK, Spot.HOLD):
                party.move(Spot.ROOM)
                yield EnterRoom(party.channel, self.room, leg=party is not self.caller)

    def parties(self) -> Iterator[Party]:
        yield self.caller
        if self.leg is not None:
            yield self.leg
        if self.other is not None:
            yield self.other
