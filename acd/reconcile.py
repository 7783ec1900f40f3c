"""What we believed, compared with what the PBX holds.

This module decides which facts must have been missed and which legs belong to nobody. It is pure, sends nothing and
resends nothing: the service tells the engine the facts and hangs up the strays.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from acd import facts as f
from acd.engine import Engine
from acd.model import WaitingCaller
from acd.offers import UNANSWERED, Offer, OfferPhase
from acd.phones import phone_seen
from acd.skills import Requirement
from pbx.facts import ChannelSeen, Place, Snapshot
from pbx.live import OUR_LEG

_PARTED = frozenset({Place.HOLD, Place.ROOM})
_OURS = frozenset({Place.ARRIVAL, Place.RETURNED, Place.TALK})


@dataclass(frozen=True, slots=True)
class RecoveredCaller:
    """A caller of a queue or a talk, as whoever keeps the calls read it from the channel's memory."""

    call: str
    queue: str
    joined_at: float
    phase: Literal["queue", "talk"]
    caller_number: str = ""
    caller_name: str = ""
    head_start: float = 0.0
    agent: str | None = None  # with whom they talk, if the memory says; else their phone tells
    music_on: bool = True  # False: fencing silenced it, it must be started again
    requirement: Requirement | None = None  # None: the queue's
    preferred: str | None = None
    preferred_s: float = 0.0

    def waiting(self) -> WaitingCaller:
        return WaitingCaller(
            self.call,
            self.queue,
            self.joined_at,
            self.head_start,
            self.caller_number,
            self.caller_name,
            self.requirement,
            self.preferred,
            self.preferred_s,
        )


@dataclass(frozen=True, slots=True)
class Parted:
    """A caller on hold or in a room, and the legs that are theirs."""

    queue: str
    caller: ChannelSeen
    legs: list[ChannelSeen]


@dataclass(slots=True)
class Findings:
    facts: list[f.Fact] = field(default_factory=list)
    joined: list[RecoveredCaller] = field(default_factory=list)  # wait on, at their old rank
    together: dict[str, tuple[str, str]] = field(default_factory=dict)  # leg -> (call, bridge)
    returned: list[str] = field(default_factory=list)  # their talk is over and they are in our hands
    ending: list[str] = field(default_factory=list)  # their talk is over and they are about to come back
    gone: list[str] = field(default_factory=list)  # were to come back from a talk, and are not there
    strays: list[str] = field(default_factory=list)  # legs to be hung up
    parted: list[Parted] = field(default_factory=list)  # talks that are not of two in one bridge
    deserted: list[RecoveredCaller] = field(default_factory=list)  # on hold, and whose agent is gone


def compare(
    engine: Engine,
    snapshot: Snapshot,
    recovered: Iterable[RecoveredCaller],
    talked: Mapping[str, float],
    before: float,
    control: Callable[[str], bool] = lambda _channel: False,
) -> Findings:
    """Judge everything that we believe since `before` or longer; younger things the snapshot may not show yet.

    `control` tells of a leg whether somebody else looks after it and its talk.
    `talked`: calls whose talk is over and who have not come back yet, and since when.
    """
    found = Findings()
    channels = {channel.channel: channel for channel in snapshot.channels}
    for endpoint, state in snapshot.phones.items():
        agent = engine.floor.at_phone(endpoint)
        if agent is not None:
            found.facts.append(phone_seen(agent, state))
    for offer in engine.offers.open.values():
        if offer.since <= before and not control(offer.id):
            _judge_offer(offer, channels, found)
    for call, standing in engine.lines.callers.items():
        if call not in channels and standing.caller.joined_at <= before:
            found.facts.append(f.CallerLeft(call))
    for call, since in talked.items():
        if since <= before:
            if call not in channels:
                found.gone.append(call)
            elif channels[call].place is Place.RETURNED:
                found.returned.append(call)
    legs_in = _legs_by_bridge(channels.values())
    for caller in recovered:
        if caller.call in channels and engine.caller(caller.call) is None and engine.offer_of(caller.call) is None:
            _restore(engine, caller, channels, legs_in, found)
    found.strays += [leg for leg in _strays(engine, channels.values(), found) if not control(leg)]
    return found


def _judge_offer(offer: Offer, channels: Mapping[str, ChannelSeen], found: Findings) -> None:
    leg, caller = channels.get(offer.id), channels.get(offer.call)
    together = leg is not None and caller is not None and leg.bridge != "" and leg.bridge == caller.bridge
    if together and leg is not None:
        found.together[offer.id] = (offer.call, leg.bridge)
    if offer.phase in UNANSWERED:
        if leg is None:
            found.facts.append(f.OfferFailed(offer.id, f.OfferFailure.UNKNOWN))
        elif leg.answered:
            found.facts.append(f.OfferAnswered(offer.id))
    elif offer.phase is OfferPhase.CONNECTING:
        if together:
            found.facts.append(f.TalkStarted(offer.id))
        elif leg is None:
            found.facts.append(f.OfferFailed(offer.id, f.OfferFailure.LOST))
    elif caller is None:
        ended_by = f.EndedBy.UNKNOWN if leg is None else f.EndedBy.CALLER
        found.facts.append(f.TalkEnded(offer.id, ended_by))
    elif caller.place is Place.RETURNED:
        found.facts.append(f.TalkEnded(offer.id, f.EndedBy.AGENT))
        found.returned.append(offer.call)


def _restore(
    engine: Engine,
    caller: RecoveredCaller,
    channels: Mapping[str, ChannelSeen],
    legs_in: Mapping[str, list[ChannelSeen]],
    found: Findings,
) -> None:
    channel = channels[caller.call]
    legs = legs_in.get(channel.bridge, [])
    if channel.place is Place.HOLD and not channel.bridge:
        ours = (one for one in channels.values() if one.channel.startswith(OUR_LEG))
        legs = [one for one in ours if one.answered and _noted(one).get("c") == caller.call]
        if not legs:
            found.deserted.append(caller)
    legs = sorted(legs, key=lambda leg: not _noted(leg).get("m"))  # whose talk it is comes first
    if legs:  # the bridge is the truth: the memory may be a moment old
        agent = engine.floor.at_phone(legs[0].endpoint) or caller.agent or ""
        held = channel.place is Place.HOLD and not channel.bridge
        found.facts.append(f.TalkRestored(legs[0].channel, caller.call, agent, caller.queue, held))
        for leg in legs[1:2] if channel.place is Place.ROOM else ():
            asked = engine.floor.at_phone(leg.endpoint) or ""
            found.facts.append(f.TalkRestored(leg.channel, caller.call, asked, caller.queue, consult=True))
        found.together[legs[0].channel] = (caller.call, channel.bridge)
        if channel.place in _PARTED:
            found.parted.append(Parted(caller.queue, channel, legs))
    elif caller.phase == "talk" and channel.place is Place.RETURNED:
        found.returned.append(caller.call)
    elif caller.phase == "talk" and channel.place is Place.TALK:
        found.ending.append(caller.call)
    elif channel.place in _OURS:
        found.joined.append(caller)


def _noted(leg: ChannelSeen) -> dict[str, Any]:
    """What `control` noted on the leg: the call (`c`), and whether the talk is this leg's (`m`)."""
    try:
        noted = json.loads(leg.memory)
    except ValueError:
        return {}
    return noted if isinstance(noted, dict) else {}


def _legs_by_bridge(channels: Iterable[ChannelSeen]) -> dict[str, list[ChannelSeen]]:
    legs: dict[str, list[ChannelSeen]] = defaultdict(list)
    for channel in channels:
        if channel.bridge and channel.channel.startswith(OUR_LEG):
            legs[channel.bridge].append(channel)
    return legs


def _strays(engine: Engine, channels: Iterable[ChannelSeen], found: Findings) -> Iterator[str]:
    """Legs without an owner. One that talks to somebody is left alone, even if we do not know to whom."""
    in_bridge: dict[str, int] = defaultdict(int)
    seen = list(channels)
    for channel in seen:
        in_bridge[channel.bridge] += 1
    for channel in seen:
        name = channel.channel
        if not name.startswith(OUR_LEG) or name in engine.offers.open or name in found.together:
            continue
        if not channel.bridge or in_bridge[channel.bridge] < 2:
            yield name
