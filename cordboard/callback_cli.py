"""`cordboard callbacks`: the words in which the list of callbacks is worked at the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from urllib.parse import urlencode

import typer

from cordboard.cli_tools import DEFAULT_CONFIG, ConfigFile, ask, show

app = typer.Typer(no_args_is_help=True, help="Callbacks: whom we promised a call, and working that list.")

Number = Annotated[int, typer.Argument(min=1, help="its number, as `callbacks list` shows it")]
Agent = Annotated[str, typer.Option(help="the agent's number")]
Note = Annotated[str, typer.Option(help="for whoever looks at it later")]


@app.command("list")
def callbacks_list(
    state: Annotated[str, typer.Option(help="open, claimed, done or cancelled; default: open and claimed")] = "",
    queue: Annotated[str, typer.Option(help="of this queue only")] = "",
    config: ConfigFile = DEFAULT_CONFIG,
) -> None:
    """Who is to be called, whoever has waited longest first, as JSON."""
    wanted = urlencode({name: text for name, text in (("state", state), ("queue", queue)) if text})
    show(ask(config, "GET", f"/api/callbacks?{wanted}"))


@app.command()
def claim(number: Number, agent: Agent, config: ConfigFile = DEFAULT_CONFIG) -> None:
    """An agent takes one on: nobody else will call. It counts as an attempt."""
    _command(config, number, "claim", agent=agent)


@app.command()
def call(number: Number, agent: Agent, config: ConfigFile = DEFAULT_CONFIG) -> None:
    """Claim it and call: the agent's phone rings, and when it is answered the customer's."""
    _command(config, number, "call", agent=agent)


@app.command()
def release(number: Number, note: Note = "", config: ConfigFile = DEFAULT_CONFIG) -> None:
    """Back on the list: nobody was reached."""
    _command(config, number, "release", note=note)


@app.command()
def done(number: Number, agent: Agent = "", note: Note = "", config: ConfigFile = DEFAULT_CONFIG) -> None:
    """They were called."""
    _command(config, number, "done", agent=agent, note=note)


@app.command()
def cancel(number: Number, agent: Agent = "", note: Note = "", config: ConfigFile = DEFAULT_CONFIG) -> None:
    """Nobody will call them."""
    _command(config, number, "cancel", agent=agent, note=note)


@app.command("note")
def annotate(
    number: Number,
    text: Annotated[str, typer.Argument(help="in the place of the note before")],
    config: ConfigFile = DEFAULT_CONFIG,
) -> None:
    """Write a note on one."""
    _command(config, number, "note", note=text)


def _command(config: Path, number: int, name: str, **said: str) -> None:
    body = {key: text for key, text in said.items() if text}
    show(ask(config, "POST", f"/api/callbacks/{number}/{name}", body))
