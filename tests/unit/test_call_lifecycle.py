"""Every way that a call can go, with every part of the brain real: flow, queue, talk, and the ways back and out."""

from __future__ import annotations

import json
from typing import Any

import pytest

from acd.model import QueueSpec
from cordboard.memory import Memory, Phase
from pbx.actions import MAX_MEMORY
from pbx.facts import BridgeEntered, CallReturned, LegFailure, OrderFailed, Origin
from pbx.orders import Connect, HangUp, KeepAlive, Play, StartMusic
from tests.fakes.brain import DEAD_MAN_S, FLOW, Brain
from tests.fakes.switch import PhoneScript


def quiet(*agents: str) -> Brain:
    """Agents whose phones ring until the test answers."""
    brain = Brain(agents=agents or ("1001",))
    for agent in agents or ("1001",):
        brain.pbx.phones[agent] = PhoneScript.rings_on()
    return brain


def nobody(**more: Any) -> Brain:
    return Brain(agents=(), **more)


def test_the_flow_ends_the_call() -> None:
    brain = nobody().in_menu("c1")
    brain.time.advance(60)
    assert brain.heard("c1") == ["Hello", "Menu", "Nothing", "Menu", "Bye"]
    assert brain.ended("c1") == {"outcome": "completed", "ended_by": "flow"}
    assert len(brain.calls) == 0
    assert brain.calls.empty.is_set()


def test_a_number_that_no_flow_answers() -> None:
    brain = nobody()
    brain.pbx.call("c1", dialled="999")
    brain.time.settle()
    assert brain.pbx.last(HangUp).cause == 1
    assert brain.ended("c1") == {"outcome": "no_such_number", "ended_by": "flow"}


def test_caller_ends_the_talk() -> None:
    brain = Brain().in_talk("c1")
    brain.pbx.hang_up("c1")
    brain.time.settle()
    assert brain.ended("c1") == {"outcome": "talked", "ended_by": "caller"}
    assert brain.kinds("c1")[-2:] == ["talk.ended", "call.ended"]
    assert brain.agent() == "wrap_up"
    assert brain.pbx.channels == {}


def test_agent_ends_the_talk_and_the_flow_goes_on() -> None:
    brain = Brain().in_talk("c1")
    brain.pbx.hang_up(brain.leg())
    brain.time.advance(10)
    assert brain.heard("c1")[-2:] == ["Survey", "Bye"]
    assert brain.ended("c1") == {"outcome": "talked", "ended_by": "flow"}


def test_hang_up_in_each_phase() -> None:
    brain = nobody()
    brain.pbx.call("c0")
    brain.pbx.hang_up("c0")
    assert brain.ended("c0") == {"outcome": "left_in_flow", "ended_by": "caller"}
    brain.in_menu("c1").pbx.hang_up("c1")
    assert brain.ended("c1") == {"outcome": "left_in_flow", "ended_by": "caller"}
    brain.in_queue("c2").pbx.hang_up("c2")
    assert brain.ended("c2") == {"outcome": "abandoned_in_queue", "ended_by": "caller"}
    assert "queue.left" in brain.kinds("c2")
    assert len(brain.calls) == 0
    brain.time.advance(600)
    assert brain.kinds("c2")[-1] == "call.ended"


def test_hang_up_while_the_agent_rings() -> None:
    brain = quiet().in_queue("c1")
    leg = brain.leg()
    brain.pbx.hang_up("c1")
    brain.time.settle()
    assert leg not in brain.pbx.channels
    assert brain.agent() == "ready"
    assert brain.ended("c1") == {"outcome": "abandoned_in_queue", "ended_by": "caller"}


def test_hang_up_while_being_put_through() -> None:
    brain = quiet().in_queue("c1")
    leg = brain.leg()
    brain.pbx.answer_leg(leg)
    assert brain.pbx.last(Connect).leg == leg
    brain.pbx.hang_up("c1")
    brain.time.settle()
    assert leg not in brain.pbx.channels
    assert brain.ended("c1") == {"outcome": "abandoned_in_queue", "ended_by": "caller"}


def test_agent_gone_before_the_caller_gets_there() -> None:
    """Answered and hung up at once: the caller waits again, with music, and the next agent's talk counts as one."""
    brain = quiet().in_queue("c1")
    leg = brain.leg()
    brain.pbx.answer_leg(leg)
    brain.pbx.hang_up(leg)
    brain.time.settle()
    assert brain.phase("c1") == "queue"
    assert brain.music("c1") == "default"
    brain.time.advance(6)  # the rest after an offer that failed
    brain.pbx.answer_leg(brain.leg())
    brain.time.settle()
    assert brain.phase("c1") == "talk"
    brain.pbx.hang_up("c1")
    assert brain.ended("c1")["outcome"] == "talked"


def test_half_a_bridge_is_no_talk() -> None:
    """The caller entered the bridge, the agent was gone: they wait again, and leaving then is abandoning."""
    brain = quiet().in_queue("c1")
    leg = brain.leg()
    brain.pbx.answer_leg(leg)
    brain.handle(BridgeEntered("c1", "b"))
    assert brain.phase("c1") == "talk"
    brain.pbx.hang_up(leg)
    brain.pbx.emit(CallReturned("c1"))
    assert brain.phase("c1") == "queue"
    memory = Memory.load(brain.pbx.memories["c1"])
    assert memory is not None
    assert memory.phase is Phase.QUEUE
    brain.pbx.hang_up("c1")
    assert brain.ended("c1")["outcome"] == "abandoned_in_queue"


@pytest.mark.parametrize("failure", [LegFailure.BUSY, LegFailure.REFUSED, LegFailure.UNREACHABLE, LegFailure.FAILED])
def test_offer_failed_keeps_the_caller_waiting(failure: LegFailure) -> None:
    brain = Brain()
    brain.pbx.phones["1001"] = PhoneScript.fails(failure)
    brain.in_queue("c1")
    assert brain.phase("c1") == "queue"
    assert brain.music("c1") == "default"
    brain.pbx.hang_up("c1")
    assert brain.ended("c1")["outcome"] == "abandoned_in_queue"


def test_waited_too_long() -> None:
    brain = nobody().in_queue("c1")
    brain.time.advance(300)
    assert brain.heard("c1")[-1] == "Sorry"
    assert brain.music("c1") == ""
    brain.time.advance(10)
    assert brain.ended("c1") == {"outcome": "completed", "ended_by": "flow"}


def test_waited_too_long_while_being_put_through_to_nobody() -> None:
    """The flow's next prompt is refused: the channel is still on its way to a talk. It is said on the way back."""
    brain = Brain(queues=(QueueSpec("sales", ring_s=20, max_wait_s=10.0),))
    brain.pbx.phones["1001"] = PhoneScript.rings_on()
    brain.pbx.connect_seconds = 2.0
    brain.in_queue("c1")
    leg = brain.leg()
    brain.time.advance(9.5)
    brain.pbx.answer_leg(leg)
    brain.time.advance(1.0)  # the wait is over now
    brain.pbx.hang_up(leg)
    brain.time.advance(0.1)
    assert brain.phase("c1") == "flow"
    assert not brain.pbx.channels["c1"].commands
    brain.time.advance(1.0)
    assert brain.heard("c1")[-2:] == ["Sorry", "Sorry"]
    assert brain.pbx.channels["c1"].commands
    brain.time.advance(10)
    assert brain.ended("c1") == {"outcome": "completed", "ended_by": "flow"}


def test_the_queue_is_removed_while_the_caller_is_being_put_through() -> None:
    brain = quiet()
    brain.pbx.connect_seconds = 1.0
    brain.in_queue("c1")
    brain.pbx.answer_leg(brain.leg())
    brain.distributor.remove_queue("sales")
    brain.time.advance(0.5)
    assert brain.phase("c1") == "flow"
    brain.time.advance(1)
    assert brain.heard("c1")[-1] == "Sorry"
    brain.time.advance(10)
    assert brain.ended("c1")["outcome"] == "completed"


def test_a_late_return_does_not_repeat_the_prompt() -> None:
    brain = Brain().in_talk("c1")
    brain.pbx.hang_up(brain.leg())
    brain.time.settle()
    said = brain.heard("c1")
    brain.handle(CallReturned("c1"))
    brain.time.settle()
    assert brain.heard("c1") == said


def test_a_queue_that_is_no_more() -> None:
    brain = nobody().in_menu("c1")
    brain.pbx.press("c1", "2")
    brain.time.settle()
    assert brain.phase("c1") == "queue"
    brain.time.advance(3)
    assert "Sorry" in brain.heard("c1")
    brain.time.advance(20)
    assert brain.ended("c1") == {"outcome": "completed", "ended_by": "flow"}


def test_a_queue_that_is_no_more_and_a_flow_that_insists() -> None:
    brain = nobody(text=FLOW.replace("otherwise: sorry", "otherwise: ghost")).in_menu("c1")
    brain.pbx.press("c1", "2")
    before = len(brain.notes)
    brain.time.advance(30)
    assert brain.phase("c1") == "queue"
    assert len(brain.notes) - before < 150
    brain.pbx.hang_up("c1")
    brain.time.advance(5)
    assert brain.kinds("c1")[-1] == "call.ended"


def test_a_refused_prompt_is_no_prompt_that_failed() -> None:
    """Four of those end a flow: the caller, who only was elsewhere for a moment, would be hung up."""
    brain = nobody().in_menu("c1")
    brain.handle(OrderFailed("c1", "Play", "not controlled"))
    brain.time.advance(4)
    assert brain.phase("c1") == "flow"
    assert brain.hung_up() == []
    brain.time.advance(5)
    brain.look()
    assert brain.heard("c1")[-1] == "Menu"
    brain.pbx.press("c1", "1")
    brain.time.settle()
    assert brain.phase("c1") == "queue"


def test_commands_of_unknown_fate_and_failures_of_other_orders_change_nothing() -> None:
    brain = nobody().in_menu("c1")
    said = brain.heard("c1")
    brain.handle(OrderFailed("c1", "Play", "no answer", unknown=True))
    brain.handle(OrderFailed("c1", "Remember", "refused"))
    brain.handle(OrderFailed("c1", "KeepAlive", "no such channel"))
    brain.pbx.press("c1", "1")
    brain.time.settle()
    assert brain.phase("c1") == "queue"
    assert brain.heard("c1") == said


# the dead-man's timer


def test_it_never_fires_while_we_live() -> None:
    brain = nobody(queues=(QueueSpec("sales", max_wait_s=None),)).in_queue("c1")
    brain.time.advance(20 * DEAD_MAN_S)
    assert brain.phase("c1") == "queue"
    assert len(brain.pbx.sent(KeepAlive)) <= 20 * 3 + 5


def test_it_never_fires_in_a_circle_of_short_waits() -> None:
    text = FLOW.replace("otherwise: sorry", "otherwise: sales")
    brain = nobody(text=text, queues=(QueueSpec("sales", max_wait_s=5.0),)).in_queue("c1")
    brain.time.advance(3 * DEAD_MAN_S)
    assert brain.phase("c1") == "queue"


def test_a_talk_has_no_timer() -> None:
    brain = Brain().in_talk("c1")
    brain.time.advance(20 * DEAD_MAN_S)
    assert brain.phase("c1") == "talk"
    brain.pbx.hang_up(brain.leg())
    brain.time.settle()
    assert brain.phase("c1") == "flow"


def test_no_renewal_on_the_way_into_a_talk() -> None:
    """One that overtakes the dialplan's "timer off" would cut the talk, and nobody would renew it."""
    brain = quiet().in_queue("c1")
    brain.time.advance(14.9 - 1.5)  # the next second renews
    brain.pbx.take()
    brain.pbx.answer_leg(brain.leg())
    brain.calls.renew(brain.time.now() + DEAD_MAN_S)
    assert brain.pbx.sent(KeepAlive) == []
    brain.time.advance(10 * DEAD_MAN_S)
    assert brain.phase("c1") == "talk"


def test_who_left_or_is_served_elsewhere_is_not_renewed() -> None:
    brain = nobody().in_menu("c1")
    brain.pbx.to_fallback("c1")
    assert brain.phase("c1") == "fallback"
    brain.pbx.take()
    brain.time.advance(200)
    assert brain.pbx.sent(KeepAlive) == []
    assert brain.pbx.sent(Play) == []
    brain.pbx.hang_up("c1")
    assert brain.ended("c1") == {"outcome": "fallback", "ended_by": "caller"}


def test_control_lost_in_the_queue() -> None:
    brain = quiet().in_queue("c1")
    leg = brain.leg()
    brain.pbx.to_fallback("c1")
    brain.time.settle()
    assert leg not in brain.pbx.channels
    assert not brain.distributor.knows("c1")
    assert brain.agent() == "ready"
    brain.pbx.hang_up("c1")
    assert brain.ended("c1")["outcome"] == "fallback"


def test_control_lost_in_a_talk_is_none() -> None:
    from pbx.facts import ControlLost

    brain = Brain().in_talk("c1")
    brain.handle(ControlLost("c1"))
    assert brain.phase("c1") == "talk"


# the end of the service


def test_draining_refuses_new_callers_and_lets_the_others_finish() -> None:
    brain = nobody().in_menu("c1")
    brain.calls.refuse_new()
    brain.pbx.call("c2")
    brain.time.settle()
    assert brain.pbx.last(HangUp) == HangUp("c2", 34)
    assert brain.kinds("c2") == []
    assert not brain.calls.empty.is_set()
    brain.time.advance(60)
    assert brain.calls.empty.is_set()


def test_a_stop_ends_every_call_by_name() -> None:
    brain = Brain(agents=("1001",)).in_talk("talks")
    brain.in_queue("waits").in_menu("menu")
    brain.pbx.call("leaves", dialled="999")
    brain.calls.stop()
    brain.time.settle()
    assert len(brain.calls) == 0
    assert brain.ended("talks") == {"outcome": "talked", "ended_by": "service"}
    assert brain.ended("waits") == {"outcome": "stopped", "ended_by": "service"}
    assert brain.ended("menu") == {"outcome": "stopped", "ended_by": "service"}
    assert brain.ended("leaves") == {"outcome": "no_such_number", "ended_by": "flow"}
    assert brain.pbx.channels == {}


# memory


def memory(**more: Any) -> Memory:
    return Memory(Phase.QUEUE, 1_700_000_000.1234, Origin.PUBLIC, "100", "main", "sales", 1_700_000_001.5, **more)


def test_memory_comes_back() -> None:
    kept = memory(position={"n": "sales", "l": "es", "t": 7, "v": {"name": "Ada"}}, version=12)
    assert Memory.load(kept.dump()) == Memory(
        Phase.QUEUE,
        1_700_000_000.123,
        Origin.PUBLIC,
        "100",
        "main",
        "sales",
        1_700_000_001.5,
        kept.position,
        version=12,
    )


def test_memory_always_fits() -> None:
    long = {f"v{number}": "ñ" * 100 for number in range(10)}
    kept = Memory.load(memory(position={"n": "sales", "l": "es", "t": 7, "v": long}).dump())
    assert kept is not None
    assert kept.position == {"n": "sales", "l": "es", "t": 7, "v": dict.fromkeys(long)}, "that there was more"
    kept = Memory.load(memory(position={"n": "s" * MAX_MEMORY}).dump())
    assert kept is not None
    assert kept.position is None
    assert kept.queue == "sales"
    strange = Memory(Phase.FLOW, 1.0, Origin.PUBLIC, "\u2028" * 200)
    assert len(strange.dump()) <= MAX_MEMORY


GOOD = json.loads(memory().dump())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "null",
        "7",
        "[]",
        '"p"',
        "{}",
        "[" * 900,
        '{"p":' * 150,
        "\ud800",
        json.dumps(GOOD | {"p": "elsewhere"}),
        json.dumps(GOOD | {"p": ["flow"]}),
        json.dumps(GOOD | {"p": None}),
        json.dumps(GOOD | {"a": float("nan")}),
        json.dumps(GOOD | {"a": float("-inf")}),
        json.dumps(GOOD | {"j": "nan"}),
        json.dumps(GOOD | {"j": None}),
        json.dumps(GOOD).replace("1700000001.5", "1" * 400),
        json.dumps(GOOD).replace("1700000001.5", "1e999"),
        json.dumps(GOOD | {"o": "moon"}),
        json.dumps(GOOD | {"d": 100}),
        json.dumps(GOOD | {"d": "\ud800"}),
        json.dumps(GOOD | {"q": ["sales"]}),
    ],
)
def test_hostile_memory_is_none(text: str) -> None:
    assert Memory.load(text) is None


@pytest.mark.parametrize("position", [None, 7, "menu", ["n"], True])
def test_a_strange_position_is_none(position: Any) -> None:
    kept = Memory.load(json.dumps(GOOD | {"s": position}))
    assert kept is not None
    assert kept.position is None


def test_memory_of_a_waiting_caller_names_the_queue() -> None:
    brain = nobody().in_queue("c1")
    kept = Memory.load(brain.pbx.memories["c1"])
    assert kept is not None
    assert (kept.phase, kept.queue, kept.joined_at) == (Phase.QUEUE, "sales", brain.time.now())
    assert brain.pbx.last(StartMusic).music_class == "default"
