"""The distributor as the rest of the program sees it: the engine, with hands on the PBX.

This module decides what a fact of the PBX means to the engine and what an order of the engine means to the PBX. It
refuses to decide who gets which caller.

A leg that rings or answers without an open offer is hung up on sight: an offer that was taken back can never talk.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from acd import facts as f
from acd.aftercare import EXTEND_S, LastTalk
from acd.bridges import Bridges
from acd.control import TalkControl
from acd.engine import Engine
from acd.errors import AcdError
from acd.estimates import QUANTILE
from acd.estimates_line import ExpectedWaits
from acd.hands import Hands
from acd.model import AgentSpec, QueueSpec, Rules, WaitingCaller
from acd.offers import UNANSWERED, Offer, OfferPhase
from acd.orders import QueueResult
from acd.phones import Phones, phone_seen
from acd.ports import ExpectedWait, Note, OnResult, OnTransfer, Record, Timers
from acd.reconcile import RecoveredCaller, compare
from acd.states import AgentState
from acd.supervision import Supervision
from acd.talk_keeper import TalkKeeper
from acd.views import views
from pbx import facts as pf
from pbx.live import OUR_LEG
from pbx.orders import Connect, HangUp, Look, RingPhone, StartMusic
from pbx.ports import Switch

_LOOK_GRACE_S = 2.0  # before a look begins, what we believe may have come to be and not be seen yet
_AS_TOLD_BEFORE = 0  # a phone that was told "answered elsewhere" must not list a missed call after all
_LEG_GONE_GRACE_S = 1.0  # the hang-up of an unanswered leg may come before the fact that says why

__all__ = ["Distributor", "QueueResult", "RecoveredCaller"]


class Distributor:
    def __init__(
        self,
        queues: Iterable[QueueSpec],
        agents: Iterable[AgentSpec],
        *,
        switch: Switch,
        timers: Timers,
        clock: Callable[[], float],
        note: Note,
        on_result: OnResult,
        new_leg_id: Callable[[], str],
        on_transfer: OnTransfer = lambda _call, _to: None,
        number_ring_s: int = 30,
        dead_man_s: int = 45,
        rules: Rules | None = None,
        expected_wait: ExpectedWait | None = None,
        record: Record | None = None,
        rung_by_others: Callable[[str], bool] = lambda _leg: False,
    ) -> None:
        """`rung_by_others(leg)`: somebody else dialled this leg and looks after it."""
        self.engine = Engine(queues, agents, new_leg_id, rules=rules)
        self._switch = switch
        self._timers = timers
        self._clock = clock
        self._on_result = on_result
        self._rung_by_others = rung_by_others
        self.waits = ExpectedWaits()
        self._expected_wait = expected_wait or self.waits

        def noted(kind: str, call: str | None, agent: str | None, queue: str | None, data: dict[str, Any]) -> None:
            self.waits.note(kind, call, agent, queue, data, clock())
            note(kind, call, agent, queue, data)

        self._tell = Hands(
            self.engine,
            switch=switch,
            timers=timers,
            clock=clock,
            note=noted,
            on_result=on_result,
            record=record,
            on_consult_over=lambda call, leg: self.talks.consult_over(call, leg),  # noqa: PLW0108 - not made yet
        ).tell
        self.talks = TalkKeeper(
            self.engine,
            tell=self._tell,
            switch=switch,
            timers=timers,
            clock=clock,
            note=note,
            on_result=on_result,
            on_transfer=on_transfer,
            dead_man_s=dead_man_s,
        )
        self.control = TalkControl(
            self.engine,
            self.talks,
            tell=self._tell,
            switch=switch,
            new_leg_id=new_leg_id,
            number_ring_s=number_ring_s,
        )
        self.supervision = Supervision(
            self.engine, self.control, self.talks, switch=switch, note=note, new_leg_id=new_leg_id
        )
        self.phones = Phones(self.engine, self._tell)
        self._bridges = Bridges()
        self._talked: dict[str, float] = {}  # the talk is over, the caller has not come back yet: since when
        self._returning: set[str] = set()  # sent into a talk that never began: they will come back
        self._handlers: dict[type[Any], Callable[[Any], None]] = {
            pf.LegRinging: lambda fact: self._of_leg(fact.channel, f.OfferRinging(fact.channel)),
            pf.LegAnswered: lambda fact: self._of_leg(fact.channel, f.OfferAnswered(fact.channel)),
            pf.LegFailed: self._leg_failed,
            pf.ChannelGone: self._channel_gone,
            pf.BridgeEntered: self._bridge_entered,
            pf.BridgeLeft: self._bridge_left,
            pf.CallReturned: self._call_returned,
            pf.PhoneChanged: self._phone_changed,
            pf.OrderFailed: self._order_failed,
            pf.LinkDown: lambda _fact: self._tell(f.SwitchLost()),
            pf.Looked: lambda fact: self.looked(fact.snapshot),
        }

    # Callers

    def join(self, caller: WaitingCaller) -> None:
        """Take a caller who is in our hands into a queue. Raises `UnknownQueue` and leaves them as they are."""
        self.engine.lines.line(caller.queue)
        self._talked.pop(caller.call, None)
        if self.engine.offer_of(caller.call) is None and self.engine.position(caller.call) is None:
            self._start_music(caller)
        self._tell(f.CallerJoined(caller, _rounded(self.waits.of_newcomer(self.engine, caller, self._clock()))))

    def leave(self, call: str, reason: str = "abandoned") -> None:
        """The caller hung up, or is taken out by whoever put them in. `on_result` is not called."""
        self._talked.pop(call, None)
        self._returning.discard(call)
        offer = self.engine.offer_of(call)
        if offer is not None and offer.phase is OfferPhase.TALKING:
            self._end_talk(offer, f.EndedBy.CALLER)
        elif self.engine.position(call) is not None:
            self._tell(f.CallerLeft(call, reason))

    def knows(self, call: str) -> bool:
        """Whether the caller is ours: waits, or talks."""
        return self.engine.position(call) is not None or self.engine.offer_of(call) is not None

    def position(self, call: str) -> int | None:
        """The place in line, from 1; None for a call that stands in none."""
        return self.engine.position(call)

    def expected_wait(self, call: str) -> float | None:
        """Of five callers who wait like this one four are answered within so many seconds from now. None: unknown."""
        if self.engine.position(call) is None:
            return None
        return self._expected_wait(self.engine, call, self._clock())

    def connects(self, call: str) -> bool:
        """Whether the caller is being put through to an agent now, or talks."""
        offer = self.engine.offer_of(call)
        return offer is not None and offer.phase not in UNANSWERED

    def restart_music(self, call: str) -> None:
        """Music again for a caller who waits and whose channel was elsewhere."""
        caller = self.engine.caller(call)
        if caller is not None:
            self._start_music(caller)

    # Agents. Each raises an `AcdError` whose text can be shown to whoever asked.

    def login(self, agent: str) -> None:
        self._tell(f.AgentLoggedIn(agent))

    def logout(self, agent: str) -> None:
        """At once; in a talk, when the talk is over."""
        self._tell(f.AgentLoggedOut(agent))

    def pause(self, agent: str, reason: str = "") -> None:
        """At once; in a talk, when the talk is over."""
        self._tell(f.AgentPaused(agent, reason))

    def ready(self, agent: str) -> None:
        self._tell(f.AgentReady(agent))

    def extend_wrap_up(self, agent: str, seconds: float = EXTEND_S) -> None:
        """At most to the longest wrap-up that the queue allows."""
        self._tell(f.WrapUpExtended(agent, seconds))

    def classify(self, agent: str, code: str) -> None:
        """The disposition of the talk that the agent is in or wraps up, by its name or its digit."""
        self._tell(f.DispositionGiven(agent, code))

    def agent_at(self, endpoint: str) -> str | None:
        """Whose phone this is."""
        return self.engine.floor.at_phone(endpoint)

    def restore_agents(
        self, agents: Iterable[tuple[str, AgentState | str, str, float]], talks: Mapping[str, LastTalk] = {}
    ) -> None:
        """`(agent, state, reason, since)` as the database has them, and the talk of whoever was in its wrap-up.

        Once, at the start, before anything else.
        """
        for agent, state, reason, since in agents:
            talk = talks.get(agent, LastTalk("", ""))
            self._tell(f.AgentRestored(agent, AgentState(state), reason, since, *talk))
        self.waits.staff_changed()

    # Configuration at run time

    def set_queue(self, queue: QueueSpec) -> None:
        self._tell(f.QueueSet(queue))
        self.waits.staff_changed()

    def remove_queue(self, name: str) -> None:
        """Whoever waits in it is handed back as unavailable; talks go on."""
        self._tell(f.QueueRemoved(name))
        self.waits.staff_changed()

    def close_queue(self, name: str, since: float, *, leave: bool = False) -> None:
        """Its hours are over since `since`. Whoever waits is served on, or with `leave` handed back as closed."""
        self._tell(f.QueueClosed(name, since, leave))

    def open_queue(self, name: str) -> None:
        self._tell(f.QueueOpened(name))

    def set_agent(self, agent: AgentSpec) -> None:
        self._tell(f.AgentSet(agent))
        self.waits.staff_changed()

    def remove_agent(self, agent: str) -> None:
        """At once; in a talk, when the talk is over."""
        self._tell(f.AgentRemoved(agent))
        self.waits.staff_changed()

    def talk_view(self, call: str) -> dict[str, Any] | None:
        """Who talks with a caller, in which layout, and who listens; None for a call in no talk."""
        offer = self.engine.offers.open.get(self.engine.offers.talks.get(call, ""))
        if offer is None:
            return None
        supervisors = [{"agent": agent, "mode": mode} for agent, mode in self.supervision.of_call(call)]
        return {"agent": offer.agent, "layout": self.talks.layout(call), "held": offer.held, "supervisors": supervisors}

    def views(self) -> dict[str, list[dict[str, Any]]]:
        """`{"queues": [...], "agents": [...]}` as plain data."""
        now = self._clock()
        found = views(self.engine, now)
        for view in found["queues"]:
            newcomer = WaitingCaller("", view["name"], now)
            view["expected_wait_s"] = _rounded(self.waits.of_newcomer(self.engine, newcomer, now))
            view["quantile"] = QUANTILE
        return found

    # The PBX

    def handle(self, fact: pf.Fact) -> None:
        """Any fact of the PBX; those that are nothing to us are passed over. `LinkUp` is for `reconcile`."""
        if self.supervision.handle(fact) or self.talks.handle(fact):
            return
        handler = self._handlers.get(type(fact))
        if handler is not None:
            handler(fact)

    def reconcile(self, snapshot: pf.Snapshot, callers: Iterable[RecoveredCaller] = ()) -> None:
        """After `LinkUp`: believe the PBX, take in the callers that we did not know, go on. Nothing is resent."""
        self._tell(f.SwitchLost())  # nothing is offered before everything has been compared
        self.talks.looked(snapshot.channels, certain=True)  # first: it must not judge what is adopted below
        self._compare(snapshot, callers, self._clock())
        self._tell(f.SwitchFound())

    def looked(self, snapshot: pf.Snapshot, callers: Iterable[RecoveredCaller] = ()) -> None:
        """After a periodic look: the same, but what is young the snapshot may not show yet."""
        self._compare(snapshot, callers, self._clock() - snapshot.took_s - _LOOK_GRACE_S)
        self.talks.looked(snapshot.channels, certain=False)

    def _compare(self, snapshot: pf.Snapshot, callers: Iterable[RecoveredCaller], before: float) -> None:
        found = compare(self.engine, snapshot, callers, self._talked, before, self._has_owner)
        for leg in found.strays:
            self._switch.send(HangUp(leg))
        for leg, (call, bridge) in found.together.items():
            self._bridges.put_together(call, leg, bridge)
        for fact in found.facts:
            if isinstance(fact, f.PhoneSeen):
                self.phones.seen(fact)
            else:
                self._tell(fact)
        for parted in found.parted:
            self.talks.adopt(parted.queue, parted.caller, parted.legs)
        for caller in found.deserted:
            self.talks.send_home(caller.call, caller.queue)
        for caller in found.joined:
            self._rejoin(caller)
        for call in found.ending:
            self._talked[call] = self._clock()
        for call in found.gone:
            self._talked.pop(call, None)
        for call in found.returned:
            self._talked.pop(call, None)
            self._on_result(call, QueueResult.TALKED)

    def _has_owner(self, leg: str) -> bool:
        return self.talks.owns(leg) or self.supervision.owns(leg) or self._rung_by_others(leg)

    def _rejoin(self, caller: RecoveredCaller) -> None:
        if not caller.music_on and caller.queue in self.engine.lines.lines:
            self._start_music(caller.waiting())
        try:
            self._tell(f.CallerJoined(caller.waiting()))
        except AcdError:
            self._on_result(caller.call, QueueResult.UNAVAILABLE)

    def _of_leg(self, leg: str, fact: f.Fact) -> None:
        if leg in self.engine.offers.open:
            self._tell(fact)
        elif leg.startswith(OUR_LEG) and not self._has_owner(leg):
            self._switch.send(HangUp(leg, _AS_TOLD_BEFORE))

    def _leg_failed(self, fact: pf.LegFailed) -> None:
        self._tell(f.OfferFailed(fact.channel, f.OfferFailure(fact.reason.value)))

    def _channel_gone(self, fact: pf.ChannelGone) -> None:
        offer = self.engine.offers.open.get(fact.channel)
        if offer is None:
            self.leave(fact.channel)
        elif offer.phase is OfferPhase.TALKING:
            self._talked[offer.call] = self._clock()
            self._end_talk(offer, f.EndedBy.AGENT)
        elif offer.phase is OfferPhase.CONNECTING:
            self._returning.add(offer.call)
            self._fail(offer, f.OfferFailure.LOST)
        else:
            self._timers.after(_LEG_GONE_GRACE_S, lambda: self._leg_gone_for_good(offer))

    def _leg_gone_for_good(self, offer: Offer) -> None:
        if offer.id in self.engine.offers.open and offer.phase in UNANSWERED:
            self._fail(offer, f.OfferFailure.FAILED)

    def _bridge_entered(self, fact: pf.BridgeEntered) -> None:
        offer = self._offer_with(fact.channel)
        if offer is None:
            return
        self._bridges.entered(fact.channel, fact.bridge, offer.id)
        if self._bridges.together(offer.call, offer.id):
            self._tell(f.TalkStarted(offer.id))

    def _bridge_left(self, fact: pf.BridgeLeft) -> None:
        offer = self._offer_with(fact.channel)
        if offer is not None:
            self._bridges.left(fact.channel, offer.id)

    def _call_returned(self, fact: pf.CallReturned) -> None:
        call = fact.channel
        offer = self.engine.offer_of(call)
        if call in self._talked:
            del self._talked[call]
            self._on_result(call, QueueResult.TALKED)
        elif offer is not None and offer.phase is OfferPhase.TALKING:
            self._end_talk(offer, f.EndedBy.AGENT)
            self._on_result(call, QueueResult.TALKED)
        else:
            if call in self._returning:
                self._returning.discard(call)
            elif offer is not None and offer.phase is OfferPhase.CONNECTING:
                self._fail(offer, f.OfferFailure.LOST)
            self.restart_music(call)

    def _phone_changed(self, fact: pf.PhoneChanged) -> None:
        agent = self.engine.floor.at_phone(fact.endpoint)
        if agent is not None:
            self.phones.seen(phone_seen(agent, fact.state))

    def _order_failed(self, fact: pf.OrderFailed) -> None:
        offer = self._offer_with(fact.channel)
        if offer is None:
            return
        if fact.order == RingPhone.__name__ and offer.phase in UNANSWERED:
            self._fail(offer, f.OfferFailure.UNKNOWN if fact.unknown else f.OfferFailure.FAILED)
        elif fact.order == Connect.__name__ and offer.phase is OfferPhase.CONNECTING:
            if fact.unknown:
                self._switch.send(Look())  # they may be talking; if not, the deadline ends it
            else:
                self._fail(offer, f.OfferFailure.LOST)

    def _offer_with(self, channel: str) -> Offer | None:
        return self.engine.offers.open.get(channel) or self.engine.offer_of(channel)

    def _fail(self, offer: Offer, reason: f.OfferFailure) -> None:
        self._bridges.forget(offer.call, offer.id)
        self._tell(f.OfferFailed(offer.id, reason))

    def _end_talk(self, offer: Offer, ended_by: f.EndedBy) -> None:
        first = self._bridges.left_first(offer.id)
        if first is not None and not self.talks.holds(offer.call):
            ended_by = f.EndedBy.AGENT if first == offer.id else f.EndedBy.CALLER
        self._bridges.forget(offer.call, offer.id)
        self._tell(f.TalkEnded(offer.id, ended_by))

    def _start_music(self, caller: WaitingCaller) -> None:
        self._switch.send(StartMusic(caller.call, self.engine.lines.line(caller.queue).spec.music_class))


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 1)
