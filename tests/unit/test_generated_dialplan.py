"""The dialplan that benches and searches for faults are made with: good, of any size, and quick to judge."""

from __future__ import annotations

from time import process_time

import pytest

from bench.dialplan import bytes_for_each, take_calls
from bench.generated_dialplan import files
from ivr.loader import load_files
from ivr.verbs import VERBS

QUEUES = {"sales", "support"}


@pytest.mark.parametrize("size", [30, 100, 300])
def test_it_loads_without_a_word_at_any_size(size: int) -> None:
    dialplans = load_files(files(size), QUEUES)
    assert dialplans.warnings == ()
    assert [flow.name for flow in dialplans] == ["company", "identify"]
    assert abs(sum(len(flow.nodes) for flow in dialplans) - size) < 25


def test_it_uses_every_verb() -> None:
    used = {node.verb for flow in load_files(files(60), QUEUES) for node in flow.nodes.values()}
    assert used == set(VERBS)


def test_a_thousand_nodes_are_judged_within_a_second() -> None:
    thousand = files(1000)
    load_files(files(50), QUEUES)
    begun = process_time()
    dialplans = load_files(thousand, QUEUES)
    assert process_time() - begun < 1
    assert dialplans.warnings == ()


def test_callers_come_through_it() -> None:
    flow = load_files(files(200), QUEUES).flow_for("100")
    assert flow is not None
    calls = take_calls(flow, 50)
    assert calls.ended == 50
    assert {"say", "menu", "ask", "to_queue"} <= calls.verbs.keys()
    assert 0 < bytes_for_each(flow, 20) < 5000
