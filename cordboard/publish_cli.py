"""`cordboard dialplan publish` and what follows from it: versions, rollback, canary. The service does it all."""

from __future__ import annotations

import getpass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from cordboard.cli_tools import DEFAULT_CONFIG, ConfigFile, ask, reject, show
from ivr.errors import DialplanErrors
from ivr.folder import read_folder, read_tests

publish_app = typer.Typer()

PATIENCE_S = 1_800
"""Texts that are new are spoken before the answer comes."""

Comment = Annotated[str, typer.Option("--message", "-m", help="what changed and why")]
Author = Annotated[str | None, typer.Option(help="who publishes; default: the user's name on this machine")]
VersionNumber = Annotated[int, typer.Argument(min=1, help="its number, as `versions` shows it")]


@publish_app.command("publish")
def publish(
    message: Comment = "",
    author: Author = None,
    source: Annotated[
        Path | None, typer.Option("--from", help="send this folder; default: the service's own, where it is")
    ] = None,
    stage: Annotated[bool, typer.Option("--stage", help="keep it as a version that no call meets yet")] = False,
    version: Annotated[int | None, typer.Option(min=1, help="publish a version that is there already")] = None,
    config: ConfigFile = DEFAULT_CONFIG,
) -> None:
    """Check the dialplans, speak what is new in them, and have all calls that begin from now on meet them.

    A folder with errors is refused whole, and the running version stays.
    """
    if version is not None:
        if message or author or source is not None or stage:
            reject("with --version nothing else can be said: it is there already")
        _told(ask(config, "POST", "/api/dialplans/publish", {"version": version}, PATIENCE_S))
        return
    body: dict[str, Any] = {"comment": message, "author": _user() if author is None else author, "stage": stage}
    if source is not None:
        body["files"] = _texts(source)
    _told(ask(config, "POST", "/api/dialplans/publish", body, PATIENCE_S))


@publish_app.command("reload")
def reload(config: ConfigFile = DEFAULT_CONFIG) -> None:
    """Publish the service's folder without a word; a folder with errors is refused and the running version stays."""
    _told(ask(config, "POST", "/api/dialplans/reload", None, PATIENCE_S))


@publish_app.command("versions")
def versions(
    limit: Annotated[int, typer.Option(min=1, max=500)] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="as JSON, for machines")] = False,
    config: ConfigFile = DEFAULT_CONFIG,
) -> None:
    """The newest versions: number, what became of it, when, by whom, why."""
    found = ask(config, "GET", f"/api/dialplans/versions?limit={limit}")["versions"]
    if as_json:
        show(found)
        return
    for one in found:
        when = datetime.fromtimestamp(one["made_at"]).astimezone().strftime("%Y-%m-%d %H:%M")
        comment = next(iter(one["comment"].splitlines()), "")
        typer.echo(f"{one['number']:>5}  {_state(one):<14}  {when}  {one['author'] or '-':<12}  {comment}".rstrip())


@publish_app.command("show")
def show_version(
    number: VersionNumber,
    to: Annotated[Path | None, typer.Option(help="write its files into this folder, which must not be there")] = None,
    config: ConfigFile = DEFAULT_CONFIG,
) -> None:
    """One version and the files of its folder, as JSON."""
    found = ask(config, "GET", f"/api/dialplans/versions/{number}")
    if to is None:
        show(found)
        return
    try:
        to.mkdir(parents=True)
        for name, text in found["files"].items():
            file = to / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(text.encode())
    except OSError as error:
        reject(f"{to} cannot be written: {error.strerror}")
    typer.echo(f"{to}: {len(found['files'])} file(s) of version {number}")


@publish_app.command("rollback")
def rollback(
    number: Annotated[int | None, typer.Argument(min=1, help="default: the version before the live one")] = None,
    config: ConfigFile = DEFAULT_CONFIG,
) -> None:
    """Have all calls that begin from now on meet an earlier version. The folder is not touched, nor looked at."""
    body = {} if number is None else {"version": number}
    _told(ask(config, "POST", "/api/dialplans/rollback", body, PATIENCE_S))


@publish_app.command("canary")
def canary(
    what: Annotated[str, typer.Argument(help="the number of a version that some calls shall meet; `stop`; `promote`")],
    share: Annotated[str, typer.Option(help="this share of the calls, as 10%")] = "",
    numbers: Annotated[str, typer.Option(help="calls from these numbers, as +15550100,+15550101")] = "",
    config: ConfigFile = DEFAULT_CONFIG,
) -> None:
    """Have some calls meet a version, all the live one again (stop), or all calls the canary (promote)."""
    if what in {"stop", "promote"} and (share or numbers):
        reject(f"`canary {what}` is about all calls")
    if what == "stop":
        version = ask(config, "POST", "/api/dialplans/canary/stop")["version"]
        typer.echo(f"version {version['number']} is no canary any more")
    elif what == "promote":
        _told(ask(config, "POST", "/api/dialplans/canary/promote"))
    elif what.isascii() and what.isdigit():
        callers = [number.strip() for number in numbers.split(",") if number.strip()]
        body = {"version": int(what), "share": _share(share), "numbers": callers}
        _told(ask(config, "POST", "/api/dialplans/canary", body, PATIENCE_S))
    else:
        reject(f"{what!r} is neither the number of a version nor `stop` nor `promote`")


def _told(outcome: dict[str, Any]) -> None:
    for warning in outcome["warnings"]:
        typer.echo(warning, err=True)
    version = outcome["version"]
    same = "nothing has changed: " if outcome["unchanged"] else ""
    typer.echo(f"{same}version {version['number']}, {_state(version)}: {', '.join(outcome['flows'])}")


def _state(version: dict[str, Any]) -> str:
    if version["state"] != "canary":
        return str(version["state"])
    numbers = f"{len(version['numbers'])} numbers" if version["numbers"] else ""
    share = f"{100 * version['share']:.3g}%" if version["share"] else ""
    return f"canary {' '.join(filter(None, (share, numbers)))}"


def _share(text: str) -> float:
    if not text:
        return 0.0
    try:
        share = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        share = -1.0
    if share == 1:
        reject("all calls are no canary: `publish --version` has all of them meet a version")
    if not 0 < share < 1:
        reject(f"{text!r} is no share of the calls such as 10%")
    return share


def _texts(folder: Path) -> dict[str, str]:
    try:
        return {name: data.decode() for name, data in (read_folder(folder) | read_tests(folder)).items()}
    except DialplanErrors as errors:
        reject("\n".join(map(str, errors.problems)))
    except UnicodeDecodeError:
        reject(f"{folder} holds a file that is not UTF-8: `cordboard dialplan check {folder}` says which")


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""
