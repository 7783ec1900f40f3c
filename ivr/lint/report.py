"""What a check found, as a document for programs. Its shape is a promise: keys may be added, none changes or goes.

{"ok": false, "flows": 3, "errors": 1, "warnings": 1, "findings": [
    {"file": "dialplans/shop.yaml", "line": 12, "column": 9, "severity": "error", "rule": "unknown-node",
     "message": "there is no node 'mian'", "hint": "did you mean 'main'?"}, ...]}
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from ivr.problems import Problem, Severity

VALUE = "value"
"""The rule of a finding about a single value, or about YAML itself."""


def as_document(flows: int, problems: Collection[Problem], *, strict: bool) -> dict[str, Any]:
    """`strict`: a warning is enough for not being good."""
    errors = sum(problem.severity is Severity.ERROR for problem in problems)
    warnings = len(problems) - errors
    return {
        "ok": not errors and not (strict and warnings),
        "flows": flows,
        "errors": errors,
        "warnings": warnings,
        "findings": [
            {
                "file": problem.file,
                "line": problem.line,
                "column": problem.column,
                "severity": problem.severity.value,
                "rule": problem.rule or VALUE,
                "message": problem.message,
                "hint": problem.hint,
            }
            for problem in sorted(problems)
        ],
    }
