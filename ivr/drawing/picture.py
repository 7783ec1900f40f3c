"""What is drawn of a flow: boxes with their words, and the arrows between them. Nothing has a place yet.

Decides which ways are drawn as arrows and which are only told in their box (`* ↷ main`). An arrow costs the reader an
eye's way across the sheet, so there is one for each way that leads further on, and none back, nor to a node where many
ways end: with those, sixty nodes are a ball of wool.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from ivr.anatomy import details, languages_of, wording_text
from ivr.drawing.lettering import Cut, fit, width, wrap
from ivr.drawing.looks import Family, family_of
from ivr.flow import Flow
from ivr.node import Node

MOST_ARROWS: Final = 3
"""More ways to a node than this, and only the shortest is an arrow."""

ROOM: Final = 184.0
"""Pixels of a box's inside; only many ways on make it wider."""

SMALL: Final = 11.0
TEXT: Final = 12.0
NAME: Final = 13.0
EDGE: Final = 8.0
"""Between a box's outline and its words."""

LINE: Final = 16.0
STRIP: Final = 18.0
TAB: Final = 20.0
PROMPT_LINES: Final = 3
TAB_ROOM: Final = 88.0

MOST_CASES: Final = 6
"""Conditions of one node that it shows; the title has them all."""

SMALL_PRINT: Final = frozenset({"bargein", "timeout", "tries", "between", "prefer_s", "keep_place"})
"""What a node says that only its title tells: a drawing is for the way, not for the settings."""


@dataclass(frozen=True, slots=True)
class Jump:
    """Ways that are told in the box: `labels ↷ target`. `to` is the number of the target's box."""

    label: Cut
    target: Cut
    to: int
    title: str


@dataclass(frozen=True, slots=True)
class Tab:
    """Where an arrow leaves a box. An empty label is not drawn."""

    label: Cut
    width: float


@dataclass(frozen=True, slots=True)
class Box:
    """`title`: the whole text, which shows when the reader points at it. `outside`: where callers come in, no node."""

    name: Cut
    verb: str
    family: Family
    lines: tuple[Cut, ...]
    jumps: tuple[Jump, ...]
    tabs: tuple[Tab, ...]
    title: str
    width: float
    height: float
    outside: bool = False

    @property
    def tabbed(self) -> bool:
        return any(tab.label.text for tab in self.tabs)


@dataclass(frozen=True, slots=True)
class Arrow:
    """From a tab of one box to the top of another. `unhappy`: the way of a caller with whom something went wrong.

    `home`: the shortest way to the target; every box but those where callers come in has one, from a lower number.
    """

    source: int
    tab: int
    target: int
    home: bool
    unhappy: bool
    title: str


@dataclass(frozen=True, slots=True)
class Picture:
    title: str
    description: str
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]

    def families(self) -> list[Family]:
        present = {box.family for box in self.boxes if not box.outside}
        return [family for family in Family if family in present]


@dataclass(frozen=True, slots=True)
class _Way:
    """All branches of one node that lead to the same other. `label`: "" where it goes without saying.

    `unhappy`: all of them are ways of callers for whom the node did not do what it is for.
    """

    source: str
    target: str
    labels: tuple[str, ...]
    label: str
    unhappy: bool


def draw(flow: Flow) -> Picture:
    return _Drawing(flow).picture()


class _Drawing:
    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.ways = {node_id: _ways(node_id, node) for node_id, node in flow.nodes.items()}
        self.marks = _marks(flow)
        self.depth, self.home = self._depths()
        self.into: dict[str, list[_Way]] = {}
        for way in self._all():
            self.into.setdefault(way.target, []).append(way)
        self.number = {name: number for number, name in enumerate(self.depth)}

    def _all(self) -> Iterator[_Way]:
        return (way for ways in self.ways.values() for way in ways)

    def _depths(self) -> tuple[dict[str, int], set[tuple[str, str]]]:
        """How many steps every node is from where calls begin, and the ways that lead there so soon."""
        roots = [self.flow.start, *(node_id for node_id in self.marks if node_id != self.flow.start)]
        depth: dict[str, int] = {}
        home: set[tuple[str, str]] = set()
        for root in [*roots, *self.flow.nodes]:  # at last the nodes that nobody comes to
            if root in depth:
                continue
            depth[root] = 0
            open_ends = deque([root])
            while open_ends:
                node_id = open_ends.popleft()
                for way in self.ways[node_id]:
                    if way.target not in depth:
                        depth[way.target] = depth[node_id] + 1
                        home.add((node_id, way.target))
                        open_ends.append(way.target)
        return depth, home

    def _is_home(self, way: _Way) -> bool:
        return (way.source, way.target) in self.home

    def _is_arrow(self, way: _Way) -> bool:
        if self._is_home(way):
            return True
        further = self.depth[way.target] > self.depth[way.source]
        return further and len(self.into[way.target]) <= MOST_ARROWS

    def picture(self) -> Picture:
        boxes: list[Box] = []
        arrows: list[Arrow] = []
        for name, number in self.number.items():
            drawn = [way for way in self.ways[name] if self._is_arrow(way)]
            boxes.append(self._box(name, self.flow.nodes[name], drawn))
            arrows += (
                Arrow(number, tab, self.number[way.target], self._is_home(way), way.unhappy, _way_title(way))
                for tab, way in enumerate(drawn)
            )
        for label, target in self._entries():
            arrows.append(
                Arrow(len(boxes), 0, self.number[target], False, label.startswith("on "), f"{label}: {target}")
            )
            boxes.append(_entry(label))
        return Picture(self.flow.name, self.flow.description, tuple(boxes), tuple(arrows))

    def _entries(self) -> Iterator[tuple[str, str]]:
        numbers = ", ".join(self.flow.numbers)
        yield (f"dialled: {numbers}" if numbers else "called by other flows"), self.flow.start
        for target, marks in self.marks.items():
            for mark in marks:
                yield mark, target

    def _box(self, name: str, node: Node, drawn: list[_Way]) -> Box:
        jumps = tuple(self._jump(way) for way in self.ways[name] if way not in drawn)
        tabs = _tabs([way.label for way in drawn])
        lines = (*self._words(name, node), *self._unseen(name))
        inner = max(ROOM, sum(tab.width for tab in tabs) - 2 * EDGE)
        height = STRIP + 20 + LINE * (len(lines) + len(jumps)) + 6 + (TAB if any(tab.label.text for tab in tabs) else 0)
        return Box(
            name=fit(name, NAME, inner, bold=True),
            verb=node.verb,
            family=family_of(node.verb),
            lines=lines,
            jumps=jumps,
            tabs=_stretched(tabs, inner + 2 * EDGE),
            title=self._title(name, node),
            width=inner + 2 * EDGE,
            height=height,
        )

    def _words(self, name: str, node: Node) -> Iterator[Cut]:
        """The first words that the caller hears; otherwise what the node does."""
        for slot, _, _ in node.prompts():
            text = wording_text(self.flow, name, slot, languages_of(self.flow, node)[0])
            if text:
                yield from wrap(f"“{text}”", TEXT, ROOM, PROMPT_LINES)
                break
        told = [line for line in _told(node) if line.split(":")[0] not in SMALL_PRINT]
        for line in told[:MOST_CASES] if node.verb == "if" else ():
            yield fit(line, SMALL, ROOM)
        if told and node.verb != "if":
            yield from wrap(", ".join(told), SMALL, ROOM, 2)

    def _unseen(self, name: str) -> Iterator[Cut]:
        """How many ways lead here without an arrow."""
        others = sum(way.source != name and not self._is_arrow(way) for way in self.into.get(name, ()))
        if others:
            yield fit(f"↷ from {others} more", SMALL, ROOM)

    def _jump(self, way: _Way) -> Jump:
        label = fit(way.label or "next", SMALL, ROOM * 0.45)
        room = ROOM - label.width - width(" ↷ ", SMALL)
        itself = "itself, again" if way.source == way.target else way.target
        return Jump(label, fit(itself, SMALL, room), self.number[way.target], _way_title(way))

    def _title(self, name: str, node: Node) -> str:
        told = [f"{name} ({node.verb})", node.description, ", ".join(node.tags)]
        for slot, _, _ in node.prompts():
            for language in languages_of(self.flow, node):
                text = wording_text(self.flow, name, slot, language)
                told += [f"{slot} [{language}]: {text}"] if text else []
        told += list(_told(node))
        told += [_way_title(way) for way in self.ways[name]]
        told += list(self.marks.get(name, ()))
        before = [way.source for way in self.into.get(name, ())]
        told += [f"reached from: {', '.join(before)}"] if before else []
        return "\n".join(line for line in told if line)


def _marks(flow: Flow) -> dict[str, list[str]]:
    marks: dict[str, list[str]] = {}
    for mark, node_id in (("on error", flow.on_error), ("on hang-up", flow.on_hangup)):
        if node_id is not None:
            marks.setdefault(node_id, []).append(mark)
    return marks


def _ways(node_id: str, node: Node) -> list[_Way]:
    found: dict[str, list[tuple[str, bool]]] = {}
    for path, label, target in node.branches():
        found.setdefault(target, []).append((label.removeprefix("otherwise."), "otherwise" in path))
    ways: list[_Way] = []
    for target, branches in found.items():
        labels = tuple(label for label, _ in branches)
        alone = len(found) == 1 and labels == ("next",)
        unhappy = all(one for _, one in branches)
        ways.append(_Way(node_id, target, labels, "" if alone else ", ".join(labels), unhappy))
    return ways


def _told(node: Node) -> Iterator[str]:
    for path, value in details(node, defaults=False).items():
        numbered = any(isinstance(part, int) for part in path)
        words = [str(part + 1 if isinstance(part, int) else part) for part in path if part != node.verb]
        # `if` numbers its ways as its conditions are numbered.
        name = words[0] if numbered and words[-1] == "when" else " ".join(words)
        yield f"{name}: {_as_read(value)}" if name else _as_read(value)


def _as_read(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ", ".join(map(_as_read, value))
    return f"{value:g} s" if isinstance(value, float) else str(value)  # numbers with a point are seconds


def _way_title(way: _Way) -> str:
    return f"{', '.join(way.labels)} → {way.target}"


def _tabs(labels: Iterable[str]) -> list[Tab]:
    cuts = [fit(label, SMALL, TAB_ROOM) for label in labels]
    return [Tab(cut, max(cut.width + 10, 26.0)) for cut in cuts]


def _stretched(tabs: list[Tab], total: float) -> tuple[Tab, ...]:
    """The tabs share what is left of the box's width."""
    if not tabs:
        return ()
    more = (total - sum(tab.width for tab in tabs)) / len(tabs)
    return tuple(Tab(tab.label, tab.width + more) for tab in tabs)


def _entry(label: str) -> Box:
    name = fit(label, NAME, 2 * ROOM, bold=True)
    wide = name.width + 4 * EDGE
    tab = Tab(fit("", SMALL, 0), wide)
    return Box(name, "", Family.PLAIN, (), (), (tab,), label, wide, 28.0, outside=True)
