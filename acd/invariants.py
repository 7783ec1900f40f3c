"""What must be true between any two facts. Told as sentences, empty when all is well.

Used by the property tests and by the auditor. It looks at everything, so never on the path of a decision.
"""

from __future__ import annotations

from collections.abc import Iterator

from acd.engine import Engine
from acd.floor import Agent
from acd.offers import UNANSWERED, OfferPhase
from acd.orders import TimerId, TimerKind
from acd.skills import Demand
from acd.states import AgentState

_STATE_OF_PHASE = {
    OfferPhase.DIALLING: AgentState.OFFERING,
    OfferPhase.RINGING: AgentState.OFFERING,
    OfferPhase.CONNECTING: AgentState.CONNECTING,
    OfferPhase.TALKING: AgentState.TALKING,
}
_CARES = frozenset({AgentState.TALKING, AgentState.HOLD, AgentState.WRAP_UP})
_ENGAGED = frozenset({*_STATE_OF_PHASE.values(), AgentState.HOLD})
_MAY_MEAN_TO_LEAVE = frozenset({AgentState.CONNECTING, AgentState.TALKING, AgentState.HOLD})


def violations(engine: Engine) -> list[str]:
    return [*_offers(engine), *_agents(engine), *_pools(engine), *_lines(engine), *_pairs(engine), *_timers(engine)]


def _offers(engine: Engine) -> Iterator[str]:
    for offer in engine.offers.open.values():
        agent = engine.floor.agents.get(offer.agent)
        if agent is None or agent.offer != offer.id:
            yield f"offer {offer.id} is not the offer of agent {offer.agent}"
        elif agent.state is not (AgentState.HOLD if offer.held else _STATE_OF_PHASE[offer.phase]):
            yield f"offer {offer.id} is {offer.phase} but agent {offer.agent} is {agent.state}"
        if engine.offers.consults.get(offer.call) == offer.id:
            continue  # on behalf of a talk: no caller waits for it
        standing = engine.lines.callers.get(offer.call)
        if offer.phase is OfferPhase.TALKING:
            if standing is not None:
                yield f"call {offer.call} talks and waits"
            if engine.offers.talks.get(offer.call) != offer.id:
                yield f"talk {offer.id} is not the talk of call {offer.call}"
        elif standing is None or offer.id not in standing.offers:
            yield f"offer {offer.id} is not an offer of call {offer.call}"
        elif (offer.phase is OfferPhase.CONNECTING) != (standing.answered == offer.id):
            yield f"offer {offer.id} is {offer.phase} and call {offer.call} is answered in {standing.answered}"
    for call, consult in engine.offers.consults.items():
        if consult not in engine.offers.open:
            yield f"call {call} is in consultation {consult}, which is over"
    for call, talk in engine.offers.talks.items():
        if talk not in engine.offers.open:
            yield f"call {call} is in talk {talk}, which is over"


def _agents(engine: Engine) -> Iterator[str]:
    for agent in engine.floor.agents.values():
        name = agent.spec.id
        if (agent.offer is not None) != (agent.state in _ENGAGED):
            yield f"agent {name} is {agent.state} with offer {agent.offer}"
        if agent.offer is not None and agent.offer not in engine.offers.open:
            yield f"agent {name} has offer {agent.offer}, which is over"
        care = agent.aftercare
        owes = agent.state is AgentState.WRAP_UP and care is not None and care.owed
        if agent.intent is not None and agent.state not in _MAY_MEAN_TO_LEAVE and not owes:
            yield f"agent {name} is {agent.state} and still means to {agent.intent.event}"
        if (care is None) == (agent.state in _CARES):
            yield f"agent {name} is {agent.state} with aftercare {care}"
        if agent.state is AgentState.WRAP_UP and care is not None:
            wrap_up = TimerId(TimerKind.WRAP_UP, name)
            if engine.outbox.timers.get(wrap_up) != care.ends_at or care.ends_at > care.latest:
                yield f"the wrap-up of agent {name} does not end when it should"
        if engine.floor.at_phone(agent.spec.endpoint) != name:
            yield f"the phone of agent {name} is not listed as theirs"
        if agent.counted_in != (() if agent.state is AgentState.LOGGED_OUT else agent.spec.queues):
            yield f"agent {name} is counted as logged in to {agent.counted_in}"


def _pools(engine: Engine) -> Iterator[str]:
    if set(engine.floor.queues) != set(engine.lines.lines):
        yield "pools and lines are not of the same queues"
    agents = engine.floor.agents.values()
    may_ring = _open(engine)
    for queue, pools in engine.floor.queues.items():
        serving = [agent for agent in agents if queue in agent.spec.queues]
        if set(pools.agents) != {agent.spec.id for agent in serving}:
            yield f"queue {queue} does not list its agents"
        if engine.floor.logged_in[queue] != sum(agent.state is not AgentState.LOGGED_OUT for agent in serving):
            yield f"queue {queue} does not know how many of its agents are logged in"
        for pool in pools.all.values():
            name = f"the pool of {pool.demand} in queue {queue}"
            able = {agent.spec.id for agent in serving if _can_serve(agent, pool.demand)}
            if able != {agent.spec.id for agent in agents if any(one is pool for one in agent.pools)}:
                yield f"{name} is not known to those who can serve it"
            free = {agent for agent in able if engine.floor.agents[agent].free}
            if set(pool.free) != free:
                yield f"{name} lists the free agents {sorted(pool.free)}, free are {sorted(free)}"
            here = {call: one for call, one in engine.lines.callers.items() if one.pool is pool}
            if set(pool.callers) != set(here):
                yield f"{name} does not list its callers"
            if set(pool.open) != {call for call in here if call in may_ring}:
                yield f"{name} does not list its open callers"
            if here and pool.demand.agent is not None and not engine.floor.agents[pool.demand.agent].at_work:
                yield f"somebody waits for agent {pool.demand.agent}, who is not at work"


def _can_serve(agent: Agent, demand: Demand) -> bool:
    return demand.agent in (None, agent.spec.id) and all(
        agent.spec.skills.get(need.skill, 0) >= need.level for need in demand.must
    )


def _open(engine: Engine) -> set[str]:
    """The callers for whom one more phone may ring, told from the offers themselves."""
    ring = {offer.call for offer in engine.offers.open.values() if offer.phase in UNANSWERED}
    answered = {offer.call for offer in engine.offers.open.values() if offer.phase not in UNANSWERED}
    rings_all = {name for name, line in engine.lines.lines.items() if line.spec.rings_all}
    return {
        call
        for call, standing in engine.lines.callers.items()
        if call not in answered and (call not in ring or standing.caller.queue in rings_all)
    }


def _lines(engine: Engine) -> Iterator[str]:
    for name, line in engine.lines.lines.items():
        here = {call: s for call, s in engine.lines.callers.items() if s.caller.queue == name}
        if set(line.everyone) != set(here):
            yield f"queue {name} does not list its callers"
        if engine.seeing and here and line.spec.leave_when_empty and not engine.floor.logged_in[name]:
            yield f"callers wait in queue {name}, which nobody serves"
        if engine.seeing and any(s.answered is None and line.closed_for(s.caller) for s in here.values()):
            yield f"callers wait in queue {name}, which is closed for them"
    for call, standing in engine.lines.callers.items():
        if standing.caller.queue not in engine.lines.lines:
            yield f"call {call} waits in queue {standing.caller.queue}, which is no more"
        for offer in standing.offers:
            if offer not in engine.offers.open:
                yield f"call {call} has offer {offer}, which is over"
        if standing.answered is not None and [*standing.offers] != [standing.answered]:
            yield f"call {call} is answered in {standing.answered} and has the offers {[*standing.offers]}"


def _pairs(engine: Engine) -> Iterator[str]:
    """Whatever the indexes say: nobody who could be served waits while somebody who could serve them is free."""
    free = [agent for agent in engine.floor.agents.values() if agent.free] if engine.seeing else []
    may_ring = _open(engine)
    for call, standing in engine.lines.callers.items():
        demand = standing.stages[standing.stage].demand
        if demand != standing.pool.demand or standing.pool.queue != standing.caller.queue:
            yield f"call {call} is not in the pool of what it demands"
        for agent in free:
            if call in may_ring and standing.caller.queue in agent.spec.queues and _can_serve(agent, demand):
                yield f"call {call} waits in queue {standing.caller.queue} while agent {agent.spec.id} is free"


def _timers(engine: Engine) -> Iterator[str]:
    due: set[TimerId] = set()
    for offer in engine.offers.open.values():
        if offer.phase is not OfferPhase.TALKING:
            due.add(TimerId(TimerKind.OFFER, offer.id))
    for agent in engine.floor.agents.values():
        if agent.state is AgentState.WRAP_UP:
            due.add(TimerId(TimerKind.WRAP_UP, agent.spec.id))
        if agent.resting:
            due.add(TimerId(TimerKind.REST, agent.spec.id))
    for call, standing in engine.lines.callers.items():
        if standing.stage + 1 < len(standing.stages):
            due.add(TimerId(TimerKind.RELAX, call))
    set_now = set(engine.outbox.timers)
    waits = {timer for timer in set_now if timer.kind is TimerKind.MAX_WAIT}
    for missing in sorted(due - set_now):
        yield f"no deadline {missing.kind} for {missing.key}"
    for stray in sorted(set_now - waits - due):
        yield f"deadline {stray.kind} for {stray.key}, which needs none"
    for wait in sorted(waits):
        if wait.key not in engine.lines.callers:
            yield f"max wait runs for call {wait.key}, which waits no more"
    for call, standing in engine.lines.callers.items():
        line = engine.lines.lines.get(standing.caller.queue)
        if line and line.spec.max_wait_s is not None and not standing.overdue:
            wait = TimerId(TimerKind.MAX_WAIT, call)
            if wait not in set_now:
                yield f"no max wait runs for call {call}"
