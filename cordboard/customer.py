"""A customer: who calls from which telephone numbers, and what flows may know of them.

Decides what the fields may hold, and says what is wrong with one. It refuses to know storage and where the texts come
from.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from cordboard.telephone import e164

FIELDS = ("id", "name", "language", "tier", "tags", "numbers")
MAX_TAGS = 20
MAX_NUMBERS = 20

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
_LANGUAGE = re.compile(r"[a-z]{2,3}")
_WORD = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_PUNCTUATION = re.compile(r"[ ()./\u00a0-]")


class BadCustomer(ValueError):
    """Everything that is wrong with one, each a sentence that begins with the field's name."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Customer:
    """`language`, `tier` "": not known. Numbers are E.164; a number belongs to one customer."""

    id: str
    name: str
    language: str = ""
    tier: str = ""
    tags: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()

    def view(self) -> dict[str, Any]:
        """Plain JSON for people."""
        return {
            "id": self.id,
            "name": self.name,
            "language": self.language,
            "tier": self.tier,
            "tags": list(self.tags),
            "numbers": list(self.numbers),
        }


def telephone(text: str, region: str | None) -> str | None:
    """A number as people write it, in E.164; None when it is none that somebody can have."""
    return e164(_PUNCTUATION.sub("", text), region)


def customer_of(given: Mapping[str, Any], region: str | None) -> Customer:
    """From texts, and lists of texts for tags and numbers. What is empty may be left out. Raises `BadCustomer`."""
    problems: list[str] = []

    def text(name: str, pattern: re.Pattern[str] | None, expected: str, *, needed: bool = False) -> str:
        value = given.get(name, "")
        if not isinstance(value, str):
            problems.append(f"{name}: must be a text")
            return ""
        value = value.strip()
        if not value and not needed:
            return ""
        fits = pattern.fullmatch(value) if pattern is not None else (1 <= len(value) <= 80 and value.isprintable())
        if not fits:
            problems.append(f"{name}: {value[:40]!r} is not {expected}" if value else f"{name}: is missing")
        return value

    def texts(name: str, most: int) -> Iterable[str]:
        values = given.get(name, ())
        if not isinstance(values, (list, tuple)) or not all(isinstance(one, str) for one in values):
            problems.append(f"{name}: must be a list of texts")
            return ()
        if len(values) > most:
            problems.append(f"{name}: at most {most}")
            return ()
        return dict.fromkeys(one.strip() for one in values if one.strip())

    found = Customer(
        id=text("id", _ID, "an id: letters, digits, . _ and -, at most 40", needed=True),
        name=text("name", None, "a name on one line, at most 80 characters", needed=True),
        language=text("language", _LANGUAGE, "a language code such as en or es"),
        tier=text("tier", _WORD, "a word such as gold: small letters, digits, - and _"),
        tags=tuple(texts("tags", MAX_TAGS)),
        numbers=tuple(_numbers(texts("numbers", MAX_NUMBERS), region, problems)),
    )
    problems += [
        f"tags: {tag[:40]!r} is not a word: small letters, digits, - and _"
        for tag in found.tags
        if not _WORD.fullmatch(tag)
    ]
    if problems:
        raise BadCustomer(problems)
    return found


def _numbers(texts: Iterable[str], region: str | None, problems: list[str]) -> Iterable[str]:
    numbers: dict[str, None] = {}
    for text in texts:
        number = telephone(text, region)
        if number is None:
            hint = (
                ""
                if region is not None or text.startswith("+")
                else " (write +, or give `region` in the configuration)"
            )
            problems.append(f"numbers: {text[:40]!r} is no telephone number that somebody can have{hint}")
        else:
            numbers[number] = None
    return numbers
