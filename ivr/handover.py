"""What a flow hands over with a caller who goes into a queue: plain values, its variables filled in."""

from __future__ import annotations

from dataclasses import dataclass

LAST = "last"
"""As the preferred agent: whoever talked with this caller last."""

LEFT = "by_key"
"""How a wait ended that the caller ended by a key."""

Levels = tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Skills:
    """What an agent must have and what is nice to find; `relax`: after so many seconds only that much."""

    must: Levels = ()
    nice: Levels = ()
    relax: tuple[tuple[int, Levels], ...] = ()


@dataclass(frozen=True, slots=True)
class Handover:
    """`skills` None: the queue's own rules. `prefer`: an agent's number, `LAST`, or "". `data` is for the agent to see.

    `keys` take the caller out of the queue again, each as a key of the phone.
    """

    queue: str
    skills: Skills | None = None
    head_start_s: int = 0
    prefer: str = ""
    prefer_s: int = 0
    data: tuple[tuple[str, str], ...] = ()
    keys: str = ""
    keep_place: bool = True
