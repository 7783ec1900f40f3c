"""How wide a text is, and where it is cut so that it fits.

Nobody knows the reader's font, so widths are those of the widest of the usual ones (DejaVu Sans, Verdana), a little
rounded up. Letters that are not Latin are counted as full squares, and `sure` is False: whoever draws them must hold
them to the width that was counted.
"""

from __future__ import annotations

import unicodedata
from typing import NamedTuple

_NARROW = frozenset("iIjl.,:;'!|()[] `")
_SLIM = frozenset('ftr-/\\"{}*_?“”‘’¿¡')
_WIDE = frozenset("mwMW%@…→↷+=<>#~&OQ")
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_BOLD = 1.15
ELLIPSIS = "…"
_JOINERS = frozenset("\u200c\u200d")
"""Unseen, and needed to write Persian and to put emoji together."""


class Cut(NamedTuple):
    """A text that fits, how wide it is at most, and whether that is sure."""

    text: str
    width: float
    sure: bool


def clean(text: str) -> str:
    """One line, without characters that would be drawn as nothing, as something else or over their neighbours."""
    line = " ".join(text.split())
    return "".join(
        character if unicodedata.category(character) not in _UNSEEN or character in _JOINERS else "\ufffd"
        for character in line
    )


def width(text: str, size: float, *, bold: bool = False) -> float:
    """At most how wide this line is drawn."""
    return sum(map(_em, text)) * size * (_BOLD if bold else 1.0)


def fit(text: str, size: float, room: float, *, bold: bool = False) -> Cut:
    """As much of the beginning of a text as there is room for."""
    line = clean(text)
    if width(line, size, bold=bold) > room:
        room -= width(ELLIPSIS, size, bold=bold)
        kept = 0
        used = 0.0
        while kept < len(line) and used + width(line[kept], size, bold=bold) <= room:
            used += width(line[kept], size, bold=bold)
            kept += 1
        line = line[:kept].rstrip() + ELLIPSIS
    return Cut(line, width(line, size, bold=bold), all(map(_is_sure, line)))


def wrap(text: str, size: float, room: float, most: int) -> list[Cut]:
    """The text in at most so many lines, broken between words; the last one is cut."""
    words = clean(text).split()
    lines: list[Cut] = []
    while words and len(lines) < most - 1:
        taken = 1
        while taken < len(words) and width(" ".join(words[: taken + 1]), size) <= room:
            taken += 1
        if width(words[0], size) > room:
            break
        lines.append(fit(" ".join(words[:taken]), size, room))
        words = words[taken:]
    if words:
        lines.append(fit(" ".join(words), size, room))
    return lines


def _em(character: str) -> float:
    base = unicodedata.normalize("NFD", character)[:1]
    if base in _NARROW:
        return 0.40
    if base in _SLIM or unicodedata.combining(base):
        return 0.55 if base in _SLIM else 0.2
    if base in _WIDE:
        return 1.02
    if base.isascii():
        return 0.80 if base.isupper() else 0.66
    return 1.02 if _is_european(base) else 1.2


def _is_sure(character: str) -> bool:
    base = unicodedata.normalize("NFD", character)[:1]
    return base.isascii() or base in _WIDE or base in _SLIM or _is_european(base)


def _is_european(base: str) -> bool:
    """Latin letters that are not one of ours with a mark: ß, æ, ø, ł."""
    return "\u00c0" <= base <= "\u017f"
