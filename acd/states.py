"""The states of an agent and every move between them, in one table. `docs/agent-states.md` is generated from it.

This module decides which moves are legal. It refuses to know when they happen and what follows from them. Whether the
phone can be reached, and whether it is in some other call, is orthogonal and not here: it bars offers in any state.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from acd.errors import IllegalTransition


class AgentState(StrEnum):
    LOGGED_OUT = "logged_out"
    NOT_READY = "not_ready"
    READY = "ready"
    OFFERING = "offering"  # their phone is being rung for one caller
    CONNECTING = "connecting"  # they answered; caller and leg are not yet in one bridge
    TALKING = "talking"
    HOLD = "hold"  # the caller of their talk is on hold
    WRAP_UP = "wrap_up"


class AgentEvent(StrEnum):
    """What moves an agent. A log-out or pause asked for after an answer is kept and happens when the talk is over."""

    LOG_IN = "log in"
    LOG_OUT = "log out"
    PAUSE = "pause"
    BECOME_READY = "become ready"
    OFFER = "be offered a call"
    OFFER_OVER = "lose the offer"
    MISS_TOO_OFTEN = "miss too often"
    ANSWER = "answer"
    TALK = "talk"
    HOLD = "put on hold"
    UNHOLD = "take off hold"
    WRAP_UP = "wrap up"
    RESUME_TALK = "resume a talk found in the PBX"


_S, _E = AgentState, AgentEvent

TABLE: Mapping[tuple[AgentState, AgentEvent], AgentState] = MappingProxyType(
    {
        (_S.LOGGED_OUT, _E.LOG_IN): _S.READY,
        (_S.LOGGED_OUT, _E.RESUME_TALK): _S.TALKING,
        (_S.NOT_READY, _E.BECOME_READY): _S.READY,
        (_S.NOT_READY, _E.PAUSE): _S.NOT_READY,
        (_S.NOT_READY, _E.LOG_OUT): _S.LOGGED_OUT,
        (_S.NOT_READY, _E.RESUME_TALK): _S.TALKING,
        (_S.READY, _E.OFFER): _S.OFFERING,
        (_S.READY, _E.PAUSE): _S.NOT_READY,
        (_S.READY, _E.LOG_OUT): _S.LOGGED_OUT,
        (_S.READY, _E.RESUME_TALK): _S.TALKING,
        (_S.OFFERING, _E.ANSWER): _S.CONNECTING,
        (_S.OFFERING, _E.OFFER_OVER): _S.READY,
        (_S.OFFERING, _E.MISS_TOO_OFTEN): _S.NOT_READY,
        (_S.OFFERING, _E.PAUSE): _S.NOT_READY,
        (_S.OFFERING, _E.LOG_OUT): _S.LOGGED_OUT,
        (_S.CONNECTING, _E.TALK): _S.TALKING,
        (_S.CONNECTING, _E.OFFER_OVER): _S.READY,
        (_S.CONNECTING, _E.PAUSE): _S.NOT_READY,
        (_S.CONNECTING, _E.LOG_OUT): _S.LOGGED_OUT,
        (_S.TALKING, _E.HOLD): _S.HOLD,
        (_S.HOLD, _E.UNHOLD): _S.TALKING,
        (_S.HOLD, _E.WRAP_UP): _S.WRAP_UP,
        (_S.HOLD, _E.BECOME_READY): _S.READY,
        (_S.HOLD, _E.PAUSE): _S.NOT_READY,
        (_S.HOLD, _E.LOG_OUT): _S.LOGGED_OUT,
        (_S.TALKING, _E.WRAP_UP): _S.WRAP_UP,
        (_S.TALKING, _E.BECOME_READY): _S.READY,
        (_S.TALKING, _E.PAUSE): _S.NOT_READY,
        (_S.TALKING, _E.LOG_OUT): _S.LOGGED_OUT,
        (_S.WRAP_UP, _E.BECOME_READY): _S.READY,
        (_S.WRAP_UP, _E.PAUSE): _S.NOT_READY,
        (_S.WRAP_UP, _E.LOG_OUT): _S.LOGGED_OUT,
        (_S.WRAP_UP, _E.RESUME_TALK): _S.TALKING,
    }
)

DEADLINES: Mapping[AgentState, str] = MappingProxyType(
    {
        _S.OFFERING: "ring time and a margin",
        _S.CONNECTING: "5 s",
        _S.TALKING: "none of its own: compared with the PBX every 2 s",
        _S.HOLD: "none of its own: compared with the PBX every 2 s; without us the PBX itself ends it",
        _S.WRAP_UP: "the queue's wrap-up time, with extensions and waiting for a disposition its `wrap_up_max_s`",
    }
)
"""How long a state may last that ends without the agent. `invariants` insists on the timers."""


def next_state(state: AgentState, event: AgentEvent) -> AgentState:
    """The state after the event. Raises `IllegalTransition` for a move that the table does not have."""
    try:
        return TABLE[state, event]
    except KeyError:
        raise IllegalTransition(state, event) from None


def diagram() -> str:
    """The table as Markdown with a Mermaid diagram: the text of docs/agent-states.md."""
    lines = ["# States of an agent", "", "Generated from `acd/states.py`; a test compares them. Do not edit.", ""]
    lines += ["```mermaid", "stateDiagram-v2", f"    [*] --> {AgentState.LOGGED_OUT}"]
    lines += [f"    {state} --> {to}: {event}" for (state, event), to in TABLE.items()]
    lines += ["```", "", "| state | lasts at most |", "|---|---|"]
    lines += [f"| {state} | {DEADLINES.get(state, 'as long as the agent likes')} |" for state in AgentState]
    lines += [
        "",
        "Each is also compared with the PBX every 2 s (`timers.look_s`): when the cause of a state is gone and nobody",
    ]
    lines += ["said so, the state ends within 5 s (`tests/unit/test_no_stuck_state.py`)."]
    return "\n".join(lines) + "\n"
