"""A scenario file: what is simulated, and with what it is compared. Errors at file:line:column.

Decides what can be written there and its defaults. It refuses to know how a day is played.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, StringConstraints

from cordboard import yaml_source
from cordboard.config import AgentNumber, Config, Name, Seconds, Section
from cordboard.config_loader import ConfigRefused, read_sections
from cordboard.yaml_source import Place, Problem, YamlSource

Calls = Annotated[float, Field(ge=0, le=1_000_000)]
Positive = Annotated[float, Field(gt=0, le=1_000_000)]
Times = Annotated[
    str, StringConstraints(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]-(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$")
]


def _one_is_a_list(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


class QueueLoad(Section):
    """Callers of one queue, as they are assumed."""

    calls_per_h: Annotated[list[Calls], BeforeValidator(_one_is_a_list), Field(min_length=1, max_length=24)] = Field(
        description="one number for every hour, or a list with one for each"
    )
    handling_s: Positive = Field(description="mean length of a talk, without wrap-up")
    handling_spread: Positive | None = Field(None, description="standard deviation over mean; none: exponential")
    patience_s: Positive | None = Field(None, description="mean patience (exponential); none: nobody hangs up")


class Changed(Section):
    """What is compared with the configuration as it is."""

    config: Path | None = Field(None, description="another configuration file")
    set: dict[str, Any] = Field(default_factory=dict, description="keys of the configuration and their other values")
    agents: dict[Name, Annotated[int, Field(ge=-1000, le=1000)]] = Field(
        default_factory=dict, description="so many agents more, or fewer, by queue"
    )


class Scenario(Section):
    """The whole file."""

    days: Annotated[int, Field(ge=2, le=1000)] = Field(30, description="simulated days; each is a sample of its own")
    begin: Annotated[str, StringConstraints(pattern=r"^([01][0-9]|2[0-3]):00$")] = Field(
        "08:00", description="when the day begins"
    )
    hours: Annotated[int, Field(ge=1, le=24)] = Field(10, description="for how long callers come")
    pick_up_s: Annotated[float, Field(ge=0, le=120)] = Field(3.0, description="from the ring to the agent's answer")
    service_level_s: Seconds | None = Field(None, description="none: `figures.service_level_s` of the configuration")
    seed: Annotated[int, Field(ge=0, le=2**31)] = Field(1, description="other chance, same rules")
    load: dict[Name, QueueLoad] = Field(min_length=1)
    shifts: dict[AgentNumber, list[Times]] = Field(
        default_factory=dict, description="when an agent is at work; who is not named is there all day"
    )
    change: Changed = Changed()

    @property
    def begin_s(self) -> int:
        return int(self.begin[:2]) * 3600


def load_scenario(file: Path, config: Config) -> tuple[Scenario, YamlSource]:
    """Read the file. Raises `ConfigRefused`."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "is not UTF-8 text"
        raise ConfigRefused([Problem(str(file), Place(1, 1), f"cannot be read: {reason}")]) from None
    scenario, source = read_sections(text, str(file), Scenario)
    problems = [Problem(str(file), source.place_of(path, key=True), words) for path, words in _wrong(scenario, config)]
    if problems:
        raise ConfigRefused(sorted(problems, key=lambda problem: problem.place))
    return scenario, source


def _wrong(scenario: Scenario, config: Config) -> Iterator[tuple[yaml_source.Path, str]]:
    """What does not fit together, or not the configuration."""
    for name, load in scenario.load.items():
        if name not in config.queues:
            yield ("load", name), f"load.{name}: no such queue; there are {', '.join(config.queues)}"
        if len(load.calls_per_h) not in (1, scenario.hours):
            words = f"one number, or one for each of the {scenario.hours} hours; there are {len(load.calls_per_h)}"
            yield ("load", name, "calls_per_h"), f"load.{name}.calls_per_h: {words}"
        elif not sum(load.calls_per_h):
            yield ("load", name, "calls_per_h"), f"load.{name}.calls_per_h: nobody ever calls"
    for number, times in scenario.shifts.items():
        if number not in config.agents:
            yield ("shifts", number), f"shifts.{number}: no such agent; there are {', '.join(config.agents)}"
        for index, one in enumerate(times):
            if seconds_of(one)[0] >= seconds_of(one)[1]:
                yield ("shifts", number, index), f"shifts.{number}.{index}: ends before it begins"
    for name in scenario.change.agents:
        if name not in config.queues:
            yield ("change", "agents", name), f"change.agents.{name}: no such queue"


def seconds_of(times: str) -> tuple[int, int]:
    """Begin and end, in seconds from midnight."""
    begin, end = (int(part[:2]) * 3600 + int(part[3:]) * 60 for part in re.split("-", times))
    return begin, end
