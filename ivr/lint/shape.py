"""Nodes that nobody comes to, and nodes that nobody gets away from: dead ends, and circles without a pause."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ivr.conditions import ConditionError, compile_condition
from ivr.conditions.verdict import verdict
from ivr.lint.graph import circles
from ivr.lint.people import PEOPLE
from ivr.lint.subject import Places, Subject, comes_back
from ivr.model import DialplanFile
from ivr.node import Node
from ivr.problems import Severity
from ivr.verbs.ask import AskNode
from ivr.verbs.decide import IfNode
from ivr.verbs.menu import MenuNode

UNREACHABLE = "unreachable"
DEAD_END = "dead-end"
ENDLESS = "endless-loop"
SILENT = "silent-loop"

_SAME_AT_ONCE = frozenset({"if", "set", "goto", "hours", "switch", "split", "http", "customer", "callback"})
"""Verbs in which a caller hears nothing, and that decide alike when nothing has changed and no time has passed."""

_Place = tuple[str, str]
"""A flow and a node of it."""


def rule(subject: Subject) -> None:
    _unreachable(subject)
    stuck = _stuck(subject, "ends", lambda node: node.ends)
    running = _stuck(subject, "waits", lambda node: node.ends or node.waits)
    for node_id in subject.file.nodes:
        if node_id in running:
            text = f"from node {node_id!r} the call goes round and round without a pause"
            subject.error(ENDLESS, ("nodes", node_id), text, "lead to a hangup", key=True)
        elif node_id in stuck:
            text = f"from node {node_id!r} no call ever ends"
            subject.error(DEAD_END, ("nodes", node_id), text, "lead to a hangup", key=True)
    _unchanging(subject, stuck)
    silent = _stuck(subject, "silent", lambda node: node.ends or node.verb in PEOPLE, _unanswered) - stuck
    for node_id, node in subject.file.nodes.items():
        if node_id in silent and isinstance(node, (MenuNode, AskNode)):
            text = f"a caller who presses nothing goes round from {node_id!r} for ever"
            subject.warn(SILENT, ("nodes", node_id), text, "let 'otherwise' lead to a person or a hangup", key=True)


def _unreachable(subject: Subject) -> None:
    nodes = subject.file.nodes
    for node_id in nodes if subject.roots else ():
        if node_id not in subject.reached:
            text = f"no way leads to node {node_id!r}"
            hint, where = "remove it, or lead to it", ("nodes", node_id)
            subject.report(where, text, hint, key=True, severity=Severity.WARNING, rule=UNREACHABLE)


def _all_ways(node: Node) -> list[str]:
    return [target for _, target in node.targets()]


def _unanswered(node: Node) -> list[str]:
    """The ways of a caller who does not answer."""
    if not isinstance(node, (MenuNode, AskNode)):
        return _all_ways(node)
    return [target for path, target in node.targets() if "otherwise" in path[:2]]


def _stuck(
    subject: Subject, name: str, leaves: Callable[[Node], bool], ways_of: Callable[[Node], list[str]] = _all_ways
) -> set[str]:
    """The nodes of the flow from which no call comes to a node that leaves, in this flow or in one that it goes on in.

    `name`: of what is asked here.
    """
    leaving = subject.shared(name, lambda files: _leaving(subject, files, leaves, ways_of))
    return {node_id for node_id in subject.file.nodes if (subject.file.flow, node_id) not in leaving}


def _leaving(
    subject: Subject,
    files: Iterable[DialplanFile],
    leaves: Callable[[Node], bool],
    ways_of: Callable[[Node], list[str]],
) -> Places:
    """A node with a target that does not exist has its own finding: nothing is said about where it might lead."""
    ways: dict[_Place, list[_Place]] = {}
    good: list[_Place] = []
    for file in files:
        for node_id, node in file.nodes.items():
            here = (file.flow, node_id)
            targets = ways_of(node)
            into = _goes_on(subject, file, node)
            ways[here] = [(file.flow, target) for target in targets if target in file.nodes]
            if into is not None:
                ways[here].append((into.flow, into.start))
            if any(target not in file.nodes for target in targets) or (into is None and leaves(node)):
                good.append(here)
    return frozenset(closure_of(good, _turned(ways)))


def _goes_on(subject: Subject, file: DialplanFile, node: Node) -> DialplanFile | None:
    """The flow in which a call goes on for good."""
    names = [name for _, name in node.flows()]
    if not names or comes_back(node):
        return None
    other = file if names[0] == file.flow else subject.other(names[0])
    return other if other is not None and other.start in other.nodes else None


def _turned(ways: dict[_Place, list[_Place]]) -> dict[_Place, list[_Place]]:
    before: dict[_Place, list[_Place]] = {}
    for here, targets in ways.items():
        for target in targets:
            before.setdefault(target, []).append(here)
    return before


def closure_of(begin: Iterable[_Place], following: dict[_Place, list[_Place]]) -> set[_Place]:
    found = set(begin)
    open_ends = list(found)
    while open_ends:
        new = set(following.get(open_ends.pop(), ())) - found
        found |= new
        open_ends.extend(new)
    return found


def _unchanging(subject: Subject, said: set[str]) -> None:
    """Circles without a pause that are left only by what was decided already: nothing on the way round changes it."""
    nodes = subject.file.nodes
    still = {node_id for node_id, node in nodes.items() if node.verb in _SAME_AT_ONCE}
    ways = {node_id: [to for to in subject.following[node_id] if to in still] for node_id in nodes if node_id in still}
    for circle in circles(ways):
        if said.isdisjoint(circle) and _simple(circle, ways) and not _changes(subject, circle):
            named = ", ".join(map(repr, circle[:4]))
            lead = "lead to each other" if len(circle) > 1 else "leads to itself"
            text = f"{named} {lead} without a pause, and nothing changes on the way"
            subject.warn(ENDLESS, ("nodes", circle[0]), text, "lead to a node that says, asks or waits", key=True)


def _simple(circle: tuple[str, ...], ways: dict[str, list[str]]) -> bool:
    return all(sum(to in circle for to in set(ways[node_id])) == 1 for node_id in circle)


def _changes(subject: Subject, circle: tuple[str, ...]) -> bool:
    """Whether the way round can come to an end: something that is looked at is set, or it cannot be gone as a whole."""
    nodes = [subject.file.nodes[node_id] for node_id in circle]
    read = {
        name
        for node in nodes
        for written in node.expressions()
        if written.condition and written.text in subject.variables.expressions
        for name in subject.variables.expressions[written.text].names
    }
    if read & {one.name for node in nodes for one in node.sets()}:
        return True
    needed = [need for node_id in circle for need in _needed(subject, node_id, circle)]
    try:
        whole = compile_condition(" && ".join(needed) or "true", subject.variables.kinds)
    except ConditionError:
        return True  # too long to tell
    return verdict(whole) is False


def _needed(subject: Subject, node_id: str, circle: tuple[str, ...]) -> list[str]:
    """What must be true for a call to stay in the circle at this node."""
    node = subject.file.nodes[node_id]
    if not isinstance(node, IfNode):
        return []
    needed: list[str] = []
    for case in node.cases:
        if case.to in circle:
            return [*needed, f"({case.when})"]
        needed.append(f"!({case.when})")
    return needed
