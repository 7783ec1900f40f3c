"""Names of what is not there."""

from __future__ import annotations

from collections.abc import Iterator

from bench.faults_of_flows import (
    Base,
    Fault,
    Path,
    detour,
    fault,
    nodes_of,
    plants,
    put,
    renamed,
    said,
    targets,
    texts,
    typo,
)


@plants("unknown target")
def a_slip_in_a_target(base: Base, file: str) -> Iterator[Fault]:
    nodes = nodes_of(base, file)
    for path, target in targets(base, file):
        for wrong in (typo(target), "nowhere"):
            if wrong not in nodes:
                yield fault("a target", file, path, put(path, wrong), "unknown-node")


@plants("unknown target")
def a_slip_at_the_top(base: Base, file: str) -> Iterator[Fault]:
    for key in ("start", "on_error", "on_hangup"):
        if base.plain[file].get(key):
            yield fault("at the top", file, (key,), put((key,), "nowhere"), "unknown-node")


@plants("unknown target")
def a_node_is_renamed(base: Base, file: str) -> Iterator[Fault]:
    for path, target in targets(base, file):
        if path[1] != target:
            yield fault("renamed", file, path, renamed(("nodes", target), "other-name"), "unknown-node")


@plants("unknown queue")
def a_slip_in_a_queue(base: Base, file: str) -> Iterator[Fault]:
    for node_id, node in nodes_of(base, file).items():
        for inner, queue in node.queues():
            path = ("nodes", node_id, *inner)
            for wrong in (typo(queue), "marketing"):
                yield fault(f"of {node.verb}", file, path, put(path, wrong), "unknown-queue")


@plants("unknown skill")
def a_skill_that_nobody_has(base: Base, file: str) -> Iterator[Fault]:
    for node_id, node in base.plain[file].get("nodes", {}).items():
        if "to_queue" in node:
            here: Path = ("nodes", node_id, "to_queue", "skills")
            for key in ("must", "nice"):
                path = (*here, key, "spanich")
                yield fault(key, file, path, put(here, {key: {"spanich": "2"}}), "unknown-skill")
            path = (*here, "must", "bikes")
            yield fault("too high", file, path, put(here, {"must": {"bikes": "5"}}), "unknown-skill")


@plants("unknown variable")
def a_variable_in_a_text(base: Base, file: str) -> Iterator[Fault]:
    for path, text in texts(base, file):
        if said(base, file, path):
            yield fault("in a text", file, path, put(path, f"{text} {{ticket_no}}."), "unknown-variable", "value")


@plants("unknown variable")
def a_variable_elsewhere(base: Base, file: str) -> Iterator[Fault]:
    for node_id, node in base.plain[file].get("nodes", {}).items():
        for path, value in {
            ("to_queue", "data"): {"note": "{ticket_no}"},
            ("to_queue", "head_start_s"): "{ticket_no}",
            ("http", "get"): "/orders/{ticket_no}",
            ("http", "query"): {"q": "{ticket_no}"},
            ("transfer", "to"): "{ticket_no}",
            ("callback", "number"): "{ticket_no}",
        }.items():
            if isinstance(node.get(path[0]), dict):
                where: Path = ("nodes", node_id, *path, *(value if isinstance(value, dict) else ()))
                yield fault(".".join(path), file, where, put(("nodes", node_id, *path), value), "unknown-variable")
        for index in range(len(node.get("if", ()))):
            path_of: Path = ("nodes", node_id, "if", index, "when")
            yield fault(
                "in a condition", file, path_of, put(path_of, "ticket_no == '1'"), "unknown-variable", "condition"
            )


@plants("unknown flow, hours, service")
def other_names(base: Base, file: str) -> Iterator[Fault]:
    for node_id, node in base.plain[file].get("nodes", {}).items():
        for path, rules in {
            ("hours",): ["unknown-hours"],
            ("call", "flow"): ["unknown-flow"],
            ("http", "service"): ["unknown-service", "value"],
        }.items():
            if path[0] in node:
                where: Path = ("nodes", node_id, *path)
                yield fault(path[0], file, where, put(where, "nothing-such"), *rules)
    if "flow" in base.plain[file]:
        for _, edit in detour(base, file, {"elsewhere": {"goto": {"flow": "nothing-such"}}}):
            yield fault("goto", file, ("nodes", "elsewhere", "goto", "flow"), edit, "unknown-flow")
