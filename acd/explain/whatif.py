"""What would have changed where a call went: one thing is changed, and the recorded facts are played again.

This module decides which changes are worth trying: those nearest to what happened. Each answer comes from the engine
itself (`fork`); where it has none, nothing is claimed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from math import floor

from acd import facts as f
from acd.engine import Engine
from acd.explain.fork import Attempt, Fork, Telling
from acd.explain.situation import Bar, Barred
from acd.explain.story import Moment, Stay, What
from acd.model import WaitingCaller
from acd.replay import Entry
from acd.skills import Need, Relaxed, Requirement
from acd.states import AgentState
from acd.strategies import Strategy

_SHOWN = 5
_AGENTS_TRIED = 8
_AGENTS_SHOWN = 2
_OWN_WILL = frozenset({"abandoned", "by_key"})  # reasons of leaving
_WORTH_S = 0.5  # who would have been offered the call no earlier than this has changed nothing


class Change(StrEnum):
    READY = "ready"  # an agent
    LOGGED_IN = "logged_in"
    PHONE = "phone"  # an agent's was reachable and idle
    SKILL = "skill"  # an agent's
    DEMAND = "demand"  # the caller's
    NO_PREFERENCE = "no_preference"
    HEAD_START = "head_start"
    STRATEGY = "strategy"
    STAYED = "stayed"  # the caller had waited on
    NO_LIMIT = "no_limit"  # of the queue


@dataclass(frozen=True, slots=True)
class WhatIf:
    change: Change
    offered_to: str
    offered_at: float
    earlier_s: float | None = None  # than the first offer; None when there was none, or for a choice at the same time
    agent: str | None = None  # who was changed
    need: Need | None = None  # after the change
    level: int = 0  # before it
    seconds: float = 0.0
    strategies: tuple[str, ...] = ()


def what_ifs(stay: Stay, entries: Sequence[Entry]) -> list[WhatIf]:
    """A handful, the most telling first. `entries` begin with the stay's first line and may go on after its end."""
    if stay.before is None:
        return []
    fork = Fork(stay.caller.call, stay.before, entries)
    found = [*_sooner(stay, fork), *_choice(stay, fork), *_longer(stay, fork)]
    return found[:_SHOWN]


# What is tried


def _sooner(stay: Stay, fork: Fork) -> Iterator[WhatIf]:
    """Had something been otherwise when they came, somebody would have been offered the call earlier."""
    first = stay.offers[0] if stay.offers else None
    waits = next((one for one in stay.moments if one.what is What.WAITS), None)
    view = waits.situation if waits is not None and waits.number == stay.first.number else None
    tried: list[WhatIf] = []
    if view is not None and (first is None or first.number != stay.first.number):
        tried += _agents_otherwise(view.barred, fork)
        tried += _caller_otherwise(stay.caller, view.barred, fork)
    passed = next((one for one in stay.moments if one.what is What.PASSED_OVER), None)
    if passed is not None:
        seconds = floor(passed.ahead_s) + 1.0
        sooner = replace(stay.caller, head_start=stay.caller.head_start + seconds)
        tried += _claim(fork, WhatIf(Change.HEAD_START, "", 0.0, seconds=seconds), Attempt(caller=sooner))
    timed = [_timed(one, first) for one in tried]
    worth = [one for one in timed if one.earlier_s is None or one.earlier_s >= _WORTH_S]
    worth.sort(key=lambda one: one.offered_at)
    agents = [one for one in worth if one.agent is not None][:_AGENTS_SHOWN]
    yield from (one for one in worth if one.agent is None or one in agents)


def _timed(one: WhatIf, first: Moment | None) -> WhatIf:
    return replace(one, earlier_s=first.at - one.offered_at) if first is not None else one


def _agents_otherwise(barred: Sequence[Barred], fork: Fork) -> Iterator[WhatIf]:
    tried = 0
    for one in barred:
        if len(one.reasons) != 1 or tried >= _AGENTS_TRIED:
            continue
        (reason,) = one.reasons
        agent = one.agent
        fact: f.Fact
        if reason.bar is Bar.STATE and reason.state == AgentState.LOGGED_OUT:
            change, fact = Change.LOGGED_IN, f.AgentLoggedIn(agent)
        elif reason.bar is Bar.STATE and reason.state in (AgentState.NOT_READY, AgentState.WRAP_UP):
            change, fact = Change.READY, f.AgentReady(agent)
        elif reason.bar in (Bar.UNREACHABLE, Bar.PHONE_BUSY):
            change, fact = Change.PHONE, f.PhoneSeen(agent, reachable=True, busy=False)
        elif reason.bar is Bar.SKILL and reason.need is not None:
            tried += 1
            skilled = WhatIf(Change.SKILL, "", 0.0, agent=agent, need=reason.need, level=reason.level)
            yield from _claim(fork, skilled, Attempt(before=(_taught(agent, reason.need),)))
            continue
        else:
            continue
        tried += 1
        yield from _claim(fork, WhatIf(change, "", 0.0, agent=agent), Attempt(before=(_said(fact),)))


def _claim(fork: Fork, claim: WhatIf, attempt: Attempt) -> Iterator[WhatIf]:
    """With whom and when, if it is true."""
    offered = fork.run(attempt)
    if offered is not None:
        yield replace(claim, offered_to=offered.agent, offered_at=offered.at)


def _said(fact: f.Fact) -> Telling:
    return lambda _engine: fact


def _taught(agent: str, need: Need) -> Telling:
    def telling(engine: Engine) -> f.Fact:
        spec = engine.floor.agents[agent].spec
        return f.AgentSet(replace(spec, skills={**spec.skills, need.skill: need.level}))

    return telling


def _caller_otherwise(caller: WaitingCaller, barred: Sequence[Barred], fork: Fork) -> Iterator[WhatIf]:
    if any(reason.bar is Bar.PREFERRED for one in barred for reason in one.reasons):
        yield from _claim(
            fork,
            WhatIf(Change.NO_PREFERENCE, "", 0.0, seconds=caller.preferred_s),
            Attempt(caller=replace(caller, preferred=None)),
        )
    lacking: dict[Need, int] = {}  # the highest level that somebody has who lacks nothing else
    for one in barred:
        if len(one.reasons) == 1 and (need := one.reasons[0].need) is not None:
            lacking[need] = max(lacking.get(need, 0), one.reasons[0].level)
    for need, level in lacking.items():
        requirement = _lowered(caller.requirement or fork.spec(caller.queue).requirement, need.skill, level)
        easier = WhatIf(Change.DEMAND, "", 0.0, need=Need(need.skill, level), level=need.level)
        yield from _claim(fork, easier, Attempt(caller=replace(caller, requirement=requirement)))


def _lowered(requirement: Requirement, skill: str, level: int) -> Requirement:
    def lower(must: tuple[Need, ...]) -> tuple[Need, ...]:
        lowered = (Need(one.skill, min(one.level, level)) if one.skill == skill else one for one in must)
        return tuple(one for one in lowered if one.level > 0)

    relax = tuple(Relaxed(step.after_s, lower(step.must)) for step in requirement.relax)
    return Requirement(lower(requirement.must), requirement.nice, relax)


def _choice(stay: Stay, fork: Fork) -> Iterator[WhatIf]:
    """Whom another strategy would have chosen in the moment of the first offer."""
    first = stay.offers[0] if stay.offers else None
    view = first.situation if first is not None else None
    if first is None or view is None or len(view.candidates) < 2 or view.strategy is Strategy.RING_ALL:
        return
    chosen: dict[str, list[str]] = defaultdict(list)
    for strategy in Strategy:
        if strategy not in (view.strategy, Strategy.RING_ALL):

            def other(engine: Engine, strategy: Strategy = strategy) -> f.Fact:
                return f.QueueSet(replace(engine.lines.lines[view.queue].spec, strategy=strategy))

            offered = fork.run(Attempt(at={first.number: other}))
            if offered is not None and offered.number == first.number and offered.agent != first.agent:
                chosen[offered.agent].append(strategy.value)
    for agent, strategies in chosen.items():
        yield WhatIf(Change.STRATEGY, agent, first.at, strategies=tuple(strategies))


def _longer(stay: Stay, fork: Fork) -> Iterator[WhatIf]:
    """Had they not left, or had they not been sent away."""
    last = stay.moments[-1]
    if stay.outcome in ("full", "too_long"):
        spec = fork.spec(stay.caller.queue)
        unlimited = _said(f.QueueSet(replace(spec, max_waiting=None, max_expected_wait_s=None)))
        offered = fork.run(Attempt(before=(unlimited,), then=(_said(f.QueueSet(spec)),)))
    elif stay.outcome in (*_OWN_WILL, "timeout"):
        offered = fork.run(Attempt(stays=True), after=last.number)
    else:
        return
    if offered is not None:
        change = Change.STAYED if stay.outcome in _OWN_WILL else Change.NO_LIMIT
        yield WhatIf(change, offered.agent, offered.at, seconds=offered.at - last.at)
