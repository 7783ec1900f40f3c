"""What an answer says, and what it cannot say."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cordboard.lookups.answer import NotUsable, Reply, Verdict, as_kind, read_json, values_of, verdict_on
from ivr.requests import Saved
from ivr.values import Kind, Value, fits

BALANCE = Saved("balance", ("account", "balance"), Kind.AMOUNT)


def reply(data: Any, status: int = 200) -> Reply:
    return Reply(status, json.dumps(data).encode())


@pytest.mark.parametrize(
    ("status", "outcome", "reason"),
    [
        (200, "ok", ""),
        (201, "ok", ""),
        (404, "not_found", ""),
        (410, "not_found", ""),
        (400, "refused", "status_400"),
        (401, "refused", "status_401"),
        (429, "refused", "status_429"),
        (302, "failed", "redirect"),
        (500, "failed", "status_500"),
        (503, "failed", "status_503"),
    ],
)
def test_outcomes_by_status(status: int, outcome: str, reason: str) -> None:
    verdict = verdict_on(reply({"account": {"balance": 12.5}}, status), (BALANCE,))
    assert (verdict.outcome, verdict.reason) == (outcome, reason)
    assert verdict.values == ((("balance", 12.5),) if outcome == "ok" else ())


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b'{"a":', b"\xff\xfe", b"NaN", b"[" * 60_000, b"9" * 5_000, b'{"a": Infinity}']
)
def test_what_is_not_json_is_no_answer(body: bytes) -> None:
    assert verdict_on(Reply(200, body), (BALANCE,)) == Verdict("failed", "not_json")


def test_an_order_without_wanted_values_needs_no_json() -> None:
    assert verdict_on(Reply(204, b""), ()) == Verdict("ok")
    assert verdict_on(Reply(200, None), ()) == Verdict("ok")
    assert verdict_on(Reply(200, None), (BALANCE,)) == Verdict("failed", "too_long")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ({}, "no_field"),
        ({"account": None}, "no_field"),
        ({"account": {"balance": None}}, "no_field"),
        ({"account": [1, 2]}, "no_field"),
        ({"account": {"balance": "much"}}, "wrong_kind"),
        ({"account": {"balance": True}}, "wrong_kind"),
        ({"account": {"balance": 1e300}}, "wrong_kind"),
        ({"account": {"balance": [1]}}, "wrong_kind"),
    ],
)
def test_a_field_that_is_missing_or_of_another_kind(data: Any, reason: str) -> None:
    assert verdict_on(reply(data), (BALANCE,)) == Verdict("failed", reason)


def test_places_in_lists_and_defaults() -> None:
    data = {"orders": [{"state": "sent"}, {"state": "lost"}]}
    at = {"kind": Kind.TEXT, "one_of": ("sent", "packed")}
    assert values_of(data, [Saved("first", ("orders", "0", "state"), **at)]) == (("first", "sent"),)
    assert values_of(data, [Saved("third", ("orders", "2", "state"), **at, default="packed")]) == (("third", "packed"),)
    assert values_of(data, [Saved("second", ("orders", "1", "state"), **at, default="packed")]) == (
        ("second", "packed"),
    )
    for place in ("1", "-1", "x", "²"):
        with pytest.raises(NotUsable):
            values_of(data, [Saved("other", ("orders", place, "state"), **at)])


def test_a_default_does_not_hide_a_wrong_kind() -> None:
    with pytest.raises(NotUsable, match="wrong_kind"):
        values_of({"n": "x"}, [Saved("n", ("n",), Kind.NUMBER, default=0)])


@pytest.mark.parametrize(
    ("found", "kind", "value"),
    [
        ("Ana", Kind.TEXT, "Ana"),
        ("line\nbreak", Kind.TEXT, None),
        ("x" * 121, Kind.TEXT, None),
        ("half \ud83d of a pair", Kind.TEXT, None),
        (7, Kind.TEXT, None),
        ("0042", Kind.DIGITS, "0042"),
        (42, Kind.DIGITS, "42"),
        (-42, Kind.DIGITS, None),
        ("4²", Kind.DIGITS, None),
        (7, Kind.NUMBER, 7),
        (7.0, Kind.NUMBER, 7),
        ("7", Kind.NUMBER, 7),
        (7.5, Kind.NUMBER, None),
        (True, Kind.NUMBER, None),
        (10**15, Kind.NUMBER, None),
        ("12.345", Kind.AMOUNT, 12.35),
        ("2.675", Kind.AMOUNT, 2.68),
        (-0.001, Kind.AMOUNT, 0.0),
        (-3, Kind.AMOUNT, -3.0),
        ("12,50", Kind.AMOUNT, None),
        ("2026-12-24", Kind.DATE, "2026-12-24"),
        ("2026-02-30", Kind.DATE, None),
        ("2024-02-29", Kind.DATE, "2024-02-29"),
        ("24.12.2026", Kind.DATE, None),
        ("2026-12-24T10:00:00Z", Kind.DATE, None),
        ("17:59", Kind.TIME, "17:59"),
        ("17:59:30", Kind.TIME, "17:59"),
        ("24:00", Kind.TIME, None),
        (90, Kind.DURATION, 90),
        (-1, Kind.DURATION, None),
        (False, Kind.YES_NO, False),
        ("yes", Kind.YES_NO, None),
        (1, Kind.YES_NO, None),
    ],
)
def test_kinds(found: Any, kind: Kind, value: Value | None) -> None:
    got = as_kind(found, kind)
    assert got == value
    assert type(got) is type(value)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=200),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=100)
@given(JSON, st.sampled_from(Kind))
def test_whatever_comes_is_of_the_kind_or_nothing(found: Any, kind: Kind) -> None:
    value = as_kind(found, kind)
    assert value is None or fits(value, kind)


@settings(max_examples=100)
@given(st.binary(max_size=200), st.integers(100, 599))
def test_every_reply_has_a_verdict(body: bytes, status: int) -> None:
    assert verdict_on(Reply(status, body), (BALANCE,)).outcome in {"ok", "not_found", "refused", "failed"}


def test_strictness_of_json() -> None:
    assert read_json(b'{"a": 1}') == {"a": 1}
