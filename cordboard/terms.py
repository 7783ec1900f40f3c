"""On which terms a caller waits: what the flow handed over, in the distributor's words and in the memory's.

Decides what a handover means to the distributor, and that terms read from a memory are as good as those written. It
refuses to know queues and who is free.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from acd.model import WaitingCaller
from acd.skills import LEVELS, Need, Relaxed, Requirement
from ivr.handover import LAST, Handover, Levels


@dataclass(frozen=True, slots=True)
class Terms:
    """`requirement` None: the queue's own. `keys` take the caller out of the queue, to where their flow says.

    `cut`: there was more than the memory could hold; the flow knows it.
    """

    head_start: float = 0.0
    preferred: str | None = None
    preferred_s: float = 0.0
    requirement: Requirement | None = None
    keys: str = ""
    cut: bool = False

    @classmethod
    def of(cls, handover: Handover, last_agent: str | None) -> Terms:
        """`last_agent`: whoever talked with this caller last."""
        preferred = last_agent if handover.prefer == LAST else handover.prefer or None
        skills = handover.skills
        requirement = None
        if skills is not None:
            relax = tuple(Relaxed(float(after_s), _needs(must)) for after_s, must in skills.relax)
            requirement = Requirement(_needs(skills.must), _needs(skills.nice), relax)
        return cls(
            float(handover.head_start_s),
            preferred,
            float(handover.prefer_s) if preferred is not None else 0.0,
            requirement,
            handover.keys,
        )

    def waiting(self, call: str, queue: str, joined_at: float, number: str, name: str) -> WaitingCaller:
        return WaitingCaller(
            call,
            queue,
            joined_at,
            head_start=self.head_start,
            caller_number=number,
            caller_name=name,
            requirement=self.requirement,
            preferred=self.preferred,
            preferred_s=self.preferred_s,
        )

    def shorter(self) -> Terms:
        """Without what can be long."""
        return replace(self, requirement=None, cut=self.requirement is not None)

    def to_memory(self) -> dict[str, Any]:
        """Small, plain JSON; nothing when there is nothing to say."""
        memory: dict[str, Any] = {}
        if self.head_start:
            memory["h"] = self.head_start
        if self.preferred is not None:
            memory |= {"a": self.preferred, "s": self.preferred_s}
        if self.keys:
            memory["k"] = self.keys
        if self.requirement is not None:
            needs = self.requirement
            memory["m"] = dict(needs.must)
            if needs.nice:
                memory["n"] = dict(needs.nice)
            if needs.relax:
                memory["r"] = [[step.after_s, dict(step.must)] for step in needs.relax]
        if self.cut:
            memory["x"] = 1
        return memory

    @classmethod
    def from_memory(cls, memory: Any) -> Terms:
        """Total: what is not there or not ours is as if it had not been asked for."""
        if not isinstance(memory, dict):
            return cls()
        preferred = memory.get("a")
        preferred = preferred if isinstance(preferred, str) and preferred else None
        return cls(
            _seconds(memory.get("h")),
            preferred,
            _seconds(memory.get("s")) if preferred is not None else 0.0,
            _requirement(memory) if "m" in memory else None,
            memory["k"] if isinstance(memory.get("k"), str) else "",
            bool(memory.get("x")),
        )


def _needs(levels: Levels) -> tuple[Need, ...]:
    return tuple(Need(skill, level) for skill, level in levels)


def _requirement(memory: Mapping[str, Any]) -> Requirement | None:
    try:
        relax = tuple(Relaxed(_seconds(after_s), _read(must)) for after_s, must in memory.get("r", ()))
        return Requirement(_read(memory["m"]), _read(memory.get("n", {})), relax)
    except (TypeError, ValueError, AttributeError):
        return None


def _read(levels: Any) -> tuple[Need, ...]:
    needs = tuple(Need(str(skill), level) for skill, level in levels.items())
    if not all(type(need.level) is int and need.level in LEVELS for need in needs):
        raise ValueError("not a level")
    return needs


def _seconds(given: Any) -> float:
    """Never what no order could be made with."""
    if isinstance(given, (int, float)) and not isinstance(given, bool) and math.isfinite(given) and given >= 0:
        return float(given)
    return 0.0
