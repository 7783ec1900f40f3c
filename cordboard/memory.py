"""What is stored on a caller's channel for whoever takes the call over, and how it is read again.

Decides the form (small JSON: the PBX cuts long values) and that anything else is nothing to go by: the text comes back
from the PBX, after a restart perhaps in a newer version of this program. It refuses to know how it gets there.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from cordboard.terms import Terms
from ivr.inputs import shorter
from pbx.actions import MAX_MEMORY
from pbx.facts import Origin


class Phase(StrEnum):
    """Who holds the caller."""

    FLOW = "flow"
    QUEUE = "queue"
    TALK = "talk"
    FALLBACK = "fallback"  # the plain dialplan, because we were away too long
    LEAVING = "leaving"  # hung up by us, the PBX has not said so yet


@dataclass(frozen=True, slots=True)
class Memory:
    """`position` is the flow's own; times are unix seconds. `kept`: a queue left by a key, and when it was joined.
    `version`: of the dialplans, 0 when none was met yet."""

    phase: Phase
    arrived_at: float
    origin: Origin
    dialled: str
    flow: str = ""
    queue: str = ""
    joined_at: float = 0.0
    position: dict[str, Any] | None = None
    terms: Terms = field(default_factory=Terms)
    kept: tuple[str, float] | None = None
    version: int = 0

    def dump(self) -> str:
        """At most `MAX_MEMORY` bytes. When it is too much, what is asked of agents goes first (the flow has it), then
        the flow's longest values (which are then known to be lost), then the place in it."""
        text = self._text()
        if len(text) > MAX_MEMORY:
            return replace(self, terms=self.terms.shorter())._shortened()
        return text

    def _shortened(self) -> str:
        position, text = self.position, self._text()
        while len(text) > MAX_MEMORY and position is not None:
            position = shorter(position)
            text = replace(self, position=position)._text()
        if len(text) > MAX_MEMORY:
            text = replace(self, position=None, dialled="", flow="", terms=Terms())._text()
        return text

    def _text(self) -> str:
        fields: dict[str, Any] = {"p": self.phase, "a": round(self.arrived_at, 3), "o": self.origin, "d": self.dialled}
        if self.flow:
            fields["f"] = self.flow
        if self.version:
            fields["r"] = self.version
        if self.queue:
            fields |= {"q": self.queue, "j": round(self.joined_at, 3)}
        if self.position is not None:
            fields["s"] = self.position
        if terms := self.terms.to_memory():
            fields["w"] = terms
        if self.kept is not None:
            fields["k"] = [self.kept[0], round(self.kept[1], 3)]
        return json.dumps(fields, separators=(",", ":"))  # all ASCII: characters are bytes

    @classmethod
    def load(cls, text: str) -> Memory | None:
        """None when there is nothing to go by: empty, or not written by us."""
        try:
            fields = json.loads(text)
            json.dumps(fields, ensure_ascii=False).encode()  # half a surrogate pair can be stored nowhere
            position = fields.get("s")
            return cls(
                phase=Phase(fields["p"]),
                arrived_at=_time(fields["a"]),
                origin=Origin(fields["o"]),
                dialled=_text(fields["d"]),
                flow=_text(fields.get("f", "")),
                queue=_text(fields.get("q", "")),
                joined_at=_time(fields.get("j", 0.0)),
                position=position if isinstance(position, dict) else None,
                terms=Terms.from_memory(fields.get("w")),
                kept=_kept(fields.get("k")),
                version=_number(fields.get("r", 0)),
            )
        except (ValueError, KeyError, TypeError, AttributeError, ArithmeticError, RecursionError):
            return None

    def known_at(self, now: float) -> Memory:
        """The same, nothing in it later than now: the machine's clock may have been put back between two lives, and
        whoever joined "in an hour" would wait behind everybody who comes until then."""
        kept = (self.kept[0], min(self.kept[1], now)) if self.kept is not None else None
        return replace(self, arrived_at=min(self.arrived_at, now), joined_at=min(self.joined_at, now), kept=kept)


def _time(given: Any) -> float:
    """A time that waits can be computed with: NaN would have no place in any order."""
    seconds = float(given)
    if not math.isfinite(seconds):
        raise ValueError("not a time")
    return seconds


def _kept(given: Any) -> tuple[str, float] | None:
    if given is None:
        return None
    queue, joined_at = given
    return _text(queue), _time(joined_at)


def _number(given: Any) -> int:
    if not isinstance(given, int) or isinstance(given, bool) or given < 0:
        raise TypeError("not a number")
    return given


def _text(given: Any) -> str:
    if not isinstance(given, str):
        raise TypeError("not a text")
    return given
