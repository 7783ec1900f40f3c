"""What a variable of a flow can hold, and what kind of thing that is.

Decides the kinds, the empty value of each, and how a value reads on a screen. A kind is known when a flow is loaded; a
value is plain JSON, so that it can be kept, compared and sent.
"""

from __future__ import annotations

import calendar
import math
import re
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum

Value = str | int | float | bool


MOST_EXACT = 1e15
"""From here on a float has no cents."""

_CENT = Decimal("0.01")
_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")


class Kind(StrEnum):
    TEXT = "text"
    DIGITS = "digits"
    NUMBER = "number"  # int
    AMOUNT = "amount"  # float, spoken as money when the flow has a currency
    DATE = "date"  # "2026-12-24"
    TIME = "time"  # "17:59"
    DURATION = "duration"  # int, seconds
    YES_NO = "yes_no"  # bool


EMPTY: dict[Kind, Value] = {
    Kind.TEXT: "",
    Kind.DIGITS: "",
    Kind.NUMBER: 0,
    Kind.AMOUNT: 0.0,
    Kind.DATE: "",
    Kind.TIME: "",
    Kind.DURATION: 0,
    Kind.YES_NO: False,
}
"""What a variable holds that nothing has set yet."""

BUILT_IN: dict[str, Kind] = {
    "caller_number": Kind.DIGITS,
    "caller_name": Kind.TEXT,
    "dialled": Kind.DIGITS,
    "language": Kind.TEXT,
    "queue": Kind.TEXT,
    "customer_id": Kind.TEXT,
    "customer_name": Kind.TEXT,
    "customer_tier": Kind.TEXT,
    "customer_language": Kind.TEXT,
    "opens_on": Kind.DATE,
    "opens_at": Kind.TIME,
}
"""What every flow may read without setting it."""


def kept(value: Value, kind: Kind) -> Value:
    """A value as a variable of this kind holds it: an amount has two decimals, and halves go away from zero, so that it
    is compared, sent, shown and spoken as the same."""
    if kind is not Kind.AMOUNT or isinstance(value, (str, bool)) or abs(value) >= MOST_EXACT:
        return value
    return float(Decimal(str(value)).quantize(_CENT, ROUND_HALF_UP)) + 0.0  # of which there is no negative nought


def shown(value: Value) -> str:
    """As a person or another system reads it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.2f}" if abs(value) < MOST_EXACT else str(value)
    return str(value)


def fits(value: object, kind: Kind) -> bool:
    """Whether a value from outside may be kept in a variable of this kind."""
    match kind:
        case Kind.NUMBER | Kind.DURATION:
            return isinstance(value, int) and not isinstance(value, bool)
        case Kind.AMOUNT:
            return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
        case Kind.YES_NO:
            return isinstance(value, bool)
        case _:
            return isinstance(value, str)


def read(text: str, kind: Kind) -> Value | None:
    """The value of a text that is written in a flow; None when it is none of this kind."""
    match kind:
        case Kind.NUMBER | Kind.DURATION:
            return int(text) if _is_whole(text) else None
        case Kind.AMOUNT:
            whole, _, cents = text.removeprefix("-").partition(".")
            return kept(float(text), kind) if _is_whole(whole) and (not cents or _is_whole(cents)) else None
        case Kind.YES_NO:
            return {"true": True, "yes": True, "false": False, "no": False}.get(text)
        case Kind.DIGITS:
            return text if not text or _is_whole(text) else None
        case Kind.DATE:
            return text if not text or _is_date(text) else None
        case Kind.TIME:
            return text if not text or _TIME.fullmatch(text) else None
        case _:
            return text


def _is_date(text: str) -> bool:
    found = _DATE.fullmatch(text)
    if found is None:
        return False
    year, month, day = map(int, found.groups())
    return year >= 1 and 1 <= month <= 12 and 1 <= day <= calendar.monthrange(year, month)[1]


def _is_whole(text: str) -> bool:
    digits = text.removeprefix("-")
    return digits.isascii() and digits.isdecimal() and len(digits) <= 15
