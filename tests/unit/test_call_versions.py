"""A call stays on the version of the dialplans that it began with: over queues, talks, transfers and restarts."""

from __future__ import annotations

import json

from acd.destinations import ToFlow
from ivr.dialplans import Dialplans
from ivr.loader import load_files
from ivr.versions import Canary, Versions
from tests.fakes.brain import Brain


def version(greeting: str, *, other: bool = True) -> Dialplans:
    """100 greets, has a menu, leads to the queue and to a sub-flow; 200 greets too, when there is `other`."""
    main = f"""
flow: main
numbers: ["100"]
language: en
start: hello
nodes:
  hello: {{say: "{greeting}", next: main}}
  main: {{menu: {{prompt: "{greeting} menu", keys: {{"1": sales, "2": sub}}, timeout: 4s, otherwise: bye}}}}
  sales: {{to_queue: {{queue: sales, then: bye, otherwise: sub}}}}
  sub: {{call: {{flow: sub}}, next: bye}}
  bye: {{say: "{greeting} bye", next: done}}
  done: {{hangup: {{}}}}
"""
    sub = f"""
flow: sub
language: en
start: inside
nodes:
  inside: {{say: "{greeting} inside", next: back}}
  back: {{return: {{}}}}
"""
    second = f"""
flow: second
numbers: ["200"]
language: en
start: hello
nodes:
  hello: {{say: "{greeting} second", next: done}}
  done: {{hangup: {{}}}}
"""
    files = {"main.yaml": main, "sub.yaml": sub, **({"second.yaml": second} if other else {})}
    return load_files({name: text.encode() for name, text in files.items()})


OLD, NEW = version("Old"), version("New")
BOTH = {1: OLD, 2: NEW}


def on_the_old() -> Brain:
    """Caller c1 is in the menu of version 1; version 2 is published."""
    brain = Brain(versions=Versions({1: OLD}, 1), agents=())
    brain.pbx.call("c1")
    brain.time.advance(1.5)
    brain.library.versions = Versions(BOTH, 2)
    return brain


def started(brain: Brain, call: str) -> list[int]:
    return [data["dialplans"] for kind, one, data in brain.notes if kind == "flow.started" and one == call]


def test_through_a_publish_into_a_sub_flow_and_to_the_end() -> None:
    brain = on_the_old()
    brain.pbx.press("c1", "2")
    brain.time.advance(10)
    assert brain.heard("c1") == ["Old", "Old menu", "Old inside", "Old bye"]
    assert started(brain, "c1") == [1]
    brain.pbx.call("c2")
    brain.time.settle()
    assert brain.heard("c2") == ["New"]
    assert started(brain, "c2") == [2]


def test_through_queue_and_back() -> None:
    brain = on_the_old()
    brain.pbx.press("c1", "1")
    brain.time.advance(301)
    assert brain.heard("c1")[-2:] == ["Old inside", "Old bye"]


def test_after_a_restart_in_a_menu() -> None:
    brain = on_the_old()
    brain = brain.successor(versions=Versions(BOTH, 2), agents=())
    brain.time.advance(1.5)
    assert brain.heard("c1") == ["Old", "Old menu", "Old menu"]
    assert started(brain, "c1") == [1]
    assert brain.calls.views()[0]["dialplans"] == 1


def test_after_a_restart_in_a_queue_and_after_another_one() -> None:
    brain = on_the_old()
    brain.pbx.press("c1", "1")
    brain.time.advance(1)
    for _ in range(2):
        brain = brain.successor(versions=Versions(BOTH, 2), agents=())
        brain.time.advance(1)
        assert brain.phase("c1") == "queue"
    brain.time.advance(301)
    assert brain.heard("c1")[-2:] == ["Old inside", "Old bye"]


def test_after_a_restart_that_has_lost_the_version_the_present_one_goes_on_at_the_same_node() -> None:
    brain = on_the_old().successor(versions=Versions({2: NEW}, 2), agents=())
    brain.time.advance(1.5)
    assert brain.heard("c1")[-1] == "New menu"
    assert started(brain, "c1") == [2]


def test_an_agents_transfer_to_a_flow_stays_on_the_version() -> None:
    brain = on_the_old()
    brain.calls.transferred("c1", ToFlow("second", "200"))
    brain.time.advance(0.5)
    assert brain.heard("c1")[-1] == "Old second"
    assert started(brain, "c1") == [1, 1]


def test_a_flow_that_the_old_version_does_not_know_is_met_in_the_live_one() -> None:
    brain = Brain(versions=Versions({1: version("Old", other=False)}, 1), agents=())
    brain.pbx.call("c1")
    brain.time.advance(1.5)
    brain.library.versions = Versions({**brain.library.versions.loaded, 2: NEW}, 2)
    brain.calls.transferred("c1", ToFlow("second", "200"))
    brain.time.advance(0.5)
    assert brain.heard("c1")[-1] == "New second"
    assert started(brain, "c1") == [1, 2]


def test_a_canary_is_met_to_the_end_though_it_is_stopped() -> None:
    brain = Brain(versions=Versions(BOTH, 1, Canary(2, numbers=frozenset({"+15550177"}))), agents=())
    brain.pbx.call("c1", caller="+15550177")
    brain.pbx.call("c2")
    brain.time.advance(1.5)
    brain.library.versions = Versions(BOTH, 1)
    brain.pbx.press("c1", "2")
    brain.time.advance(1.5)
    assert brain.heard("c1")[-2:] == ["New inside", "New bye"]
    assert (started(brain, "c1"), started(brain, "c2")) == ([2], [1])
    assert json.loads(brain.pbx.memories["c1"])["r"] == 2
