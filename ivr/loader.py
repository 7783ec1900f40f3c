"""From a folder of YAML files to `Dialplans`, or to every single thing that is wrong with them.

Decides which files are dialplans, and in which order a file is judged: as YAML (`yaml_tree`), value by value (`model`),
as a whole (`checks`). A folder is taken over whole or not at all.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ivr.checks import Known, Report, compile_flow
from ivr.dialplans import Dialplans, short_hash
from ivr.errors import DialplanErrors
from ivr.flow import Flow
from ivr.model import DialplanFile
from ivr.model_errors import check_verbs, errors_only, explain, repair
from ivr.problems import MAX_PROBLEMS, Problem, Severity
from ivr.yaml_tree import MAX_BYTES, Branch, Loc, read_tree

SUFFIXES = {".yaml", ".yml"}
MAX_FILES = 500


class _TooMany(Exception):
    """Enough was found."""


def load_folder(
    path: Path, queues: Collection[str] | None = None, agents: Mapping[str, Mapping[str, int]] | None = None
) -> Dialplans:
    """Every dialplan in a folder. `queues` and `agents` (with their skills) are those that exist, None when that is
    unknown. Raises `DialplanErrors`."""
    known = Known(queues, agents)
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
        flow, branch, found = _load_file(file, known)
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


def load_text(
    data: bytes,
    file: str,
    queues: Collection[str] | None = None,
    agents: Mapping[str, Mapping[str, int]] | None = None,
) -> tuple[Flow | None, list[Problem]]:
    """One dialplan and everything that is said about it. The flow is None when anything of it is wrong."""
    flow, _, problems = _load(data, file, Known(queues, agents))
    return flow, problems


def _load_file(file: Path, known: Known) -> tuple[Flow | None, Branch | None, list[Problem]]:
    try:
        with file.open("rb") as opened:
            data = opened.read(MAX_BYTES + 1)
    except OSError as error:
        return None, None, [Problem(str(file), 1, 1, f"the file cannot be read: {error.strerror}")]
    return _load(data, str(file), known)


def _load(data: bytes, file: str, known: Known) -> tuple[Flow | None, Branch | None, list[Problem]]:
    branch, problems = read_tree(data, file)
    if branch is None or problems:
        # What YAML itself says against a file makes everything after it guesswork.
        return None, branch, problems

    def report(
        path: Loc, message: str, hint: str = "", *, key: bool = False, severity: Severity = Severity.ERROR
    ) -> None:
        assert branch is not None
        problems.append(Problem(file, *branch.place_of(path, key=key), message, hint, severity))
        if len(problems) >= MAX_PROBLEMS:
            problems.append(Problem(file, *branch.place_of(path), "too many findings to go on"))
            raise _TooMany

    try:
        flow = _judge(branch.plain(), short_hash(data), known, report)
    except _TooMany:
        flow = None
    failed = flow is None or any(problem.severity is Severity.ERROR for problem in problems)
    return None if failed else flow, branch, problems


def _judge(plain: Any, version: str, known: Known, report: Report) -> Flow | None:
    check_verbs(plain, report)
    try:
        model = DialplanFile.model_validate(plain)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        explain(found, report)
        repaired = repair(plain, found)
        if repaired is not None:
            compile_flow(repaired, version, known, errors_only(report))
        return None
    return compile_flow(model, version, known, report)
