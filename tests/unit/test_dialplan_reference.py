"""docs/dialplan-reference.md names every key of a dialplan with its default and its limits, as the models have them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from annotated_types import Ge, Gt, Le, Lt, MaxLen, MinLen
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from ivr.model import DialplanFile
from ivr.node import Node, SilenceRef, SoundRef
from ivr.rehearsal.case import CaseStep, Expected, Facts
from ivr.verbs import VERBS

DOC = Path(__file__).parents[2] / "docs" / "dialplan-reference.md"
LEAVES: tuple[Any, ...] = (SoundRef, SilenceRef, Node)
"""Parts of a prompt, and the nodes, each of which has a section of its own."""
COMMON = Node.model_fields.keys()
PLACEHOLDERS = {"hours": "NAME", "services": "NAME", "http.save": "NAME"}
FLOW, EVERY = "A file", "Every node"
ROW = re.compile(r"^\| `([a-zA-Z_.]+)` \| ([^|]+) \| ([^|]*) \| ((?:[^|\\]|\\.)+) \|$", re.MULTILINE)
TABLES = {
    part.splitlines()[0].strip("`"): ROW.findall(part)
    for part in re.split(r"^#{2,3} ", DOC.read_text(encoding="utf-8"), flags=re.MULTILINE)
    if ROW.search(part)
}

Row = tuple[str, str, str]
"""Key, default, limits."""


def models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        if not issubclass(annotation, LEAVES):
            yield annotation
    else:
        for one in get_args(annotation):
            yield from models(one)


def is_duration(field: FieldInfo) -> bool:
    return "'5s'" in repr((field.metadata, field.annotation))


def default_of(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True, validated_data={})
    if value is None or value == "" or value in ((), {}):
        return "none"
    return f"`{seconds(value)}`" if is_duration(field) else f"`{json.dumps(value)}`"


def seconds(value: float) -> str:
    return f"{value / 60:g}m" if value and value % 60 == 0 and value < 3600 else f"{value:g}s"


def metadata(field: FieldInfo) -> Iterator[Any]:
    """What limits the value itself, not what it is made of."""
    yield from field.metadata
    for one in get_args(field.annotation) if type(None) in get_args(field.annotation) else ():
        for extra in getattr(one, "__metadata__", ()):
            yield from extra.metadata if isinstance(extra, FieldInfo) else (extra,)


def limits_of(field: FieldInfo) -> str:
    if field.annotation is str:
        return ""  # patterns are told in words
    shown = seconds if is_duration(field) else str
    low, high = "", ""
    for one in metadata(field):
        match one:
            case Ge(ge=value):
                low = shown(value)  # type: ignore[arg-type]
            case Gt(gt=value):
                low = f"above {shown(value)}"  # type: ignore[arg-type]
            case Le(le=value) | Lt(lt=value):
                high = shown(value)  # type: ignore[arg-type]
            case MinLen(min_length=value):
                low = str(value)
            case MaxLen(max_length=value):
                high = str(value)
    if low and high:
        return f"{low}, to {high}" if "above" in low else f"{low} to {high}"
    return f"at least {low}" if low else f"at most {high}" if high else ""


def rows(model: type[BaseModel], before: str = "") -> Iterator[Row]:
    for name, field in model.model_fields.items():
        if issubclass(model, Node) and name in COMMON:
            continue
        key = before + (field.alias or name)
        if not (isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)):
            yield key, default_of(field), limits_of(field)
        inner = f"{key}.{PLACEHOLDERS[key]}." if key in PLACEHOLDERS else f"{key}."
        for one in models(field.annotation):
            yield from rows(one, inner)


def every_row() -> dict[str, list[Row]]:
    common = [(name, default_of(Node.model_fields[name]), limits_of(Node.model_fields[name])) for name in COMMON]
    return {
        FLOW: list(rows(DialplanFile)),
        EVERY: common,
        **{verb: list(rows(node)) for verb, node in VERBS.items()},
    }


@pytest.mark.parametrize(("table", "expected"), every_row().items())
def test_every_key_is_told_with_its_default_and_limits(table: str, expected: list[Row]) -> None:
    assert sorted((key, default, limits) for key, default, limits, _ in TABLES[table]) == sorted(expected)


def test_there_is_no_table_of_something_else() -> None:
    assert TABLES.keys() == every_row().keys()


def test_every_key_of_a_case_is_told() -> None:
    tools = DOC.with_name("dialplan-tools.md").read_text(encoding="utf-8")
    keys = {field.alias or name for model in (Facts, CaseStep, Expected) for name, field in model.model_fields.items()}
    assert {key for key in keys if f"`{key}`" not in tools} == set()
