"""A sum that forgets: what was added `tau_s` ago weighs 1/e of what is added now.

All sums with the same `tau_s` fade by the same factor, so which of two is smaller never changes with time alone. `key`
is the logarithm of the sum as it would weigh at second 0: it orders like the sum does, at any time, and never ages.
"""

from __future__ import annotations

from math import exp, expm1, inf, log, log1p


class Fading:
    __slots__ = ("_tau_s", "key")

    def __init__(self, tau_s: float) -> None:
        self._tau_s = tau_s
        self.key = -inf

    def add_one(self, at: float) -> None:
        self._add(at / self._tau_s)

    def add_seconds(self, begin: float, end: float) -> None:
        """Every second between, each fading from its own moment on."""
        if end > begin:
            self._add(log(self._tau_s) + end / self._tau_s + log(-expm1((begin - end) / self._tau_s)))

    def value(self, now: float) -> float:
        return exp(self.key - now / self._tau_s)

    def _add(self, weight: float) -> None:
        high, low = max(self.key, weight), min(self.key, weight)
        self.key = high + log1p(exp(low - high)) if low > -inf else high
