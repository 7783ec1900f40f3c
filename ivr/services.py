"""Another system that flows ask over HTTP: how it is reached, and how values get into what is sent to it.

Decides that no value can change where a request goes: in a path and a query it is percent-encoded, in a header it is
one line, in a body it is data. It refuses to know how anything is sent.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from ivr.node import Seconds, Strict, worded
from ivr.requests import HeaderValue, SecretName
from ivr.values import Value
from ivr.wording import Variable, WordingError, cut

MAX_FIELDS = 32
MAX_DEPTH = 6
MAX_TEXT = 500

SECRET = re.compile(r"\{secret:([A-Z][A-Z0-9_]{0,39})\}")
"""A place in a header for a secret of the configuration."""

OURS = frozenset(
    {"accept-encoding", "connection", "content-encoding", "content-length", "expect", "host", "keep-alive", "te"}
    | {"trailer", "transfer-encoding", "upgrade"}
)
"""Headers that say how a request is sent: nobody else's business."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_WHOLE = re.compile(r"\{([a-z][a-z0-9_]*)\}")
_IN_PATH = "/:@!$&'()*+,;=~%"

ValueOf = Callable[[str], Value]


class Unsendable(Exception):
    """This value cannot be sent there."""


class NothingToAskFor(Exception):
    """What the request is about is empty: nobody can be found by it."""


if TYPE_CHECKING:
    BaseUrl = str
    RequestPath = str
    Template = str
    HeaderName = str
    HeaderText = str
    Body = dict[str, Any]
else:
    BaseUrl = worded(
        r"https?://(?:[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?(?:/[A-Za-z0-9._~-]+)*/?",
        "an address such as https://billing.example.com/api",
    )

    def _template(text: str) -> str:
        if len(text) > MAX_TEXT or _CONTROL.search(text):
            raise PydanticCustomError("worded", "a text of at most 500 characters, on one line, is needed here")
        _cut(text)
        return text

    def _cut(text: str) -> None:
        try:
            cut(text)
        except WordingError as error:
            raise PydanticCustomError("worded", "{why}", {"why": str(error)}) from None

    def _path(text: str) -> str:
        if not text.startswith("/"):
            raise PydanticCustomError("worded", "{text} must begin with /", {"text": repr(text)})
        if "?" in text or "#" in text or "\\" in text:
            raise PydanticCustomError("worded", "a path has no ?, # or \\; parameters stand under 'query'")
        if any(part in {".", ".."} for part in text.split("/")):
            raise PydanticCustomError("worded", "a path must not hold . or ..")
        return _template(text)

    def _header(text: str) -> str:
        if len(text) > MAX_TEXT or _CONTROL.search(text):
            raise PydanticCustomError("worded", "a header is a text of at most 500 characters, on one line")
        rest = SECRET.sub("", text)
        if "{secret:" in rest:
            raise PydanticCustomError("worded", "a secret is written {secret:NAME}, its name in capital letters")
        _cut(rest)
        return text

    def _header_name(text: str) -> str:
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9-]{0,59}", text):
            raise PydanticCustomError("worded", "{text} is no name of a header", {"text": repr(text)})
        if text.lower() in OURS:
            raise PydanticCustomError("worded", "the header {text} is set by Cordboard itself", {"text": repr(text)})
        return text

    def _body(given: Any) -> dict[str, Any]:
        if not isinstance(given, dict):
            raise PydanticCustomError("worded", "a body must be a mapping (key: value)")
        _check_body(given, MAX_DEPTH)
        return given

    def _check_body(given: Any, depth: int) -> None:
        if depth == 0 or (isinstance(given, (dict, list)) and len(given) > MAX_FIELDS):
            raise PydanticCustomError("worded", "a body of more than 32 values in one place, or more than 6 deep")
        if isinstance(given, str):
            _template(given)
        elif isinstance(given, (dict, list)):
            for one in given.values() if isinstance(given, dict) else given:
                _check_body(one, depth - 1)
        elif given is not None:
            raise PydanticCustomError("worded", "a body is made of texts, mappings and lists")

    RequestPath = Annotated[str, AfterValidator(_path)]
    Template = Annotated[str, AfterValidator(_template)]
    HeaderName = Annotated[str, AfterValidator(_header_name)]
    HeaderText = Annotated[str, AfterValidator(_header)]
    Body = Annotated[dict[str, Any], AfterValidator(_body)]


class Service(Strict):
    """How another system is reached. A node may say otherwise about time and tries."""

    url: BaseUrl = Field(description="where it is, as https://billing.example.com/api")
    headers: Annotated[dict[HeaderName, HeaderText], Field(max_length=MAX_FIELDS)] = Field(
        default_factory=dict, description="name to value; {secret:NAME} is a secret of the configuration"
    )
    timeout: Annotated[Seconds, Field(ge=0.1, le=20)] = Field(3.0, description="for one try")
    tries: Annotated[int, Field(ge=1, le=5)] = Field(1, description="how often it is asked; an order is given once")

    def secrets(self) -> Iterator[tuple[str, str]]:
        """The header and name of every secret."""
        for name, text in self.headers.items():
            for secret in SECRET.findall(text):
                yield name, secret

    def reads(self) -> Iterator[tuple[str, str]]:
        """The header and name of every variable."""
        for name, text in self.headers.items():
            for variable in variables_in(SECRET.sub("", text)):
                yield name, variable


def variables_in(given: Any) -> Iterator[str]:
    """Every variable in a template, or in all of a body. The braces were checked when it was loaded."""
    if isinstance(given, str):
        yield from (piece.name for piece in cut(given) if isinstance(piece, Variable))
    elif isinstance(given, (dict, list)):
        for one in given.values() if isinstance(given, dict) else given:
            yield from variables_in(one)


def written(value: Value) -> str:
    """As another system reads it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:.2f}" if isinstance(value, float) else str(value)


def address(base: str, path: str, query: Mapping[str, str], value: ValueOf) -> str:
    """Ready to be sent. Raises `Unsendable`, `NothingToAskFor`."""
    asked = "&".join(f"{_encoded(name)}={_encoded(_filled(text, value))}" for name, text in query.items())
    return base.rstrip("/") + _path_of(path, value) + (f"?{asked}" if asked else "")


def _path_of(path: str, value: ValueOf) -> str:
    pieces: list[str] = []
    for piece in cut(path):
        if isinstance(piece, str):
            pieces.append(quote(piece, safe=_IN_PATH))
            continue
        text = written(value(piece.name))
        if not text.strip():
            raise NothingToAskFor
        pieces.append(_encoded(text))
    whole = "".join(pieces)
    # Dots need no encoding, and a server may take them for a way up, also behind an encoded slash.
    if any(part in {".", ".."} for part in re.split(r"/|%2[fF]|%5[cC]", whole)):
        raise Unsendable
    return whole


def _filled(text: str, value: ValueOf) -> str:
    return "".join(piece if isinstance(piece, str) else written(value(piece.name)) for piece in cut(text))


def _encoded(text: str) -> str:
    try:
        return quote(text, safe="")
    except UnicodeEncodeError:  # half of a surrogate pair
        raise Unsendable from None


def header(text: str, value: ValueOf) -> HeaderValue:
    """Raises `Unsendable` for a value that would be more than one line."""
    parts: list[str | SecretName] = []
    for number, part in enumerate(SECRET.split(text)):
        if number % 2:
            parts.append(SecretName(part))
        elif part:
            filled = _filled(part, value)
            if _CONTROL.search(filled):
                raise Unsendable
            parts.append(filled)
    return tuple(parts)


def body(given: Any, value: ValueOf) -> Any:
    """A text that is a whole variable keeps that variable's type."""
    if isinstance(given, str):
        whole = _WHOLE.fullmatch(given)
        return value(whole[1]) if whole is not None else _filled(given, value)
    if isinstance(given, dict):
        return {name: body(one, value) for name, one in given.items()}
    return [body(one, value) for one in given] if isinstance(given, list) else given
