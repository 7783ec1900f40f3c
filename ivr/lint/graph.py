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
    """Every greatest set of nodes among which one can go round for ever, each in the order of the flow."""
    before = turned(following)
    left = dict.fromkeys(following)
    # What nothing comes to, or nothing follows, is in no circle: most flows are done with that.
    bare = [node for node in following if not before[node] or not following[node]]
    while bare:
        node = bare.pop()
        if node in left:
            del left[node]
            bare += [one for one in following[node] if one in left and left.keys().isdisjoint(before[one])]
            bare += [one for one in before[node] if one in left and left.keys().isdisjoint(following[one])]
    for node in following:
        if node not in left:
            continue
        both = closure([node], lambda one: [to for to in following[one] if to in left]) & closure(
            [node], lambda one: [to for to in before[one] if to in left]
        )
        for one in both:
            del left[one]
        if len(both) > 1 or node in following[node]:
            yield tuple(one for one in following if one in both)
