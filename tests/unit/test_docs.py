"""What the documents claim about the program, as far as a program can check it."""

from __future__ import annotations

import ast
import json
import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin

import pytest
import typer
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from typer.main import get_command

from cordboard.cli import app
from cordboard.config import Config

ROOT = Path(__file__).parents[2]
PACKAGES = ("pbx", "ivr", "acd", "cordboard")
TOP = ("README.md", "ARCHITECTURE.md", "CHANGELOG.md")
DOCS = [*(ROOT / name for name in TOP), *sorted((ROOT / "docs").rglob("*.md"))]
PLACEHOLDERS = {"queues": "NAME", "agents": "NUMBER"}
CODE = re.compile(r"^```[^\n]*\n(.*?)^```|`([^`\n]+)`", re.MULTILINE | re.DOTALL)
KINDS = (
    "call|customer|flow|http|node|prompt|key|menu|command|queue|offer|recording|talk|agent|link|ask|dialplan|switch"
    "|survey"
)
EVENT = re.compile(rf"(?:{KINDS})\.[a-z_]+")


def names(path: Path) -> str:
    return str(path.relative_to(ROOT))


def code_in(path: Path) -> list[str]:
    """What stands in backticks or in a fenced block."""
    return [block or inline for block, inline in CODE.findall(path.read_text(encoding="utf-8"))]


# The configuration


def sections(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    elif get_origin(annotation) in {dict, list, Union, UnionType}:
        for one in get_args(annotation):
            yield from sections(one)


def default_of(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True, validated_data={})
    return "none" if value is None else f"`{json.dumps(value, default=str)}`"


def keys_of(section: type[BaseModel], before: str = "") -> Iterator[tuple[str, str]]:
    """Every key that a person can write, and its default. A section that is always there has no row of its own."""
    for name, field in section.model_fields.items():
        key = f"{before}{name}"
        inner = list(sections(field.annotation))
        always = bool(inner) and isinstance(field.annotation, type)
        if not always:
            yield key, default_of(field)
        for one in inner:
            entry = f"{key}.{PLACEHOLDERS[name]}." if name in PLACEHOLDERS else f"{key}."
            yield from keys_of(one, entry)


def test_every_key_of_the_configuration_is_documented_with_its_default() -> None:
    text = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([a-z][a-z_A-Z.]*)` \| ([^|]+) \|", text, flags=re.MULTILINE)
    assert dict(rows) == dict(keys_of(Config))
    assert len(rows) == len(dict(rows)), "a key has two rows"


# Commands


COMMAND = re.compile(r"(?:^|[\s:])(?:\.venv/bin/)?cordboard ([a-z][^\n|;&)]*)", re.MULTILINE)


def commands() -> list[tuple[str, str]]:
    return [(names(doc), found) for doc in DOCS for code in code_in(doc) for found in COMMAND.findall(code)]


@pytest.mark.parametrize(("doc", "line"), commands())
def test_commands_in_the_documents_exist(doc: str, line: str) -> None:
    command: Any = get_command(app)
    for word in shlex.split(line, comments=True):
        if isinstance(getattr(command, "commands", None), dict):
            assert word in command.commands, f"{doc}: no command {word!r} in `cordboard {line}`"
            command = command.commands[word]
        elif word.startswith("-"):
            options = {option for parameter in command.params for option in parameter.opts} | {"--help"}
            assert word in options, f"{doc}: no option {word!r} in `cordboard {line}`"


def test_make_targets_in_the_documents_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    told = {word for doc in DOCS for code in code_in(doc) for word in re.findall(r"^make ([a-z]+)", code, re.MULTILINE)}
    assert told <= targets


def test_there_are_commands_to_check() -> None:
    assert isinstance(app, typer.Typer)
    assert len(commands()) > 10


# Files and what is in them


FILE = re.compile(
    r"(?<![\w/])(?:pbx|ivr|acd|cordboard|asterisk|dialplans|tests|bench|docs)/[\w./-]+\.(?:py|j2|md|yaml|toml)"
)


@pytest.mark.parametrize("doc", DOCS, ids=names)
def test_files_named_in_the_documents_exist(doc: Path) -> None:
    text = doc.read_text(encoding="utf-8")
    examples = {f"dialplans/{name}" for name in re.findall(r"^# ([\w/.-]+\.yaml)$", text, flags=re.MULTILINE)}
    named = set(FILE.findall(" ".join(code_in(doc)))) - examples
    missing = {name for name in named if not (ROOT / name).exists()}
    links = {link for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text) if not (doc.parent / link).exists()}
    assert not missing
    assert not links


@cache
def defined_in(name: str) -> frozenset[str]:
    """`Class`, `Class.method` and `function` of a file."""
    found: set[str] = set()
    for node in ast.parse((ROOT / name).read_text(encoding="utf-8")).body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            found.add(node.name)
        if isinstance(node, ast.ClassDef):
            inner = (ast.FunctionDef, ast.AsyncFunctionDef)
            found |= {f"{node.name}.{one.name}" for one in node.body if isinstance(one, inner)}
    return frozenset(found)


@pytest.mark.parametrize("doc", DOCS, ids=names)
def test_functions_named_in_the_documents_exist(doc: Path) -> None:
    for file, name in re.findall(r"`([\w/]+\.py)::([\w.]+)`", doc.read_text(encoding="utf-8")):
        assert name in defined_in(file), f"{names(doc)}: {file} has no {name}"


def test_the_architecture_names_every_module() -> None:
    told = set(code_in(ROOT / "ARCHITECTURE.md"))
    modules = {names(path) for package in PACKAGES for path in (ROOT / package).rglob("*.py")}
    wanted = {name for name in modules if not name.endswith("__init__.py") and "/migrations/" not in name}
    assert not {name for name in wanted if name not in told}, "tell their role in ARCHITECTURE.md"


def test_the_architecture_names_every_event() -> None:
    told = set(EVENT.findall((ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")))
    noted: set[str] = set()
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Constant) and isinstance(node.value, str) and EVENT.fullmatch(node.value):
                    noted.add(node.value)
    assert noted - told == set()
