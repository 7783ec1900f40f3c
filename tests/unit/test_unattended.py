"""What the PBX's own lines say about a call, however odd they are."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cordboard.events import Event
from cordboard.records import IMPORTED, CallRecord, CallRecords
from cordboard.unattended import LONGEST_LINE, UnattendedCall, read_calls
from pbx.facts import Origin

AGENTS = {"1001": None}
PHONE, CUSTOMER = "PJSIP/1001-0000002a", "PJSIP/demo-caller-00000001"


def line(
    call_id: str = "node-1700000000.1",
    sequence: int = 0,
    start: str = "1700000000.000000",
    answer: str = "1700000001.500000",
    end: str = "1700000009.250000",
    caller: str = "+15550100001",
    dialled: str = "100",
    served_by: str = "",
    channel: str = CUSTOMER,
) -> str:
    """As cdr_custom.conf has it: texts in quotes, quotes doubled."""

    def quoted(text: str) -> str:
        return '"' + text.replace('"', '""') + '"'

    texts = (quoted(caller), quoted(dialled), '"Record","ANSWERED"', quoted(served_by), quoted(channel))
    return ",".join((quoted(call_id), str(sequence), start, answer, end, *texts)) + "\n"


def lines_of(text: str) -> io.StringIO:
    """As from a file: cut at line feeds, and nowhere else."""
    return io.StringIO(text, newline="\n")


CALL = UnattendedCall(
    "node-1700000000.1",
    1700000000.0,
    1700000001.5,
    1700000009.25,
    "+15550100001",
    "100",
    "demo-caller",
    fallback=False,
)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([line()], CALL),
        ([line(served_by="fallback")], replace(CALL, fallback=True)),
        ([line(served_by="somebody")], CALL),
        ([line(answer="0.000000")], replace(CALL, answered_at=None)),
        ([line(), line()], CALL),
        (
            [
                line(end="1700000005.000000", answer="0.000000"),
                line(
                    sequence=1,
                    start="1700000005.000000",
                    answer="1700000006.000000",
                    end="1700000007.000000",
                    caller="x",
                ),
                line(sequence=2, start="1700000007.000000", answer="1700000007.000000", served_by="fallback"),
            ],
            replace(CALL, answered_at=1700000006.0, fallback=True),
        ),
        ([line(end="1600000000.000000")], replace(CALL, ended_at=CALL.arrived_at)),
        ([line(caller='a,"b"')], replace(CALL, caller='a,"b"')),
        ([line(caller="")], replace(CALL, caller="")),
        ([line(caller="1\n2\x00\u20283")], replace(CALL, caller="123")),
        ([line(channel="")], replace(CALL, endpoint="")),
    ],
    ids=[
        *("whole", "fallback", "served by another", "never answered", "told twice", "three parts", "clock set back"),
        *("quotes and commas", "anonymous", "control characters", "no channel"),
    ],
)
def test_lines_become_one_call(rows: list[str], expected: UnattendedCall) -> None:
    for order in (rows, rows[::-1]):
        reading = read_calls(lines_of("".join(order)))
        assert reading.damaged == 0
        assert reading.calls == {expected.call_id: expected}


@pytest.mark.parametrize(
    "row",
    [
        "no line of ours\n",
        line()[:40],
        line().rstrip('"\n') + "\n",
        line(call_id=""),
        line(call_id="../../etc/passwd"),
        line(start="0.000000"),
        line(end=""),
        line(end="0.000000"),
        line(start="nan"),
        line(answer="1e9"),
        line(answer="-1.000000"),
        line(answer="١.٠"),
        line().rstrip("\n") + ',"more"\n',
        '"' + "x" * 200_000 + '"\n',
    ],
)
def test_a_line_that_cannot_be_believed_is_counted_and_spoils_no_other(row: str) -> None:
    good = [line(call_id=f"good.{number}") for number in range(3)]
    text = "".join([good[0], row if row.endswith("\n") else f"{row}\n", *good[1:]])
    reading = read_calls(lines_of(text))
    assert reading.damaged == 1
    assert list(reading.calls) == ["good.0", "good.1", "good.2"]


def test_a_line_that_was_cut_off_at_the_end_is_counted() -> None:
    reading = read_calls(lines_of(line(call_id="whole") + line(call_id="cut")[:70]))
    assert (reading.damaged, list(reading.calls)) == (1, ["whole"])


def test_a_caller_number_cannot_forge_a_line() -> None:
    forged = "1\n" + line(call_id="forged", served_by="fallback")
    reading = read_calls(lines_of(line(caller=forged)))
    assert reading.damaged == 0
    assert list(reading.calls) == [CALL.call_id]


def test_a_quote_that_is_never_closed_is_looked_for_within_a_bound() -> None:
    filler = "".join(line(call_id=f"c.{number}") for number in range(2 * LONGEST_LINE // len(line())))
    reading = read_calls(lines_of('"open\n' + filler))
    assert reading.damaged == 1
    assert len(reading.calls) == filler.count("\n")


@pytest.mark.parametrize(
    ("channel", "dialled", "origin", "feature_call"),
    [
        (CUSTOMER, "100", Origin.PUBLIC, False),
        (CUSTOMER, "*45", Origin.PUBLIC, False),
        (PHONE, "100", Origin.AGENT, False),
        (PHONE, "*45", Origin.AGENT, True),
    ],
)
def test_whose_call_it_was(channel: str, dialled: str, origin: Origin, feature_call: bool) -> None:
    (call,) = read_calls([line(channel=channel, dialled=dialled)]).calls.values()
    assert call.origin(AGENTS) is origin
    assert call.is_feature_call(AGENTS) is feature_call


@pytest.mark.parametrize(("served_by", "outcome"), [("fallback", "fallback"), ("", "unseen")])
def test_the_record_follows_from_the_one_event(served_by: str, outcome: str) -> None:
    (call,) = read_calls([line(served_by=served_by)]).calls.values()
    records = CallRecords()
    record = records.apply(Event(1, 1700000500.0, IMPORTED, call.call_id, None, None, call.event_data(AGENTS)))
    assert record == CallRecord(
        CALL.call_id,
        CALL.arrived_at,
        origin="public",
        caller_number=CALL.caller,
        dialled="100",
        answered_at=CALL.answered_at,
        ended_at=CALL.ended_at,
        outcome=outcome,
        ended_by="unknown",
    )
    assert len(records) == 0


def test_a_call_that_is_under_way_is_not_closed_by_an_import() -> None:
    records = CallRecords()
    records.apply(Event(1, 5.0, "call.arrived", CALL.call_id, None, None, {}))
    assert records.apply(Event(2, 6.0, IMPORTED, CALL.call_id, None, None, CALL.event_data(AGENTS))) is None
    assert list(records) == [CALL.call_id]


@given(st.text(alphabet=st.sampled_from('"\n\r,a1.\x00\u2028\ufffd'), max_size=300))
def test_no_text_at_all_is_too_odd(text: str) -> None:
    reading = read_calls(lines_of(text + "\n" + line(call_id="last") if text.count('"') % 2 == 0 else text))
    assert reading.damaged <= text.count("\n") + 1
    if text.count('"') % 2 == 0:
        assert "last" in reading.calls


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=80)


@given(st.lists(st.tuples(TEXTS, TEXTS), max_size=5))
def test_every_line_that_the_pbx_writes_is_read(texts: list[tuple[str, str]]) -> None:
    written = [line(call_id=f"c.{n}", caller=caller, dialled=dialled) for n, (caller, dialled) in enumerate(texts)]
    reading = read_calls(lines_of("".join(written)))
    assert (reading.damaged, len(reading.calls)) == (0, len(written))


@given(st.permutations([line(sequence=n, start=f"17000000{n:02}.000000") for n in range(6)]))
def test_the_order_of_parts_does_not_matter(rows: list[str]) -> None:
    assert read_calls(rows).calls == {CALL.call_id: CALL}
