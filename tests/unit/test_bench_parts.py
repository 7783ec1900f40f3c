"""The benches' own arithmetic: what they read from the kernel, from SIPp and from the PBX's events."""

from __future__ import annotations

from pathlib import Path

import pytest

from acd.facts import AgentReady
from acd.invariants import violations
from acd.model import WaitingCaller
from acd.orders import MakeOffer, Note
from bench.app_queue import Results, Run, report
from bench.calls import Load, highest
from bench.channel_stats import Flow, flow, parse
from bench.engine import Centre, Measured, cost_ratio
from bench.figures import percentile, table
from bench.observer import Observer
from bench.parity import EVERY_VERB, VERIFY, Compared, first_difference
from bench.parity import report as parity_report
from bench.process import TICK, parse_cpu, parse_machine_cpu, parse_memory
from bench.sipp import read_statistics, render
from bench.talks import Step, Window, gives_first
from bench.walks import walk
from ivr.inputs import CallFacts
from ivr.rehearsal.rehearsal import Rehearsal
from tests.fakes.flow_caller import flow_of


def test_cpu_time_of_a_process_whose_name_has_brackets() -> None:
    stat = "42 (a (b) c) S 1 42 42 0 -1 4194560 9 0 0 0 150 50 7 7 20 0 3 0 99 1 1"
    assert parse_cpu(stat) == pytest.approx(200 * TICK)


def test_cpu_time_of_the_machine_leaves_out_idle_and_waiting() -> None:
    assert parse_machine_cpu("cpu  1 2 4 1000 2000 8 16 32 64 128\ncpu0 1 1\n") == pytest.approx(63 * TICK)


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
    with path.open("a") as file:
        file.write("d\tt\t100.0;d\tt\t104.0;1")  # is being written just now
    assert read_statistics(path) == outcome


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
    who = {"CallerIDNum": "", "ConnectedLineNum": ""}
    return {"Event": name, "Channel": channel, "Uniqueid": channel, "Timestamp": str(at), **who, **more}


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


def test_a_decision_is_a_fact_that_ended_in_an_offer_and_its_time_is_all_of_that_facts() -> None:
    measured = Measured()
    offer = MakeOffer("cb-1", WaitingCaller("c", "q", 0.0), "a", "p", 20)
    measured.add(AgentReady("a"), [Note("agent.state"), offer], 30_000)
    measured.add(AgentReady("b"), [offer, offer], 50_000)
    measured.add(AgentReady("c"), [Note("agent.state")], 20_000)
    assert measured.all == [30_000, 50_000]
    assert measured.rate == pytest.approx(25_000)
    assert measured.rate_with_everything == pytest.approx(20_000)
    assert measured.p99_ms == pytest.approx(0.05)
    slower = Measured({"AgentReady": [60_000]})
    assert cost_ratio(measured, slower) == pytest.approx(1.5)


def test_the_benched_centre_keeps_as_many_waiting_and_both_kinds_of_queue_busy() -> None:
    centre = Centre(agents=200, queues=20, waiting=100, seed=1)
    centre.run(1_000)
    measured = centre.run(1_000)
    in_line = [one for one in centre.engine.lines.callers.values() if one.caller.queue in centre.crowded]
    assert len(in_line) == pytest.approx(100, abs=3)
    assert len(measured.decisions["TimerFired wrap_up"]) > 200, "agents who became free"
    assert len(measured.decisions["TimerFired relax"]) > 10, "callers who demand less"
    assert len(measured.decisions["CallerJoined"]) > 100, "callers who came"
    assert len(measured.decisions["OfferFailed"]) > 10, "second tries"
    assert violations(centre.engine) == []


@pytest.mark.parametrize(
    ("number", "connected"), [("+15551", "100"), ("2001", "+15551")], ids=["originated by us", "dialled by app_queue"]
)
def test_the_observer_measures_from_joining_to_the_first_phone_that_rings(number: str, connected: str) -> None:
    observer = Observer(frozenset({"2001", "2002"}))
    observer.event(_event("Newstate", "PJSIP/demo-caller-00000009", 10.0, ChannelState="6", CallerIDNum="+15551"))
    observer.event(_event("Newstate", "PJSIP/demo-caller-00000010", 10.1, ChannelState="6", CallerIDNum="+155511"))
    who = {"CallerIDNum": number, "ConnectedLineNum": connected}
    for at, agent in ((10.2, "PJSIP/2001-0000000a"), (10.3, "PJSIP/2002-0000000b")):
        observer.event(_event("Newstate", agent, at, ChannelState="5", **who))
    assert observer.rings == [pytest.approx(0.2)]
    observer.clear()
    observer.event(_event("Newstate", "PJSIP/2001-0000000c", 10.4, ChannelState="5", **who))
    assert observer.rings == []


STATS = """
 BridgeId ChannelId ........ UpTime.. Codec.   Count    Lost Pct  Jitter   Count    Lost Pct  Jitter RTT....
 ===========================================================================================================

 00701d13 2009-00000013      00:00:01 ulaw     {agent}       0    0   0.000     {to_agent}       0    0   0.001   0.000
 00701d13 demo-caller-000000 00:00:01 ulaw     {caller}       {lost}    0   0.000     {to_caller}       0    0   0.000   0.000
          demo-caller-000000 00:00:01 ulaw         7       0    0   0.000       0       0    0   0.000   0.000
"""  # noqa: E501 - as the PBX prints it
BEFORE = {"agent": 50, "to_agent": 50, "caller": 50, "to_caller": 50, "lost": 0}
AFTER = {"agent": 550, "to_agent": 550, "caller": 550, "to_caller": 550, "lost": 0}


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, Flow(2, 0.0, 0.0, 0.0)),
        ({"caller": 525, "to_agent": 525, "lost": 25}, Flow(2, 25 / 550, 0.0, 0.0)),
        ({"caller": 450, "to_agent": 450}, Flow(2, 0.0, 0.2, 0.0)),
        ({"to_caller": 500}, Flow(2, 0.0, 0.0, 0.1)),
    ],
    ids=["all is well", "lost on the way", "the phone is late", "not sent on"],
)
def test_how_sound_flows(changed: dict[str, int], expected: Flow) -> None:
    found = flow(parse(STATS.format(**BEFORE)), parse(STATS.format(**{**AFTER, **changed})), seconds=10.0)
    assert (found.streams, found.loss, found.unsent, found.unrelayed) == pytest.approx(
        (expected.streams, expected.loss, expected.unsent, expected.unrelayed)
    )
    assert found.flows is (not changed)


def _step(good: int, sound: Flow, busy: float) -> Step:
    cpu = {"asterisk": 1.2, "service": 0.1, "callers": 0.2, "agents": 0.2, "machine": busy}
    return Step(
        200, good, {"caller FailedX": 200 - good} if good < 200 else {}, [1.0], [1.0], Window(9, cpu, sound, "")
    )


def test_a_step_is_unbroken_when_every_talk_was_good_and_the_sound_flowed() -> None:
    assert _step(200, Flow(400, 0.009, 0.009, 0.009), 1.9).unbroken
    assert not _step(199, Flow(400, 0.0, 0.0, 0.0), 1.9).unbroken
    for sound in (Flow(400, 0.01, 0.0, 0.0), Flow(400, 0.0, 0.01, 0.0), Flow(400, 0.0, 0.0, 0.01)):
        assert not _step(200, sound, 1.9).unbroken
    assert not Step(200, 200, {}, [1.0], [1.0], None).unbroken


def test_what_gives_first_has_a_name() -> None:
    late = gives_first(_step(200, Flow(400, 0.0, 0.2, 0.0), 1.98), 2)
    assert "SIPp" in late
    assert "the CPUs were full (99%)" in late
    assert "3 talks (caller FailedX: 3)" in gives_first(_step(197, Flow(400, 0.0, 0.0, 0.0), 1.0), 2)


def test_the_verdicts_beside_app_queue() -> None:
    def runs(ring: float, delay: float, cpu: float) -> list[Run]:
        return [Run(10, 0, 20.0, cpu, 1.0, [ring] * 10, [delay] * 10)]

    def verdicts(ours: list[Run]) -> list[bool]:
        theirs = runs(3.0, 1.0, 7.0)
        sides = {"app_queue": theirs, "Cordboard": ours}
        text = report(Results(sides, {20.0: sides}, {}))
        return [line.endswith(": met") for line in text.splitlines() if "bar" in line and not line.startswith("|")]

    assert verdicts(runs(8.0, 21.0, 9.0)) == [True, True, True, True]
    assert verdicts(runs(8.1, 21.1, 9.1)) == [False, False, True, False]
    assert verdicts(runs(3.0, 40.1, 1.0)) == [True, False, False, True]


def test_a_walk_is_the_same_for_the_same_seed_and_ends() -> None:
    flow = flow_of(EVERY_VERB, VERIFY, name="every-verb")
    call = CallFacts("+15550142", "", "200", "call-1")
    walks = [walk(Rehearsal(flow, call, 0.0), seed) for seed in range(40)]
    assert walks == [walk(Rehearsal(flow, call, 0.0), seed) for seed in range(40)]
    assert len({one.path for one in walks}) > 10
    assert {one.path[-1] for one in walks} >= {"leave"}
    for one in walks:
        assert [(act.begun, act.ended, act.joined) for act in one.acts] == sorted(
            (act.begun, act.ended, act.joined) for act in one.acts
        )


def test_the_first_step_that_differs_is_named() -> None:
    one = Compared("100", 1, 0, ("a", "b", "c"), ("a", "b", "d"))
    assert not one.same
    assert first_difference(one) == "after a -> b: rehearsed c, really d"
    assert "1 x another way" in parity_report([one], {"100": (1, 2), "200": (0, 2)}, 1.0)
