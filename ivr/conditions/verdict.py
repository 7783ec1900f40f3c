"""Whether a condition is the same whatever its variables hold: one that is always true, or never, is a mistake.

Decides only what it can prove. Every part that is compared with written values (`n > 5`, `tier in ["a", "b"]`, `size(x)
== 3`) takes on a few values that stand for all (each written one, and one in every gap between them), every other part
is taken as true and as false, and the condition is worked out for each combination. None means "not proved". What a
condition comes to when it fails (a division by zero) is no part of a verdict.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field

from ivr.conditions import Condition, ConditionFailed
from ivr.conditions.kinds import TEXTS, WHOLE, judge
from ivr.conditions.tree import Call, Constant, Literal, Name, Several, Tree, same, shape
from ivr.errors import ConditionError
from ivr.values import Kind, Value, fits

MAX_CASES = 1000
_EXACT = 2**53
"""Beyond this a whole number and a double compare in ways that are not looked into here."""

_SIGNS: Mapping[str, Callable[[Constant, Constant], bool]] = {
    "_==_": lambda a, b: a == b,
    "_!=_": lambda a, b: a != b,
    "_<_": lambda a, b: a < b,  # type: ignore[operator]
    "_<=_": lambda a, b: a <= b,  # type: ignore[operator]
    "_>_": lambda a, b: a > b,  # type: ignore[operator]
    "_>=_": lambda a, b: a >= b,  # type: ignore[operator]
}
_REFLEXIVE = frozenset({"_==_", "_<=_", "_>=_"})
_TURNED = {"_<_": "_>_", "_<=_": "_>=_", "_>_": "_<_", "_>=_": "_<=_", "_==_": "_==_", "_!=_": "_!=_"}

Case = Mapping[object, Constant]
"""What each part is taken to be."""

Question = Callable[[Case], bool]


@dataclass(slots=True)
class _Part:
    """Something that a condition compares with written values."""

    kind: Kind
    exact: tuple[Constant, ...] | None = None
    """All that it can be, when that is known."""
    finite: bool = True
    least: int = -(2**63)
    written: set[Constant] = field(default_factory=set)

    def stand_ins(self) -> Collection[Constant]:
        if self.exact is not None:
            return self.exact
        if self.kind is Kind.YES_NO:
            return (True, False)
        if self.kind in TEXTS:
            texts = [str(text) for text in self.written]
            return {"", *texts, *(text + "\0" for text in texts)}  # which is the very next text in order
        numbers: Iterable[float] = [number for number in self.written if not isinstance(number, str)]
        if self.kind in WHOLE:
            near = {math.floor(number) + step for number in numbers for step in (-1, 0, 1, 2)} or {0}
            bounds = {self.least} if self.least == 0 else set[int]()
            return bounds | {number for number in near if self.least <= number < 2**63}
        beside = {math.nextafter(number, way) for number in numbers for way in (-math.inf, math.inf)}
        odd = () if self.finite else (math.nan, math.inf, -math.inf)
        return {*map(float, numbers), *beside, 0.0, *odd}


def verdict(condition: Condition, known: Mapping[str, Collection[Value]] | None = None) -> bool | None:
    """`known`: all that a variable can hold, where that is known. None: it depends, or nobody could tell."""
    if condition.kind is not Kind.YES_NO:
        return None
    kinds = dict(condition.kinds)
    known = {
        name: tuple(values)
        for name, values in (known or {}).items()
        if name in kinds and all(fits(value, kinds[name]) for value in values)
    }
    if len(known) == len(condition.names) and math.prod(map(len, known.values())) <= MAX_CASES:
        return _by_trying(condition, known)
    return _proved(condition.tree, kinds, known)


def _by_trying(condition: Condition, known: Mapping[str, Collection[Value]]) -> bool | None:
    found: set[bool] = set()
    for values in itertools.product(*known.values()):
        try:
            found.add(condition.holds(dict(zip(known, values, strict=True))))
        except ConditionFailed:
            return None
    return found.pop() if len(found) == 1 else None


def _proved(tree: Tree, kinds: Mapping[str, Kind], known: Mapping[str, Collection[Value]]) -> bool | None:
    reading = _Reading(kinds, known)
    asks = reading.question(tree)
    stand_ins = {key: part.stand_ins() for key, part in reading.parts.items()}
    if math.prod(map(len, stand_ins.values())) <= MAX_CASES:
        found = {asks(dict(zip(stand_ins, case, strict=True))) for case in itertools.product(*stand_ins.values())}
        return found.pop() if len(found) == 1 else None
    match tree:  # too many at once: what each side alone shows
        case Call(function="_&&_" | "_||_" as sign, args=args):
            sides = [_proved(arg, kinds, known) for arg in args]
            decisive = sign == "_||_"
            if decisive in sides:
                return decisive
            return None if None in sides else not decisive
        case Call(function="!_", args=(arg,)):
            inside = _proved(arg, kinds, known)
            return None if inside is None else not inside
        case _:
            return None


class _Reading:
    """Makes a question of a tree, and collects the parts that its answer depends on."""

    def __init__(self, kinds: Mapping[str, Kind], known: Mapping[str, Collection[Value]]) -> None:
        self.kinds = kinds
        self.known = known
        self.parts: dict[object, _Part] = {}

    def question(self, tree: Tree) -> Question:
        match tree:
            case Literal(value=value):
                return lambda _: value is True
            case Call(function="_&&_", args=args):
                sides = [self.question(arg) for arg in args]
                return lambda case: all(side(case) for side in sides)
            case Call(function="_||_", args=args):
                sides = [self.question(arg) for arg in args]
                return lambda case: any(side(case) for side in sides)
            case Call(function="!_", args=(arg,)):
                inside = self.question(arg)
                return lambda case: not inside(case)
            case Call(function="_?_:_", args=args):
                which, yes, no = map(self.question, args)
                return lambda case: yes(case) if which(case) else no(case)
            case Call(function="@in", args=(part, Several(items=items))):
                return self._among(tree, part, items)
            case Call(function=sign, args=(left, right)) if sign in _SIGNS:
                return self._compared(tree, sign, left, right)
            case Call(function="startsWith" | "endsWith" | "contains" as how, args=(part, Literal(value=text))):
                return self._text(tree, how, part, str(text))
            case _:
                return self._open(tree)

    def _compared(self, tree: Tree, sign: str, left: Tree, right: Tree) -> Question:
        if isinstance(left, Literal) and isinstance(right, Literal):
            if not _plain(left.value, right.value):
                return self._open(tree)
            answer = _SIGNS[sign](left.value, right.value)
            return lambda _: answer
        if isinstance(left, Literal):
            left, right, sign = right, left, _TURNED[sign]
        if isinstance(right, Literal) and _plain(right.value):
            value, compare = right.value, _SIGNS[sign]
            key = self._part(left, value)
            return lambda case: compare(case[key], value)
        if same(left, right) and (isinstance(left, Name) or self._kind(left) is not Kind.AMOUNT):  # never "no number"
            return lambda _: sign in _REFLEXIVE
        return self._open(tree)

    def _among(self, tree: Tree, part: Tree, items: tuple[Tree, ...]) -> Question:
        values = [item.value for item in items if isinstance(item, Literal)]
        if len(values) < len(items) or isinstance(part, Literal) or not _plain(*values):
            return self._open(tree)
        key = self._part(part, *values)
        return lambda case: case[key] in values

    def _text(self, tree: Tree, how: str, part: Tree, text: str) -> Question:
        if isinstance(part, Name) and part.name in self.known:
            key, asks = self._part(part), {"startsWith": str.startswith, "endsWith": str.endswith}
            if how == "contains":
                return lambda case: text in str(case[key])
            return lambda case: asks[how](str(case[key]), text)
        last = ord(text[-1]) + 1 if text else 0
        if how == "startsWith" and text and (last < 0xD800 or 0xE000 <= last < 0x110000):
            beyond = text[:-1] + chr(last)  # what begins with the text stands in order between the two
            key = self._part(part, text, beyond)
            return lambda case: text <= str(case[key]) < beyond
        return self._open(tree)

    def _open(self, tree: Tree) -> Question:
        """Nothing is known of this part but that it is true or false."""
        key = self._part(tree, kind=Kind.YES_NO)
        return lambda case: case[key] is True

    def _part(self, tree: Tree, *written: Constant, kind: Kind | None = None) -> object:
        key = shape(tree)
        if key not in self.parts:
            exact = self.known.get(tree.name) if isinstance(tree, Name) else None
            self.parts[key] = _Part(kind or self._kind(tree), tuple(exact) if exact is not None else None)
            self.parts[key].finite = isinstance(tree, Name)
            if isinstance(tree, Call) and tree.function == "size":
                self.parts[key].least = 0
        self.parts[key].written.update(written)
        return key

    def _kind(self, tree: Tree) -> Kind:
        try:
            return judge(tree, self.kinds).kind
        except ConditionError:  # only a list, which is nobody's part
            return Kind.TEXT


def _plain(*values: Constant) -> bool:
    """Whether Python compares these as CEL does."""
    return all(isinstance(value, str) or abs(value) < _EXACT for value in values)
