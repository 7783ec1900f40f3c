"""`transfer` in a flow, from end to end but for the PBX: restarts, lost links, and whatever people do meanwhile."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pbx.facts import LegFailure
from pbx.orders import RingNumber, RingPhone
from tests.fakes.brain import Brain, FakePbx
from tests.fakes.switch import PhoneScript
from tests.fakes.virtual_time import VirtualTime

OUTSIDE = "+15550199"
FLOW = """
flow: test
numbers: ["100"]
language: en
start: hello
on_error: sorry
nodes:
  hello: {say: Hello, next: choose}
  choose:
    menu: {prompt: Menu, keys: {"1": agent, "2": outside, "3": sales}, timeout: 4s, tries: 1, otherwise: bye}
  agent:
    transfer: {to: "1001", ring: 10s}
    next: after
    otherwise: {busy: busy, no_answer: nobody, unreachable: nobody, else: sorry}
  outside:
    transfer: {to: "+15550199", ring: 10s}
    next: after
    otherwise: nobody
  sales: {to_queue: {queue: sales, then: after, otherwise: sorry}}
  after: {say: After, next: done}
  busy: {say: Busy, next: done}
  nobody: {say: Nobody, next: done}
  sorry: {say: Sorry, next: done}
  bye: {say: Bye, next: done}
  done: {hangup: {}}
"""
SITE: dict[str, Any] = {"text": FLOW}


def rung(brain: Brain) -> int:
    return len(brain.pbx.sent(RingPhone)) + len(brain.pbx.sent(RingNumber))


def choosing(key: str = "1") -> Brain:
    """The caller is where the flow transfers them."""
    brain = Brain(FakePbx(VirtualTime()), **SITE)
    brain.pbx.phones[OUTSIDE] = PhoneScript.answers(1.0)
    brain.pbx.call("c1")
    brain.time.advance(1.5)
    brain.pbx.press("c1", key)
    brain.time.settle()
    return brain


def legs(brain: Brain) -> list[str]:
    return [one for one in brain.pbx.channels if one.startswith("cb-")]


@pytest.mark.parametrize("key", ["1", "2"])
def test_they_talk_and_the_flow_goes_on(key: str) -> None:
    brain = choosing(key)
    assert brain.music("c1") == "default"
    brain.time.advance(2)
    assert brain.phase("c1") == "talk"
    brain.pbx.hang_up(legs(brain)[0])
    brain.time.settle()
    assert brain.heard("c1")[-1] == "After"
    brain.time.advance(5)
    assert brain.ended("c1") == {"outcome": "transferred", "ended_by": "flow"}
    assert rung(brain) == 1
    kinds = [kind for kind in brain.kinds("c1") if kind.startswith(("transfer", "talk"))]
    assert kinds == ["transfer.started", "transfer.answered", "transfer.ended"]


def test_the_caller_hangs_up_first() -> None:
    brain = choosing()
    brain.time.advance(2)
    brain.pbx.hang_up("c1")
    brain.time.settle()
    assert brain.ended("c1") == {"outcome": "transferred", "ended_by": "caller"}
    assert legs(brain) == []
    assert brain.kinds("c1")[-2:] == ["transfer.ended", "call.ended"]


@pytest.mark.parametrize(
    ("script", "heard"),
    [
        (PhoneScript.fails(LegFailure.BUSY, 17, after=1.0), "Busy"),
        (PhoneScript.rings_on(), "Nobody"),
        (PhoneScript.fails(LegFailure.UNREACHABLE), "Nobody"),
        (PhoneScript.fails(LegFailure.REFUSED, 21, after=1.0), "Sorry"),
    ],
)
def test_nobody_talks_to_them_and_why(script: PhoneScript, heard: str) -> None:
    brain = Brain(FakePbx(VirtualTime()), **SITE)
    brain.pbx.phones["1001"] = script
    brain.pbx.call("c1")
    brain.time.advance(1.5)
    brain.pbx.press("c1", "1")
    brain.time.advance(11.5)
    assert heard in brain.heard("c1")
    brain.time.advance(5)
    assert brain.ended("c1")["outcome"] == "completed"


def test_an_agent_with_a_caller_from_the_queue_is_busy() -> None:
    brain = choosing("3")
    brain.time.advance(2)
    assert brain.phase("c1") == "talk"
    brain.pbx.call("c2")
    brain.time.advance(1.5)
    brain.pbx.press("c2", "1")
    brain.time.settle()
    assert brain.heard("c2")[-1] == "Busy"


def test_a_restart_while_it_rings_rings_once_more_and_leaves_no_leg() -> None:
    brain = choosing()
    brain.time.advance(0.5)
    (first,) = legs(brain)
    brain = brain.successor(**SITE)
    brain.time.advance(0.5)
    (second,) = legs(brain)
    assert second != first
    brain.time.advance(2)
    assert brain.phase("c1") == "talk"
    brain.pbx.hang_up(second)
    brain.time.settle()
    assert brain.heard("c1")[-1] == "After"


def test_a_restart_while_they_talk_is_not_noticed() -> None:
    brain = choosing()
    brain.time.advance(2)
    (leg,) = legs(brain)
    brain = brain.successor(**SITE)
    brain.time.advance(3)
    brain.look()
    brain.look()
    assert legs(brain) == [leg]
    assert brain.phase("c1") == "talk"
    assert brain.agent() == "ready"  # no talk of a queue
    brain.pbx.hang_up(leg)
    brain.time.settle()
    assert brain.heard("c1")[-1] == "After"
    assert rung(brain) == 1
    brain.time.advance(5)
    assert brain.ended("c1")["outcome"] == "transferred"


@pytest.mark.parametrize("who", ["callee", "caller"])
def test_the_talk_ends_while_nobody_is_there(who: str) -> None:
    brain = choosing()
    brain.time.advance(2)
    brain.killed()
    brain.pbx.hang_up("c1" if who == "caller" else legs(brain)[0])
    brain.time.advance(3)
    brain = brain.successor(**SITE)
    brain.time.advance(0.5)
    assert legs(brain) == []
    if who == "callee":
        assert brain.heard("c1")[-1] == "After"
        assert rung(brain) == 1


def test_a_restart_between_the_answer_and_the_bridge() -> None:
    brain = choosing()
    brain.pbx.connect_seconds = 2.0
    brain.time.advance(1.5)
    brain = brain.successor(**SITE)  # the leg is nobody's, and hung up
    brain.time.advance(2)
    assert brain.heard("c1")[-1] == "Sorry"  # they have not talked
    assert legs(brain) == []


def test_the_link_is_lost_while_they_are_put_together_and_found_when_they_talk() -> None:
    brain = choosing()
    brain.pbx.connect_seconds = 2.0
    brain.time.advance(1.5)
    brain.lose_link()
    brain.time.advance(15)
    brain.restore_link()
    brain.time.advance(1)
    assert brain.phase("c1") == "talk"
    brain.pbx.hang_up(legs(brain)[0])
    brain.time.settle()
    assert brain.heard("c1")[-1] == "After"
    assert rung(brain) == 1


# anything ------------------------------------------------------------------------------------------------------------

SCRIPTS = (
    PhoneScript.answers(0.0),
    PhoneScript.answers(1.0),
    PhoneScript.rings_on(),
    PhoneScript.fails(LegFailure.BUSY, 17, after=0.5),
    PhoneScript.fails(LegFailure.UNREACHABLE),
)
ACTIONS = st.sampled_from(
    ["hang up", "leg ends", "leg ends", "lose link", "find link", "kill", "kill and stay away", "slow", "quick", "look"]
)
WAITS = st.sampled_from([0.0, 0.0, 0.2, 1.0, 3.0, 12.0])


@settings(max_examples=100, deadline=None)
@given(st.sampled_from("12"), st.sampled_from(SCRIPTS), st.lists(st.tuples(WAITS, ACTIONS), max_size=8))
def test_whatever_happens_nobody_is_stuck(key: str, script: PhoneScript, happens: list[tuple[float, str]]) -> None:
    brain = Brain(FakePbx(VirtualTime()), **SITE)
    pbx = brain.pbx
    pbx.phones |= {"1001": script, OUTSIDE: script}
    pbx.call("c1")
    pbx.time.advance(1.5)
    pbx.press("c1", key)
    for wait, action in happens:
        pbx.time.advance(wait)
        brain = do(brain, action)
        answered = [leg for leg in legs(brain) if brain.pbx.channels[leg].bridge]
        assert len(answered) <= 1
    brain = do(brain, "find link")
    pbx.connect_seconds = 0.0
    for _ in range(15):
        pbx.time.advance(2)
        brain.look()
    caller = pbx.channels.get("c1")
    talking = caller is not None and bool(caller.bridge)
    assert len(legs(brain)) == int(talking), "a leg without its caller"
    if talking:
        assert caller is not None
        assert caller.peer == legs(brain)[0]
        assert brain.phase("c1") == "talk"
        pbx.hang_up(caller.peer)
    pbx.time.advance(60)
    left = [call.phase for call in brain.calls if call.phase != "fallback"]
    assert left == [], "the caller is left in the flow"


def do(brain: Brain, action: str) -> Brain:
    pbx = brain.pbx
    match action:
        case "hang up" if "c1" in pbx.channels:
            pbx.hang_up("c1")
        case "leg ends" if legs(brain):
            pbx.hang_up(legs(brain)[0])
        case "lose link" if pbx.up:
            brain.lose_link()
        case "kill":
            return brain.successor(**SITE)
        case "kill and stay away" if brain.alive:
            brain.killed()
        case "find link" if not brain.alive:
            return brain.successor(**SITE)
        case "find link" if not pbx.up:
            brain.restore_link()
        case "slow":
            pbx.connect_seconds = 2.0
        case "quick":
            pbx.connect_seconds = 0.0
        case "look" if pbx.up:
            brain.look()
    return brain
