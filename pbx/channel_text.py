"""How AMI writes what it knows of a channel: names, numbers and variables as text."""

from __future__ import annotations

import re

UNKNOWN = b"<unknown>"
_ESCAPED = re.compile(r"\\(.)")
_UNESCAPED = {"a": "", "b": "", "f": "", "n": " ", "r": " ", "t": " ", "v": " "}


def number(raw: bytes) -> str:
    return "" if raw == UNKNOWN else _seen(raw.decode("utf-8", "replace"))


def name(raw: bytes) -> str:
    """Asterisk writes caller names with C escapes; control characters become nothing or a blank. Those that it
    does not escape (ESC, C1, marks that turn text round) would command the terminal of whoever looks."""
    if raw == UNKNOWN:
        return ""
    text = raw.decode("utf-8", "replace")
    if "\\" in text:
        text = _ESCAPED.sub(lambda found: _UNESCAPED.get(found[1], found[1]), text)
    return _seen(text)


def _seen(text: str) -> str:
    """What a person can see of a text that a stranger chose."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else " " if char.isspace() else "" for char in text)


def endpoint(channel_name: str) -> str:
    """`PJSIP/1001-0000002a` is a channel of the endpoint 1001."""
    return channel_name.partition("/")[2].rpartition("-")[0]


def variable(raw: bytes, wanted: bytes) -> bytes:
    """The value in `Variable: wanted=value`, b"" when absent or unset."""
    mark = b"\r\nVariable: " + wanted + b"="
    start = raw.find(mark)
    if start < 0:
        return b""
    start += len(mark)
    end = raw.find(b"\r\n", start)
    value = raw[start:] if end < 0 else raw[start:end]
    return b"" if value == b"(null)" else value  # an unset variable, as glibc prints a null pointer
