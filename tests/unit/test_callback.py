"""Whom we promised a call: which states follow each other, and which telephone numbers can be called."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cordboard.callback import Callback, CallbackRefused, CallbackState
from cordboard.telephone import e164

NEW = Callback("c1", "+12025550142", "sales", "en", 100.0, 90.0, id=7, changed_at=100.0)
Do = Callable[[Callback], Callback]

CLAIM: Do = lambda one: one.claim("1001", 110.0)  # noqa: E731
RELEASE: Do = lambda one: one.release(120.0, "no answer")  # noqa: E731
DONE: Do = lambda one: one.done("", 130.0, "wants a quote")  # noqa: E731
CANCEL: Do = lambda one: one.cancel("1002", 140.0)  # noqa: E731


def test_claimed_tried_released_claimed_again_and_done() -> None:
    one = CLAIM(NEW)
    assert (one.state, one.agent, one.attempts, one.changed_at) == (CallbackState.CLAIMED, "1001", 1, 110.0)
    one = RELEASE(one)
    assert (one.state, one.agent, one.attempts, one.note) == (CallbackState.OPEN, "", 1, "no answer")
    one = DONE(CLAIM(one))
    assert (one.state, one.agent, one.attempts, one.note) == (CallbackState.DONE, "1001", 2, "wants a quote")


def test_one_that_nobody_claimed_can_be_closed_and_a_note_changes_nothing_else() -> None:
    assert DONE(NEW).state is CallbackState.DONE
    one = CANCEL(NEW.annotate("called again by herself", 105.0))
    assert (one.state, one.agent, one.note) == (CallbackState.CANCELLED, "1002", "called again by herself")


@pytest.mark.parametrize(
    ("before", "then", "why"),
    [
        (CLAIM, CLAIM, "Callback 7 is claimed by 1001 already."),
        (CLAIM, lambda one: one.claim("1002", 1.0), "Callback 7 is claimed by 1001."),
        (lambda one: one, RELEASE, "Callback 7 is open."),
        (DONE, CLAIM, "Callback 7 is done."),
        (CANCEL, DONE, "Callback 7 is cancelled by 1002."),
        (DONE, CANCEL, "Callback 7 is done."),
    ],
)
def test_what_cannot_follow_is_refused(before: Do, then: Do, why: str) -> None:
    one = before(NEW)
    with pytest.raises(CallbackRefused) as refused:
        then(one)
    assert str(refused.value) == why


@pytest.mark.parametrize(
    ("text", "region", "number"),
    [
        ("+12025550142", None, "+12025550142"),
        ("2025550142", "US", "+12025550142"),
        ("0305551234", "DE", "+49305551234"),
        ("2025550142", None, None),  # of which country?
        ("+1202555", None, None),  # too short
        ("+1202555014212", None, None),
        ("+9991234567", None, None),  # no such country
        ("1001", "US", None),
        ("", "US", None),
        ("anonymous", "US", None),
        ("+1 202 555 0142", "US", None),
        ("1-800-FLOWERS", "US", None),
        ("+12025550142;ext=9", "US", None),
        ("+12025550142\n", "US", None),
    ],
)
def test_numbers(text: str, region: str | None, number: str | None) -> None:
    assert e164(text, region) == number
