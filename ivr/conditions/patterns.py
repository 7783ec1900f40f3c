"""Which regular expressions a dialplan may hold.

They run in RE2, whose time grows with the text and never with its wording, so no pattern can hang a call. But RE2 makes
its program anew at each use, and `[^x]{1000}` takes 4 ms to make: what a pattern may count up to is bounded here.
"""

from __future__ import annotations

import re
from functools import cache
from math import prod

from cel_expr_python import cel

MAX_LENGTH = 100
MAX_COUNTED = 200
MAX_WEIGHT = 1000
"""When a group is counted: characters times everything that is counted."""

_COUNTED = re.compile(r"\{(\d+)(?:,(\d*))?\}")


def pattern_fault(pattern: str) -> str:
    """What is wrong with a pattern; nothing, when it is good."""
    if len(pattern) > MAX_LENGTH:
        return f"a pattern of more than {MAX_LENGTH} characters"
    if re.search(r"\\[pP]", pattern):
        return r"\p in a pattern cannot be used (write the letters that are meant, as in [a-zñ])"
    counts = [max(int(least), int(most or 0), 1) for least, most in _COUNTED.findall(pattern)]
    if sum(counts) > MAX_COUNTED or ("){" in pattern and len(pattern) * prod(counts) > MAX_WEIGHT):
        return "a pattern that counts too high"
    found = _trial().eval(data={"pattern": pattern, "text": ""})
    if found.type() == cel.Type.BOOL:
        return ""
    return f"this is no pattern: {str(found.value()).split('expression: ')[-1]}"


def is_whole(pattern: str, text: str) -> bool:
    """Whether the text as a whole is what the pattern describes."""
    found = _trial().eval(data={"pattern": f"^(?:{pattern})$", "text": text})
    return found.type() == cel.Type.BOOL and found.value() is True


@cache
def _trial() -> cel.Expression:
    texts = dict.fromkeys(("pattern", "text"), cel.Type.STRING)
    return cel.NewEnv(variables=texts).compile("text.matches(pattern)")
