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
    CallReturned,
    ChannelGone,
    ChannelSeen,
    ControlLost,
    Fact,
    LegAnswered,
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
    """One channel as we believe it. `suspect` holds the discrepancy seen at the last look, by name."""

    channel: str
    place: Place
    bridge: str = ""
    suspect: str = ""


class LiveChannels:
    """Channels by unique id, phones by endpoint."""

    def __init__(self) -> None:
        self._channels: dict[str, LiveChannel] = {}
        self._gone: dict[str, None] = {}
        self._strangers: set[str] = set()
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
                if channel in self._gone:
                    return False
                self._channels.setdefault(channel, LiveChannel(channel, Place.RETURNED)).place = Place.RETURNED
            case LegRinging(channel=channel) | LegAnswered(channel=channel):
                if channel in self._gone:
                    return False
                self._channels.setdefault(channel, LiveChannel(channel, Place.OFFER))
            case BridgeEntered(channel=channel, bridge=bridge):
                known = self._channels.get(channel)
                if known is None or known.bridge == bridge:
                    return known is not None and known.bridge != bridge
                known.bridge = bridge
                if known.place in {Place.ARRIVAL, Place.RETURNED}:
                    known.place = Place.TALK
            case BridgeLeft(channel=channel, bridge=bridge):
                known = self._channels.get(channel)
                if known is None or known.bridge != bridge:
                    return False
                known.bridge = ""
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
            if there is None:
                if self._confirmed(known, "gone", certain):
                    facts.append(ChannelGone(known.channel, 0))
            elif known.bridge != there.bridge:
                if self._confirmed(known, f"bridge {there.bridge}", certain):
                    if known.bridge:
                        facts.append(BridgeLeft(known.channel, known.bridge))
                    if there.bridge:
                        facts.append(BridgeEntered(known.channel, there.bridge))
            elif there.place is Place.RETURNED and known.place is Place.TALK and there.controlled:
                if self._confirmed(known, "returned", certain):
                    facts.append(CallReturned(known.channel))
            elif there.place is Place.FALLBACK and known.place is not Place.FALLBACK:
                if self._confirmed(known, "fallback", certain):
                    known.place = Place.FALLBACK
                    facts.append(ControlLost(known.channel))
            else:
                known.suspect = ""
        facts.extend(PhoneChanged(endpoint, state) for endpoint, state in snapshot.phones.items())
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

    @staticmethod
    def _confirmed(known: LiveChannel, discrepancy: str, certain: bool) -> bool:
        if certain or known.suspect == discrepancy:
            known.suspect = ""
            return True
        known.suspect = discrepancy
        return False
