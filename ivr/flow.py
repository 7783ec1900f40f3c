"""A checked dialplan, ready to run: nodes by id and every prompt's wording by node and slot."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from ivr.answers import moment
from ivr.conditions import Condition
from ivr.hours import OpeningHours
from ivr.node import Node
from ivr.services import Service
from ivr.speaking import prepared, said
from ivr.values import BUILT_IN, EMPTY, Kind, Value
from ivr.wording import QUEUE_VARIABLE, Piece, Spoken, Variable, Wording, in_place_of, queue_text


@dataclass(frozen=True, slots=True)
class Flow:
    """Immutable: a call keeps the one that it began with. `version` is a short hash of the file's content.

    `kinds`: of every variable; `constants`: all that a text variable can be, where that is known; `subs`: every other
    flow that this one leads into, by name; `numbers` is empty for one that is only called.
    """

    name: str
    version: str
    description: str
    numbers: tuple[str, ...]
    language: str
    languages: tuple[str, ...]
    start: str
    on_error: str | None
    nodes: Mapping[str, Node]
    wordings: Mapping[tuple[str, str], Wording]
    on_hangup: str | None = None
    fallback: Mapping[str, str] = field(default_factory=dict)
    currency: str = ""
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))
    params: Mapping[str, Kind] = field(default_factory=dict)
    returns: Mapping[str, Kind] = field(default_factory=dict)
    kinds: Mapping[str, Kind] = field(default_factory=dict)
    constants: Mapping[str, frozenset[str]] = field(default_factory=dict)
    secrets: frozenset[str] = frozenset()
    expressions: Mapping[str, Condition] = field(default_factory=dict)
    hours: Mapping[str, OpeningHours] = field(default_factory=dict)
    services: Mapping[str, Service] = field(default_factory=dict)
    subs: Mapping[str, Flow] = field(default_factory=dict)

    def kind(self, name: str) -> Kind:
        return self.kinds.get(name) or BUILT_IN.get(name, Kind.TEXT)

    def empty(self, name: str) -> Value:
        """What a variable holds that nothing has set yet."""
        return EMPTY[self.kind(name)]

    def family(self) -> Iterator[Flow]:
        """This flow and every other that it leads into."""
        yield self
        yield from self.subs.values()

    def heard_in(self, wording: Wording, language: str) -> str:
        """The language in which somebody who speaks `language` hears this prompt."""
        spoken = in_place_of(language, self.fallback)
        return next((one for one in spoken if one in wording.pieces), language)

    def language_in(self, other: Flow, language: str) -> str:
        """The language in which somebody who speaks `language` here goes on in another flow."""
        spoken = in_place_of(language, self.fallback)
        return next((one for one in spoken if one in other.languages), other.language)

    def fill(self, variable: Variable, value: Value, language: str, now: float) -> tuple[str, ...]:
        """The prepared pieces that say a value where a text has a place for it. A near date needs no year."""
        kind, texts = self.kind(variable.name), self.constants.get(variable.name, frozenset())
        return said(variable, value, kind, language, self.currency, texts, moment(now, self.zone)[0])

    def texts(self) -> dict[str, frozenset[Spoken]]:
        """Everything that a caller could hear, by language: what must be prepared before the first call."""
        heard: dict[str, set[Spoken]] = {language: set() for language in self.languages}
        for language, piece in self._pieces():
            heard.setdefault(language, set()).add(piece)
        for flow in self.family():
            for node in flow.nodes.values():
                for language in flow.languages:
                    heard.setdefault(language, set()).update(node.own_texts(language))
        return {language: frozenset(found) for language, found in heard.items()}

    def _pieces(self) -> Iterator[tuple[str, Spoken]]:
        for flow in self.family():
            for language, piece in flow._own_pieces():
                if isinstance(piece, Variable):
                    for text in flow._prepared(piece, language):
                        yield language, text
                else:
                    yield language, piece

    def _own_pieces(self) -> Iterator[tuple[str, Piece]]:
        for wording in self.wordings.values():
            for language, pieces in wording.pieces.items():
                for piece in pieces:
                    yield language, piece

    def _prepared(self, variable: Variable, language: str) -> frozenset[str]:
        if variable.name == QUEUE_VARIABLE:
            queues = {queue for node in self.nodes.values() for _, queue in node.queues()}
            return frozenset(map(queue_text, queues))
        return prepared(variable, self.kind(variable.name), language, self.currency, self.constants)
