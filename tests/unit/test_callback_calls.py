"""Calling somebody back: the agent's phone, then the customer's; every way in which that ends, and no leg left over."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cordboard.callback_calls import CallbackDialler
from pbx.facts import ChannelGone, LegFailure, OrderFailed
from pbx.orders import Connect, Desk, HangUp, RingNumber, RingPhone
from tests.fakes.brain import Brain, FakePbx
from tests.fakes.switch import PhoneScript
from tests.fakes.virtual_time import VirtualTime

CUSTOMER = "+15550199"


class Calling:
    """Agent 1001 calls a customer back."""

    def __init__(self, agent: PhoneScript | None = None, customer: PhoneScript | None = None) -> None:
        self.brain = Brain(FakePbx(VirtualTime()))
        self.pbx, self.time = self.brain.pbx, self.brain.time
        self.pbx.phones |= {
            "1001": agent or PhoneScript.answers(1.0),
            CUSTOMER: customer or PhoneScript.answers(2.0),
        }
        self.outcomes: list[str] = []
        self.dialler = CallbackDialler(self.brain.transfers, lambda agent: f"Agent {agent}")
        endpoint = self.dialler.take("1001")
        assert endpoint is not None
        self.dialler.begin(CUSTOMER, "1001", endpoint, self.outcomes.append)

    def legs(self) -> list[str]:
        return list(self.pbx.channels)

    def bridged(self) -> bool:
        return len({one.bridge for one in self.pbx.channels.values()} - {""}) == 1


def test_the_agent_first_then_the_customer_then_both() -> None:
    calling = Calling()
    ring = calling.pbx.last(RingPhone)
    assert (ring.endpoint, ring.caller_number) == ("1001", CUSTOMER)
    assert calling.pbx.sent(RingNumber) == []
    calling.time.advance(1.5)
    agent, customer = calling.legs()
    assert calling.pbx.last(Desk) == Desk(agent, ringing=True)
    dialled = calling.pbx.last(RingNumber)
    assert (dialled.leg, dialled.number, dialled.caller_number) == (customer, CUSTOMER, "1001")
    calling.time.advance(2)
    assert calling.pbx.last(Connect) == Connect(customer, agent)
    assert calling.bridged()
    assert calling.outcomes == []
    calling.pbx.hang_up(agent)
    calling.time.advance(1)
    assert (calling.outcomes, calling.legs()) == (["talked"], [])


def test_the_queues_offer_nobody_to_the_agent_meanwhile() -> None:
    calling = Calling()
    calling.time.advance(4)
    calling.brain.in_queue("c1")
    calling.time.advance(30)
    assert len(calling.pbx.sent(RingPhone)) == 1
    assert calling.dialler.take("1001") is None
    agent = calling.pbx.sent(RingPhone)[0].leg
    calling.pbx.hang_up(agent)
    calling.time.advance(1)
    assert len(calling.pbx.sent(RingPhone)) == 2


@pytest.mark.parametrize(
    ("agent", "customer", "outcome"),
    [
        (PhoneScript.rings_on(), None, "agent_no_answer"),
        (PhoneScript.fails(LegFailure.BUSY, 17, after=1.0), None, "agent_busy"),
        (PhoneScript.fails(LegFailure.UNREACHABLE), None, "agent_unreachable"),
        (None, PhoneScript.rings_on(), "no_answer"),
        (None, PhoneScript.fails(LegFailure.BUSY, 17, after=1.0), "busy"),
        (None, PhoneScript.fails(LegFailure.UNREACHABLE), "unreachable"),
    ],
)
def test_why_they_do_not_talk(agent: PhoneScript | None, customer: PhoneScript | None, outcome: str) -> None:
    calling = Calling(agent, customer)
    calling.time.advance(60)
    assert (calling.outcomes, calling.legs()) == ([outcome], [])
    assert bool(calling.pbx.sent(RingNumber)) is (agent is None)
    assert calling.dialler.take("1001") == "1001"  # free again


def test_the_agent_hangs_up_while_the_customer_s_phone_rings() -> None:
    calling = Calling(customer=PhoneScript.rings_on())
    calling.time.advance(2)
    agent, customer = calling.legs()
    calling.pbx.hang_up(agent)
    calling.time.advance(0.1)
    assert customer in [order.channel for order in calling.pbx.sent(HangUp)]
    assert (calling.outcomes, calling.legs()) == (["agent_left"], [])


def test_a_phone_that_is_gone_without_a_word_rings_no_more() -> None:
    calling = Calling(PhoneScript.rings_on())
    calling.time.advance(1)
    calling.pbx.emit(ChannelGone(calling.legs()[0], 16))
    calling.time.advance(1.5)
    assert calling.outcomes == ["failed"]


@pytest.mark.parametrize(("after", "outcome"), [(0.5, "lost"), (2.0, "lost"), (5.0, "talked")])
def test_the_link_is_lost(after: float, outcome: str) -> None:
    calling = Calling()
    calling.time.advance(after)
    calling.brain.lose_link()
    assert calling.outcomes == [outcome]
    calling.time.advance(1)
    calling.brain.restore_link()
    calling.time.advance(20)
    calling.brain.look()
    calling.brain.look()
    assert calling.bridged() is (outcome == "talked")
    if outcome == "talked":
        calling.pbx.hang_up(calling.legs()[0])
        calling.time.advance(1)
    assert calling.legs() == []
    assert calling.outcomes == [outcome]


def test_the_service_is_killed_while_a_phone_rings() -> None:
    calling = Calling(customer=PhoneScript.rings_on())
    calling.time.advance(2)
    calling.brain.successor()
    calling.time.advance(1)
    assert calling.legs() == []


SCRIPTS = st.sampled_from(
    [
        PhoneScript.answers(0.0),
        PhoneScript.answers(1.0),
        PhoneScript.answers(1.0),
        PhoneScript.rings_on(),
        PhoneScript.fails(LegFailure.BUSY, 17, after=0.5),
        PhoneScript.fails(LegFailure.UNREACHABLE),
    ]
)
ACTS = st.sampled_from(
    ["first leg ends", "last leg ends", "lose link", "find link", "ring fails", "connect fails", "look"]
)


@settings(max_examples=100, deadline=None)
@given(SCRIPTS, SCRIPTS, st.lists(st.tuples(st.sampled_from([0.0, 0.3, 1.0, 4.0]), ACTS), max_size=6))
def test_whatever_happens_no_leg_is_left_over(
    agent: PhoneScript, customer: PhoneScript, happens: list[tuple[float, str]]
) -> None:
    calling = Calling(agent, customer)
    brain, pbx = calling.brain, calling.pbx
    for pause, act in happens:
        calling.time.advance(pause)
        match act:
            case "first leg ends" | "last leg ends" if calling.legs():
                pbx.hang_up(calling.legs()[0 if act.startswith("first") else -1])
            case "lose link" if pbx.up:
                brain.lose_link()
            case "find link" if not pbx.up:
                brain.restore_link()
            case "ring fails" | "connect fails" if calling.legs() and pbx.up:
                order = "Connect" if act.startswith("connect") else "RingNumber"
                pbx.emit(OrderFailed(calling.legs()[-1], order, "refused"))
            case "look" if pbx.up:
                brain.look()
        assert len(calling.legs()) <= 2
    if not pbx.up:
        brain.restore_link()
    for _ in range(40):
        calling.time.advance(2)
        brain.look()
    if calling.bridged():
        pbx.hang_up(calling.legs()[0])
        calling.time.advance(1)
    assert calling.legs() == []
    assert len(calling.outcomes) == 1
    assert calling.dialler.take("1001") == "1001"
