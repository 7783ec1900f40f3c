"""YAML text with places: the plain data of a file, and for each value the line and column where it stands.

Decides how YAML is read (the core schema of YAML 1.2: only `true` and `false` are booleans, so `no` stays Norwegian;
keys are text, a key given twice is an error). It refuses to know what the data mean.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import yaml

Path = tuple[str | int, ...]
"""Where a value stands in the data: keys and list indexes from the root."""


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Line and column, counted from 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong in a file, where a person can find it."""

    file: str
    place: Place
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.place.line}:{self.place.column}: {self.message}"


class YamlRefused(Exception):
    """The text is no YAML that we read."""

    def __init__(self, place: Place, message: str) -> None:
        super().__init__(message)
        self.place = place
        self.message = message


@dataclass(slots=True)
class YamlSource:
    """The data of one file and the places of its values and keys. `lent`: what came from other files, by path."""

    file: str = ""
    data: Any = None
    values: dict[Path, Place] = field(default_factory=dict)
    keys: dict[Path, Place] = field(default_factory=dict)
    lent: dict[Path, YamlSource] = field(default_factory=dict)

    def problem(self, path: Path, message: str, *, key: bool = False) -> Problem:
        """Something that is wrong at a path, in whichever file that stands."""
        source = self.lent.get(path[:2], self)
        return Problem(source.file, source.place_of(path, key=key), message)

    def place_of(self, path: Path, *, key: bool = False) -> Place:
        """Where `path` stands; for something that is missing: where the thing stands that should hold it."""
        if key and path in self.keys:
            return self.keys[path]
        while path and path not in self.values:
            path = path[:-1]
        return self.keys.get(path) or self.values.get(path, Place(1, 1))


class _CoreLoader(yaml.SafeLoader):
    yaml_implicit_resolvers = {}  # noqa: RUF012 (the base class keeps its table here, and copies it before a change)


for _tag, _pattern, _first in (
    ("tag:yaml.org,2002:bool", r"^(?:true|false)$", "tf"),
    ("tag:yaml.org,2002:null", r"^(?:null|~|)$", ["n", "~", ""]),
    ("tag:yaml.org,2002:int", r"^[-+]?(?:0|[1-9][0-9]*)$", "-+0123456789"),
    ("tag:yaml.org,2002:float", r"^[-+]?[0-9]+\.[0-9]+$", "-+0123456789"),
):
    _CoreLoader.add_implicit_resolver(_tag, re.compile(_pattern), list(_first))


def read_yaml(text: str, file: str = "") -> YamlSource:
    """Read one document. Raises `YamlRefused`."""
    loader = _CoreLoader(text)
    source = YamlSource(file)
    try:
        node = loader.get_single_node()
        if node is not None:
            source.data = _build(loader, node, (), source)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise YamlRefused(_place(mark), _explain(error)) from None
    except yaml.YAMLError as error:
        raise YamlRefused(Place(1, 1), str(error).splitlines()[0]) from None
    finally:
        loader.dispose()
    return source


def _build(loader: _CoreLoader, node: yaml.Node, path: Path, source: YamlSource) -> Any:
    source.values[path] = _place(node.start_mark)
    if isinstance(node, yaml.MappingNode):
        mapping: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise YamlRefused(_place(key_node.start_mark), "a key must be plain text")
            key = str(key_node.value)
            if key in mapping:
                raise YamlRefused(_place(key_node.start_mark), f'key "{key}" is given twice')
            here = (*path, key)
            source.keys[here] = _place(key_node.start_mark)
            mapping[key] = _build(loader, value_node, here, source)
        return mapping
    if isinstance(node, yaml.SequenceNode):
        return [_build(loader, item, (*path, index), source) for index, item in enumerate(node.value)]
    return loader.construct_object(node)


def _place(mark: Any) -> Place:
    return Place(1, 1) if mark is None else Place(mark.line + 1, mark.column + 1)


def _explain(error: yaml.MarkedYAMLError) -> str:
    problem = error.problem or error.context or "not valid YAML"
    if "undefined alias" in problem:
        return "a value that begins with * must be in quotes"
    if "'\\t'" in problem:
        return "indent with spaces: YAML allows no tabs"
    return problem
