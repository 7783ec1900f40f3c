"""What a variable of a flow can hold, and what kind of thing that is.

Decides the kinds, the empty value of each, and how a value reads on a screen. A kind is known when a flow is loaded; a
value is plain JSON, so that it can be kept, compared and sent.
"""

from __future__ import annotations

from enum import StrEnum

Value = str | int | float | bool


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


def shown(value: Value) -> str:
    """As a person or another system reads it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.2f}" if abs(value) < 1e15 else str(value)
    return str(value)


def fits(value: object, kind: Kind) -> bool:
    """Whether a value from outside may be kept in a variable of this kind."""
    match kind:
        case Kind.NUMBER | Kind.DURATION:
            return isinstance(value, int) and not isinstance(value, bool)
        case Kind.AMOUNT:
            return isinstance(value, (int, float)) and not isinstance(value, bool)
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
            return round(float(text), 2) if _is_whole(whole) and (not cents or _is_whole(cents)) else None
        case Kind.YES_NO:
            return {"true": True, "yes": True, "false": False, "no": False}.get(text)
        case Kind.DIGITS:
            return text if not text or _is_whole(text) else None
        case _:
            return text


def _is_whole(text: str) -> bool:
    digits = text.removeprefix("-")
    return digits.isascii() and digits.isdecimal() and len(digits) <= 15
