"""What is wrong with a flow though every value of it is right, and what is right and yet a mistake: one rule a file.

Decides which rules there are. What they find of severity error keeps a dialplan from being published; their warnings
are for who asks for advice, as `cordboard dialplan check` does.
"""

from __future__ import annotations

from ivr.lint import after_hangup, constant, keys, leaks, lengths, people, plain_secrets, shape, subflows, unset
from ivr.lint.subject import Subject

__all__ = ["Subject", "lint"]

RULES = (shape.rule, leaks.rule, after_hangup.rule, subflows.rule, keys.rule, lengths.rule, plain_secrets.rule)
ADVICE = (people.rule, constant.rule, unset.rule)
"""Rules that only warn."""


def lint(subject: Subject) -> None:
    for rule in (*RULES, *(ADVICE if subject.advice else ())):
        rule(subject)
