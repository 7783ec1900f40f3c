"""Where a caller can be in a set of dialplans, and where every way from there leads.

Decides what is a place of its own for somebody who listens: a node that only leads elsewhere (`goto`, `call`, `return`)
is none, so flows that are only cut into files in another way have the same places. The language is part of the place.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ivr.dialplans import Dialplans
from ivr.flow import Flow
from ivr.node import Node
from ivr.verbs.assign import LANGUAGE, AssignNode, Computed
from ivr.verbs.call_flow import CallNode
from ivr.verbs.decide import IfNode
from ivr.verbs.give_back import ReturnNode
from ivr.verbs.goto import GotoNode
from ivr.verbs.hours import HoursNode
from ivr.verbs.split import SplitNode

MOST_HOPS = 50
"""Nodes in a row that only lead elsewhere; more is a circle."""

ELSE, KEY, CASE, REASON, NEXT = "else", "key", "case", "reason", "next"

Frame = tuple[str, str]
"""The flow and the node that called another flow."""


@dataclass(frozen=True, slots=True)
class Place:
    """`node` is "" where the call is over. `frames`: whoever called this flow, the last one innermost."""

    flow: str
    node: str
    language: str
    frames: tuple[Frame, ...] = ()

    @property
    def over(self) -> bool:
        return not self.node


@dataclass(frozen=True, slots=True)
class Passed:
    """Values that went from one flow into another on the way to a place, by name."""

    values: tuple[tuple[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Exit:
    """A way on. `kind` KEY, CASE, REASON, ELSE or NEXT; `name` is the same in both sets when the ways mean the same."""

    kind: str
    name: str
    to: Place


class Plans:
    """One of the two sets that are compared."""

    def __init__(self, dialplans: Dialplans) -> None:
        self.dialplans = dialplans
        self.flows: Mapping[str, Flow] = {one.name: one for flow in dialplans.flows for one in flow.family()}

    def start(self, number: str) -> Place:
        flow = self.dialplans.flow_for(number)
        assert flow is not None
        return Place(flow.name, flow.start, flow.language)

    def flow(self, place: Place) -> Flow:
        return self.flows[place.flow]

    def node(self, place: Place) -> Node:
        return self.flows[place.flow].nodes[place.node]

    def settled(self, place: Place) -> tuple[Place, tuple[Passed, ...]]:
        """Past every node that only leads elsewhere."""
        passed: list[Passed] = []
        for _ in range(MOST_HOPS):
            if place.over:
                break
            node = self.node(place)
            match node:
                case GotoNode(goto=str(target)):
                    place = replace(place, node=target)
                case GotoNode():
                    [(_, name)] = node.flows()
                    place = self._into(place, name, ())
                case CallNode(call=call):
                    passed.append(Passed(tuple(sorted(call.given.items()))))
                    place = self._into(place, call.flow, (*place.frames, (place.flow, place.node)))
                case ReturnNode(values=values) if place.frames:
                    (flow, caller), frames = place.frames[-1], place.frames[:-1]
                    calling = self.flows[flow].nodes[caller]
                    assert isinstance(calling, CallNode)
                    saved = {name: values.get(theirs, "") for name, theirs in calling.call.save.items()}
                    passed.append(Passed(tuple(sorted(saved.items()))))
                    place = Place(flow, calling.next, self._spoken(flow, place.language), frames)
                case ReturnNode():
                    place = replace(place, node="")
                case _:
                    break
        return place, tuple(passed)

    def _into(self, place: Place, name: str, frames: tuple[Frame, ...]) -> Place:
        flow = self.flows[name]
        return Place(name, flow.start, self.flows[place.flow].language_in(flow, place.language), frames)

    def _spoken(self, flow: str, language: str) -> str:
        return language if language in self.flows[flow].languages else self.flows[flow].language

    def exits(self, place: Place) -> Iterator[Exit]:
        """Every way on from a place that is settled."""
        node = self.node(place)
        match node:
            case AssignNode(set=assigned, next=target) if LANGUAGE in assigned:
                for language in self._languages(place, assigned[LANGUAGE]):
                    yield Exit(NEXT, NEXT, replace(place, node=target, language=language))
            case IfNode(cases=cases, other=other):
                for case in cases:
                    yield Exit(CASE, " ".join(case.when.split()), replace(place, node=case.to))
                yield Exit(ELSE, ELSE, replace(place, node=other))
            case SplitNode(split=lots):
                for number, target in enumerate(lots, 1):
                    yield Exit(NEXT, f"lot {number}", replace(place, node=target))
            case _:
                for path, written, target in node.branches():
                    kind = KEY if "keys" in path else REASON if "otherwise" in path else NEXT
                    label = written.removeprefix("otherwise.")
                    rest = kind == REASON and label in {ELSE, "otherwise"}
                    to = replace(place, node=target)
                    yield Exit(ELSE, ELSE, to) if rest else Exit(kind, label, to)

    def _languages(self, place: Place, given: Any) -> tuple[str, ...]:
        return self.flow(place).languages if isinstance(given, Computed) else (str(given),)

    def fallback(self, place: Place, name: str) -> Place | None:
        """Where a caller goes whose reason this node does not name."""
        exits = {exit_.name: exit_.to for exit_ in self.exits(place)}
        return exits.get("closed") if isinstance(self.node(place), HoursNode) else exits.get(ELSE)

    def handler(self, place: Place, *, hung_up: bool) -> Place:
        """Where a call goes when something breaks here, or the caller hangs up: the flow's, or that of its caller."""
        name, frames = place.flow, place.frames
        while True:
            flow = self.flows[name]
            target = flow.on_hangup if hung_up else flow.on_error
            if target is not None:
                return Place(name, target, self._spoken(name, place.language), frames)
            if not frames:
                return Place(name, "", place.language)
            name, frames = frames[-1][0], frames[:-1]
