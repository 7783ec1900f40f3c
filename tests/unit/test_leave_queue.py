"""A waiting caller presses a key, hears something else, and comes back to the place that they had."""

from __future__ import annotations

import json
from typing import Any

import pytest

from acd.model import QueueSpec
from pbx.facts import LegAnswered
from pbx.orders import HangUp, Play, RingPhone, StopMusic
from tests.fakes.brain import FLOW, SALES, Brain
from tests.fakes.switch import PhoneScript

OLD = "sales: {to_queue: {queue: sales, then: survey, otherwise: sorry}}"
KEYS = """sales: {{to_queue: {{queue: sales, then: survey, otherwise: sorry, keys: {{"5": info, "*": aside}}{more}}}}}
  info: {{say: Info, next: sales}}
  aside: {{menu: {{prompt: Aside, keys: {{"1": sales, "2": other}}, timeout: 60s, otherwise: bye}}}}
  other: {{to_queue: {{queue: support, then: survey, otherwise: sorry, keys: {{"5": info}}}}}}"""
QUEUES = (SALES, QueueSpec("support"))


def text(more: str = "") -> str:
    return FLOW.replace(OLD, KEYS.format(more=more))


def brain(*agents: str, more: str = "", queues: tuple[QueueSpec, ...] = QUEUES) -> Brain:
    made = Brain(agents=agents, text=text(more), queues=queues)
    for agent in agents:
        made.pbx.phones[agent] = PhoneScript.rings_on()
    return made


def press(made: Brain, call: str, key: str) -> None:
    made.pbx.press(call, key)
    made.time.settle()


def left(made: Brain, call: str) -> list[str]:
    return [data["reason"] for kind, of, data in made.notes if kind == "queue.left" and of == call]


def test_a_caller_goes_and_comes_back_before_whoever_came_later() -> None:
    made = brain().in_queue("c1")
    made.time.advance(5)
    made.in_queue("c2")
    press(made, "c1", "5")
    assert made.phase("c1") == "flow"
    assert made.heard("c1")[-1] == "Info"
    assert made.music("c1") == ""
    assert left(made, "c1") == ["by_key"]
    assert made.distributor.position("c2") == 1
    made.time.advance(1)
    assert made.phase("c1") == "queue"
    assert made.music("c1") == "default"
    assert [made.distributor.position(call) for call in ("c1", "c2")] == [1, 2]
    assert "key.pressed" in made.kinds("c1")


def test_keys_without_a_node_do_nothing() -> None:
    made = brain().in_queue("c1")
    before = len(made.pbx.orders)
    for key in "012346789#":
        press(made, "c1", key)
    assert made.phase("c1") == "queue"
    assert made.pbx.orders[before:] == []


def test_what_rings_for_them_is_taken_back() -> None:
    made = brain("1001").in_queue("c1")
    leg = made.leg()
    press(made, "c1", "*")
    assert leg in made.hung_up()
    assert made.agent() == "ready"
    assert made.heard("c1")[-1] == "Aside"
    made.time.advance(5)
    assert len(made.pbx.sent(RingPhone)) == 1
    press(made, "c1", "1")
    assert len(made.pbx.sent(RingPhone)) == 2


def test_the_agent_who_answers_first_wins() -> None:
    made = brain("1001")
    made.pbx.connect_seconds = 0.5
    made.in_queue("c1")
    made.pbx.answer_leg(made.leg())
    press(made, "c1", "5")
    made.time.advance(1)
    assert made.phase("c1") == "talk"
    press(made, "c1", "5")
    assert made.phase("c1") == "talk"
    assert left(made, "c1") == ["answered"]


def test_the_key_that_comes_first_wins() -> None:
    made = brain("1001").in_queue("c1")
    leg = made.leg()
    made.pbx.press("c1", "5")
    made.pbx.emit(LegAnswered(leg))  # was on its way
    made.time.settle()
    assert made.phase("c1") == "flow"
    assert made.pbx.last(HangUp).channel == leg
    assert made.agent() == "ready"


def test_a_flow_may_give_a_new_place() -> None:
    made = brain(more=", keep_place: false").in_queue("c1")
    made.time.advance(5)
    made.in_queue("c2")
    press(made, "c1", "5")
    made.time.advance(1)
    assert [made.distributor.position(call) for call in ("c1", "c2")] == [2, 1]


def test_the_place_is_kept_in_the_queue_that_was_left_last() -> None:
    made = brain().in_queue("c1")
    joined = made.calls.get("c1").waiting.joined_at  # type: ignore[union-attr]
    made.time.advance(5)
    press(made, "c1", "*")
    press(made, "c1", "2")
    assert made.calls.get("c1").waiting.joined_at == made.time.now()  # type: ignore[union-attr]
    press(made, "c1", "5")
    made.time.advance(1)  # info leads to sales, and support was left last
    assert made.calls.get("c1").waiting.joined_at > joined  # type: ignore[union-attr]


def test_a_wait_that_ended_otherwise_keeps_no_place() -> None:
    made = brain(queues=(QueueSpec("sales", max_wait_s=30.0), QueueSpec("support"))).in_queue("c1")
    made.time.advance(30)
    assert left(made, "c1") == ["timeout"]
    assert made.calls.get("c1").waiting.kept is None  # type: ignore[union-attr]


def test_the_wait_goes_on_counting() -> None:
    made = brain(queues=(QueueSpec("sales", max_wait_s=30.0), QueueSpec("support"))).in_queue("c1")
    made.time.advance(20)
    press(made, "c1", "*")
    made.time.advance(5)
    press(made, "c1", "1")
    made.time.advance(4.9)
    assert made.phase("c1") == "queue"
    made.time.advance(0.2)
    assert left(made, "c1") == ["by_key", "timeout"]


@pytest.mark.parametrize("killed", [True, False], ids=["restart", "link"])
def test_in_between_the_service_is_lost(killed: bool) -> None:
    made = brain().in_queue("c1")
    made.time.advance(5)
    made.in_queue("c2")
    press(made, "c1", "*")
    made = lose(made, killed)
    assert made.heard("c1")[-1] == "Aside"
    press(made, "c1", "1")
    assert [made.distributor.position(call) for call in ("c1", "c2")] == [1, 2]
    assert "k" not in json.loads(made.pbx.memories["c1"])


@pytest.mark.parametrize("killed", [True, False], ids=["restart", "link"])
def test_keys_lead_out_of_the_queue_after_the_service_was_lost(killed: bool) -> None:
    made = lose(brain().in_queue("c1"), killed)
    assert made.phase("c1") == "queue"
    press(made, "c1", "5")
    assert made.heard("c1")[-1] == "Info"
    assert isinstance(made.pbx.orders[-2], (StopMusic, Play))


def test_a_key_while_the_link_is_lost_is_lost() -> None:
    made = brain().in_queue("c1")
    made.lose_link()
    press(made, "c1", "5")
    made.restore_link()
    assert made.phase("c1") == "queue"
    assert made.distributor.position("c1") == 1


def test_neither_event_nor_memory_holds_the_key() -> None:
    made = brain().in_queue("c1")
    press(made, "c1", "*")
    noted: list[Any] = [data for _, of, data in made.notes if of == "c1"]
    assert "*" not in json.dumps(noted)
    assert "*" not in made.pbx.memories["c1"]


def lose(made: Brain, killed: bool) -> Brain:
    if killed:
        made = made.successor(agents=(), text=text(), queues=QUEUES)
        made.time.settle()
    else:
        made.lose_link()
        made.time.advance(3)
        made.restore_link()
    return made
