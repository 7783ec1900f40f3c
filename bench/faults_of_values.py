"""Values, keys and YAML that are wrong in themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from bench.faults_of_flows import Base, Fault, Path, an_end, detour, fault, plants, put, renamed, says
from ivr.verbs import VERBS


@plants("wrong kind")
def a_variable_of_two_kinds(base: Base, file: str) -> Iterator[Fault]:
    if "flow" not in base.plain[file]:
        return
    end = an_end(base, file)

    def question(kind: str) -> dict[str, Any]:
        return {"type": kind, "prompt": says(base, file, "How many?"), "save": "howmany"}

    for one, other in (("number", "date"), ("digits", "amount"), ("yes_no", "number")):
        nodes = {
            "first-ask": {"ask": question(one), "next": "second-ask", "otherwise": end},
            "second-ask": {"ask": question(other), "next": end, "otherwise": end},
        }
        for _, edit in detour(base, file, nodes):
            yield fault("two kinds", file, ("nodes", "second-ask", "ask", "save"), edit, "kind")
    for how in ("date", "time", "money"):
        nodes = {"tell": {"say": says(base, file, f"It is {{caller_number:{how}}}."), "next": end}}
        languages = base.flows[file].languages
        path: Path = ("nodes", "tell", "say", *(languages[:1] if len(languages) > 1 else ()))
        for _, edit in detour(base, file, nodes):
            yield fault(f"spoken as {how}", file, path, edit, "kind", "value")


@plants("wrong kind")
def a_value_of_another_kind(base: Base, file: str) -> Iterator[Fault]:
    for name, node in base.plain[file].get("nodes", {}).items():
        for path, wrong in {
            ("menu", "tries"): "many",
            ("menu", "timeout"): "5 apples",
            ("menu", "keys"): ["1"],
            ("menu", "bargein"): "perhaps",
            ("ask", "type"): "word",
            ("ask", "length"): "long",
            ("to_queue", "head_start_s"): "soon",
            ("to_queue", "otherwise"): ["x"],
            ("hangup", "cause"): "tired",
            ("http", "cache"): "always",
            ("wait",): "a bit",
            ("next",): {"to": "x"},
            ("say",): {"english": "Hi."},
            ("voicemail", "max"): "long",
            ("transfer", "ring"): "often",
        }.items():
            if path[0] in node and (len(path) == 1 or isinstance(node[path[0]], dict)):
                where: Path = ("nodes", name, *path)
                inner = (*where, "english") if isinstance(wrong, dict) and "english" in wrong else where
                yield fault(".".join(path), file, inner, put(where, wrong), "value")


@plants("unknown key")
def a_slip_in_a_key(base: Base, file: str) -> Iterator[Fault]:
    for name, node in base.plain[file].get("nodes", {}).items():
        for path in [(key,) for key in node] + [
            (key, inner)
            for key in node
            if isinstance(node[key], dict)
            for inner in node[key]
            if key not in {"set", "say"}
        ]:
            if path[0] in {"split", "return"} or (path[-1] in node and len(path) > 1):
                continue
            wrong = f"{path[-1]}x"
            where: Path = (
                ("nodes", name, *path[:-1], wrong) if path[0] not in VERBS or len(path) > 1 else ("nodes", name)
            )
            yield fault("a slip", file, where, renamed(("nodes", name, *path), wrong), "value", "unknown-node")


@plants("bad YAML")
def a_slip_of_the_editor(base: Base, file: str) -> Iterator[Fault]:
    def inserted(number: int, text: str) -> Callable[[list[str]], int]:
        def rewrite(lines: list[str]) -> int:
            lines.insert(number, text)
            return number + 1

        return rewrite

    def appended(number: int, text: str) -> Callable[[list[str]], int]:
        def rewrite(lines: list[str]) -> int:
            lines[number] += text
            return number + 1

        return rewrite

    lines = base.text[file].decode().split("\n")
    slips: dict[str, str] = {
        "a tab": "\tnext: bye",
        "an open quote": 'note: "never closed',
        "an open bracket": "note: [one, two",
        "an alias": "note: *other",
        "an anchor": "note: &other x",
        "a tag": "note: !!python/name:os.system x",
        "two documents": "---\nflow: two",
        "a lone word": "just a word",
    }
    for number, line in enumerate(lines[:-1]):
        if line.startswith("  ") or not line:
            continue
        for what, text in slips.items():
            if number or what != "two documents":
                yield Fault("", what, file, frozenset({"value", ""}), rewrite=inserted(number, text))
        if ": " in line:
            yield Fault("", "a second colon", file, frozenset({"value", ""}), rewrite=appended(number, ": again: x"))
