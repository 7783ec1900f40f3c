"""A picture and the places of its parts become one SVG file: no script, nothing fetched, every text escaped.

Decides colours, fonts and outlines. Colours follow the reader's light or dark setting. The same picture gives the same
bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Final

from ivr.drawing.layout import Layout, Point
from ivr.drawing.lettering import Cut, clean, fit
from ivr.drawing.looks import MEANING, Family
from ivr.drawing.picture import EDGE, LINE, NAME, SMALL, STRIP, TAB, TEXT, Box, Picture

LIGHT: Final = {
    "paper": "#f6f7f9",
    "box": "#ffffff",
    "ink": "#1b2430",
    "soft": "#4d5a6b",
    "line": "#5b6878",
    "rim": "#aab4c0",
}
DARK: Final = {
    "paper": "#12161c",
    "box": "#1d242e",
    "ink": "#eef2f6",
    "soft": "#b3bfcc",
    "line": "#93a1b1",
    "rim": "#4a5666",
}
STRIPS: Final = {
    Family.SPEAK: "#2f6690",
    Family.ASK: "#6d4aa0",
    Family.DECIDE: "#96540c",
    Family.PEOPLE: "#1f7048",
    Family.DATA: "#4f5d75",
    Family.ELSEWHERE: "#0f6e78",
    Family.END: "#a3303c",
    Family.PLAIN: "#5b6470",
}
ON_STRIP: Final = "#ffffff"
GLYPHS: Final = {
    Family.SPEAK: "M0 3h3l4-3v10l-4-3h-3z",
    Family.ASK: "M0 0h3v3h-3zM4 0h3v3h-3zM0 4h3v3h-3zM4 4h3v3h-3zM2 8h3v2h-3z",
    Family.DECIDE: "M5 0l5 5-5 5-5-5z",
    Family.PEOPLE: "M5 0a2.5 2.5 0 0 1 0 5a2.5 2.5 0 0 1 0-5zM0 10a5 4.5 0 0 1 10 0z",
    Family.DATA: "M0 0h10v2.5h-10zM0 3.75h10v2.5h-10zM0 7.5h10v2.5h-10z",
    Family.ELSEWHERE: "M0 0h7v2h-5v5h-2zM3 3h7v7h-7z",
    Family.END: "M3 0h4l3 3v4l-3 3h-4l-3-3v-4z",
    Family.PLAIN: "M5 0a5 5 0 0 1 0 10a5 5 0 0 1 0-10z",
}
FONT: Final = "Verdana, 'DejaVu Sans', system-ui, sans-serif"
LEGEND: Final = 26.0


def as_svg(picture: Picture, layout: Layout) -> str:
    return "\n".join(_Sheet(picture, layout).lines()) + "\n"


class _Sheet:
    def __init__(self, picture: Picture, layout: Layout) -> None:
        self.picture = picture
        self.layout = layout
        self.legend = [(family, fit(MEANING[family], SMALL, 300)) for family in picture.families()]
        self.width = max(layout.width, 48 + max((22 + cut.width for _, cut in self.legend), default=0), 320)
        self.rows = self._legend_rows()
        self.top = 62 + LEGEND * len(self.rows)
        self.shift = (self.width - layout.width) / 2

    def lines(self) -> Iterator[str]:
        height = self.top + self.layout.height
        yield (
            f'<svg xmlns="http://www.w3.org/2000/svg" role="img" width="{_n(self.width)}" height="{_n(height)}"'
            f' viewBox="0 0 {_n(self.width)} {_n(height)}">'
        )
        yield f"{_title(self.picture.title)}"
        yield f"<style>{_style()}</style>"
        yield (
            '<defs><marker id="tip" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="9" markerHeight="9"'
            ' markerUnits="userSpaceOnUse" orient="auto"><path d="M0 0.5L10 5L0 9.5z"/></marker></defs>'
        )
        yield '<rect class="paper" width="100%" height="100%"/>'
        yield _text(24, 30, fit(self.picture.title, 18, self.width - 48, bold=True), "name", 18)
        yield _text(24, 48, fit(self.picture.description, TEXT, self.width - 48), "soft", TEXT)
        yield from self._legend()
        yield f'<g transform="translate({_n(self.shift)} {_n(self.top)})">'
        for arrow, curve in zip(self.picture.arrows, self.layout.curves, strict=True):
            kind = "arrow unhappy" if arrow.unhappy else "arrow"
            yield f'<path class="{kind}" d="{_curve(curve)}">{_title(arrow.title)}</path>'
        for number, (box, corner) in enumerate(zip(self.picture.boxes, self.layout.corners, strict=True)):
            yield from _box(number, box, corner)
        yield "</g>"
        yield "</svg>"

    def _legend_rows(self) -> list[list[tuple[float, Family, Cut]]]:
        rows: list[list[tuple[float, Family, Cut]]] = []
        x = self.width
        for family, cut in self.legend:
            if x + 22 + cut.width > self.width - 24:
                rows.append([])
                x = 24.0
            rows[-1].append((x, family, cut))
            x += 22 + cut.width + 20
        return rows

    def _legend(self) -> Iterator[str]:
        for index, row in enumerate(self.rows):
            y = 62 + LEGEND * index
            for x, family, cut in row:
                yield f'<rect class="{family}" x="{_n(x)}" y="{_n(y)}" width="17" height="16" rx="3"/>'
                yield _glyph(family, x + 3.5, y + 3)
                yield _text(x + 22, y + 12, cut, "soft", SMALL)


def _style() -> str:
    def colours(values: dict[str, str]) -> str:
        return "".join(f"--{name}:{value};" for name, value in values.items())

    strips = "".join(f".{family}{{fill:{colour}}}" for family, colour in STRIPS.items())
    return (
        f":root{{{colours(LIGHT)}color-scheme:light dark}}"
        f"@media(prefers-color-scheme:dark){{:root{{{colours(DARK)}}}}}"
        f"text{{font-family:{FONT};fill:var(--ink)}}"
        ".paper{fill:var(--paper)}.box{fill:var(--box)}.rim{fill:none;stroke:var(--rim);stroke-width:1.5}"
        ".name{font-weight:bold}.soft{fill:var(--soft)}"
        f".glyph,text.verb{{fill:{ON_STRIP}}}"
        ".arrow{fill:none;stroke:var(--line);stroke-width:1.5;marker-end:url(#tip)}.unhappy{stroke-dasharray:5 3}"
        "#tip path{fill:var(--line)}.arrow:hover{stroke-width:4}"
        ".split{stroke:var(--rim)}a text{text-decoration:underline}g:target .rim{stroke:var(--ink);stroke-width:4}"
        + strips
    )


def _box(number: int, box: Box, corner: Point) -> Iterator[str]:
    x, y = corner
    yield f'<g id="n{number}" transform="translate({_n(x)} {_n(y)})">{_title(box.title)}'
    yield from _outside(box) if box.outside else _inside(box)
    yield "</g>"


def _outside(box: Box) -> Iterator[str]:
    """Where callers come in: a pill."""
    half = box.height / 2
    rim = f'width="{_n(box.width)}" height="{_n(box.height)}" rx="{_n(half)}"'
    yield f'<rect class="box" {rim}/><rect class="rim" {rim}/>'
    yield _text(2 * EDGE, half + 5, box.name, "name", NAME)


def _inside(box: Box) -> Iterator[str]:
    outline = _outline(box)
    yield f'<path class="box" d="{outline}"/>'
    yield f'<path class="{box.family}" d="{_strip(box)}"/>'
    yield _glyph(box.family, EDGE + 2, 4)
    yield _text(EDGE + 18, 13, fit(box.verb, SMALL, 120, bold=True), "name verb", SMALL)
    yield _text(EDGE, STRIP + 16, box.name, "name", NAME)
    y = STRIP + 20.0
    for line in box.lines:
        y += LINE
        yield _text(EDGE, y - 3, line, "", TEXT)
    for jump in box.jumps:
        y += LINE
        yield f"<g>{_title(jump.title)}"
        yield _text(EDGE, y - 3, jump.label, "soft", SMALL)
        arrow = fit(" ↷ ", SMALL, 60)
        yield _text(EDGE + jump.label.width + 4, y - 3, arrow, "soft", SMALL)
        yield f'<a href="#n{jump.to}">{_text(EDGE + jump.label.width + 20, y - 3, jump.target, "", SMALL)}</a></g>'
    if box.tabbed:
        yield from _tabs(box)
    yield f'<path class="rim" d="{outline}"/>'
    if box.family is Family.ELSEWHERE:
        yield f'<path class="split" d="M4 0V{_n(box.height)}M{_n(box.width - 4)} 0V{_n(box.height)}"/>'


def _tabs(box: Box) -> Iterator[str]:
    top = box.height - TAB
    yield f'<path class="split" d="M0 {_n(top)}H{_n(box.width)}"/>'
    x = 0.0
    for index, tab in enumerate(box.tabs):
        if index:
            yield f'<path class="split" d="M{_n(x)} {_n(top)}V{_n(box.height)}"/>'
        yield _text(x + (tab.width - tab.label.width) / 2, top + 14, tab.label, "", SMALL)
        x += tab.width


def _outline(box: Box) -> str:
    w, h = box.width, box.height
    match box.family:
        case Family.SPEAK:
            return _rounded(w, h, 9, 9)
        case Family.PEOPLE:
            return _rounded(w, h, 16, 3)
        case Family.DECIDE:
            return f"M9 0H{_n(w - 9)}L{_n(w)} 9V{_n(h)}H0V9z"
        case Family.ASK:
            return f"M0 0H{_n(w - 12)}L{_n(w)} 12V{_n(h)}H0z"
        case Family.END:
            return f"M8 0H{_n(w - 8)}L{_n(w)} 8V{_n(h - 8)}L{_n(w - 8)} {_n(h)}H8L0 {_n(h - 8)}V8z"
        case _:
            return f"M0 0H{_n(w)}V{_n(h)}H0z"


def _strip(box: Box) -> str:
    """The upper edge of the outline, filled down to the strip's height."""
    w = box.width
    match box.family:
        case Family.SPEAK:
            return f"M0 {_n(STRIP)}V9a9 9 0 0 1 9-9H{_n(w - 9)}a9 9 0 0 1 9 9V{_n(STRIP)}z"
        case Family.PEOPLE:
            return f"M0 {_n(STRIP)}V16a16 16 0 0 1 16-16H{_n(w - 16)}a16 16 0 0 1 16 16V{_n(STRIP)}z"
        case Family.DECIDE:
            return f"M9 0H{_n(w - 9)}L{_n(w)} 9V{_n(STRIP)}H0V9z"
        case Family.ASK:
            return f"M0 0H{_n(w - 12)}L{_n(w)} 12V{_n(STRIP)}H0z"
        case Family.END:
            return f"M8 0H{_n(w - 8)}L{_n(w)} 8V{_n(STRIP)}H0V8z"
        case _:
            return f"M0 0H{_n(w)}V{_n(STRIP)}H0z"


def _rounded(w: float, h: float, above: float, below: float) -> str:
    return (
        f"M0 {_n(above)}a{_n(above)} {_n(above)} 0 0 1 {_n(above)}-{_n(above)}H{_n(w - above)}"
        f"a{_n(above)} {_n(above)} 0 0 1 {_n(above)} {_n(above)}V{_n(h - below)}"
        f"a{_n(below)} {_n(below)} 0 0 1-{_n(below)} {_n(below)}H{_n(below)}"
        f"a{_n(below)} {_n(below)} 0 0 1-{_n(below)}-{_n(below)}z"
    )


def _curve(points: tuple[Point, ...]) -> str:
    first, *rest = points
    *curve, tip = rest
    told = " ".join(f"{_n(x)} {_n(y)}" for x, y in curve)
    return f"M{_n(first[0])} {_n(first[1])}C{told}L{_n(tip[0])} {_n(tip[1])}"


def _glyph(family: Family, x: float, y: float) -> str:
    return f'<path class="glyph" transform="translate({_n(x)} {_n(y)})" d="{GLYPHS[family]}"/>'


def _text(x: float, y: float, cut: Cut, kind: str, size: float) -> str:
    if not cut.text:
        return ""
    held = "" if cut.sure else f' textLength="{_n(cut.width)}" lengthAdjust="spacingAndGlyphs"'
    kind = f' class="{kind}"' if kind else ""
    return f'<text{kind} x="{_n(x)}" y="{_n(y)}" font-size="{_n(size)}"{held}>{escape(cut.text)}</text>'


def _title(text: str) -> str:
    """Shown when the reader points at it, and read aloud."""
    return f"<title>{escape(chr(10).join(map(clean, text.splitlines())))}</title>"


def _n(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
