"""The life of an offer: one caller, one agent, from the first ring to the end of their talk.

An agent has one offer at most. A caller may have many that ring: the first answer takes the others back at once.

This module decides what an ending means for both: whose fault it was, who rests, who goes back to the head. It refuses
to know who should be brought together (`engine`) and how agents move (`staff`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from acd.facts import EndedBy, OfferFailure, TalkRestored
from acd.floor import Agent, Intent
from acd.lines import Lines, Standing
from acd.model import QueueSpec, Rules
from acd.orders import ConnectTalk, MakeOffer, QueueResult, ReleaseCaller, TimerId, TimerKind, WithdrawOffer
from acd.outbox import Outbox
from acd.staff import Staff
from acd.states import TABLE, AgentEvent, AgentState
from acd.widening import Widening


class OfferPhase(StrEnum):
    DIALLING = "dialling"
    RINGING = "ringing"
    CONNECTING = "connecting"
    TALKING = "talking"


UNANSWERED = frozenset({OfferPhase.DIALLING, OfferPhase.RINGING})
ANSWERED_ELSEWHERE = "answered_elsewhere"


@dataclass(slots=True)
class Offer:
    id: str
    call: str
    agent: str
    queue: str
    wrap_up_s: float
    phase: OfferPhase
    since: float  # when this phase began
    turn: int  # the agent's before it


class Offers:
    def __init__(
        self,
        lines: Lines,
        staff: Staff,
        widening: Widening,
        outbox: Outbox,
        rules: Rules,
        new_id: Callable[[], str],
    ) -> None:
        self.open: dict[str, Offer] = {}
        self.talks: dict[str, str] = {}  # call -> offer
        self.seekers: dict[str, None] = {}  # callers who may find an agent since this fact began
        self.watch: Callable[[Standing, Agent, float], None] | None = None  # sees both before they are reserved
        self._lines = lines
        self._staff = staff
        self._widening = widening
        self._out = outbox
        self._rules = rules
        self._new_id = new_id

    def make(self, standing: Standing, agent: Agent, now: float) -> None:
        if self.watch is not None:
            self.watch(standing, agent, now)
        caller = standing.caller
        queue = self._lines.lines[caller.queue].spec
        ids = self._new_id(), caller.call, agent.spec.id, queue.name
        offer = Offer(*ids, queue.wrap_up_s, OfferPhase.DIALLING, now, agent.turn)
        self._staff.move(agent, AgentEvent.OFFER, now)
        agent.offer = offer.id
        self.open[offer.id] = offer
        self._lines.reserve(standing, offer.id)
        self._out.give(MakeOffer(offer.id, caller, offer.agent, agent.spec.endpoint, queue.ring_s))
        self._note("offer.made", offer)
        self._out.start(TimerId(TimerKind.OFFER, offer.id), now + queue.ring_s + self._rules.ring_margin_s)

    def ringing(self, offer: Offer, now: float) -> bool:
        if offer.phase is not OfferPhase.DIALLING:
            return False
        offer.phase, offer.since = OfferPhase.RINGING, now
        self._note("offer.ringing", offer)
        return True

    def answered(self, offer: Offer, now: float) -> bool:
        if offer.phase not in UNANSWERED:
            return False
        offer.phase, offer.since = OfferPhase.CONNECTING, now
        agent = self._staff.floor.agents[offer.agent]
        agent.misses = 0
        self._staff.move(agent, AgentEvent.ANSWER, now)
        self._out.give(ConnectTalk(offer.id, offer.call, offer.agent))
        self._note("offer.answered", offer)
        self._out.start(TimerId(TimerKind.OFFER, offer.id), now + self._rules.connect_s)
        standing = self._lines.callers[offer.call]
        self._lines.answer(standing, offer.id)
        for other in list(standing.offers):
            if other != offer.id:
                self.withdraw(self.open[other], ANSWERED_ELSEWHERE, now)
        return True

    def failed(self, offer: Offer, reason: OfferFailure, now: float) -> bool:
        """The caller goes back to the head at their old rank. The agent goes to the back and rests, or is not there."""
        if offer.phase is OfferPhase.TALKING:
            return False
        unanswered = offer.phase in UNANSWERED
        agent = self._close(offer)
        self._note("offer.failed", offer, reason=reason)
        if reason in (OfferFailure.UNKNOWN, OfferFailure.LOST):
            self._out.give(WithdrawOffer(offer.id))  # the leg may live on
        if reason is OfferFailure.NO_ANSWER and unanswered:
            agent.misses += 1
        if agent.misses >= self._rules.max_misses:
            agent.misses = 0
            self._staff.let_go(agent, AgentEvent.MISS_TOO_OFTEN, now, "ring_no_answer")
        else:
            agent.resting = True  # before the move: they must not count as free for an instant
            self._staff.let_go(agent, AgentEvent.OFFER_OVER, now)
            if agent.state is AgentState.READY:
                self._staff.rest(agent, now)
            else:
                agent.resting = False
        self._back_in_line(offer)
        standing = self._lines.callers.get(offer.call)
        if standing is not None and standing.pool.demand.agent == offer.agent:
            self._widening.no_preference(standing, now)  # asked, and did not come
        return True

    def withdraw(
        self, offer: Offer, why: str, now: float, event: AgentEvent = AgentEvent.OFFER_OVER, reason: str = ""
    ) -> None:
        """Take an offer back through no fault of the agent: they keep their place in the idle order, and their turn."""
        agent = self._close(offer)
        agent.turn = offer.turn
        self._out.give(WithdrawOffer(offer.id, elsewhere=why == ANSWERED_ELSEWHERE))
        self._note("offer.withdrawn", offer, reason=why)
        self._staff.let_go(agent, event, now, reason)
        self._back_in_line(offer)

    def withdraw_all(self, standing: Standing, why: str, now: float) -> None:
        for offer in list(standing.offers):
            self.withdraw(self.open[offer], why, now)

    def talk_started(self, offer: Offer, now: float) -> bool:
        if offer.phase is not OfferPhase.CONNECTING:
            return False
        self._out.cancel(TimerId(TimerKind.OFFER, offer.id))
        offer.phase, offer.since = OfferPhase.TALKING, now
        self.talks[offer.call] = offer.id
        agent = self._staff.floor.agents[offer.agent]
        self._staff.talk_begins(agent, offer.call, self._lines.lines[offer.queue].spec)
        self._staff.move(agent, AgentEvent.TALK, now)
        self._note("talk.started", offer)
        self.leave_line(self._lines.callers[offer.call], "answered")
        return True

    def talk_ended(self, offer: Offer, ended_by: EndedBy, now: float) -> bool:
        if offer.phase is not OfferPhase.TALKING:
            return False
        agent = self._close(offer)
        del self.talks[offer.call]
        self._note("talk.ended", offer, ended_by=ended_by)
        self._staff.talk_over(agent, offer.wrap_up_s, now)
        return True

    def restore(self, fact: TalkRestored, now: float) -> bool:
        agent = self._staff.floor.agents.get(fact.agent)
        if (
            agent is None
            or agent.offer is not None
            or fact.offer in self.open
            or fact.call in self.talks
            or fact.call in self._lines.callers
            or (agent.state, AgentEvent.RESUME_TALK) not in TABLE
        ):
            return False
        if agent.state is AgentState.NOT_READY:
            agent.intent = Intent(AgentEvent.PAUSE, agent.reason)
        elif agent.state is AgentState.LOGGED_OUT:
            agent.intent = Intent(AgentEvent.LOG_OUT, "")
        line = self._lines.lines.get(fact.queue)
        wrap_up_s = line.spec.wrap_up_s if line is not None else 0.0
        self._staff.talk_begins(agent, fact.call, line.spec if line is not None else QueueSpec(fact.queue))
        ids = fact.offer, fact.call, fact.agent, fact.queue
        self.open[fact.offer] = Offer(*ids, wrap_up_s, OfferPhase.TALKING, now, agent.turn)
        self.talks[fact.call] = fact.offer
        agent.offer = fact.offer
        self._staff.move(agent, AgentEvent.RESUME_TALK, now)
        return True

    def step_away(self, agent: Agent, intent: Intent, now: float) -> None:
        """Log out or pause: at once, taking back what rings; after an answer, when the talk is over."""
        offer = self.open[agent.offer] if agent.offer is not None else None
        if offer is None:
            self._staff.step_away(agent, intent, now)
        elif offer.phase in UNANSWERED:
            self.withdraw(offer, "agent_away", now, intent.event, intent.reason)
        else:
            agent.intent = intent

    def release(self, standing: Standing, result: QueueResult, now: float) -> None:
        """Hand a caller back; what rings for them is taken back."""
        self.withdraw_all(standing, result, now)
        if standing.caller.call in self._lines.callers:  # an overdue one was released by the withdrawal
            self._out.give(ReleaseCaller(standing.caller.call, result))
            self.leave_line(standing, result)

    def leave_line(self, standing: Standing, reason: str) -> None:
        caller = standing.caller
        self._out.cancel(TimerId(TimerKind.MAX_WAIT, caller.call))
        self._widening.leave(standing)
        self.seekers.pop(caller.call, None)
        place = self._lines.leave(standing)
        self._out.note("queue.left", call=caller.call, queue=caller.queue, reason=reason)
        self.note_positions(caller.queue, place)

    def note_positions(self, queue: str, place: int) -> None:
        """Note the new position of everyone from `place` on, as far as the queue wants positions noted."""
        line = self._lines.lines[queue]
        for index, call in enumerate(line.everyone.slice(place, line.spec.noted_positions), start=place + 1):
            self._out.note("queue.position", call=call, queue=queue, position=index)

    def _close(self, offer: Offer) -> Agent:
        del self.open[offer.id]
        self._out.cancel(TimerId(TimerKind.OFFER, offer.id))
        return self._staff.floor.agents[offer.agent]

    def _back_in_line(self, offer: Offer) -> None:
        standing = self._lines.callers[offer.call]
        self._lines.unreserve(standing, offer.id)
        if standing.overdue:
            self._out.give(ReleaseCaller(offer.call, QueueResult.TIMEOUT))
            self.leave_line(standing, QueueResult.TIMEOUT)
        else:
            self.seekers[offer.call] = None

    def _note(self, kind: str, offer: Offer, **data: str) -> None:
        self._out.note(kind, call=offer.call, agent=offer.agent, queue=offer.queue, offer=offer.id, **data)
