"""What is wrong with a dialplan, said so that an admin finds the spot and knows what to do there."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

MAX_PROBLEMS = 100
"""For one file. Who has more has one mistake that repeats, or no dialplan; and looking on takes time."""

_MAX_COMPARED = 2000
_LONGEST = 300


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One finding. Lines and columns count from 1, as editors do."""

    file: str
    line: int
    column: int
    message: str
    hint: str = ""
    severity: Severity = Severity.ERROR
    rule: str = ""
    """The finding's name, for programs; most of what is wrong with single values has none."""

    def __str__(self) -> str:
        warning = "warning: " if self.severity is Severity.WARNING else ""
        hint = f" ({self.hint})" if self.hint else ""
        return f"{self.file}:{self.line}:{self.column}: {warning}{self.message}{hint}"


def shortened(text: str) -> str:
    """What is said about a giant value must not be a giant itself."""
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST // 2]} ... {text[-_LONGEST // 2 :]}"


class Report(Protocol):
    """Takes a finding about the value (or, with `key`, the key) at a path of a file."""

    def __call__(
        self,
        path: tuple[str | int, ...],
        message: str,
        hint: str = "",
        *,
        key: bool = False,
        severity: Severity = Severity.ERROR,
        rule: str = "",
    ) -> None: ...


def did_you_mean(wrong: str, known: Iterable[str]) -> str:
    """A hint: the known word that resembles the wrong one, or all of them when they are few."""
    words = sorted(known)[:_MAX_COMPARED]
    close = difflib.get_close_matches(wrong, words, n=1, cutoff=0.6)
    if close:
        return f"did you mean {close[0]!r}?"
    if not words:
        return ""
    shown = ", ".join(words[:12])
    return f"known: {shown}{', ...' if len(words) > 12 else ''}"
