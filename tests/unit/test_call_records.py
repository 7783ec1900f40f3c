"""The call record as a fold of the call's events."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from cordboard.events import Event
from cordboard.records import FOLDS, KEPT, OPENING, CallRecord, CallRecords


def fold(*steps: tuple[float, str, dict[str, Any]], records: CallRecords | None = None) -> list[CallRecord]:
    """`agent` and `queue` in the data become the event's, as the journal does."""
    records = records if records is not None else CallRecords()
    closed = []
    for seq, (at, kind, data) in enumerate(steps, start=1):
        record = records.apply(Event(seq, at, kind, "c", data.get("agent"), data.get("queue"), data))
        if record is not None:
            closed.append(record)
    return closed


ARRIVED = (0.0, "call.arrived", {"caller": "+34600", "name": "Ana", "dialled": "100", "origin": "public"})


def test_a_whole_call() -> None:
    assert fold(
        ARRIVED,
        (0.2, "call.answered", {}),
        (0.3, "flow.started", {"flow": "main", "version": "7", "language": "es"}),
        (0.4, "prompt.started", {"language": "en"}),
        (5.0, "queue.joined", {"queue": "sales", "position": 1}),
        (6.0, "offer.made", {"agent": "1001", "offer": "o1"}),
        (21.0, "offer.failed", {"agent": "1001", "reason": "no_answer"}),
        (21.5, "offer.made", {"agent": "1002", "offer": "o2"}),
        (25.0, "talk.started", {"agent": "1002"}),
        (25.0, "queue.left", {"queue": "sales", "reason": "answered"}),
        (85.0, "talk.ended", {"agent": "1002", "ended_by": "agent"}),
        (90.0, "call.ended", {"outcome": "talked", "ended_by": "caller", "cause": 16}),
    ) == [
        CallRecord(
            "c",
            arrived_at=0.0,
            origin="public",
            caller_number="+34600",
            caller_name="Ana",
            dialled="100",
            flow="main",
            flow_version="7",
            language="en",
            answered_at=0.2,
            queue="sales",
            queued_at=5.0,
            offers=2,
            agent="1002",
            talk_started_at=25.0,
            talk_ended_at=85.0,
            ended_at=90.0,
            wait_s=20.0,
            talk_s=60.0,
            outcome="talked",
            ended_by="caller",
            cause=16,
        )
    ]


def test_a_caller_who_hangs_up_while_waiting_has_waited_until_then() -> None:
    (record,) = fold(ARRIVED, (5.0, "queue.joined", {"queue": "sales"}), (12.5, "call.ended", {}))
    assert record.wait_s == 7.5
    assert record.talk_started_at is None


def test_a_talk_that_the_end_of_the_call_ends() -> None:
    (record,) = fold(ARRIVED, (5.0, "talk.started", {"agent": "1001"}), (12.5, "call.ended", {}))
    assert (record.talk_s, record.talk_ended_at) == (7.5, 12.5)


def test_two_queues_and_two_talks_add_up() -> None:
    (record,) = fold(
        ARRIVED,
        (1.0, "queue.joined", {"queue": "sales"}),
        (4.0, "queue.left", {"reason": "timeout"}),
        (10.0, "queue.joined", {"queue": "support"}),
        (15.0, "talk.started", {"agent": "1001"}),
        (20.0, "talk.ended", {}),
        (30.0, "talk.started", {"agent": "1002"}),
        (33.0, "talk.ended", {}),
        (40.0, "call.ended", {}),
    )
    assert (record.queue, record.queued_at, record.wait_s) == ("support", 10.0, 8.0)
    assert (record.agent, record.talk_started_at, record.talk_ended_at, record.talk_s) == ("1002", 15.0, 33.0, 8.0)


def test_a_restart_does_not_shorten_a_wait_or_a_talk() -> None:
    (record,) = fold(
        ARRIVED,
        (1.0, "queue.joined", {"queue": "sales"}),
        (50.0, "call.recovered", {"caller": "", "phase": "queue"}),
        (50.0, "queue.joined", {"queue": "sales", "position": 1}),
        (60.0, "talk.started", {"agent": "1001"}),
        (70.0, "call.recovered", {}),
        (70.0, "talk.started", {"agent": "1001"}),
        (80.0, "call.ended", {}),
    )
    assert (record.queued_at, record.wait_s, record.talk_s) == (1.0, 59.0, 20.0)
    assert record.recovered
    assert record.caller_number == "+34600"


def test_a_call_found_without_its_past_is_recorded_too() -> None:
    recovered = (50.0, "call.recovered", {"caller": "+34600", "name": "", "dialled": "100", "origin": "public"})
    (record,) = fold(recovered, (60.0, "call.ended", {"outcome": "talked"}))
    assert (record.arrived_at, record.caller_number, record.recovered) == (50.0, "+34600", True)


def test_the_record_of_a_live_call_can_be_looked_at() -> None:
    records = CallRecords()
    fold(ARRIVED, (5.0, "queue.joined", {"queue": "sales"}), records=records)
    live = records.get("c")
    assert live is not None
    assert (live.queue, live.ended_at) == ("sales", None)
    assert records.get("d") is None


def test_what_is_noted_after_the_end_opens_nothing() -> None:
    records = CallRecords()
    closed = fold(
        ARRIVED, (1.0, "call.ended", {}), (1.1, "offer.withdrawn", {}), (2.0, "call.ended", {}), records=records
    )
    assert len(closed) == 1
    assert len(records) == 0


def test_events_of_no_call_change_nothing() -> None:
    records = CallRecords()
    assert records.apply(Event(1, 0.0, "link.up", None, None, None, {})) is None
    assert len(records) == 0


@given(
    st.lists(
        st.tuples(
            st.sampled_from([*sorted(FOLDS), *sorted(OPENING), "call.ended", "key.pressed"]),
            st.sampled_from(["a", "b"]),
            st.floats(0, 10),
        ),
        max_size=60,
    )
)
def test_whatever_comes_a_call_is_closed_once_for_each_opening(steps: list[tuple[str, str, float]]) -> None:
    records = CallRecords()
    open_calls: set[str] = set()
    now = 0.0
    for seq, (kind, call_id, later) in enumerate(steps, start=1):
        now += later
        record = records.apply(Event(seq, now, kind, call_id, None, None, {}))
        assert (record is not None) == (kind == "call.ended" and call_id in open_calls)
        if kind in OPENING:
            open_calls.add(call_id)
        elif kind == "call.ended":
            open_calls.discard(call_id)
        if record is not None:
            assert record.ended_at == now
            assert 0 <= record.wait_s <= now - record.arrived_at + 0.05
            assert 0 <= record.talk_s <= now - record.arrived_at + 0.05
    assert set(records) == open_calls


SOLD = (40.0, "call.disposition", {"agent": "1001", "queue": "sales", "code": "sold"})
NONE = (99.0, "call.disposition", {"agent": "1001", "queue": "sales", "code": "none_given"})
TALK = (5.0, "talk.started", {"agent": "1001"})
END = (30.0, "call.ended", {"outcome": "talked"})


def test_what_the_talk_led_to_is_told_in_the_talk_or_after_the_end() -> None:
    (record,) = fold(ARRIVED, TALK, SOLD, END)
    assert record.disposition == "sold"
    first, second = fold(ARRIVED, TALK, END, SOLD)
    assert first is second
    assert second.disposition == "sold"
    assert second.ended_at == 30.0


def test_none_given_does_not_take_the_place_of_what_was() -> None:
    assert fold(ARRIVED, TALK, END, NONE)[-1].disposition == "none_given"
    assert fold(ARRIVED, TALK, END, SOLD, NONE)[-1].disposition == "sold"
    assert fold(ARRIVED, TALK, NONE, SOLD, END)[-1].disposition == "sold"


def test_a_call_that_nobody_talked_in_or_knows_hears_of_no_disposition() -> None:
    assert len(fold(ARRIVED, END, SOLD)) == 1
    assert fold(SOLD) == []


def test_only_so_many_closed_records_are_kept() -> None:
    records = CallRecords()
    for number in range(KEPT + 5):
        for at, kind, data in (ARRIVED, TALK, END):
            records.apply(Event(1, at, kind, f"c{number}", "1001", None, data))
    assert records.apply(Event(1, 40.0, "call.disposition", "c4", "1001", "sales", {"code": "sold"})) is None
    assert records.apply(Event(1, 40.0, "call.disposition", "c5", "1001", "sales", {"code": "sold"})) is not None
