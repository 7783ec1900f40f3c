"""Gives every box and arrow of a picture its place: layers from top to bottom, as few crossings as can be found.

Graphviz's `dot` does the work (docs/decisions/0012-graphviz-for-drawings.md). It is told sizes and numbers only, never
a word that somebody wrote, so nothing in a dialplan can reach its parser or change where things go but by its length.
"""

from __future__ import annotations

import json
import math
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from ivr.drawing.picture import TAB, Arrow, Box, Picture
from ivr.errors import DrawingError

MARGIN: Final = 24.0
MOST_IN_ROW: Final = 5
"""So many boxes side by side are never set in rows."""

LIMIT_S: Final = 60.0

SAMPLES: Final = 8
"""Straight pieces that a curve is cut into where crossings are counted."""

_NUMBER = r"(-?\d[\d.]*(?:e[-+]?\d+)?)"
_POINT = re.compile(f"{_NUMBER},{_NUMBER}")

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Layout:
    """`corners`: the upper left ones of the boxes. `curves`: of the arrows; the last point is the tip."""

    width: float
    height: float
    corners: tuple[Point, ...]
    curves: tuple[tuple[Point, ...], ...]
    crossings: int


def lay_out(picture: Picture, installed: Path | None = None) -> Layout:
    """`installed`: the folder of the programs that are installed with the PBX. Raises `DrawingError`."""
    placing = _placed(_told(picture), installed or Path(os.environ.get("CORDBOARD_ROOT", "var")) / "bin")
    _, _, right, top = (float(number) for number in placing["bb"].split(","))
    boxes = {one["name"]: one["pos"] for one in placing["objects"]}
    arrows = {one["id"]: one["pos"] for one in placing.get("edges", ())}

    def placed(found: str) -> list[Point]:
        return [(MARGIN + float(x), MARGIN + top - float(y)) for x, y in _POINT.findall(found)]

    corners: list[Point] = []
    for number, box in enumerate(picture.boxes):
        [(x, y)] = placed(boxes[f"n{number}"])
        corners.append((x - box.width / 2, y - box.height / 2))
    curves: list[tuple[Point, ...]] = []
    for number in range(len(picture.arrows)):
        tip, *curve = placed(arrows[f"e{number}"])
        curves.append((*curve, tip))
    return Layout(
        right + 2 * MARGIN, top + 2 * MARGIN, tuple(corners), tuple(curves), crossings(picture.arrows, curves)
    )


def _placed(told: str, installed: Path) -> Any:
    """What `dot` says where everything is. The private copy first: it is the one that the tests know."""
    program = shutil.which("dot", path=str(installed)) or shutil.which("dot")
    if program is None:
        raise DrawingError("Graphviz is not installed here: `make pbx` installs it, and so does your system's package")
    try:
        done = subprocess.run(
            [program, "-Tjson0"], input=told.encode(), capture_output=True, timeout=LIMIT_S, check=True
        )
        return json.loads(done.stdout)
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        raise DrawingError(f"Graphviz could not place the boxes: {error}") from None


def _told(picture: Picture) -> str:
    lines = [
        "digraph {",
        "graph [rankdir=TB nodesep=0.3 ranksep=0.6 splines=true remincross=true mclimit=4];",
        'node [shape=plain label="" margin=0 fontsize=1]; edge [arrowsize=0.7];',
        *(_node(number, box) for number, box in enumerate(picture.boxes)),
    ]
    lengths = _lengths(picture)
    for number, arrow in enumerate(picture.arrows):
        port = f":t{arrow.tab}" if picture.boxes[arrow.source].tabbed else ""
        told = f"n{arrow.source}{port}:s -> n{arrow.target}:n"
        lines.append(f"{told} [id=e{number} minlen={lengths[number]}];")
    return "\n".join((*lines, "}"))


def _node(number: int, box: Box) -> str:
    if not box.tabbed:
        size = f"width={box.width / 72:.4f} height={box.height / 72:.4f}"
        return f"n{number} [shape=box fixedsize=true {size}];"
    # Cells have whole points; what is lost in rounding goes to the last one.
    widths = [math.floor(tab.width) for tab in box.tabs]
    widths[-1] += math.floor(box.width) - sum(widths)
    cell = '<td fixedsize="true" width="{}" height="{}" {}></td>'
    above = cell.format(math.floor(box.width), math.floor(box.height - TAB), f'colspan="{len(widths)}"')
    tabs = "".join(cell.format(wide, math.floor(TAB), f'port="t{index}"') for index, wide in enumerate(widths))
    table = f'<table border="0" cellborder="0" cellspacing="0" cellpadding="0"><tr>{above}</tr><tr>{tabs}</tr></table>'
    return f"n{number} [label=<{table}>];"


def _lengths(picture: Picture) -> list[int]:
    """How many layers each arrow spans at least.

    Layers alone make a sheet as wide as the flow has ends: sixty nodes would be thirty boxes wide. So what follows a
    box is set in rows below one another as soon as it is wider than the whole should be.
    """
    limit = max(MOST_IN_ROW, math.ceil(math.sqrt(len(picture.boxes))))
    lengths = [1] * len(picture.arrows)
    children: dict[int, list[int]] = {}
    for number, arrow in enumerate(picture.arrows):
        if arrow.home:
            children.setdefault(arrow.source, []).append(number)
    size: dict[int, tuple[int, int]] = {}
    for box in reversed(range(len(picture.boxes))):  # a box has a higher number than the one that it is at home under
        wide, high, row_wide, row_high = 1, 1, 0, 0
        for number in children.get(box, ()):
            child_wide, child_high = size[picture.arrows[number].target]
            if row_wide and row_wide + child_wide > limit:
                high, row_wide, row_high = high + row_high, 0, 0
            lengths[number] = high
            row_wide, row_high = row_wide + child_wide, max(row_high, child_high)
            wide = max(wide, row_wide)
        size[box] = (wide, high + row_high)
    return lengths


def crossings(arrows: Sequence[Arrow], curves: Sequence[Sequence[Point]]) -> int:
    """How many pairs of arrows cross. Those that leave or meet the same box do not count where they touch it."""
    lines = [np.array(list(_polyline(curve))) for curve in curves]
    boxes = np.array([[*line.min(axis=0), *line.max(axis=0)] for line in lines]).reshape(-1, 4)
    count = 0
    for index, line in enumerate(lines):
        near = (boxes[index + 1 :, :2] <= boxes[index, 2:]).all(axis=1) & (
            boxes[index + 1 :, 2:] >= boxes[index, :2]
        ).all(axis=1)
        for other in (np.flatnonzero(near) + index + 1).tolist():
            if arrows[index].target != arrows[other].target:
                count += _cross(line, lines[other])
    return count


def _polyline(curve: Sequence[Point]) -> Iterator[Point]:
    yield curve[0]
    for begin in range(0, len(curve) - 3, 3):
        a, b, c, d = curve[begin : begin + 4]
        for step in range(1, SAMPLES + 1):
            t = step / SAMPLES
            weights = ((1 - t) ** 3, 3 * (1 - t) ** 2 * t, 3 * (1 - t) * t * t, t**3)
            yield (
                sum(weight * point[0] for weight, point in zip(weights, (a, b, c, d), strict=True)),
                sum(weight * point[1] for weight, point in zip(weights, (a, b, c, d), strict=True)),
            )


def _cross(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether any straight piece of one line crosses any of the other."""
    p, r = one[:-1, None], (one[1:] - one[:-1])[:, None]
    q, s = other[None, :-1], (other[1:] - other[:-1])[None]
    between = r[..., 0] * s[..., 1] - r[..., 1] * s[..., 0]
    apart = q - p
    with np.errstate(divide="ignore", invalid="ignore"):
        t = (apart[..., 0] * s[..., 1] - apart[..., 1] * s[..., 0]) / between
        u = (apart[..., 0] * r[..., 1] - apart[..., 1] * r[..., 0]) / between
    return bool(((t > 0) & (t < 1) & (u > 0) & (u < 1)).any())
