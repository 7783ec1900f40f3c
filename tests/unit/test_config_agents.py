"""Agents' day in the configuration: reasons, dispositions, wrap-up, misses, and codes that mean two things."""

from __future__ import annotations

import pytest

from acd.model import Rules
from cordboard.config_loader import ConfigRefused, parse_config
from cordboard.features import Command
from cordboard.site import feature_codes_of, queues_of, rules_of

FULL = """\
company: Test
not_ready_reasons: {1: break, 2: lunch}
max_misses: 5
queues:
  sales:
    wrap_up_s: 20
    wrap_up_max_s: 120
    dispositions: {1: sold, 2: callback}
    disposition_required: true
  slow: {wrap_up_s: 900}
"""


def refusals(text: str) -> list[str]:
    with pytest.raises(ConfigRefused) as refused:
        parse_config(text)
    return [str(problem) for problem in refused.value.problems]


def test_everything_that_can_be_said() -> None:
    config = parse_config(FULL)
    assert rules_of(config) == Rules(max_misses=5, not_ready_reasons=("break", "lunch"))
    sales, slow = queues_of(config)
    assert (sales.wrap_up_max_s, sales.dispositions, sales.disposition_required) == (
        120.0,
        {"1": "sold", "2": "callback"},
        True,
    )
    assert (slow.wrap_up_max_s, slow.dispositions, slow.disposition_required) == (900.0, {}, False)
    assert feature_codes_of(config).command("*472") == Command("pause", "lunch")


def test_nothing_said() -> None:
    config = parse_config("company: Test\nqueues: {sales: {}}\n")
    assert rules_of(config) == Rules()
    (sales,) = queues_of(config)
    assert (sales.wrap_up_max_s, sales.dispositions, sales.disposition_required) == (300.0, {}, False)


def test_what_contradicts_itself() -> None:
    assert refusals(
        """\
company: Test
not_ready_reasons: {1: break, 2: break, 3: ring_no_answer}
queues:
  sales:
    wrap_up_s: 20
    wrap_up_max_s: 10
    disposition_required: true
  help:
    dispositions: {1: none_given}
    warn_wait_s: 180
feature_codes: {ready: "*471", wrap_up: "*509"}
"""
    ) == [
        'cordboard.yaml:2:31: not_ready_reasons.2: "break" has the digit 1 already',
        'cordboard.yaml:2:41: not_ready_reasons.3: "ring_no_answer" is a word of the service itself; choose another',
        "cordboard.yaml:6:5: queues.sales.wrap_up_max_s: must not be below wrap_up_s (20)",
        "cordboard.yaml:7:5: queues.sales.disposition_required: there are no dispositions to choose from",
        'cordboard.yaml:9:20: queues.help.dispositions.1: "none_given" is a word of the service itself; choose another',
        "cordboard.yaml:10:5: queues.help.alarm_wait_s: must be above warn_wait_s (180)",
        "cordboard.yaml:11:17: feature_codes.ready: *471 is also pause (*47) and the digit 1",
        "cordboard.yaml:11:32: feature_codes.wrap_up: *509 is also disposition (*50) and the digit 9",
    ]


def test_digits_are_digits() -> None:
    (problem,) = refusals("company: Test\nnot_ready_reasons: {12: break}\nqueues: {sales: {}}\n")
    assert problem.startswith("cordboard.yaml:2:21: not_ready_reasons.12: the key:")
