"""Skills at work in the simulator: the real engine, the same callers, other staffing."""

from __future__ import annotations

from acd.model import AgentSpec, QueueSpec
from acd.simulate.load import Load, Staffing, Stream
from acd.simulate.report import Report
from acd.simulate.simulator import simulate
from acd.skills import Need, Relaxed, Requirement

SKILLS = tuple("abcdef")
QUEUE = QueueSpec("q", wrap_up_s=0.0)
AGENTS = 36


def day(skills_each: int) -> Report:
    """Six kinds of callers, 30 erlangs in all, 36 agents: each has the skills from their own on, in a ring."""
    people = []
    for n in range(AGENTS):
        # Their second skill is another one in each of a kind's agents: pairs spread over all kinds.
        first, shift = n % len(SKILLS), 1 + n // len(SKILLS) % (len(SKILLS) - 1)
        own = [first, *((first + shift + more) % len(SKILLS) for more in range(len(SKILLS) - 1))]
        chosen = list(dict.fromkeys([*own, *range(len(SKILLS))]))[:skills_each]
        people.append(AgentSpec(f"a{n}", "", f"p{n}", ("q",), {SKILLS[skill]: 3 for skill in chosen}))
    streams = tuple(Stream("q", 100, 180, requirement=Requirement((Need(skill),))) for skill in SKILLS)
    return simulate(Load(streams, hours=12), Staffing((QUEUE,), tuple(people)), seed=3)


def test_two_skills_each_are_nearly_as_good_as_all() -> None:
    one, two, everything = (day(skills).total.mean_wait_s.mean for skills in (1, 2, len(SKILLS)))
    assert everything < two < one
    assert one - two > 0.8 * (one - everything), "the second skill brings most of what can be had"


def test_relaxing_trades_the_right_agent_for_an_earlier_one() -> None:
    def wait(relax: tuple[Relaxed, ...]) -> float:
        stream = Stream("q", 100, 180, requirement=Requirement((Need("a", 3),), relax=relax))
        people = [AgentSpec(f"a{n}", "", f"p{n}", ("q",), {"a": 3 if n < 6 else 1}) for n in range(9)]
        return simulate(Load((stream,), hours=40), Staffing((QUEUE,), tuple(people)), seed=1).total.longest_wait_s

    assert wait((Relaxed(20.0),)) < wait((Relaxed(120.0),)) < wait(())
