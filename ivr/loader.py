"""From files of YAML to `Dialplans`, or to every single thing that is wrong with them.

Decides in which order files are judged: each as YAML (`yaml_tree`), all together by what they are and take in
(`sources`), each value by value (`model`), and at last every flow as a whole, when all the others are known (`checks`).
A set is taken over whole or not at all.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import ValidationError

from ivr.checks import compile_flow
from ivr.dialplans import Dialplans, short_hash
from ivr.errors import DialplanErrors
from ivr.flow import Flow
from ivr.folder import read_folder
from ivr.known import Known, Reach, Sounds
from ivr.lint.subject import Folder
from ivr.model import DialplanFile, PartFile
from ivr.model_errors import check_verbs, errors_only, explain, repair
from ivr.node import Node
from ivr.problems import MAX_PROBLEMS, Problem, Severity, shortened
from ivr.sources import Includes, Lenders, Source, merge, source_of
from ivr.yaml_tree import Loc, read_tree

MAX_VALUES = 1_000_000
"""In all files of a set, those that several flows include counted for each."""


def load_folder(
    path: Path,
    queues: Collection[str] | None = None,
    agents: Mapping[str, Mapping[str, int]] | None = None,
    sounds: Sounds | None = None,
    prefixes: Collection[str] | None = None,
    reach: Reach | None = None,
) -> Dialplans:
    """Every dialplan in a folder. `queues`, `agents` (with their skills) and `sounds` are those that exist, `prefixes`
    how numbers begin that may be dialled, `reach` which other systems may be asked; None when that is unknown. Raises
    `DialplanErrors`."""
    return load_files(read_folder(path), queues, agents, sounds, prefixes, reach, folder=str(path))


def load_files(
    files: Mapping[str, bytes],
    queues: Collection[str] | None = None,
    agents: Mapping[str, Mapping[str, int]] | None = None,
    sounds: Sounds | None = None,
    prefixes: Collection[str] | None = None,
    reach: Reach | None = None,
    *,
    folder: str = "",
) -> Dialplans:
    """The same from contents by name; names are paths relative to the folder, with `/`. Raises `DialplanErrors`."""
    flows, problems = judge_files(files, Known(queues, agents, sounds, prefixes, reach=reach), folder=folder)
    if any(problem.severity is Severity.ERROR for problem in problems):
        raise DialplanErrors(problems)
    return Dialplans(flows, problems)


def judge_files(
    files: Mapping[str, bytes], known: Known, *, folder: str = "", advice: bool = False
) -> tuple[list[Flow], list[Problem]]:
    """The flows without an error, and everything that is said about all of them. `advice`: warnings of all kinds."""
    flows, problems = _load(files, known, f"{folder}/" if folder else "", advice=advice)
    if not flows and not any(problem.severity is Severity.ERROR for problem in problems):
        problems = [Problem(folder or ".", 1, 1, "there is no dialplan in this folder", "a file NAME.yaml"), *problems]
    return flows, problems


def load_text(
    data: bytes,
    file: str,
    queues: Collection[str] | None = None,
    agents: Mapping[str, Mapping[str, int]] | None = None,
    prefixes: Collection[str] | None = None,
) -> tuple[Flow | None, list[Problem]]:
    """One dialplan alone and everything that is said about it. The flow is None when anything of it is wrong."""
    flows, problems = _load({file: data}, Known(queues, agents, prefixes=prefixes), "", advice=False)
    if any(problem.severity is Severity.ERROR for problem in problems):
        return None, problems
    if not flows:
        return None, [*problems, Problem(file, 1, 1, "there is no flow in this file")]
    return flows[0], problems


class _TooMany(Exception):
    """Enough was found."""


class _Reporter:
    """Knows in which file, and where in it, everything stands that a flow is made of. Satisfies `Report`."""

    def __init__(self, source: Source, lenders: Lenders | None = None) -> None:
        self.problems: list[Problem] = []
        self._source = source
        self._lenders = lenders or {}
        self._warned = 0

    def __call__(
        self,
        path: Loc,
        message: str,
        hint: str = "",
        *,
        key: bool = False,
        severity: Severity = Severity.ERROR,
        rule: str = "",
    ) -> None:
        source = self._lenders.get((str(path[0]), str(path[1])), self._source) if len(path) > 1 else self._source
        found = source.problem(path, shortened(message), shortened(hint), key=key, severity=severity)
        if severity is Severity.WARNING:
            self._warned += 1
            if self._warned > MAX_PROBLEMS:
                return  # a flow that works is not refused for them
        self.problems.append(replace(found, rule=rule))
        if len(self.problems) - min(self._warned, MAX_PROBLEMS) >= MAX_PROBLEMS:
            self.problems.append(source.problem(path, "too many findings to go on"))
            raise _TooMany

    @property
    def failed(self) -> bool:
        return any(problem.severity is Severity.ERROR for problem in self.problems)


@dataclass(slots=True)
class _Judged:
    """A flow's file after the first pass: its model when every value is right, else perhaps one with stand-ins."""

    source: Source
    version: str
    report: _Reporter
    model: DialplanFile | None = None
    repaired: DialplanFile | None = None
    own_version: str = ""

    def __post_init__(self) -> None:
        self.own_version = self.version

    def model_nodes(self) -> Iterable[Node]:
        return self.model.nodes.values() if self.model is not None else ()


def _load(files: Mapping[str, bytes], known: Known, folder: str, *, advice: bool) -> tuple[list[Flow], list[Problem]]:
    sources = _read(files, folder)
    includes = Includes(sources)
    problems = [problem for source in sources.values() for problem in source.problems] + includes.problems
    parts = {source.name: source for source in sources.values() if source.is_part}
    reports = {name: _judge_part(part) for name, part in parts.items()}
    problems += [problem for report in reports.values() for problem in report.problems]
    judged: list[_Judged] = []
    left = MAX_VALUES
    for name, source in sources.items():
        if name in parts or source.broken:
            continue
        taken = includes.parts(name)
        left -= source.values + sum(part.values for part in taken)
        if left < 0:
            problems.append(source.problem((), f"more than {MAX_VALUES} values in these flows and what they include"))
            break
        whole = includes.sound(name) and not any(part.broken or reports[part.name].failed for part in taken)
        judged.append(_first_pass(source, taken, whole=whole))
    others = Folder(
        {
            str(one.source.plain["flow"]): one.model or one.repaired
            for one in judged
            if isinstance(one.source.plain, dict) and "flow" in one.source.plain
        }
    )
    for one in judged:
        one.version = _whole_version(one, judged)
    compiled = [flow for one in judged if (flow := _second_pass(one, known, others, advice=advice)) is not None]
    flows = linked(compiled)
    problems += [problem for one in judged for problem in one.report.problems]
    problems += _collisions([one for one in judged if one.model is not None])
    return flows, list(dict.fromkeys(problems))


def _read(files: Mapping[str, bytes], folder: str) -> dict[str, Source]:
    sources: dict[str, Source] = {}
    left = MAX_VALUES
    for name in sorted(files):
        tree = read_tree(files[name], folder + name, left)
        left -= tree.values
        sources[name] = source_of(name, folder + name, files[name], tree)
    return sources


def _judge_part(part: Source) -> _Reporter:
    report = _Reporter(part)
    if not part.broken:
        with suppress(_TooMany):
            try:
                PartFile.model_validate(part.plain)
            except ValidationError as error:
                explain(error.errors(include_url=False, include_input=False), report, PartFile)
    return report


def _first_pass(source: Source, parts: tuple[Source, ...], *, whole: bool) -> _Judged:
    """Value by value. When it is not whole, there is no model: what it misses would be found missing."""
    plain, lenders = merge(source, parts if whole else ())
    judged = _Judged(source, _version(source, parts), _Reporter(source, lenders))
    with suppress(_TooMany):
        check_verbs(plain, judged.report)
        try:
            model = DialplanFile.model_validate(plain)
        except ValidationError as error:
            found = error.errors(include_url=False, include_input=False)
            explain(found, judged.report)
            judged.repaired = repair(plain, found) if whole else None
        else:
            judged.model = model if whole else None
    return judged


def _second_pass(
    judged: _Judged, known: Known, others: Mapping[str, DialplanFile | None], *, advice: bool
) -> Flow | None:
    """As a whole. None when anything is wrong."""
    flow: Flow | None = None
    with suppress(_TooMany):
        if judged.model is not None:
            flow = compile_flow(judged.model, judged.version, known, judged.report, others, advice=advice)
        elif judged.repaired is not None:
            compile_flow(judged.repaired, judged.version, known, errors_only(judged.report), others)
    return None if judged.report.failed else flow


def _version(source: Source, parts: Iterable[Source]) -> str:
    """A hash of all that a flow is made of."""
    contents = sorted(part.content for part in parts)
    return short_hash(" ".join([source.content, *contents]).encode()) if contents else source.content


def _whole_version(judged: _Judged, all_of_them: Iterable[_Judged]) -> str:
    """The same, and of every other flow that it leads into."""
    by_name = {one.model.flow: one for one in all_of_them if one.model is not None}
    if judged.model is None:
        return judged.version
    reached = {judged.model.flow}
    new = set(reached)
    while new:
        into = {name for flow in new for node in by_name[flow].model_nodes() for _, name in node.flows()}
        new = (into & by_name.keys()) - reached
        reached |= new
    contents = sorted(by_name[name].own_version for name in reached - {judged.model.flow})
    return short_hash(" ".join([judged.own_version, *contents]).encode()) if contents else judged.own_version


def linked(flows: Iterable[Flow]) -> list[Flow]:
    """Every flow with those that it leads into, directly or through others."""
    by_name = {flow.name: flow for flow in flows}
    into = {
        name: {other for node in flow.nodes.values() for _, other in node.flows() if other in by_name}
        for name, flow in by_name.items()
    }
    found: list[Flow] = []
    for name, flow in by_name.items():
        reached, new = set[str](), into[name]
        while new:
            reached |= new
            new = {other for one in new for other in into[one]} - reached
        subs = {other: by_name[other] for other in sorted(reached - {name})}
        found.append(replace(flow, subs=subs) if subs else flow)
    return found


def _collisions(judged: Iterable[_Judged]) -> Iterator[Problem]:
    """Two flows of one name, or that answer one number."""
    numbers: dict[str, str] = {}
    names: dict[str, str] = {}
    for one in judged:
        source, model = one.source, one.model
        assert model is not None
        if model.flow in names:
            yield source.problem(("flow",), f"flow {model.flow!r} is also in {names[model.flow]}")
        names.setdefault(model.flow, source.name)
        for index, number in enumerate(model.numbers):
            if number in numbers:
                text = f"number {number!r} is already answered by {numbers[number]}"
                yield source.problem(("numbers", index), text)
            numbers.setdefault(number, source.name)
