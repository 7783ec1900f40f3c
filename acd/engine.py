"""The distributor's mind: one fact in, the orders that follow from it out, in one synchronous step.

This module decides who gets which caller and when. A caller gets the first free agent of their pool, in the order of
the queue's strategy, or all of them where it rings all; an agent gets the caller who comes first in all the pools that
they can serve, so nobody starves. One offer for each agent, and one for each caller unless all phones ring for them; a
deadline for every state. It refuses to know the PBX, the clock and chance: `now` (unix seconds) and the ids of offers
come from outside.

A fact about something that is not there (late, doubled, out of order) is counted in `ignored` and changes nothing. A
command of a person that cannot be done raises an `AcdError` and changes nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from acd import facts as f
from acd.estimates import QUANTILE
from acd.floor import Floor, Intent
from acd.lines import Lines, Standing
from acd.model import AgentSpec, QueueSpec, Rules, WaitingCaller
from acd.offers import UNANSWERED, Offer, OfferPhase, Offers
from acd.orders import Order, QueueResult, TimerId, TimerKind
from acd.outbox import Outbox
from acd.staff import Staff
from acd.states import AgentEvent
from acd.widening import Widening

_BLIND_RETRY_S = 1.0  # while the PBX cannot be seen, a deadline looks again this much later


class Engine:
    def __init__(
        self,
        queues: Iterable[QueueSpec],
        agents: Iterable[AgentSpec],
        new_offer_id: Callable[[], str],
        *,
        rules: Rules | None = None,
    ) -> None:
        rules = rules or Rules()
        self.ignored: Counter[str] = Counter()
        self.decisions = 0
        self.seeing = True  # the PBX can be seen
        self.outbox = Outbox()
        self.floor = Floor()
        self.lines = Lines()
        self._staff = Staff(self.floor, self.outbox, rules)
        self._widening = Widening(self.floor, self.lines, self.outbox)
        self.offers = Offers(self.lines, self._staff, self._widening, self.outbox, rules, new_offer_id)
        self._handlers: dict[type[Any], Callable[[Any, float], bool | None]] = {
            f.CallerJoined: self._caller_joined,
            f.CallerLeft: self._caller_left,
            f.AgentLoggedIn: lambda fact, now: self._staff.log_in(self._staff.employed(fact.agent), now),
            f.AgentLoggedOut: lambda fact, now: self._step_away(fact.agent, Intent(AgentEvent.LOG_OUT, ""), now),
            f.AgentPaused: self._pause,
            f.AgentReady: lambda fact, now: self._staff.ready(self._staff.employed(fact.agent), now),
            f.WrapUpExtended: lambda fact, now: self._staff.extend_wrap_up(
                self._staff.employed(fact.agent), fact.seconds, now
            ),
            f.DispositionGiven: lambda fact, now: self._staff.classify(
                self._staff.employed(fact.agent), fact.code, now
            ),
            f.PhoneSeen: lambda fact, _now: self._staff.phone(fact),
            f.OfferRinging: self._of_offer(lambda offer, _fact, now: self.offers.ringing(offer, now)),
            f.OfferAnswered: self._of_offer(lambda offer, _fact, now: self.offers.answered(offer, now)),
            f.OfferFailed: self._of_offer(lambda offer, fact, now: self.offers.failed(offer, fact.reason, now)),
            f.TalkStarted: self._of_offer(lambda offer, _fact, now: self.offers.talk_started(offer, now)),
            f.TalkEnded: self._of_offer(lambda offer, fact, now: self.offers.talk_ended(offer, fact.ended_by, now)),
            f.TalkHeld: self._of_offer(lambda offer, fact, now: self.offers.held(offer, fact.by, now)),
            f.TalkResumed: self._of_offer(lambda offer, _fact, now: self.offers.resumed(offer, now)),
            f.ConsultAsked: self.offers.ask,
            f.ConsultDropped: lambda fact, now: self.offers.drop_consult(fact.call, f.EndedBy.AGENT, now),
            f.TalkMoved: self.offers.moved,
            f.TalkTaken: self.offers.taken,
            f.TimerFired: self._timer_fired,
            f.SwitchLost: self._switch_lost,
            f.SwitchFound: self._switch_found,
            f.AgentRestored: self._agent_restored,
            f.TalkRestored: self.offers.restore,
            f.QueueSet: self._queue_set,
            f.QueueRemoved: self._queue_removed,
            f.QueueClosed: self._queue_closed,
            f.QueueOpened: self._queue_opened,
            f.AgentSet: self._agent_set,
            f.AgentRemoved: self._agent_removed,
        }
        for queue in queues:
            self._queue_set(f.QueueSet(queue), 0.0)
        for agent in agents:
            self._staff.put(agent, 0.0)

    def handle(self, fact: f.Fact, now: float) -> list[Order]:
        """Take in one fact to the end. Raises `AcdError` for a person's mistake, with nothing changed."""
        try:
            if self._handlers[type(fact)](fact, now) is False:
                self.ignored[type(fact).__name__] += 1
            for agent in self._staff.absent:
                self._widening.reconsider(agent, now)
            self._clear_deserted(now)
            self._clear_closed(now)
            self._bring_together(now)
        finally:
            orders = self.outbox.take()
            self._staff.freed.clear()
            self._staff.absent.clear()
            self._widening.moved.clear()
            self.offers.seekers.clear()
        return orders

    def position(self, call: str) -> int | None:
        """The place in line, from 1; None for a call that stands in none."""
        place = self.lines.place(call)
        return None if place is None else place + 1

    def caller(self, call: str) -> WaitingCaller | None:
        standing = self.lines.callers.get(call)
        return standing.caller if standing is not None else None

    def offer_of(self, call: str) -> Offer | None:
        """The talk in which a caller is, or the offer: that which was answered, else the oldest that rings."""
        standing = self.lines.callers.get(call)
        if standing is None:
            offer = self.offers.talks.get(call)
        else:
            offer = standing.answered or next(iter(standing.offers), None)
        return self.offers.open[offer] if offer is not None else None

    def _bring_together(self, now: float) -> None:
        """Only those whom this fact set free or sent back can make a pair: everyone else was tried before."""
        freed = [self.floor.agents[agent] for agent in self._staff.freed if agent in self.floor.agents]
        if self.offers.watch is not None:
            for agent in freed:
                self.floor.refresh(agent)  # who watches sees everybody who is free
        for agent in freed:
            if not agent.free:
                continue
            standing = self.lines.next_for(agent.pools) if self.seeing else None
            if standing is None:
                self.floor.refresh(agent)
            else:
                self.decisions += 1
                self.offers.make(standing, agent, now)
        if not self.seeing or not (self.offers.seekers or self._widening.moved):
            return
        calls = {**self.offers.seekers, **self._widening.moved}
        seekers = [self.lines.callers[call] for call in calls if call in self.lines.callers]
        for standing in sorted(seekers, key=lambda seeker: seeker.key):
            while self.lines.open(standing) and (found := self.floor.first_free(standing.pool)) is not None:
                self.decisions += 1
                self.offers.make(standing, found, now)

    # Callers

    def _caller_joined(self, fact: f.CallerJoined, now: float) -> bool:
        caller = fact.caller
        if caller.call in self.lines.callers or caller.call in self.offers.talks:
            return False
        standing = self._widening.join(caller, now)
        place = self.lines.place(caller.call) or 0
        self.outbox.note("queue.joined", call=caller.call, queue=caller.queue, position=place + 1)
        self.offers.note_positions(caller.queue, place + 1)
        overflow = self._overflow(standing, place, fact.expected_wait_s)
        if overflow is not None:
            self.offers.release(standing, overflow, now)
            return True
        if fact.expected_wait_s:
            wait_s = fact.expected_wait_s
            self.outbox.note("queue.expected", call=caller.call, queue=caller.queue, wait_s=wait_s, quantile=QUANTILE)
        if self.lines.lines[caller.queue].spec.max_wait_s is not None:
            self._limit_wait(standing, now)
        self.offers.seekers[caller.call] = None
        return True

    def _overflow(self, standing: Standing, place: int, expected_wait_s: float | None) -> QueueResult | None:
        """Why they cannot wait here. Those who stood here before a restart stand behind as few as they did then."""
        line = self.lines.lines[standing.caller.queue]
        queue = line.spec
        if self.seeing and line.closed_for(standing.caller):
            return QueueResult.CLOSED
        if self.seeing and self._deserted(queue.name):
            return QueueResult.EMPTY
        if self.floor.first_free(standing.pool) is not None:
            return None
        if queue.max_waiting is not None and place >= queue.max_waiting:
            return QueueResult.FULL
        if queue.max_expected_wait_s is not None and (expected_wait_s or 0.0) > queue.max_expected_wait_s:
            return QueueResult.TOO_LONG
        return None

    def _deserted(self, queue: str) -> bool:
        return self.lines.lines[queue].spec.leave_when_empty and not self.floor.logged_in[queue]

    def _clear_deserted(self, now: float) -> None:
        """Where nobody may wait without agents, nobody does. While the PBX cannot be seen nobody is sent anywhere."""
        if not self.seeing or not self.floor.deserted:
            return
        deserted, self.floor.deserted = self.floor.deserted, {}
        for queue in deserted:
            if queue in self.lines.lines and self._deserted(queue):
                for call in list(self.lines.lines[queue].everyone):
                    if call in self.lines.callers:
                        self.offers.release(self.lines.callers[call], QueueResult.EMPTY, now)

    def _clear_closed(self, now: float) -> None:
        """Whoever may look for an agent only does so while their queue is open for them."""
        for call in list(self.offers.seekers) if self.seeing else ():
            standing = self.lines.callers.get(call)
            if standing is None or standing.answered is not None:
                continue
            if self.lines.lines[standing.caller.queue].closed_for(standing.caller):
                self.offers.release(standing, QueueResult.CLOSED, now)

    def _caller_left(self, fact: f.CallerLeft, now: float) -> bool:
        talk = self.offers.talks.get(fact.call)
        if talk is not None:
            return self.offers.talk_ended(self.offers.open[talk], f.EndedBy.CALLER, now)
        standing = self.lines.callers.get(fact.call)
        if standing is None:
            return self.offers.heir_left(fact.call, now)
        standing.overdue = False  # they leave for their own reason
        self.offers.withdraw_all(standing, "caller_left", now)
        self.offers.leave_line(standing, fact.reason)
        return True

    def _limit_wait(self, standing: Standing, now: float) -> None:
        caller = standing.caller
        timer = TimerId(TimerKind.MAX_WAIT, caller.call)
        max_wait_s = self.lines.lines[caller.queue].spec.max_wait_s
        if max_wait_s is None:
            self.outbox.cancel(timer)
        elif not standing.overdue:
            self.outbox.start(timer, max(now, caller.joined_at + max_wait_s))

    # Agents

    def _agent_set(self, fact: f.AgentSet, now: float) -> None:
        self._staff.put(fact.agent, now)
        self._widening.reconsider(fact.agent.id, now)

    def _pause(self, fact: f.AgentPaused, now: float) -> None:
        self._staff.may_pause_for(fact.reason)
        self._step_away(fact.agent, Intent(AgentEvent.PAUSE, fact.reason), now)

    def _step_away(self, agent_id: str, intent: Intent, now: float) -> None:
        agent = self._staff.employed(agent_id)
        self._staff.must_be_logged_in(agent)
        self.offers.step_away(agent, intent, now)

    def _agent_restored(self, fact: f.AgentRestored, now: float) -> bool:
        agent = self.floor.agents.get(fact.agent)
        lines = self.lines.lines
        specs = [lines[q].spec for q in agent.spec.queues if q in lines] if agent else []
        if fact.call and fact.queue in lines:
            return self._staff.restore(fact, lines[fact.queue].spec, now)
        longest = max((spec.wrap_up_s for spec in specs), default=0.0)
        return self._staff.restore(fact, QueueSpec("", wrap_up_s=longest), now)

    def _agent_removed(self, fact: f.AgentRemoved, now: float) -> None:
        agent = self._staff.employed(fact.agent)
        if agent.offer is not None and self.offers.open[agent.offer].phase in UNANSWERED:
            self.offers.step_away(agent, Intent(AgentEvent.LOG_OUT, "removed"), now)
        self._staff.dismiss(agent, now)

    # Queues

    def _queue_set(self, fact: f.QueueSet, now: float) -> None:
        name = fact.queue.name
        self.lines.put_queue(fact.queue)
        self.floor.put_queue(fact.queue)
        for call in self.lines.lines[name].everyone:
            standing = self.lines.callers[call]
            self._widening.rules_changed(standing, now)
            self._limit_wait(standing, now)
            self.lines.refresh(standing)
            self.offers.seekers[call] = None  # more phones may ring for them than before
        self.floor.deserted[name] = None

    def _queue_removed(self, fact: f.QueueRemoved, now: float) -> None:
        """Everyone in it is handed back, whoever is being connected included. Talks go on."""
        line = self.lines.line(fact.name)
        for call in list(line.everyone):
            standing = self.lines.callers.get(call)
            if standing is not None:
                self.offers.release(standing, QueueResult.UNAVAILABLE, now)
        self.lines.remove_queue(fact.name)
        self.floor.close_queue(fact.name)

    def _queue_closed(self, fact: f.QueueClosed, _now: float) -> bool:
        line = self.lines.lines.get(fact.name)
        if line is None or line.closed_since is not None:
            return False
        line.closed_since, line.clears = fact.since, fact.leave
        self.offers.seekers.update(dict.fromkeys(line.everyone))
        self.outbox.note("queue.closed", queue=fact.name, waiting=len(line.everyone))
        return True

    def _queue_opened(self, fact: f.QueueOpened, _now: float) -> bool:
        line = self.lines.lines.get(fact.name)
        if line is None or line.closed_since is None:
            return False
        line.closed_since = None
        self.outbox.note("queue.opened", queue=fact.name)
        return True

    # Time and sight

    def _timer_fired(self, fact: f.TimerFired, now: float) -> bool:
        timer = fact.timer
        if not self.outbox.fired(timer, now):
            return False
        if timer.kind in (TimerKind.WRAP_UP, TimerKind.REST):
            self._staff.timer(timer, now)
        elif timer.kind is TimerKind.RELAX:
            self._widening.relax(self.lines.callers[timer.key], now)
        elif not self.seeing:
            self.outbox.start(timer, now + _BLIND_RETRY_S)
        elif timer.kind is TimerKind.OFFER:
            self._offer_expired(self.offers.open[timer.key], now)
        else:
            standing = self.lines.callers[timer.key]
            if standing.answered is not None:
                standing.overdue = True
            else:
                self.offers.release(standing, QueueResult.TIMEOUT, now)
        return True

    def _offer_expired(self, offer: Offer, now: float) -> None:
        """The PBX should have told us long ago. What it tells of this leg from now on is too late."""
        if offer.phase is OfferPhase.CONNECTING:
            self.offers.failed(offer, f.OfferFailure.LOST, now)
        else:
            self.offers.failed(offer, f.OfferFailure.UNKNOWN, now)

    def _switch_lost(self, _fact: f.SwitchLost, _now: float) -> bool:
        seeing, self.seeing = self.seeing, False
        return seeing

    def _switch_found(self, _fact: f.SwitchFound, _now: float) -> bool:
        seeing, self.seeing = self.seeing, True
        if not seeing:
            self.offers.seekers.update(dict.fromkeys(self.lines.callers))
            self.floor.deserted.update(dict.fromkeys(self.lines.lines))
        return not seeing

    def _of_offer(self, rule: Callable[[Offer, Any, float], bool]) -> Callable[[Any, float], bool]:
        def handler(fact: Any, now: float) -> bool:
            offer = self.offers.open.get(fact.offer)
            return offer is not None and rule(offer, fact, now)

        return handler
