"""No state of an agent outlives its cause by more than 5 s, even when nobody says that the cause is gone.

The real dispatcher, table of channels, calls and distributor on a PBX in memory. Whatever happens there at the critical
moment is not told, and it happens right after a look: the worst time for it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import contextmanager
from typing import NamedTuple

import pytest

from acd.states import AgentState
from cordboard.config import Timers
from pbx.facts import LegFailure, PhoneChanged, PhoneState
from tests.fakes.brain import Brain
from tests.fakes.switch import PhoneScript

LOOK_S = Timers().look_s
AT_MOST_S = 5.0
OWN = {AgentState.LOGGED_OUT, AgentState.NOT_READY, AgentState.READY}
"""An agent is in these for as long as they like. What bars a ready one from offers has tests of its own."""


@contextmanager
def untold(brain: Brain):  # type: ignore[no-untyped-def]
    """Things happen in the PBX, and the events that tell of them are lost."""
    sink, brain.pbx.sink = brain.pbx.sink, None
    yield
    brain.pbx.sink = sink


def ringing() -> Brain:
    brain = Brain()
    brain.pbx.phones["1001"] = PhoneScript.rings_on()
    return brain.in_queue("c1")


def connecting() -> Brain:
    brain = Brain()
    brain.pbx.connect_seconds = 3600.0
    brain.in_queue("c1").time.advance(1.2)
    return brain


def talking() -> Brain:
    return Brain().in_talk("c1")


def on_hold() -> Brain:
    brain = talking()
    brain.distributor.control.hold("c1")
    brain.time.settle()
    return brain


def wrapping_up() -> Brain:
    brain = talking()
    brain.pbx.hang_up("c1")
    brain.time.settle()
    return brain


def leg_ends(brain: Brain) -> None:
    brain.pbx.hang_up(brain.leg())


def caller_ends(brain: Brain) -> None:
    brain.pbx.hang_up("c1")


def both_end(brain: Brain) -> None:
    leg = brain.leg()
    brain.pbx.hang_up("c1")
    if leg in brain.pbx.channels:
        brain.pbx.hang_up(leg)


def leg_answers(brain: Brain) -> None:
    brain.pbx.answer_leg(brain.leg())


def nothing_comes(_brain: Brain) -> None:
    """What was to come never does: the deadline is all there is."""


class Case(NamedTuple):
    state: AgentState
    begin: Callable[[], Brain]
    cause_ends: Callable[[Brain], None]


CASES = [
    Case(AgentState.OFFERING, ringing, leg_ends),
    Case(AgentState.OFFERING, ringing, caller_ends),
    Case(AgentState.OFFERING, ringing, both_end),
    Case(AgentState.OFFERING, ringing, leg_answers),
    Case(AgentState.CONNECTING, connecting, leg_ends),
    Case(AgentState.CONNECTING, connecting, caller_ends),
    Case(AgentState.CONNECTING, connecting, both_end),
    Case(AgentState.CONNECTING, connecting, nothing_comes),
    Case(AgentState.TALKING, talking, leg_ends),
    Case(AgentState.TALKING, talking, caller_ends),
    Case(AgentState.TALKING, talking, both_end),
    Case(AgentState.HOLD, on_hold, leg_ends),
    Case(AgentState.HOLD, on_hold, caller_ends),
    Case(AgentState.HOLD, on_hold, both_end),
]


def named(case: Case) -> str:
    return f"{case.state}-{case.cause_ends.__name__}"


def look_on(brain: Brain, until: Callable[[], bool]) -> float:
    """Looks come as often as configured; how long it took until the condition held."""
    for tenths in range(1, round((AT_MOST_S + 1) * 10)):
        brain.time.advance(0.1)
        if not until() and tenths % (LOOK_S * 10) == 0:
            brain.look()
        if until():
            return tenths / 10
    return math.inf


@pytest.mark.parametrize("age", [0.0, 1.0, 60.0])
@pytest.mark.parametrize("case", CASES, ids=named)
def test_a_state_ends_soon_after_its_cause(case: Case, age: float) -> None:
    brain = case.begin()
    if case.state in {AgentState.TALKING, AgentState.HOLD}:
        brain.time.advance(age)
    assert brain.agent() == case.state
    brain.look()
    with untold(brain):
        case.cause_ends(brain)
        brain.time.settle()
    assert brain.agent() == case.state, "told after all"
    assert look_on(brain, lambda: brain.agent() != case.state) <= AT_MOST_S


def test_every_state_has_its_proof() -> None:
    """Wrap-up has its own below: its cause is time."""
    assert {case.state for case in CASES} | OWN | {AgentState.WRAP_UP} == set(AgentState)


@pytest.mark.parametrize("lost", [True, False])
def test_a_wrap_up_ends_when_its_time_is_over_whatever_is_seen(lost: bool) -> None:
    brain = wrapping_up()
    assert brain.agent() == AgentState.WRAP_UP
    if lost:
        brain.lose_link()
    brain.time.advance(10.1)
    assert brain.agent() == AgentState.READY


def free(brain: Brain) -> bool:
    return brain.distributor.engine.floor.agents["1001"].free


@pytest.mark.parametrize("bar", [PhoneState.BUSY, PhoneState.RINGING, PhoneState.UNREACHABLE])
def test_what_bars_a_ready_agent_ends_soon_too(bar: PhoneState) -> None:
    brain = Brain()
    brain.pbx.phone_states["1001"] = bar
    brain.handle(PhoneChanged("1001", bar))
    brain.time.advance(60)
    brain.look()
    assert not free(brain)
    brain.pbx.phone_states["1001"] = PhoneState.IDLE
    assert look_on(brain, lambda: free(brain)) <= AT_MOST_S


@pytest.mark.parametrize("loss", [PhoneState.BUSY, PhoneState.UNREACHABLE])
def test_a_phone_that_is_lost_unseen_is_not_rung_for_long(loss: PhoneState) -> None:
    brain = Brain()
    brain.look()
    brain.pbx.phone_states["1001"] = loss
    assert look_on(brain, lambda: not free(brain)) <= AT_MOST_S


def test_the_rest_after_a_missed_call_ends() -> None:
    brain = Brain()
    brain.pbx.phones["1001"] = PhoneScript.fails(LegFailure.BUSY, 17)
    brain.in_queue("c1")
    brain.pbx.hang_up("c1")
    assert not free(brain)
    brain.time.advance(AT_MOST_S)
    assert free(brain)
