"""A configuration with something changed: keys set otherwise, agents more or fewer, another file.

Decides what a new agent of a queue is like, and who goes first. A changed configuration is checked as one from a file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from acd.model import AgentSpec
from acd.simulate.load import Staffing
from cordboard.config import Config
from cordboard.config_loader import ConfigRefused, load_config, parse_config, read_source
from cordboard.site import agents_of, queues_of, rules_of
from cordboard.yaml_source import Place, Problem, read_yaml

_MORE = re.compile(r"^\s*([+-]?[0-9]{1,4})\s+([a-z][a-z0-9_-]{0,39})\s*$")


class ChangeRefused(Exception):
    """The text is for whoever asked."""


def staffing_of(config: Config, more: Mapping[str, int] | None = None) -> Staffing:
    """The queues and agents of a configuration, as a day is played with them. Raises `ChangeRefused`."""
    queues = tuple(replace(queue, disposition_required=False) for queue in queues_of(config))
    agents = list(agents_of(config))
    for queue, count in (more or {}).items():
        if queue not in config.queues:
            raise ChangeRefused(f"there is no queue {queue}; there are {', '.join(config.queues)}")
        agents = [*agents, *_new(config, queue, count)] if count > 0 else _fewer(agents, queue, -count)
    return Staffing(queues, tuple(agents), replace(rules_of(config), not_ready_reasons=()))


def set_keys(file: Path, settings: Mapping[str, Any]) -> Config:
    """The configuration in a file with other values at some keys (`queues.sales.ring_s`). Raises `ConfigRefused`."""
    unchanged = load_config(file)
    if not settings:
        return unchanged
    data = read_source(file.read_text(encoding="utf-8"), str(file), file.absolute().parent).data
    data.pop("include", None)
    for key, value in settings.items():
        *folders, last = key.split(".")
        section = data
        for name in folders:
            section = section.setdefault(name, {}) if isinstance(section, dict) else None
            section = {} if section is None else section
        if not isinstance(section, dict):
            raise ConfigRefused([Problem(str(file), Place(1, 1), f"{key}: there is no such section")])
        section[last] = value
    try:
        changed = parse_config(yaml.safe_dump(data, sort_keys=False), str(file))
    except ConfigRefused as refused:  # its places are of a text that nobody wrote
        raise ChangeRefused("\n".join(problem.message for problem in refused.problems)) from None
    return changed.placed(unchanged.root)


def setting(text: str) -> tuple[str, Any]:
    """`queues.sales.strategy=fewest_calls` of the command line. Raises `ChangeRefused`."""
    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        raise ChangeRefused(f"--set {text}: write it as queues.sales.ring_s=20")
    return key.strip(), read_yaml(value).data


def more_agents(text: str) -> tuple[str, int]:
    """`+2 sales` of the command line: queue and number. Raises `ChangeRefused`."""
    match = _MORE.match(text)
    if match is None:
        raise ChangeRefused(f"--agents {text!r}: write it as '+2 sales' or '-1 support'")
    return match[2], int(match[1])


def _new(config: Config, queue: str, count: int) -> Iterator[AgentSpec]:
    """They serve this queue alone and can do what it asks for at first, no more."""
    for number in range(1, count + 1):
        name = f"{queue}+{number}"
        yield AgentSpec(name, "", name, (queue,), dict(config.queues[queue].must))


def _fewer(agents: list[AgentSpec], queue: str, count: int) -> list[AgentSpec]:
    """Those go who serve the fewest queues beside it, of these the last ones."""
    serving = [agent for agent in agents if queue in agent.queues]
    if len(serving) < count:
        raise ChangeRefused(f"queue {queue} has {len(serving)} agents: {count} cannot go")
    order = sorted(enumerate(serving), key=lambda one: (len(one[1].queues), -one[0]))
    going = {agent.id for _, agent in order[:count]}
    return [agent for agent in agents if agent.id not in going]
