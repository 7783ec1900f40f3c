"""Every error that `ivr` raises.

IvrError
├── DialplanErrors    a folder of dialplans was refused; `problems` says all that is wrong with it
├── ConditionError    a condition's text is wrong: where, and why
├── ConditionFailed   a condition has no answer for these values (division by zero, overflow)
├── DrawingError      a flow cannot be drawn here
├── PromptMissing     a text has no sound file (never prepared, or somebody deleted it)
└── VoiceError        a text could not be synthesised
"""

from __future__ import annotations

from collections.abc import Iterable

from ivr.problems import Problem


class IvrError(Exception):
    """Base of the tree above."""


class DialplanErrors(IvrError):
    """Refused whole: nothing of the folder was taken over."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems))
        super().__init__("\n".join(map(str, self.problems)))


class PromptMissing(IvrError):
    """The text itself is not in the message: it may hold what a caller typed."""

    def __init__(self, language: str) -> None:
        super().__init__(f"no sound file for a prompt in {language!r}")
        self.language = language


class VoiceError(IvrError):
    """No engine could speak a text."""


class ConditionError(IvrError):
    """`column` counts from 1, in characters of the condition's text."""

    def __init__(self, message: str, column: int) -> None:
        super().__init__(message)
        self.message = message
        self.column = column


class ConditionFailed(IvrError):
    """The message names variables, never what they hold: that may be a caller's."""


class DrawingError(IvrError):
    """The text is for whoever asked."""
