"""A value becomes pieces to say one after another; and everything that such a piece can be.

Decides what is said of a value that does not fit its kind: a number out of range is said digit by digit, and what is no
value of the kind at all is passed over in silence. Nothing here raises: a caller is on the line.
"""

from __future__ import annotations

import calendar
import re
import unicodedata
from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from functools import lru_cache

from ivr.spoken.english import English
from ivr.spoken.kinds import SpokenKind
from ivr.spoken.spanish import Spanish
from ivr.spoken.words import FIRST_YEAR, LAST_YEAR, MOST, MOST_ORDINAL, Language

Spoken = str | int | float | bool
"""A value that can be spoken."""

MOST_DECIMALS = 6
NEAR_DAYS = 180
"""So far from today a date needs no year: "Thursday, December 24th"."""

MOST_DAYS = 999

_LANGUAGES: dict[str, Language] = {"en": English(), "es": Spanish()}
LANGUAGES = frozenset(_LANGUAGES)
"""Those that speak every kind; any other speaks digits only, and leaves it to its voice how."""

_DIGITS = "0123456789"
_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_TIME = re.compile(r"([0-9]{1,2}):([0-9]{2})")
_LONGEST = 64
"""Characters of a value; what a flow knows is shorter."""


def can_speak(kind: SpokenKind, language: str, currency: str = "") -> bool:
    """Whether a value of this kind has words in this language."""
    words = _LANGUAGES.get(language)
    if words is None:
        return kind is SpokenKind.DIGITS
    return kind is not SpokenKind.MONEY or currency in words.fixed.currencies


def speak(kind: SpokenKind, value: Spoken, language: str, *, currency: str = "", today: str = "") -> tuple[str, ...]:
    """The pieces of a value, in order. `today`, a date, decides whether a date needs its year or its weekday.

    Empty when there is nothing to say: an anonymous caller's number, a text that is no date.
    """
    if not can_speak(kind, language, currency):
        return ()
    words = _LANGUAGES.get(language)
    if words is None:
        return tuple(digit for digit in str(value)[:_LONGEST] if digit in _DIGITS)
    match kind:
        case SpokenKind.DIGITS:
            said = _digits(str(value), words)
        case SpokenKind.NUMBER:
            said = _number(value, words)
        case SpokenKind.ORDINAL:
            said = _ordinal(value, words)
        case SpokenKind.MONEY:
            said = _money(value, words, currency)
        case SpokenKind.DATE:
            said = _date(value, words, today)
        case SpokenKind.TIME:
            said = _time(value, words)
        case SpokenKind.DURATION:
            said = _duration(value, words)
        case SpokenKind.SPELL:
            said = _spelled(str(value), words)
        case SpokenKind.YES_NO:
            said = ([words.fixed.yes] if value else [words.fixed.no]) if isinstance(value, bool) else []
    return tuple(said)


@lru_cache(maxsize=256)
def pieces(kind: SpokenKind, language: str, *, currency: str = "") -> frozenset[str]:
    """Every piece that `speak` can return. Found by speaking values which together need all of them."""
    found: set[str] = set()
    for value in _everything(kind):
        found.update(speak(kind, value, language, currency=currency))
        if kind is SpokenKind.DATE:
            found.update(speak(kind, value, language, today=str(value)))
    return frozenset(found)


# kinds ----------------------------------------------------------------------------------------------------------------


def _digits(text: str, words: Language) -> list[str]:
    return [piece for digit in text[:_LONGEST] if digit in _DIGITS for piece in words.cardinal(int(digit))]


def _spelled(text: str, words: Language) -> list[str]:
    said: list[str] = []
    for character in unicodedata.normalize("NFC", text[:_LONGEST]).lower():
        # An accent is not spelled; an ñ is a letter of its own.
        bare = unicodedata.normalize("NFD", character)[0]
        name = words.fixed.letters.get(character) or words.fixed.letters.get(bare)
        said += [name] if name else _digits(bare, words)
    return said


def _number(value: Spoken, words: Language) -> list[str]:
    exact = _exact(value)
    if exact is None:
        return []
    if abs(exact) > MOST:
        return _digits(f"{abs(exact):f}", words)
    exact = exact.quantize(Decimal(1).scaleb(-MOST_DECIMALS), ROUND_HALF_UP)
    whole, _, decimals = f"{abs(exact):f}".partition(".")
    decimals = decimals.rstrip("0")
    said = words.cardinal(int(whole))
    if decimals:
        said += [words.fixed.point, *_digits(decimals, words)]
    return [words.fixed.minus, *said] if exact < 0 else said


def _ordinal(value: Spoken, words: Language) -> list[str]:
    exact = _exact(value)
    if exact is None or exact != exact.to_integral_value() or not 1 <= exact <= MOST_ORDINAL:
        return [] if exact is None else _digits(str(value), words)
    return words.ordinal(int(exact))


def _money(value: Spoken, words: Language, currency: str) -> list[str]:
    exact = _exact(value)
    if exact is None:
        return []
    if abs(exact) > MOST:
        return _digits(f"{abs(exact):f}", words)
    names = words.fixed.currencies[currency]
    smallest = Decimal(1) if names.hundredth is None else Decimal("0.01")
    exact = exact.quantize(smallest, ROUND_HALF_UP)
    units, hundredths = divmod(int(abs(exact) * 100), 100)
    if names.hundredth is None or not hundredths:
        said = words.cardinal(units, names.unit)
    elif not units:
        said = words.cardinal(hundredths, names.hundredth)
    else:
        (cents,) = words.cardinal(hundredths, names.hundredth)
        said = [*words.cardinal(units, names.unit), f"{words.fixed.with_} {cents}"]
    return [words.fixed.minus, *said] if exact < 0 else said


def _date(value: Spoken, words: Language, today: str) -> list[str]:
    parts = _calendar_day(value)
    if parts is None:
        return []
    year, month, day = parts
    named = words.weekday(calendar.weekday(year, month, day))
    in_year = words.year(year) if FIRST_YEAR <= year <= LAST_YEAR else _digits(str(year), words)
    now = _calendar_day(today)
    if now is None:
        return [named, *words.day(month, day), *in_year]
    if abs(_day_number(parts) - _day_number(now)) <= NEAR_DAYS:
        return [named, *words.day(month, day)]
    return [*words.day(month, day), *in_year]


def _time(value: Spoken, words: Language) -> list[str]:
    found = _TIME.fullmatch(value) if isinstance(value, str) else None
    if found is None or int(found[1]) > 23 or int(found[2]) > 59:
        return []
    return words.time(int(found[1]), int(found[2]))


def _duration(value: Spoken, words: Language) -> list[str]:
    """At most two units, rounded to the smaller one: who waits an hour does not want to hear seconds."""
    exact = _exact(value)
    if exact is None:
        return []
    if abs(exact) > MOST:
        return _digits(f"{abs(exact):f}", words)
    seconds = int(abs(exact).quantize(Decimal(1), ROUND_HALF_UP))
    parts = _parts(seconds)
    if parts[0] > MOST_DAYS:
        return _digits(str(seconds), words)
    if not seconds:
        return words.cardinal(0, words.fixed.second)
    units = (words.fixed.day, words.fixed.hour, words.fixed.minute, words.fixed.second)
    counted = [(unit, count) for unit, count in zip(units, parts, strict=True) if count]
    (unit, count), *rest = counted
    said = words.cardinal(count, unit)
    for unit, count in rest:
        (piece,) = words.cardinal(count, unit)
        said.append(f"{words.fixed.and_} {piece}")
    return [words.fixed.minus, *said] if exact < 0 else said


def _parts(seconds: int) -> tuple[int, int, int, int]:
    """Days, hours, minutes, seconds, of which at most two neighbours are not zero."""
    if seconds < 3600:
        return 0, 0, *divmod(seconds, 60)
    minutes = (seconds + 30) // 60
    if minutes < 24 * 60:
        return 0, *divmod(minutes, 60), 0
    hours = (seconds + 1800) // 3600
    return *divmod(hours, 24), 0, 0


# values ---------------------------------------------------------------------------------------------------------------


def _exact(value: Spoken) -> Decimal | None:
    """A number as it is written, which a binary fraction is not."""
    if isinstance(value, bool):
        return None
    try:
        exact = Decimal(str(value)) if not isinstance(value, str) else Decimal(value[:_LONGEST])
    except InvalidOperation:
        return None
    return exact if exact.is_finite() and exact.adjusted() < _LONGEST else None


def _calendar_day(value: Spoken) -> tuple[int, int, int] | None:
    found = _DATE.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        return None
    year, month, day = map(int, found.groups())
    real = year >= 1 and 1 <= month <= 12 and 1 <= day <= calendar.monthrange(year, month)[1]
    return (year, month, day) if real else None


def _day_number(day: tuple[int, int, int]) -> int:
    """Days since the first one of the calendar."""
    year, month, of_month = day
    before = (year - 1) * 365 + calendar.leapdays(1, year)
    return before + sum(calendar.monthrange(year, one)[1] for one in range(1, month)) + of_month


def _everything(kind: SpokenKind) -> Iterator[Spoken]:
    """Values that need every piece of a kind."""
    match kind:
        case SpokenKind.DIGITS:
            yield _DIGITS
        case SpokenKind.NUMBER | SpokenKind.MONEY:
            yield "-1"
            yield "1234567890"
            yield "1.023456789"
            for scale in (1, 1000, 1_000_000):
                yield from (number * scale + more for number in range(1000) for more in (0, 1) if number or not more)
            yield from (f"{units}.{cents:02}" for units in (0, 1) for cents in range(100))
        case SpokenKind.ORDINAL:
            yield _DIGITS
            yield from range(1, MOST_ORDINAL + 1)
        case SpokenKind.DATE:
            yield from (f"2024-{month:02}-{day:02}" for month in range(1, 13) for day in range(1, 32))
            yield from (f"{year:04}-01-01" for year in range(FIRST_YEAR, LAST_YEAR + 1))
            yield from (f"{digit * 4}-01-01" for digit in "3456789")
            yield "1012-01-01"
        case SpokenKind.TIME:
            yield from (f"{hour}:{minute:02}" for hour in range(24) for minute in range(60))
        case SpokenKind.DURATION:
            yield -1
            yield 1_234_567_890
            yield from range(3600)
            yield from (hours * 3600 + minutes * 60 for hours in range(1, 24) for minutes in range(60))
            yield from (days * 86_400 + hours * 3600 for days in range(1, MOST_DAYS + 1) for hours in (0, days % 24))
        case SpokenKind.SPELL:
            yield "abcdefghijklmnopqrstuvwxyzñ@.-_/+#*" + _DIGITS
        case SpokenKind.YES_NO:
            yield True
            yield False
