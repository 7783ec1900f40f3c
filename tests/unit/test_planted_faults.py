"""Faults planted in good dialplans, the whole of the search that `bench.planted_faults` makes."""

from __future__ import annotations

from collections import Counter

import pytest

from bench.faults_of_flows import PLANTS
from bench.planted_faults import BAR, Result, bases, chosen, false_alarms, judged, report, search


@pytest.fixture(scope="module")
def found() -> tuple[list[Result], list[str]]:
    return search(10, seed=1)


def test_nearly_all_are_caught(found: tuple[list[Result], list[str]]) -> None:
    results, _ = found
    missed = [f"{one.fault.category}: {one.fault.what}: {one.said[:3]}" for one in results if not one.caught]
    assert len(results) >= 200
    assert 1 - len(missed) / len(results) >= BAR, missed


def test_no_kind_of_fault_is_hard_to_see(found: tuple[list[Result], list[str]]) -> None:
    planted = Counter(result.fault.category for result in found[0])
    caught = Counter(result.fault.category for result in found[0] if result.caught)
    assert planted.keys() == PLANTS.keys()
    assert [kind for kind in planted if caught[kind] / planted[kind] < 0.8] == []


def test_nothing_is_said_of_the_good_ones(found: tuple[list[Result], list[str]]) -> None:
    assert found[1] == []


def test_a_fault_that_is_not_there_is_not_caught() -> None:
    """What counts is a finding about the fault: the good file itself never passes for one that was planted."""
    base = bases()[0]
    for _, fault in chosen([base], 1, seed=1):
        files, lines = base.planted(fault)
        assert files != base.text
        assert lines
    results = [judged(base, fault) for _, fault in chosen([base], 1, seed=1)]
    assert all(result.said for result in results if result.caught)
    assert "Caught: " in report(results, false_alarms([base]))
