"""The distributor against a PBX in memory: what goes out for what comes in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import count
from typing import Any

import pytest

from acd.errors import NotLoggedIn, UnknownAgent, UnknownQueue
from acd.estimates_seen import Seen
from acd.invariants import violations
from acd.model import AgentSpec, QueueSpec, WaitingCaller
from acd.ports import ExpectedWait
from acd.service import Distributor, QueueResult
from acd.strategies import Strategy
from pbx.facts import (
    BridgeEntered,
    BridgeLeft,
    CallReturned,
    ChannelGone,
    Fact,
    LegAnswered,
    LegFailed,
    LegFailure,
    LegRinging,
    OrderFailed,
    PhoneChanged,
    PhoneState,
)
from pbx.orders import Connect, HangUp, Look, RingPhone, StartMusic
from tests.fakes.switch import FakeChannel, FakeSwitch, PhoneScript
from tests.fakes.virtual_time import VirtualTime

SALES = QueueSpec("sales", ring_s=20, wrap_up_s=10.0, music_class="jazz", max_wait_s=300.0)


NoteGiven = tuple[str, str | None, str | None, str | None, dict[str, Any]]


class Desk:
    """A distributor with agents 1001 and 1002 logged in, whose phones do what the test scripts."""

    def __init__(self, *agents: str, sales: QueueSpec = SALES, expected_wait: ExpectedWait | None = None) -> None:
        ids = count(1)
        self.time = VirtualTime(start=1_000_000.0)
        self.switch = FakeSwitch(self.time)
        self.results: list[tuple[str, QueueResult]] = []
        self.notes: list[NoteGiven] = []
        self.on_note: Callable[[NoteGiven], None] = self.notes.append
        self.on_result: Callable[[str, QueueResult], None] = lambda *result: self.results.append(result)
        self.distributor = Distributor(
            [sales],
            [AgentSpec(agent, f"Agent {agent}", agent, ("sales",)) for agent in agents or ("1001",)],
            switch=self.switch,
            timers=self.time,
            clock=self.time.now,
            note=lambda *note: self.on_note(note),
            on_result=self._result,
            new_leg_id=lambda: f"cb-{next(ids)}",
            expected_wait=expected_wait,
        )
        self.switch.sink = self.handle
        for agent in agents or ("1001",):
            self.distributor.login(agent)
            self.time.advance(1)

    def _result(self, call: str, result: QueueResult) -> None:
        self.on_result(call, result)

    def handle(self, fact: Fact) -> None:
        self.distributor.handle(fact)
        assert violations(self.distributor.engine) == []

    def join(self, call: str) -> None:
        self.switch.channels[call] = FakeChannel(call, answered=True)
        self.distributor.join(WaitingCaller(call, "sales", self.time.now(), caller_number="+15550100"))
        self.time.settle()

    def phone(self, agent: str, script: PhoneScript) -> None:
        self.switch.phones[agent] = script

    def kinds(self, call: str) -> list[str]:
        return [kind for kind, of, *_ in self.notes if of == call]

    def data(self, kind: str) -> dict[str, Any]:
        return next(data for found, _, _, _, data in reversed(self.notes) if found == kind)

    def agent(self, agent: str) -> dict[str, Any]:
        return next(view for view in self.distributor.views()["agents"] if view["id"] == agent)

    def talk(self, call: str = "anna") -> str:
        """Bring a caller into a talk with 1001; the leg."""
        self.phone("1001", PhoneScript.answers(2.0))
        self.join(call)
        self.time.advance(3)
        assert self.agent("1001")["state"] == "talking"
        return self.switch.last(RingPhone).leg


def test_the_whole_way_of_a_call_to_an_agent_and_back() -> None:
    desk = Desk()
    leg = desk.talk()
    assert desk.switch.sent(StartMusic) == [StartMusic("anna", "jazz")]
    assert desk.switch.sent(RingPhone) == [RingPhone(leg, "1001", 20, "+15550100", "")]
    assert desk.switch.sent(Connect) == [Connect("anna", leg)]
    desk.time.advance(60)
    desk.switch.hang_up(leg)
    desk.time.settle()
    assert desk.results == [("anna", QueueResult.TALKED)]
    assert desk.agent("1001")["state"] == "wrap_up"
    assert desk.kinds("anna") == [
        "queue.joined",
        "offer.made",
        "offer.ringing",
        "offer.answered",
        "talk.started",
        "queue.left",
        "talk.ended",
    ]
    assert desk.data("talk.ended")["ended_by"] == "agent"
    desk.time.advance(10)
    assert desk.agent("1001")["free"]


def test_the_caller_hangs_up_first() -> None:
    desk = Desk()
    desk.talk()
    desk.switch.hang_up("anna")
    desk.time.settle()
    assert desk.results == []
    assert desk.data("talk.ended")["ended_by"] == "caller"
    assert desk.agent("1001")["state"] == "wrap_up"
    assert not desk.distributor.knows("anna")


def test_who_left_the_bridge_first_ended_the_talk_whatever_hangs_up_first() -> None:
    desk = Desk()
    leg = desk.talk()
    bridge = desk.switch.channels["anna"].bridge
    for fact in (
        BridgeLeft("anna", bridge),
        BridgeLeft(leg, bridge),
        ChannelGone(leg, 16),
        ChannelGone("anna", 16),
    ):
        desk.handle(fact)
    assert desk.data("talk.ended")["ended_by"] == "caller"
    assert desk.results == []


def test_a_move_to_another_bridge_is_no_end() -> None:
    desk = Desk()
    leg = desk.talk()
    bridge = desk.switch.channels["anna"].bridge
    desk.handle(BridgeLeft("anna", bridge))
    desk.handle(BridgeEntered("anna", "b2"))
    desk.handle(BridgeLeft(leg, bridge))
    desk.handle(BridgeEntered(leg, "b2"))
    assert desk.agent("1001")["state"] == "talking"
    desk.switch.hang_up(leg)
    assert desk.data("talk.ended")["ended_by"] == "agent"


def test_the_caller_hangs_up_while_it_rings() -> None:
    desk = Desk()
    desk.phone("1001", PhoneScript.rings_on())
    desk.join("anna")
    desk.time.advance(5)
    leg = desk.switch.last(RingPhone).leg
    desk.switch.hang_up("anna")
    desk.time.settle()
    assert HangUp(leg) in desk.switch.sent(HangUp)
    assert leg not in desk.switch.channels
    assert desk.data("queue.left") == {"reason": "abandoned"}
    assert desk.agent("1001")["free"]


def test_leaving_is_the_same_whoever_says_so() -> None:
    desk = Desk()
    desk.phone("1001", PhoneScript.rings_on())
    desk.join("anna")
    desk.distributor.leave("anna", "fallback")
    desk.distributor.leave("anna")
    assert desk.data("queue.left") == {"reason": "fallback"}
    assert desk.results == []


@pytest.mark.parametrize(
    ("reason", "cause"), [(LegFailure.BUSY, 17), (LegFailure.REFUSED, 21), (LegFailure.FAILED, 38)]
)
def test_a_phone_that_will_not_is_left_alone_for_a_moment(reason: LegFailure, cause: int) -> None:
    desk = Desk("1001", "1002")
    desk.phone("1001", PhoneScript.fails(reason, cause))
    desk.phone("1002", PhoneScript.rings_on())
    desk.join("anna")
    desk.time.advance(1)
    assert desk.data("offer.failed")["reason"] == reason.value
    assert [order.endpoint for order in desk.switch.sent(RingPhone)] == ["1001", "1002"]
    assert desk.agent("1001")["resting"]


def test_an_unregistered_phone_is_not_rung_until_it_registers() -> None:
    desk = Desk()
    desk.handle(PhoneChanged("1001", PhoneState.UNREACHABLE))
    desk.join("anna")
    desk.time.advance(60)
    assert desk.switch.sent(RingPhone) == []
    desk.phone("1001", PhoneScript.answers())
    desk.handle(PhoneChanged("1001", PhoneState.IDLE))
    desk.time.advance(5)
    assert desk.agent("1001")["state"] == "talking"


def test_nobody_answers_three_times() -> None:
    desk = Desk()
    desk.phone("1001", PhoneScript.rings_on())
    desk.join("anna")
    desk.time.advance(3 * 20 + 2 * 5 + 1)
    assert (desk.agent("1001")["state"], desk.agent("1001")["reason"]) == ("not_ready", "ring_no_answer")
    assert desk.distributor.position("anna") == 1


def test_a_hang_up_that_comes_before_its_reason_is_no_reason() -> None:
    desk = Desk()
    desk.join("anna")
    leg = desk.switch.last(RingPhone).leg
    desk.handle(ChannelGone(leg, 19))
    desk.handle(LegFailed(leg, LegFailure.NO_ANSWER, 19))
    assert desk.data("offer.failed")["reason"] == "no_answer"


def test_a_hang_up_without_a_reason_frees_the_caller_soon() -> None:
    desk = Desk()
    desk.join("anna")
    desk.handle(ChannelGone(desk.switch.last(RingPhone).leg, 0))
    desk.time.advance(1)
    assert desk.data("offer.failed")["reason"] == "failed"


@pytest.mark.parametrize("fact", [LegRinging("cb-old"), LegAnswered("cb-old")])
def test_a_leg_without_an_offer_is_hung_up_on_sight(fact: Fact) -> None:
    desk = Desk()
    desk.handle(fact)
    assert desk.switch.orders == [HangUp("cb-old", 0)]


def test_an_answer_that_comes_after_the_offer_was_taken_back() -> None:
    desk = Desk()
    desk.join("anna")
    leg = desk.switch.last(RingPhone).leg
    desk.distributor.leave("anna")
    desk.switch.take()
    desk.handle(LegAnswered(leg))
    assert desk.switch.orders == [HangUp(leg, 0)]


def test_the_agent_hangs_up_in_the_moment_of_the_connection() -> None:
    desk = Desk()
    desk.join("anna")
    leg = desk.switch.last(RingPhone).leg
    desk.handle(LegAnswered(leg))
    desk.handle(ChannelGone(leg, 16))
    desk.switch.take()
    desk.handle(CallReturned("anna"))
    assert desk.switch.orders == [StartMusic("anna", "jazz")]
    assert desk.results == []
    assert desk.distributor.position("anna") == 1
    assert desk.distributor.knows("anna")


def test_a_caller_who_returns_from_a_talk_that_never_began() -> None:
    desk = Desk()
    desk.join("anna")
    leg = desk.switch.last(RingPhone).leg
    desk.handle(LegAnswered(leg))
    desk.switch.take()
    desk.handle(CallReturned("anna"))
    assert desk.switch.orders == [HangUp(leg), StartMusic("anna", "jazz")]
    assert desk.data("offer.failed")["reason"] == "lost"


def test_an_old_return_does_not_spoil_the_next_connection() -> None:
    desk = Desk("1001", "1002")
    desk.join("anna")
    first = desk.switch.last(RingPhone).leg
    desk.handle(LegAnswered(first))
    desk.handle(ChannelGone(first, 16))
    second = desk.switch.last(RingPhone).leg
    desk.handle(LegAnswered(second))
    desk.handle(CallReturned("anna"))
    assert desk.agent("1002")["state"] == "connecting"


def test_a_ring_order_of_unknown_fate_is_not_given_again() -> None:
    desk = Desk("1001", "1002")
    desk.join("anna")
    first = desk.switch.last(RingPhone)
    desk.handle(OrderFailed(first.leg, "RingPhone", "no reply", unknown=True))
    assert desk.data("offer.failed")["reason"] == "unknown"
    assert HangUp(first.leg) in desk.switch.orders
    assert [order.endpoint for order in desk.switch.sent(RingPhone)] == ["1001", "1002"]


def test_a_connection_of_unknown_fate_is_looked_at() -> None:
    desk = Desk()
    desk.join("anna")
    desk.handle(LegAnswered(desk.switch.last(RingPhone).leg))
    desk.handle(OrderFailed("anna", "Connect", "no reply", unknown=True))
    assert isinstance(desk.switch.orders[-1], Look)
    assert desk.agent("1001")["state"] == "connecting"


def test_a_refused_connection_returns_the_caller_to_the_head() -> None:
    desk = Desk()
    desk.join("anna")
    leg = desk.switch.last(RingPhone).leg
    desk.handle(LegAnswered(leg))
    desk.handle(OrderFailed("anna", "Connect", "no such channel"))
    assert HangUp(leg) in desk.switch.orders
    assert desk.distributor.position("anna") == 1


def test_max_wait_gives_the_caller_back() -> None:
    desk = Desk()
    desk.distributor.pause("1001", "lunch")
    desk.join("anna")
    desk.time.advance(300)
    assert desk.results == [("anna", QueueResult.TIMEOUT)]
    assert not desk.distributor.knows("anna")


def test_a_caller_may_join_again_from_within_the_result() -> None:
    desk = Desk()
    desk.distributor.pause("1001")
    again: list[str] = []

    def join_again(call: str, result: QueueResult) -> None:
        again.append(result)
        desk.distributor.join(WaitingCaller(call, "sales", desk.time.now()))

    desk.join("anna")
    desk.on_result = join_again
    desk.time.advance(301)
    assert again == ["timeout"]
    assert desk.kinds("anna") == ["queue.joined", "queue.left", "queue.joined"]


def test_after_a_talk_the_caller_may_join_again() -> None:
    desk = Desk()
    leg = desk.talk()
    desk.switch.hang_up(leg)
    desk.time.settle()
    desk.distributor.join(WaitingCaller("anna", "sales", desk.time.now()))
    desk.time.advance(20)
    assert desk.agent("1001")["state"] == "talking"


def test_a_queue_that_does_not_exist() -> None:
    desk = Desk()
    with pytest.raises(UnknownQueue):
        desk.distributor.join(WaitingCaller("anna", "nowhere", desk.time.now()))
    assert desk.switch.orders == []


def test_the_phone_in_a_feature_code_call_is_not_rung_before_it_is_down() -> None:
    desk = Desk()
    desk.distributor.logout("1001")
    desk.join("anna")
    desk.handle(PhoneChanged("1001", PhoneState.BUSY))
    desk.distributor.login("1001")
    desk.time.advance(3)
    assert desk.switch.sent(RingPhone) == []
    desk.handle(PhoneChanged("1001", PhoneState.IDLE))
    assert len(desk.switch.sent(RingPhone)) == 1


def test_an_agent_is_not_rung_again_before_the_phone_is_down_after_a_withdrawal() -> None:
    desk = Desk()
    desk.join("anna")
    desk.handle(PhoneChanged("1001", PhoneState.RINGING))
    desk.join("bert")
    desk.distributor.leave("anna")
    assert len(desk.switch.sent(RingPhone)) == 1
    desk.handle(PhoneChanged("1001", PhoneState.IDLE))
    assert [order.endpoint for order in desk.switch.sent(RingPhone)] == ["1001", "1001"]


def test_commands_that_cannot_be_done_say_why() -> None:
    desk = Desk()
    with pytest.raises(UnknownAgent):
        desk.distributor.login("9999")
    desk.distributor.logout("1001")
    with pytest.raises(NotLoggedIn):
        desk.distributor.pause("1001")


def test_the_views_are_plain_data_without_numbers_of_callers() -> None:
    desk = Desk()
    desk.phone("1001", PhoneScript.rings_on())
    desk.join("anna")
    desk.time.advance(4)
    desk.join("bert")
    desk.time.advance(2)
    queue = desk.distributor.views()["queues"][0]
    assert (queue["name"], queue["waiting"], queue["offered"], queue["longest_wait_s"]) == ("sales", 2, 1, 6.0)
    assert [(caller["call"], caller["position"]) for caller in queue["callers"]] == [("anna", 1), ("bert", 2)]
    agent = desk.agent("1001")
    assert (agent["state"], agent["call"], agent["queue"]) == ("offering", "anna", "sales")
    assert "+15550100" not in str(desk.distributor.views())


def test_one_bad_listener_does_not_keep_the_orders_from_being_carried_out() -> None:
    desk = Desk()

    def broken(*_: object) -> None:
        raise RuntimeError("full disk")

    desk.switch.channels["anna"] = FakeChannel("anna", answered=True)
    desk.on_note = broken
    with pytest.raises(RuntimeError, match="full disk"):
        desk.distributor.join(WaitingCaller("anna", "sales", desk.time.now()))
    assert len(desk.switch.sent(RingPhone)) == 1


def test_what_wait_is_to_be_expected_is_asked_for_those_who_wait() -> None:
    desk = Desk(expected_wait=lambda engine, call, now: 90.0 * (engine.position(call) or 0))
    desk.phone("1001", PhoneScript.rings_on())
    desk.join("anna")
    desk.join("bert")
    assert desk.distributor.expected_wait("bert") == 180.0
    assert desk.distributor.expected_wait("nobody") is None


def test_without_an_estimator_no_wait_is_known() -> None:
    desk = Desk()
    desk.phone("1001", PhoneScript.rings_on())
    desk.join("anna")
    assert desk.distributor.expected_wait("anna") is None


RING_ALL = QueueSpec("sales", strategy=Strategy.RING_ALL)


def test_of_two_phones_that_answer_in_the_same_instant_one_talks() -> None:
    desk = Desk("1001", "1002", "1003", sales=RING_ALL)
    desk.phone("1001", PhoneScript.rings_on())
    desk.phone("1002", PhoneScript.answers(2.0))
    desk.phone("1003", PhoneScript.answers(2.0))
    desk.join("anna")
    desk.time.advance(3)
    rung = {order.endpoint: order.leg for order in desk.switch.sent(RingPhone)}
    assert desk.switch.sent(Connect) == [Connect("anna", rung["1002"])]
    withdrawn = [order for order in desk.switch.sent(HangUp) if order.cause == 26]
    assert withdrawn == [HangUp(rung["1001"], 26), HangUp(rung["1003"], 26)]
    assert {agent: desk.agent(agent)["state"] for agent in rung} == {
        "1001": "ready",
        "1002": "talking",
        "1003": "ready",
    }
    assert set(desk.switch.channels) == {"anna", rung["1002"]}
    assert desk.kinds("anna").count("talk.started") == 1


def seen_before() -> Seen:
    """What a predecessor saw: 20 calls of 100 s each."""
    seen = Seen()
    for n in range(20):
        for kind, after, data in (
            ("offer.made", 0.0, {}),
            ("talk.started", 4.0, {}),
            ("talk.ended", 90.0, {}),
            ("agent.state", 90.0, {"state": "wrap_up"}),
            ("agent.state", 100.0, {"state": "ready"}),
        ):
            seen.note(kind, f"c-{n}", "1001", "sales", dict(data), 100.0 * n + after)
    return seen


def test_what_wait_is_to_be_expected_is_told_when_it_is_known() -> None:
    desk = Desk()
    desk.talk()
    desk.join("bert")
    assert "queue.expected" not in desk.kinds("bert")
    desk.distributor.waits.remember(seen_before())
    desk.join("carl")
    told = desk.data("queue.expected")
    assert "queue.expected" in desk.kinds("carl")
    assert told.keys() == {"wait_s", "quantile"}
    assert told["wait_s"] == pytest.approx(desk.distributor.expected_wait("carl"), abs=0.1)
    view = desk.distributor.views()["queues"][0]
    assert view["quantile"] == 0.8
    assert view["expected_wait_s"] > told["wait_s"]  # who joins now stands behind carl


def test_who_would_have_to_expect_too_long_a_wait_goes_on_with_the_flow() -> None:
    desk = Desk(sales=replace(SALES, max_expected_wait_s=150.0))
    desk.distributor.waits.remember(seen_before())
    desk.join("anna")
    assert desk.results == []
    assert desk.distributor.views()["queues"][0]["expected_wait_s"] is not None
    for call in ("bert", "carl", "dora"):
        desk.join(call)
    assert [result for _, result in desk.results] == [QueueResult.TOO_LONG] * len(desk.results)
    assert desk.results[-1][0] == "dora"
