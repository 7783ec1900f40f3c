"""What a simulated day is made of: who calls, how long a talk lasts, how long people wait, who works.

It decides nothing; `world` plays it against the real engine.
"""

from __future__ import annotations

from dataclasses import dataclass

from acd.model import AgentSpec, QueueSpec, Rules
from acd.skills import Requirement


@dataclass(frozen=True, slots=True)
class Stream:
    """Callers of one kind. They come at random (Poisson), independent of each other."""

    queue: str
    calls_per_h: float
    handling_s: float  # mean length of a talk, without the queue's wrap-up
    handling_cv: float | None = None  # None: exponential; else lognormal of this standard deviation over mean
    patience_s: float | None = None  # mean of an exponential patience; None: they wait for ever
    head_start: float = 0.0
    requirement: Requirement | None = None  # None: the queue's
    by_hour: tuple[float, ...] = ()  # `calls_per_h` times this in each hour from the first on, over and over

    def __post_init__(self) -> None:
        if min(self.calls_per_h, self.handling_s) <= 0 or (self.patience_s is not None and self.patience_s <= 0):
            raise ValueError("calls an hour, handling time and patience must be above zero")
        if self.handling_cv is not None and self.handling_cv <= 0:
            raise ValueError("the spread of handling times must be above zero")
        if self.by_hour and (min(self.by_hour) < 0 or max(self.by_hour) <= 0):
            raise ValueError("the factors of the hours must not be below zero, nor all of them zero")

    def next_call(self, now: float, work: float) -> float:
        """When the next call comes, `work` being so many calls' worth of time from now."""
        if not self.by_hour:
            return now + work * 3600.0 / self.calls_per_h
        while True:
            hour = int(now // 3600.0)
            end = (hour + 1) * 3600.0
            calls_per_s = self.calls_per_h * self.by_hour[hour % len(self.by_hour)] / 3600.0
            if calls_per_s * (end - now) > work:
                return now + work / calls_per_s
            work -= calls_per_s * (end - now)
            now = end


@dataclass(frozen=True, slots=True)
class Load:
    """The streams and for how long they are watched. `warm_up_h` is simulated before and not counted."""

    streams: tuple[Stream, ...]
    hours: float
    warm_up_h: float = 1.0
    pick_up_s: float = 0.0  # from the first ring to the agent's answer; it counts as waiting
    within_s: float = 20.0  # the service level's seconds

    def __post_init__(self) -> None:
        if not self.streams or self.hours <= 0 or self.warm_up_h < 0:
            raise ValueError("a load needs at least one stream and some hours")


@dataclass(frozen=True, slots=True)
class Staffing:
    """Queues with their rules, and the agents, all of them at work from the first second on."""

    queues: tuple[QueueSpec, ...]
    agents: tuple[AgentSpec, ...]
    rules: Rules | None = None
