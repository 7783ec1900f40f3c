"""Whatever happens, in whatever order: nothing raises, no call outlives its channel, every call ends once.

First the facts alone, as no PBX would send them (late, doubled, out of order, made up). Then a PBX that behaves, with
callers, agents, a link and a service that come and go at random.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from acd.errors import AcdError
from acd.model import QueueSpec
from cordboard.comfort import ComfortPlan
from cordboard.memory import Memory, Phase
from cordboard.terms import Terms
from pbx.facts import (
    BridgeEntered,
    BridgeLeft,
    CallArrived,
    CallReturned,
    ChannelGone,
    ChannelSeen,
    CommandDone,
    ControlLost,
    Fact,
    KeyPressed,
    LegAnswered,
    LegFailed,
    LegFailure,
    LegRinging,
    LinkDown,
    LinkUp,
    Looked,
    OrderFailed,
    Origin,
    PhoneChanged,
    PhoneState,
    Place,
    Snapshot,
)
from tests.fakes.brain import FLOW, Brain, FakePbx
from tests.fakes.switch import PhoneScript
from tests.fakes.virtual_time import VirtualTime

CALLERS = ("c1", "c2", "c3")
AGENTS = ("1001", "1002")
SHORT = (QueueSpec("sales", ring_s=5, wrap_up_s=2.0, max_wait_s=40.0),)
KEYS = FLOW.replace(
    "sales: {to_queue: {queue: sales, then: survey, otherwise: sorry}}",
    """sales: {to_queue: {queue: sales, prefer: last, then: survey, otherwise: sorry, keys: {"2": aside}}}
  aside: {menu: {prompt: Aside, keys: {"1": sales}, timeout: 4s, otherwise: bye}}""",
)
SAID = {"sales": ComfortPlan(9.0, 3.0, ({"en": "Thank you"},), place=True)}
SITE: dict[str, Any] = {"agents": AGENTS, "queues": SHORT, "text": KEYS, "comfort": SAID}


def facts_balance(brain: Brain) -> None:
    """Each life of a channel begins once and ends once."""
    began = Counter(call for kind, call, _ in brain.notes if kind in {"call.arrived", "call.recovered"})
    ended = Counter(call for kind, call, _ in brain.notes if kind == "call.ended")
    here = Counter(call.channel for call in brain.calls)
    assert began == ended + here
    assert max(began.values(), default=0) <= 1


def nobody_is_in_two_talks(brain: Brain) -> None:
    talking = [one.agent for one in brain.distributor.engine.offers.open.values()]
    assert len(talking) == len(set(talking))


callers = st.sampled_from(CALLERS)
legs = st.sampled_from([f"cb-1-{number:04d}" for number in range(1, 5)])
channels = callers | legs
bridges = st.sampled_from(["b1", "b2"])
tokens = st.sampled_from(["comfort-1", "comfort-2", "answer", "say-1", "say-2", "say-3", "fence-1", "fence-2", ""])
names = st.sampled_from(["Answer", "Play", "Connect", "RingPhone", "TakeOver", "Remember", "HangUp", "Look"])
memories = st.sampled_from(
    [
        "",
        "{}",
        Memory(Phase.FLOW, 1.7e9, Origin.PUBLIC, "100", position={"n": "main", "l": "en", "t": 3}).dump(),
        Memory(Phase.QUEUE, 1.7e9, Origin.PUBLIC, "100", "test", "sales", 1.7e9, {"n": "sales", "l": "en"}).dump(),
        Memory(Phase.QUEUE, 1.7e9, Origin.PUBLIC, "100", "test", "no such queue", 1.7e9).dump(),
        Memory(
            Phase.QUEUE,
            1.7e9,
            Origin.PUBLIC,
            "100",
            "test",
            "sales",
            1.7e9,
            {"n": "sales"},
            Terms(9.0, "1001", 9.0, keys="2"),
        ).dump(),
        Memory(Phase.FLOW, 1.7e9, Origin.PUBLIC, "100", position={"n": "aside"}, kept=("sales", 1.6e9)).dump(),
        Memory(Phase.TALK, 1.7e9, Origin.PUBLIC, "100", "test", "sales", 1.7e9, {"n": "sales", "l": "en"}).dump(),
        Memory(Phase.LEAVING, 1.7e9, Origin.AGENT, "999").dump(),
    ]
)


@st.composite
def seen(draw: st.DrawFn, channel: str) -> ChannelSeen:
    return ChannelSeen(
        channel=channel,
        name="",
        endpoint=draw(st.sampled_from(AGENTS)),
        place=draw(st.sampled_from(Place)),
        answered=draw(st.booleans()),
        controlled=draw(st.booleans()),
        bridge=draw(st.just("") | bridges),
        caller_number="",
        caller_name="",
        dialled=draw(st.sampled_from(["100", "999", "*45", ""])),
        language="en",
        memory=draw(memories),
    )


@st.composite
def snapshots(draw: st.DrawFn) -> Snapshot:
    there = draw(st.lists(channels, unique=True, max_size=5))
    phones = draw(st.dictionaries(st.sampled_from(AGENTS), st.sampled_from(PhoneState)))
    return Snapshot(tuple(draw(seen(channel)) for channel in there), phones)


arrivals = st.builds(
    CallArrived,
    channel=callers,
    name=st.just(""),
    origin=st.sampled_from(Origin),
    endpoint=st.sampled_from([*AGENTS, "stranger"]),
    dialled=st.sampled_from(["100", "100", "999", "*45", "*47", "*00"]),
    caller_number=st.just("+15550100"),
    caller_name=st.just(""),
    language=st.just("en"),
)
any_fact: st.SearchStrategy[Fact] = st.one_of(
    arrivals,
    st.builds(KeyPressed, callers, st.sampled_from("12#")),
    st.builds(CommandDone, callers, tokens, st.booleans(), st.booleans()),
    st.builds(CallReturned, callers),
    st.builds(ControlLost, callers),
    st.builds(ChannelGone, channels, st.sampled_from([0, 16, 17])),
    st.builds(BridgeEntered, channels, bridges),
    st.builds(BridgeLeft, channels, bridges),
    st.builds(LegRinging, legs),
    st.builds(LegAnswered, legs),
    st.builds(LegFailed, legs, st.sampled_from(LegFailure)),
    st.builds(PhoneChanged, st.sampled_from(AGENTS), st.sampled_from(PhoneState)),
    st.builds(OrderFailed, channels, names, st.just("refused"), st.booleans()),
    st.builds(LinkDown, st.just("reset")),
    st.builds(LinkUp, snapshots()),
    st.builds(Looked, snapshots()),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(any_fact | st.floats(0.1, 60), max_size=40))
def test_any_facts_in_any_order(happens: list[Fact | float]) -> None:
    brain = Brain(FakePbx(VirtualTime()), **SITE)
    brain.pbx.up = False  # it only listens: every fact is made up
    for one in happens:
        if isinstance(one, float):
            brain.time.advance(one)
            brain.check()
        else:
            brain.handle(one)
        facts_balance(brain)
        nobody_is_in_two_talks(brain)
    for call in CALLERS:
        brain.handle(ChannelGone(call, 16))
    assert len(brain.calls) == 0
    facts_balance(brain)
    noted = len([kind for kind, call, _ in brain.notes if call in CALLERS])
    brain.time.advance(600)
    late = [kind for kind, call, _ in brain.notes if call in CALLERS][noted:]
    assert late == []


actions = st.one_of(
    st.tuples(st.just("call"), callers),
    st.tuples(st.just("queue"), callers),
    st.tuples(st.just("queue"), callers),
    st.tuples(st.just("press"), callers, st.sampled_from("1112")),
    st.tuples(st.just("hours"), st.booleans(), st.booleans()),
    st.tuples(st.just("hang up"), callers),
    st.tuples(st.just("agent hangs up"), st.integers(0, 3)),
    st.tuples(st.just("agent answers"), st.integers(0, 3)),
    st.tuples(st.just("phone"), st.sampled_from(AGENTS), st.integers(0, 3)),
    st.tuples(st.just("agent"), st.sampled_from(AGENTS), st.sampled_from(["login", "logout", "pause", "ready"])),
    st.tuples(st.just("lose link")),
    st.tuples(st.just("find link")),
    st.tuples(st.just("kill"), st.booleans()),
    st.tuples(st.just("slow"), st.sampled_from([0.0, 1.0, 7.0])),
    st.tuples(st.just("look")),
    st.tuples(st.just("wait"), st.sampled_from([0.1, 1.0, 5.0, 20.0, 50.0])),
)
SCRIPTS = (
    PhoneScript.answers(1.0),
    PhoneScript.rings_on(),
    PhoneScript.fails(LegFailure.BUSY, 17),
    PhoneScript.fails(LegFailure.UNREACHABLE),
)


class World:
    """A site in which anything may happen that can."""

    def __init__(self) -> None:
        self.brain = Brain(FakePbx(VirtualTime()), **SITE)
        self.pbx = self.brain.pbx
        self.calls = 0
        self.lives: list[Brain] = [self.brain]

    def legs(self) -> list[str]:
        return sorted(leg for leg in self.pbx.channels if leg.startswith("cb-"))

    def caller(self, name: str) -> str | None:
        return next((one for one in self.pbx.channels if one.startswith(f"{name}.")), None)

    def do(self, what: str, *how: object) -> None:
        pbx, brain = self.pbx, self.brain
        match what, *how:
            case "call", str(name) if self.caller(name) is None:
                self.calls += 1
                pbx.call(f"{name}.{self.calls}")
            case "queue", str(name):
                self.do("call", name)
                pbx.time.advance(1.5)
                self.do("press", name, "1")
            case "press", str(name), str(key) if (call := self.caller(name)) is not None:
                pbx.press(call, key)
            case "hang up", str(name) if (call := self.caller(name)) is not None:
                pbx.hang_up(call)
            case "agent hangs up", int(number) if self.legs():
                pbx.hang_up(self.legs()[number % len(self.legs())])
            case "agent answers", int(number):
                ringing = [leg for leg in self.legs() if not pbx.channels[leg].answered]
                if ringing:
                    pbx.answer_leg(ringing[number % len(ringing)])
            case "phone", str(agent), int(number):
                pbx.phones[agent] = SCRIPTS[number]
            case "agent", str(agent), str(command) if brain.alive:
                self.command(agent, command)
            case ("lose link",) if pbx.up:
                pbx.lose_link()
            case ("find link",):
                self.find()
            case "kill", bool(stays_away):
                if brain.alive:
                    brain.killed()
                if not stays_away:
                    self.find()
            case "hours", bool(opens), bool(leave) if brain.alive:
                if opens:
                    brain.distributor.open_queue("sales")
                else:
                    brain.distributor.close_queue("sales", pbx.time.now(), leave=leave)
            case "slow", float(seconds):
                pbx.connect_seconds = seconds
            case ("look",) if pbx.up:
                brain.look()
            case "wait", float(seconds):
                pbx.time.advance(seconds)
        if self.brain.alive:
            self.brain.check()

    def find(self) -> None:
        if not self.brain.alive:
            self.brain = self.brain.successor(**SITE)
            self.lives.append(self.brain)
        elif not self.pbx.up:
            self.brain.restore_link()

    def command(self, agent: str, command: str) -> None:
        with contextlib.suppress(AcdError):
            getattr(self.brain.distributor, command)(agent)

    def agrees(self) -> None:
        """After everything has settled the brain knows whoever is there, and where."""
        brain, pbx = self.brain, self.pbx
        assert {call.channel for call in brain.calls} == {one for one in pbx.channels if not one.startswith("cb-")}
        for call in brain.calls:
            bridged = bool(pbx.channels[call.channel].bridge)
            place = pbx.places[call.channel]
            assert (call.phase == "fallback") == (place is Place.FALLBACK), (call.channel, call.phase, place)
            assert (call.phase == "talk") == bridged, (call.channel, call.phase, place)
            if call.phase == "queue":
                assert brain.distributor.knows(call.channel)
                assert brain.music(call.channel) == "default" or pbx.channels[call.channel].commands
            if call.phase == "flow":
                assert place in {Place.ARRIVAL, Place.RETURNED}
                assert pbx.channels[call.channel].commands or pbx.time.pending()


@settings(max_examples=250, deadline=None)
@given(st.lists(actions, max_size=40))
def test_a_site_where_anything_happens(happens: list[tuple[object, ...]]) -> None:
    world = World()
    for what, *how in happens:
        assert isinstance(what, str)
        world.do(what, *how)
        facts_balance(world.brain)
        nobody_is_in_two_talks(world.brain)
    world.find()
    world.pbx.connect_seconds = 0.0
    world.pbx.time.advance(8)
    world.brain.look()
    world.brain.look()
    world.agrees()
    # Nobody waits for ever in silence: whoever does not talk is at an end before long.
    for leg in world.legs():
        world.pbx.phones.update(dict.fromkeys(AGENTS, PhoneScript.rings_on()))
        world.pbx.hang_up(leg)
    for agent in AGENTS:
        world.command(agent, "logout")
    world.pbx.time.advance(120)
    left = {call.channel: call.phase for call in world.brain.calls if call.phase != "fallback"}
    assert left == {}
    for call in list(world.pbx.channels):
        world.pbx.hang_up(call)
    world.pbx.time.advance(1)
    assert len(world.brain.calls) == 0
    facts_balance(world.brain)
