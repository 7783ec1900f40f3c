"""A prompt's text and the places in it that a call fills: `You dialled {dialled}.`

Decides how text is cut into pieces that can each be synthesised before any call: fixed text, single digits, and the
names of queues. So nothing is ever synthesised while a caller waits, and nothing from a caller reaches a speech engine.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

CALL_VARIABLES = frozenset({"caller_number", "dialled"})
"""What a call brings with it; spelled digit by digit."""

QUEUE_VARIABLE = "queue"
"""The queue that the caller was last sent to; its name is spoken."""

DIGITS = tuple("0123456789")

_PART = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
_NAME = re.compile(r"[a-z][a-z0-9_]*")


class WordingError(ValueError):
    """The text's braces are wrong."""


@dataclass(frozen=True, slots=True)
class Variable:
    """A place to fill in."""

    name: str


@dataclass(frozen=True, slots=True)
class SoundFile:
    """A sound of the admin's own, by its name without ending."""

    name: str


@dataclass(frozen=True, slots=True)
class Silence:
    seconds: float


Spoken = str | SoundFile | Silence
"""What can be played: a prepared text, a prepared sound, silence."""

Piece = str | Variable


@dataclass(frozen=True, slots=True)
class Wording:
    """One prompt in all of its languages. `name` is what events call it."""

    name: str
    pieces: Mapping[str, tuple[Piece, ...]]

    def variables(self) -> Iterator[str]:
        return (piece.name for pieces in self.pieces.values() for piece in pieces if isinstance(piece, Variable))

    def spoken(self, language: str, value: Callable[[str], str]) -> tuple[str, ...]:
        """The texts to say one after another, all of them prepared. Empty for an anonymous caller's number."""
        said: list[str] = []
        for piece in self.pieces[language]:
            if isinstance(piece, str):
                said.append(piece)
            elif piece.name == QUEUE_VARIABLE:
                said.extend(filter(None, [queue_text(value(QUEUE_VARIABLE))]))
            else:
                said.extend(digit for digit in value(piece.name) if digit in DIGITS)
        return tuple(said)


def queue_text(queue: str) -> str:
    """A queue's name as it is spoken."""
    return queue.replace("_", " ").replace("-", " ").strip()


def parse_wording(text: str) -> tuple[Piece, ...]:
    """Cut a text into pieces that can be spoken. `{{` and `}}` are literal braces. Raises `WordingError`."""
    pieces: list[Piece] = []
    for piece in cut(text):
        if isinstance(piece, Variable):
            pieces.append(piece)
            continue
        # What lies between two variables is often only a comma: nothing that could be spoken.
        words = " ".join(piece.split())
        if any(character.isalnum() for character in words):
            pieces.append(words)
    return tuple(pieces)


def filled(text: str, value: Callable[[str], str]) -> str:
    """A text for people's screens with its variables filled in. The text was checked by `cut` when it was loaded."""
    return "".join(piece if isinstance(piece, str) else value(piece.name) for piece in cut(text))


def cut(text: str) -> list[Piece]:
    """A text as it is written between its variables. Raises `WordingError`."""
    pieces: list[Piece] = []
    fixed: list[str] = []
    done = 0
    for found in _PART.finditer(text):
        fixed.append(text[done : found.start()])
        done = found.end()
        part = found.group()
        if part in {"{{", "}}"}:
            fixed.append(part[0])
        elif found.group(1) is None:
            raise WordingError(f"a lone {part!r} in a text; write {part * 2} for a brace that is meant")
        elif not _NAME.fullmatch(found.group(1)):
            raise WordingError(f"{part!r} is no variable; write {{{{ and }}}} for braces that are meant")
        else:
            pieces += ["".join(fixed), Variable(found.group(1))]
            fixed.clear()
    return [*pieces, "".join(fixed) + text[done:]]
