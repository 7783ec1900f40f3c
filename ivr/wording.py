"""A prompt's text and the places in it that a call fills: `Your balance is {balance}.`

Decides how a text is cut into pieces that can each be prepared before any call: fixed text, sound files, silences, and
places whose values are spoken out of a closed set of pieces (`ivr.spoken`). So nothing is ever synthesised while a
caller waits, and nothing from a caller reaches a speech engine.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

QUEUE_VARIABLE = "queue"
"""The queue that the caller was last sent to; its name is spoken."""

_PART = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
_NAME = re.compile(r"[a-z][a-z0-9_]*")


class WordingError(ValueError):
    """The text's braces are wrong."""


@dataclass(frozen=True, slots=True)
class Variable:
    """A place to fill in. `how`: the way to speak it when it is not that of the variable's kind."""

    name: str
    how: str = ""


@dataclass(frozen=True, slots=True)
class SoundFile:
    """A sound of the admin's own; `name` as it is written in the dialplan."""

    name: str


@dataclass(frozen=True, slots=True)
class Silence:
    seconds: float


@dataclass(frozen=True, slots=True)
class Draft:
    """What a caller recorded just now and may hear again; `file` as the PBX plays it."""

    file: str = field(repr=False)


Spoken = str | SoundFile | Silence | Draft
"""What can be played: a prepared text, a sound file, a silence, a recording of this very call."""

Piece = Spoken | Variable


@dataclass(frozen=True, slots=True)
class Wording:
    """One prompt in its languages: whole in each, so that nobody hears two in one. `name` is what events call it."""

    name: str
    pieces: Mapping[str, tuple[Piece, ...]]

    def variables(self) -> Iterator[Variable]:
        return (piece for pieces in self.pieces.values() for piece in pieces if isinstance(piece, Variable))

    def spoken(self, language: str, fill: Callable[[Variable, str], tuple[str, ...]]) -> tuple[Spoken, ...]:
        """What is said, one after another, all of it prepared. `fill` speaks a variable in a language."""
        said: list[Spoken] = []
        for piece in self.pieces[language]:
            if isinstance(piece, Variable):
                said.extend(fill(piece, language))
            else:
                said.append(piece)
        return tuple(said)


def in_place_of(language: str, fallback: Mapping[str, str]) -> tuple[str, ...]:
    """A language and those that are heard in its place, the nearest first; each once, whatever is written."""
    found = [language]
    while (language := fallback.get(language, "")) and language not in found:
        found.append(language)
    return tuple(found)


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
    """A text that is read, with its variables filled in. The text was checked by `cut` when it was loaded."""
    return "".join(piece if isinstance(piece, str) else value(piece.name) for piece in cut(text))


def names_in(text: str) -> tuple[str, ...]:
    """The variables in a text; none when its braces are wrong."""
    try:
        return tuple(piece.name for piece in cut(text) if isinstance(piece, Variable))
    except WordingError:
        return ()


def cut(text: str) -> list[str | Variable]:
    """A text as it is written between its variables. Raises `WordingError`."""
    pieces: list[str | Variable] = []
    fixed: list[str] = []
    done = 0
    for found in _PART.finditer(text):
        fixed.append(text[done : found.start()])
        done = found.end()
        part = found.group()
        if part in {"{{", "}}"}:
            fixed.append(part[0])
            continue
        if found.group(1) is None:
            raise WordingError(f"a lone {part!r} in a text; write {part * 2} for a brace that is meant")
        name, _, how = found.group(1).partition(":")
        if not _NAME.fullmatch(name) or (":" in part and not _NAME.fullmatch(how)):
            raise WordingError(f"{part!r} is no variable; write {{{{ and }}}} for braces that are meant")
        pieces += ["".join(fixed), Variable(name, how)]
        fixed.clear()
    return [*pieces, "".join(fixed) + text[done:]]
