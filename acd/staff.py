"""The moves of agents: the only place where an agent's state changes, always through the table in `states`.

This module decides what comes with a move: the time, the note, wrap-up and rest timers, the place in the idle order. It
refuses to know callers and offers.
"""

from __future__ import annotations

from acd.aftercare import NONE_GIVEN, Aftercare
from acd.errors import (
    AlreadyLoggedIn,
    DispositionOwed,
    NothingToClassify,
    NotInWrapUp,
    NotLoggedIn,
    UnknownAgent,
    UnknownReason,
)
from acd.facts import AgentRestored, PhoneSeen
from acd.floor import Agent, Floor, Intent
from acd.model import AgentSpec, QueueSpec, Rules
from acd.orders import TimerId, TimerKind
from acd.outbox import Outbox
from acd.states import AgentEvent, AgentState, next_state

_BACK_OF_THE_ORDER = frozenset({AgentEvent.LOG_IN, AgentEvent.BECOME_READY})
_DONE_WITH_A_CALL = frozenset({AgentState.READY, AgentState.NOT_READY, AgentState.LOGGED_OUT})
_AT_WORK_ON_A_CALL = frozenset({AgentState.TALKING, AgentState.HOLD, AgentState.WRAP_UP})


class Staff:
    def __init__(self, floor: Floor, outbox: Outbox, rules: Rules) -> None:
        self.floor = floor
        self.freed: dict[str, None] = {}  # agents who may take a call since this fact began, in that order
        self.absent: dict[str, None] = {}  # agents for whom nobody should wait any more, likewise
        self._turns = 0
        self._out = outbox
        self._rules = rules

    def employed(self, agent: str) -> Agent:
        """The agent whom a person named."""
        found = self.floor.agent(agent)
        if found.leaving:
            raise UnknownAgent(agent)
        return found

    def move(self, agent: Agent, event: AgentEvent, now: float, reason: str = "") -> None:
        """One move of the table. Raises `IllegalTransition` and changes nothing."""
        state = next_state(agent.state, event)
        if agent.state is AgentState.WRAP_UP:
            self._out.cancel(TimerId(TimerKind.WRAP_UP, agent.spec.id))
        if agent.state in _AT_WORK_ON_A_CALL:
            agent.work.add_seconds(agent.since, now)
        if event is AgentEvent.TALK:
            agent.calls.add_one(now)
        if event in (AgentEvent.OFFER, AgentEvent.LOG_IN):
            self._turns += 1
            agent.turn = self._turns
        agent.state, agent.reason, agent.since = state, reason, now
        if event in _BACK_OF_THE_ORDER:
            agent.idle_since = now
            agent.misses = 0
        if state is AgentState.LOGGED_OUT:
            self._end_rest(agent)
        self._out.note("agent.state", agent=agent.spec.id, state=state, reason=reason)
        if state in _DONE_WITH_A_CALL:
            self._no_more_aftercare(agent)
        self.refresh(agent)

    def refresh(self, agent: Agent) -> None:
        """Whoever is free now is not listed as such yet: mostly a caller takes them at once (`engine`)."""
        if agent.free:
            self.freed[agent.spec.id] = None
            self.floor.count(agent)
            return
        self.floor.refresh(agent)
        if not agent.at_work:
            self.absent[agent.spec.id] = None

    def log_in(self, agent: Agent, now: float) -> None:
        if agent.state is AgentState.LOGGED_OUT:
            self.move(agent, AgentEvent.LOG_IN, now)
        elif agent.intent is not None and agent.intent.event is AgentEvent.LOG_OUT:
            agent.intent = None
        else:
            raise AlreadyLoggedIn(agent.spec.id, agent.state)

    def must_be_logged_in(self, agent: Agent) -> None:
        if agent.state is AgentState.LOGGED_OUT:
            raise NotLoggedIn(agent.spec.id)

    def ready(self, agent: Agent, now: float) -> None:
        """Wants calls: ends a pause, a wrap-up, a rest, or takes back what was to happen after the talk."""
        self.must_be_logged_in(agent)
        if self._owes(agent):
            raise DispositionOwed(agent.spec.id, agent.aftercare.queue.dispositions if agent.aftercare else {})
        if agent.state in (AgentState.NOT_READY, AgentState.WRAP_UP):
            self.move(agent, AgentEvent.BECOME_READY, now)
        agent.intent = None
        self._end_rest(agent)
        self.refresh(agent)

    def step_away(self, agent: Agent, intent: Intent, now: float) -> None:
        """They are in no offer: at once, unless they owe a disposition."""
        if self._owes(agent):
            agent.intent = intent
        else:
            self.move(agent, intent.event, now, intent.reason)

    def may_pause_for(self, reason: str) -> None:
        """Raises `UnknownReason`. No reason at all is always one."""
        known = self._rules.not_ready_reasons
        if reason and known and reason not in known:
            raise UnknownReason(reason, known)

    def talk_begins(self, agent: Agent, call: str, queue: QueueSpec) -> None:
        self._no_more_aftercare(agent)
        agent.aftercare = Aftercare(call, queue)

    def talk_over(self, agent: Agent, wrap_up_s: float, now: float) -> None:
        care = agent.aftercare = agent.aftercare or Aftercare()
        owed = care.owed and not agent.leaving
        if not owed and (agent.intent is not None or wrap_up_s <= 0):
            self.let_go(agent, AgentEvent.BECOME_READY, now)
            return
        agent.offer = None
        self.move(agent, AgentEvent.WRAP_UP, now)
        care.begin(wrap_up_s, now)
        self._out.start(TimerId(TimerKind.WRAP_UP, agent.spec.id), care.ends_at)

    def extend_wrap_up(self, agent: Agent, seconds: float, now: float) -> None:
        care = agent.aftercare
        if agent.state is not AgentState.WRAP_UP or care is None:
            raise NotInWrapUp(agent.spec.id)
        longer = care.extend(agent.spec.id, seconds, now)
        self._out.start(TimerId(TimerKind.WRAP_UP, agent.spec.id), care.ends_at)
        self._out.note("agent.wrap_up_extended", agent=agent.spec.id, seconds=round(longer, 3), ends_at=care.ends_at)

    def classify(self, agent: Agent, word: str, now: float) -> None:
        """The disposition of their talk. A later one replaces it."""
        care = agent.aftercare
        if care is None or not care.call:
            raise NothingToClassify(agent.spec.id)
        care.given = care.code(word)
        self._note_disposition(agent, care, care.given)
        if agent.state is not AgentState.WRAP_UP:
            return
        if agent.intent is not None or care.until <= now:
            self.let_go(agent, AgentEvent.BECOME_READY, now)
        else:
            self._out.start(TimerId(TimerKind.WRAP_UP, agent.spec.id), care.until)

    def let_go(self, agent: Agent, event: AgentEvent, now: float, reason: str = "") -> None:
        """Their offer or talk is over: what they asked for meanwhile happens now, else `event`."""
        agent.offer = None
        if agent.intent is not None:
            event, reason = agent.intent
            agent.intent = None
        self.move(agent, event, now, reason)
        if agent.leaving:
            self._remove(agent)

    def rest(self, agent: Agent, now: float) -> None:
        """An offer failed on their side: to the back of the idle order, and not asked again for a moment."""
        agent.idle_since = now
        agent.resting = True
        self._out.start(TimerId(TimerKind.REST, agent.spec.id), now + self._rules.rest_s)
        self.refresh(agent)

    def timer(self, timer: TimerId, now: float) -> None:
        agent = self.floor.agents[timer.key]
        if timer.kind is TimerKind.WRAP_UP:
            self.let_go(agent, AgentEvent.BECOME_READY, now)
        else:
            agent.resting = False
            self.refresh(agent)

    def phone(self, fact: PhoneSeen) -> bool:
        """Whether this told anything new."""
        agent = self.floor.agents.get(fact.agent)
        if agent is None or (agent.reachable, agent.phone_busy) == (fact.reachable, fact.busy):
            return False
        agent.reachable, agent.phone_busy = fact.reachable, fact.busy
        state = "unreachable" if not fact.reachable else "busy" if fact.busy else "idle"
        self._out.note("agent.phone", agent=fact.agent, state=state)
        self.refresh(agent)
        return True

    def restore(self, fact: AgentRestored, queue: QueueSpec, now: float) -> bool:
        """Set an agent to what was known before a restart. It is no move: nothing happened to them.

        Whether a talk of then still lasts only the PBX knows: until it says so the agent is in wrap-up.
        """
        agent = self.floor.agents.get(fact.agent)
        if agent is None or agent.state is not AgentState.LOGGED_OUT:
            return False
        state = fact.state
        if state in (AgentState.OFFERING, AgentState.CONNECTING):
            state = AgentState.READY
        elif state in (AgentState.TALKING, AgentState.HOLD, AgentState.WRAP_UP):
            state = AgentState.WRAP_UP
            agent.aftercare = Aftercare(fact.call if queue.name else "", queue, fact.disposition or None)
            agent.aftercare.begin(queue.wrap_up_s, now)
            self._out.start(TimerId(TimerKind.WRAP_UP, fact.agent), agent.aftercare.ends_at)
        agent.state, agent.reason = state, fact.reason
        agent.since = agent.idle_since = min(fact.since, now)
        self.refresh(agent)
        return True

    def put(self, spec: AgentSpec, now: float) -> None:
        known = spec.id in self.floor.agents
        agent = self.floor.put(spec)
        if not known:
            agent.since = now
        agent.leaving = False
        self.refresh(agent)

    def dismiss(self, agent: Agent, now: float) -> None:
        """Remove an agent: at once, or after the talk that they are in."""
        if agent.offer is not None:
            agent.leaving = True
            agent.intent = Intent(AgentEvent.LOG_OUT, "removed")
            return
        agent.intent = None
        if agent.state is not AgentState.LOGGED_OUT:
            self.move(agent, AgentEvent.LOG_OUT, now, "removed")
        self._remove(agent)

    def _remove(self, agent: Agent) -> None:
        self._end_rest(agent)
        self.freed.pop(agent.spec.id, None)
        self.absent[agent.spec.id] = None
        self.floor.remove(agent)

    def _owes(self, agent: Agent) -> bool:
        return agent.state is AgentState.WRAP_UP and agent.aftercare is not None and agent.aftercare.owed

    def _no_more_aftercare(self, agent: Agent) -> None:
        care, agent.aftercare = agent.aftercare, None
        if care is not None and care.owed:
            self._note_disposition(agent, care, NONE_GIVEN)

    def _note_disposition(self, agent: Agent, care: Aftercare, code: str) -> None:
        self._out.note("call.disposition", call=care.call, agent=agent.spec.id, queue=care.queue.name, code=code)

    def _end_rest(self, agent: Agent) -> None:
        agent.resting = False
        self._out.cancel(TimerId(TimerKind.REST, agent.spec.id))
