"""How a text is cut into what can be spoken beforehand."""

from __future__ import annotations

import pytest

from ivr.wording import Piece, Silence, SoundFile, Variable, Wording, WordingError, parse_wording


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


@pytest.mark.parametrize(
    "text", ["{", "}", "a { b", "{}", "{A}", "{a b}", "{a", "a}}}", "{a:}", "{a:B}", "{a{b}}", "${SHELL(x)}"]
)
def test_wrong_braces(text: str) -> None:
    with pytest.raises(WordingError):
        parse_wording(text)


def test_what_has_a_way_to_be_spoken_is_cut_out() -> None:
    assert parse_wording("{due:date}") == (Variable("due", "date"),)


def test_places_are_filled_in_the_language_that_is_spoken() -> None:
    english = parse_wording("From {n:digits} to {queue}")
    wording = Wording("w", {"en": english, "es": (SoundFile("beep"), Silence(0.3))})

    def fill(variable: Variable, language: str) -> tuple[str, ...]:
        return (f"{language} {variable.name} {variable.how}",)

    assert wording.spoken("en", fill) == ("From", "en n digits", "to", "en queue ")
    assert wording.spoken("en", lambda *_: ()) == ("From", "to")
    assert wording.spoken("es", fill) == (SoundFile("beep"), Silence(0.3))
