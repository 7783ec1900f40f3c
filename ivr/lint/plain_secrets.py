"""Passwords, keys and tokens that stand in a dialplan, where everybody who reads the file reads them.

Decides by shapes that are well known, by the name of what a value stands under, and at last by how little a word looks
like one that people write. Nothing of what is found is repeated in the finding.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

from ivr.lint.subject import Subject
from ivr.node import Path

PLAIN = "plain-secret"

_HINT = "keep it under 'secrets' of the configuration, and write {secret:NAME} in a header"

_SHAPES = {
    "a private key": r"-----BEGIN [A-Z ]*PRIVATE KEY",
    "an AWS key": r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",
    "a GitHub token": r"\b(?:gh[opusr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,})",
    "a GitLab token": r"\bglpat-[A-Za-z0-9_-]{16,}",
    "a Slack token": r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}",
    "a Google key": r"\bAIza[A-Za-z0-9_-]{30,}",
    "a Stripe key": r"\b[rs]k_(?:live|test)_[A-Za-z0-9]{10,}",
    "a secret key": r"\bsk-[A-Za-z0-9_-]{16,}",
    "a SendGrid key": r"\bSG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}",
    "a Twilio key": r"\b(?:SK|AC)[0-9a-f]{32}\b",
    "a signed token": r"\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}",
    "a password in an address": r"[a-z][a-z0-9+.-]*://[^/\s:@{}]+:[^/\s@{}]+@",
    "a token after Bearer": r"(?i)\bbearer\s+(?!\{)[A-Za-z0-9._~+/=-]{8,}",
    "a password after Basic": r"(?i)\bbasic\s+(?!\{)[A-Za-z0-9+/=]{12,}",
    "a secret in an address": r"(?i)[?&](?:api_?key|(?:access_?)?token|secret|passw(?:or)?d|sig)=(?!\{)[^&\s{}]{4,}",
    "a password": r"(?i)\b(?:password|passwd|pwd|secret|contraseña|api[_ -]?key)\s*[:=]\s*(?=\S*\d)(?!\{)\S{4,}",
}  # fmt: skip
_COMPILED = tuple((what, re.compile(shape)) for what, shape in _SHAPES.items())
_NAMED = re.compile(
    r"(?i)(?:^|[_-])(?:password|passwd|pwd|secret|token|api-?_?key|apikey|auth-?key|access-?_?key|private-?_?key|authorization"
    r"|credential)s?$"
)
_HOLDERS = frozenset({"headers", "query", "body", "set"})
_TOKEN = re.compile(r"[A-Za-z0-9]{16,200}")
_CHANGES = 0.45
"""Of a word of sixteen characters that somebody wrote, three or four differ from their neighbour in kind."""


def rule(subject: Subject) -> None:
    for path, value in _texts((), subject.file.model_dump(by_alias=True, exclude_unset=True)):
        found = _known(value) or _by_name(path, value)
        if found:
            text = f"this looks like {found}, for everybody to read"
            subject.error(PLAIN, path, text, _HINT)
        elif any(_random(word) for word in _TOKEN.findall(value)):
            text = "this looks like a key or a token, for everybody to read"
            subject.warn(PLAIN, path, text, _HINT)


def _texts(path: Path, value: Any) -> Iterator[tuple[Path, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _texts((*path, key), inner)
    elif isinstance(value, (list, tuple)):
        for index, inner in enumerate(value):
            yield from _texts((*path, index), inner)


def _known(value: str) -> str:
    if len(value) < 8:
        return ""
    return next((what for what, shape in _COMPILED if shape.search(value)), "")


def _by_name(path: Path, value: str) -> str:
    """A value under a name such as X-Api-Key that is written out, and is no place for a secret or a variable."""
    names = [part for part in path if isinstance(part, str)]
    under = names[-1] if names else ""
    inside = names[:1] in (["nodes"], ["services"]) and not _HOLDERS.isdisjoint(names[2:-1])
    if not inside or "{" in value or len(value) < 4 or " " in value.strip():
        return ""
    if _NAMED.search(under) or (under.lower() == "key" and len(value) >= 12 and not value.isalpha()):
        return f"the secret that {under!r} stands for"
    return ""


def _random(word: str) -> bool:
    """Whether letters and digits change as they never do in a name, or are long and hexadecimal."""
    if re.fullmatch(r"[0-9a-f]{32,}", word) and re.search(r"[0-9]", word) and re.search(r"[a-f]", word):
        return True
    kinds = ["d" if one.isdigit() else "U" if one.isupper() else "l" for one in word]
    changes = sum(one != other for one, other in pairwise(kinds))
    return len({*kinds}) == 3 and changes >= len(word) * _CHANGES
