"""Conditions and expressions of a dialplan, in CEL (Common Expression Language).

Decides what a condition may say (everything is judged when it is compiled) and that running one always ends, soon, in a
value of its kind or in `ConditionFailed`. It refuses to know flows and calls: it is given kinds, later values.

The library parses and runs (`tree`); which operators there are and which kinds they take is ours (`kinds`), because its
own checker would refuse `balance > 100` and answer `pin < "10"`. `verdict` says what no value can change.
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field

from cel_expr_python import cel

from ivr.conditions.kinds import TEXTS, WHOLE, judge, said
from ivr.conditions.tree import Name, Tree, parse, walk
from ivr.errors import ConditionError, ConditionFailed
from ivr.values import EMPTY, Kind, Value

__all__ = ["Condition", "ConditionError", "ConditionFailed", "compile_condition"]

MAX_TEXT = 1000
"""Characters of a text that a condition works on, or makes."""

_INT64 = range(-(2**63), 2**63)
_WRITTEN = re.compile(r"(-?)\s*(0[xX][0-9a-fA-F]+|\d+)")
_TYPES = {
    **dict.fromkeys(TEXTS, cel.Type.STRING),
    **dict.fromkeys(WHOLE, cel.Type.INT),
    Kind.AMOUNT: cel.Type.DOUBLE,
    Kind.YES_NO: cel.Type.BOOL,
}


@dataclass(frozen=True, slots=True)
class Condition:
    """Compiled once, run for every call."""

    text: str
    kind: Kind
    kinds: tuple[tuple[str, Kind], ...]
    """The variables that it reads."""
    tree: Tree = field(repr=False, compare=False)
    program: cel.Expression = field(repr=False, compare=False)

    @property
    def names(self) -> frozenset[str]:
        return frozenset(name for name, _ in self.kinds)

    def value(self, values: Mapping[str, Value]) -> Value:
        """What it comes to. A variable that is not among the values is empty (`EMPTY`). Raises `ConditionFailed`."""
        given = {name: _checked(name, kind, values.get(name, EMPTY[kind])) for name, kind in self.kinds}
        try:
            found = self.program.eval(data=given)
            if found.type() != _TYPES[self.kind]:
                raise ConditionFailed(_reason(str(found.value())))
            value: Value = found.value()
        except (RuntimeError, ValueError, TypeError):
            raise ConditionFailed("cannot be worked out") from None
        if isinstance(value, float) and not math.isfinite(value):
            raise ConditionFailed("a number too large, or a division by zero")
        if isinstance(value, str) and len(value) > MAX_TEXT:
            raise ConditionFailed(f"a text of more than {MAX_TEXT} characters")
        return value

    def holds(self, values: Mapping[str, Value]) -> bool:
        return self.value(values) is True


def compile_condition(text: str, kinds: Mapping[str, Kind], wanted: Kind | None = Kind.YES_NO) -> Condition:
    """`kinds`: every variable there is. `wanted`: the kind that the result must have; None: any (it is in `.kind`).

    Raises `ConditionError`.
    """
    program, tree = parse(text)
    judged = judge(tree, kinds)
    if wanted is not None and judged.kind is not wanted and not (wanted is Kind.TEXT and judged.kind in TEXTS):
        hint = ", for example: n > 5" if wanted is Kind.YES_NO else ""
        raise ConditionError(f"this gives {said(judged.kind)}, and must give {said(wanted)}{hint}", 1)
    if judged.to_double:
        program, _ = parse(_with_dots(text, judged.to_double))
    names = sorted({part.name for part in walk(tree) if isinstance(part, Name)})
    return Condition(text, judged.kind, tuple((name, kinds[name]) for name in names), tree, program)


def _with_dots(text: str, places: tuple[int, ...]) -> str:
    """Whole numbers among amounts, written as the library wants them."""
    for at in sorted(set(places), reverse=True):
        found = _WRITTEN.match(text, at)
        assert found is not None, "a whole number begins where the library said"
        text = f"{text[:at]}{float(int(found[1] + found[2], 0))!r}{text[found.end() :]}"
    return text


def _checked(name: str, kind: Kind, value: object) -> Value:
    """A value of the kind that was promised, within what the library can hold."""
    if kind in TEXTS:
        if isinstance(value, str):
            if len(value) > MAX_TEXT:
                raise ConditionFailed(f"{name!r} holds more than {MAX_TEXT} characters")
            if "\0" in value:  # where the library, 0.1.3, takes the text to end
                raise ConditionFailed(f"{name!r} holds a character that no text has")
            return value
    elif kind is Kind.YES_NO:
        if isinstance(value, bool):
            return value
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        if kind is Kind.AMOUNT and abs(value) <= sys.float_info.max:  # which is false for what is no number, too
            return float(value)
        if kind is not Kind.AMOUNT and isinstance(value, int) and value in _INT64:
            return value
    raise ConditionFailed(f"{name!r} does not hold {said(kind)}")


_REASONS = {
    "divide by zero": "a division by zero",
    "modulus by zero": "a division by zero",
    "overflow": "a number too large",
    "out of int64 range": "a number too large",
    "out of range": "a number too large",
    "cannot convert string": "a text that is no number",
}


def _reason(reported: str) -> str:
    """The library's words may hold what a variable held, so they are not passed on."""
    return next((words for key, words in _REASONS.items() if key in reported), "cannot be worked out")
