"""Conditions that are always true, or never: whatever stands behind them, or beside them, is never reached.

A text variable that only the flow itself sets can hold nothing else; so can one with `one_of`.
"""

from __future__ import annotations

from ivr.conditions import Condition, ConditionError, compile_condition
from ivr.conditions.verdict import verdict
from ivr.lint.subject import Subject
from ivr.node import Path
from ivr.values import BUILT_IN, EMPTY, Value
from ivr.verbs.decide import IfNode

CONSTANT = "constant-condition"


def rule(subject: Subject) -> None:
    for node_id, node in subject.file.nodes.items():
        here: Path = ("nodes", node_id)
        before: list[str] = []
        for written in node.expressions():
            compiled = subject.variables.expressions.get(written.text) if written.condition else None
            if compiled is None:
                continue
            where = (*here, *written.path)
            if not _constant(subject, where, compiled) and isinstance(node, IfNode):
                _never_comes_to_it(subject, where, compiled, before)
                before.append(compiled.text)


def _constant(subject: Subject, where: Path, condition: Condition) -> bool:
    same = verdict(condition, _held(subject, condition))
    if same is None:
        return False
    text = f"this is {'always true' if same else 'never true'}"
    subject.warn(CONSTANT, where, text, "whatever the variables hold")
    return True


def _never_comes_to_it(subject: Subject, where: Path, condition: Condition, before: list[str]) -> None:
    """What is true only where a condition above was true already."""
    if not before:
        return
    try:
        whole = compile_condition(
            " && ".join([f"({condition.text})", *(f"!({one})" for one in before)]), subject.variables.kinds
        )
    except ConditionError:
        return  # too long to tell
    if verdict(whole, _held(subject, whole)) is False:
        text = "whenever this is true, a condition above it is true as well"
        subject.warn(CONSTANT, where, text, "put it above that one")


def _held(subject: Subject, condition: Condition) -> dict[str, list[Value]]:
    """All that a variable can hold, itself empty as long as nothing has set it."""
    return {
        name: [*sorted(subject.variables.constants[name]), EMPTY[kind]]
        for name, kind in condition.kinds
        if name in subject.variables.constants and name not in BUILT_IN and isinstance(EMPTY[kind], str)
    }
