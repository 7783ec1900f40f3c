"""What a language must know to speak values, and the nouns that are counted in it.

A language decides how a value of a known range is cut into pieces. It refuses to know where values come from and what
happens to those that are out of range (`speaking` does).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

MOST = 999_999_999
"""The largest number that is said as one."""

MOST_ORDINAL = 999
FIRST_YEAR, LAST_YEAR = 1900, 2100


def listed(words: str) -> tuple[str, ...]:
    """A list of words, written the way that is easiest to read."""
    return tuple(words.split())


@dataclass(frozen=True, slots=True)
class Noun:
    """Something that is counted."""

    one: str
    many: str
    feminine: bool = False


@dataclass(frozen=True, slots=True)
class Currency:
    """A currency's names in a language. `hundredth` None: its amounts are whole."""

    unit: Noun
    hundredth: Noun | None


@dataclass(frozen=True, slots=True)
class Fixed:
    """The words of a language that are always the same."""

    minus: str
    point: str
    and_: str
    """Between the parts of a duration."""

    with_: str
    """Between an amount and its hundredths."""

    yes: str
    no: str
    day: Noun
    hour: Noun
    minute: Noun
    second: Noun
    currencies: Mapping[str, Currency]
    letters: Mapping[str, str]
    """What a spelled character is called, digits not among them."""


class Language(Protocol):
    """One language. Every method returns pieces that sound right one after another."""

    @property
    def fixed(self) -> Fixed: ...

    def cardinal(self, number: int, noun: Noun | None = None) -> list[str]:
        """0 to MOST, perhaps of something."""

    def ordinal(self, number: int) -> list[str]:
        """1 to MOST_ORDINAL."""

    def day(self, month: int, day: int) -> list[str]: ...

    def weekday(self, weekday: int) -> str:
        """0 is Monday."""

    def year(self, year: int) -> list[str]:
        """FIRST_YEAR to LAST_YEAR, after a day."""

    def time(self, hour: int, minute: int) -> list[str]: ...
