"""Nodes that nobody comes to or gets away from, menus without people, and what cannot follow what."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bench.faults_of_flows import Base, Fault, Path, an_end, both, detour, fault, plants, put, says, targets


@plants("unreachable node")
def a_node_that_was_forgotten(base: Base, file: str) -> Iterator[Fault]:
    if "flow" not in base.plain[file]:
        return
    for _, target in targets(base, file):
        lost = {"say": says(base, file), "next": target}
        yield fault("a new one", file, ("nodes", "lost"), put(("nodes", "lost"), lost), "unreachable")


@plants("unreachable node")
def the_only_way_leads_elsewhere(base: Base, file: str) -> Iterator[Fault]:
    if "flow" not in base.plain[file]:
        return
    ways = list(targets(base, file))
    plain = base.plain[file]
    roots = {plain.get(key) for key in ("start", "on_error", "on_hangup")}
    for path, target in ways:
        alone = [one for one, to in ways if to == target] == [path] and target not in roots
        if alone and target not in {path[1], an_end(base, file)}:
            yield fault("by a slip", file, ("nodes", target), put(path, an_end(base, file)), "unreachable")


@plants("dead end")
def nobody_gets_away(base: Base, file: str) -> Iterator[Fault]:
    if "flow" not in base.plain[file]:
        return
    one = {"round": {"say": says(base, file), "next": "round"}}
    two = {"round": {"say": says(base, file), "next": "square"}, "square": {"wait": "1s", "next": "round"}}
    menu = {"menu": {"prompt": says(base, file, "Well?"), "keys": {"1": "round"}, "otherwise": "round"}}
    for nodes in (one, two, {"round": menu}):
        for _, edit in detour(base, file, nodes):
            yield fault(f"{len(nodes)}: {next(iter(nodes['round']))}", file, ("nodes", "round"), edit, "dead-end")


@plants("loop without exit")
def round_and_round(base: Base, file: str) -> Iterator[Fault]:
    if "flow" not in base.plain[file]:
        return
    circles: dict[str, dict[str, Any]] = {
        "goto": {"round": {"goto": "square"}, "square": {"goto": "round"}},
        "set": {"round": {"set": {"tone": "low"}, "next": "round"}},
        "if": {
            "round": {"if": [{"when": "caller_number == '1'", "to": "square"}], "else": "square"},
            "square": {"goto": "round"},
        },
        "switch": {"round": {"switch": "night", "on": "round", "off": "round"}},
        "if that nothing changes": {
            "round": {"if": [{"when": "caller_number == '1'", "to": an_end(base, file)}], "else": "square"},
            "square": {"goto": "round"},
        },
    }  # fmt: skip
    for what, nodes in circles.items():
        for _, edit in detour(base, file, nodes):
            yield fault(what, file, ("nodes", "round"), edit, "endless-loop")


@plants("loop without exit")
def nobody_presses_anything(base: Base, file: str) -> Iterator[Fault]:
    for node_id, node in base.plain[file].get("nodes", {}).items():
        for verb, path in (("menu", ("menu", "otherwise")), ("ask", ("otherwise",))):
            if verb in node:
                where: Path = ("nodes", node_id)
                yield fault(f"{verb} comes back", file, where, put((*where, *path), node_id), "silent-loop")


@plants("loop without exit")
def flows_that_call_each_other(base: Base, file: str) -> Iterator[Fault]:
    if "flow" in base.plain[file]:
        again = {"again": {"call": {"flow": base.plain[file]["flow"]}, "next": an_end(base, file)}}
        for _, edit in detour(base, file, again):
            yield fault("recursion", file, ("nodes", "again", "call", "flow"), edit, "recursion")


@plants("menu without a way to a person")
def a_menu_for_machines(base: Base, file: str) -> Iterator[Fault]:
    plain = base.plain[file]
    if "flow" not in plain or "returns" in plain:
        return
    menu = {"prompt": says(base, file, "Say goodbye: press 1."), "keys": {"1": "adieu"}, "otherwise": "adieu"}
    nodes = {"alone": {"menu": menu}, "adieu": {"say": says(base, file), "next": "over"}, "over": {"hangup": {}}}
    for _, edit in detour(base, file, nodes):
        yield fault("a new one", file, ("nodes", "alone"), edit, "no-person")


@plants("menu without a way to a person")
def the_ways_to_people_are_taken_away(base: Base, file: str) -> Iterator[Fault]:
    plain = base.plain[file]
    people = {"to_queue", "transfer", "callback", "voicemail"}
    if "returns" in plain or "flow" not in plain:
        return
    helpers = [name for name, node in plain["nodes"].items() if people & node.keys()]
    edit = both(*(put(("nodes", name), {"say": says(base, file), "next": an_end(base, file)}) for name in helpers))
    for name, node in plain["nodes"].items():
        if "menu" in node:
            yield fault("no queues", file, ("nodes", name), edit, "no-person")


@plants("after hang-up, calls of flows")
def what_cannot_be(base: Base, file: str) -> Iterator[Fault]:
    plain = base.plain[file]
    if "flow" not in plain:
        return
    for name, node in plain["nodes"].items():
        if {"say", "menu", "ask", "to_queue", "transfer"} & node.keys():
            yield fault("needs a caller", file, ("on_hangup",), put(("on_hangup",), name), "needs-caller")
    yield (
        fault("nobody calls it", file, (), put(("numbers",), []), "not-called")
        if "numbers" in plain
        else fault("called no more", file, (), put(("flow",), "renamed"), "not-called")
    )
    for name, node in plain["nodes"].items():
        if "return" in node and sum("return" in one for one in plain["nodes"].values()) == 1:
            yield fault("never comes back", file, (), put(("nodes", name), {"hangup": {}}), "no-return")
