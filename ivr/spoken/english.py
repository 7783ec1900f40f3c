"""Values in English, the American way: no "and" within a number, which leaves it to join dollars and cents."""

from __future__ import annotations

from ivr.spoken.currencies import ENGLISH
from ivr.spoken.words import Fixed, Noun, listed

_SMALL = listed(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
)
_TENS = listed("twenty thirty forty fifty sixty seventy eighty ninety")
_SCALES = ("thousand", "million")
_IRREGULAR = {
    "one": "first",
    "two": "second",
    "three": "third",
    "five": "fifth",
    "eight": "eighth",
    "nine": "ninth",
    "twelve": "twelfth",
}
_WEEKDAYS = listed("Monday Tuesday Wednesday Thursday Friday Saturday Sunday")
_MONTHS = listed("January February March April May June July August September October November December")


def _below_hundred(number: int) -> str:
    if number < 20:
        return _SMALL[number]
    tens, ones = divmod(number, 10)
    return _TENS[tens - 2] + (f"-{_SMALL[ones]}" if ones else "")


def _nth(words: str) -> str:
    """The ordinal of a cardinal's words: its last word changes."""
    before, dash, last = words.rpartition("-")
    if last in _IRREGULAR:
        return f"{before}{dash}{_IRREGULAR[last]}"
    return f"{words[:-1]}ieth" if last.endswith("y") else f"{words}th"


def _group(number: int, after: str) -> list[str]:
    """1 to 999 with the word that follows it, which is one piece with the last of it."""
    hundreds, rest = divmod(number, 100)
    last = f" {after}" if after else ""
    if not rest:
        return [f"{_SMALL[hundreds]} hundred{last}"]
    return ([f"{_SMALL[hundreds]} hundred"] if hundreds else []) + [_below_hundred(rest) + last]


# An "A" alone is read as the article.
_LETTERS = {letter: letter.upper() for letter in "bcdefghijklmnopqrstuvwxyz"} | {
    "a": "A.",
    "@": "at",
    ".": "dot",
    "-": "dash",
    "_": "underscore",
    "/": "slash",
    "+": "plus",
    "#": "pound",
    "*": "star",
}


class English:
    """See `Language`."""

    fixed = Fixed(
        minus="minus",
        point="point",
        and_="and",
        with_="and",
        yes="yes",
        no="no",
        day=Noun("day", "days"),
        hour=Noun("hour", "hours"),
        minute=Noun("minute", "minutes"),
        second=Noun("second", "seconds"),
        currencies=ENGLISH,
        letters=_LETTERS,
    )

    def cardinal(self, number: int, noun: Noun | None = None) -> list[str]:
        counted = "" if noun is None else noun.one if number == 1 else noun.many
        if number == 0:
            return [f"{_SMALL[0]} {counted}".strip()]
        said: list[str] = []
        for power, scale in reversed(list(enumerate(_SCALES, start=1))):
            group = number // 1000**power % 1000
            said += _group(group, scale) if group else []
        ones = number % 1000
        if ones:
            return said + _group(ones, counted)
        return said + ([counted] if counted else [])

    def ordinal(self, number: int) -> list[str]:
        *before, last = _group(number, "")
        return [*before, _nth(last)]

    def day(self, month: int, day: int) -> list[str]:
        return [_MONTHS[month - 1], _nth(_below_hundred(day))]

    def weekday(self, weekday: int) -> str:
        return f"{_WEEKDAYS[weekday]},"

    def year(self, year: int) -> list[str]:
        century, rest = divmod(year, 100)
        if not rest:
            return ["two thousand" if year == 2000 else f"{_below_hundred(century)} hundred"]
        if century == 20 and rest < 10:
            return [f"two thousand {_below_hundred(rest)}"]
        return [_below_hundred(century), f"{'oh-' if rest < 10 else ''}{_below_hundred(rest)}"]

    def time(self, hour: int, minute: int) -> list[str]:
        if not minute and hour % 12 == 0:
            return ["noon" if hour else "midnight"]
        half = "a.m." if hour < 12 else "p.m."
        said = _below_hundred(hour % 12 or 12)
        if not minute:
            return [f"{said} {half}"]
        return [said, f"{'oh ' if minute < 10 else ''}{_below_hundred(minute)} {half}"]
