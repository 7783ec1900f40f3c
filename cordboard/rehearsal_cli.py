"""`cordboard dialplan simulate` and `cordboard dialplan test`: calls without a telephone, at the command line."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Annotated

import typer
from pydantic import TypeAdapter, ValidationError

from cordboard.cli_tools import DEFAULT_CONFIG, ConfigFile, config_of, reject
from cordboard.site import skills_of
from ivr.dialplans import Dialplans
from ivr.errors import DialplanErrors
from ivr.flow import Flow
from ivr.inputs import CallFacts
from ivr.loader import load_folder
from ivr.node import Node
from ivr.problems import Problem, did_you_mean
from ivr.rehearsal.answers import Written, WrittenAnswers
from ivr.rehearsal.case import DEFAULT_CALLER
from ivr.rehearsal.case_files import CaseResult, Outcome, play_folder
from ivr.rehearsal.moment import moment
from ivr.rehearsal.rehearsal import GoesRound, Rehearsal
from ivr.yaml_tree import read_tree

rehearsal_app = typer.Typer()


@rehearsal_app.command("simulate")
def simulate(
    number: Annotated[str, typer.Argument(help="the number that is called; default: the only one")] = "",
    caller: Annotated[str, typer.Option("--from", help="the caller's number")] = DEFAULT_CALLER,
    name: Annotated[str, typer.Option(help="the caller's name")] = "",
    at: Annotated[str, typer.Option(help='when: "2026-12-24 17:59 America/Bogota"; default: now')] = "",
    lookups: Annotated[Path | None, typer.Option(help="YAML: node to what it is answered from outside")] = None,
    switch: Annotated[list[str] | None, typer.Option(help="a switch that is on; may be given several times")] = None,
    step: Annotated[bool, typer.Option("--step", help="stop at every prompt, so that a key can cut it short")] = False,
    folder: Annotated[Path | None, typer.Option(help="of the dialplans; default: the configured one")] = None,
    config: ConfigFile = DEFAULT_CONFIG,
) -> None:
    """Be a caller in the terminal: hear what a flow says as text, and type keys. No PBX, and time passes at once."""
    from cordboard.text_caller import TextCaller

    dialplans, _ = _dialplans(folder, config)
    if not number and len(dialplans.numbers) == 1:
        number = dialplans.numbers[0]
    flow = dialplans.flow_for(number)
    if flow is None:
        reject(f"no flow answers {number}; {did_you_mean(number, dialplans.numbers)}" if number else
                f"which number? There are: {', '.join(dialplans.numbers)}")  # fmt: skip
    try:
        begins = moment(at) if at else time.time()
    except ValueError as error:
        reject(str(error))
    _known(
        "switch that a flow looks at", switch or (), {name for _, node in _nodes(flow) for _, name in node.switches()}
    )
    written = _lookups(lookups) if lookups is not None else {}
    _known("node", written, {word for place, _ in _nodes(flow) for word in (place, place.partition("/")[2])})
    answers = WrittenAnswers(written, {one.name: one for one in flow.family()})
    call = Rehearsal(flow, CallFacts(caller, name, number, "rehearsal"), begins, switch or (), answers)
    try:
        TextCaller(call, _read_line, typer.echo, stepwise=step).run()
    except GoesRound:
        reject(f"the flow goes round at node {call.position.node!r} without asking the caller anything")


@rehearsal_app.command("test")
def play_cases(
    folder: Annotated[Path | None, typer.Argument(help="default: the configured one")] = None,
    only: Annotated[str, typer.Option(help="cases whose name has this in it; coverage is not told then")] = "",
    min_coverage: Annotated[float, typer.Option(min=0, max=100, help="fail below so many percent")] = 0.0,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON document instead of text")] = False,
    config: ConfigFile = DEFAULT_CONFIG,
) -> None:
    """Play the cases beside the dialplans (NAME.test.yaml), and tell what none of them reaches."""
    dialplans, where = _dialplans(folder, config)
    try:
        outcome = play_folder(where, dialplans, only)
    except DialplanErrors as errors:
        reject("\n".join(map(str, errors.problems)))
    if not outcome.results:
        reject(f"{where}: there is no case{f' with {only!r} in its name' if only else ''} (a file NAME.test.yaml)")
    too_low = not only and outcome.coverage.percent < min_coverage
    if as_json:
        typer.echo(json.dumps(_as_json(outcome), indent=2, ensure_ascii=False))
    else:
        _tell(outcome, coverage=not only)
        if too_low:
            typer.echo(f"coverage {outcome.coverage.percent:.1f} %, and {min_coverage:g} % are asked for", err=True)
    raise typer.Exit(1 if outcome.failed or too_low else 0)


def _tell(outcome: Outcome, *, coverage: bool) -> None:
    for result in outcome.results:
        for problem in result.problems:
            typer.echo(str(problem))
    if coverage:
        for problem in outcome.unreached:
            typer.echo(str(problem))
    seconds = sum(result.seconds for result in outcome.results)
    typer.echo(f"{len(outcome.results)} case(s), {outcome.failed} failed, {seconds * 1000:.0f} ms")
    if coverage:
        report = outcome.coverage
        typer.echo(
            f"coverage {report.percent:.1f} %: {report.reached_nodes} of {report.nodes} nodes, "
            f"{report.reached_branches} of {report.branches} branches"
        )


def _as_json(outcome: Outcome) -> dict[str, object]:
    report = outcome.coverage
    return {
        "ok": not outcome.failed,
        "cases": [_case_json(result) for result in outcome.results],
        "coverage": {
            "percent": round(report.percent, 1),
            "nodes": {"all": report.nodes, "reached": report.reached_nodes},
            "branches": {"all": report.branches, "reached": report.reached_branches},
            "unreached": [_problem_json(problem) for problem in outcome.unreached],
        },
    }


def _case_json(result: CaseResult) -> dict[str, object]:
    return {
        "name": result.name,
        "file": result.file,
        "line": result.line,
        "ok": result.ok,
        "ms": round(result.seconds * 1000, 2),
        "failures": [_problem_json(problem) for problem in result.problems],
    }


def _problem_json(problem: Problem) -> dict[str, object]:
    return {"file": problem.file, "line": problem.line, "column": problem.column, "message": problem.message}


def _dialplans(folder: Path | None, config: Path) -> tuple[Dialplans, Path]:
    settings = config_of(config)
    where = folder or settings.dialplans_dir
    try:
        return load_folder(where, set(settings.queues), skills_of(settings)), where
    except DialplanErrors as errors:
        reject("\n".join(map(str, errors.problems)))


def _nodes(flow: Flow) -> Iterator[tuple[str, Node]]:
    """Every node that a call can come to, by `FLOW/NODE`."""
    return ((f"{one.name}/{name}", node) for one in flow.family() for name, node in one.nodes.items())


def _known(what: str, names: Iterable[str], known: Collection[str]) -> None:
    """Who mistypes a name would otherwise rehearse another call than they think."""
    for name in names:
        if name not in known:
            reject(f"there is no {what} called {name!r}; {did_you_mean(name, known) or 'there is none at all'}")


def _lookups(file: Path) -> Written:
    try:
        tree = read_tree(file.read_bytes(), str(file))
    except OSError as error:
        reject(f"{file} cannot be read: {error.strerror}")
    if tree.root is None or tree.problems:
        reject("\n".join(map(str, tree.problems)))
    try:
        return TypeAdapter(Written).validate_python(tree.root.plain())
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        reject("\n".join(str(Problem(str(file), *tree.root.place_of(one["loc"]), one["msg"])) for one in found))


def _read_line(question: str) -> str | None:
    """A line from the terminal, or from a pipe without being asked."""
    if sys.stdin.isatty():
        typer.echo(f"[{question}] ", nl=False)
    line = sys.stdin.readline()
    return line.rstrip("\n") if line else None
