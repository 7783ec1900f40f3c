"""The way of a caller from pool to pool: their demand relaxes, stage by stage, until enough agents can serve them.

This module decides when a caller demands less: the time is up, the preferred agent is not to be had, the queue's rules
changed. Their place in line never changes by it. It refuses to offer anything: whoever moved may look for an agent.
"""

from __future__ import annotations

from acd.floor import Floor
from acd.lines import Line, Lines, Standing
from acd.model import WaitingCaller
from acd.orders import TimerId, TimerKind
from acd.outbox import Outbox
from acd.skills import Stage, course, stage_at


class Widening:
    def __init__(self, floor: Floor, lines: Lines, outbox: Outbox) -> None:
        self.moved: dict[str, None] = {}  # callers in another pool since this fact began
        self._prefer: dict[str, dict[str, None]] = {}  # agent -> the callers who wait for them alone
        self._floor = floor
        self._lines = lines
        self._out = outbox

    def join(self, caller: WaitingCaller, now: float) -> Standing:
        """Into the line, at the stage that their wait has earned: it may have begun long ago."""
        stages = self._stages(caller, self._lines.line(caller.queue), preference=True)
        stage = stage_at(stages, now - caller.joined_at)
        pool = self._floor.pool(caller.queue, stages[stage].demand)
        standing = self._lines.join(caller, stages, stage, pool)
        self._remember(standing)
        if len(stages) > 1:
            self._set_timer(standing, now)
        return standing

    def leave(self, standing: Standing) -> None:
        self._forget(standing)
        self._out.cancel(TimerId(TimerKind.RELAX, standing.caller.call))
        self.moved.pop(standing.caller.call, None)

    def relax(self, standing: Standing, now: float) -> None:
        """The time of the next stage has come."""
        standing.stage += 1
        self._enter(standing, now)
        caller = standing.caller
        self._out.note("queue.relaxed", call=caller.call, queue=caller.queue, stage=standing.stage)

    def reconsider(self, agent: str, now: float) -> None:
        """Nobody waits for an agent who is not at work, or does not serve their queue any more."""
        for call in list(self._prefer.get(agent, ())):
            self.rules_changed(self._lines.callers[call], now)

    def no_preference(self, standing: Standing, now: float) -> None:
        self._plan(standing, preference=False, now=now)

    def rules_changed(self, standing: Standing, now: float) -> None:
        self._plan(standing, preference=standing.stages[0].demand.agent is not None, now=now)

    def _plan(self, standing: Standing, *, preference: bool, now: float) -> None:
        caller = standing.caller
        standing.stages = self._stages(caller, self._lines.lines[caller.queue], preference=preference)
        standing.stage = stage_at(standing.stages, now - caller.joined_at)
        self._enter(standing, now)

    def _enter(self, standing: Standing, now: float) -> None:
        pool = self._floor.pool(standing.caller.queue, standing.stages[standing.stage].demand)
        if pool is not standing.pool:
            self._forget(standing)
            self._lines.move(standing, pool)
            self._remember(standing)
            self.moved[standing.caller.call] = None
        self._set_timer(standing, now)

    def _set_timer(self, standing: Standing, now: float) -> None:
        timer = TimerId(TimerKind.RELAX, standing.caller.call)
        if standing.stage + 1 < len(standing.stages):
            after_s = standing.stages[standing.stage + 1].after_s
            self._out.start(timer, max(now, standing.caller.joined_at + after_s))
        else:
            self._out.cancel(timer)

    def _stages(self, caller: WaitingCaller, line: Line, *, preference: bool) -> tuple[Stage, ...]:
        preferred = self._floor.agents.get(caller.preferred) if preference and caller.preferred is not None else None
        wanted = preferred is not None and preferred.at_work and caller.queue in preferred.spec.queues
        if caller.requirement is None and not wanted:
            return line.stages
        requirement = caller.requirement or line.spec.requirement
        return course(requirement, caller.preferred if wanted else None, caller.preferred_s)

    def _remember(self, standing: Standing) -> None:
        agent = standing.pool.demand.agent
        if agent is not None:
            self._prefer.setdefault(agent, {})[standing.caller.call] = None

    def _forget(self, standing: Standing) -> None:
        agent = standing.pool.demand.agent
        if agent is not None:
            del self._prefer[agent][standing.caller.call]
            if not self._prefer[agent]:
                del self._prefer[agent]
