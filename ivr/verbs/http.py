"""`http`: ask another system, or tell it something.

`next` follows when it has answered well, and everything that is wanted of the answer is there; `otherwise` in every
other case: the caller is never left with a system that does not answer. What a secure question collected may be sent
in a body or a header, and is forgotten with that. An order (`post`) is never given twice, nor after a restart.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Discriminator, Field, Tag

from ivr.inputs import Answered, Input, KeyTyped
from ivr.node import Node, NodeId, Path, Read, Seconds, ServiceName, Sets, Strict, Use, VariableName, kind_of, worded
from ivr.otherwise import Reasons, go, ways
from ivr.requests import FAILED, NOT_FOUND, OK, HttpRequest, Method, Saved
from ivr.services import (
    MAX_FIELDS,
    Body,
    NothingToAskFor,
    RequestPath,
    Template,
    Unsendable,
    address,
    body,
    header,
    variables_in,
)
from ivr.values import Kind, Value, read
from ivr.walk import Lost

if TYPE_CHECKING:
    from ivr.walk import Walk

MARGIN_S = 2.0
"""What whoever asks may take longer than all tries can: then nobody waits any more."""

METHODS: tuple[Method, ...] = ("GET", "POST", "PUT", "DELETE")

if TYPE_CHECKING:
    Place = str
else:
    Place = worded(
        r"[^.\x00-\x1f]{1,60}(?:\.[^.\x00-\x1f]{1,60}){0,9}", "a place in the answer such as account.balance or items.0"
    )


class Wanted(Strict):
    """A value of the answer, and what it may be."""

    place: Place = Field(alias="from", description="where it is: keys, and numbers for entries of a list, with dots")
    type: Kind = Field(Kind.TEXT, description="its kind; another one is no answer")
    one_of: tuple[str, ...] = Field((), description="all that it can be; a text of these can be spoken")
    default: str | None = Field(None, description="when it is not there, null, or none of `one_of`")

    def contradictions(self) -> Iterator[tuple[Path, str]]:
        for index, text in enumerate(self.one_of):
            if read(text, self.type) is None:
                yield ("one_of", index), f"{text!r} is no {self.type.value}"
        if self.default is not None and read(self.default, self.type) is None:
            yield ("default",), f"{self.default!r} is no {self.type.value}"

    def values(self) -> frozenset[str] | None:
        """All that a text can be, when that is known."""
        if self.type is not Kind.TEXT or not self.one_of:
            return None
        return frozenset(self.one_of) | ({self.default} if self.default is not None else set())


class WhyNot(Reasons):
    """Where a caller goes without an answer, by why."""

    not_found: NodeId | None = Field(None, description="there is no such thing (404)")
    refused: NodeId | None = Field(None, description="the system says no (another 4xx)")
    failed: NodeId | None = Field(None, description="no answer, or none that could be used")


class Http(Strict):
    """What is asked, and what is kept of the answer."""

    service: ServiceName = Field(description="one of the flow's `services`")
    get: RequestPath | None = Field(None, description="ask; {variables} may stand in the path")
    post: RequestPath | None = Field(None, description="order; never given twice")
    put: RequestPath | None = Field(None, description="set: doing it twice is the same as once")
    delete: RequestPath | None = Field(None, description="remove")
    query: Annotated[dict[Template, Template], Field(max_length=MAX_FIELDS)] = Field(
        default_factory=dict, description="parameters: name to value"
    )
    body: Body | None = Field(None, description="sent as JSON, for post and put")
    save: Annotated[
        dict[
            VariableName,
            Annotated[
                Annotated[Place, Tag("<place>")] | Annotated[Wanted, Tag("<wanted>")],
                Discriminator(kind_of("<place>", "<wanted>")),
            ],
        ],
        Field(max_length=MAX_FIELDS),
    ] = Field(default_factory=dict, description="variable to a place in the answer, for a text, or to more about it")
    timeout: Annotated[Seconds, Field(ge=0.1, le=20)] | None = Field(None, description="for one try; the service's")
    tries: Annotated[int, Field(ge=1, le=5)] | None = Field(None, description="how often; the service's")
    cache: Annotated[Seconds, Field(ge=0, le=86_400)] = Field(0.0, description="how old an answer may be, for get")

    @property
    def method(self) -> Method:
        return next((method for method in METHODS if getattr(self, method.lower()) is not None), "GET")

    @property
    def path(self) -> str:
        return str(getattr(self, self.method.lower()) or "/")

    def wanted(self) -> dict[str, Wanted]:
        return {
            name: Wanted.model_validate({"from": one}) if isinstance(one, str) else one
            for name, one in self.save.items()
        }

    def contradictions(self) -> Iterator[tuple[Path, str]]:
        methods = [method.lower() for method in METHODS if getattr(self, method.lower()) is not None]
        if len(methods) != 1:
            more = f"{methods[1]!r} is a second one" if methods else "there is none"
            yield ((methods[1],) if methods else ()), f"exactly one of get, post, put and delete is needed; {more}"
        elif self.body is not None and self.method not in {"POST", "PUT"}:
            yield ("body",), f"'{methods[0]}' sends no body"
        elif self.cache and self.method != "GET":
            yield ("cache",), "only the answer to a 'get' can be kept"
        for name, one in self.save.items():
            if isinstance(one, Wanted):
                for path, text in one.contradictions():
                    yield ("save", name, *path), text


class HttpNode(Node):
    """Ask another system, or tell it something."""

    verb: ClassVar[str] = "http"
    waits: ClassVar[bool] = True
    needs_caller: ClassVar[bool] = False

    http: Http
    next: NodeId
    otherwise: Annotated[
        Annotated[NodeId, Tag("<node>")] | Annotated[WhyNot, Tag("<by reason>")],
        Discriminator(kind_of("<node>", "<by reason>")),
    ]

    def branches(self) -> Iterator[tuple[Path, str, str]]:
        yield ("next",), "next", self.next
        yield from ways(self.otherwise)

    def services(self) -> Iterator[tuple[Path, str]]:
        yield ("http", "service"), self.http.service

    def reads(self) -> Iterator[Read]:
        asked = self.http
        for name in variables_in(asked.path):
            yield Read(("http", asked.method.lower()), name, Use.URL)
        for key, text in asked.query.items():
            for name in variables_in([key, text]):
                yield Read(("http", "query", key), name, Use.URL)
        for name in variables_in(asked.body):
            yield Read(("http", "body"), name, Use.BODY)

    def sets(self) -> Iterator[Sets]:
        for name, wanted in self.http.wanted().items():
            yield Sets(("http", "save", name), name, wanted.type, wanted.values())

    def contradictions(self) -> Iterator[tuple[Path, str]]:
        for path, text in self.http.contradictions():
            yield ("http", *path), text

    def enter(self, walk: Walk) -> None:
        secrets = walk.flow.secrets.intersection(self._sent_names(walk))
        secret = bool(secrets)
        if walk.resumed and (secret or self.http.method == "POST"):
            self._without(walk, FAILED, "unknown_fate")  # a predecessor may have sent it
            return
        if not all(map(walk.has_secret, secrets)):
            self._without(walk, FAILED, "no_secret")  # sent already, or never asked for
            return
        try:
            request = self._request(walk, secret=secret)
        except NothingToAskFor:
            self._without(walk, NOT_FOUND, "empty")
        except Unsendable:
            self._without(walk, FAILED, "not_sendable")
        except Lost:
            self._without(walk, FAILED, "lost")
        else:
            if secret:
                walk.forget_secrets()
            walk.ask(request, request.longest_s + MARGIN_S)

    def take(self, walk: Walk, given: Input) -> None:
        if isinstance(given, KeyTyped):
            walk.type_ahead(given.key, barge_in=False)
        if not isinstance(given, Answered):
            return
        if given.outcome != OK:
            go(walk, self.otherwise, given.outcome)
            return
        for name, value in given.values:
            walk.assign(name, value)
        walk.go(self.next)

    def _sent_names(self, walk: Walk) -> Iterator[str]:
        """The variables that may be secrets."""
        yield from variables_in(self.http.body)
        yield from (name for _, name in walk.flow.services[self.http.service].reads())

    def _request(self, walk: Walk, *, secret: bool) -> HttpRequest:
        asked, service = self.http, walk.flow.services[self.http.service]
        return HttpRequest(
            asked.service,
            asked.method,
            address(service.url, asked.path, asked.query, walk.value),
            tuple((name, header(text, walk.secret)) for name, text in service.headers.items()),
            None if asked.body is None else body(asked.body, walk.secret),
            timeout_s=asked.timeout or service.timeout,
            tries=asked.tries or service.tries,
            cache_s=asked.cache,
            save=tuple(_saved(name, wanted) for name, wanted in asked.wanted().items()),
            secret=secret,
        )

    def _without(self, walk: Walk, outcome: str, reason: str) -> None:
        """Nothing was sent."""
        data = {"service": self.http.service, "outcome": outcome, "reason": reason, "ms": 0}
        walk.note("http.ended", data)
        go(walk, self.otherwise, outcome)


def _saved(name: str, wanted: Wanted) -> Saved:
    one_of: list[Value] = [value for text in wanted.one_of if (value := read(text, wanted.type)) is not None]
    default = read(wanted.default, wanted.type) if wanted.default is not None else None
    return Saved(name, tuple(wanted.place.split(".")), wanted.type, tuple(one_of), default)
