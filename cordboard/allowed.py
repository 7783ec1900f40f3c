"""Whom a call may be sent to: our agents, and numbers that begin as the configuration allows.

Decides that everything else is refused, whoever asks: toll fraud is how telephone systems lose money. It refuses to
know whether anybody can be reached there now.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from acd.destinations import Person, ToAgent, ToNumber
from acd.errors import NotAllowed, NotPossible

_NUMBER = re.compile(r"\+?[0-9]{1,24}\Z")


def is_number(text: str) -> bool:
    """Whether this can be dialled at all: digits, perhaps a + before them. Nothing else ever reaches the PBX."""
    return _NUMBER.match(text) is not None


@dataclass(frozen=True, slots=True)
class Allowed:
    """Both methods raise an `AcdError` whose text can be shown to whoever asked."""

    agents: Collection[str]
    prefixes: tuple[str, ...]
    trunk: bool

    def person(self, text: str) -> Person:
        """An agent's number, or a number outside."""
        return ToAgent(text) if text in self.agents else self.number(text)

    def may_begin(self, text: str) -> bool:
        """Whether numbers that begin like this one may be called."""
        return text.startswith(self.prefixes)

    def number(self, text: str) -> ToNumber:
        """A number outside. Raises `NotAllowed`; `NotPossible` for one that cannot be dialled."""
        if not is_number(text):
            raise NotPossible("A number has digits only, and perhaps a + before them.")
        if not self.may_begin(text):
            raise NotAllowed("This number may not be dialled: no entry of transfers.prefixes allows it.")
        if not self.trunk:
            raise NotPossible("There is no trunk (pbx.trunk) to dial a number through.")
        return ToNumber(text)
