"""`cordboard switch`: the words in which switches are flipped at the command line."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

import typer

from cordboard.cli_tools import DEFAULT_CONFIG, ConfigFile, ask, show

switch_app = typer.Typer(no_args_is_help=True, help="Switches that flows look at: which are on, flip them.")

Name = Annotated[str, typer.Argument(help="the switch, as `switch list` shows it")]
Note = Annotated[str, typer.Option(help="why, for whoever looks at it later")]
By = Annotated[str, typer.Option(help="who flips it")]


@switch_app.command("list")
def list_switches(config: ConfigFile = DEFAULT_CONFIG) -> None:
    """Every switch that a flow looks at, as JSON."""
    show(ask(config, "GET", "/api/switches"))


@switch_app.command("on")
def switch_on(name: Name, note: Note = "", by: By = "", config: ConfigFile = DEFAULT_CONFIG) -> None:
    """Flip it on, at once and until it is flipped off."""
    show(ask(config, "POST", f"/api/switches/{quote(name, safe='')}", {"on": True, "note": note, "by": by}))


@switch_app.command("off")
def switch_off(name: Name, note: Note = "", by: By = "", config: ConfigFile = DEFAULT_CONFIG) -> None:
    """Flip it off."""
    show(ask(config, "POST", f"/api/switches/{quote(name, safe='')}", {"on": False, "note": note, "by": by}))
