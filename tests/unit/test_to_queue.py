"""What a flow hands over with a caller: which values, filled in when, and what is said against a wrong one."""

from __future__ import annotations

import pytest

from ivr.effects import EnterQueue
from ivr.flow import Flow
from ivr.handover import LAST, LEFT, Handover, Skills
from ivr.inputs import CallFacts, Position, QueueEnded
from ivr.interpreter import advance, begin, handed_over
from ivr.loader import load_text
from ivr.problems import Problem
from tests.fakes.surroundings import AROUND

CALL = CallFacts("+15550100", "Ann {x}", "100")
AGENTS = {"1001": {"spanish": 3}, "1002": {"spanish": 5, "bikes": 1}}

FLOW = """
flow: test
numbers: ["100"]
language: en
start: tier
nodes:
  tier: {{set: {{bonus: "60", agent: "1001"}}, next: queue}}
  queue:
    to_queue: {{queue: sales, then: done, otherwise: done, {more}}}
  other: {{hangup: {{cause: busy}}}}
  done: {{hangup: {{}}}}
"""


def load(more: str) -> tuple[Flow | None, list[Problem]]:
    return load_text(FLOW.format(more=more).encode(), "x.yaml", {"sales"}, AGENTS)


def flow(more: str) -> Flow:
    loaded, problems = load(more + ', keys: {"5": other}')
    assert loaded is not None, problems
    return loaded


def handed(more: str) -> Handover:
    (found,) = [effect.handover for effect in begin(flow(more), CALL, AROUND).effects if isinstance(effect, EnterQueue)]
    return found


def said(more: str) -> list[str]:
    return [str(problem) for problem in load(more + ', keys: {"5": other}')[1]]


def test_a_bare_queue_hands_over_nothing() -> None:
    assert handed("description: x".replace("description: x", "keep_place: true")) == Handover("sales", keys="5")


def test_skills_in_the_words_of_the_configuration() -> None:
    asked = handed("skills: {must: {spanish: 3, bikes: 1}, nice: {spanish: 5}, relax: [{after_s: 30}]}")
    assert asked.skills == Skills((("bikes", 1), ("spanish", 3)), (("spanish", 5),), ((30, ()),))


def test_numbers_and_agents_come_from_variables() -> None:
    asked = handed('head_start_s: "{bonus}", prefer: "{agent}", prefer_s: 12')
    assert (asked.head_start_s, asked.prefer, asked.prefer_s) == (60, "1001", 12)


def test_literals_and_the_last_agent() -> None:
    asked = handed("head_start_s: 15, prefer: last")
    assert (asked.head_start_s, asked.prefer, asked.prefer_s) == (15, LAST, 30)


def test_what_the_agent_sees_is_filled_in_once() -> None:
    """Braces that come from a caller are letters like others."""
    asked = handed('data: {who: "{caller_name} at {caller_number}", braces: "{{x}}", queue: "{queue}"}')
    assert dict(asked.data) == {"who": "Ann {x} at +15550100", "braces": "{x}", "queue": "sales"}


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ("skills: {must: {spansh: 1}}", "warning: no agent has the skill 'spansh' (did you mean 'spanish'?)"),
        ("skills: {nice: {bikes: 2}}", "warning: no agent has 'bikes' at level 2 (the highest is 1)"),
        ('prefer: "1003"', "warning: there is no agent '1003' (did you mean '1002'?)"),
        ('prefer: "{bonus}"', "warning: there is no agent '60' (known: 1001, 1002)"),
    ],
)
def test_what_nobody_can_do_is_a_warning_at_its_place(more: str, message: str) -> None:
    (problem,) = said(more)
    assert problem.startswith("x.yaml:9:")
    assert problem.split(": ", 1)[1] == message


def test_good_ones_are_passed_without_a_word() -> None:
    assert said('skills: {must: {spanish: 5}, nice: {bikes: 1}}, prefer: "{agent}", head_start_s: "{bonus}"') == []
    assert said("prefer: last") == []


def waiting(loaded: Flow) -> Position:
    return begin(loaded, CALL, AROUND).position


@pytest.mark.parametrize(
    ("reason", "node"),
    [("closed", "other"), ("full", "done"), ("timeout", "other"), ("unavailable", "done"), ("talked", "done")],
)
def test_where_to_by_reason(reason: str, node: str) -> None:
    text = FLOW.format(more="keep_place: true").replace(
        "otherwise: done", "otherwise: {closed: other, timeout: other, else: done}"
    )
    loaded, problems = load_text(text.encode(), "x.yaml", {"sales"}, AGENTS)
    assert loaded is not None, problems
    assert advance(loaded, CALL, waiting(loaded), QueueEnded(reason), AROUND).position.node == node


def test_a_key_leads_out_of_the_queue() -> None:
    loaded = flow("keep_place: true")
    step = advance(loaded, CALL, waiting(loaded), QueueEnded(LEFT, "5"), AROUND)
    assert step.position.node == "other"
    assert "5" not in repr([effect for effect in step.effects if hasattr(effect, "data")])


def test_what_was_handed_over_is_known_again_from_the_place_alone() -> None:
    loaded = flow('head_start_s: "{bonus}", data: {who: "{caller_name}"}')
    remembered = Position.from_memory(waiting(loaded).to_memory())
    assert handed_over(loaded, CALL, remembered, AROUND) == handed(
        'head_start_s: "{bonus}", data: {who: "{caller_name}"}'
    )
    assert handed_over(loaded, CALL, Position("gone", "en"), AROUND) is None
    assert handed_over(loaded, CALL, Position("done", "en"), AROUND) is None
