"""How a variable of a flow is spoken: by its kind, or in the way that its place in the text asks for.

Decides which ways fit which kinds, and what must be prepared for a place in a text. How a number becomes words is
`ivr.spoken`'s.
"""

from __future__ import annotations

from collections.abc import Mapping

from ivr.spoken import SpokenKind as Way
from ivr.spoken import pieces, speak
from ivr.values import Kind, Value
from ivr.wording import QUEUE_VARIABLE, Variable, queue_text

_USUAL: dict[Kind, Way] = {
    Kind.DIGITS: Way.DIGITS,
    Kind.NUMBER: Way.NUMBER,
    Kind.AMOUNT: Way.MONEY,
    Kind.DATE: Way.DATE,
    Kind.TIME: Way.TIME,
    Kind.DURATION: Way.DURATION,
    Kind.YES_NO: Way.YES_NO,
}
_POSSIBLE: dict[Kind, frozenset[Way]] = {
    Kind.DIGITS: frozenset({Way.DIGITS, Way.SPELL, Way.NUMBER}),
    Kind.TEXT: frozenset({Way.DIGITS, Way.SPELL}),
    Kind.NUMBER: frozenset({Way.NUMBER, Way.ORDINAL, Way.DIGITS, Way.MONEY}),
    Kind.AMOUNT: frozenset({Way.MONEY, Way.NUMBER}),
    Kind.DATE: frozenset({Way.DATE}),
    Kind.TIME: frozenset({Way.TIME}),
    Kind.DURATION: frozenset({Way.DURATION, Way.NUMBER}),
    Kind.YES_NO: frozenset({Way.YES_NO}),
}


def way_of(kind: Kind, how: str, currency: str) -> Way | None:
    """The way to speak a variable; None for a text, which is a prepared one. Raises ValueError with the reason."""
    if how:
        try:
            way = Way(how)
        except ValueError:
            raise ValueError(f"{how!r} is no way to speak; there are: {', '.join(Way)}") from None
        if way not in _POSSIBLE[kind]:
            raise ValueError(f"a variable of the kind {kind.value!r} cannot be spoken as {how!r}")
    elif kind is Kind.AMOUNT and not currency:
        way = Way.NUMBER
    elif kind is Kind.TEXT:
        return None
    else:
        way = _USUAL[kind]
    if way is Way.MONEY and not currency:
        raise ValueError("money is spoken, and the flow has no 'currency'")
    return way


def said(
    variable: Variable, value: Value, kind: Kind, language: str, currency: str, texts: frozenset[str], today: str
) -> tuple[str, ...]:
    """The prepared pieces that say a value; none when it is empty or not what it should be."""
    way = way_of(kind, variable.how, currency)
    if variable.name == QUEUE_VARIABLE:
        return tuple(filter(None, [queue_text(str(value))]))
    if way is None:
        return (str(value),) if str(value) in texts else ()
    return speak(way, value, language, currency=currency, today=today)


def prepared(
    variable: Variable, kind: Kind, language: str, currency: str, constants: Mapping[str, frozenset[str]]
) -> frozenset[str]:
    """All that `said` can return for a place in a text."""
    way = way_of(kind, variable.how, currency)
    if way is None:
        return constants.get(variable.name, frozenset())
    return pieces(way, language, currency=currency)
