"""The live-channel table: what we believe exists in the PBX, and the facts that would make the belief true again.

Every fact passes through `apply` first. `compare` holds a snapshot against the belief and answers with ordinary facts,
so that a lost event, a lost link and a restart are mended by the code that handles calls anyway. It refuses to know
what a call means; it only knows channels and bridges.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pbx.facts import (
    BridgeEntered,
    BridgeLeft,
    CallArrived,
    CallHeld,
    CallReturned,
    ChannelGone,
    ChannelSeen,
    ControlLost,
    Fact,
    LegAnswered,
    LegAtDesk,
    LegRinging,
    PhoneChanged,
    PhoneState,
    Place,
    Snapshot,
)

OUR_LEG = "cb-"
"""Every leg that we dial has a channel id that begins so."""

TOMBSTONES = 10_000
"""How many ended channels are remembered: a snapshot that was read before a hang-up must not bring one back."""


@dataclass(slots=True)
class LiveChannel:
    """One channel as we believe it. `suspect` holds what the last look would have corrected."""

    channel: str
    place: Place
    bridge: str = ""
    suspect: tuple[Fact, ...] = ()


class LiveChannels:
    """Channels by unique id, phones by endpoint."""

    def __init__(self) -> None:
        self._channels: dict[str, LiveChannel] = {}
        self._gone: dict[str, None] = {}
        self._strangers: set[str] = set()
        self._doubts: dict[str, PhoneState] = {}
        self.phones: dict[str, PhoneState] = {}

    def __len__(self) -> int:
        return len(self._channels)

    def __iter__(self) -> Iterator[LiveChannel]:
        return iter(self._channels.values())

    def __contains__(self, channel: object) -> bool:
        return channel in self._channels

    def get(self, channel: str) -> LiveChannel | None:
        return self._channels.get(channel)

    def is_gone(self, channel: str) -> bool:
        return channel in self._gone

    def apply(self, fact: Fact) -> bool:
        """Take a fact in. False means: stale or known already, nobody else needs to see it."""
        match fact:
            case CallArrived(channel=channel):
                if channel in self._channels or channel in self._gone:
                    return False
                self._channels[channel] = LiveChannel(channel, Place.ARRIVAL)
            case CallReturned(channel=channel):
                known = self._channels.get(channel)
                if known is None:
                    return False  # nobody's call yet: the next looks find a stranger, whose memory can be read
                known.place = Place.RETURNED
            case LegRinging(channel=channel) | LegAnswered(channel=channel):
                if channel in self._gone:
                    return False
                self._channels.setdefault(channel, LiveChannel(channel, Place.OFFER))
            case CallHeld(channel=channel) | LegAtDesk(channel=channel):
                known = self._channels.get(channel)
                if known is None:
                    return False
                known.place = Place.HOLD if isinstance(fact, CallHeld) else Place.DESK
            case BridgeEntered(channel=channel, bridge=bridge):
                known = self._channels.get(channel)
                if known is None or known.bridge == bridge:
                    return known is not None and known.bridge != bridge
                known.bridge = bridge
                if known.place in {Place.ARRIVAL, Place.RETURNED, Place.HOLD}:
                    known.place = Place.TALK
            case BridgeLeft(channel=channel, bridge=bridge):
                known = self._channels.get(channel)
                if known is None or known.bridge != bridge:
                    return False
                known.bridge = ""
            case ControlLost(channel=channel):
                known = self._channels.get(channel)
                if known is not None and known.place in {Place.ARRIVAL, Place.RETURNED}:
                    known.place = Place.FALLBACK
            case ChannelGone(channel=channel):
                self._bury(channel)
            case PhoneChanged(endpoint=endpoint, state=state):
                if self.phones.get(endpoint) is state:
                    return False
                self.phones[endpoint] = state
            case _:
                pass
        return True

    def adopt(self, seen: ChannelSeen) -> None:
        """Believe a channel of a snapshot (after a restart, when we believed nothing)."""
        self._channels[seen.channel] = LiveChannel(seen.channel, seen.place, seen.bridge)

    def compare(self, snapshot: Snapshot, *, certain: bool) -> list[Fact]:
        """The facts that turn our belief into `snapshot`.

        A periodic snapshot races with events that are still under way, so a discrepancy counts when two looks in a row
        show it; with `certain` (nothing can be under way: the link has just come up) it counts at once.
        Callers that we have never heard of are not turned into facts here: only `cordboard` can read their memory.
        """
        facts: list[Fact] = []
        seen = {one.channel: one for one in snapshot.channels}
        for known in list(self._channels.values()):
            there = seen.get(known.channel)
            missed = tuple(_missed(known, there))
            if missed and not certain and missed != known.suspect:
                known.suspect = missed
                continue
            known.suspect = ()
            facts += missed
            if there is not None and there.place is Place.FALLBACK:
                known.place = Place.FALLBACK
        for endpoint, state in snapshot.phones.items():
            if self.phones.get(endpoint) is state:
                self._doubts.pop(endpoint, None)
            elif certain or self._doubts.get(endpoint) is state:
                facts.append(PhoneChanged(endpoint, state))
            else:
                self._doubts[endpoint] = state
        return facts

    def strangers(self, snapshot: Snapshot, *, certain: bool) -> list[ChannelSeen]:
        """Channels that exist, are ours by their place, and that we have never heard of (twice, unless `certain`)."""
        unknown = [
            one
            for one in snapshot.channels
            if one.channel not in self._channels and one.channel not in self._gone and one.place is not Place.OTHER
        ]
        twice = unknown if certain else [one for one in unknown if one.channel in self._strangers]
        self._strangers = {one.channel for one in unknown}
        return twice

    def _bury(self, channel: str) -> None:
        self._channels.pop(channel, None)
        self._gone[channel] = None
        if len(self._gone) > TOMBSTONES:
            self._gone.pop(next(iter(self._gone)))


def _missed(known: LiveChannel, there: ChannelSeen | None) -> Iterator[Fact]:
    """The facts that we cannot have heard of, when `there` is what the PBX has."""
    if there is None:
        yield ChannelGone(known.channel, 0)
        return
    if known.bridge != there.bridge:
        if known.bridge:
            yield BridgeLeft(known.channel, known.bridge)
        if there.bridge:
            yield BridgeEntered(known.channel, there.bridge)
    if there.place is Place.HOLD and not there.bridge and known.place is not Place.HOLD:
        yield CallHeld(known.channel)
    if there.place is Place.RETURNED and there.controlled and known.place is not Place.RETURNED:
        yield CallReturned(known.channel)
    elif there.place is Place.FALLBACK and known.place is not Place.FALLBACK:
        yield ControlLost(known.channel)
