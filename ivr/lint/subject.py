"""What the rules look at: one flow as its file says it, and whatever else of the folder and the site they may know."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from ivr.known import Known
from ivr.lint.graph import closure
from ivr.model import DialplanFile
from ivr.node import Node, Path
from ivr.problems import Report, Severity
from ivr.variables import Variables
from ivr.wording import Wording

Places = frozenset[tuple[str, str]]
"""Flows' names, each with a node."""

Others = Mapping[str, DialplanFile | None]


class Folder(dict[str, DialplanFile | None]):
    """Every flow of a folder by name, and what was found among them."""

    def __init__(self, files: Mapping[str, DialplanFile | None]) -> None:
        super().__init__(files)
        self.found: dict[str, Places] = {}


@dataclass(frozen=True)
class Subject:
    """`others`: every flow of the folder by name, itself included, None for one that cannot be read; None when they are
    not known. `named`: the prompts of the file. Nothing here is sure to fit together: errors are found in one go."""

    file: DialplanFile
    variables: Variables
    wordings: Mapping[tuple[str, str], Wording]
    named: Mapping[str, Wording]
    known: Known
    others: Others | None
    report: Report
    advice: bool = True
    """Whether warnings are wanted."""

    def error(self, rule: str, path: Path, message: str, hint: str = "", *, key: bool = False) -> None:
        self.report(path, message, hint, key=key, rule=rule)

    def warn(self, rule: str, path: Path, message: str, hint: str = "", *, key: bool = False) -> None:
        if self.advice:
            self.report(path, message, hint, key=key, severity=Severity.WARNING, rule=rule)

    @cached_property
    def following(self) -> dict[str, list[str]]:
        """Node to the nodes that can follow, as far as there are such."""
        return following(self.file)

    @cached_property
    def reached(self) -> set[str]:
        """Every node that a call can come to."""
        return closure(self.roots, self.following.__getitem__)

    @property
    def roots(self) -> set[str]:
        roots = {self.file.start, self.file.on_error, self.file.on_hangup}
        return {root for root in roots if root is not None and root in self.file.nodes}

    def other(self, name: str) -> DialplanFile | None:
        """A flow of the folder; None when it is not known what is in it."""
        return self.file if name == self.file.flow else (self.others or {}).get(name)

    def shared(self, name: str, work: Callable[[Iterable[DialplanFile]], Places]) -> Places:
        """What is found among all flows that a call can come to; in a folder once for all of its flows, of which none
        says anything about nodes that others cannot come to."""
        folder = self.others
        if not isinstance(folder, Folder) or folder.get(self.file.flow) is not self.file:
            return work(self.family())
        if name not in folder.found:
            folder.found[name] = work(file for file in folder.values() if file is not None)
        return folder.found[name]

    def family(self) -> Iterator[DialplanFile]:
        """This flow and every other that a call can come to from it, as far as they are known."""
        found = {self.file.flow: self.file}
        new = [self.file]
        while new:
            file = new.pop()
            yield file
            for _, _, name in led_into(file):
                other = self.other(name)
                if name not in found and other is not None:
                    found[name] = other
                    new.append(other)


def following(file: DialplanFile) -> dict[str, list[str]]:
    return {
        node_id: [target for _, target in node.targets() if target in file.nodes]
        for node_id, node in file.nodes.items()
    }


def led_into(file: DialplanFile) -> Iterator[tuple[str, Path, str]]:
    """Every way into another flow: the node, where it is written, and the flow's name."""
    for node_id, node in file.nodes.items():
        for path, name in node.flows():
            yield node_id, ("nodes", node_id, *path), name


def comes_back(node: Node) -> bool:
    """Whether what leads into another flow goes on behind it."""
    return bool(next(node.targets(), None))
