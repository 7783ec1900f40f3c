"""Which nodes follow which: the walks over a flow that several rules need."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

Following = Callable[[str], Iterable[str]]


def closure(begin: Iterable[str], following: Following) -> set[str]:
    """Where one can come from these nodes, themselves included."""
    found = set(begin)
    open_ends = list(found)
    while open_ends:
        new = set(following(open_ends.pop())) - found
        found |= new
        open_ends.extend(new)
    return found


def turned(following: Mapping[str, Iterable[str]]) -> dict[str, set[str]]:
    """The same ways in the other direction."""
    before: dict[str, set[str]] = {node: set() for node in following}
    for node, targets in following.items():
        for target in targets:
            if target in before:
                before[target].add(node)
    return before


def circles(following: Mapping[str, Iterable[str]]) -> Iterator[tuple[str, ...]]:
    """Every greatest set of nodes among which one can go round for ever, each in the order of the flow.

    Tarjan's algorithm without recursion: every way is looked at once.
    """
    order = {node: place for place, node in enumerate(following)}
    met: dict[str, int] = {}
    lowest: dict[str, int] = {}
    path: list[str] = []
    on_path: set[str] = set()
    for first in following:
        if first in met:
            continue
        met[first] = lowest[first] = len(met)
        path.append(first)
        on_path.add(first)
        visits = [(first, iter(following[first]))]
        while visits:
            node, targets = visits[-1]
            for target in targets:
                if target in on_path:
                    lowest[node] = min(lowest[node], met[target])
                elif target in order and target not in met:
                    met[target] = lowest[target] = len(met)
                    path.append(target)
                    on_path.add(target)
                    visits.append((target, iter(following[target])))
                    break
            else:
                visits.pop()
                if visits:
                    above = visits[-1][0]
                    lowest[above] = min(lowest[above], lowest[node])
                if lowest[node] == met[node]:
                    circle: list[str] = []
                    while not circle or circle[-1] != node:
                        circle.append(path.pop())
                    on_path.difference_update(circle)
                    if len(circle) > 1 or node in following[node]:
                        yield tuple(sorted(circle, key=order.__getitem__))
