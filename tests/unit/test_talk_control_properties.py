"""Any commands and hang-ups at any moment: nobody is lost, nobody talks with nobody, everything comes to rest."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from acd.destinations import ToAgent, ToNumber, ToQueue
from acd.errors import AcdError
from acd.states import AgentState
from pbx.facts import LegFailure, PhoneHeld, PhoneResumed
from pbx.orders import Connect, Desk, EnterRoom, Hold, Part, TakeBack
from tests.fakes.switch import PhoneScript
from tests.fakes.talk_floor import AGENTS, OUTSIDE, TalkFloor

Act = Callable[[TalkFloor], None]

COMMANDS: tuple[Act, ...] = (
    lambda floor: floor.control.hold("ann"),
    lambda floor: floor.control.resume("ann"),
    lambda floor: floor.control.complete("ann"),
    lambda floor: floor.control.cancel("ann"),
    lambda floor: floor.control.conference("ann"),
    lambda floor: floor.control.requeue("ann"),
    lambda floor: floor.control.consult("ann", ToAgent("1002")),
    lambda floor: floor.control.consult("ann", ToAgent("1003")),
    lambda floor: floor.control.consult("ann", ToNumber(OUTSIDE)),
    lambda floor: floor.control.transfer("ann", ToAgent("1002")),
    lambda floor: floor.control.transfer("ann", ToQueue("support")),
    lambda floor: floor.control.transfer("ann", ToNumber(OUTSIDE)),
)


def _hang_up(number: int) -> Act:
    def act(floor: TalkFloor) -> None:
        legs = [one for one in floor.switch.channels if one != "ann"]
        if legs:
            floor.switch.hang_up(legs[number % len(legs)])

    return act


def _phone_button(number: int) -> Act:
    def act(floor: TalkFloor) -> None:
        for leg in list(floor.switch.channels)[number : number + 1]:
            floor.switch.emit(PhoneHeld(leg))
            floor.switch.emit(PhoneResumed(leg))

    return act


def _phone_does(number: int) -> Act:
    scripts = (
        PhoneScript.answers(0.5),
        PhoneScript.rings_on(),
        PhoneScript.fails(LegFailure.BUSY, 17),
        PhoneScript.fails(LegFailure.UNREACHABLE),
    )

    def act(floor: TalkFloor) -> None:
        for phone in (*AGENTS, OUTSIDE):
            floor.switch.phones[phone] = scripts[number % len(scripts)]

    return act


ACTS = st.one_of(
    st.sampled_from(COMMANDS),
    st.sampled_from(COMMANDS),
    st.builds(_hang_up, st.integers(0, 3)),
    st.builds(_phone_button, st.integers(0, 3)),
    st.builds(_phone_does, st.integers(0, 3)),
    st.just(lambda floor: floor.distributor.logout("1002")),
    st.just(lambda floor: floor.switch.hang_up("ann")),
)
OPENINGS = st.sampled_from((COMMANDS[0], COMMANDS[6], COMMANDS[8], COMMANDS[9], COMMANDS[11]))
"""Most of what can go wrong needs somebody on hold or somebody asked."""

PAUSES = st.sampled_from((0.0, 0.0, 0.3, 1.0, 3.0))
DEAF = st.sets(st.sampled_from((Part, Hold, Desk, EnterRoom, TakeBack, Connect)), max_size=1)


@settings(max_examples=400, deadline=None)
@given(OPENINGS, st.sampled_from((0.0, 1.0, 4.0)), st.lists(st.tuples(ACTS, PAUSES), max_size=8))
def test_whatever_people_do_everything_comes_to_rest(
    opening: Act, wait: float, script: list[tuple[Act, float]]
) -> None:
    floor = TalkFloor()
    for act, pause in ((opening, wait), *script):
        with contextlib.suppress(AcdError):
            act(floor)
        if pause:
            floor.time.advance(pause)
    _at_rest(floor)


@settings(max_examples=200, deadline=None)
@given(OPENINGS, st.lists(st.tuples(ACTS, PAUSES), max_size=6), DEAF)
def test_whatever_the_pbx_forgets_nobody_is_stuck(
    opening: Act, script: list[tuple[Act, float]], deaf: set[type]
) -> None:
    floor = TalkFloor()
    floor.switch.deaf_to |= deaf
    for act, pause in ((opening, 1.0), *script):
        with contextlib.suppress(AcdError):
            act(floor)
        if pause:
            floor.time.advance(pause)
    floor.time.advance(5)
    floor.switch.deaf_to.clear()
    _at_rest(floor)


def _at_rest(floor: TalkFloor) -> None:
    """After all deadlines: whoever waits on hold does so because an agent wants it; everybody else has somebody."""
    floor.time.advance(60)
    channels = floor.switch.channels
    engine = floor.distributor.engine
    ann = channels.get("ann")
    for leg in channels.values():
        if leg.leg and leg.answered:
            assert ann is not None, f"{leg.channel} is left over"
            alone = not floor.with_whom(leg.channel)
            assert not alone or floor.distributor.talks.layout("ann") == "held", f"{leg.channel} waits for nobody"
    if ann is not None and not floor.with_whom():
        waits = engine.position("ann") is not None
        came_back = bool(floor.back) and floor.back[-1][1] == "talked"
        held = floor.distributor.talks.layout("ann") == "held" and floor.state("1001") == "hold"
        others_hold = any(floor.state(agent) == "hold" for agent in AGENTS)
        assert waits or came_back or held or others_hold, "the caller is left with nobody"
    for agent in AGENTS:
        state = engine.floor.agents[agent].state
        if state in (AgentState.TALKING, AgentState.HOLD):
            offer = engine.floor.agents[agent].offer
            assert offer in channels, f"{agent} is {state} with nobody"
        lasts = floor.time.now() - engine.floor.agents[agent].since
        assert state is not AgentState.OFFERING or lasts < 16, f"{agent} is {state} for {lasts} s"
        assert state is not AgentState.CONNECTING or lasts < 6, f"{agent} is {state} for {lasts} s"
