"""The distributor's present as plain data, for people who look at it. It decides what is shown: never numbers or names
of callers, and at most so many callers of a queue."""

from __future__ import annotations

from collections import Counter
from typing import Any

from acd.engine import Engine
from acd.floor import Agent
from acd.lines import Line
from acd.offers import OfferPhase
from acd.states import AgentState

_SHOWN_CALLERS = 100


def views(engine: Engine, now: float) -> dict[str, list[dict[str, Any]]]:
    talking = Counter(offer.queue for offer in engine.offers.open.values() if offer.phase is OfferPhase.TALKING)
    logged_in: Counter[str] = Counter()
    for agent in engine.floor.agents.values():
        if agent.state is not AgentState.LOGGED_OUT:
            logged_in.update(agent.spec.queues)
    return {
        "queues": [
            _queue(engine, line, now, talking[name], logged_in[name]) for name, line in engine.lines.lines.items()
        ],
        "agents": [_agent(engine, agent) for agent in engine.floor.agents.values()],
    }


def _queue(engine: Engine, line: Line, now: float, talking: int, logged_in: int) -> dict[str, Any]:
    callers = [engine.lines.callers[call] for call in line.everyone]
    return {
        "name": line.spec.name,
        "open": line.closed_since is None,
        "waiting": len(callers),
        "offered": sum(bool(standing.offers) for standing in callers),
        "talking": talking,
        "waiting_since": min((standing.caller.joined_at for standing in callers), default=None),
        "longest_wait_s": round(max((now - standing.caller.joined_at for standing in callers), default=0.0), 3),
        "agents_logged_in": logged_in,
        "agents_free": sum(1 for _ in engine.floor.free_in(line.spec.name)),
        "callers": [
            {
                "call": standing.caller.call,
                "position": index,
                "waited_s": round(now - standing.caller.joined_at, 3),
                "offered": bool(standing.offers),
            }
            for index, standing in enumerate(callers[:_SHOWN_CALLERS], start=1)
        ],
    }


def _agent(engine: Engine, agent: Agent) -> dict[str, Any]:
    offer = engine.offers.open[agent.offer] if agent.offer is not None else None
    care = agent.aftercare if agent.aftercare is not None and agent.aftercare.call else None
    return {
        "id": agent.spec.id,
        "name": agent.spec.name,
        "endpoint": agent.spec.endpoint,
        "queues": list(agent.spec.queues),
        "state": agent.state.value,
        "reason": agent.reason,
        "since": agent.since or None,  # never in another state than the first
        "idle_since": agent.idle_since,
        "free": agent.free,
        "reachable": agent.reachable,
        "phone_busy": agent.phone_busy,
        "resting": agent.resting,
        "after_talk": agent.intent.event.value if agent.intent is not None else None,
        "call": offer.call if offer is not None else None,
        "queue": offer.queue if offer is not None else care.queue.name if care is not None else None,
        "offer": offer.id if offer is not None else None,
        "offer_phase": offer.phase.value if offer is not None else None,
        "wrap_up_ends_at": agent.aftercare.ends_at if agent.aftercare and agent.state is AgentState.WRAP_UP else None,
        "disposition": care.given if care is not None else None,
        "disposition_owed": care is not None and care.owed,
        "dispositions": dict(care.queue.dispositions) if care is not None else {},
    }
