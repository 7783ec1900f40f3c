"""`on_hangup`: what a flow still does when its caller has gone, and that the call's end does not wait for it."""

from __future__ import annotations

from typing import Any

import pytest

from ivr.requests import CallbackRequest, TransferRequest
from pbx.orders import Order
from tests.fakes.brain import Brain, FakePbx
from tests.fakes.surroundings import Asked
from tests.fakes.switch import PhoneScript
from tests.fakes.virtual_time import VirtualTime

FLOW = """
flow: test
numbers: ["100"]
language: en
start: menu
on_hangup: mark
nodes:
  menu:
    menu: {prompt: Menu, keys: {"1": sales, "2": agent, "3": done}, timeout: 60s, otherwise: done}
  sales: {to_queue: {queue: sales, then: after, otherwise: after}}
  agent: {transfer: {to: "1001"}, next: after, otherwise: after}
  after: {say: After, next: done}
  mark: {set: {why: gone}, next: remember}
  remember: {callback: {queue: sales, data: {why: "{why}"}}, next: done, otherwise: done}
  done: {hangup: {}}
"""
SITE: dict[str, Any] = {"text": FLOW}


def in_menu() -> Brain:
    brain = Brain(FakePbx(VirtualTime()), **SITE)
    brain.pbx.phones["1001"] = PhoneScript.rings_on()
    brain.pbx.call("c1")
    brain.time.advance(1.5)
    return brain


def asked(brain: Brain) -> list[Asked]:
    return [one for one in brain.outside.asked if not isinstance(one.what, TransferRequest)]


def later_orders(brain: Brain, before: int) -> list[Order]:
    return [order for order in brain.pbx.orders[before:] if getattr(order, "channel", "") == "c1"]


@pytest.mark.parametrize(("key", "outcome"), [("", "left_in_flow"), ("1", "abandoned_in_queue"), ("2", "left_in_flow")])
def test_from_the_menu_the_queue_and_while_somebody_is_rung(key: str, outcome: str) -> None:
    brain = in_menu()
    if key:
        brain.pbx.press("c1", key)
        brain.time.advance(0.5)
    brain.pbx.hang_up("c1")
    brain.time.settle()
    # At once, though nobody has answered what the flow asks:
    assert brain.ended("c1") == {"outcome": outcome, "ended_by": "caller"}
    (one,) = asked(brain)
    assert (one.call, one.what) == ("c1", CallbackRequest("sales", "+15550100", "en", (("why", "gone"),)))
    orders = len(brain.pbx.orders)
    one.answer()
    brain.time.advance(60)
    assert brain.heard("c1")[-1] == "Menu"
    assert later_orders(brain, orders) == []
    assert [kind for kind in brain.kinds("c1") if kind == "call.ended"] == ["call.ended"]
    assert len(brain.calls) == 0


def test_whoever_waited_keeps_their_rank() -> None:
    brain = in_menu()
    brain.pbx.press("c1", "1")
    brain.time.advance(0.5)
    joined_at = brain.time.now() - 0.5
    seen: list[float | None] = []

    def desk(call: str, what: CallbackRequest, _done: object) -> Asked:
        seen.append(brain.calls.waits_since(call, what.queue))
        return Asked(call, what, lambda _outcome, _values: None)

    brain.outside.desks[CallbackRequest] = desk
    brain.time.advance(30)
    brain.pbx.hang_up("c1")
    brain.time.settle()
    assert seen == [pytest.approx(joined_at)]


def test_a_slow_answer_is_not_waited_for() -> None:
    brain = in_menu()
    brain.pbx.hang_up("c1")
    brain.time.advance(4.9)
    (one,) = asked(brain)
    assert not one.cancelled
    brain.time.advance(10)
    assert one.cancelled
    one.answer()  # too late: nothing happens
    brain.time.advance(10)


def test_not_after_a_talk_nor_when_the_flow_hangs_up_nor_when_the_service_stops() -> None:
    talked = in_menu()
    talked.pbx.phones["1001"] = PhoneScript.answers(0.5)
    talked.pbx.press("c1", "1")
    talked.time.advance(2)
    assert talked.phase("c1") == "talk"
    talked.pbx.hang_up("c1")
    by_flow = in_menu()
    by_flow.pbx.press("c1", "3")
    stopped = in_menu()
    stopped.calls.stop()
    for brain in (talked, by_flow, stopped):
        brain.time.advance(5)
        assert len(brain.calls) == 0
        assert asked(brain) == []


def test_after_a_restart_the_flow_still_knows_what_to_do() -> None:
    brain = in_menu()
    brain.pbx.press("c1", "1")
    brain.time.advance(0.5)
    brain = brain.successor(**SITE)
    brain.time.advance(1)
    assert brain.phase("c1") == "queue"
    brain.pbx.hang_up("c1")
    brain.time.settle()
    assert len(asked(brain)) == 1


def test_a_flow_without_on_hangup_ends_with_its_caller() -> None:
    brain = Brain(
        FakePbx(VirtualTime()), text=FLOW.replace("on_hangup: mark\n", "").replace("hangup: {}", "hangup: {}")
    )
    brain.pbx.call("c1")
    brain.time.advance(1.5)
    brain.pbx.hang_up("c1")
    brain.time.advance(60)
    assert asked(brain) == []
    assert brain.kinds("c1")[-1] == "call.ended"
