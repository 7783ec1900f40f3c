"""A menu from which no way leads to a person: who cannot find their matter among the keys is left alone.

A way to a person is a queue, a transfer, a callback or a mailbox, in this flow or in one that it leads into. A menu
that is meant to have none says so with the tag `no-person`.
"""

from __future__ import annotations

from collections.abc import Iterable

from ivr.lint.subject import Places, Subject
from ivr.model import DialplanFile
from ivr.verbs.menu import MenuNode

NO_PERSON = "no-person"
Place = tuple[str, str]
"""A flow's name and a node."""

PEOPLE = frozenset({"to_queue", "transfer", "callback", "voicemail"})


def rule(subject: Subject) -> None:
    if any(node.verb == "return" for node in subject.file.nodes.values()):
        leading = _leading_to_people(subject, subject.family())
    else:
        leading = subject.shared(NO_PERSON, lambda files: _leading_to_people(subject, files))
    for node_id, node in subject.file.nodes.items():
        if isinstance(node, MenuNode) and NO_PERSON not in node.tags and (subject.file.flow, node_id) not in leading:
            text = f"from menu {node_id!r} no way leads to a person"
            hint = f"lead to a queue, or say that it is meant with tags: [{NO_PERSON}]"
            subject.warn(NO_PERSON, ("nodes", node_id), text, hint, key=True)


def _leading_to_people(subject: Subject, files: Iterable[DialplanFile]) -> Places:
    """Every node, in this flow and those that it leads into, from which a way leads to a person.

    A flow that others call is taken to lead on wherever it returns to; so is whatever is not there or not known.
    """
    before: dict[Place, list[Place]] = {}
    good: list[Place] = []
    for file in files:
        for node_id, node in file.nodes.items():
            here = (file.flow, node_id)
            others = [subject.other(name) for _, name in node.flows()]
            targets = [target for _, target in node.targets()]
            unknown = any(target not in file.nodes for target in targets) or None in others
            returns = node.verb == "return" and file is subject.file
            if node.verb in PEOPLE or returns or unknown:
                good.append(here)
            for target in targets:
                before.setdefault((file.flow, target), []).append(here)
            for other in others:
                if other is not None:
                    before.setdefault((other.flow, other.start), []).append(here)
    found = set(good)
    while good:
        for place in before.get(good.pop(), ()):
            if place not in found:
                found.add(place)
                good.append(place)
    return frozenset(found)
