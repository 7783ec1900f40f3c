"""Conditions that cannot be judged, and those that say nothing."""

from __future__ import annotations

from collections.abc import Iterator

from bench.faults_of_flows import Base, Fault, Path, an_end, detour, fault, plants, put


def conditions(base: Base, file: str) -> Iterator[Path]:
    """Every condition there is, and new ones on some ways."""
    for name, node in base.plain[file].get("nodes", {}).items():
        for index in range(len(node.get("if", ()))):
            yield "nodes", name, "if", index, "when"


def asked(base: Base, file: str, when: str, *rules: str, what: str = "") -> Iterator[Fault]:
    for path in conditions(base, file):
        yield fault(what or when, file, path, put(path, when), *rules)
    if "flow" in base.plain[file]:
        end = an_end(base, file)
        for way, edit in detour(base, file, {"whether": {"if": [{"when": when, "to": end}], "else": end}}):
            if way[2:3] != ("if",):
                yield fault(what or when, file, ("nodes", "whether", "if", 0, "when"), edit, *rules)


WRONG = (
    "caller_number > 5", "caller_name", "dialled + 1 == 2", "size(caller_name) == 'x'", "caller_name && true",
    "language == 3", "caller_name ==", "(dialled == '1'", "dialled = '1'", "dialled == '1", "queue.foo == '1'",
    "nothing(dialled)", "!dialled", "caller_number == caller_name > 2", "dialled in 5", "-caller_name == '1'",
    "size(dialled, 2) == 1", "if dialled == '1'",
)  # fmt: skip
ALWAYS = (
    "1 == 1", "true", "caller_number == caller_number", "dialled == '1' || dialled != '1'", "size(dialled) >= 0",
    "!false", "dialled == '' || true", "caller_name == caller_name || dialled == '5'",
    "!(dialled == '1' && dialled == '2')",
)  # fmt: skip
NEVER = (
    "1 == 2", "false", "dialled == '1' && dialled == '2'", "dialled != dialled", "size(dialled) < 0",
    "dialled == '1' && false", "size(dialled) > 5 && size(dialled) < 3", "caller_name == 'a' && caller_name != 'a'",
    "dialled in ['1'] && dialled == '2'",
)  # fmt: skip


@plants("condition that does not type-check")
def a_wrong_condition(base: Base, file: str) -> Iterator[Fault]:
    for when in WRONG:
        yield from asked(base, file, when, "condition")


@plants("condition always true")
def an_idle_condition(base: Base, file: str) -> Iterator[Fault]:
    for when in ALWAYS:
        yield from asked(base, file, when, "constant-condition")


@plants("condition always false")
def a_vain_condition(base: Base, file: str) -> Iterator[Fault]:
    for when in NEVER:
        yield from asked(base, file, when, "constant-condition")


@plants("condition always false")
def a_condition_that_is_never_come_to(base: Base, file: str) -> Iterator[Fault]:
    if "flow" in base.plain[file]:
        end = an_end(base, file)
        for first, second in (
            ("dialled == '1'", "dialled == '1'"),
            ("size(dialled) > 3", "size(dialled) > 5"),
            ("dialled != ''", "dialled == '100'"),
        ):
            cases = [{"when": first, "to": end}, {"when": second, "to": end}]
            for _, edit in detour(base, file, {"whether": {"if": cases, "else": end}}):
                yield fault("shadowed", file, ("nodes", "whether", "if", 1, "when"), edit, "constant-condition")
