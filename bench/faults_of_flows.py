"""One fault at a time in a good dialplan: every kind of fault that a check can be asked for, wherever it can be made.

Decides where a fault fits and what a check must say about it: one of some rules, at a line. It refuses to know how
anything is found.
"""

from __future__ import annotations

import copy
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from ivr.flow import Flow
from ivr.known import Known
from ivr.loader import judge_files
from ivr.node import Node
from ivr.yaml_tree import read_tree

Path = tuple[str | int, ...]
Edit = Callable[[dict[str, Any]], None]

_Dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


@dataclass(frozen=True)
class Fault:
    """`edit` makes it in the plain content of a file; `rewrite` in its text, and says on which line it then is."""

    category: str
    what: str
    file: str
    rules: frozenset[str]
    path: Path = ()
    edit: Edit | None = None
    rewrite: Callable[[list[str]], int] | None = None


@dataclass
class Base:
    """A good dialplan: its files as plain content and as text, and the flows that they are."""

    name: str
    known: Known
    plain: dict[str, Any] = field(default_factory=dict)
    text: dict[str, bytes] = field(default_factory=dict)
    flows: dict[str, Flow] = field(default_factory=dict)

    @classmethod
    def of(cls, name: str, files: Mapping[str, bytes], known: Known) -> Base:
        base = cls(name, known)
        for file, data in files.items():
            root = read_tree(data, file).root
            assert root is not None
            base.plain[file] = root.plain()
            base.text[file] = dumped(base.plain[file])
        flows = {flow.name: flow for flow in judge_files(base.text, known)[0]}
        base.flows = {file: flows[plain["flow"]] for file, plain in base.plain.items() if "flow" in plain}
        return base

    def planted(self, fault: Fault) -> tuple[dict[str, bytes], set[int]]:
        """The files with the fault, and the lines where it may be said to be: those of the key and of the value."""
        if fault.rewrite is not None:
            lines = self.text[fault.file].decode().split("\n")
            line = fault.rewrite(lines)
            return self.text | {fault.file: "\n".join(lines).encode()}, {line, line + 1}
        plain = copy.deepcopy(self.plain[fault.file])
        assert fault.edit is not None
        fault.edit(plain)
        data = dumped(plain)
        root = read_tree(data, fault.file).root
        assert root is not None
        places = {root.place_of(fault.path), root.place_of(fault.path, key=True)}
        return self.text | {fault.file: data}, {line for line, _ in places}


def dumped(plain: Any) -> bytes:
    data = yaml.dump(plain, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=1000, encoding="utf-8")
    assert isinstance(data, bytes)
    return data


def at(plain: Any, path: Path) -> Any:
    for part in path:
        plain = plain[part]
    return plain


def put(path: Path, value: Any) -> Edit:
    def edit(plain: dict[str, Any]) -> None:
        at(plain, path[:-1])[path[-1]] = value

    return edit


def remove(path: Path) -> Edit:
    def edit(plain: dict[str, Any]) -> None:
        del at(plain, path[:-1])[path[-1]]

    return edit


def renamed(path: Path, key: str) -> Edit:
    def edit(plain: dict[str, Any]) -> None:
        owner = at(plain, path[:-1])
        items = [(key if one == path[-1] else one, value) for one, value in owner.items()]
        owner.clear()
        owner.update(items)

    return edit


def both(*edits: Edit) -> Edit:
    def edit(plain: dict[str, Any]) -> None:
        for one in edits:
            one(plain)

    return edit


# What there is in a flow


def nodes_of(base: Base, file: str) -> Mapping[str, Node]:
    """None in a part."""
    return base.flows[file].nodes if file in base.flows else {}


def targets(base: Base, file: str) -> Iterator[tuple[Path, str]]:
    """Every place that names a node and can name another one."""
    for node_id, node in nodes_of(base, file).items():
        for path, target in node.targets():
            whole: Path = ("nodes", node_id, *path)
            if at(base.plain[file], whole) == target:
                yield whole, target


def texts(base: Base, file: str) -> Iterator[tuple[Path, str]]:
    """Every text that is spoken, in one language."""
    plain = base.plain[file]
    for name, given in (plain.get("prompts") or {}).items():
        yield from _spoken(("prompts", name), given, named=False)
    for node_id, node in plain.get("nodes", {}).items():
        for key in ("say", "menu", "ask", "voicemail"):
            found = node.get(key)
            if key == "say" and found is not None:
                yield from _spoken(("nodes", node_id, "say"), found)
            elif isinstance(found, dict) and "prompt" in found:
                yield from _spoken(("nodes", node_id, key, "prompt"), found["prompt"])


def _spoken(path: Path, given: Any, *, named: bool = True) -> Iterator[tuple[Path, str]]:
    if isinstance(given, str) and (not named or " " in given):
        yield path, given
    elif isinstance(given, list):
        for index, one in enumerate(given):
            yield from _spoken((*path, index), one)
    elif isinstance(given, dict) and not {"file", "silence"} & given.keys():
        for language, text in given.items():
            yield (*path, language), text


def said(base: Base, file: str, path: Path) -> bool:
    """Whether some flow says a text: of a part's prompts only those that a flow names are looked at by the check."""
    if "flow" in base.plain[file]:
        return True
    name = f"{path[1]}\n".encode()
    return any(name in data for one, data in base.text.items() if "flow" in base.plain[one])


def whole_prompt(base: Base, file: str, path: Path) -> Path:
    """The list that a text is a part of, when it is said together with others; else the text itself."""
    root = path[:2] if path[0] == "prompts" else path[:3] if path[2] == "say" else path[:4]
    if len(root) == 4 and isinstance(at(base.plain[file], root), list):
        root = path[:5]
    return root if isinstance(at(base.plain[file], root), list) else path


def an_end(base: Base, file: str) -> str:
    return next(node_id for node_id, node in base.flows[file].nodes.items() if node.ends)


def says(base: Base, file: str, text: str = "Hello there.") -> Any:
    """A text in every language of a flow."""
    flow = base.flows[file]
    return text if len(flow.languages) == 1 else dict.fromkeys(flow.languages, text)


def detour(base: Base, file: str, nodes: dict[str, Any]) -> Iterator[tuple[Path, Edit]]:
    """New nodes, that some way now leads to; the first of them is where it leads."""
    first = next(iter(nodes))
    for path, _ in targets(base, file):
        yield path, both(put(path, first), lambda plain: plain["nodes"].update(copy.deepcopy(nodes)))


# What plants them

Plant = Callable[[Base, str], Iterator[Fault]]
PLANTS: dict[str, list[Plant]] = defaultdict(list)
"""Category to what plants its faults in a file of a base."""


def plants(category: str) -> Callable[[Plant], Plant]:
    def register(plant: Plant) -> Plant:
        PLANTS[category].append(plant)
        return plant

    return register


def fault(what: str, file: str, path: Path, edit: Any, *rules: str) -> Fault:
    return Fault("", what, file, frozenset(rules), path, edit)


def typo(name: str) -> str:
    """As a person slips."""
    return name[:-1] if len(name) > 3 else f"{name}x"
