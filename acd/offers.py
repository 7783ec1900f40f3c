"""The life of an offer: one caller, one agent, from the first ring to the end of their talk.

An agent has one offer at most. A caller may have many that ring: the first answer takes the others back at once.

This module decides what an ending means for both: whose fault it was, who rests, who goes back to the head. It refuses
to know who should be brought together (`engine`) and how agents move (`staff`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from acd.errors import AgentNotFree, NoTalk, NotPossible
from acd.facts import ConsultAsked, EndedBy, OfferFailure, TalkMoved, TalkRestored, TalkTaken
from acd.floor import Agent, Intent
from acd.lines import Lines, Standing
from acd.model import QueueSpec, Rules
from acd.orders import MakeConsult, MakeOffer, QueueResult, ReleaseCaller, TimerId, TimerKind, WithdrawOffer
from acd.outbox import Outbox
from acd.sides import ANSWERED_ELSEWHERE, Consulting, Heir, InLine, Side
from acd.staff import Staff
from acd.states import TABLE, AgentEvent, AgentState
from acd.widening import Widening


class OfferPhase(StrEnum):
    DIALLING = "dialling"
    RINGING = "ringing"
    CONNECTING = "connecting"
    TALKING = "talking"


UNANSWERED = frozenset({OfferPhase.DIALLING, OfferPhase.RINGING})


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
    side: Side  # on whose behalf
    held: bool = False  # the caller of this talk is on hold


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
        self.consults: dict[str, str] = {}  # call -> the offer by which its agent asks another
        self.seekers: dict[str, None] = {}  # callers who may find an agent since this fact began
        self.watch: Callable[[Standing, Agent, float], None] | None = None  # sees both before they are reserved
        self._lines = lines
        self._staff = staff
        self._widening = widening
        self._out = outbox
        self._rules = rules
        self._new_id = new_id
        self._in_line = InLine(self, lines, outbox)
        self._consulting = Consulting(self, outbox)
        self._heir = Heir(self, outbox)

    def make(self, standing: Standing, agent: Agent, now: float) -> None:
        if self.watch is not None:
            self.watch(standing, agent, now)
        caller = standing.caller
        queue = self._lines.lines[caller.queue].spec
        ids = self._new_id(), caller.call, agent.spec.id, queue.name
        offer = Offer(*ids, queue.wrap_up_s, OfferPhase.DIALLING, now, agent.turn, self._in_line)
        self._lines.reserve(standing, offer.id)
        self._open(offer, agent, queue.ring_s, now)
        self._out.give(MakeOffer(offer.id, caller, offer.agent, agent.spec.endpoint, queue.ring_s))
        self.note("offer.made", offer)

    def ask(self, fact: ConsultAsked, now: float) -> None:
        """Ring another agent for the one who talks. Raises what a person can be told, and changes nothing."""
        talk = self.open.get(self.talks.get(fact.call, ""))
        if talk is None:
            raise NoTalk(fact.call)
        if fact.call in self.consults:
            raise NotPossible("Somebody is being consulted already.")
        agent = self._staff.employed(fact.agent)
        if not agent.free:
            raise AgentNotFree(fact.agent, agent.why_not_free)
        ring_s = self._spec(talk.queue).ring_s
        ids = self._new_id(), fact.call, fact.agent, talk.queue
        offer = Offer(*ids, talk.wrap_up_s, OfferPhase.DIALLING, now, agent.turn, self._consulting)
        self.consults[fact.call] = offer.id
        self._open(offer, agent, ring_s, now)
        self._out.give(MakeConsult(offer.id, fact.call, fact.agent, agent.spec.endpoint, ring_s))
        self.note("offer.made", offer, consult=True)

    def _open(self, offer: Offer, agent: Agent, ring_s: int, now: float) -> None:
        self._staff.move(agent, AgentEvent.OFFER, now)
        agent.offer = offer.id
        self.open[offer.id] = offer
        self._out.start(TimerId(TimerKind.OFFER, offer.id), now + ring_s + self._rules.ring_margin_s)

    def ringing(self, offer: Offer, now: float) -> bool:
        if offer.phase is not OfferPhase.DIALLING:
            return False
        offer.phase, offer.since = OfferPhase.RINGING, now
        self.note("offer.ringing", offer)
        return True

    def answered(self, offer: Offer, now: float) -> bool:
        if offer.phase not in UNANSWERED:
            return False
        offer.phase, offer.since = OfferPhase.CONNECTING, now
        agent = self._staff.floor.agents[offer.agent]
        agent.misses = 0
        self._staff.move(agent, AgentEvent.ANSWER, now)
        self.note("offer.answered", offer)
        self._out.start(TimerId(TimerKind.OFFER, offer.id), now + self._rules.connect_s)
        offer.side.answered(offer, now)
        return True

    def failed(self, offer: Offer, reason: OfferFailure, now: float) -> bool:
        """The caller goes back to the head at their old rank. The agent goes to the back and rests, or is not there."""
        if offer.phase is OfferPhase.TALKING:
            return False
        unanswered = offer.phase in UNANSWERED
        agent = self._close(offer)
        self.note("offer.failed", offer, reason=reason)
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
        offer.side.dropped(offer)
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
        self.note("offer.withdrawn", offer, reason=why)
        self._staff.let_go(agent, event, now, reason)
        offer.side.dropped(offer)

    def withdraw_all(self, standing: Standing, why: str, now: float) -> None:
        for offer in list(standing.offers):
            self.withdraw(self.open[offer], why, now)

    def talk_started(self, offer: Offer, now: float) -> bool:
        if offer.phase is not OfferPhase.CONNECTING:
            return False
        self._out.cancel(TimerId(TimerKind.OFFER, offer.id))
        offer.phase, offer.since = OfferPhase.TALKING, now
        agent = self._staff.floor.agents[offer.agent]
        self._staff.talk_begins(agent, offer.call, self._aftercare(offer))
        self._staff.move(agent, AgentEvent.TALK, now)
        offer.side.started(offer)
        return True

    def held(self, offer: Offer, by: str, now: float) -> bool:
        if offer.phase is not OfferPhase.TALKING or offer.held:
            return False
        offer.held = True
        self._staff.move(self._staff.floor.agents[offer.agent], AgentEvent.HOLD, now)
        self.note("talk.held", offer, by=by)
        return True

    def resumed(self, offer: Offer, now: float) -> bool:
        if not offer.held:
            return False
        offer.held = False
        self._staff.move(self._staff.floor.agents[offer.agent], AgentEvent.UNHOLD, now)
        self.note("talk.resumed", offer)
        return True

    def moved(self, fact: TalkMoved, now: float) -> bool:
        """The consulted agent takes the talk over, now or when they answer; the first one is done with it."""
        heir = self.open.get(fact.offer)
        if heir is None or heir.side is not self._consulting or heir.call != fact.call:
            return False
        before = self.talks.get(fact.call)
        if before is not None:
            self.talk_ended(self.open[before], EndedBy.TRANSFER, now)
        heir.side = self._heir
        if heir.phase is OfferPhase.TALKING:
            self._staff.talk_begins(self._staff.floor.agents[heir.agent], heir.call, self._aftercare(heir))
            heir.side.started(heir)
        return True

    def taken(self, fact: TalkTaken, now: float) -> bool:
        before = self.talks.get(fact.call)
        if before is None:
            return False
        agent = self._staff.employed(fact.agent)
        if agent.offer is not None or (agent.state, AgentEvent.RESUME_TALK) not in TABLE:
            raise AgentNotFree(fact.agent, agent.why_not_free)
        talk = self.open[before]
        self.drop_consult(fact.call, EndedBy.TRANSFER, now)  # whom the first agent asked is needed no more
        self.talk_ended(talk, EndedBy.TRANSFER, now)
        self.restore(TalkRestored(fact.offer, fact.call, fact.agent, talk.queue), now)
        self.note("talk.started", self.open[fact.offer])
        return True

    def talk_ended(self, offer: Offer, ended_by: EndedBy, now: float) -> bool:
        if offer.phase is not OfferPhase.TALKING:
            return False
        if offer.side is not self._consulting and ended_by is not EndedBy.TRANSFER:
            self.drop_consult(offer.call, ended_by, now)
        agent = self._close(offer)
        consulted = offer.side is self._consulting
        offer.side.ended(offer)
        self.note("talk.consult_ended" if consulted else "talk.ended", offer, ended_by=ended_by)
        self._staff.talk_over(agent, 0.0 if consulted else offer.wrap_up_s, now)
        return True

    def drop_consult(self, call: str, ended_by: EndedBy, now: float) -> bool:
        """The talk is over, or its agent has nothing more to ask."""
        consult = self.open.get(self.consults.get(call, ""))
        if consult is None or consult.side is not self._consulting:
            return False
        if consult.phase is OfferPhase.TALKING:
            self._out.give(WithdrawOffer(consult.id))
            self.talk_ended(consult, ended_by, now)
        else:
            self.withdraw(consult, "not_wanted", now)
        return True

    def restore(self, fact: TalkRestored, now: float) -> bool:
        agent = self._staff.floor.agents.get(fact.agent)
        if (
            agent is None
            or agent.offer is not None
            or fact.offer in self.open
            or (fact.call in self.talks) is not fact.consult
            or fact.call in self.consults
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
        ids = fact.offer, fact.call, fact.agent, fact.queue
        side = self._consulting if fact.consult else self._heir
        offer = self.open[fact.offer] = Offer(*ids, wrap_up_s, OfferPhase.TALKING, now, agent.turn, side)
        self._staff.talk_begins(agent, fact.call, self._aftercare(offer))
        (self.consults if fact.consult else self.talks)[fact.call] = fact.offer
        agent.offer = fact.offer
        self._staff.move(agent, AgentEvent.RESUME_TALK, now)
        if fact.held:
            offer.held = True
            self._staff.move(agent, AgentEvent.HOLD, now)
        return True

    def heir_left(self, call: str, now: float) -> bool:
        """The caller is gone before the one whom the talk was left to has them."""
        heir = self.open.get(self.consults.get(call, ""))
        if heir is None or heir.side is not self._heir:
            return False
        self.withdraw(heir, "caller_left", now)
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

    def _spec(self, queue: str) -> QueueSpec:
        """The rules of a queue, usual ones when it is no more."""
        line = self._lines.lines.get(queue)
        return line.spec if line is not None else QueueSpec(queue)

    def _aftercare(self, offer: Offer) -> QueueSpec:
        """The rules by which the talk is wrapped up; whoever was only asked owes nothing."""
        return QueueSpec(offer.queue, wrap_up_s=0.0) if offer.side is self._consulting else self._spec(offer.queue)

    def _close(self, offer: Offer) -> Agent:
        del self.open[offer.id]
        self._out.cancel(TimerId(TimerKind.OFFER, offer.id))
        return self._staff.floor.agents[offer.agent]

    def note(self, kind: str, offer: Offer, **data: str | bool) -> None:
        self._out.note(kind, call=offer.call, agent=offer.agent, queue=offer.queue, offer=offer.id, **data)
