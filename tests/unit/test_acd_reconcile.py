"""After a lost link, a restart, a look: what was missed is made up for, nothing is resent."""

from __future__ import annotations

from itertools import count

from acd.invariants import violations
from acd.model import AgentSpec, QueueSpec, WaitingCaller
from acd.service import Distributor, QueueResult, RecoveredCaller
from acd.states import AgentState
from acd.strategies import Strategy
from pbx.facts import (
    BridgeEntered,
    CallReturned,
    ChannelGone,
    ChannelSeen,
    LegAnswered,
    LegRinging,
    LinkDown,
    Looked,
    PhoneState,
    Place,
    Snapshot,
)
from pbx.orders import Connect, HangUp, Order, RingPhone, StartMusic
from tests.fakes.virtual_time import VirtualTime


def caller(call: str, place: Place = Place.ARRIVAL, bridge: str = "") -> ChannelSeen:
    return seen(call, "trunk", place, answered=True, controlled=place is not Place.TALK, bridge=bridge)


def leg(channel: str, agent: str = "1001", *, answered: bool = True, bridge: str = "") -> ChannelSeen:
    return seen(channel, agent, Place.OFFER, answered=answered, controlled=False, bridge=bridge)


def seen(channel: str, endpoint: str, place: Place, *, answered: bool, controlled: bool, bridge: str) -> ChannelSeen:
    return ChannelSeen(
        channel, f"PJSIP/{endpoint}", endpoint, place, answered, controlled, bridge, "", "", "100", "en", ""
    )


class Recorder:
    """A switch that does nothing: what the PBX holds is what the test says."""

    def __init__(self) -> None:
        self.orders: list[Order] = []

    def send(self, order: Order) -> None:
        self.orders.append(order)

    def rings(self) -> list[str]:
        return [order.leg for order in self.orders if isinstance(order, RingPhone)]


class Desk:
    """Agents 1001 and 1002; their phones and the PBX say only what the test says."""

    def __init__(self, *, logged_in: bool = True, strategy: Strategy = Strategy.LONGEST_IDLE) -> None:
        ids = count(1)
        self.time = VirtualTime(start=1_000_000.0)
        self.switch = Recorder()
        self.results: list[tuple[str, QueueResult]] = []
        self.kinds: list[str] = []
        self.distributor = Distributor(
            [QueueSpec("sales", wrap_up_s=10.0, music_class="jazz", strategy=strategy)],
            [AgentSpec(agent, "", agent, ("sales",)) for agent in ("1001", "1002")],
            switch=self.switch,
            timers=self.time,
            clock=self.time.now,
            note=lambda kind, *_: self.kinds.append(kind),
            on_result=lambda call, result: self.results.append((call, result)),
            new_leg_id=lambda: f"cb-{next(ids)}",
        )
        if logged_in:
            self.distributor.login("1001")

    def join(self, call: str) -> str:
        self.distributor.join(WaitingCaller(call, "sales", self.time.now()))
        self.time.advance(1)
        return self.switch.rings()[-1] if self.switch.rings() else ""

    def talk(self, call: str) -> str:
        leg_id = self.join(call)
        self.distributor.handle(LegAnswered(leg_id))
        self.distributor.handle(BridgeEntered(call, "b1"))
        self.distributor.handle(BridgeEntered(leg_id, "b1"))
        assert self.state("1001") == "talking"
        return leg_id

    def link_up(self, *channels: ChannelSeen, callers: tuple[RecoveredCaller, ...] = (), **phones: PhoneState) -> None:
        self.switch.orders.clear()
        named = {name.removeprefix("p"): state for name, state in phones.items()}
        self.distributor.reconcile(Snapshot(channels, named), callers)
        assert violations(self.distributor.engine) == []

    def look(self, *channels: ChannelSeen) -> None:
        self.switch.orders.clear()
        self.distributor.handle(Looked(Snapshot(channels)))
        assert violations(self.distributor.engine) == []

    def state(self, agent: str) -> str:
        views = self.distributor.views()["agents"]
        return next(str(view["state"]) for view in views if view["id"] == agent)


def waiting(call: str, joined_at: float) -> RecoveredCaller:
    return RecoveredCaller(call, "sales", joined_at, "queue")


def test_a_lost_link_that_comes_back_to_the_same_world_changes_nothing() -> None:
    desk = Desk()
    talk = desk.talk("anna")
    desk.distributor.login("1002")
    offer = desk.join("bert")
    desk.distributor.handle(LegRinging(offer))
    desk.distributor.handle(LinkDown("reset"))
    desk.join("carl")
    desk.time.advance(60)
    desk.link_up(
        caller("anna", Place.TALK, "b1"),
        leg(talk, bridge="b1"),
        caller("bert"),
        leg(offer, "1002", answered=False),
        caller("carl"),
    )
    assert desk.switch.orders == []
    assert (desk.state("1001"), desk.state("1002")) == ("talking", "offering")
    assert desk.distributor.position("bert") == 1
    assert desk.distributor.position("carl") == 2


def test_a_leg_that_is_gone_fails_its_offer() -> None:
    desk = Desk()
    offer = desk.join("anna")
    desk.distributor.handle(LinkDown("reset"))
    desk.link_up(caller("anna"))
    assert desk.switch.orders == [HangUp(offer)]
    assert desk.distributor.position("anna") == 1
    desk.time.advance(5)
    assert desk.switch.rings() == ["cb-2"]


def test_of_two_answers_that_were_missed_one_connects_and_the_other_leg_is_hung_up() -> None:
    desk = Desk(strategy=Strategy.RING_ALL)
    desk.distributor.login("1002")
    desk.join("anna")
    first, second = desk.switch.rings()
    desk.distributor.handle(LinkDown("reset"))
    desk.link_up(caller("anna"), leg(first), leg(second, "1002"))
    assert desk.switch.orders == [Connect("anna", first), HangUp(second, 26)]
    assert (desk.state("1001"), desk.state("1002")) == ("connecting", "ready")


def test_an_answer_that_was_missed_connects() -> None:
    desk = Desk()
    offer = desk.join("anna")
    desk.distributor.handle(LinkDown("reset"))
    desk.link_up(caller("anna"), leg(offer))
    assert desk.switch.orders == [Connect("anna", offer)]


def test_a_talk_whose_beginning_was_missed() -> None:
    desk = Desk()
    offer = desk.join("anna")
    desk.distributor.handle(LegAnswered(offer))
    desk.distributor.handle(LinkDown("reset"))
    desk.link_up(caller("anna", Place.TALK, "b1"), leg(offer, bridge="b1"))
    assert desk.state("1001") == "talking"


def test_a_talk_whose_end_was_missed_gives_the_caller_back_once() -> None:
    desk = Desk()
    desk.talk("anna")
    desk.distributor.handle(LinkDown("reset"))
    desk.link_up(caller("anna", Place.RETURNED))
    assert desk.results == [("anna", QueueResult.TALKED)]
    assert desk.state("1001") == "wrap_up"
    desk.look(caller("anna", Place.RETURNED))
    assert len(desk.results) == 1


def test_a_caller_whose_hang_up_was_missed() -> None:
    desk = Desk()
    desk.talk("anna")
    desk.join("bert")
    desk.distributor.handle(LinkDown("reset"))
    desk.link_up()
    assert desk.state("1001") == "wrap_up"
    assert not desk.distributor.knows("bert")
    assert desk.results == []


def test_a_caller_who_never_came_back_from_a_talk_is_forgotten() -> None:
    desk = Desk()
    talk = desk.talk("anna")
    desk.distributor.handle(ChannelGone(talk, 16))
    desk.link_up()
    desk.distributor.handle(CallReturned("anna"))
    assert desk.results == []


def test_after_a_restart_waiting_callers_keep_music_and_order() -> None:
    desk = Desk()
    desk.link_up(caller("bert"), caller("anna"), callers=(waiting("bert", 999_000.0), waiting("anna", 998_000.0)))
    assert desk.switch.rings() == ["cb-1"]
    assert not any(isinstance(order, StartMusic) for order in desk.switch.orders)
    assert desk.distributor.position("anna") == 1
    assert desk.distributor.position("bert") == 2


def test_after_a_restart_music_that_was_silenced_is_started_again() -> None:
    desk = Desk(logged_in=False)
    desk.link_up(caller("anna"), callers=(RecoveredCaller("anna", "sales", 1.0, "queue", music_on=False),))
    assert desk.switch.orders == [StartMusic("anna", "jazz")]


def test_after_a_restart_a_talk_goes_on_and_its_agent_is_found_by_the_phone() -> None:
    desk = Desk(logged_in=False)
    desk.distributor.restore_agents([("1001", "talking", "", 999_000.0), ("1002", AgentState.READY, "", 999_500.0)])
    found = RecoveredCaller("anna", "sales", 998_000.0, "talk")
    desk.link_up(caller("anna", Place.TALK, "b7"), leg("cb-old", bridge="b7"), callers=(found,))
    assert desk.switch.orders == []
    assert desk.state("1001") == "talking"
    desk.distributor.handle(ChannelGone("cb-old", 16))
    desk.distributor.handle(CallReturned("anna"))
    assert desk.results == [("anna", QueueResult.TALKED)]
    assert desk.state("1001") == "wrap_up"


def test_after_a_restart_the_bridge_counts_more_than_the_memory() -> None:
    desk = Desk()
    desk.link_up(caller("anna", Place.TALK, "b7"), leg("cb-old", bridge="b7"), callers=(waiting("anna", 998_000.0),))
    assert desk.state("1001") == "talking"
    assert desk.distributor.position("anna") is None


def test_after_a_restart_a_talk_that_is_just_ending() -> None:
    desk = Desk()
    desk.link_up(caller("anna", Place.TALK), callers=(RecoveredCaller("anna", "sales", 1.0, "talk"),))
    assert desk.results == []
    desk.distributor.handle(CallReturned("anna"))
    assert desk.results == [("anna", QueueResult.TALKED)]


def test_after_a_restart_a_talk_that_has_ended() -> None:
    desk = Desk()
    desk.link_up(caller("anna", Place.RETURNED), callers=(RecoveredCaller("anna", "sales", 1.0, "talk"),))
    assert desk.results == [("anna", QueueResult.TALKED)]


def test_after_a_restart_a_queue_that_is_no_more_gives_its_callers_back() -> None:
    desk = Desk()
    desk.link_up(caller("anna"), callers=(RecoveredCaller("anna", "gone", 1.0, "queue"),))
    assert desk.results == [("anna", QueueResult.UNAVAILABLE)]


def test_after_a_restart_legs_without_an_owner_are_hung_up_and_talks_are_not() -> None:
    desk = Desk()
    desk.link_up(
        leg("cb-rings", answered=False),
        leg("cb-waits", "1002"),
        leg("cb-alone", "1003", bridge="b1"),
        leg("cb-talks", "1004", bridge="b2"),
        caller("stranger", Place.OTHER, "b2"),
    )
    assert desk.switch.orders == [HangUp("cb-rings"), HangUp("cb-waits"), HangUp("cb-alone")]


def test_phones_are_as_the_pbx_says() -> None:
    desk = Desk()
    desk.link_up(caller("anna"), callers=(waiting("anna", 1.0),), p1001=PhoneState.UNREACHABLE)
    assert desk.switch.orders == []
    desk.link_up(caller("anna"), p1001=PhoneState.IDLE)
    assert desk.switch.rings() == ["cb-1"]


def test_a_look_does_not_judge_what_it_may_have_been_too_early_to_see() -> None:
    desk = Desk()
    desk.join("anna")
    desk.look()
    assert desk.state("1001") == "offering"
    desk.time.advance(5)
    desk.look(caller("anna"))
    assert desk.state("1001") == "ready"


def test_a_look_finds_a_talk_that_ended_unheard() -> None:
    desk = Desk()
    desk.talk("anna")
    desk.time.advance(30)
    desk.look(caller("anna", Place.RETURNED))
    assert desk.results == [("anna", QueueResult.TALKED)]
    assert desk.state("1001") == "wrap_up"
