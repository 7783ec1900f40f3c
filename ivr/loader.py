"""From a folder of YAML files to `Dialplans`, or to every single thing that is wrong with them.

Decides which files are dialplans, and words what pydantic found in the admin's language, at its line and column. A
folder is taken over whole or not at all.
"""

from __future__ import annotations

import types
from collections.abc import Collection
from pathlib import Path
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, Tag, ValidationError
from pydantic_core import ErrorDetails

from ivr.checks import compile_flow
from ivr.dialplans import Dialplans, short_hash
from ivr.errors import DialplanErrors
from ivr.flow import Flow
from ivr.model import DialplanFile
from ivr.problems import Problem, Severity, did_you_mean
from ivr.verbs import VERBS, verbs_of
from ivr.yaml_tree import MAX_BYTES, Branch, Loc, read_tree

SUFFIXES = {".yaml", ".yml"}
MAX_FILES = 500


def load_folder(path: Path, queues: Collection[str] | None = None) -> Dialplans:
    """Every dialplan in a folder. `queues` are those that exist, None when that is unknown. Raises `DialplanErrors`."""
    try:
        files = sorted(
            file for file in path.iterdir() if file.suffix in SUFFIXES and file.name[0] not in "._" and file.is_file()
        )
    except OSError as error:
        raise DialplanErrors([Problem(str(path), 1, 1, f"the folder cannot be read: {error.strerror}")]) from None
    if not files:
        raise DialplanErrors([Problem(str(path), 1, 1, "there is no dialplan in this folder", "a file NAME.yaml")])
    if len(files) > MAX_FILES:
        raise DialplanErrors([Problem(str(path), 1, 1, f"more than {MAX_FILES} dialplans in one folder")])
    problems: list[Problem] = []
    flows: list[Flow] = []
    numbers: dict[str, str] = {}
    names: dict[str, str] = {}
    for file in files:
        flow, branch, found = _load_file(file, queues)
        problems += found
        if flow is None or branch is None:
            continue
        flows.append(flow)
        if flow.name in names:
            place = branch.place_of(("flow",))
            problems.append(Problem(str(file), *place, f"flow {flow.name!r} is also in {names[flow.name]}"))
        names.setdefault(flow.name, file.name)
        for index, number in enumerate(flow.numbers):
            if number in numbers:
                place = branch.place_of(("numbers", index))
                problems.append(
                    Problem(str(file), *place, f"number {number!r} is already answered by {numbers[number]}")
                )
            numbers.setdefault(number, file.name)
    if any(problem.severity is Severity.ERROR for problem in problems):
        raise DialplanErrors(problems)
    return Dialplans(flows, problems)


def load_text(data: bytes, file: str, queues: Collection[str] | None = None) -> tuple[Flow | None, list[Problem]]:
    """One dialplan and everything that is said about it. The flow is None when anything of it is wrong."""
    flow, _, problems = _load(data, file, queues)
    return flow, problems


def _load_file(file: Path, queues: Collection[str] | None) -> tuple[Flow | None, Branch | None, list[Problem]]:
    try:
        with file.open("rb") as opened:
            data = opened.read(MAX_BYTES + 1)
    except OSError as error:
        return None, None, [Problem(str(file), 1, 1, f"the file cannot be read: {error.strerror}")]
    return _load(data, str(file), queues)


def _load(data: bytes, file: str, queues: Collection[str] | None) -> tuple[Flow | None, Branch | None, list[Problem]]:
    branch, problems = read_tree(data, file)
    if branch is None or problems:
        # What YAML itself says against a file makes everything after it guesswork.
        return None, branch, problems

    def report(
        path: Loc, message: str, hint: str = "", *, key: bool = False, severity: Severity = Severity.ERROR
    ) -> None:
        assert branch is not None
        problems.append(Problem(file, *branch.place_of(path, key=key), message, hint, severity))

    plain = branch.plain()
    _check_verbs(plain, report)
    try:
        model = DialplanFile.model_validate(plain)
    except ValidationError as error:
        for details in error.errors(include_url=False, include_input=False):
            _explain(details, report)
        return None, branch, problems
    flow = compile_flow(model, short_hash(data), queues, report)
    failed = any(problem.severity is Severity.ERROR for problem in problems)
    return None if failed else flow, branch, problems


def _check_verbs(plain: Any, report: Any) -> None:
    """Exactly one verb a node: said here, because a model of alternatives says it badly."""
    nodes = plain.get("nodes") if isinstance(plain, dict) else None
    for node_id, node in nodes.items() if isinstance(nodes, dict) else ():
        if not isinstance(node, dict):
            report(
                ("nodes", node_id), f"node {node_id!r} must be a mapping with one verb", f"one of {_verbs()}", key=True
            )
            continue
        verbs = verbs_of(node)
        if len(verbs) > 1:
            report(("nodes", node_id, verbs[1]), f"a second verb in node {node_id!r}", "one node, one verb", key=True)
        elif not verbs:
            close = next((did_you_mean(key, VERBS) for key in node if "mean" in did_you_mean(key, VERBS)), "")
            report(("nodes", node_id), f"node {node_id!r} has no verb", close or f"one of {_verbs()}", key=True)


def _explain(details: ErrorDetails, report: Any) -> None:
    loc, kind, context = details["loc"], details["type"], details.get("ctx", {})
    last = next((part for part in reversed(loc) if not str(part).startswith("<")), "")
    if last == "[key]":  # pydantic's name for "the key itself is wrong"
        report(loc[: loc.index("[key]")], details["msg"], key=True)
        return
    match kind:
        case "union_tag_not_found":
            return  # said by _check_verbs
        case "extra_forbidden":
            if last in VERBS and len(loc) == 4:
                return  # a second verb, said by _check_verbs
            report(loc, f"unknown key {last!r}", did_you_mean(str(last), _keys_at(loc[:-1])), key=True)
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
    return ", ".join(VERBS)


def _keys_at(loc: Loc) -> Collection[str]:
    """The keys that the model knows at a place, found by following the annotations."""
    kind: Any = DialplanFile
    for part in loc:
        kind = _inside(kind, part)
    models = [one for one in _alternatives(kind) if isinstance(one, type) and issubclass(one, BaseModel)]
    return {key for model in models for key in model.model_fields}


def _inside(kind: Any, part: str | int) -> Any:
    for one in _alternatives(kind, str(part)):
        if isinstance(one, type) and issubclass(one, BaseModel) and part in one.model_fields:
            return one.model_fields[str(part)].annotation
        if get_origin(one) is dict:
            return get_args(one)[1]
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
