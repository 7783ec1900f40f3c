"""Waits that were expected beside waits as they were: how many callers were answered within what was promised.

Decides how to count callers who hung up before the promise had passed: nobody knows how long they would have waited.
They count as waiting until then, and not after (a life table over twentieths of the promise). Leaving them out would
say "kept" too rarely, counting them as answered too often.
"""

from __future__ import annotations

_PARTS = 20


class Promises:
    __slots__ = ("answered", "beyond", "gone")

    def __init__(self) -> None:
        self.answered = [0] * _PARTS  # by the twentieth of the promise in which they were answered
        self.gone = [0] * _PARTS  # likewise, hung up or handed back
        self.beyond = 0  # still waiting when the promise had passed

    def add(self, promised_s: float, waited_s: float, *, answered: bool) -> None:
        if waited_s > promised_s:
            self.beyond += 1
            return
        part = min(_PARTS - 1, int(waited_s / promised_s * _PARTS)) if promised_s > 0 else 0
        (self.answered if answered else self.gone)[part] += 1

    def __iadd__(self, other: Promises) -> Promises:
        self.answered = [a + b for a, b in zip(self.answered, other.answered, strict=True)]
        self.gone = [a + b for a, b in zip(self.gone, other.gone, strict=True)]
        self.beyond += other.beyond
        return self

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Promises) and (self.answered, self.gone, self.beyond) == (
            other.answered,
            other.gone,
            other.beyond,
        )

    __hash__ = None  # type: ignore[assignment]

    def __len__(self) -> int:
        return sum(self.answered) + sum(self.gone) + self.beyond

    @property
    def kept(self) -> float | None:
        """The share answered within the promise. None: of those who were promised a wait nobody shows it."""
        if not sum(self.answered) + self.beyond:
            return None
        waiting, still = float(len(self)), 1.0
        for answered, gone in zip(self.answered, self.gone, strict=True):
            at_risk = waiting - gone / 2
            if at_risk > 0:
                still *= 1.0 - min(1.0, answered / at_risk)
            waiting -= answered + gone
        return 1.0 - still
