"""`cordboard dialplan`: the words in which dialplans are checked and published at the command line."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cordboard.cli_tools import DEFAULT_CONFIG, ConfigFile, config_of, show
from cordboard.flow_cli import flow_app
from cordboard.publish_cli import publish_app
from cordboard.rehearsal_cli import rehearsal_app

if TYPE_CHECKING:
    from cordboard.config import Config
    from ivr.known import Known
    from ivr.problems import Problem

app = typer.Typer(no_args_is_help=True, help="Dialplans: check them, publish them, their versions, their JSON Schema.")
app.add_typer(publish_app)
app.add_typer(flow_app)
app.add_typer(rehearsal_app)


@app.command("check")
def dialplan_check(
    folder: Annotated[Path | None, typer.Argument(help="default: the configured one")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON document, for CI")] = False,
    strict: Annotated[bool, typer.Option(help="warnings count as errors")] = False,
    config: ConfigFile = DEFAULT_CONFIG,
) -> None:
    """Everything that is wrong with a folder of dialplans, as file:line:column. The exit status is 1 when something is.

    Without a configuration a folder is checked alone: nothing is known of queues, agents and sounds then.
    """
    from ivr.errors import DialplanErrors
    from ivr.folder import read_folder
    from ivr.known import Known
    from ivr.lint.report import as_document
    from ivr.loader import judge_files

    alone = folder is not None and not config.exists()
    settings = None if alone else config_of(config)
    known = _known(settings) if settings is not None else Known()
    place = folder or (settings.dialplans_dir if settings is not None else Path())
    problems: Sequence[Problem]
    unread: list[Problem] = []
    try:
        flows, problems = judge_files(read_folder(place, unread), known, folder=str(place), advice=True)
    except DialplanErrors as errors:
        flows, problems = [], errors.problems
    problems = [*unread, *problems]
    found = as_document(len(flows), problems, strict=strict)
    if as_json:
        show(found)
    else:
        for problem in sorted(problems):
            typer.echo(str(problem), err=True)
        errors_said = f"{found['errors']} error(s)" if found["errors"] else "no errors"
        typer.echo(f"{found['flows']} flow(s), {errors_said}, {found['warnings']} warning(s)")
    if not found["ok"]:
        raise typer.Exit(1)


def _known(settings: Config) -> Known:
    from cordboard.site import PROMPTS, reach_of, skills_of
    from ivr.known import Known
    from ivr.prompts import PromptStore
    from ivr.voices import Voices

    store = PromptStore(settings.recordings_dir / PROMPTS, Voices(settings.voices))
    comfort = {
        name: [said for message in queue.comfort.messages for said in message.items()]
        for name, queue in settings.queues.items()
        if queue.comfort is not None
    }
    return Known(
        set(settings.queues),
        skills_of(settings),
        asyncio.run(store.find_sounds()),
        settings.transfers.prefixes,
        comfort,
        reach_of(settings),
    )


@app.command("schema")
def dialplan_schema() -> None:
    """The JSON Schema of a dialplan file, for editors."""
    from ivr.schema import json_schema

    typer.echo(json.dumps(json_schema(), indent=1, ensure_ascii=False))  # one key a line, also in a file
