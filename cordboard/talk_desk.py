"""What people may do with talks, in the words in which they say it: by REST, WebSocket, command line and phone keys.

Decides what a destination means (an agent's number, a queue's name or number, a flow, an allowed number) and who may
supervise. It refuses to know how a talk gets from one state to another (`acd.control` does).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Protocol

from acd.destinations import Destination, Person, ToAgent, ToFlow, ToNumber, ToQueue
from acd.errors import NotAllowed, NotPossible, UnknownAgent
from acd.service import Distributor
from cordboard.allowed import Allowed
from pbx.orders import SpyMode

COMMANDS = ("hold", "resume", "consult", "complete", "cancel", "conference", "transfer", "requeue")
WITH_DESTINATION = frozenset({"consult", "transfer"})
SUPERVISION = ("listen", "whisper", "barge", "takeover", "stop")


class NamedFlow(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def numbers(self) -> Collection[str]: ...


@dataclass(frozen=True, slots=True)
class Site:
    """What a destination can be. `flows` is asked anew each time."""

    agents: Collection[str]
    supervisors: Collection[str]
    queue_numbers: Mapping[str, str]  # number -> queue
    queues: Collection[str]
    prefixes: tuple[str, ...]
    flows: Callable[[], Collection[NamedFlow]]
    trunk: bool


class TalkDesk:
    """Every method raises an `AcdError` whose text can be shown to whoever asked, with nothing changed."""

    def __init__(self, distributor: Distributor, site: Site) -> None:
        self._distributor = distributor
        self._site = site
        self._allowed = Allowed(site.agents, site.prefixes, site.trunk)

    def command(self, call: str, command: str, to: str = "") -> None:
        """One of `COMMANDS`; `to` for those that need a destination: `agent:1002`, `queue:sales`, `flow:main`,
        `number:+15550100`, or a number alone, as an agent would dial it."""
        control = self._distributor.control
        match command:
            case "hold":
                control.hold(call)
            case "resume":
                control.resume(call)
            case "consult":
                control.consult(call, self._person(to))
            case "complete":
                control.complete(call)
            case "cancel":
                control.cancel(call)
            case "conference":
                control.conference(call)
            case "transfer":
                control.transfer(call, self.destination(to))
            case "requeue":
                control.requeue(call)
            case _:
                raise NotPossible(f"There is no command {command!r}; there are: {', '.join(COMMANDS)}.")

    def supervise(self, call: str, supervisor: str, mode: str) -> None:
        """`mode` is one of `SUPERVISION`."""
        if supervisor not in self._site.agents:
            raise UnknownAgent(supervisor)
        if supervisor not in self._site.supervisors:
            raise NotAllowed(f"Agent {supervisor!r} is no supervisor: agents.{supervisor}.supervisor is not true.")
        supervision = self._distributor.supervision
        match mode:
            case "stop":
                supervision.stop(call, supervisor)
            case "takeover":
                supervision.take_over(call, supervisor)
            case "listen" | "whisper" | "barge":
                supervision.watch(call, supervisor, SpyMode(mode))
            case _:
                raise NotPossible(f"There is no mode {mode!r}; there are: {', '.join(SUPERVISION)}.")

    def call_of_leg(self, leg: str) -> str | None:
        """The call whose talk an agent's leg is in, if it is that agent's talk."""
        offer = self._distributor.engine.offers.open.get(leg)
        if offer is None or self._distributor.engine.offers.talks.get(offer.call) != leg:
            return None
        return offer.call

    def destination(self, text: str) -> Destination:
        kind, found, name = text.partition(":")
        if not found:
            return self._dialled(text)
        match kind:
            case "agent":
                return self._agent(name)
            case "queue":
                return self._queue(name)
            case "number":
                return self._allowed.number(name)
            case "flow":
                for flow in self._site.flows():
                    if flow.name == name:
                        return ToFlow(name, next(iter(flow.numbers)))
                raise NotPossible(f"There is no flow {name!r}.")
            case _:
                raise NotPossible("A destination is agent:NUMBER, queue:NAME, flow:NAME or number:DIGITS.")

    def _dialled(self, digits: str) -> Destination:
        """As an agent would dial it."""
        if not digits:
            raise NotPossible("A destination is missing: agent:NUMBER, queue:NAME, flow:NAME or number:DIGITS.")
        if digits in self._site.agents:
            return ToAgent(digits)
        if digits in self._site.queue_numbers:
            return ToQueue(self._site.queue_numbers[digits])
        for flow in self._site.flows():
            if digits in flow.numbers:
                return ToFlow(flow.name, digits)
        return self._allowed.number(digits)

    def _person(self, text: str) -> Person:
        found = self.destination(text)
        if not isinstance(found, (ToAgent, ToNumber)):
            raise NotPossible("Only a person can be consulted: an agent or a number.")
        return found

    def _agent(self, number: str) -> ToAgent:
        if number not in self._site.agents:
            raise UnknownAgent(number)
        return ToAgent(number)

    def _queue(self, name: str) -> ToQueue:
        if name not in self._site.queues:
            raise NotPossible(f"There is no queue {name!r}; there are: {', '.join(sorted(self._site.queues))}.")
        return ToQueue(name)
