"""The table of agent states."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest

from acd.errors import IllegalTransition
from acd.states import DEADLINES, TABLE, AgentEvent, AgentState, diagram, next_state

DOCUMENT = Path(__file__).parents[2] / "docs" / "agent-states.md"


def test_the_document_is_generated_from_the_table() -> None:
    assert DOCUMENT.read_text() == diagram()


@pytest.mark.parametrize(("state", "event"), list(product(AgentState, AgentEvent)))
def test_a_move_is_in_the_table_or_illegal(state: AgentState, event: AgentEvent) -> None:
    if (state, event) in TABLE:
        assert next_state(state, event) is TABLE[state, event]
    else:
        with pytest.raises(IllegalTransition, match=f"An agent who is {state} cannot {event}"):
            next_state(state, event)


def test_every_state_can_be_reached_and_left() -> None:
    assert set(TABLE.values()) == set(AgentState)
    assert {state for state, _ in TABLE} == set(AgentState)


def test_from_every_state_there_is_a_way_to_log_out() -> None:
    assert all(TABLE[state, AgentEvent.LOG_OUT] for state in AgentState if state is not AgentState.LOGGED_OUT)


def test_a_state_that_the_agent_cannot_leave_alone_has_a_deadline() -> None:
    own = {AgentState.LOGGED_OUT, AgentState.NOT_READY, AgentState.READY}
    assert set(DEADLINES) == set(AgentState) - own
