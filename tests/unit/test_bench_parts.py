"""The benches' own arithmetic: what they read from the kernel, from SIPp and from the PBX's events."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.calls import Load, highest
from bench.figures import percentile, table
from bench.observer import Observer
from bench.process import TICK, parse_cpu, parse_memory
from bench.sipp import read_statistics, render


def test_cpu_time_of_a_process_whose_name_has_brackets() -> None:
    stat = "42 (a (b) c) S 1 42 42 0 -1 4194560 9 0 0 0 150 50 7 7 20 0 3 0 99 1 1"
    assert parse_cpu(stat) == pytest.approx(200 * TICK)


def test_memory_that_nobody_shares() -> None:
    rollup = "00400000-7ffd [rollup]\nRss:    900 kB\nPss:   500 kB\nPrivate_Clean: 100 kB\nPrivate_Dirty: 300 kB\n"
    assert parse_memory(rollup) == {"Rss": 900 * 1024, "Pss": 500 * 1024, "Private": 400 * 1024}


@pytest.mark.parametrize(("share", "expected"), [(0.5, 50), (0.99, 99), (1.0, 100), (0.0, 1)])
def test_percentiles_are_values_that_occurred(share: float, expected: int) -> None:
    assert percentile(range(1, 101), share) == expected


def test_a_table_is_markdown() -> None:
    assert table(("what", "ms"), [("ours", "1")]) == "| what | ms |\n| --- | ---: |\n| ours | 1 |"


def test_statistics_of_sipp(tmp_path: Path) -> None:
    columns = "StartTime;CurrentTime;TotalCallCreated;SuccessfulCall(C);FailedCall(C);FailedTimeoutOnRecv(C);FailedX(C)"
    lines = [(101.0, 6, 1, 0), (102.0, 10, 5, 0), (103.0, 10, 9, 1)]
    rows = [f"d\tt\t100.0;d\tt\t{at};{created};{good};{bad};{bad};0" for at, created, good, bad in lines]
    path = tmp_path / "statistics.csv"
    path.write_text("\n".join([columns, *rows]) + "\n")
    outcome = read_statistics(path)
    assert (outcome.good, outcome.failed, outcome.reasons) == (9, 1, {"FailedTimeoutOnRecv": 1})
    assert outcome.seconds == pytest.approx(2.0)  # when the last call was placed, not when it ended
    assert outcome.rate == pytest.approx(5.0)


def test_a_rate_counts_when_every_call_was_good_and_placed_in_time() -> None:
    loads = [
        Load(60, 480, 0, 59.5, 5.0, 1.0, {}),
        Load(90, 719, 1, 90.0, 5.0, 1.0, {}),
        Load(80, 640, 0, 70.0, 5.0, 1.0, {}),  # the caller itself did not keep up
    ]
    assert highest(loads) == 60


@pytest.mark.parametrize("then", ["press_one", "queue", "leave"])
def test_scenarios_are_complete(tmp_path: Path, then: str) -> None:
    text = render("caller", tmp_path, then, key_after=500, patience=1, stay=1).read_text()
    assert "${" not in text
    assert text.rstrip().endswith("</scenario>")


def _event(name: str, channel: str, at: float, **more: str) -> dict[str, str]:
    return {"Event": name, "Channel": channel, "Uniqueid": channel, "Timestamp": str(at), **more}


@pytest.mark.parametrize("agent_first", [True, False])
def test_the_observer_measures_from_answer_to_the_second_in_the_bridge(*, agent_first: bool) -> None:
    observer = Observer(frozenset({"2001"}))
    agent, caller = "PJSIP/2001-0000000a", "PJSIP/demo-caller-00000009"
    observer.event(_event("Newstate", agent, 10.0, ChannelState="5"))
    observer.event(_event("Newstate", caller, 10.5, ChannelState="6"))
    observer.event(_event("Newstate", agent, 11.0, ChannelState="6"))
    for number, channel in enumerate((agent, caller) if agent_first else (caller, agent), start=1):
        bridge = {"BridgeUniqueid": "b", "BridgeNumChannels": str(number)}
        observer.event(_event("BridgeEnter", channel, 11.0 + number / 100, **bridge))
    assert observer.delays == [pytest.approx(0.02)]
