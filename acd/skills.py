"""What a caller needs of an agent, and how the need relaxes while they wait.

This module decides who meets a demand and what a caller demands after so many seconds. It refuses to know who is free.
A need relaxes only: whoever could serve the caller at the start can serve them at every later moment.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

LEVELS = range(1, 6)  # of proficiency; an agent without the skill has 0


class Need(NamedTuple):
    skill: str
    level: int = 1

    def met_by(self, skills: Mapping[str, int]) -> bool:
        return skills.get(self.skill, 0) >= self.level


class Demand(NamedTuple):
    """What is demanded at one moment. Callers of one queue with equal demands are a class: first come, first served."""

    must: tuple[Need, ...] = ()
    nice: tuple[Need, ...] = ()  # who meets more of these is asked first
    agent: str | None = None  # nobody but this one

    def met_by(self, agent: str, skills: Mapping[str, int]) -> bool:
        return self.agent in (None, agent) and all(need.met_by(skills) for need in self.must)


ANYBODY = Demand()


class Relaxed(NamedTuple):
    """From `after_s` on the caller must have only this."""

    after_s: float
    must: tuple[Need, ...] = ()


@dataclass(frozen=True, slots=True)
class Requirement:
    """Raises `ValueError` when a step comes before the one before it, or asks for more."""

    must: tuple[Need, ...] = ()
    nice: tuple[Need, ...] = ()
    relax: tuple[Relaxed, ...] = ()

    def __post_init__(self) -> None:
        before = Relaxed(0.0, self.must)
        for step in self.relax:
            if step.after_s <= before.after_s:
                raise ValueError(f"a step after {step.after_s:g} s cannot follow one after {before.after_s:g} s")
            levels = {need.skill: need.level for need in before.must}
            more = [need.skill for need in step.must if need.level > levels.get(need.skill, 0)]
            if more:
                raise ValueError(f"the step after {step.after_s:g} s asks for more {more[0]!r} than before")
            before = step


class Stage(NamedTuple):
    """From so many seconds of waiting on, this is demanded."""

    after_s: float
    demand: Demand


def course(requirement: Requirement, preferred: str | None = None, preferred_s: float = 0.0) -> tuple[Stage, ...]:
    """All that a caller will demand. For the first `preferred_s` seconds nobody but the preferred agent will do."""
    steps = (Relaxed(0.0, requirement.must), *requirement.relax)
    stages = [Stage(step.after_s, Demand(step.must, requirement.nice)) for step in steps]
    if preferred is None or preferred_s <= 0:
        return tuple(stages)
    late = [stage for stage in stages if stage.after_s > preferred_s]
    begun = stages[len(stages) - len(late) - 1]
    return (Stage(0.0, Demand(agent=preferred)), Stage(preferred_s, begun.demand), *late)


def stage_at(stages: tuple[Stage, ...], waited_s: float) -> int:
    """Which stage is reached after a wait; a hair early counts, for timers are not exact."""
    reached = 0
    while reached + 1 < len(stages) and stages[reached + 1].after_s <= waited_s + 0.001:
        reached += 1
    return reached
