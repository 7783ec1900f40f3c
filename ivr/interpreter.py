"""Takes a caller through a flow, one input at a time. Pure: a flow, a position and an input in, a `Step` out.

Decides which input counts (a stale prompt or timer does not), what happens between two waits, and that every step ends
in a wait or in the end of the flow. It knows no verb: a node knows what it does (`ivr.verbs`).
"""

from __future__ import annotations

from ivr.effects import EnterQueue, Step
from ivr.flow import Flow
from ivr.handover import Handover
from ivr.inputs import ENDED, QUEUE, CallFacts, Input, KeyTyped, Position, PromptEnded, QueueEnded, TimerFired
from ivr.walk import MAX_ERRORS, Walk

MAX_HOPS = 50
"""Nodes that may follow one another without a wait. More is a circle."""

KEYS = frozenset("0123456789*#ABCD")


def begin(flow: Flow, call: CallFacts, typed: str = "") -> Step:
    """The caller meets the flow. `typed`: keys pressed before anything was said."""
    walk = Walk(flow, call, Position(flow.start, flow.language))
    for key in typed:
        _key(walk, key)
    walk.go(flow.start)
    return _settle(walk)


def resume(flow: Flow, call: CallFacts, position: Position) -> Step:
    """Enter the node again where a predecessor left the caller; the start, when this flow has that node no more."""
    known = position.node in flow.nodes
    walk = Walk(
        flow,
        call,
        Position(
            node=position.node if known else flow.start,
            language=position.language if position.language in flow.languages else flow.language,
            variables=position.variables,
            queue=position.queue,
            serial=position.serial,
            errors=position.errors,
        ),
    )
    walk.go(walk.node)
    return _settle(walk)


def handed_over(flow: Flow, call: CallFacts, position: Position) -> Handover | None:
    """What the flow hands over where a predecessor left the caller waiting; None when nobody waits there any more."""
    if position.node not in flow.nodes:
        return None
    effects = resume(flow, call, position).effects
    return next((effect.handover for effect in effects if isinstance(effect, EnterQueue)), None)


def advance(flow: Flow, call: CallFacts, position: Position, given: Input) -> Step:
    """Something happened. An input that nobody waits for changes nothing."""
    if not _counts(position, given):
        return Step(position, ())
    walk = Walk(flow, call, position)
    _take(walk, given)
    return _settle(walk)


def _counts(position: Position, given: Input) -> bool:
    if position.stage == ENDED:
        return False
    match given:
        case KeyTyped(key=key):
            return key in KEYS and position.stage != QUEUE
        case PromptEnded(token=token):
            return token == position.saying and token > 0
        case TimerFired(token=token):
            return token == position.timer and token > 0
        case QueueEnded():
            return position.stage == QUEUE


def _take(walk: Walk, given: Input) -> None:
    match given:
        case KeyTyped():
            walk.note("key.pressed", {})
        case PromptEnded(interrupted=interrupted, failed=failed):
            walk.saying = 0
            walk.note("prompt.ended", {"interrupted": interrupted} | ({"failed": True} if failed else {}))
            if failed:
                walk.errors += 1
                if walk.errors > MAX_ERRORS:
                    walk.fail("prompts cannot be played")
                    return
        case TimerFired():
            walk.timer = 0
        case QueueEnded():
            pass
    walk.flow.nodes[walk.node].take(walk, given)


def _key(walk: Walk, key: str) -> None:
    if key in KEYS:
        walk.note("key.pressed", {})
        walk.type_ahead(key, barge_in=False)


def _settle(walk: Walk) -> Step:
    """Follow the flow until it waits or ends."""
    hops = 0
    while walk.target is not None or walk.silent is not None:
        hops += 1
        if hops > MAX_HOPS:
            hops = 0
            walk.silent = None
            walk.fail(f"more than {MAX_HOPS} nodes without a wait")
            continue
        if walk.target is None:
            silent, walk.silent = walk.silent, None
            walk.saying = 0
            assert silent is not None
            walk.flow.nodes[walk.node].take(walk, silent)
            continue
        walk.stop_listening()
        walk.node, walk.target = walk.target, None
        walk.saying, walk.silent = 0, None
        walk.stage = ""
        walk.tries = 0
        walk.note("node.entered", {"node": walk.node})
        walk.flow.nodes[walk.node].enter(walk)
    return walk.step()
