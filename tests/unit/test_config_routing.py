"""Routing in the configuration: what can be said, what it means to the distributor, and what is refused."""

from __future__ import annotations

import pytest

from acd.model import AgentSpec, QueueSpec
from acd.skills import Need, Relaxed, Requirement
from acd.strategies import Strategy
from cordboard.config import Config
from cordboard.config_loader import ConfigRefused, parse_config
from cordboard.site import agents_of, queues_of

FULL = """\
company: Test
queues:
  sales:
    strategy: least_occupied
    head_start_s: 30
    max_waiting: 12
    when_empty: leave
    must: {spanish: 4, bikes: 1}
    nice: {ebikes: 2}
    relax:
      - {after_s: 30, must: {spanish: 2}}
      - {after_s: 60}
  plain: {}
agents:
  1001: {name: Ana, queues: [sales], skills: {spanish: 5, bikes: 2}}
"""


def refusals(text: str) -> list[str]:
    with pytest.raises(ConfigRefused) as refused:
        parse_config(text)
    return [str(problem) for problem in refused.value.problems]


def test_everything_that_can_be_said_about_routing() -> None:
    config = parse_config(FULL)
    sales, plain = queues_of(config)
    assert sales == QueueSpec(
        "sales",
        ring_s=15,
        wrap_up_s=5.0,
        strategy=Strategy.LEAST_OCCUPIED,
        requirement=Requirement(
            (Need("bikes", 1), Need("spanish", 4)),
            (Need("ebikes", 2),),
            (Relaxed(30.0, (Need("spanish", 2),)), Relaxed(60.0)),
        ),
        head_start_s=30.0,
        max_waiting=12,
        leave_when_empty=True,
    )
    assert plain == QueueSpec("plain", ring_s=15, wrap_up_s=5.0)
    assert list(agents_of(config)) == [AgentSpec("1001", "Ana", "1001", ("sales",), {"spanish": 5, "bikes": 2})]


def test_every_strategy_of_the_engine_can_be_configured_and_no_other() -> None:
    schema = Config.model_json_schema()["$defs"]["Queue"]["properties"]["strategy"]
    assert set(schema["enum"]) == {strategy.value for strategy in Strategy}


@pytest.mark.parametrize(
    ("wrong", "right", "told"),
    [
        ("least_occupied", "ring_some", "queues.sales.strategy: input should be 'longest_idle', "),
        ("spanish: 5", "spanish: 6", "agents.1001.skills.spanish: input should be less than or equal to 5"),
        ("spanish: 5", "spanish: five", "agents.1001.skills.spanish: must be a whole number"),
        ("ebikes: 2", "E-Bikes: 2", "queues.sales.nice.E-Bikes: the key: "),
        ("after_s: 60", "after_s: 30", "queues.sales.relax.1.after_s: must be above the 30 s of the step before"),
        (
            "{spanish: 2}",
            "{spanish: 5}",
            "queues.sales.relax.0.must.spanish: a requirement only relaxes, and the step before asks for spanish: 4",
        ),
        (
            "after_s: 60",
            "after_s: 60, must: {bikes: 1}",
            "queues.sales.relax.1.must.bikes: a requirement only relaxes, and the step before asks for no bikes",
        ),
        ("after_s: 60", "after: 60", 'queues.sales.relax.1.after: unknown key; did you mean "after_s"?'),
        ("when_empty: leave", "when_empty: hang_up", "queues.sales.when_empty: input should be 'wait' or 'leave'"),
        ("max_waiting: 12", "max_waiting: -1", "queues.sales.max_waiting: input should be greater than or equal to 0"),
    ],
)
def test_what_is_refused(wrong: str, right: str, told: str) -> None:
    problems = refusals(FULL.replace(wrong, right))
    assert any(told in problem for problem in problems), problems
