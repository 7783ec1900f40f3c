"""The cases beside the dialplans of a folder: files `NAME.test.yaml`, read, checked and played.

Decides where in a file a failure stands, and where in the flows' files what no case reaches. A file with a mistake
in it is refused with every error at its place.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from ivr.dialplans import Dialplans
from ivr.errors import DialplanErrors
from ivr.folder import read_folder, read_tests
from ivr.model_errors import explain
from ivr.problems import Problem, Severity, shortened
from ivr.rehearsal.case import Case, CaseFile, Facts
from ivr.rehearsal.coverage import Coverage, CoverageReport, Unreached
from ivr.rehearsal.play import Failure, Played, play
from ivr.yaml_tree import Branch, Loc, read_tree


@dataclass(frozen=True, slots=True)
class CaseResult:
    """A case that was played; `problems` is what is wrong with it, each at its place."""

    file: str
    line: int
    name: str
    problems: tuple[Problem, ...]
    seconds: float
    played: Played

    @property
    def ok(self) -> bool:
        return not self.problems


@dataclass(frozen=True, slots=True)
class Outcome:
    """What playing all cases came to."""

    results: tuple[CaseResult, ...]
    coverage: CoverageReport
    unreached: tuple[Problem, ...]
    """What no case reaches, as findings in the flows' files."""

    @property
    def failed(self) -> int:
        return sum(not result.ok for result in self.results)


@dataclass(frozen=True, slots=True)
class _Source:
    file: str
    tree: Branch
    cases: CaseFile

    def problem(self, path: Loc, message: str) -> Problem:
        return Problem(self.file, *self.tree.place_of(path), shortened(message))


def play_folder(
    folder: Path,
    dialplans: Dialplans,
    wanted: str = "",
    watch: Callable[[CaseResult], None] = lambda _result: None,
) -> Outcome:
    """Play every case of a folder whose name has `wanted` in it. Raises `DialplanErrors` for mistakes in the files."""
    sources, problems = [], []
    for name, data in read_tests(folder).items():
        source, found = read_cases(data, str(folder / name))
        problems += found
        if source is not None:
            sources.append(source)
    if problems:
        raise DialplanErrors(problems)
    coverage, results = Coverage(), []
    for source in sources:
        for name, case in source.cases.cases.items():
            if wanted.casefold() not in name.casefold():
                continue
            result = _play(source, name, case, source.cases.defaults, dialplans)
            coverage.add(result.played.happenings)
            results.append(result)
            watch(result)
    report = coverage.of(dialplans)
    places = _places(folder)
    return Outcome(tuple(results), report, tuple(_unreached(one, places) for one in report.unreached))


def read_cases(data: bytes, file: str) -> tuple[_Source | None, list[Problem]]:
    """The cases of one file, or everything that is wrong with it."""
    tree = read_tree(data, file)
    root, problems = tree.root, list(tree.problems)
    if root is None or problems:
        return None, problems

    def report(
        path: Loc,
        message: str,
        hint: str = "",
        *,
        key: bool = False,
        severity: Severity = Severity.ERROR,
        rule: str = "",
    ) -> None:
        place = root.place_of(path, key=key)
        problems.append(Problem(file, *place, shortened(message), shortened(hint), severity, rule))

    try:
        cases = CaseFile.model_validate(root.plain())
    except ValidationError as error:
        explain(error.errors(include_url=False, include_input=False), report, CaseFile)
        return None, problems
    return _Source(file, root, cases), problems


def _play(source: _Source, name: str, case: Case, defaults: Facts, dialplans: Dialplans) -> CaseResult:
    begun = time.perf_counter()
    played = play(case, defaults, dialplans)
    seconds = time.perf_counter() - begun
    line, _ = source.tree.place_of(("cases", name), key=True)
    return CaseResult(
        source.file, line, name, tuple(_problem(source, name, one) for one in played.failures), seconds, played
    )


def _problem(source: _Source, name: str, failure: Failure) -> Problem:
    return source.problem(("cases", name, *failure.path), f"case {name!r}: {failure.message}")


def _places(folder: Path) -> dict[str, tuple[str, Branch]]:
    """Flow to its file and what stands in it."""
    places: dict[str, tuple[str, Branch]] = {}
    for name, data in read_folder(folder).items():
        root = read_tree(data, name).root
        plain = root.plain() if root is not None else None
        if root is not None and isinstance(plain, dict) and isinstance(plain.get("flow"), str):
            places[plain["flow"]] = (str(folder / name), root)
    return places


def _unreached(one: Unreached, places: Mapping[str, tuple[str, Branch]]) -> Problem:
    what = f"branch {one.label!r} of node {one.node!r}" if one.label else f"node {one.node!r}"
    file, root = places[one.flow]
    place = root.place_of(one.path, key=not one.label)
    return Problem(file, *place, f"no case reaches {what}", severity=Severity.WARNING)
