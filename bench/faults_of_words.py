"""Prompts that are missing, untranslated or too long, and keys and words that collide."""

from __future__ import annotations

from collections.abc import Iterator

from bench.faults_of_flows import Base, Fault, Path, at, fault, plants, put, remove, renamed, said, texts, whole_prompt


@plants("missing prompt")
def a_prompt_that_is_not_there(base: Base, file: str) -> Iterator[Fault]:
    for name, node in base.plain[file].get("nodes", {}).items():
        for path in (("say",), ("menu", "prompt"), ("menu", "invalid"), ("ask", "prompt"), ("ask", "no_input")):
            where: Path = ("nodes", name, *path)
            if path[0] in node and (len(path) == 1 or path[1] in node[path[0]]):
                yield fault(".".join(path), file, where, put(where, "no-such-prompt"), "unknown-prompt")


@plants("missing prompt")
def a_prompt_is_gone(base: Base, file: str) -> Iterator[Fault]:
    plain = base.plain[file]
    for prompt in plain.get("prompts") or ():
        for name, node in plain.get("nodes", {}).items():
            if node.get("say") == prompt:
                path: Path = ("nodes", name, "say")
                yield fault("removed", file, path, remove(("prompts", prompt)), "unknown-prompt")


@plants("missing translation")
def a_language_is_missing(base: Base, file: str) -> Iterator[Fault]:
    spoken = {language for flow in base.flows.values() for language in flow.languages}
    for path, _ in texts(base, file):
        owner = at(base.plain[file], path[:-1])
        if isinstance(owner, dict) and len(owner) > 1 and owner.keys() <= spoken and said(base, file, path):
            yield fault("removed", file, path[:-1], remove(path), "missing-translation")


@plants("missing translation")
def a_language_that_nobody_speaks(base: Base, file: str) -> Iterator[Fault]:
    for path, _ in texts(base, file):
        owner = at(base.plain[file], path[:-1])
        if isinstance(owner, dict) and len(owner) > 1 and "flow" in base.plain[file]:
            yield fault("misspelt", file, path[:-1], renamed(path, "xx"), "missing-translation")


@plants("prompt text too long")
def nobody_listens(base: Base, file: str) -> Iterator[Fault]:
    for path, text in texts(base, file):
        if said(base, file, path):
            for what, words in (("somewhat", 60), ("much", 160), ("endless", 400)):
                long = f"{text} {'and so on ' * (words // 3)}"
                where = path if words > 300 else whole_prompt(base, file, path)
                yield fault(what, file, where, put(path, long), "long-prompt", "value")


@plants("colliding keys")
def a_key_twice(base: Base, file: str) -> Iterator[Fault]:
    """Written twice: only the text can hold that."""
    for number, line in enumerate(base.text[file].decode().split("\n")):
        key = line.strip().split(":")[0]
        if key.startswith("'") and len(key) == 3:

            def rewrite(lines: list[str], number: int = number) -> int:
                lines.insert(number + 1, lines[number])
                return number + 1

            yield Fault("", "a key twice", file, frozenset({"value"}), rewrite=rewrite)


@plants("colliding keys")
def words_twice(base: Base, file: str) -> Iterator[Fault]:
    for name, node in base.plain[file].get("nodes", {}).items():
        keys = list(dict.fromkeys(node.get("menu", {}).get("keys", {}).values()))
        if len(keys) > 1:
            here: Path = ("nodes", name, "menu", "words")
            words = {keys[0]: {"en": ["orders"]}, keys[1]: {"en": ["Orders "]}}
            yield fault("the same words", file, (*here, keys[1], "en", 0), put(here, words), "collision")


@plants("colliding keys")
def a_key_that_is_offered_and_not_bound(base: Base, file: str) -> Iterator[Fault]:
    for path, text in texts(base, file):
        if path[2:3] == ("menu",) and path[-1] in {"en", "es"}:
            keys = at(base.plain[file], (*path[:2], "menu", "keys"))
            free = next(key for key in "8754" if key not in keys)
            offer = (
                f"{text} For a joke, press {free}." if path[-1] == "en" else f"{text} Para un chiste, oprima el {free}."
            )
            where = whole_prompt(base, file, path)
            yield fault("offered, not bound", file, where, put(path, offer), "offered-key")


@plants("colliding keys")
def a_key_is_unbound(base: Base, file: str) -> Iterator[Fault]:
    for name, node in base.plain[file].get("nodes", {}).items():
        for key in node.get("menu", {}).get("keys", {}):
            if f"ress {key}" in str(node["menu"]["prompt"]) and len(node["menu"]["keys"]) > 1:
                path: Path = ("nodes", name, "menu", "prompt")
                yield fault("unbound", file, path, remove(("nodes", name, "menu", "keys", key)), "offered-key")
