"""The call book: every caller that is here now, and how calls are found again after a lost link or a restart.

Decides which call a fact belongs to and what a channel of a snapshot means for us.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from typing import Any, Literal

from acd.destinations import Destination
from acd.service import QueueResult, RecoveredCaller
from cordboard.call import Call, CallServices
from cordboard.features import FeatureCall, FeatureCodes
from cordboard.memory import Memory, Phase
from cordboard.outside import Done
from ivr.ports import Handle
from ivr.requests import FAILED, TransferRequest
from ivr.session import CallInfo
from pbx.facts import CallArrived, ChannelGone, ChannelSeen, Fact, Origin, Place
from pbx.orders import HangUp

CAUSE_CONGESTION = 34


class CallBook:
    """Calls by the unique id of the caller's channel."""

    def __init__(self, services: CallServices, codes: FeatureCodes) -> None:
        self._services = services
        self._codes = codes
        self._calls: dict[str, Call] = {}
        self._features: dict[str, FeatureCall] = {}
        self._refusing = False
        self.empty = asyncio.Event()
        self.empty.set()

    def __len__(self) -> int:
        return len(self._calls)

    def __iter__(self) -> Iterator[Call]:
        return iter(self._calls.values())

    def get(self, channel: str) -> Call | None:
        return self._calls.get(channel)

    def arrived(self, fact: CallArrived) -> None:
        if fact.origin is Origin.AGENT and self._codes.looks_like_one(fact.dialled):
            services = self._services
            feature = FeatureCall(
                fact, self._codes.command(fact.dialled), services.switch, services.prompts, services.distributor
            )
            self._features[fact.channel] = feature
            feature.begin()
            return
        if self._refusing:
            self._services.switch.send(HangUp(fact.channel, CAUSE_CONGESTION))
            return
        info = CallInfo(fact.caller_number, fact.caller_name, fact.dialled, fact.language)
        self._add(fact.channel, info, fact.origin, self._services.clock()).begin()

    def refuse_new(self) -> None:
        """From now on new callers hear congestion; those who are here go on."""
        self._refusing = True

    def stop(self) -> None:
        """End every call."""
        for call in list(self._calls.values()):
            call.stop()

    def handle(self, channel: str, fact: Fact) -> None:
        """Hand a fact to the call it is about. Facts about channels that are no call of ours are not errors."""
        gone = isinstance(fact, ChannelGone)
        call = self._calls.get(channel)
        if call is not None:
            call.handle(fact)  # of the end too: what its flow still does may ask for it
            if gone:
                del self._calls[channel]
            if not self._calls:
                self.empty.set()
            return
        feature = self._features.pop(channel, None) if gone else self._features.get(channel)
        if feature is not None:
            feature.handle(fact)

    def queue_ended(self, channel: str, result: QueueResult) -> None:
        call = self._calls.get(channel)
        if call is not None:
            call.queue_ended(result)

    def transferred(self, channel: str, to: Destination) -> None:
        call = self._calls.get(channel)
        if call is not None:
            call.transferred(to)

    def transfer(self, channel: str, what: TransferRequest, done: Done) -> Handle:
        """A flow wants its caller to talk with somebody."""
        call = self._calls.get(channel)
        if call is None:
            return self._services.timers.after(0.0, lambda: done(FAILED, ()))
        return call.transfer(what, lambda outcome: done(outcome, ()))

    def waits_since(self, channel: str, queue: str) -> float | None:
        """Since when this caller has waited in a queue, or had when they left it for the flow; None: they have not."""
        call = self._calls.get(channel)
        return call.waiting.since(queue) if call is not None else None

    def suspend(self) -> None:
        for call in self._calls.values():
            call.suspend()

    def renew(self, now: float) -> None:
        for call in self._calls.values():
            call.renew(now)

    def relink(self, channels: Iterable[ChannelSeen]) -> None:
        """After the link is back: the calls that we know go on. Agents with a feature call simply dial again."""
        for seen in channels:
            call = self._calls.get(seen.channel)
            if call is not None:
                call.relink(seen)
            elif seen.channel in self._features:
                self._services.switch.send(HangUp(seen.channel))

    def found(self, channels: Iterable[ChannelSeen]) -> None:
        """After a periodic look: whoever waits for us without our knowing goes on."""
        for seen in channels:
            call = self._calls.get(seen.channel)
            if call is not None:
                call.found(seen)

    def recover(self, seen: ChannelSeen) -> RecoveredCaller | None:
        """Adopt a caller's channel that we have never heard of; the answer is what the distributor must know of it."""
        memory = Memory.load(seen.memory)
        memory = memory.known_at(self._services.clock()) if memory is not None else None
        if memory is None and self._codes.looks_like_one(seen.dialled):
            self._services.switch.send(HangUp(seen.channel))  # an agent's feature call: they simply dial again
            return None
        info = CallInfo(seen.caller_number, seen.caller_name, memory.dialled if memory else seen.dialled, seen.language)
        arrived_at = memory.arrived_at if memory else self._services.clock()
        origin = memory.origin if memory else Origin.PUBLIC
        call = self._add(seen.channel, info, origin, arrived_at)
        call.recover(seen, memory)
        if call.phase is Phase.QUEUE:
            return _recovered(call, "queue")
        talks = call.phase is Phase.TALK and not call.talks_by_flow
        if talks and seen.place in {Place.TALK, Place.HOLD, Place.ROOM}:
            return _recovered(call, "talk")
        return None

    def _add(self, channel: str, info: CallInfo, origin: Origin, arrived_at: float) -> Call:
        call = self._calls[channel] = Call(self._services, channel, info, origin, arrived_at)
        self.empty.clear()
        return call

    def views(self) -> list[dict[str, Any]]:
        """Live calls for people: plain JSON, newest last."""
        return [
            {
                "call_id": call.channel,
                "caller": call.info.caller_number,
                "dialled": call.info.dialled,
                "origin": call.origin,
                "phase": call.phase,
                "flow": call.flow_name,
                "dialplans": call.version or None,
                "talk": self._services.distributor.talk_view(call.channel),
                "queue": call.waiting.queue or None,
                "data": dict(call.waiting.data),
                "arrived_at": call.arrived_at,
            }
            for call in self._calls.values()
        ]


def _recovered(call: Call, phase: Literal["queue", "talk"]) -> RecoveredCaller:
    caller = call.waiting.caller(call.channel)
    return RecoveredCaller(
        caller.call,
        caller.queue,
        caller.joined_at,
        phase,
        caller.caller_number,
        caller.caller_name,
        caller.head_start,
        requirement=caller.requirement,
        preferred=caller.preferred,
        preferred_s=caller.preferred_s,
    )
