"""`cordboard messages`: the words in which callers' messages are listed, fetched, marked and deleted."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated
from urllib.parse import quote, urlencode

import typer

from cordboard.api_client import ServiceError
from cordboard.cli_tools import DEFAULT_CONFIG, ConfigFile, ask, reject, running_service, show

app = typer.Typer(no_args_is_help=True, help="Messages that callers left: list, fetch, mark, delete.")

MessageId = Annotated[str, typer.Argument(help="its id, as `messages list` shows it")]


@app.command("list")
def messages_list(
    box: Annotated[str | None, typer.Option(help="of this box only")] = None,
    state: Annotated[str | None, typer.Option(help="new, heard, done or deleted; default: all but deleted")] = None,
    config: ConfigFile = DEFAULT_CONFIG,
) -> None:
    """The newest messages, as JSON."""
    wanted = urlencode({name: value for name, value in (("box", box), ("state", state)) if value})
    show(ask(config, "GET", f"/api/messages?{wanted}"))


@app.command("fetch")
def messages_fetch(
    message: MessageId,
    to: Annotated[Path, typer.Argument(help="the file to write: FLAC, or WAV from the box `fallback`")],
    config: ConfigFile = DEFAULT_CONFIG,
) -> None:
    """Write a message into a file. It stays as new as it was: say `heard` when somebody has listened."""
    service = running_service(config)
    try:
        size = asyncio.run(service.fetch(f"{_path(message)}/audio", to))
    except (ServiceError, OSError) as error:
        reject(str(error))
    typer.echo(f"{to}: {size} bytes")


@app.command("delete")
def messages_delete(message: MessageId, config: ConfigFile = DEFAULT_CONFIG) -> None:
    """Delete the sound and the number of whoever called. That the message was there stays on record."""
    show(ask(config, "DELETE", _path(message)))


def _mark(name: str, help_text: str) -> None:
    @app.command(name, help=help_text)
    def command(message: MessageId, config: ConfigFile = DEFAULT_CONFIG) -> None:
        show(ask(config, "POST", f"{_path(message)}/{name}"))


for _name, _help in (
    ("heard", "Somebody has listened to it."),
    ("done", "It is dealt with."),
    ("new", "Nobody has listened to it after all."),
):
    _mark(_name, _help)


def _path(message: str) -> str:
    return f"/api/messages/{quote(message, safe='')}"
