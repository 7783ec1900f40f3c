"""Folded figures as plain data: for each interval the values, for the whole each value with its name, unit and formula.

It decides the form of a report and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from cordboard.figures.catalogue import AGENT_FIGURES, QUEUE_FIGURES, Definition, T, figures_of
from cordboard.figures.fold import Fold, Thresholds
from cordboard.figures.tally import AgentTally, QueueTally

Report = dict[str, Any]

CSV_HEAD = ("from", "to", "of", "name", "figure", "value", "unit", "formula")


def report(fold: Fold, thresholds: Thresholds, time_zone: str, queue: str | None = None) -> Report:
    """Of all queues and agents; with a queue, of that one alone. `all_queues` is the sum of the queues."""
    queues = {key: tally for key, tally in fold.queues.items() if queue is None or key[1] == queue}
    agents = fold.agents if queue is None else {}
    borders = fold.intervals.borders
    everything = QueueTally()
    for tally in queues.values():
        everything += tally
    return {
        "from": borders[0],
        "to": borders[-1],
        "time_zone": time_zone,
        "intervals": [
            {
                "from": borders[n],
                "to": borders[n + 1],
                "queues": _values(queues, n, QUEUE_FIGURES),
                "agents": _values(agents, n, AGENT_FIGURES),
            }
            for n in range(len(fold.intervals))
        ],
        "total": {
            "all_queues": _figures(everything, QUEUE_FIGURES, thresholds),
            "queues": _totals(queues, QueueTally, QUEUE_FIGURES, thresholds),
            "agents": _totals(agents, AgentTally, AGENT_FIGURES, thresholds),
        },
    }


def rows(content: Report) -> Iterator[tuple[Any, ...]]:
    """For a table in CSV, one value a line, never without its formula."""
    total = content["total"]
    for of in ("queues", "agents"):
        for one in content["intervals"]:
            for name, values in one[of].items():
                for figure in total[of][name]:
                    value = values[figure["name"]]
                    yield (
                        one["from"],
                        one["to"],
                        of[:-1],
                        name,
                        figure["name"],
                        value,
                        figure["unit"],
                        figure["formula"],
                    )


def lines(content: Report) -> Iterator[str]:
    """For a person at a terminal: the whole, by queue and agent."""
    total = content["total"]
    for of in ("queues", "agents"):
        for name, figures in total[of].items():
            yield f"{of[:-1]} {name}"
            for figure in figures:
                yield f"  {figure['title']:<38} {_shown(figure):>10}   {figure['formula']}"
            yield ""
    if not total["queues"] and not total["agents"]:
        yield "Nothing happened in this time."


def _shown(figure: Mapping[str, Any]) -> str:
    value, unit = figure["value"], figure["unit"]
    if value is None:
        return "-"
    if unit == "share":
        return f"{value:.1%}"
    return f"{value:.1f} s" if unit == "s" else f"{value}"


def _values(
    tallies: Mapping[tuple[int, str], T], interval: int, definitions: Mapping[str, Definition[T]]
) -> dict[str, Any]:
    return {
        name: {one.name: one.value(tally) for one in definitions.values()}
        for (n, name), tally in sorted(tallies.items())
        if n == interval
    }


def _totals(
    tallies: Mapping[tuple[int, str], T],
    empty: type[T],
    definitions: Mapping[str, Definition[T]],
    thresholds: Thresholds,
) -> dict[str, Any]:
    sums: dict[str, T] = {}
    for (_, name), tally in sorted(tallies.items()):
        total = sums.setdefault(name, empty())
        total += tally
    return {name: _figures(total, definitions, thresholds) for name, total in sums.items()}


def _figures(tally: T, definitions: Mapping[str, Definition[T]], thresholds: Thresholds) -> list[dict[str, Any]]:
    return [asdict(figure) for figure in figures_of(tally, definitions, thresholds)]
