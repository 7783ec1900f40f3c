"""What `on_hangup` leads to runs when nobody is there any more: no node on the way may need a caller."""

from __future__ import annotations

from ivr.lint.subject import Subject
from ivr.node import Node

NEEDS_CALLER = "needs-caller"

_HINT = "lead to one that needs no caller: set, if, http, callback, ..."


def rule(subject: Subject) -> None:
    nodes, root = subject.file.nodes, subject.file.on_hangup
    if root is None or root not in nodes:
        return
    if nodes[root].needs_caller:
        text = f"nobody is there any more, so node {root!r} cannot {_does(nodes[root])}"
        subject.error(NEEDS_CALLER, ("on_hangup",), text, _HINT)
        return
    found, new = {root}, [root]
    while new:
        node_id = new.pop()
        for path, target in nodes[node_id].targets():
            if target not in nodes or target in found:
                continue
            found.add(target)
            if not nodes[target].needs_caller:
                new.append(target)
                continue
            text = f"after 'on_hangup' nobody is there any more, so node {target!r} cannot {_does(nodes[target])}"
            subject.error(NEEDS_CALLER, ("nodes", node_id, *path), text, _HINT)


def _does(node: Node) -> str:
    return node.verb.replace("_", " ")
