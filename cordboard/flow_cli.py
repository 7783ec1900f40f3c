"""`cordboard dialplan graph`: what people may see of flows at the command line. Everything it does lives elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, NoReturn

import typer

from cordboard.config_loader import ConfigRefused, load_config
from ivr.errors import DialplanErrors
from ivr.flow import Flow
from ivr.loader import load_folder, load_text
from ivr.yaml_tree import read_tree

flow_app = typer.Typer()

ConfigFile = Annotated[Path, typer.Option("--config", "-c", envvar="CORDBOARD_CONFIG", help="the configuration file")]
USAGE = 2


@flow_app.command("graph")
def graph(
    flow: Annotated[str, typer.Argument(help="a flow's name, or a file; default: the only flow there is")] = "",
    output: Annotated[Path | None, typer.Option("--output", "-o", help="the SVG file; default: FLOW.svg")] = None,
    config: ConfigFile = Path("cordboard.yaml"),
) -> None:
    """Draw a flow as an SVG file: nodes from top to bottom, keys and reasons on the ways between them."""
    from ivr.drawing.layout import lay_out
    from ivr.drawing.picture import draw
    from ivr.drawing.svg import as_svg

    wanted = _flow_in(Path(flow), config) if Path(flow).is_file() else _flow_named(flow, _configured(config))
    picture = draw(wanted)
    layout = lay_out(picture)
    file = output or Path(f"{wanted.name}.svg")
    try:
        file.write_text(as_svg(picture, layout), encoding="utf-8")
    except OSError as error:
        _refuse(f"{file} cannot be written: {error.strerror}")
    arrows, crossings = len(picture.arrows), layout.crossings
    typer.echo(f"{file}: {len(wanted.nodes)} nodes, {arrows} arrows, {crossings} of them cross")


def _flow_in(file: Path, config: Path) -> Flow:
    """A file is judged alone; one that needs others, with those of the folder that it belongs to."""
    data = file.read_bytes()
    alone, problems = load_text(data, str(file))
    if alone is not None:
        return alone
    branch, *_ = read_tree(data, str(file))
    plain = branch.plain() if branch is not None else None
    if not isinstance(plain, dict) or not {"flow", "include"} <= plain.keys():
        _refuse("\n".join(map(str, problems)))
    folder = _configured(config) if config.is_file() else file.parent
    return _flow_named(plain["flow"], folder if file.absolute().is_relative_to(folder.absolute()) else file.parent)


def _configured(config: Path) -> Path:
    try:
        return load_config(config).dialplans_dir
    except ConfigRefused as refused:
        _refuse(str(refused))


def _flow_named(name: str, folder: Path) -> Flow:
    try:
        dialplans = load_folder(folder)  # drawing needs no queue and no agent to be there
    except DialplanErrors as errors:
        _refuse("\n".join(map(str, errors.problems)))
    flows = {flow.name: flow for flow in dialplans}
    if not name and len(flows) == 1:
        return next(iter(flows.values()))
    if name not in flows:
        what = f"there is no flow or file {name!r}" if name else "which flow"
        _refuse(f"{what}; there are: {', '.join(flows)}")
    return flows[name]


def _refuse(message: str) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(USAGE)
