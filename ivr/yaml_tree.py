"""YAML text becomes a tree that knows the line and column of everything in it.

Decides which YAML is read at all: one document of mappings, lists and texts. Anchors, aliases, tags, control
characters, duplicate keys, giant and deeply nested files are refused in bounded time and memory. It refuses to know
what a dialplan is. Every plain value stays text exactly as written, so that `no`, `0100` and `1e3` mean what an admin
thinks they mean.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple, cast

import yaml

from ivr.problems import MAX_PROBLEMS, Problem, shortened

MAX_BYTES = 5_000_000
MAX_DEPTH = 20
MAX_NODES = 200_000
MAX_TEXT = 10_000
MAX_KEY = 200

Loc = tuple[str | int, ...]
Place = tuple[int, int]

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml: 8 times as fast, when PyYAML was built with it
_NULLS = {"", "~", "null", "Null", "NULL"}
_HIDDEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}  # controls, bidirectional overrides, lone surrogates, exotic line ends
_LINE_END = re.compile("\r\n|[\r\n\x85\u2028\u2029]")
_ALLOWED = {"\n", "\t", "\u200c", "\u200d"}  # the last two join letters in some scripts


@dataclass(slots=True)
class Branch:
    """A value and where it stands. `value` is text, None, a list of branches, or a mapping of branches."""

    place: Place
    value: str | list[Branch] | dict[str, Branch] | None
    keys: dict[str, Place] = field(default_factory=dict)

    def plain(self) -> Any:
        """The same without places, as pydantic likes it. Depth is bounded by MAX_DEPTH."""
        if isinstance(self.value, dict):
            return {key: branch.plain() for key, branch in self.value.items()}
        if isinstance(self.value, list):
            return [branch.plain() for branch in self.value]
        return self.value

    def place_of(self, loc: Loc, *, key: bool = False) -> Place:
        """Where `loc` stands, or its nearest ancestor that exists. `key`: the key's place instead of the value's.

        Parts in angle brackets are the model's names for alternatives and exist in no file; the index of what stands
        there alone, where a list of it is possible, neither.
        """
        branch, place = self, self.place
        for part in loc:
            if isinstance(branch.value, dict) and part in branch.value:
                place = branch.keys[str(part)]
                branch = branch.value[str(part)]
                if not key:
                    place = branch.place
            elif isinstance(branch.value, list) and isinstance(part, int) and part < len(branch.value):
                branch = branch.value[part]
                place = branch.place
            elif isinstance(part, str) and not part.startswith("<"):
                break
        return place


class _Refused(Exception):
    """Reading cannot go on."""

    def __init__(self, place: Place, message: str, hint: str = "") -> None:
        self.place = place
        self.message = message
        self.hint = hint


@dataclass(slots=True)
class _Open:
    """A collection that is being read; `key` is the mapping's key whose value comes next."""

    branch: Branch
    key: str | None = None


class _Reader:
    """Builds the tree from the parser's events, without recursion."""

    def __init__(self, file: str, most: int) -> None:
        self.file = file
        self.values = 0
        self.problems: list[Problem] = []
        self.root: Branch | None = None
        self._open: list[_Open] = []
        self._most = most
        self._documents = 0

    def read(self, text: str) -> None:
        try:
            for event in cast(Iterator[Any], yaml.parse(text, Loader=_Loader)):
                self._take(event)
        except _Refused as refused:
            self._note(refused.place, refused.message, refused.hint)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            if "end of stream" in (error.problem or ""):
                mark = error.context_mark or mark  # where the quote was opened, not where the file ends
            place = (mark.line + 1, mark.column + 1) if mark else (1, 1)
            place = min(place, _behind(text))  # the parser counts a line behind the last one
            self._note(place, f"not valid YAML: {error.problem or error.context}", _syntax_hint(error))
        except yaml.reader.ReaderError as error:  # a character that YAML forbids
            before = text.encode()[: error.position].decode(errors="ignore")
            self._note(_behind(before), f"not valid YAML: the character U+{error.character:04X}", "remove it")
        except yaml.YAMLError as error:
            self._note((1, 1), f"not valid YAML: {str(error).splitlines()[0]}")

    def problem(self, place: Place, message: str, hint: str = "") -> None:
        """Note it and go on, unless enough was found."""
        self._note(place, message, hint)
        if len(self.problems) >= MAX_PROBLEMS:
            raise _Refused(place, "too many findings to go on")

    def _note(self, place: Place, message: str, hint: str = "") -> None:
        self.problems.append(Problem(self.file, *place, shortened(message), hint))

    def _take(self, event: Any) -> None:
        place = (event.start_mark.line + 1, event.start_mark.column + 1)
        if isinstance(event, yaml.NodeEvent):
            self._guard(event, place)
        match event:
            case yaml.ScalarEvent():
                self._scalar(event, place)
            case yaml.MappingStartEvent():
                self._begin(Branch(place, {}))
            case yaml.SequenceStartEvent():
                self._begin(Branch(place, []))
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                self._open.pop()
            case yaml.DocumentStartEvent():
                self._documents += 1
                if self._documents > 1:
                    raise _Refused(place, "a second YAML document", "one file holds one flow: remove the '---' line")

    def _guard(self, event: Any, place: Place) -> None:
        self.values += 1
        if self.values > self._most:
            files = f"more than {MAX_NODES} values in one file" if self._most == MAX_NODES else "too many values in all"
            raise _Refused(place, files, "split the flow")
        if isinstance(event, yaml.AliasEvent) or event.anchor is not None:
            sign = "alias *" if isinstance(event, yaml.AliasEvent) else "anchor &"
            hint = "name shared texts under 'prompts:'; quote a text that begins with * or &"
            raise _Refused(place, f"{sign}{event.anchor}: anchors and aliases are not part of the language", hint)
        if event.tag is not None and event.tag != "!":
            raise _Refused(
                place, f"tag {event.tag}: tags are not part of the language", "quote a text that begins with !"
            )

    def _scalar(self, event: Any, place: Place) -> None:
        text: str = event.value
        opened = self._open[-1] if self._open else None
        if opened is not None and isinstance(opened.branch.value, dict) and opened.key is None:
            self._key(opened, text, place)
            return
        if len(text) > MAX_TEXT:
            self.problem(place, f"a text of more than {MAX_TEXT} characters")
            text = text[:1]
        text = self._visible(text, place)
        plain = event.style is None or event.style == ""
        self._put(Branch(place, None if plain and text in _NULLS else text))

    def _visible(self, text: str, place: Place) -> str:
        if text.isprintable():  # most are, and this is quick
            return text
        hidden = next((c for c in text if c not in _ALLOWED and unicodedata.category(c) in _HIDDEN), None)
        if hidden is None:
            return text
        self.problem(place, f"the invisible character U+{ord(hidden):04X} in a text", "remove it")
        return "".join(c for c in text if unicodedata.category(c) not in _HIDDEN)

    def _key(self, opened: _Open, text: str, place: Place) -> None:
        if len(text) > MAX_KEY:
            raise _Refused(place, f"a key of more than {MAX_KEY} characters")
        text = self._visible(text, place)
        if text in opened.branch.keys:
            first = opened.branch.keys[text]
            self.problem(place, f"key {text!r} is given twice", f"first on line {first[0]}")
        else:
            opened.branch.keys[text] = place
        opened.key = text

    def _begin(self, branch: Branch) -> None:
        if len(self._open) >= MAX_DEPTH:
            raise _Refused(branch.place, f"nested more than {MAX_DEPTH} deep")
        opened = self._open[-1] if self._open else None
        if opened is not None and isinstance(opened.branch.value, dict) and opened.key is None:
            raise _Refused(branch.place, "a key must be a plain word", "a text with { or [ needs quotes")
        self._put(branch)
        self._open.append(_Open(branch))

    def _put(self, branch: Branch) -> None:
        if not self._open:
            self.root = branch
            return
        opened = self._open[-1]
        if isinstance(opened.branch.value, dict):
            opened.branch.value.setdefault(cast(str, opened.key), branch)
            opened.key = None
        else:
            cast("list[Branch]", opened.branch.value).append(branch)


class Tree(NamedTuple):
    """A file as far as it can be read, everything that YAML itself says against it, and how many values it has."""

    root: Branch | None
    problems: list[Problem]
    values: int = 0


def read_tree(data: bytes, file: str, most: int = MAX_NODES) -> Tree:
    """Read a file of at most so many values."""
    reader = _Reader(file, min(most, MAX_NODES))
    text = _text(data, reader)
    if text is not None:
        reader.read(text)
        if reader.root is None and not reader.problems:
            reader.problem((1, 1), "the file is empty")
    return Tree(reader.root, reader.problems, reader.values)


def _text(data: bytes, reader: _Reader) -> str | None:
    if len(data) > MAX_BYTES:
        hint = "no dialplan is: split it, or is it another file?"
        reader.problem((1, 1), f"larger than {MAX_BYTES // 1_000_000} MB", hint)
    elif data.startswith((b"\xff\xfe", b"\xfe\xff")) or data[:4].count(0) > 1:
        reader.problem((1, 1), "not UTF-8 text but UTF-16 or UTF-32", "save the file as UTF-8")
    else:
        try:
            return data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            place = _behind(data[: error.start].decode("utf-8-sig"))
            reader.problem(place, "not UTF-8 text", "save the file as UTF-8")
    return None


def _behind(text: str) -> Place:
    """The place after a text, by the line ends that YAML knows."""
    ends = list(_LINE_END.finditer(text))
    return len(ends) + 1, len(text) - (ends[-1].end() if ends else 0) + 1


def _syntax_hint(error: yaml.MarkedYAMLError) -> str:
    problem = error.problem or ""
    if "cannot start any token" in problem:
        return "indent with spaces, not tabs; quote a text that begins with @ or `"
    if "mapping values are not allowed" in problem:
        return "a text that holds ': ' needs quotes"
    return "check the indentation and the quotes of this line and the one above"
