"""What must be true between any two facts. Told as sentences, empty when all is well.

Used by the property tests and by the auditor. It looks at everything, so never on the path of a decision.
"""

from __future__ import annotations

from collections.abc import Iterator

from acd.engine import Engine
from acd.offers import OfferPhase
from acd.orders import TimerId, TimerKind
from acd.states import AgentState

_STATE_OF_PHASE = {
    OfferPhase.DIALLING: AgentState.OFFERING,
    OfferPhase.RINGING: AgentState.OFFERING,
    OfferPhase.CONNECTING: AgentState.CONNECTING,
    OfferPhase.TALKING: AgentState.TALKING,
}
_ENGAGED = frozenset(_STATE_OF_PHASE.values())


def violations(engine: Engine) -> list[str]:
    return [*_offers(engine), *_agents(engine), *_lines(engine), *_pairs(engine), *_timers(engine)]


def _offers(engine: Engine) -> Iterator[str]:
    for offer in engine.offers.open.values():
        agent = engine.floor.agents.get(offer.agent)
        if agent is None or agent.offer != offer.id:
            yield f"offer {offer.id} is not the offer of agent {offer.agent}"
        elif agent.state is not _STATE_OF_PHASE[offer.phase]:
            yield f"offer {offer.id} is {offer.phase} but agent {offer.agent} is {agent.state}"
        standing = engine.lines.callers.get(offer.call)
        if offer.phase is OfferPhase.TALKING:
            if standing is not None:
                yield f"call {offer.call} talks and waits"
            if engine.offers.talks.get(offer.call) != offer.id:
                yield f"talk {offer.id} is not the talk of call {offer.call}"
        elif standing is None or standing.offer != offer.id:
            yield f"offer {offer.id} is not the offer of call {offer.call}"
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
        if agent.intent is not None and agent.state not in (AgentState.CONNECTING, AgentState.TALKING):
            yield f"agent {name} is {agent.state} and still means to {agent.intent.event}"
        if engine.floor.at_phone(agent.spec.endpoint) != name:
            yield f"the phone of agent {name} is not listed as theirs"
    for queue in engine.lines.lines:
        listed = set(engine.floor.free_in(queue))
        free = {a.spec.id for a in engine.floor.agents.values() if a.free and queue in a.spec.queues}
        if listed != free:
            yield f"queue {queue} lists the free agents {sorted(listed)}, free are {sorted(free)}"


def _lines(engine: Engine) -> Iterator[str]:
    for name, line in engine.lines.lines.items():
        here = {call: s for call, s in engine.lines.callers.items() if s.caller.queue == name}
        if set(line.everyone) != set(here):
            yield f"queue {name} does not list its callers"
        if set(line.open) != {call for call, standing in here.items() if standing.offer is None}:
            yield f"queue {name} does not list its callers without an offer"
    for call, standing in engine.lines.callers.items():
        if standing.caller.queue not in engine.lines.lines:
            yield f"call {call} waits in queue {standing.caller.queue}, which is no more"
        if standing.offer is not None and standing.offer not in engine.offers.open:
            yield f"call {call} has offer {standing.offer}, which is over"


def _pairs(engine: Engine) -> Iterator[str]:
    for name, line in engine.lines.lines.items():
        if engine.seeing and len(line.open) and engine.floor.first_free(name) is not None:
            yield f"a caller waits in queue {name} while an agent is free"


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
