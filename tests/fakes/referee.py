"""Judges the engine by its history alone: the callers who came, and the notes that it gave. It looks at no index of it.

What it insists on, at every single note:

- An agent has one open offer at most, and a caller one answered offer at most; more than one that rings only where the
  queue rings all; and after an answer, at the end of that same step, none beside the answered one.
- First come, first served, within a class: of two callers of one queue who bring the same requirement and wait for
  nobody in particular, the one who came first is offered first. Never is the later one offered while the earlier one
  may be. (Who is ANSWERED first is the phones' doing: both may ring.)
- No starvation: a later one of the class is only ever preferred by virtue of a head start, and only if they came within
  the difference of the two head starts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from acd.facts import CallerJoined, Fact
from acd.model import WaitingCaller
from acd.orders import Note, Order
from acd.skills import Requirement

Class = tuple[str, Requirement | None]
_OVER = frozenset({"offer.failed", "offer.withdrawn", "talk.ended", "talk.consult_ended"})


@dataclass(slots=True)
class _InLine:
    caller: WaitingCaller
    ringing: set[str] = field(default_factory=set)
    answered: str | None = None


class Referee:
    def __init__(self, rings_all: Iterable[str]) -> None:
        self.offers = 0
        self.overtaken = 0  # offers made to one who came later, by virtue of a head start
        self.furthest_s = 0.0  # by how much later they came, at most
        self._rings_all = frozenset(rings_all)
        self._classes: dict[Class, dict[str, _InLine]] = defaultdict(dict)
        self._in_line: dict[str, _InLine] = {}
        self._agent_of: dict[str, str] = {}  # by open offer
        self._offer_of: dict[str, str] = {}  # by agent
        self._call_of: dict[str, str] = {}  # by open offer of a caller in line
        self._talks: dict[str, str] = {}  # call -> offer

    def watch(self, fact: Fact, orders: Iterable[Order]) -> None:
        joining = fact.caller if isinstance(fact, CallerJoined) else None
        answered: list[str] = []
        for order in orders:
            if isinstance(order, Note):
                self._note(order, joining)
                if order.kind == "offer.answered" and order.call in self._in_line:
                    answered.append(order.call)
        for call in answered:
            one = self._in_line.get(call)
            assert one is None or not one.ringing, f"{call} is answered and still rings elsewhere"

    def _note(self, note: Note, joining: WaitingCaller | None) -> None:
        call, agent, offer = note.call or "", note.agent or "", str(note.data.get("offer", ""))
        match note.kind:
            case "queue.joined":
                assert joining is not None
                one = self._in_line[call] = self._class_of(joining)[call] = _InLine(joining)
            case "queue.left":
                one = self._in_line.pop(call)
                assert not one.ringing, f"{call} left, and phones ring for them"
                del self._class_of(one.caller)[call]
            case "offer.made":
                assert agent not in self._offer_of, f"{agent} has two offers"
                self._offer_of[agent], self._agent_of[offer] = offer, agent
                if not note.data.get("consult"):
                    self._offered(self._in_line[call], offer)
            case "offer.answered" if offer in self._call_of:
                one = self._in_line[call]
                assert one.answered is None, f"two agents answered {call}"
                one.answered = offer
                one.ringing.discard(offer)
            case "talk.started":
                assert self._talks.setdefault(call, offer) == offer, f"two agents talk to {call}"
                self._call_of.pop(offer, None)
            case kind if kind in _OVER:
                self._over(call, offer)

    def _over(self, call: str, offer: str) -> None:
        agent = self._agent_of.pop(offer)
        del self._offer_of[agent]
        if self._talks.get(call) == offer:
            del self._talks[call]
        if self._call_of.pop(offer, None) is not None:
            one = self._in_line[call]
            one.ringing.discard(offer)
            if one.answered == offer:
                one.answered = None

    def _offered(self, one: _InLine, offer: str) -> None:
        assert self._open(one), f"{one.caller.call} may not be offered once more"
        self._call_of[offer] = one.caller.call
        if one.caller.preferred is None:
            for other in self._class_of(one.caller).values():
                if other is not one and other.caller.preferred is None and self._open(other):
                    self._passed_over(other.caller, one.caller)
        one.ringing.add(offer)
        self.offers += 1

    def _passed_over(self, earlier: WaitingCaller, later: WaitingCaller) -> None:
        """One of a class is offered while the other may be: did they come first, or have they a reason?"""
        by_s = later.joined_at - earlier.joined_at
        if by_s < 0:
            return
        allowed_s = later.head_start - earlier.head_start
        assert by_s <= allowed_s, f"{later.call} came {by_s:.3f} s after {earlier.call} and is offered first"
        self.overtaken += 1
        self.furthest_s = max(self.furthest_s, by_s)

    def _open(self, one: _InLine) -> bool:
        return one.answered is None and (not one.ringing or one.caller.queue in self._rings_all)

    def _class_of(self, caller: WaitingCaller) -> dict[str, _InLine]:
        return self._classes[caller.queue, caller.requirement]
