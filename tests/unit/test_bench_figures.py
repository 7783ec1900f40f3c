"""The benches of figures and of the expected wait: that they measure what they say."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

import bench.expected_wait
import bench.report


async def test_a_day_is_written_read_and_folded(tmp_path: Path) -> None:
    found = await bench.report.measure(tmp_path, 40)
    assert found["events"] == len(list(bench.report.a_day(40)))


@pytest.mark.parametrize("case", bench.expected_wait.CASES, ids=lambda case: case.name)
def test_every_load_of_the_expected_wait_can_be_played(case: bench.expected_wait.Case) -> None:
    agents = [agent.id for agent in case.agents]
    assert len(agents) == len(set(agents))
    calls_per_h = sum(stream.calls_per_h for stream in case.streams)
    short = replace(case, hours=400 / calls_per_h)
    result, rows = bench.expected_wait.measure(short, 1)
    assert all(len(row) == len(bench.expected_wait.HEADS) for row in rows)
    assert result["queues"].keys() == {stream.queue for stream in case.streams}
