"""Figures folded from the event log: what counts, where it counts, and which formula says what."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cordboard.events import Event
from cordboard.figures.catalogue import AGENT_FIGURES, QUEUE_FIGURES, document, figures_of
from cordboard.figures.fold import FOLDS, Fold, Thresholds
from cordboard.figures.histogram import Histogram
from cordboard.figures.intervals import Intervals
from cordboard.figures.promises import Promises
from cordboard.figures.reading import catch_up, read
from cordboard.figures.tally import AgentTally, QueueTally
from cordboard.figures.today import Today
from tests.fakes.event_log import EventLog

DOC = Path(__file__).parents[2] / "docs" / "figures.md"
WHOLE = Intervals([0.0, 10_000.0])


def folded(log: EventLog, intervals: Intervals = WHOLE, until: float = 10_000.0) -> Fold:
    fold = Fold(intervals)
    for event in log.events:
        fold.apply(event)
    fold.until(until)
    return fold


def of_queue(fold: Fold, name: str = "sales", interval: int = 0) -> dict[str, Any]:
    tally = fold.queues.get((interval, name), QueueTally())
    return {figure.name: figure.value for figure in figures_of(tally, QUEUE_FIGURES, Thresholds())}


def of_agent(fold: Fold, name: str = "1001", interval: int = 0) -> dict[str, Any]:
    tally = fold.agents.get((interval, name), AgentTally())
    return {figure.name: figure.value for figure in figures_of(tally, AGENT_FIGURES, Thresholds())}


def a_hundred_calls() -> EventLog:
    """85 answered, 70 of them within 20 s; 15 hung up: 5 within 5 s, 4 more within 20 s, 6 later."""
    log = EventLog()
    waits = [(10.0, "answered")] * 70 + [(40.0, "answered")] * 15
    waits += [(3.0, "abandoned")] * 5 + [(12.0, "abandoned")] * 4 + [(60.0, "abandoned")] * 6
    for n, (waited, reason) in enumerate(waits):
        log.wait(f"c-{n}", float(n), waited, reason)
    return log


def test_four_service_levels_of_the_same_hundred_calls() -> None:
    figures = of_queue(folded(a_hundred_calls()))
    assert [figures[name] for name in ("offered", "answered", "abandoned", "abandoned_short")] == [100, 85, 15, 5]
    levels = {name: f"{value:.1%}" for name, value in figures.items() if name.startswith("service_level")}
    assert levels == {
        "service_level_offered": "70.0%",
        "service_level_without_short": "73.7%",
        "service_level_abandoned_served": "79.0%",
        "service_level_answered": "82.4%",
    }


def test_every_service_level_carries_its_formula() -> None:
    figures = figures_of(QueueTally(), QUEUE_FIGURES, Thresholds(within_s=30, short_s=2))
    formulas = [figure.formula for figure in figures if figure.name.startswith("service_level")]
    assert formulas == [
        "answered within 30 s / offered",
        "answered within 30 s / (offered - abandoned before 2 s)",
        "(answered within 30 s + abandoned within 30 s) / offered",
        "answered within 30 s / answered",
    ]


def test_waits() -> None:
    log = EventLog()
    for n, waited in enumerate((2.04, 4.0, 6.0, 8.0, 100.0)):
        log.wait(f"c-{n}", 10.0, waited, "answered")
    log.wait("gone", 10.0, 200.0, "abandoned")
    figures = of_queue(folded(log))
    assert figures["average_wait_s"] == 24.008
    assert figures["wait_median_s"] == pytest.approx(6.0, abs=0.1)
    assert figures["wait_80_s"] == pytest.approx(8.0, abs=0.1)
    assert figures["wait_95_s"] == pytest.approx(100.0, rel=0.01)
    assert figures["longest_wait_s"] == 200.0
    assert figures["abandonment_rate"] == pytest.approx(1 / 6, abs=1e-6)


def test_nothing_is_divided_by_nothing() -> None:
    values = of_queue(folded(EventLog()))
    assert values["offered"] == values["longest_wait_s"] == 0
    assert {values[name] for name in values if "service_level" in name or name.startswith("average")} == {None}
    assert of_agent(folded(EventLog()))["occupancy"] is None


@pytest.mark.parametrize(
    ("reason", "figure"),
    [
        ("timeout", "overflowed_timeout"),
        ("full", "overflowed_full"),
        ("empty", "overflowed_empty"),
        ("too_long", "overflowed_too_long"),
        ("by_key", "overflowed_by_key"),
        ("unavailable", "overflowed"),
        ("fallback", "interrupted"),
        ("stopped", "interrupted"),
    ],
)
def test_how_a_wait_can_end_otherwise(reason: str, figure: str) -> None:
    log = EventLog()
    log.wait("c-1", 5.0, 30.0, reason)
    figures = of_queue(folded(log))
    assert figures["offered"] == figures[figure] == 1
    assert figures["answered"] == figures["abandoned"] == 0


def test_a_wait_whose_end_nobody_saw_is_interrupted() -> None:
    log = EventLog()
    log.note(5.0, "queue.joined", "c-1", queue="sales")
    log.note(50.0, "call.ended", "c-1", outcome="unseen")
    assert of_queue(folded(log))["interrupted"] == 1


def test_a_wait_told_again_after_a_restart_goes_on() -> None:
    log = EventLog()
    log.note(5.0, "queue.joined", "c-1", queue="sales")
    log.note(65.0, "queue.joined", "c-1", queue="sales")
    log.note(105.0, "queue.left", "c-1", queue="sales", reason="answered")
    figures = of_queue(folded(log))
    assert (figures["joined"], figures["average_wait_s"]) == (1, 100.0)


def test_a_call_in_two_queues_is_offered_to_both() -> None:
    log = EventLog()
    log.wait("c-1", 5.0, 30.0, "timeout", "sales")
    log.wait("c-1", 40.0, 10.0, "answered", "help")
    fold = folded(log)
    assert of_queue(fold, "sales")["overflowed"] == of_queue(fold, "help")["answered"] == 1


def test_a_wait_counts_where_it_ended() -> None:
    log = EventLog()
    log.wait("c-1", 90.0, 30.0, "answered")
    fold = folded(log, Intervals([0.0, 100.0, 200.0]))
    assert [of_queue(fold, interval=n)["joined"] for n in (0, 1)] == [1, 0]
    assert [of_queue(fold, interval=n)["offered"] for n in (0, 1)] == [0, 1]
    assert of_queue(fold, interval=1)["average_wait_s"] == 30.0


def test_handling_is_talk_hold_and_wrap_up() -> None:
    log = EventLog()
    log.state(0.0, "1001", "ready")
    log.talk("c-1", "1001", 10.0, 100.0, wrap_up_s=20.0)
    log.note(30.0, "talk.held", "c-1", "1001", "sales", offer="leg-c-1")
    log.note(45.0, "talk.resumed", "c-1", "1001", "sales", offer="leg-c-1")
    log.talk("c-2", "1001", 200.0, 50.0)
    fold = folded(log)
    for figures in (of_queue(fold), of_agent(fold)):
        assert figures["handled"] == 2
        assert figures["average_talk_s"] == (85 + 50) / 2
        assert figures["average_hold_s"] == 7.5
        assert figures["average_wrap_up_s"] == 10.0
        assert figures["average_handling_s"] == 85.0


def test_a_hold_that_the_end_of_the_talk_ends() -> None:
    log = EventLog()
    log.talk("c-1", "1001", 10.0, 100.0)
    log.note(90.0, "talk.held", "c-1", "1001", "sales", offer="leg-c-1")
    figures = of_queue(folded(log))
    assert (figures["average_talk_s"], figures["average_hold_s"]) == (80.0, 20.0)


def test_occupancy_and_utilisation() -> None:
    log = EventLog()
    log.state(0.0, "1001", "ready")
    log.talk("c-1", "1001", 100.0, 200.0, wrap_up_s=100.0)
    log.state(500.0, "1001", "not_ready")
    log.state(900.0, "1001", "logged_out")
    figures = of_agent(folded(log))
    assert figures["logged_in_s"] == 900.0
    assert figures["not_ready_s"] == 400.0
    assert figures["occupancy"] == 0.6
    assert figures["utilisation"] == pytest.approx(1 / 3, abs=1e-6)


def test_times_of_agents_are_cut_at_the_borders() -> None:
    log = EventLog()
    log.state(50.0, "1001", "ready")
    log.state(250.0, "1001", "not_ready")
    fold = folded(log, Intervals([0.0, 100.0, 200.0, 300.0]), until=280.0)
    assert [of_agent(fold, interval=n)["logged_in_s"] for n in range(3)] == [50.0, 100.0, 80.0]
    assert of_agent(fold, interval=2)["not_ready_s"] == 30.0


def test_rings_that_nobody_answered() -> None:
    log = EventLog()
    for reason in ("no_answer", "busy", "no_answer"):
        log.note(5.0, "offer.failed", "c-1", "1001", "sales", offer="leg", reason=reason)
    assert of_agent(folded(log))["ring_no_answers"] == 2


def test_promises_are_compared_with_what_became_of_them() -> None:
    log = EventLog()
    for n, waited in enumerate((10.0, 50.0, 59.0, 70.0)):
        log.wait(f"c-{n}", 0.0, waited, "answered", wait_s=60.0)
    log.wait("nothing expected", 0.0, 10.0, "answered")
    figures = of_queue(folded(log))
    assert (figures["promises"], figures["promises_kept"]) == (4, 0.75)


def test_who_hangs_up_is_neither_a_promise_kept_nor_one_broken() -> None:
    """Of those who wait on, half are answered in the first half of the promise and the rest never within it."""
    promises = Promises()
    for _ in range(40):
        promises.add(100.0, 10.0, answered=True)
    for _ in range(20):
        promises.add(100.0, 60.0, answered=False)
    for _ in range(20):
        promises.add(100.0, 200.0, answered=True)
    assert promises.kept == pytest.approx(0.5)


def test_nobody_shows_whether_a_promise_is_kept_who_left_before() -> None:
    promises = Promises()
    promises.add(100.0, 10.0, answered=False)
    assert (len(promises), promises.kept) == (1, None)


@given(st.lists(st.floats(0, 100_000), min_size=1, max_size=60), st.sampled_from([0.5, 0.8, 0.95]))
def test_quantiles_are_right_to_a_class(values: list[float], share: float) -> None:
    histogram = Histogram()
    for value in values:
        histogram.add(value)
    exact = sorted(values)[max(0, -int(-share * len(values) // 1) - 1)]
    found = histogram.quantile(share)
    assert found is not None
    assert abs(found - exact) <= max(0.051, 0.0051 * exact)


# Live and afterwards


MOMENTS = st.floats(0, 1000).map(lambda at: round(at, 3))
CALLS = st.lists(
    st.tuples(
        MOMENTS,
        st.floats(0, 300),
        st.sampled_from(["answered", "abandoned", "timeout", "full", "stopped", "too_long"]),
        st.sampled_from(["sales", "help"]),
        st.sampled_from(["1001", "1002"]),
        st.floats(0, 200),
        st.sampled_from([0.0, 7.5]),
    ),
    max_size=25,
)


def a_day(calls: list[Any]) -> list[Event]:
    log = EventLog()
    for n, (at, waited, reason, queue, agent, talk_s, wrap_up_s) in enumerate(calls):
        log.wait(f"c-{n}", at, waited, reason, queue, wait_s=100.0)
        if reason == "answered":
            log.talk(f"c-{n}", agent, at + waited, talk_s, wrap_up_s, queue)
    return log.events


@given(CALLS, st.sets(MOMENTS, max_size=5), st.integers(1, 7))
def test_what_grows_live_is_what_the_log_says(calls: list[Any], borders: set[float], look_every: int) -> None:
    """Folded while looked at now and then, in any intervals: the same, and the intervals add up to the whole."""
    events = a_day(calls)
    batch = Fold(WHOLE)
    for event in events:
        batch.apply(event)
    batch.until(5000.0)
    live = Fold(Intervals(sorted({0.0, *borders, 10_000.0})))
    for n, event in enumerate(events):
        live.apply(event)
        if n % look_every == 0:
            live.until(event.at)
    live.until(5000.0)
    queues: dict[str, QueueTally] = {}
    agents: dict[str, AgentTally] = {}
    for (_, name), queue in live.queues.items():
        queues.setdefault(name, QueueTally()).__iadd__(queue)
    for (_, name), agent in live.agents.items():
        agents.setdefault(name, AgentTally()).__iadd__(agent)
    assert queues == {name: tally for (_, name), tally in batch.queues.items()}
    assert agents == {name: tally for (_, name), tally in batch.agents.items()}


DAY_S = 500.0


def day(at: float) -> tuple[float, float]:
    begin = at // DAY_S * DAY_S
    return begin, begin + DAY_S


@given(CALLS, st.integers(0, 60))
async def test_today_after_a_restart_is_what_it_would_have_been(calls: list[Any], before: int) -> None:
    events = a_day(calls)
    steady = Today(0.0, day, Thresholds())
    await catch_up(EventLog(), steady, 0)
    for event in events:
        steady.note(event)
    seen = events[:before]
    restarted = Today(seen[-1].at if seen else 0.0, day, Thresholds())
    for event in events[before : before + 3]:
        restarted.note(event)  # while the log is still being read
    assert restarted.queue("sales", 0.0)["offered"] is None
    await catch_up(Written(seen), restarted, len(seen))
    for event in events[before + 3 :]:
        restarted.note(event)
    now = events[-1].at if events else 0.0
    for queue in ("sales", "help"):
        assert restarted.queue(queue, now) == steady.queue(queue, now)


class Written(EventLog):
    """A log that has been written already."""

    def __init__(self, events: list[Event]) -> None:
        super().__init__()
        self._written = events

    @property
    def events(self) -> list[Event]:
        return self._written


async def test_today_as_the_live_view_shows_it() -> None:
    today = Today(0.0, lambda _at: (0.0, 1000.0), Thresholds())
    await catch_up(EventLog(), today, 0)
    for event in a_hundred_calls().events:
        today.note(event)
    assert today.queue("sales", 500.0) == {
        "offered": 100,
        "answered": 85,
        "abandoned": 15,
        "average_wait_s": 15.294,
        "service_level": 0.7,
        "service_level_formula": "answered within 20 s / offered",
    }
    assert today.queue("help", 500.0)["offered"] == 0


async def test_a_new_day_begins_with_nothing_though_nothing_happens() -> None:
    today = Today(0.0, day, Thresholds())
    await catch_up(EventLog(), today, 0)
    log = EventLog()
    log.wait("c-1", 100.0, 30.0, "answered")
    for event in log.events:
        today.note(event)
    assert today.queue("sales", 499.0)["offered"] == 1
    assert today.queue("sales", 501.0)["offered"] == 0


async def test_a_wait_over_midnight_counts_today() -> None:
    log = EventLog()
    log.wait("c-1", 490.0, 30.0, "answered")
    fold = await read(log, Intervals([500.0, 1000.0]), Thresholds(), 1000.0)
    assert of_queue(fold)["average_wait_s"] == 30.0


# Documents


def test_the_document_has_every_figure_with_its_formula() -> None:
    assert DOC.read_text(encoding="utf-8").partition("<!-- generated -->\n\n")[2] == document()


def test_sources_are_kinds_that_are_folded() -> None:
    named = {kind for one in (*QUEUE_FIGURES.values(), *AGENT_FIGURES.values()) for kind in one.sources}
    assert named == FOLDS.keys()


# Surveys


def answered(log: EventLog, at: float, call: str, type_: str, score: int, agent: str | None, queue: str | None) -> None:
    data = {"survey": "after", "question": f"the-{type_}", "type": type_, "score": score}
    log.note(at, "survey.answered", call, agent=agent, queue=queue, **data)


def test_what_callers_answer_counts_for_their_queue_and_agent() -> None:
    log = EventLog()
    for number, (agent, queue, content, recommends, easy) in enumerate(
        (
            ("1001", "sales", 5, 10, 7),
            ("1001", "sales", 3, 6, 4),
            ("1002", "sales", 4, 8, 1),
            ("1002", "support", 1, 0, 2),
        )
    ):
        for type_, score in (("csat", content), ("nps", recommends), ("ces", easy)):
            answered(log, 10.0 * number, f"c-{number}", type_, score, agent, queue)
    answered(log, 50.0, "c-9", "csat", 5, None, None)
    fold = folded(log)
    sales, first = of_queue(fold), of_agent(fold)
    assert (sales["csat_answers"], sales["csat"], sales["csat_mean"]) == (3, 0.666667, 4.0)
    assert (sales["nps_answers"], sales["nps"]) == (3, 0.0)
    assert (sales["ces_answers"], sales["ces_mean"]) == (3, 4.0)
    assert (first["csat"], first["nps"], first["ces_mean"]) == (0.5, 0.0, 5.5)
    assert of_queue(fold, "support")["nps"] == -100.0


def test_who_is_asked_again_in_the_same_call_counts_once() -> None:
    log = EventLog()
    answered(log, 10.0, "c-1", "csat", 1, "1001", "sales")
    answered(log, 20.0, "c-1", "csat", 5, "1001", "sales")
    log.note(30.0, "call.ended", "c-1")
    answered(log, 40.0, "c-2", "csat", 5, "1001", "sales")
    for figures in (of_queue(folded(log)), of_agent(folded(log))):
        assert (figures["csat_answers"], figures["csat"], figures["csat_mean"]) == (2, 1.0, 5.0)


def test_answers_add_up_over_intervals() -> None:
    log = EventLog()
    answered(log, 10.0, "c-1", "nps", 10, "1001", "sales")
    answered(log, 6_000.0, "c-2", "nps", 2, "1001", "sales")
    fold = folded(log, Intervals([0.0, 5_000.0, 10_000.0]))
    assert [of_queue(fold, interval=n)["nps"] for n in (0, 1)] == [100.0, -100.0]
    both = fold.queues[0, "sales"]
    both += fold.queues[1, "sales"]
    assert dict(both.nps) == {10: 1, 2: 1}
