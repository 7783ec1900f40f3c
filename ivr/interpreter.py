"""Takes a caller through a flow, one input at a time. Pure: a flow, a position and an input in, a `Step` out.

Decides which input counts (a stale prompt, timer or answer does not), what happens between two waits, and that every
step ends in a wait or in the end of the flow. It knows no verb: a node knows what it does (`ivr.verbs`).
"""

from __future__ import annotations

from dataclasses import replace

from ivr.effects import EnterQueue, Step, StopSaying
from ivr.flow import Flow
from ivr.handover import Handover
from ivr.inputs import (
    ENDED,
    QUEUE,
    Answered,
    CallFacts,
    Frame,
    HungUp,
    Input,
    KeyTyped,
    Position,
    PromptEnded,
    QueueEnded,
    TimerFired,
    Variables,
)
from ivr.ports import Surroundings
from ivr.values import fits
from ivr.walk import MAX_ERRORS, Lost, Walk

MAX_HOPS = 50
"""Nodes that may follow one another without a wait. More is a circle."""

AGAIN = "again"
"""In `Position.swallow`: such a key cut a prompt short."""

KEYS = frozenset("0123456789*#ABCD")


def begin(flow: Flow, call: CallFacts, around: Surroundings, typed: str = "") -> Step:
    """The caller meets the flow. `typed`: keys pressed before anything was said."""
    walk = Walk(flow, call, Position(flow.start, flow.language), around)
    for key in typed:
        _key(walk, key)
    walk.target = flow.start
    return _settle(walk)


def resume(flow: Flow, call: CallFacts, position: Position, around: Surroundings) -> Step:
    """Enter the node again where a predecessor left the caller; the start, when this flow has that node no more."""
    known = _known(flow, position)
    here = flow.subs.get(position.flow, flow) if known else flow
    variables, lost = _kept(here, position.variables, position.lost) if known or not position.flow else ((), ())
    walk = Walk(
        flow,
        call,
        Position(
            node=position.node if known else flow.start,
            language=position.language if position.language in here.languages else here.language,
            flow=position.flow if known else "",
            frames=tuple(_kept_frame(flow, frame) for frame in position.frames) if known else (),
            variables=variables,
            lost=lost,
            secrets=position.secrets if known else (),
            secure_from=position.secure_from if known else "",
            queue=position.queue,
            serial=position.serial,
            errors=position.errors,
        ),
        around,
    )
    walk.target = walk.node
    walk.resumed = True
    return _settle(walk)


def _known(flow: Flow, position: Position) -> bool:
    """Whether every place that the caller must come back to is still there."""
    if position.flow and position.flow not in flow.subs:
        return False
    here = flow.subs.get(position.flow, flow)
    if position.flow and not here.numbers and not position.frames:
        return False  # it was called, and nobody knows from where
    called = [*(frame.flow for frame in position.frames), position.flow][1:]
    for frame, name in zip(position.frames, called, strict=True):
        caller = flow.subs.get(frame.flow) if frame.flow else flow
        node = caller.nodes.get(frame.node) if caller is not None else None
        if node is None or node.calls() != (name or flow.name):
            return False
    return position.node in here.nodes


def _kept(flow: Flow, variables: Variables, lost: tuple[str, ...]) -> tuple[Variables, tuple[str, ...]]:
    """What still fits the flow, and what it would miss: a value of another kind is as good as lost."""
    good = {name: value for name, value in variables if name in flow.kinds and fits(value, flow.kinds[name])}
    missed = [name for name in (*lost, *dict(variables)) if name in flow.kinds and name not in good]
    return tuple(good.items()), tuple(missed)


def _kept_frame(flow: Flow, frame: Frame) -> Frame:
    variables, lost = _kept(flow.subs.get(frame.flow, flow), frame.variables, frame.lost)
    if len(variables) == len(frame.variables) and lost == frame.lost:
        return frame
    return replace(frame, variables=variables, lost=lost)


def handed_over(flow: Flow, call: CallFacts, position: Position, around: Surroundings) -> Handover | None:
    """What the flow hands over where a predecessor left the caller waiting; None when nobody waits there any more."""
    if not _known(flow, position):
        return None
    effects = resume(flow, call, position, around).effects
    return next((effect.handover for effect in effects if isinstance(effect, EnterQueue)), None)


def advance(flow: Flow, call: CallFacts, position: Position, given: Input, around: Surroundings) -> Step:
    """Something happened. An input that nobody waits for changes nothing."""
    if not _counts(position, given):
        return Step(position, ())
    walk = Walk(flow, call, position, around)
    try:
        _take(walk, given)
    except Lost as lost:
        _without(walk, lost)
    return _settle(walk)


def broken(flow: Flow, call: CallFacts, position: Position, reason: str, around: Surroundings) -> Step:
    """Something broke on our side where the caller is: the flow goes `on_error`, as after an error of its own."""
    walk = Walk(flow, call, position, around)
    if walk.saying:
        walk.effects.append(StopSaying(walk.saying))
        walk.saying = 0
    walk.stop_listening()
    walk.stop_asking()
    walk.fail(reason)
    return _settle(walk)


def _counts(position: Position, given: Input) -> bool:
    if position.stage == ENDED:
        return False
    match given:
        case KeyTyped(key=key):
            return key in KEYS and position.stage != QUEUE and not position.gone
        case PromptEnded(token=token):
            return token == position.saying and token > 0
        case TimerFired(token=token):
            return token == position.timer and token > 0
        case Answered(token=token):
            return token == position.asking and token > 0
        case QueueEnded():
            return position.stage == QUEUE and not position.gone
        case HungUp():
            return not position.gone


def _take(walk: Walk, given: Input) -> None:
    match given:
        case KeyTyped(key=key):
            walk.note("key.pressed", {})
            swallow, walk.swallow = walk.swallow, ""
            if key == swallow:
                walk.swallow = AGAIN if walk.saying else ""
                return
        case PromptEnded(interrupted=interrupted, failed=failed):
            walk.saying = 0
            walk.note("prompt.ended", {"interrupted": interrupted} | ({"failed": True} if failed else {}))
            if walk.swallow == AGAIN:
                walk.swallow = ""
                if interrupted:  # by a key that meant nothing: the caller has not heard it
                    walk.say_again()
                    return
            if failed:
                walk.errors += 1
                if walk.errors > MAX_ERRORS:
                    walk.fail("prompts cannot be played")
                    return
        case TimerFired():
            walk.timer = 0
        case Answered():
            walk.asking = 0
        case HungUp():
            walk.flow.nodes[walk.node].hung_up(walk)
            walk.hung_up()
            return
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
        try:
            if walk.target is None:
                silent, walk.silent = walk.silent, None
                walk.saying = 0
                assert silent is not None
                walk.flow.nodes[walk.node].take(walk, silent)
            else:
                _enter(walk, walk.target)
        except Lost as lost:
            _without(walk, lost)
    return walk.step()


def _without(walk: Walk, lost: Lost) -> None:
    """A verb needs what is not known any more: `on_error`, and where there is none the flow begins again."""
    if walk.flow.on_error is None and all(walk.flow_of(frame).on_error is None for frame in walk.frames):
        walk.note("flow.error", {"node": walk.node, "reason": str(lost)})
        walk.begin_again()
    else:
        walk.fail(str(lost))


def _enter(walk: Walk, target: str) -> None:
    walk.stop_listening()
    walk.stop_asking()
    walk.secure(False)
    walk.node, walk.target = target, None
    walk.saying, walk.silent = 0, None
    walk.stage = ""
    walk.tries = walk.step_in_node = 0
    walk.entered = ""
    node = walk.flow.nodes[target]
    walk.note("node.entered", {"node": target} | ({"flow": walk.flow.name} if walk.flow is not walk.main else {}))
    if walk.gone and node.needs_caller:
        walk.end(16)
    else:
        node.enter(walk)
    walk.resumed = False
