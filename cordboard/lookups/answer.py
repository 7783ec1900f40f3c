"""What an answer says: its outcome, and the values that a flow wants of it, from JSON that is read strictly.

Decides which JSON value may become a variable of which kind. What a variable holds is spoken, compared and kept on the
caller's channel, so it is short and of its kind, or there is no answer at all.
"""

from __future__ import annotations

import calendar
import json
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ivr.requests import FAILED, NOT_FOUND, OK, REFUSED, Saved
from ivr.values import Kind, Value, kept

LONGEST_TEXT = 120
LONGEST_DIGITS = 32
LARGEST = 10**12

_NUMBER = re.compile(r"-?\d{1,15}")
_AMOUNT = re.compile(r"-?\d{1,12}(?:\.\d{1,6})?")
_DATE = re.compile(r"(\d{4})-(\d{2})-(\d{2})")
_TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)(?::[0-5]\d)?")
_UNTOLD = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
"""Control characters, and halves of surrogate pairs, which can be stored and sent nowhere."""


@dataclass(frozen=True, slots=True)
class Reply:
    """`body` is None when it was too long, or compressed although plain text was asked for."""

    status: int
    body: bytes | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a request came to. `reason` is one word, for people who mend it; "" when all is well."""

    outcome: str
    reason: str = ""
    values: tuple[tuple[str, Value], ...] = ()


class NotUsable(Exception):
    """There is no value to go on with. The text is one word for the reason, without anything of the answer."""


def verdict_on(reply: Reply, wanted: tuple[Saved, ...]) -> Verdict:
    if reply.status in {404, 410}:
        return Verdict(NOT_FOUND)
    if 400 <= reply.status < 500:
        return Verdict(REFUSED, f"status_{reply.status}")
    if not 200 <= reply.status < 300:
        return Verdict(FAILED, "redirect" if reply.status < 400 else f"status_{reply.status}")
    if not wanted:
        return Verdict(OK)  # whatever it says, it was done
    if reply.body is None:
        return Verdict(FAILED, "too_long")
    try:
        return Verdict(OK, values=values_of(read_json(reply.body), wanted))
    except NotUsable as why:
        return Verdict(FAILED, str(why))


def read_json(body: bytes) -> Any:
    """Raises `NotUsable`."""
    try:
        return json.loads(body, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise NotUsable("not_json") from None


def _no_constant(name: str) -> Any:
    raise ValueError(name)


def values_of(data: Any, wanted: Iterable[Saved]) -> tuple[tuple[str, Value], ...]:
    """Every wanted value. Raises `NotUsable` when one is missing or of another kind."""
    return tuple((saved.name, _value_of(data, saved)) for saved in wanted)


def _value_of(data: Any, saved: Saved) -> Value:
    found = _at(data, saved.path)
    if found is None:
        if saved.default is None:
            raise NotUsable("no_field")
        return saved.default
    value = as_kind(found, saved.kind)
    if value is None:
        raise NotUsable("wrong_kind")
    if saved.one_of and value not in saved.one_of:
        if saved.default is None:
            raise NotUsable("not_one_of")
        return saved.default
    return value


def _at(data: Any, path: tuple[str, ...]) -> Any:
    """What is at this place, None when nothing is. A number in the path counts the entries of a list from 0."""
    for part in path:
        if isinstance(data, dict):
            data = data.get(part)
        elif isinstance(data, list) and part.isascii() and part.isdecimal() and int(part) < len(data):
            data = data[int(part)]
        else:
            return None
    return data


def as_kind(found: Any, kind: Kind) -> Value | None:
    """A JSON value as one of this kind, None when it is none. Numbers may be written as texts, as many systems do."""
    match kind:
        case Kind.YES_NO:
            return found if isinstance(found, bool) else None
        case Kind.NUMBER | Kind.DURATION:
            number = _whole(found)
            return None if number is not None and kind is Kind.DURATION and number < 0 else number
        case Kind.AMOUNT:
            return _amount(found)
        case Kind.DIGITS:
            text = str(found) if isinstance(found, int) and not isinstance(found, bool) else found
            fits = isinstance(text, str) and text.isascii() and text.isdecimal() and len(text) <= LONGEST_DIGITS
            return text if fits else None
        case Kind.DATE:
            return found if isinstance(found, str) and _is_date(found) else None
        case Kind.TIME:
            time = _TIME.fullmatch(found) if isinstance(found, str) else None
            return f"{time[1]}:{time[2]}" if time is not None else None
        case Kind.TEXT:
            fits = isinstance(found, str) and len(found) <= LONGEST_TEXT and not _UNTOLD.search(found)
            return found if fits else None


def _whole(found: Any) -> int | None:
    if isinstance(found, str) and _NUMBER.fullmatch(found):
        found = int(found)
    if isinstance(found, float) and found.is_integer():
        found = int(found)
    return found if isinstance(found, int) and not isinstance(found, bool) and abs(found) < LARGEST else None


def _amount(found: Any) -> float | None:
    if isinstance(found, str) and _AMOUNT.fullmatch(found):
        found = float(found)
    if isinstance(found, bool) or not isinstance(found, (int, float)):
        return None
    fits = abs(found) < LARGEST and math.isfinite(found)
    return float(kept(float(found), Kind.AMOUNT)) if fits else None


def _is_date(text: str) -> bool:
    date = _DATE.fullmatch(text)
    if date is None:
        return False
    year, month, day = int(date[1]), int(date[2]), int(date[3])
    return year >= 1 and 1 <= month <= 12 and 1 <= day <= calendar.monthrange(year, month)[1]
