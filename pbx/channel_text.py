"""How AMI writes what it knows of a channel: names, numbers and variables as text."""

from __future__ import annotations

import re

UNKNOWN = b"<unknown>"
_ESCAPED = re.compile(r"\\(.)")
_UNESCAPED = {"a": "", "b": "", "f": "", "n": " ", "r": " ", "t": " ", "v": " "}


def number(raw: bytes) -> str:
    return "" if raw == UNKNOWN else raw.decode("utf-8", "replace")


def name(raw: bytes) -> str:
    """Asterisk writes caller names with C escapes; control characters among them become nothing or a blank."""
    if raw == UNKNOWN:
        return ""
    text = raw.decode("utf-8", "replace")
    if "\\" in text:
        text = _ESCAPED.sub(lambda found: _UNESCAPED.get(found[1], found[1]), text)
    return text


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
