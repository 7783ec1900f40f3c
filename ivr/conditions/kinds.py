"""Of which kind a condition's result is, and whether its parts go together.

Decides which operators and functions there are, and which kinds each of them takes; everything else is refused by name.
It is stricter than CEL where CEL would answer and mislead (keyed digits have no order: "10" < "9") and more generous
where an admin need not know how a machine keeps numbers: an amount compares with a whole number.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from ivr.conditions.patterns import pattern_fault
from ivr.conditions.tree import Call, Literal, Name, Several, Tree
from ivr.errors import ConditionError
from ivr.problems import did_you_mean
from ivr.values import Kind

TEXTS = frozenset({Kind.TEXT, Kind.DIGITS, Kind.DATE, Kind.TIME})
WHOLE = frozenset({Kind.NUMBER, Kind.DURATION})
NUMBERS = WHOLE | {Kind.AMOUNT}

_SAID = {
    Kind.TEXT: "a text",
    Kind.DIGITS: "digits",
    Kind.NUMBER: "a number",
    Kind.AMOUNT: "an amount",
    Kind.DATE: "a date",
    Kind.TIME: "a time",
    Kind.DURATION: "a duration",
    Kind.YES_NO: "yes or no",
}
_LOGIC = {"_&&_": "&&", "_||_": "||"}
_EQUAL = {"_==_": "==", "_!=_": "!="}
_ORDER = {"_<_": "<", "_<=_": "<=", "_>_": ">", "_>=_": ">="}
_ARITHMETIC = {"_+_": "+", "_-_": "-", "_*_": "*", "_/_": "/", "_%_": "%"}
_ON_TEXTS = frozenset({"startsWith", "endsWith", "contains", "matches"})
_CONVERSIONS = {"int": Kind.NUMBER, "double": Kind.AMOUNT, "string": Kind.TEXT}
FUNCTIONS = _ON_TEXTS | _CONVERSIONS.keys() | {"size"}
_FORMS = {
    Kind.DATE: (re.compile(r"\d{4}-\d\d-\d\d"), '"2026-12-24"'),
    Kind.TIME: (re.compile(r"([01]\d|2[0-3]):[0-5]\d"), '"17:59"'),
    Kind.DIGITS: (re.compile(r"[0-9+*#]*"), '"4711"'),
}


class Judged(NamedTuple):
    kind: Kind
    to_double: tuple[int, ...]
    """Where whole numbers stand that are written among amounts: the library wants them written with a dot."""


def judge(tree: Tree, kinds: Mapping[str, Kind]) -> Judged:
    """Raises `ConditionError` for the first thing that is wrong."""
    judge = _Judge(kinds)
    return Judged(judge.kind(tree), tuple(judge.to_double))


def said(kind: Kind) -> str:
    return _SAID[kind]


class _Judge:
    def __init__(self, kinds: Mapping[str, Kind]) -> None:
        self.kinds = kinds
        self.to_double: list[int] = []

    def kind(self, tree: Tree) -> Kind:
        match tree:
            case Literal(value=value):
                return _kind_of(value)
            case Name(name=name):
                return self._name(name, tree.at)
            case Several():
                raise _wrong(tree, "a list stands only after 'in'")
            case Call():
                return self._call(tree)

    def _name(self, name: str, at: int) -> Kind:
        if name in self.kinds:
            return self.kinds[name]
        hint = did_you_mean(name, self.kinds)
        hint = hint if "mean" in hint else "; ".join(filter(None, (f'write "{name}" if a text is meant', hint)))
        raise ConditionError(f"there is no variable {name!r} ({hint})", at + 1)

    def _call(self, call: Call) -> Kind:
        function = call.function
        if function in _LOGIC:
            return self._all_yes_no(call, _LOGIC[function])
        if function == "!_":
            return self._all_yes_no(call, "!")
        if function in _EQUAL:
            self._comparable(call, call.args[0], call.args[1], _EQUAL[function])
            return Kind.YES_NO
        if function in _ORDER:
            self._ordered(call, _ORDER[function])
            return Kind.YES_NO
        if function == "@in":
            return self._in(call)
        if function == "_?_:_":
            return self._choice(call)
        if function == "-_":
            return self._number(call.args[0], "-")
        if function in _ARITHMETIC:
            return self._arithmetic(call, _ARITHMETIC[function])
        if function in FUNCTIONS:
            return self._function(call)
        if function == "_[_]":
            raise _wrong(call, "[...] after a value cannot be used: a variable has no parts")
        raise _wrong(call, f"there is no function {function!r} ({did_you_mean(function, FUNCTIONS)})")

    def _all_yes_no(self, call: Call, sign: str) -> Kind:
        for arg in call.args:
            kind = self.kind(arg)
            if kind is not Kind.YES_NO:
                raise _wrong(arg, f"{sign} is between conditions, and this is {said(kind)}")
        return Kind.YES_NO

    def _comparable(self, at: Tree, left: Tree, right: Tree, sign: str) -> tuple[Kind, Kind]:
        one, other = self.kind(left), self.kind(right)
        for group in (TEXTS, NUMBERS):
            if one in group and other in group:
                break
        else:
            if one is not other:
                hint = _mixed_hint(one, other, left, right)
                raise _wrong(at, f"{said(one)} cannot be compared with {said(other)} ({hint})")
        for kind, value in ((one, right), (other, left)):
            _well_formed(kind, value)
        precise = {one, other} - {Kind.TEXT}
        if len(precise) == 2 and precise <= TEXTS:
            raise _wrong(at, f"{said(one)} {sign} {said(other)}: they are never the same kind of text")
        return one, other

    def _ordered(self, call: Call, sign: str) -> None:
        kinds = self._comparable(call, call.args[0], call.args[1], sign)
        if Kind.YES_NO in kinds:
            raise _wrong(call, f"{sign} needs an order, and yes and no have none")
        if Kind.DIGITS in kinds:
            raise _wrong(
                call, f'{sign} compares digits as a text, where "10" is before "9" (write int(...) around them)'
            )

    def _in(self, call: Call) -> Kind:
        needle, among = call.args
        if not isinstance(among, Several):
            kind = self.kind(among)
            hint = "write a.contains(b) for a text in a text" if kind in TEXTS else 'such as ["gold", "silver"]'
            raise _wrong(among, f"'in' needs a list ({hint})")
        self.kind(needle)
        for item in among.items:
            self._comparable(item, needle, item, "in")
        return Kind.YES_NO

    def _choice(self, call: Call) -> Kind:
        question, yes, no = call.args
        kind = self.kind(question)
        if kind is not Kind.YES_NO:
            raise _wrong(question, f"before ? there must be a condition, and this is {said(kind)}")
        one, other = self.kind(yes), self.kind(no)
        if one is other:
            return one
        if one in TEXTS and other in TEXTS:
            return next((a for a, b in ((one, no), (other, yes)) if _fitting(a, b)), Kind.TEXT)
        if one in NUMBERS and other in NUMBERS:
            if Kind.AMOUNT in {one, other}:
                return self._amounts(call, (yes, one), (no, other))
            return Kind.DURATION if any(isinstance(side, Literal) for side in (yes, no)) else Kind.NUMBER
        raise _wrong(call, f"both sides of : must be of one kind, and these are {said(one)} and {said(other)}")

    def _arithmetic(self, call: Call, sign: str) -> Kind:
        left, right = call.args
        one, other = self.kind(left), self.kind(right)
        if sign == "+" and one in TEXTS and other in TEXTS:
            return Kind.TEXT
        sides = ((left, one), (right, other))
        if sign == "+" and {one, other} & TEXTS:
            arg, kind = next((arg, kind) for arg, kind in sides if kind not in TEXTS)
            raise _wrong(arg, f"{said(kind)} cannot be joined to a text (write string(...) around it)")
        for arg, kind in sides:
            if kind not in NUMBERS:
                hint = " (write int(...) or double(...) around it)" if kind in TEXTS else ""
                raise _wrong(arg, f"{sign} cannot be used with {said(kind)}{hint}")
        if Kind.AMOUNT in {one, other}:
            if sign == "%":
                raise _wrong(call, "% is for whole numbers (write int(...) around an amount)")
            return self._amounts(call, (left, one), (right, other))
        if Kind.DURATION in {one, other}:
            return Kind.NUMBER if sign == "/" and one is other else Kind.DURATION
        return Kind.NUMBER

    def _number(self, arg: Tree, sign: str) -> Kind:
        kind = self.kind(arg)
        if kind not in NUMBERS:
            raise _wrong(arg, f"{sign} cannot be used with {said(kind)}")
        return kind

    def _amounts(self, at: Tree, *sides: tuple[Tree, Kind]) -> Kind:
        """An amount beside a whole number: a written one is taken as an amount, any other must be made one."""
        for side, kind in sides:
            if kind is Kind.AMOUNT:
                continue
            places = _written(side)
            if places is None:
                raise _wrong(at, f"{said(kind)} and an amount: write double(...) around the first")
            self.to_double += places
        return Kind.AMOUNT

    def _function(self, call: Call) -> Kind:
        function, args = call.function, call.args
        takes = 2 if function in _ON_TEXTS else 1
        if len(args) != takes or (function in _ON_TEXTS and not call.method):
            shape = f'name.{function}("...")' if function in _ON_TEXTS else f"{function}(name)"
            raise _wrong(call, f"{function!r} is written {shape}")
        if function == "size" and isinstance(args[0], Several):
            for item in args[0].items:
                self.kind(item)
            return Kind.NUMBER
        kinds = [self.kind(arg) for arg in args]
        if function in _ON_TEXTS or function == "size":
            for arg, kind in zip(args, kinds, strict=True):
                if kind not in TEXTS:
                    raise _wrong(arg, f"{function!r} is for texts, and this is {said(kind)}{_quote(arg)}")
            if function == "matches":
                self._pattern(args[1])
            return Kind.NUMBER if function == "size" else Kind.YES_NO
        if kinds[0] is Kind.YES_NO and function != "string":
            raise _wrong(args[0], f"{function}(...) cannot take yes or no")
        return _CONVERSIONS[function]

    def _pattern(self, tree: Tree) -> None:
        """Only a written pattern can be judged before a call meets it."""
        if not isinstance(tree, Literal):
            raise _wrong(tree, "'matches' needs a pattern in quotes")
        if fault := pattern_fault(str(tree.value)):
            raise _wrong(tree, fault)


def _written(tree: Tree) -> list[int] | None:
    """The places of the whole numbers that this part is made of; None when it is made of more."""
    match tree:
        case Literal(value=int()):
            return [tree.at]
        case Call(function="-_" | "_+_" | "_-_" | "_*_", args=args):
            places = [_written(arg) for arg in args]
            return None if None in places else [at for some in places if some for at in some]
        case _:
            return None


def _fitting(kind: Kind, other: Tree) -> bool:
    """Whether a written text may stand for a value of this kind."""
    if not isinstance(other, Literal):
        return False
    return other.value == "" or kind not in _FORMS or _FORMS[kind][0].fullmatch(str(other.value)) is not None


def _well_formed(kind: Kind, other: Tree) -> None:
    """A date compared with what is no date would be false for ever."""
    if kind in _FORMS and isinstance(other, Literal) and not _fitting(kind, other):
        raise _wrong(other, f"{said(kind)} never reads {str(other.value)[:40]!r} (written like {_FORMS[kind][1]})")


def _kind_of(value: str | int | float | bool) -> Kind:
    match value:
        case bool():
            return Kind.YES_NO
        case int():
            return Kind.NUMBER
        case float():
            return Kind.AMOUNT
        case _:
            return Kind.TEXT


def _mixed_hint(one: Kind, other: Kind, left: Tree, right: Tree) -> str:
    if {one, other} & TEXTS and {one, other} & NUMBERS:
        number = left if one in NUMBERS else right
        if isinstance(number, Literal):
            return f'write "{number.value}" in quotes, or int(...) around the other side'
        if isinstance(text := right if number is left else left, Literal) and str(text.value).isdecimal():
            return f"write {text.value} without quotes"
        return "write int(...) or string(...) around one of them"
    return "write true or false" if {one, other} & TEXTS else "they are never the same"


def _quote(arg: Tree) -> str:
    return f' (write "{arg.value}" in quotes)' if isinstance(arg, Literal) else ""


def _wrong(tree: Tree, message: str) -> ConditionError:
    return ConditionError(message, tree.at + 1)
