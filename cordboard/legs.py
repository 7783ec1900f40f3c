"""Who talked with a caller, one after another: each agent's part of a call, folded from its events.

Decides which event begins and ends a part and what counts as hold. Pure: the same events give the same legs, while the
call goes on and for ever after.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from cordboard.events import Event

FLOW = "flow"
"""In the place of an offer, for somebody whom a flow rang."""


@dataclass(slots=True)
class TalkLeg:
    """One person's part of a call. Times are unix seconds; `ended_at` None: it goes on."""

    agent: str | None  # None: somebody outside
    queue: str | None
    started_at: float
    ended_at: float | None = None
    talk_s: float = 0.0  # from the beginning to the end, hold included
    hold_s: float = 0.0
    holds: int = 0
    ended_by: str = ""  # as `talk.ended` says; "caller" or "unknown" for somebody outside
    consulted: bool = False  # was asked by the agent who talked, and never had the caller alone


def legs_of(events: Iterable[Event]) -> list[TalkLeg]:
    """Of one call's events, in their order; the legs in the order in which they began."""
    legs: list[TalkLeg] = []
    running: dict[str, TalkLeg] = {}  # by the offer that it came from; "" for somebody outside
    held_at: dict[str, float] = {}

    def end(offer: str, at: float, ended_by: str) -> None:
        leg = running.pop(offer, None)
        if leg is None:
            return
        resume(offer, at, leg)
        leg.ended_at, leg.ended_by = at, ended_by
        leg.talk_s = round(max(0.0, at - leg.started_at), 3)

    def resume(offer: str, at: float, leg: TalkLeg) -> None:
        since = held_at.pop(offer, None)
        if since is not None:
            leg.hold_s = round(leg.hold_s + max(0.0, at - since), 3)

    for event in events:
        offer = str(event.data.get("offer", ""))
        leg = running.get(offer)
        match event.kind:
            case "talk.started" | "talk.outside_started" | "talk.consulted":
                if leg is None:
                    leg = running[offer] = TalkLeg(event.agent, event.queue, event.at)
                    legs.append(leg)
                leg.consulted = event.kind == "talk.consulted"
            case "transfer.answered":
                running[FLOW] = TalkLeg(event.agent, None, event.at)
                legs.append(running[FLOW])
            case "transfer.ended":
                end(FLOW, event.at, "unknown")
            case "talk.held" if leg is not None:
                held_at[offer] = event.at
                leg.holds += 1
            case "talk.resumed" if leg is not None:
                resume(offer, event.at, leg)
            case "talk.ended" | "talk.consult_ended":
                end(offer, event.at, str(event.data.get("ended_by", "")))
            case "talk.outside_ended":
                end("", event.at, "unknown")
            case "call.ended":
                for open_one in list(running):
                    end(open_one, event.at, str(event.data.get("ended_by", "")))
            case _:
                pass
    return legs
