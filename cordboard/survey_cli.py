"""`cordboard surveys`: what callers answered, at the command line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any
from urllib.parse import urlencode

import typer

from cordboard.cli_tools import DEFAULT_CONFIG, ConfigFile, ask, show

NOBODY = "(none)"
"""Of a caller who talked with no agent, or waited in no queue."""


def surveys(
    by: Annotated[str, typer.Option(help="question, queue, agent or day")] = "question",
    since: Annotated[str, typer.Option(help="2026-07-01, yesterday, ...; default: 30 days ago")] = "",
    until: Annotated[str, typer.Option(help="likewise; default: now")] = "",
    queue: Annotated[str, typer.Option(help="of callers of this queue only")] = "",
    agent: Annotated[str, typer.Option(help="of callers of this agent only")] = "",
    survey: Annotated[str, typer.Option(help="of this survey only")] = "",
    answers: Annotated[bool, typer.Option("--answers", help="the newest answers, each alone, as JSON")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="as JSON, for machines")] = False,
    config: ConfigFile = DEFAULT_CONFIG,
) -> None:
    """How content callers are (CSAT), whether they would recommend us (NPS), how easy it was (CES)."""
    wanted = {"from": since, "to": until, "queue": queue, "agent": agent, "survey": survey}
    if not answers:
        wanted["by"] = by
    path = "/api/surveys/answers" if answers else "/api/surveys"
    found = ask(config, "GET", f"{path}?{urlencode({name: text for name, text in wanted.items() if text})}")
    if as_json or answers:
        show(found)
    else:
        typer.echo("\n".join(lines(found)))


def lines(found: Mapping[str, Any]) -> Iterator[str]:
    """A table, one group a line; every number with how many answers it is made of."""
    groups: Mapping[str, Mapping[str, Any]] = found["groups"]
    if not groups:
        yield "Nobody answered in this time."
        return
    width = max(len(found["by"]), *(len(name or NOBODY) for name in groups))
    yield f"{found['by']:<{width}}  {'CSAT, of answers':>24}  {'NPS':>14}  {'CES':>14}"
    for name, one in groups.items():
        content = f"{one['csat']:.0%}, mean {one['csat_mean']:.2f}" if one["csat"] is not None else "-"
        told = (
            _cell(content, one["csat_answers"], 24),
            _cell("-" if one["nps"] is None else f"{one['nps']:+.0f}", one["nps_answers"], 14),
            _cell("-" if one["ces_mean"] is None else f"{one['ces_mean']:.2f}", one["ces_answers"], 14),
        )
        yield f"{name or NOBODY:<{width}}  {'  '.join(told)}"


def _cell(text: str, count: int, width: int) -> str:
    return f"{f'{text} ({count})' if count else text:>{width}}"
