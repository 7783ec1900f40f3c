"""What the keys of an answer mean: digits, a number, an amount of money, a date. Pure functions of what was typed.

Decides which answers count. It refuses to know who asked and how often.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Literal

DateFormat = Literal["ddmm", "mmdd", "ddmmyyyy", "mmddyyyy", "yyyymmdd"]

Day = date

_RELATIVE = re.compile(r"today(?:([+-])(\d{1,4})d)?")
_NUMBER = re.compile(r"-?\d{1,12}(?:\.\d{1,4})?")


class NoLimit(ValueError):
    """A limit that cannot be read; the text says what it may look like."""


def luhn(digits: str) -> bool:
    """The check digit of card numbers (ISO/IEC 7812-1)."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        twice = int(digit) * (1 + place % 2)
        total += twice - 9 if twice > 9 else twice
    return bool(digits) and total % 10 == 0


def amount(typed: str) -> float | None:
    """`125*50` is 125.50; at most two decimals."""
    whole, star, cents = typed.partition("*")
    if not whole.isdecimal() or (star and not cents.isdecimal()) or len(cents) > 2:
        return None
    return round(int(whole) + int((cents or "0").ljust(2, "0")) / 100, 2)


def day(typed: str, form: DateFormat, today: date) -> date | None:
    """A date; without a year the next such day, today included."""
    places = {"d": "", "m": "", "y": ""}
    if len(typed) != len(form) or not typed.isdecimal():
        return None
    for letter, digit in zip(form, typed, strict=True):
        places[letter] += digit
    years = [int(places["y"])] if places["y"] else range(today.year, today.year + 9)
    for year in years:
        try:
            found = date(year, int(places["m"]), int(places["d"]))
        except ValueError:
            continue
        if places["y"] or found >= today:
            return found
    return None


def today(now: float, zone: tzinfo) -> date:
    return datetime.fromtimestamp(now, UTC).astimezone(zone).date()


def epoch() -> date:
    """Some day, for those who only want to know whether a limit can be read."""
    return date(1970, 1, 1)


def day_limit(text: str, on: date) -> date:
    """`2026-12-24`, `today`, `today+30d`. Raises `NoLimit`."""
    found = _RELATIVE.fullmatch(text)
    if found is not None:
        days = int(found[2] or 0) * (-1 if found[1] == "-" else 1)
        return on + timedelta(days=days)
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise NoLimit(f"{text!r} is no day: write 2026-12-24, today, or today+30d") from None


def number_limit(text: str) -> float:
    """Raises `NoLimit`."""
    if not _NUMBER.fullmatch(text):
        raise NoLimit(f"{text!r} is not a number")
    return float(text)


def moment(instant: float, zone: tzinfo) -> tuple[str, str]:
    """Day and time of day of an instant, as variables of a flow hold them."""
    local = datetime.fromtimestamp(instant, UTC).astimezone(zone)
    return local.date().isoformat(), local.strftime("%H:%M")
