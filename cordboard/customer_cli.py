"""`cordboard customers`: the list at the command line. A file is read into the database itself, without the service."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated
from urllib.parse import quote, urlencode

import typer

from cordboard.cli_tools import DEFAULT_CONFIG, ConfigFile, ask, config_of, reject, show

app = typer.Typer(no_args_is_help=True, help="Customers: whom flows recognise by their number.")


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="CSV with the columns id, name, language, tier, tags, numbers")],
    config: ConfigFile = DEFAULT_CONFIG,
) -> None:
    """Take customers over from a CSV file: new ones are added, those with the same id replaced. All or nothing."""
    from cordboard.customer_csv import CsvRefused
    from cordboard.customer_import import import_customers
    from cordboard.storage.errors import StorageError

    settings = config_of(config)
    try:
        added, changed = asyncio.run(import_customers(file, settings.database_url, settings.region))
    except (CsvRefused, StorageError) as refused:
        reject(str(refused))
    typer.echo(f"{added} customer(s) added, {changed} replaced")


@app.command("list")
def list_(
    number: Annotated[str, typer.Option(help="whose number this is")] = "",
    after: Annotated[str, typer.Option(help="the `next` of the page before")] = "",
    limit: Annotated[int, typer.Option(min=1, max=500)] = 100,
    config: ConfigFile = DEFAULT_CONFIG,
) -> None:
    """Customers by id, as JSON."""
    wanted = {"limit": str(limit)} | {name: text for name, text in (("number", number), ("after", after)) if text}
    show(ask(config, "GET", f"/api/customers?{urlencode(wanted)}"))


@app.command("show")
def show_(customer: Annotated[str, typer.Argument(help="the id")], config: ConfigFile = DEFAULT_CONFIG) -> None:
    """One customer, as JSON."""
    show(ask(config, "GET", f"/api/customers/{quote(customer, safe='')}"))
