"""Counts what happens to simulated callers and agents, batch by batch. It decides what counts, and explains nothing."""

from __future__ import annotations

from collections import Counter

from acd.simulate.report import BATCHES, Estimate, Outcome, estimate


class StreamTally:
    def __init__(self) -> None:
        self.callers = [0] * BATCHES
        self.waited = [0] * BATCHES
        self.wait_s = [0.0] * BATCHES
        self.in_time = [0] * BATCHES
        self.abandoned = [0] * BATCHES
        self.released = [0] * BATCHES
        self.longest_s = 0.0

    def add(self, batch: int, wait_s: float) -> None:
        self.callers[batch] += 1
        self.wait_s[batch] += wait_s
        self.longest_s = max(self.longest_s, wait_s)


def outcome(tallies: list[StreamTally]) -> Outcome:
    callers = _together([tally.callers for tally in tallies])

    def of_callers(lists: list[list[float]]) -> Estimate:
        return estimate(_together(lists), callers)

    return Outcome(
        int(sum(callers)),
        p_wait=of_callers([[*tally.waited] for tally in tallies]),
        mean_wait_s=of_callers([tally.wait_s for tally in tallies]),
        service_level=of_callers([[*tally.in_time] for tally in tallies]),
        p_abandon=of_callers([[*tally.abandoned] for tally in tallies]),
        p_released=of_callers([[*tally.released] for tally in tallies]),
        longest_wait_s=max(tally.longest_s for tally in tallies),
    )


def _together(lists: list[list[int]] | list[list[float]]) -> list[float]:
    return [float(sum(batch)) for batch in zip(*lists, strict=True)]


class BusyTime:
    """Agents' seconds in talk and wrap-up, by the batch in which they were spent."""

    def __init__(self, start: float, end: float) -> None:
        self.seconds = [0.0] * BATCHES
        self.calls: Counter[str] = Counter()
        self._start = start
        self._width = (end - start) / BATCHES

    def add(self, agent: str, begin: float, end: float) -> None:
        self.calls[agent] += 1
        first = max(0, int((begin - self._start) / self._width))
        for batch in range(first, BATCHES):
            left = self._start + batch * self._width
            if left >= end:
                break
            self.seconds[batch] += max(0.0, min(end, left + self._width) - max(begin, left))

    def occupancy(self, agents: int) -> Estimate:
        return estimate(self.seconds, [self._width * agents] * BATCHES)
