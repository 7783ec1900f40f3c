"""A loaded set of flows: which one answers which number."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator

from ivr.flow import Flow
from ivr.problems import Problem
from ivr.wording import Spoken


class Dialplans:
    """Immutable. `warnings` are what an admin should know although the set is good."""

    def __init__(self, flows: Iterable[Flow], warnings: Iterable[Problem] = ()) -> None:
        self.flows = tuple(sorted(flows, key=lambda flow: flow.name))
        self.warnings = tuple(sorted(warnings))
        self.version = short_hash("\n".join(f"{flow.name} {flow.version}" for flow in self.flows).encode())
        self._by_number = {number: flow for flow in self.flows for number in flow.numbers}

    def __iter__(self) -> Iterator[Flow]:
        return iter(self.flows)

    def __len__(self) -> int:
        return len(self.flows)

    @property
    def numbers(self) -> tuple[str, ...]:
        return tuple(sorted(self._by_number))

    def flow_for(self, number: str) -> Flow | None:
        return self._by_number.get(number)

    def texts(self) -> dict[str, frozenset[Spoken]]:
        """Everything that callers could hear, by language."""
        texts: dict[str, frozenset[Spoken]] = {}
        for flow in self.flows:
            for language, found in flow.texts().items():
                texts[language] = texts.get(language, frozenset()) | found
        return texts


def short_hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:12]
