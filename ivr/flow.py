"""A checked dialplan, ready to run: nodes by id and every prompt's wording by node and slot."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ivr.node import Node
from ivr.wording import DIGITS, QUEUE_VARIABLE, Wording, queue_text


@dataclass(frozen=True, slots=True)
class Flow:
    """Immutable: a call keeps the one that it began with. `version` is a short hash of the file's content."""

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

    def texts(self) -> dict[str, frozenset[str]]:
        """Everything that a caller could hear, by language: what must be synthesised before the first call."""
        queues = {queue_text(queue) for node in self.nodes.values() for _, queue in node.queues()}
        texts: dict[str, set[str]] = {language: set() for language in self.languages}
        for wording in self.wordings.values():
            for language, pieces in wording.pieces.items():
                for piece in pieces:
                    if isinstance(piece, str):
                        texts[language].add(piece)
                    else:
                        texts[language].update(queues if piece.name == QUEUE_VARIABLE else DIGITS)
        return {language: frozenset(found) for language, found in texts.items()}
