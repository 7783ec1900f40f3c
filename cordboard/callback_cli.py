"""`cordboard callbacks`: the words in which the list of callbacks is worked at the command line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlencode

import typer

ConfigFile = Annotated[Path, typer.Option("--config", "-c", envvar="CORDBOARD_CONFIG", help="the configuration file")]
Number = Annotated[int, typer.Argument(min=1, help="its number, as `callbacks list` shows it")]
Agent = Annotated[str, typer.Option(help="the agent's number")]
Note = Annotated[str, typer.Option(help="for whoever looks at it later")]
DEFAULT_CONFIG = Path("cordboard.yaml")


def callbacks_app(ask: Callable[..., Any], show: Callable[[Any], None]) -> typer.Typer:
    """`ask(config, method, path, body)` asks the running service."""
    app = typer.Typer(no_args_is_help=True, help="Callbacks: whom we promised a call, and working that list.")

    def command(config: Path, number: int, name: str, **said: str) -> None:
        body = {key: text for key, text in said.items() if text}
        show(ask(config, "POST", f"/api/callbacks/{number}/{name}", body))

    @app.command("list")
    def list_(
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
        command(config, number, "claim", agent=agent)

    @app.command()
    def release(number: Number, note: Note = "", config: ConfigFile = DEFAULT_CONFIG) -> None:
        """Back on the list: nobody was reached."""
        command(config, number, "release", note=note)

    @app.command()
    def done(number: Number, agent: Agent = "", note: Note = "", config: ConfigFile = DEFAULT_CONFIG) -> None:
        """They were called."""
        command(config, number, "done", agent=agent, note=note)

    @app.command()
    def cancel(number: Number, agent: Agent = "", note: Note = "", config: ConfigFile = DEFAULT_CONFIG) -> None:
        """Nobody will call them."""
        command(config, number, "cancel", agent=agent, note=note)

    @app.command("note")
    def note_(
        number: Number,
        text: Annotated[str, typer.Argument(help="in the place of the note before")],
        config: ConfigFile = DEFAULT_CONFIG,
    ) -> None:
        """Write a note on one."""
        command(config, number, "note", note=text)

    return app
