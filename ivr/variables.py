"""The variables of a flow: of which kind each is, what it can hold, and which expressions there are.

Decides that a variable has one kind, whoever sets it, and works out the kinds of those that expressions set. What is
wrong goes to the report; what cannot be found out is taken for a text, so that one mistake is said once.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from ivr.conditions import Condition, ConditionError, compile_condition
from ivr.conditions.tree import mentioned
from ivr.node import Path, Sets, Written
from ivr.problems import Report, did_you_mean
from ivr.values import BUILT_IN, Kind, read
from ivr.verbs.assign import LANGUAGE
from ivr.verbs.call_flow import CallNode
from ivr.verbs.give_back import ReturnNode
from ivr.wording import names_in

if TYPE_CHECKING:
    from ivr.model import DialplanFile

_FUNCTION = re.compile(r"\b[A-Za-z_]\w*\s*\(")
_NO_NAMES = frozenset({"true", "false", "null", "in"})


class Variables:
    """Made for one flow; `resolve` once, then read the attributes."""

    def __init__(self, file: DialplanFile, others: Mapping[str, DialplanFile | None] | None, report: Report) -> None:
        self.file = file
        self.others = others
        self.report = report
        self.kinds: dict[str, Kind] = dict(BUILT_IN)
        self.constants: dict[str, frozenset[str]] = {}
        self.secrets: set[str] = set()
        self.expressions: dict[str, Condition] = {}
        self._open: list[tuple[Path, Sets]] = []  # set by an expression that is not understood yet

    @property
    def names(self) -> set[str]:
        return set(self.kinds) | self.secrets

    def resolve(self) -> None:
        self._params()
        sets = [(("nodes", node_id), one) for node_id, node in self.file.nodes.items() for one in node.sets()]
        for here, one in sets:
            self._set(here, one)
        self._saved()
        self._close()
        self._compile()
        self._constants([one for _, one in sets])
        self._passed()

    def _params(self) -> None:
        for name, kind in self.file.params.items():
            if name in BUILT_IN:
                self.report(("params", name), f"{name!r} comes from the call and cannot be a parameter", key=True)
            else:
                self.kinds[name] = kind

    def _set(self, here: Path, one: Sets) -> None:
        where: Path = (*here, *one.path)
        if one.name == LANGUAGE:
            self._language(where, one)
        elif one.name in BUILT_IN:
            self.report(where, f"{one.name!r} comes from the call and cannot be set", key=True)
        elif one.secret:
            self.secrets.add(one.name)
        elif one.kind is None:
            self._open.append((where, one))
        else:
            self._is(where, one.name, one.kind)

    def _language(self, where: Path, one: Sets) -> None:
        for value in one.values or ():
            if value not in self.file.spoken:
                hint = f"it speaks {', '.join(self.file.spoken)}; add it to 'languages'"
                self.report(where, f"this flow does not speak {value!r}", hint, rule="unknown-language")
        if one.values is None:
            self.report(where, "the language cannot be worked out; write it")

    def _is(self, where: Path, name: str, kind: Kind) -> None:
        before = self.kinds.get(name)
        if before is None or before is kind:
            self.kinds[name] = kind
        elif {before, kind} == {Kind.TEXT, Kind.DIGITS}:
            self.kinds[name] = Kind.TEXT
        else:
            text = f"variable {name!r} would be a {kind.value} here, and is a {before.value} elsewhere"
            self.report(where, text, "a variable has one kind", key=True, rule="kind")

    def _saved(self) -> None:
        """What calls of other flows bring back."""
        for node_id, node in self.file.nodes.items():
            if not isinstance(node, CallNode):
                continue
            other = self.others.get(node.call.flow) if self.others is not None else None
            for name, theirs in node.call.save.items():
                where: Path = ("nodes", node_id, "call", "save", name)
                if name in BUILT_IN:
                    self.report(where, f"{name!r} comes from the call and cannot be set", key=True)
                elif other is not None and theirs not in other.returns:
                    hint = did_you_mean(theirs, other.returns)
                    self.report(where, f"flow {node.call.flow!r} returns no {theirs!r}", hint)
                    self._is(where, name, Kind.TEXT)
                else:
                    self._is(where, name, other.returns[theirs] if other is not None else Kind.TEXT)

    def _close(self) -> None:
        """Expressions can be built on each other: each is looked at when what it is built on is understood, and those
        that go round, or are built on nothing, once more at the end."""
        waiting = dict(enumerate(self._open))
        unknown = {one.name for _, one in self._open} - self.kinds.keys()
        built_on: dict[str, list[int]] = {}
        open_names: dict[int, set[str]] = {}
        for index, (_, one) in waiting.items():
            open_names[index] = mentioned(one.expr) & unknown
            for name in open_names[index]:
                built_on.setdefault(name, []).append(index)
        ready = [index for index, names in open_names.items() if not names]
        rest = iter(list(waiting))
        while waiting:
            index = ready.pop() if ready else next(rest, -1)
            if index < 0:
                break
            if index not in waiting:
                continue
            where, one = waiting[index]
            if not _reads(one.expr) <= self.kinds.keys():
                continue  # whoever words the finding looks for what was meant, which takes long
            try:
                compiled = compile_condition(one.expr, self.kinds, None)
            except ConditionError:
                continue
            del waiting[index]
            self._is(where, one.name, compiled.kind)
            for other in built_on.pop(one.name, ()):
                open_names[other].discard(one.name)
                if not open_names[other]:
                    ready.append(other)
        for where, one in waiting.values():
            self._is(where, one.name, self._built_on_itself(one))

    def _built_on_itself(self, one: Sets) -> Kind:
        """The kind of what begins empty and is made of itself, as in `n: {expr: n + 1}`."""
        if not _reads(one.expr) - {one.name} <= self.kinds.keys():
            return Kind.TEXT
        for kind in (Kind.NUMBER, Kind.AMOUNT, Kind.YES_NO, Kind.DURATION):
            try:
                if compile_condition(one.expr, {**self.kinds, one.name: kind}, None).kind is kind:
                    return kind
            except ConditionError:
                continue
        return Kind.TEXT

    def _compile(self) -> None:
        for node_id, node in self.file.nodes.items():
            for written in node.expressions():
                self._expression(("nodes", node_id, *written.path), written)

    def _expression(self, where: Path, written: Written) -> None:
        try:
            self.expressions[written.text] = compile_condition(
                written.text, self.kinds, Kind.YES_NO if written.condition else None
            )
        except ConditionError as error:
            if not self.secrets & mentioned(written.text):  # which is said as a leak
                self.report(where, f"{error}, at character {error.column}", rule="condition")

    def _constants(self, sets: list[Sets]) -> None:
        """What a variable can hold, where every node that sets it says so."""
        found: dict[str, set[str] | None] = dict.fromkeys(self.file.params)
        for node in self.file.nodes.values():
            if isinstance(node, CallNode):
                found |= dict.fromkeys(node.call.save)
        for one in sets:
            known = found.setdefault(one.name, set())
            if one.values is None or known is None:
                found[one.name] = None
            else:
                known |= one.values
        self.constants = {name: frozenset(values) for name, values in found.items() if values is not None}

    def _passed(self) -> None:
        """Values that go into other flows and come back out of this one."""
        for node_id, node in self.file.nodes.items():
            other = (self.others or {}).get(node.call.flow) if isinstance(node, CallNode) else None
            if isinstance(node, CallNode) and other is not None:
                here: Path = ("nodes", node_id, "call", "with")
                self._values(here, node.call.given, other.params, f"flow {node.call.flow!r}")
            elif isinstance(node, ReturnNode):
                self._values(("nodes", node_id, "return"), node.values, self.file.returns, "this flow's 'returns'")

    def _values(self, here: Path, given: Mapping[str, str], wanted: Mapping[str, Kind], whose: str) -> None:
        for name, text in given.items():
            if name not in wanted:
                hint = did_you_mean(name, wanted)
                self.report((*here, name), f"{whose} has no {name!r}", hint, key=True)
            else:
                self._value((*here, name), text, wanted[name])
        for name in wanted.keys() - given.keys():
            self.report(here, f"{whose} needs {name!r}", key=True)

    def _value(self, where: Path, text: str, kind: Kind) -> None:
        names = names_in(text)
        if len(names) == 1 and text == f"{{{names[0]}}}":
            have = self.kinds.get(names[0], kind)
            if have is not kind and not (kind is Kind.TEXT and have is Kind.DIGITS):
                self.report(where, f"{text} is a {have.value}, and a {kind.value} is needed")
        elif names and kind is not Kind.TEXT:
            self.report(where, f"a text is given, and a {kind.value} is needed")
        elif not names and read(text, kind) is None:
            self.report(where, f"{text!r} is no {kind.value}")


def _reads(expr: str) -> set[str]:
    """The variables of an expression that may not be one."""
    return mentioned(_FUNCTION.sub("(", expr)) - _NO_NAMES
