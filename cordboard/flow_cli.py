"""`cordboard dialplan graph` and `diff`: what people may see of flows without a service. The work is done elsewhere."""

from __future__ import annotations

from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import Annotated

import typer

from cordboard.cli_tools import DEFAULT_CONFIG, ConfigFile, ask, config_of, reject, show
from ivr.dialplans import Dialplans
from ivr.errors import DialplanErrors
from ivr.flow import Flow
from ivr.loader import load_files, load_folder, load_text
from ivr.yaml_tree import read_tree

flow_app = typer.Typer()

LIVE = "live"
"""The version that callers meet now."""


@flow_app.command("graph")
def graph(
    flow: Annotated[str, typer.Argument(help="a flow's name, or a file; default: the only flow there is")] = "",
    output: Annotated[Path | None, typer.Option("--output", "-o", help="the SVG file; default: FLOW.svg")] = None,
    config: ConfigFile = DEFAULT_CONFIG,
) -> None:
    """Draw a flow as an SVG file: nodes from top to bottom, keys and reasons on the ways between them."""
    from ivr.drawing.layout import lay_out
    from ivr.drawing.picture import draw
    from ivr.drawing.svg import as_svg
    from ivr.errors import DrawingError

    wanted = (
        _flow_in(Path(flow), config) if Path(flow).is_file() else _flow_named(flow, config_of(config).dialplans_dir)
    )
    picture = draw(wanted)
    try:
        layout = lay_out(picture, _programs(config))
    except DrawingError as error:
        reject(str(error))
    file = output or Path(f"{wanted.name}.svg")
    try:
        file.write_text(as_svg(picture, layout), encoding="utf-8")
    except OSError as error:
        reject(f"{file} cannot be written: {error.strerror}")
    arrows, crossings = len(picture.arrows), layout.crossings
    typer.echo(f"{file}: {len(wanted.nodes)} nodes, {arrows} arrows, {crossings} of them cross")


def _programs(config: Path) -> Path | None:
    """Where the programs are that are installed with the PBX. A drawing needs no configuration otherwise."""
    return config_of(config).var_dir / "bin" if config.is_file() else None


@flow_app.command("diff")
def diff(
    old: Annotated[str, typer.Argument(help="a folder, a file, the number of a published version, or `live`")],
    new: Annotated[str, typer.Argument(help="likewise; default: the configured folder")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="as JSON, for machines")] = False,
    config: ConfigFile = DEFAULT_CONFIG,
) -> None:
    """Which caller would now hear or reach something else. Exit status: 0 nobody, 1 somebody, 2 it cannot be said."""
    from ivr.comparing.compare import compare
    from ivr.comparing.words import caller

    changed = _dialplans(new, config) if new else _folder(config_of(config).dialplans_dir)
    found = compare(_dialplans(old, config), changed)
    if as_json:
        show(
            {
                "same": not found,
                "differences": [{"caller": caller(one.way), **asdict(one), "way": list(one.way)} for one in found],
            }
        )
    elif not found:
        typer.echo("No caller would notice.")
    else:
        for who, differences in groupby(found, key=lambda one: caller(one.way)):
            typer.echo(f"{who}:")
            for one in differences:
                typer.echo(f"  {one.text}")
    raise typer.Exit(1 if found else 0)


def _dialplans(wanted: str, config: Path) -> Dialplans:
    path = Path(wanted)
    if path.is_file():
        return Dialplans([_flow_in(path, config)])
    if not path.exists() and (wanted == LIVE or wanted.isdecimal()):
        return _version(wanted, config)
    return _folder(path)


def _version(wanted: str, config: Path) -> Dialplans:
    """As the service has it."""
    number = ask(config, "GET", "/api/dialplans")["live"]["number"] if wanted == LIVE else wanted
    files: dict[str, str] = ask(config, "GET", f"/api/dialplans/versions/{number}")["files"]
    try:
        return load_files({name: text.encode() for name, text in files.items()}, folder=f"version {number}")
    except DialplanErrors as errors:  # what was good once may not be so for a later program
        reject("\n".join(map(str, errors.problems)))


def _folder(folder: Path) -> Dialplans:
    try:
        return load_folder(folder)  # to look at flows, no queue and no agent needs to be there
    except DialplanErrors as errors:
        reject("\n".join(map(str, errors.problems)))


def _flow_in(file: Path, config: Path) -> Flow:
    """A file is judged alone; one that needs others, with those of the folder that it belongs to."""
    data = file.read_bytes()
    alone, problems = load_text(data, str(file))
    if alone is not None:
        return alone
    branch, *_ = read_tree(data, str(file))
    plain = branch.plain() if branch is not None else None
    if not isinstance(plain, dict) or not isinstance(plain.get("flow"), str):
        reject("\n".join(map(str, problems)))
    folder = config_of(config).dialplans_dir if config.is_file() else file.parent
    folder = folder if file.absolute().is_relative_to(folder.absolute()) else file.parent
    try:
        flows = {flow.name: flow for flow in load_folder(folder)}
    except DialplanErrors:
        flows = {}
    if plain["flow"] not in flows:  # the others do not help: the file's own findings say more
        reject("\n".join(map(str, problems)))
    return flows[plain["flow"]]


def _flow_named(name: str, folder: Path) -> Flow:
    flows = {flow.name: flow for flow in _folder(folder)}
    if not name and len(flows) == 1:
        return next(iter(flows.values()))
    if name not in flows:
        what = f"there is no flow or file {name!r}" if name else "which flow"
        reject(f"{what}; there are: {', '.join(flows)}")
    return flows[name]
