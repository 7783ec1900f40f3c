"""Random walks through a flow: what a caller does next is drawn from a seed, where the flow stands in a rehearsal.

Decides how such callers behave: mostly they press what is possible, now and then something else or nothing, and
sometimes they interrupt or hang up. An act says after how many prompts and queues it is done, so that a real phone can
do the same.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

from ivr.rehearsal.happenings import Entered, Left, LeftQueue, Queued, Said
from ivr.rehearsal.rehearsal import Awaits, Rehearsal, seconds_of
from ivr.verbs.ask import AskNode
from ivr.verbs.menu import MenuNode

MOST_ACTS = 8
LONG_S = 2.0
"""A prompt that a phone can interrupt for certain."""

SHYNESS = (0.1, 0.1, 0.1, 0.7)
"""How often callers press nothing when they are asked; one in four is very shy."""

QUEUE_RESULT = "timeout"
"""What becomes of every wait: nobody is at work."""

HANG_UP = "hang up"
_ANSWERS = {"date": "01012001", "amount": "12", "number": "42", "yes_no": "1"}


@dataclass(frozen=True, slots=True)
class Act:
    """Keys to press, or HANG_UP, once so many prompts have begun and ended, and so many queues were joined."""

    keys: str
    begun: int
    ended: int
    joined: int


@dataclass(frozen=True, slots=True)
class Walk:
    """What a caller does, and what must come of it."""

    acts: tuple[Act, ...]
    path: tuple[str, ...]
    branches: frozenset[tuple[str, str, str]]


def walk(call: Rehearsal, seed: int) -> Walk:
    """Rehearse a call that nobody has begun yet, to its end."""
    lots = random.Random(seed)
    shyness = lots.choice(SHYNESS)
    acts: list[Act] = []
    call.begin()
    while call.awaits is not Awaits.NOTHING:
        match call.awaits:
            case Awaits.PROMPT if len(acts) < MOST_ACTS and _may_interrupt(call) and lots.random() < 0.4:
                keys = lots.choice(_possible(call))[:1]
                acts.append(_act(call, keys, during=True))
                call.press(keys)
            case Awaits.PROMPT | Awaits.PAUSE:
                call.listen()
            case Awaits.KEY:
                _at_key(call, lots, acts, shyness)
            case Awaits.QUEUE:
                keys = _keys_of_queue(call)
                if keys and len(acts) < MOST_ACTS and lots.random() < 0.5:
                    key = lots.choice(keys)
                    acts.append(_act(call, key))
                    call.press(key)
                else:
                    call.leave_queue(QUEUE_RESULT)
            case _:
                raise AssertionError("a walk answers no requests")
    return Walk(tuple(acts), tuple(path_of(call)), frozenset(_branches(call)))


def _at_key(call: Rehearsal, lots: random.Random, acts: list[Act], shyness: float) -> None:
    if len(acts) >= MOST_ACTS or lots.random() < 0.05:
        acts.append(_act(call, HANG_UP))
        call.hang_up()
    elif lots.random() < shyness:
        call.stay_silent()
    else:
        keys = lots.choice(_possible(call)) if lots.random() < 0.8 else lots.choice("0123456789*#")
        acts.append(_act(call, keys))
        for key in keys:
            if call.awaits is not Awaits.NOTHING:
                call.press(key)


def _possible(call: Rehearsal) -> list[str]:
    """Answers that the node where the caller is asks for; any key, where it asks for none."""
    node = call.flow.nodes[call.position.node]
    if isinstance(node, MenuNode):
        return list(node.menu.keys)
    if isinstance(node, AskNode) and not call.position.step:
        least, most = node.ask.bounds
        digits = _ANSWERS.get(node.ask.type, "1234567890" * 4)[: max(least, 5)][:most]
        return [digits if len(digits) == most else digits + node.ask.end.replace("none", "")]
    return ["1", "2"]


def _keys_of_queue(call: Rehearsal) -> str:
    """Those that lead out of it. Who was there before has waited long enough: the place and its time are kept."""
    queues = [one.handover.queue for one in call.happenings if isinstance(one, Queued)]
    return call.handover.keys if call.handover is not None and queues.count(queues[-1]) == 1 else ""


def _may_interrupt(call: Rehearsal) -> bool:
    saying = call.saying
    return saying is not None and saying.interruptible and seconds_of(saying.pieces) >= LONG_S


def _act(call: Rehearsal, keys: str, *, during: bool = False) -> Act:
    begun = sum(isinstance(one, Said) for one in call.happenings)
    joined = sum(isinstance(one, Queued) for one in call.happenings)
    left = sum(isinstance(one, LeftQueue) for one in call.happenings)
    assert joined - left in {0, 1}
    return Act(keys, begun, begun - during, joined)


def path_of(call: Rehearsal) -> Iterator[str]:
    main = next(one.flow for one in call.happenings if isinstance(one, Entered))
    return (
        one.node if one.flow == main else f"{one.flow}/{one.node}"
        for one in call.happenings
        if isinstance(one, Entered)
    )


def _branches(call: Rehearsal) -> Iterator[tuple[str, str, str]]:
    return ((one.flow, one.node, one.label) for one in call.happenings if isinstance(one, Left))
