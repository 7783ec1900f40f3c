"""The deciding half of the service on a PBX in memory: real dispatcher, calls, sessions and distributor, virtual time.

`FakePbx` adds to the fake switch what outlives the service: where a channel stands, its memory, its dead-man's timer.
`Brain` is one life of the service; a second one on the same `FakePbx` is a restart.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count
from typing import Any

from acd.invariants import violations
from acd.model import AgentSpec, QueueSpec
from acd.ports import ExpectedWait
from acd.service import Distributor, QueueResult
from acd.states import AgentState
from cordboard.allowed import Allowed
from cordboard.call import CallServices
from cordboard.calls import CallBook
from cordboard.comfort import ComfortPlan
from cordboard.dispatcher import Dispatcher
from cordboard.features import FeatureCodes
from cordboard.last_agents import LastAgents
from cordboard.transfers import Transfers
from ivr.dialplans import Dialplans
from ivr.flow import Flow
from ivr.loader import load_text
from ivr.requests import TransferRequest
from ivr.versions import Chosen, Versions
from pbx.actions import MAX_MEMORY
from pbx.facts import (
    CallReturned,
    ChannelGone,
    ChannelSeen,
    ControlLost,
    Fact,
    LinkDown,
    LinkUp,
    Looked,
    OrderFailed,
    PhoneState,
    Place,
    Snapshot,
)
from pbx.live import OUR_LEG, LiveChannels
from pbx.orders import (
    Answer,
    Connect,
    HangUp,
    KeepAlive,
    Look,
    Order,
    Play,
    Remember,
    RingPhone,
    StartMusic,
    StopMusic,
    StopPlay,
    TakeOver,
)
from tests.fakes.prompts import FakePrompts
from tests.fakes.surroundings import FakeOutside, FakeSurroundings
from tests.fakes.switch import FakeChannel, FakeSwitch, PhoneScript
from tests.fakes.virtual_time import VirtualTime, VirtualTimer

DEAD_MAN_S = 45
CODES = FeatureCodes("*45", "*46", "*47", "*48", "*49", "*50", reasons={"1": "break", "2": "lunch"})
COMMANDS = (Answer, Play, StopPlay, StartMusic, StopMusic)

FLOW = """
flow: test
numbers: ["100"]
language: en
start: hello
nodes:
  hello: {say: Hello, next: main}
  main:
    menu: {prompt: Menu, keys: {"1": sales, "2": ghost}, no_input: Nothing, timeout: 4s, tries: 2, otherwise: bye}
  sales: {to_queue: {queue: sales, then: survey, otherwise: sorry}}
  ghost: {to_queue: {queue: removed, then: survey, otherwise: sorry}}
  survey: {say: Survey, bargein: false, next: bye}
  sorry: {say: Sorry, next: bye}
  bye: {say: Bye, next: done}
  done: {hangup: {}}
prompts: {}
"""

SALES = QueueSpec("sales", ring_s=20, wrap_up_s=10.0, max_wait_s=300.0, dispositions={"1": "sold", "2": "callback"})

Note = tuple[str, str | None, dict[str, Any]]


def flow(text: str = FLOW) -> Flow:
    loaded, problems = load_text(text.encode(), "test.yaml")
    assert loaded is not None, problems
    return loaded


class FakePbx(FakeSwitch):
    """What is not seen while the link is down still happens. A channel after a lost link obeys only a `TakeOver`."""

    def __init__(self, time: VirtualTime) -> None:
        super().__init__(time)
        self.places: dict[str, Place] = {}
        self.memories: dict[str, str] = {}
        self.about: dict[str, dict[str, str]] = {}
        self.endpoints: dict[str, str] = {}
        self.hands: set[str] = set()  # as the link knows them
        self.phone_states: dict[str, PhoneState] = {}
        self.dead_man: dict[str, VirtualTimer] = {}
        self.connect_seconds = 0.0
        self._connecting: dict[str, VirtualTimer] = {}
        self.between: set[str] = set()  # channels that a look catches between two applications of the dialplan

    # what happens there

    def call(self, channel: str, *, dialled: str = "100", caller: str = "+15550100", **more: str) -> FakeChannel:
        self.places[channel] = Place.ARRIVAL
        self.about[channel] = {"dialled": dialled, "caller": caller, **more}
        self.hands.add(channel)
        self._set_timer(channel)
        return super().call(channel, dialled=dialled, caller=caller, **more)

    def emit(self, fact: Fact) -> None:
        match fact:
            case CallReturned(channel=channel):
                self.places[channel] = Place.RETURNED
                self.channels[channel].commands.clear()
                self._set_timer(channel)
                if self.up:
                    self.hands.add(channel)
            case ChannelGone(channel=channel):
                self.places.pop(channel, None)
                self.hands.discard(channel)
                self._stop_dead_man(channel)
            case LinkDown():
                self.hands.clear()
        if self.sink is not None and (self.up or isinstance(fact, (LinkDown, LinkUp, OrderFailed))):
            self.sink(fact)

    def controlled(self, channel: str) -> bool:
        return channel not in self.between and self.places.get(channel) in {Place.ARRIVAL, Place.RETURNED}

    def to_fallback(self, channel: str) -> None:
        """The dead-man's timer fires."""
        known = self.channels[channel]
        if known.bridge:  # Asterisk 22: the talk is over, there is no T in its context
            self.hang_up(channel)
            return
        self.places[channel] = Place.FALLBACK
        self.hands.discard(channel)
        known.commands.clear()
        known.music = ""
        self._stop_timers(known)
        self.emit(ControlLost(channel))

    def look(self) -> Snapshot:
        return Snapshot(tuple(self._seen(known) for known in self.channels.values()), dict(self.phone_states))

    def _seen(self, known: FakeChannel) -> ChannelSeen:
        about = self.about.get(known.channel, {})
        leg = known.channel.startswith(OUR_LEG)
        endpoint = self.endpoints.get(known.channel, about.get("endpoint", "trunk"))
        return ChannelSeen(
            channel=known.channel,
            name=f"PJSIP/{endpoint}-{known.channel}",
            endpoint=endpoint,
            place=Place.OFFER if leg else self.places[known.channel],
            answered=known.answered,
            controlled=self.controlled(known.channel),
            bridge=known.bridge,
            caller_number=about.get("caller", ""),
            caller_name=about.get("name", ""),
            dialled=about.get("dialled", ""),
            language="en",
            memory=self.memories.get(known.channel, ""),
        )

    def _set_timer(self, channel: str, seconds: float = DEAD_MAN_S) -> None:
        self._stop_dead_man(channel)
        self.dead_man[channel] = self.time.after(seconds, lambda: self.to_fallback(channel))

    def _stop_dead_man(self, channel: str) -> None:
        timer = self.dead_man.pop(channel, None)
        if timer is not None:
            timer.cancel()

    # what is ordered

    def send(self, order: Order) -> None:
        if isinstance(order, RingPhone):
            self.endpoints[order.leg] = order.endpoint
        if isinstance(order, Look) and self.up:
            self.orders.append(order)
            self.time.after(0.0, lambda: self.emit(Looked(self.look())))
            return
        if self.up and isinstance(order, COMMANDS) and order.channel not in self.hands:
            self.orders.append(order)
            self._soon(OrderFailed(order.channel, type(order).__name__, "not controlled"))
            return
        super().send(order)

    def _carry_out(self, order: Order, known: FakeChannel) -> None:
        match order:
            case Remember(memory=memory):
                assert len(memory.encode()) <= MAX_MEMORY
                self.memories[known.channel] = memory
            case KeepAlive(seconds=seconds):
                self._set_timer(known.channel, seconds)
            case TakeOver():
                self.hands.add(known.channel)
            case Connect(channel=channel, leg=leg):
                self.places[channel] = Place.TALK
                self.hands.discard(channel)
                known.commands.clear()
                known.music = ""
                self._stop_timers(known)
                self._stop_dead_man(channel)
                if channel in self._connecting:  # a redirect ends the one before
                    self._connecting[channel].cancel()
                self._connecting[channel] = self.time.after(self.connect_seconds, lambda: self._bridge(known, leg))
                return
        super()._carry_out(order, known)


class Library:
    """What is published: `versions` can be set at any time."""

    def __init__(self, versions: Versions) -> None:
        self.versions = versions

    def flow_for(self, number: str, call: str, caller_number: str, kept: int = 0, /) -> Chosen | None:
        return self.versions.flow_for(number, call, caller_number, kept)


class Brain:
    """One life of the service, linked from the start unless `linked` is False. Invariants hold after every fact."""

    def __init__(
        self,
        pbx: FakePbx | None = None,
        *,
        agents: tuple[str, ...] = ("1001",),
        skills: Mapping[str, Mapping[str, int]] | None = None,
        queues: tuple[QueueSpec, ...] = (SALES,),
        text: str = FLOW,
        versions: Versions | None = None,
        comfort: Mapping[str, ComfortPlan] | None = None,
        notices: Mapping[str, Mapping[str, str]] | None = None,
        expected_wait: ExpectedWait | None = None,
        life: int = 1,
        linked: bool = True,
    ) -> None:
        legs = (f"{OUR_LEG}{life}-{number:04d}" for number in count(1))

        def new_leg_id() -> str:
            # Whoever makes facts up may have made up a talk of a leg that is yet to come.
            return next(leg for leg in legs if leg not in self.distributor.engine.offers.open)

        self.pbx = pbx or FakePbx(VirtualTime())
        self.time = self.pbx.time
        self.life = life
        self.alive = True
        self.notes: list[Note] = []
        self.untold: list[str] = []
        self.prompts = FakePrompts()
        self.library = Library(versions or Versions({1: Dialplans((flow(text),))}, 1))
        self.around = FakeSurroundings(self.time.now)
        self.outside = FakeOutside()
        self.last_agents = LastAgents()
        self.live = LiveChannels()
        self.distributor = Distributor(
            queues,
            [AgentSpec(agent, f"Agent {agent}", agent, ("sales",), (skills or {}).get(agent, {})) for agent in agents],
            switch=self.pbx,
            timers=self,
            clock=self.time.now,
            note=self._distributor_note,
            on_result=self._queue_ended,
            new_leg_id=new_leg_id,
            expected_wait=expected_wait,
            rung_by_others=lambda leg: self.transfers.owns(leg),  # noqa: PLW0108 - not made yet
        )
        allowed = Allowed(agents, ("+1555",), trunk=True)
        self.transfers = Transfers(self.pbx, self, self.distributor.phones, allowed, self._note, new_leg_id)
        services = CallServices(
            self.pbx,
            self,
            self.time.now,
            self._note,
            self.library,
            self.prompts,
            self.distributor,
            self.around,
            self.outside,
            DEAD_MAN_S,
            self.transfers,
            self.last_agents.agent_of,
            (comfort or {}).get,
            lambda queue: (notices or {}).get(queue, {}),
            self.untold.append,
        )
        self.calls = CallBook(services, CODES)
        self.outside.desks[TransferRequest] = self.calls.transfer
        self.here: set[str] = set()
        self.dispatcher = Dispatcher(
            self.live, self.calls, self.distributor, self._note, self.here.update, transfers=self.transfers
        )
        self.pbx.sink = self.handle
        for agent in agents:
            self.pbx.phones.setdefault(agent, PhoneScript.answers(1.0))
            self.pbx.phone_states.setdefault(agent, PhoneState.IDLE)
        self.distributor.restore_agents((agent, AgentState.READY, "", self.time.now() - 60) for agent in agents)
        self._renew()
        if linked:
            self.pbx.up = True
            self.pbx.restore_link(self.pbx.look())

    # the process around it

    def after(self, seconds: float, callback: Any, /) -> VirtualTimer:
        """Timers die with the service."""
        return self.time.after(seconds, lambda: callback() if self.alive else None)

    def handle(self, fact: Fact) -> None:
        self.dispatcher(fact)
        self.check()

    def check(self) -> None:
        assert violations(self.distributor.engine) == []

    def killed(self) -> None:
        """`kill -9`."""
        self.alive = False
        self.pbx.sink = None
        self.pbx.up = False
        self.pbx.hands.clear()

    def successor(self, **more: Any) -> Brain:
        """Killed if need be, and started again."""
        if self.alive:
            self.killed()
        return Brain(self.pbx, life=self.life + 1, **more)

    def look(self) -> None:
        """The periodic comparison, now."""
        self.pbx.send(Look())
        self.time.settle()

    def lose_link(self) -> None:
        self.pbx.lose_link()

    def restore_link(self) -> None:
        self.pbx.restore_link(self.pbx.look())
        self.time.settle()

    def _renew(self) -> None:
        self.calls.renew(self.time.now())
        self.after(1.0, self._renew)

    def _queue_ended(self, call: str, result: QueueResult) -> None:
        self.calls.queue_ended(call, result)

    def _distributor_note(
        self, kind: str, call: str | None, agent: str | None, queue: str | None, data: dict[str, Any]
    ) -> None:
        self.notes.append((kind, call, data | {"agent": agent}))
        known = self.calls.get(call) if kind == "talk.started" and call is not None else None
        if known is not None and agent is not None:
            self.last_agents.talked(known.info.caller_number, agent)

    def _note(
        self,
        kind: str,
        *,
        call_id: str | None = None,
        agent: str | None = None,
        queue: str | None = None,
        data: dict[str, Any] | None = None,
    ) -> None:
        self.notes.append((kind, call_id, data or {}))

    # what tests ask

    def kinds(self, call: str) -> list[str]:
        return [kind for kind, of, _ in self.notes if of == call]

    def ended(self, call: str) -> dict[str, Any]:
        """How the call ended; it did so once."""
        (data,) = [data for kind, of, data in self.notes if kind == "call.ended" and of == call]
        return {key: data[key] for key in ("outcome", "ended_by")}

    def phase(self, call: str) -> str | None:
        found = self.calls.get(call)
        return found.phase if found is not None else None

    def heard(self, call: str) -> list[str]:
        """What was to be played to the caller, in order."""
        return [
            file.rsplit("/", 1)[1]
            for play in self.pbx.sent(Play)
            if play.channel == call
            for file in play.files
            if play.channel in self.pbx.about
        ]

    def music(self, call: str) -> str:
        return self.pbx.channels[call].music

    def agent(self, agent: str = "1001") -> str:
        return self.distributor.engine.floor.agents[agent].state

    def hung_up(self) -> list[str]:
        return [order.channel for order in self.pbx.sent(HangUp)]

    # where tests begin

    def in_menu(self, call: str) -> Brain:
        self.pbx.call(call)
        self.time.advance(1.5)
        assert self.heard(call)[-1] == "Menu"
        return self

    def in_queue(self, call: str) -> Brain:
        self.in_menu(call)
        self.pbx.press(call, "1")
        self.time.settle()
        assert self.phase(call) == "queue"
        return self

    def in_talk(self, call: str) -> Brain:
        self.in_queue(call)
        self.time.advance(1.5)
        assert self.phase(call) == "talk"
        return self

    def leg(self, agent: str = "1001") -> str:
        """The agent's leg that lives now."""
        (leg,) = [leg for leg, of in self.pbx.endpoints.items() if of == agent and leg in self.pbx.channels]
        return leg
