"""How a text is cut into what can be spoken beforehand."""

from __future__ import annotations

import pytest

from ivr.wording import Piece, Variable, Wording, WordingError, parse_wording


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("Hello.", ("Hello.",)),
        ("  Two\n lines ", ("Two lines",)),
        ("{dialled}", (Variable("dialled"),)),
        ("You are {a}, {b}.", ("You are", Variable("a"), Variable("b"))),
        ("A {{b}} c", ("A {b} c",)),
        ("{{{a}}}", (Variable("a"),)),
        ("...", ()),
    ],
)
def test_pieces(text: str, pieces: tuple[Piece, ...]) -> None:
    assert parse_wording(text) == pieces


@pytest.mark.parametrize("text", ["{", "}", "a { b", "{}", "{A}", "{a b}", "{a", "a}}}", "{a{b}}", "${SHELL(x)}"])
def test_wrong_braces(text: str) -> None:
    with pytest.raises(WordingError):
        parse_wording(text)


def test_only_digits_and_queue_names_are_spoken() -> None:
    wording = Wording("w", {"en": parse_wording("From {caller_number} to {queue}")})
    values = {"caller_number": "+1 555<>", "queue": "after_sales-2"}
    assert wording.spoken("en", values.__getitem__) == ("From", "1", "5", "5", "5", "to", "after sales 2")
    assert wording.spoken("en", lambda _: "") == ("From", "to")
