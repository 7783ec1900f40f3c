"""Flows that call each other: whoever is called must come back, and none calls itself, not even through others."""

from __future__ import annotations

from ivr.lint.graph import closure
from ivr.lint.subject import Subject, comes_back, following, led_into
from ivr.model import DialplanFile
from ivr.verbs.give_back import ReturnNode
from ivr.walk import MAX_FRAMES

NO_RETURN = "no-return"
RECURSION = "recursion"
NOT_CALLED = "not-called"
TOO_DEEP = "too-deep"


def rule(subject: Subject) -> None:
    file = subject.file
    for node_id, path, name in led_into(file):
        other = subject.other(name)
        if other is None:
            continue
        if not comes_back(file.nodes[node_id]):
            continue
        if name == file.flow:
            text = f"flow {name!r} calls itself, and would for ever"
            subject.error(RECURSION, path, text, "use goto: {flow: ...} to begin anew")
        elif _comes_again(subject, other):
            text = f"flow {name!r} calls this one again: they would call each other for ever"
            subject.error(RECURSION, path, text, "use goto: {flow: ...} to begin anew")
        elif not _returns(other):
            text = f"flow {name!r} never comes back: no way in it leads to a 'return'"
            subject.error(NO_RETURN, path, text, "end it with return:, or go there with goto: {flow: ...}")
        elif 1 + _nested(subject, other) > MAX_FRAMES:
            text = f"more than {MAX_FRAMES} flows within each other begin here"
            subject.error(TOO_DEEP, path, text, "use goto: {flow: ...} where nothing has to come back")
    _nobody_calls(subject)


def _returns(file: DialplanFile) -> bool:
    roots = [root for root in (file.start, file.on_error) if root is not None and root in file.nodes]
    ways = following(file)
    reached = closure(roots, ways.__getitem__)
    # What cannot be read leads anywhere, and a flow that it goes on in for good may return.
    return any(
        isinstance(file.nodes[node_id], ReturnNode)
        or any(target not in file.nodes for _, target in file.nodes[node_id].targets())
        or (not comes_back(file.nodes[node_id]) and any(True for _ in file.nodes[node_id].flows()))
        for node_id in reached
    )


def _comes_again(subject: Subject, begin: DialplanFile) -> bool:
    """Whether a flow that is called leads back into the one that calls, which waits behind it meanwhile."""
    found, new = {begin.flow}, [begin]
    while new:
        file = new.pop()
        if file.flow == subject.file.flow:
            return True
        for node_id, _, name in led_into(file):
            other = subject.other(name)
            # Whoever goes on for good leaves nothing behind: the chain of calls is over.
            if other is not None and name not in found and comes_back(file.nodes[node_id]):
                found.add(name)
                new.append(other)
    return False


def _nested(subject: Subject, begin: DialplanFile) -> int:
    """How many flows can wait for each other below one, as far as it matters; a circle is another rule's."""
    level, depth = {begin.flow: begin}, 0
    while depth <= MAX_FRAMES:
        level = {
            name: other
            for file in level.values()
            for node_id, _, name in led_into(file)
            if comes_back(file.nodes[node_id]) and (other := subject.other(name)) is not None
        }
        if not level:
            return depth
        depth += 1
    return depth


def _nobody_calls(subject: Subject) -> None:
    """A flow without numbers that no flow leads into, and a `return` that has nowhere to go."""
    file = subject.file
    if subject.others is None or any(other is None for other in subject.others.values()):
        return
    ways = [
        (other, node_id)
        for other in subject.others.values()
        if other is not None
        for node_id, _, name in led_into(other)
        if name == file.flow and other is not file
    ]
    if not file.numbers and not ways:
        subject.warn(
            NOT_CALLED,
            ("flow",),
            f"nobody comes to flow {file.flow!r}",
            "give it numbers, or call it from another flow",
        )
    elif not any(comes_back(other.nodes[node_id]) for other, node_id in ways):
        for node_id, node in file.nodes.items():
            if isinstance(node, ReturnNode):
                text = "no flow calls this one, so there is nowhere to return to: the call ends here"
                subject.warn(NOT_CALLED, ("nodes", node_id), text, "use hangup", key=True)
