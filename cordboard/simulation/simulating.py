"""`cordboard simulate`: days, played with the configuration as it is and with a changed one.

Decides what is read, and what an extra agent's day is. It refuses to know rules, formulas and words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from acd.simulate.day import DayCounts, Turn, Visit, play_day
from acd.simulate.load import Staffing
from cordboard.clock import SteadyClock
from cordboard.config_loader import ConfigRefused, load_config
from cordboard.simulation import assumed, table
from cordboard.simulation.changes import ChangeRefused, set_keys, staffing_of
from cordboard.simulation.history import Past, read_past
from cordboard.simulation.scenario import Scenario, load_scenario
from cordboard.storage.engine import open_engine
from cordboard.storage.errors import DatabaseUnavailable, StorageError
from cordboard.storage.reader import Reader
from cordboard.storage.routing import RoutingStore
from cordboard.yaml_source import Problem

_DAY_S = 86_400.0
_PAST_PICK_UP_S = 3.0


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the command line asks to change, beside what the scenario file says."""

    config: Path | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    agents: Mapping[str, int] = field(default_factory=dict)

    @property
    def nothing(self) -> bool:
        return self.config is None and not self.settings and not self.agents


@dataclass(frozen=True, slots=True)
class Result:
    about: list[str]
    before: list[DayCounts]
    after: list[DayCounts] | None
    within_s: float

    def text(self) -> str:
        return "\n".join([*self.about, *table.text(self.before, self.after, self.within_s)]) + "\n"

    def data(self) -> dict[str, Any]:
        figures = table.data(self.before, self.after, self.within_s)
        return {"about": self.about, "days": len(self.before), "figures": figures}


def simulate_scenario(config_file: Path, scenario_file: Path, wanted: Wanted) -> Result:
    """An assumed load. Raises `ConfigRefused` and `ChangeRefused`."""
    config = load_config(config_file)
    scenario, source = load_scenario(scenario_file, config)
    change = scenario.change
    other = wanted.config or (scenario_file.parent / change.config if change.config is not None else None)
    wanted = Wanted(other, {**change.set, **wanted.settings}, {**change.agents, **wanted.agents})
    try:
        changed = _changed(config_file, wanted)
    except ChangeRefused as refused:
        if change.set or change.agents:
            place = source.place_of(("change",), key=True)
            raise ConfigRefused([Problem(str(scenario_file), place, f"change: {refused}")]) from None
        raise
    within_s = float(scenario.service_level_s or config.figures.service_level_s)
    days = assumed.drawn_days(scenario)
    calls = sum(map(len, days))
    about = [f"{scenario.days} days of {scenario.hours} h, {calls} calls in all; both staffings meet the same callers."]
    before = _play(days, scenario, staffing_of(config))
    after = _play(days, scenario, changed) if changed is not None else None
    return Result(about, before, after, within_s)


async def simulate_past(config_file: Path, days: int, seed: int, wanted: Wanted) -> Result:
    """The calls of the last days. Raises `ConfigRefused`, `ChangeRefused`, `StorageError`."""
    config = load_config(config_file)
    changed = _changed(config_file, wanted)
    database = open_engine(config.database_url)
    clock, zone = SteadyClock(), ZoneInfo(config.time_zone)
    try:
        reader, routing = Reader(database, clock), RoutingStore(database)
        past = await read_past(reader, routing, clock(), days, zone, config.queues, seed)
    except DatabaseUnavailable as error:
        raise StorageError(f"the database cannot be read ({error}): has the service run with {config_file}?") from None
    finally:
        await database.dispose()
    if not past.days:
        raise StorageError(f"the database has no calls in a queue for the {days} days before today")
    present = staffing_of(config)
    before = _replay(past, present, frozenset())
    after = None
    if changed is not None:
        new = {agent.id for agent in changed.agents} - {agent.id for agent in present.agents}
        after = _replay(past, changed, frozenset(new))
    return Result(list(_learned(past)), before, after, float(config.figures.service_level_s))


def _changed(config_file: Path, wanted: Wanted) -> Staffing | None:
    if wanted.nothing:
        return None
    return staffing_of(set_keys(wanted.config or config_file, wanted.settings), wanted.agents)


def _play(days: Sequence[Sequence[Visit]], scenario: Scenario, staffing: Staffing) -> list[DayCounts]:
    at_work = assumed.turns(scenario, staffing)
    return [play_day(day, at_work, staffing, scenario.hours * 3600.0, scenario.pick_up_s) for day in days]


def _replay(past: Past, staffing: Staffing, new: frozenset[str]) -> list[DayCounts]:
    """New agents come with the day's first agent and go with its last. A day of which no agent is known has all."""
    agents = [agent.id for agent in staffing.agents]
    queues = {queue.name for queue in staffing.queues}
    counts = []
    for visits, turns in zip(past.days, past.turns, strict=True):
        there = [turn for turn in turns if turn.agent in agents]
        opened = min((turn.at for turn in there), default=0.0)
        closed = max((turn.at for turn in there if turn.state == "out"), default=_DAY_S)
        more = new if there else agents
        there += [Turn(at, agent, state) for agent in sorted(more) for at, state in ((opened, "in"), (closed, "out"))]
        callers = [visit for visit in visits if visit.queue in queues]
        counts.append(play_day(callers, there, staffing, _DAY_S, _PAST_PICK_UP_S))
    return counts


def _learned(past: Past) -> list[str]:
    calls = sum(map(len, past.days))
    lines = [f"{calls} calls of {len(past.days)} days, as they came; agents at work as they were."]
    for name, queue in past.queues.items():
        handling = f"{queue.mean_handling_s:.0f} s" if queue.mean_handling_s is not None else "unknown (0 s)"
        mean = f"{queue.mean_patience_s:.0f} s" if queue.mean_patience_s is not None else "endless (nobody hung up)"
        median = f", median {queue.median_patience_s:.0f} s (Kaplan-Meier)" if queue.median_patience_s else ""
        lines.append(f"  {name}: {queue.calls} calls, mean talk {handling}, mean patience {mean}{median}")
    lines.append(
        "Patience: maximum likelihood for an exponential one; who was answered would have waited longer (censored)."
    )
    if past.left_out:
        lines.append(f"{past.left_out} calls of queues that are no more are left out.")
    return lines
