"""Two staffings side by side, as a table for people and as data for machines. Decides the words, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from acd.simulate.compare import Figure, Measured, difference, figures, measure
from acd.simulate.day import DayCounts

ALL = None
_WIDTH = 19


def rows(
    before: Sequence[DayCounts], after: Sequence[DayCounts] | None, within_s: float
) -> Iterator[tuple[str | None, Figure, Measured, Measured | None, Measured | None]]:
    """Queue (None: all together), figure, as it is, changed, difference."""
    names = list(before[0].queues)
    for queue in [*names, ALL] if len(names) > 1 else [ALL]:
        for figure in figures(within_s):
            if figure.whole_day and queue is not ALL:
                continue
            if after is None:
                yield queue, figure, measure(figure, before, queue), None, None
            else:
                change = difference(figure, before, after, queue)
                yield queue, figure, measure(figure, before, queue), measure(figure, after, queue), change


def text(before: Sequence[DayCounts], after: Sequence[DayCounts] | None, within_s: float) -> Iterator[str]:
    said: str | None = ""
    told: dict[str, str] = {}
    marked = False
    for queue, figure, was, now, change in rows(before, after, within_s):
        if queue != said:
            said = queue
            head = [f"{queue or 'all queues':<22}", f"{'as it is':>{_WIDTH}}"]
            head += [f"{'changed':>{_WIDTH}}", f"{'difference':>{_WIDTH}}"] if after is not None else []
            yield ""
            yield "".join(head)
        told[figure.name] = figure.formula
        line = f"  {figure.name:<20}{_value(figure, was):>{_WIDTH}}"
        if now is not None and change is not None:
            sure = change.clear_of_zero
            marked = marked or sure
            same = abs(change.value) < 1e-9
            line += f"{_value(figure, now):>{_WIDTH}}{'none' if same else _value(figure, change, sign=True):>{_WIDTH}}"
            line += " *" if sure and not same else ""
        yield line
    yield ""
    if after is not None:
        star = "*  more than chance: " if marked else "No difference is more than chance: of none "
        yield f"{star}the 95 % interval of the differences, day by day, leaves out zero."
    yield "±  half of the 95 % confidence interval; each day is one sample."
    for name, formula in told.items():
        yield f"   {name}: {formula}"


def data(before: Sequence[DayCounts], after: Sequence[DayCounts] | None, within_s: float) -> list[dict[str, Any]]:
    return [
        {
            "queue": queue,
            "figure": figure.name,
            "formula": figure.formula,
            "as_it_is": _plain(was),
            "changed": _plain(now) if now is not None else None,
            "difference": _plain(change) if change is not None else None,
            "more_than_chance": change.clear_of_zero if change is not None else None,
        }
        for queue, figure, was, now, change in rows(before, after, within_s)
    ]


def _plain(measured: Measured) -> dict[str, float | None]:
    return {"value": measured.value, "half_width": measured.half_width}


def _value(figure: Figure, measured: Measured, *, sign: bool = False) -> str:
    factor, unit = (100.0, " %") if figure.percent else (1.0, "")
    plus = "+" if sign else ""
    value = f"{measured.value * factor:{plus}.1f}"
    if measured.half_width is None:
        return value + unit
    return f"{value} ± {measured.half_width * factor:.1f}{unit}"
