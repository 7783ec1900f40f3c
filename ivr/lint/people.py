"""A menu from which no way leads to a person: who cannot find their matter among the keys is left alone.

A way to a person is a queue, a transfer, a callback or a mailbox, in this flow or in one that it leads into. A menu
that is meant to have none says so with the tag `no-person`.
"""

from __future__ import annotations

from ivr.lint.subject import Subject
from ivr.model import DialplanFile
from ivr.verbs.menu import MenuNode

NO_PERSON = "no-person"
_Place = tuple[str, str]
"""A flow and a node of it."""

PEOPLE = frozenset({"to_queue", "transfer", "callback", "voicemail"})


def rule(subject: Subject) -> None:
    menus = [node_id for node_id, node in subject.file.nodes.items() if isinstance(node, MenuNode)]
    barren: set[_Place] = set()
    for node_id in menus:
        if not _leads_to_a_person(subject, node_id, barren) and NO_PERSON not in subject.file.nodes[node_id].tags:
            text = f"from menu {node_id!r} no way leads to a person"
            hint = f"lead to a queue, or say that it is meant with tags: [{NO_PERSON}]"
            subject.warn(NO_PERSON, ("nodes", node_id), text, hint, key=True)


def _leads_to_a_person(subject: Subject, menu: str, barren: set[_Place]) -> bool:
    """A flow that others call is taken to lead on wherever it returns to. `barren`: places that are known not to lead
    to anybody."""
    found = {(subject.file.flow, menu)}
    new: list[tuple[DialplanFile, str]] = [(subject.file, menu)]
    while new:
        file, node_id = new.pop()
        node = file.nodes[node_id]
        if node.verb in PEOPLE or (node.verb == "return" and file is subject.file):
            return True
        steps: list[tuple[DialplanFile, str]] = []
        for _, target in node.targets():
            if target not in file.nodes:
                return True  # which has its own finding
            steps.append((file, target))
        for _, name in node.flows():
            other = subject.other(name)
            if other is None:
                return True  # nothing is known of it
            if other.start in other.nodes:
                steps.append((other, other.start))
        for into, target in steps:
            if (into.flow, target) not in found and (into.flow, target) not in barren:
                found.add((into.flow, target))
                new.append((into, target))
    barren |= found
    return False
