"""The files of a set of dialplans: what each of them is, and which takes in which.

Decides what tells a flow from a part (a file without `flow:` that holds what flows share) and what an `include:` may
name. It refuses to know what the values mean.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ivr.dialplans import short_hash
from ivr.model import PartFile
from ivr.node import FILE_PATTERN, MAX_INCLUDES
from ivr.problems import Problem, Severity, did_you_mean
from ivr.yaml_tree import Branch, Loc, Place, Tree

SUFFIXES = (".yaml", ".yml")
TESTS = (".test.yaml", ".test.yml")
"""How tests of dialplans end: they lie beside them and are none."""

MAX_DEPTH = 10
"""Includes of includes."""

SHARED = tuple(name for name in PartFile.model_fields if name not in {"include", "description"})
"""The sections whose entries a part lends to the flows that include it."""

_ONLY_IN_FLOWS = {"flow", "numbers", "start", "nodes"}
_FILE = re.compile(FILE_PATTERN)


@dataclass(slots=True, eq=False)
class Source:
    """One file. `label` is what people are told, `content` a hash, `values` how many it holds, `plain` what it says
    without places; None when it is no YAML."""

    name: str
    label: str
    content: str
    values: int = 0
    root: Branch | None = None
    plain: Any = None
    problems: list[Problem] = field(default_factory=list)

    @property
    def is_part(self) -> bool:
        if not isinstance(self.plain, dict) or _ONLY_IN_FLOWS & self.plain.keys():
            return False
        return any(section in self.plain for section in (*SHARED, "include"))

    @property
    def broken(self) -> bool:
        """Whether what YAML itself says against it makes everything after it guesswork."""
        return self.root is None or bool(self.problems)

    def place(self, path: Loc, *, key: bool = False) -> Place:
        return self.root.place_of(path, key=key) if self.root is not None else (1, 1)

    def problem(
        self, path: Loc, message: str, hint: str = "", *, key: bool = False, severity: Severity = Severity.ERROR
    ) -> Problem:
        return Problem(self.label, *self.place(path, key=key), message, hint, severity)

    def includes(self) -> Iterator[tuple[int, str]]:
        """Every file that this one takes in and that could be one; the model says what is wrong with the others."""
        given = self.plain.get("include") if isinstance(self.plain, dict) else None
        for index, name in enumerate(given[:MAX_INCLUDES] if isinstance(given, list) else ()):
            if isinstance(name, str) and _FILE.fullmatch(name):
                yield index, name

    def entries(self) -> Iterator[tuple[str, str]]:
        """The section and name of all that it could lend."""
        for section in SHARED:
            given = self.plain.get(section) if isinstance(self.plain, dict) else None
            for name in given if isinstance(given, dict) else ():
                yield section, name


def source_of(name: str, label: str, data: bytes, tree: Tree) -> Source:
    plain = tree.root.plain() if tree.root is not None else None
    return Source(name, label, short_hash(data), tree.values, tree.root, plain, list(tree.problems))


class Includes:
    """Which parts each file takes in, and everything that is wrong with that."""

    def __init__(self, sources: Mapping[str, Source]) -> None:
        self.problems: list[Problem] = []
        self._sources = sources
        self._unsound: set[str] = set()
        self._direct: dict[str, list[str]] = {name: self._of(source) for name, source in sources.items()}
        self._all: dict[str, tuple[Source, ...]] = {name: self._closure(name) for name in sources}
        for name, source in sources.items():
            self._circles(source)
            self._twice([source, *self._all[name]])
        used = {part for parts in self._direct.values() for part in parts}
        for name, source in sources.items():
            if source.is_part and name not in used:
                text = "no flow includes this file"
                hint = "it has no 'flow:', so it is a part for others to include"
                self.problems.append(source.problem((), text, hint, severity=Severity.WARNING))

    def parts(self, name: str) -> tuple[Source, ...]:
        """What a file takes in, and what that takes in; itself is not among them."""
        return self._all[name]

    def sound(self, name: str) -> bool:
        """Whether a file gets all that it asks for."""
        return self._unsound.isdisjoint((name, *(part.name for part in self._all[name])))

    def _problem(self, source: Source, index: int, message: str, hint: str = "") -> None:
        self.problems.append(source.problem(("include", index), message, hint))
        self._unsound.add(source.name)

    def _of(self, source: Source) -> list[str]:
        found: list[str] = []
        for index, name in source.includes():
            part = self._sources.get(name)
            if part is None:
                known = (one.name for one in self._sources.values() if one.is_part and one is not source)
                self._problem(source, index, f"there is no file {name!r}", did_you_mean(name, known))
            elif name in found:
                self._problem(source, index, f"{name!r} is included twice")
            elif not part.is_part and not part.broken:
                text = f"{name!r} is a flow, and only parts can be included"
                self._problem(source, index, text, "a part has 'prompts:' and no 'flow:'")
            else:
                found.append(name)
        return found

    def _closure(self, name: str) -> tuple[Source, ...]:
        found: dict[str, None] = {}
        level = [name]
        for _ in range(MAX_DEPTH):
            level = [part for one in level for part in self._direct[one] if part not in found]
            found |= dict.fromkeys(level)
        for one in level:
            for index, part in self._sources[one].includes():
                if part not in found:
                    self._problem(self._sources[one], index, f"included more than {MAX_DEPTH} deep")
        return tuple(self._sources[part] for part in found if part != name)

    def _circles(self, source: Source) -> None:
        for index, name in source.includes():
            if name == source.name:
                self._problem(source, index, "this file includes itself")
            elif name in self._direct[source.name] and source in self._all[name]:
                self._problem(source, index, f"a circle: {name!r} includes {source.name!r} as well")

    def _twice(self, sources: Iterable[Source]) -> None:
        """A name that two files define, said at both."""
        first: dict[tuple[str, str], Source] = {}
        for source in sources:
            for entry in source.entries():
                other = first.setdefault(entry, source)
                if other is not source:
                    for here, there in ((source, other), (other, source)):
                        line, _ = there.place(entry, key=True)
                        text = f"{entry[1]!r} in {entry[0]!r} is defined in {there.name}, line {line}, as well"
                        self.problems.append(here.problem(entry, text, key=True))


Lenders = dict[tuple[str, str], Source]


def merge(source: Source, parts: Iterable[Source]) -> tuple[Any, Lenders]:
    """What a file says with what it takes in, and which part each entry is from."""
    plain, lenders = source.plain, Lenders()
    if not parts or not isinstance(plain, dict):
        return plain, lenders
    spoken = _spoken(plain)
    offers: dict[tuple[str, str], Any] = {}
    for part in parts:
        for section, name in part.entries():
            lenders.setdefault((section, name), part)
            offers.setdefault((section, name), _lent(section, part.plain[section][name], spoken))
    named = _named(plain, offers)
    merged = dict(plain)
    for (section, name), given in offers.items():
        own = merged.get(section) or {}
        if isinstance(own, dict) and name not in own and (name in named or _fits(section, given, spoken)):
            merged[section] = own | {name: given}
        else:
            del lenders[section, name]
    return merged, lenders


def _named(plain: Any, offers: Mapping[tuple[str, str], Any]) -> set[str]:
    """Every word of the file, and of the entries that these words name: whatever it uses is among them."""
    named: set[str] = set()
    new = set(_words(plain))
    while new:
        named |= new
        new = {word for (_, name), given in offers.items() if name in new for word in _words(given)} - named
    return named


def _fits(section: str, given: Any, spoken: tuple[str, ...]) -> bool:
    """Whether an entry that nothing names can be there all the same, to be hinted at. A prompt that this flow could not
    say does no harm until it is asked for."""
    if section != "prompts":
        return True
    texts = given.values() if isinstance(given, dict) else ()
    return set(given) == set(spoken) and not any("{" in str(text) for text in texts) if texts else False


def _spoken(plain: dict[str, Any]) -> tuple[str, ...]:
    listed = plain.get("languages")
    return tuple(
        language
        for language in dict.fromkeys([plain.get("language"), *(listed if isinstance(listed, list) else ())])
        if isinstance(language, str)
    )


def _lent(section: str, given: Any, spoken: tuple[str, ...]) -> Any:
    """Of a prompt, a flow takes only the languages that it speaks, if there are any."""
    if section != "prompts":
        return given
    if isinstance(given, list):
        return [_lent(section, one, spoken) for one in given]
    if isinstance(given, dict) and any(language in given for language in spoken):
        return {language: text for language, text in given.items() if language in spoken}
    return given


def _words(plain: Any) -> Iterator[str]:
    """Every text in a value. The depth of values is bounded by the reader."""
    if isinstance(plain, str):
        yield plain
    elif isinstance(plain, (dict, list)):
        for one in plain.values() if isinstance(plain, dict) else plain:
            yield from _words(one)
