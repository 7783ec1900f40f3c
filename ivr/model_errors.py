"""What pydantic says against a dialplan, in the admin's words and at the right place.

Decides the wording. It refuses to know files: findings go to a `Report`, which knows where things stand.
"""

from __future__ import annotations

import types
from collections.abc import Collection, Sequence
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, Tag, ValidationError
from pydantic_core import ErrorDetails

from ivr.model import DialplanFile
from ivr.node import Node
from ivr.problems import Report, Severity, did_you_mean
from ivr.verbs import VERBS, verbs_of

Loc = tuple[str | int, ...]


def check_verbs(plain: Any, report: Report) -> None:
    """Exactly one verb a node: said here, because a model of alternatives says it badly."""
    nodes = plain.get("nodes") if isinstance(plain, dict) else None
    for node_id, node in nodes.items() if isinstance(nodes, dict) else ():
        if not isinstance(node, dict):
            report(("nodes", node_id), f"node {node_id!r} must be a mapping with one verb", _verbs(), key=True)
            continue
        verbs = verbs_of(node)
        if len(verbs) > 1:
            report(("nodes", node_id, verbs[1]), f"a second verb in node {node_id!r}", "one node, one verb", key=True)
        elif not verbs:
            close = next((did_you_mean(key, VERBS) for key in node if "mean" in did_you_mean(key, VERBS)), "")
            report(("nodes", node_id), f"node {node_id!r} has no verb", close or _verbs(), key=True)


def explain(errors: Sequence[ErrorDetails], report: Report, model: type[BaseModel] = DialplanFile) -> None:
    """Word every finding of pydantic about a file of this model."""
    above = {details["loc"][:depth] for details in errors for depth in range(len(details["loc"]))}
    for details in errors:
        loc = details["loc"]
        # pydantic counts only good items: a list of bad ones is not empty, and each of them has its own finding.
        if details["type"] != "too_short" or loc not in above:
            _explain(details, report, model)


def repair(plain: Any, errors: Sequence[ErrorDetails]) -> DialplanFile | None:
    """The dialplan with harmless stand-ins for the nodes that are wrong, so that the others can be judged as well.

    None when what is wrong is not within nodes, or when judging the rest would find what is not there.
    """
    bad = {details["loc"][1] for details in errors if len(details["loc"]) > 1 and details["loc"][0] == "nodes"}
    if any(details["loc"][0:1] != ("nodes",) or "[key]" in details["loc"][:3] for details in errors) or not bad:
        return None
    if any(VERBS[verb].sets is not Node.sets for node in bad for verb in verbs_of(plain["nodes"][node])):
        return None  # its variables would seem unknown
    nodes = {node_id: {"hangup": None} if node_id in bad else node for node_id, node in plain["nodes"].items()}
    try:
        return DialplanFile.model_validate(plain | {"nodes": nodes})
    except ValidationError:
        return None


def errors_only(report: Report) -> Report:
    """Beside a stand-in nothing can be said about who leads where."""

    def passed_on(
        path: Loc,
        message: str,
        hint: str = "",
        *,
        key: bool = False,
        severity: Severity = Severity.ERROR,
        rule: str = "",
    ) -> None:
        if severity is Severity.ERROR:
            report(path, message, hint, key=key, rule=rule)

    return passed_on


def _explain(details: ErrorDetails, report: Report, model: type[BaseModel]) -> None:
    loc, kind, context = details["loc"], details["type"], details.get("ctx", {})
    last = next((part for part in reversed(loc) if isinstance(part, str) and not part.startswith("<")), "")
    if last == "[key]":  # pydantic's name for "the key itself is wrong"
        report(loc[: loc.index("[key]")], details["msg"], key=True)
        return
    match kind:
        case "union_tag_not_found":
            return  # said by _check_verbs
        case "extra_forbidden":
            if last in VERBS and len(loc) == 4:
                return  # a second verb, said by _check_verbs
            key = str(loc[-1])
            report(loc, f"unknown key {key!r}", did_you_mean(key, _keys_at(loc[:-1], model)), key=True)
        case "missing":
            report(loc[:-1], f"{_owner(loc)} needs {last!r}", key=True)
        case "string_type":
            report(loc, f"{last!r} must be a text")
        case "dict_type" | "model_type" | "model_attributes_type":
            report(loc, f"{last!r} must be a mapping" if last else "a dialplan is a mapping, beginning with 'flow:'")
        case "list_type" | "tuple_type":
            report(loc, f"{last!r} must be a list", "for example [one, two]")
        case "too_short":
            report(loc, f"{last!r} is empty", key=True)
        case "bool_parsing" | "bool_type":
            report(loc, f"{last!r} must be true or false")
        case "int_parsing" | "int_type" | "int_from_float":
            report(loc, f"{last!r} must be a whole number")
        case "literal_error":
            report(loc, f"{last!r} must be one of {context.get('expected')}")
        case "greater_than_equal":
            report(loc, f"{last!r} must be at least {_number(context['ge'])}")
        case "less_than_equal":
            report(loc, f"{last!r} must be at most {_number(context['le'])}")
        case _:
            report(loc, f"{last!r}: {details['msg']}")


def _owner(loc: Loc) -> str:
    if len(loc) > 2 and loc[0] == "nodes":
        return f"node {loc[1]!r}"
    return "the dialplan"


def _number(limit: Any) -> str:
    return f"{limit:g}" if isinstance(limit, float) else str(limit)


def _verbs() -> str:
    return "such as say, menu, ask, if, to_queue or hangup"


def _keys_at(loc: Loc, model: type[BaseModel]) -> Collection[str]:
    """The keys that the model knows at a place, found by following the annotations."""
    kind: Any = model
    for part in loc:
        kind = _inside(kind, part)
    models = [one for one in _alternatives(kind) if isinstance(one, type) and issubclass(one, BaseModel)]
    return {field.alias or key for model in models for key, field in model.model_fields.items()}


def _inside(kind: Any, part: str | int) -> Any:
    for one in _alternatives(kind, str(part)):
        if isinstance(one, type) and issubclass(one, BaseModel) and part in one.model_fields:
            return one.model_fields[str(part)].annotation
        if get_origin(one) is dict:
            return get_args(one)[1]
        if get_origin(one) is tuple and isinstance(part, int):
            return get_args(one)[0]
        if isinstance(part, str) and part.startswith("<"):
            return one
    return None


def _alternatives(kind: Any, tag: str = "") -> list[Any]:
    """A type without its annotations; a union as its members, or the one member that bears the tag."""
    if get_origin(kind) is Annotated:
        inner, *marks = get_args(kind)
        tags = [mark.tag for mark in marks if isinstance(mark, Tag)]
        return [] if tag.startswith("<") and tags and tag not in tags else _alternatives(inner, tag)
    if get_origin(kind) in {Union, types.UnionType}:
        return [one for member in get_args(kind) for one in _alternatives(member, tag)]
    return [kind]
