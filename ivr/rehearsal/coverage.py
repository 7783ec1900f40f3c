"""Which nodes and branches of the flows were reached by the calls that were rehearsed, and which by none."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from ivr.dialplans import Dialplans
from ivr.rehearsal.happenings import Entered, Happening, Left

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Unreached:
    """A node, or a branch of one (`label`), that no call went through; `path`: where in the flow's file it stands."""

    flow: str
    node: str
    label: str
    path: Path


@dataclass(slots=True)
class Coverage:
    """Counts grow with every call that is added; a flow's entry is there from the beginning."""

    nodes: set[tuple[str, str]] = field(default_factory=set)
    branches: set[tuple[str, str, str]] = field(default_factory=set)

    def add(self, happenings: Iterable[Happening]) -> None:
        for one in happenings:
            match one:
                case Entered(flow=flow, node=node):
                    self.nodes.add((flow, node))
                case Left(flow=flow, node=node, label=label):
                    self.branches.add((flow, node, label))
                case _:
                    pass

    def of(self, dialplans: Dialplans) -> CoverageReport:
        nodes = branches = reached_nodes = reached_branches = 0
        unreached: list[Unreached] = []
        for flow in dialplans:
            for node_id, node in flow.nodes.items():
                nodes += 1
                entered = (flow.name, node_id) in self.nodes
                reached_nodes += entered
                if not entered:
                    unreached.append(Unreached(flow.name, node_id, "", ("nodes", node_id)))
                for path, label, _ in node.branches():
                    branches += 1
                    went = (flow.name, node_id, label) in self.branches
                    reached_branches += went
                    if entered and not went:  # of a node that nobody came to, it goes without saying
                        unreached.append(Unreached(flow.name, node_id, label, ("nodes", node_id, *path)))
        return CoverageReport(nodes, reached_nodes, branches, reached_branches, tuple(unreached))


@dataclass(frozen=True, slots=True)
class CoverageReport:
    nodes: int
    reached_nodes: int
    branches: int
    reached_branches: int
    unreached: tuple[Unreached, ...]

    @property
    def percent(self) -> float:
        """Of nodes and branches together."""
        everything = self.nodes + self.branches
        return 100.0 * (self.reached_nodes + self.reached_branches) / everything if everything else 100.0
