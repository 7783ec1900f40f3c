"""Variables that are read on some way before anything has set them. They are empty there, which is seldom meant.

What a node sets counts on its ways on, but not on those under `otherwise`, where it did not come about. Nothing is said
of nodes that `on_error` and `on_hangup` lead to, as calls come to them from anywhere, nor of what people see on a
screen: they are shown whatever is known so far.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping

from ivr.lint.graph import closure
from ivr.lint.leaks import sends_secrets, service_reads
from ivr.lint.subject import Subject
from ivr.node import Node, Path, Use
from ivr.values import BUILT_IN
from ivr.verbs.assign import LANGUAGE
from ivr.verbs.call_flow import CallNode
from ivr.wording import QUEUE_VARIABLE

UNSET = "maybe-unset"

_HINT = "it is empty there; set it first"

_ALWAYS = frozenset({"caller_number", "caller_name", "dialled", LANGUAGE})
_BY_VERB = {
    "hours": frozenset({"opens_on", "opens_at"}),
    "to_queue": frozenset({QUEUE_VARIABLE}),
    "customer": frozenset(name for name in BUILT_IN if name.startswith("customer_")),
}


def rule(subject: Subject) -> None:
    file = subject.file
    if file.start not in file.nodes:
        return
    bits = {name: 1 << place for place, name in enumerate(sorted(subject.variables.names))}
    known = _known_at(subject, bits)
    roots = [root for root in (file.on_error, file.on_hangup) if root is not None and root in file.nodes]
    anyhow = closure(roots, subject.following.__getitem__)
    for node_id, node in file.nodes.items():
        if node_id in anyhow or node_id not in known:
            continue
        have = known[node_id] | (_mask(bits, {QUEUE_VARIABLE}) if node.verb == "to_queue" else 0)
        for path, name in _read(subject, node_id, node):
            if name in bits and not have & bits[name]:
                have |= bits[name]  # once said is enough
                text = f"variable {name!r} is read here, and on some way nothing has set it before"
                hint = "what is secure is forgotten once it was sent" if name in subject.variables.secrets else _HINT
                subject.warn(UNSET, ("nodes", node_id, *path), text, hint)


def _known_at(subject: Subject, bits: Mapping[str, int]) -> dict[str, int]:
    """What is set on every way to each node that a call can come to from the start: a bit for each variable, because
    there may be thousands of both."""
    file = subject.file
    secrets = _mask(bits, subject.variables.secrets)
    known = {file.start: _mask(bits, _ALWAYS | file.params.keys())}
    ways: dict[str, list[tuple[str, int]]] = {}
    forgets: dict[str, int] = {}
    changed = deque([file.start])
    while changed:
        node_id = changed.popleft()
        if node_id not in ways:
            node = file.nodes[node_id]
            ways[node_id] = [
                (target, _mask(bits, _set_on(node, path))) for path, target in node.targets() if target in file.nodes
            ]
            forgets[node_id] = secrets if sends_secrets(subject, node) else 0
        for target, sets in ways[node_id]:
            have = (known[node_id] & ~forgets[node_id]) | sets
            if target not in known or known[target] & ~have:
                known[target] = known.get(target, -1) & have
                changed.append(target)
    return known


def _mask(bits: Mapping[str, int], names: Iterable[str]) -> int:
    return sum(bits.get(name, 0) for name in frozenset(names))


def _set_on(node: Node, path: Path) -> frozenset[str]:
    if path[:1] == ("otherwise",):
        return frozenset()
    own = {one.name for one in node.sets()} | (node.call.save.keys() if isinstance(node, CallNode) else set())
    return _BY_VERB.get(node.verb, frozenset()) | own


def _read(subject: Subject, node_id: str, node: Node) -> Iterator[tuple[Path, str]]:
    """Every variable that a node works with, but for what an expression makes of the variable that it sets."""
    own = {one.expr: one.name for one in node.sets() if one.expr}
    for read in node.reads():
        if read.use is not Use.SCREEN:
            yield read.path, read.name
    for written in node.expressions():
        compiled = subject.variables.expressions.get(written.text)
        for name in sorted(compiled.names) if compiled is not None else ():
            if own.get(written.text) != name:
                yield written.path, name
    for path, name in service_reads(subject, node):
        yield path, name
    for slot, path, _ in node.prompts():
        wording = subject.wordings.get((node_id, slot))
        for name in sorted({one.name for one in wording.variables()}) if wording is not None else ():
            if not (slot == "confirm" and name in {one.name for one in node.sets()}):
                yield path, name
