"""A distributor, three agents and a PBX in memory, with a caller who talks with the first agent: for talk control."""

from __future__ import annotations

from itertools import count
from typing import Any

from acd.destinations import Destination, ToQueue
from acd.invariants import violations
from acd.model import AgentSpec, QueueSpec, WaitingCaller
from acd.service import Distributor, QueueResult
from pbx.facts import Fact
from pbx.orders import RingPhone
from tests.fakes.switch import FakeChannel, FakeSwitch, PhoneScript
from tests.fakes.virtual_time import VirtualTime

QUEUES = (QueueSpec("sales", ring_s=10, wrap_up_s=5.0), QueueSpec("support", ring_s=10, wrap_up_s=5.0))
AGENTS = ("1001", "1002", "1003")
OUTSIDE = "+15550199"


class TalkFloor:
    """`ann` talks with 1001; 1002 and 1003 are in another queue, and answer after two seconds."""

    def __init__(self, on: FakeSwitch | None = None, time: VirtualTime | None = None) -> None:
        """`on`: a PBX in which something goes on already; nobody logs in and nobody is called then."""
        ids = count(1)
        self.time = time or VirtualTime(start=1_000_000.0)
        self.switch = on or FakeSwitch(self.time)
        self.switch.sees = True
        self.switch.move_seconds = 0.01
        self.back: list[tuple[str, str | Destination]] = []  # callers handed back, and with what
        self.notes: list[tuple[str, str | None, dict[str, Any]]] = []
        self.distributor = Distributor(
            QUEUES,
            [AgentSpec("1001", "Ana", "1001", ("sales",))]
            + [AgentSpec(number, f"Agent {number}", number, ("support",)) for number in AGENTS[1:]],
            switch=self.switch,
            timers=self.time,
            clock=self.time.now,
            note=lambda kind, _call, agent, _queue, data: self.notes.append((kind, agent, data)),
            on_result=self._result,
            on_transfer=self._transfer,
            new_leg_id=lambda: f"cb-{id(self):x}-{next(ids):04d}",
        )
        self.control = self.distributor.control
        self.switch.sink = self.handle
        if on is not None:
            return
        for agent in AGENTS:
            self.distributor.login(agent)
            self.switch.phones[agent] = PhoneScript.answers(2.0)
        self.switch.phones[OUTSIDE] = PhoneScript.answers(2.0)
        self.join("ann", "sales", self.time.now())
        self.time.advance(3)
        self.notes.clear()

    def handle(self, fact: Fact) -> None:
        self.distributor.handle(fact)
        assert violations(self.distributor.engine) == []

    def join(self, call: str, queue: str, joined_at: float) -> None:
        if call not in self.switch.channels:
            self.switch.channels[call] = FakeChannel(call, answered=True)
        self.distributor.join(WaitingCaller(call, queue, joined_at))

    def _result(self, call: str, result: QueueResult) -> None:
        self.back.append((call, result.value))

    def _transfer(self, call: str, to: Destination) -> None:
        """As the caller's call does it: into a queue they go at once."""
        self.back.append((call, to))
        if isinstance(to, ToQueue):
            self.join(call, to.queue, self.time.now())

    # what the test asks

    def state(self, agent: str) -> str:
        return self.distributor.engine.floor.agents[agent].state.value

    @property
    def states(self) -> list[str]:
        return [self.state(agent) for agent in AGENTS]

    def leg(self, agent: str) -> str:
        """The last one of this agent's phone."""
        return next(one.leg for one in reversed(self.switch.sent(RingPhone)) if one.endpoint == agent)

    def with_whom(self, channel: str = "ann") -> set[str]:
        """Who else is in the same bridge."""
        bridge = self.switch.channels[channel].bridge
        return {
            one.channel
            for one in self.switch.channels.values()
            if bridge and one.bridge == bridge and one.channel != channel
        }

    def kinds(self) -> list[str]:
        return [kind for kind, _, _ in self.notes if kind.startswith("talk.")]
