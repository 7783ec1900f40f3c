"""`cordboard dialplan`: the words in which dialplans are checked and published at the command line."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from cordboard.cli_tools import DEFAULT_CONFIG, ConfigFile, ask, config_of, show
from cordboard.flow_cli import flow_app
from cordboard.rehearsal_cli import rehearsal_app

app = typer.Typer(no_args_is_help=True, help="Dialplans: check them, reload them, their JSON Schema.")
app.add_typer(flow_app)
app.add_typer(rehearsal_app)


@app.command("check")
def dialplan_check(
    folder: Annotated[Path | None, typer.Argument(help="default: the configured one")] = None,
    config: ConfigFile = DEFAULT_CONFIG,
) -> None:
    """Every error of a folder of dialplans, as file:line:column."""
    from cordboard.site import PROMPTS, skills_of
    from ivr.errors import DialplanErrors
    from ivr.loader import load_folder
    from ivr.prompts import PromptStore
    from ivr.voices import Voices

    settings = config_of(config)
    store = PromptStore(settings.recordings_dir / PROMPTS, Voices(settings.voices))
    sounds = asyncio.run(store.find_sounds())
    try:
        dialplans = load_folder(
            folder or settings.dialplans_dir,
            set(settings.queues),
            skills_of(settings),
            sounds,
            settings.transfers.prefixes,
        )
    except DialplanErrors as errors:
        for problem in errors.problems:
            typer.echo(str(problem), err=True)
        raise typer.Exit(1) from None
    for problem in dialplans.warnings:
        typer.echo(str(problem), err=True)
    typer.echo(f"{len(dialplans.flows)} flow(s), no errors, {len(dialplans.warnings)} warning(s)")


@app.command("reload")
def dialplan_reload(config: ConfigFile = DEFAULT_CONFIG) -> None:
    """Publish the dialplans as they are now; a folder with errors is refused and the running ones stay."""
    show(ask(config, "POST", "/api/dialplans/reload"))


@app.command("schema")
def dialplan_schema() -> None:
    """The JSON Schema of a dialplan file, for editors."""
    from ivr.schema import json_schema

    show(json_schema())
