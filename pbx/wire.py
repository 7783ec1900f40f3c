"""The AMI codec: bytes to messages, actions to bytes. No I/O, no clock, no idea of what a message means.

Messages are cut at blank lines and decoded only as far as somebody asks: most headers of most events are never read.
The codec trusts neither side: an over-long message is skipped and counted, odd bytes decode to U+FFFD, and nothing that
could end a header early (Asterisk ends one at a bare LF, and a value at NUL) is ever encoded.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from pbx.errors import EncodeError

MAX_MESSAGE = 256 * 1024
"""More than any event; a `Status` with every variable stays far below."""

MAX_GREETING = 1024
MAX_LINE = 1024  # with CRLF; Asterisk 22 answers a longer one without its ActionID
MAX_HEADERS = 128
MAX_ACTION_ID = 64

_END = b"\r\n\r\n"
_CR = 13
_LINE_END = b"\r\n"
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_ACTION_ID = re.compile(r"[A-Za-z0-9._-]{1,64}\Z")
_NAME = re.compile(r"[A-Za-z0-9_-]+\Z")
_good_names: set[str] = set()

Headers = Iterable[tuple[str, str]]


class _Marks(dict[bytes, bytes]):
    """Header name to what stands before its value. Few names are asked for, and all of them by our own code."""

    def __missing__(self, name: bytes) -> bytes:
        self[name] = mark = b"\r\n" + name + b": "
        return mark


_marks = _Marks()


class Message:
    """One message: its bytes, without the blank line, and what can be asked of them.

    Header names match in any case (Asterisk says `CommandId` here and `CommandID` there); asked for in the PBX's own
    spelling, a header is found without decoding the others. Where a header is repeated the last one counts. The search
    goes backwards because what we ask for stands behind the fifteen headers that describe the channel.
    """

    __slots__ = ("raw",)

    def __init__(self, raw: bytes) -> None:
        self.raw = raw

    def get(self, name: bytes, default: bytes = b"") -> bytes:
        """The value of a header."""
        raw, mark = self.raw, _marks[name]
        start = raw.rfind(mark)
        if start < 0:
            values = self.all(name)
            return values[-1] if values else default
        start += len(mark)
        end = raw.find(b"\r\n", start)
        return raw[start:] if end < 0 else raw[start:end]

    def exact(self, name: bytes) -> bytes:
        """Like `get`, but only in this very spelling: for headers that are mostly absent."""
        raw, mark = self.raw, _marks[name]
        start = raw.rfind(mark)
        if start < 0:
            return b""
        start += len(mark)
        end = raw.find(b"\r\n", start)
        return raw[start:] if end < 0 else raw[start:end]

    def text(self, name: bytes) -> str:
        raw, mark = self.raw, _marks[name]
        start = raw.rfind(mark)
        if start < 0:
            return self.get(name).decode("utf-8", "replace")
        start += len(mark)
        end = raw.find(b"\r\n", start)
        return (raw[start:] if end < 0 else raw[start:end]).decode("utf-8", "replace")

    def take(self, *names: bytes) -> list[bytes]:
        """Several headers at once: in the order in which the PBX writes them, the message is searched only once."""
        raw = self.raw
        position = 0
        values = []
        for name in names:
            mark = _marks[name]
            start = raw.find(mark, position)
            if start < 0:
                values.append(self.get(name))
                continue
            start += len(mark)
            position = raw.find(b"\r\n", start)
            if position < 0:
                position = len(raw)
            values.append(raw[start:position])
        return values

    def all(self, name: bytes) -> list[bytes]:
        """Every value of a header that may occur more than once (`Variable`, `ChanVariable`, `Output`)."""
        wanted = name.lower()
        values = []
        for line in self.raw.split(b"\r\n"):
            header, colon, value = line.partition(b":")
            if colon and header.strip().lower() == wanted:
                values.append(value[1:] if value[:1] == b" " else value)
        return values

    @property
    def kind(self) -> bytes:
        """`Event`, `Response`: the name of the first header."""
        return self.raw.partition(b":")[0]

    @property
    def name(self) -> bytes:
        """The value of the first header: the event's name, or `Success`, `Error`, `Goodbye`."""
        raw = self.raw
        start = raw.find(b":") + 1
        end = raw.find(b"\r\n", start)
        return (raw[start:] if end < 0 else raw[start:end]).strip()

    def __repr__(self) -> str:  # values may be personal: never in a log by accident
        return f"<Message {self.kind!r} {self.name!r} {len(self.raw)} bytes>"


class Reader:
    """Cuts a byte stream into messages. How the stream was split into reads makes no difference."""

    def __init__(self, max_message: int = MAX_MESSAGE) -> None:
        self.greeting: bytes | None = None
        self.oversize = 0
        self._max = max_message
        self._rest = b""
        self._skipping = False

    def feed(self, data: bytes) -> list[Message]:
        """The messages that `data` completes."""
        rest = self._rest
        if rest and (rest[-1] in _LINE_END or self.greeting is None or self._skipping):
            data = rest + data
            rest = b""
        if self.greeting is None:
            line, end, data = data.partition(b"\r\n")
            if not end:
                self._rest = line[: MAX_GREETING + 1]
                if len(line) > MAX_GREETING:
                    self.greeting = b""
                    self._rest, self._skipping = b"", True
                return []
            self.greeting = line if len(line) <= MAX_GREETING else b""
        parts = data.split(_END)
        if rest:  # no end mark lies across the seam: only the first part is copied, not all of a large read
            parts[0] = rest + parts[0]
        limit = self._max
        size = len(data) + len(rest)
        rest = parts.pop()
        if self._skipping and parts:
            del parts[0]
            self._skipping = False
            self.oversize += 1
        # The end mark of a message of exactly the greatest size may be here in part, hence + 3.
        if len(rest) > limit + 3 or self._skipping:
            self._skipping = True
            rest = rest[-3:]
        self._rest = rest
        if size > limit:
            fitting = [part for part in parts if len(part) <= limit]
            self.oversize += len(parts) - len(fitting)
            parts = fitting
        messages = [Message(part) for part in parts if part and part[0] != _CR]
        if len(messages) < len(parts):  # a blank line too many somewhere
            messages = [Message(part) for part in (part.lstrip(b"\r\n") for part in parts) if part]
        return messages


def encode_action(name: str, headers: Headers, action_id: str) -> bytes:
    """One action as bytes, or `EncodeError`: what comes out is one action, whatever went in."""
    if _ACTION_ID.match(action_id) is None:
        raise EncodeError("an ActionID has 1 to 64 characters of A-Z a-z 0-9 . _ -")
    lines = [f"Action: {name}", f"ActionID: {action_id}"]
    runs_programs = name.lower() == "mixmonitor"
    for header, value in headers:
        if header not in _good_names:
            _check_name(header)
        if runs_programs and header.lower() == "command":
            raise EncodeError("a recording that ends by running a program")
        lines.append(f"{header}: {value}")
    if len(lines) > MAX_HEADERS:
        raise EncodeError(f"{len(lines)} headers, at most {MAX_HEADERS} are possible")
    if _CONTROL.search("".join(lines)) is not None:
        raise EncodeError("a control character in an action")
    lines.append("\r\n")
    try:
        data = "\r\n".join(lines).encode()
    except UnicodeEncodeError:
        raise EncodeError("a value that is not text") from None
    if len(data) > MAX_LINE and any(len(line.encode()) + 2 > MAX_LINE for line in lines):
        raise EncodeError(f"a line of more than {MAX_LINE} bytes")
    return data


def _check_name(header: str) -> None:
    if _NAME.match(header) is None:
        raise EncodeError("a header name that is not one")
    if len(_good_names) < 256:
        _good_names.add(header)
