"""A flow as a drawing: what is drawn, where it stands, and that the file is plain and harmless SVG."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from itertools import combinations, product
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from cordboard.cli import app
from ivr.drawing.layout import MARGIN, Layout, Point, lay_out
from ivr.drawing.lettering import fit, width, wrap
from ivr.drawing.looks import Family, family_of
from ivr.drawing.picture import EDGE, Picture, draw
from ivr.drawing.svg import DARK, LIGHT, ON_STRIP, STRIPS, as_svg
from ivr.flow import Flow
from ivr.loader import load_text
from tests.fakes.large_flow import large_flow

SVG = "{http://www.w3.org/2000/svg}"
ROOT = Path(__file__).parents[2]


def flow_of(text: str) -> Flow:
    flow, problems = load_text(text.encode(), "flow.yaml", {"sales", "support"})
    assert flow is not None, problems
    return flow


@pytest.fixture(scope="module", params=range(1, 7))
def large(request: pytest.FixtureRequest) -> tuple[Flow, Picture, Layout]:
    flow = flow_of(large_flow(60, request.param))
    picture = draw(flow)
    return flow, picture, lay_out(picture)


Area = tuple[float, float, float, float]


def areas(picture: Picture, layout: Layout) -> list[Area]:
    return [(x, y, x + box.width, y + box.height) for box, (x, y) in zip(picture.boxes, layout.corners, strict=True)]


# What is drawn


def test_every_way_is_an_arrow_or_is_told_in_its_box(large: tuple[Flow, Picture, Layout]) -> None:
    flow, picture, _ = large
    names = {number: box.name.text for number, box in enumerate(picture.boxes)}
    told = {(names[arrow.source], names[arrow.target]) for arrow in picture.arrows}
    told |= {(box.name.text, names[jump.to]) for box in picture.boxes for jump in box.jumps}
    written = {(name, target) for name, node in flow.nodes.items() for _, target in node.targets()}
    assert written == {(source, target) for source, target in told if source in flow.nodes}


def test_arrows_lead_down(large: tuple[Flow, Picture, Layout]) -> None:
    _, picture, layout = large
    boxes = areas(picture, layout)
    for arrow in picture.arrows:
        assert boxes[arrow.source][3] < boxes[arrow.target][1]


def test_where_callers_come_in_and_what_happens_on_errors_is_marked(large: tuple[Flow, Picture, Layout]) -> None:
    _, picture, _ = large
    by_name = {box.name.text: number for number, box in enumerate(picture.boxes)}
    ways = {(arrow.source, arrow.target): arrow.unhappy for arrow in picture.arrows}
    assert ways[by_name["dialled: 100, 101"], by_name["welcome"]] is False
    assert ways[by_name["on error"], by_name["sorry"]] is True


def test_a_box_tells_the_first_words_and_its_title_all_of_them() -> None:
    text = "One moment please, we are looking for somebody who speaks your language and knows the wheels that you ride."
    flow = flow_of(f"""
flow: words
numbers: ["1"]
language: en
start: here
nodes:
  here: {{say: "{text}", description: What it is for, tags: [a, b], next: done}}
  done: {{hangup: {{}}}}
""")
    here = draw(flow).boxes[0]
    assert here.lines[0].text.startswith("“One moment")
    assert here.lines[-1].text.endswith("…")
    assert len(here.lines) == 3
    assert here.title.splitlines() == ["here (say)", "What it is for", "a, b", f"say [en]: {text}", "next → done"]


def test_keys_that_lead_to_the_same_node_are_one_way() -> None:
    flow = flow_of("""
flow: keys
numbers: ["1"]
language: en
start: ask
nodes:
  ask: {menu: {prompt: "Press.", keys: {"1": a, "2": a, "3": ask, "4": done}, otherwise: done}}
  a: {say: "One or two.", next: done}
  done: {hangup: {}}
""")
    ask = draw(flow).boxes[0]
    assert [tab.label.text for tab in ask.tabs] == ["1, 2", "4, otherwise"]
    assert [(jump.label.text, jump.target.text) for jump in ask.jumps] == [("3", "itself, again")]


def test_a_verb_that_nobody_told_about_is_drawn_as_plain() -> None:
    assert family_of("whatever") is Family.PLAIN
    assert family_of("menu") is Family.ASK


# Where it stands


def test_no_box_covers_another(large: tuple[Flow, Picture, Layout]) -> None:
    _, picture, layout = large
    for one, other in combinations(areas(picture, layout), 2):
        assert one[2] < other[0] or other[2] < one[0] or one[3] < other[1] or other[3] < one[1]


def test_all_of_it_is_on_the_sheet(large: tuple[Flow, Picture, Layout]) -> None:
    _, picture, layout = large
    for left, top, right, bottom in areas(picture, layout):
        assert left >= MARGIN - 1
        assert top >= MARGIN - 1
        assert right <= layout.width - MARGIN + 1
        assert bottom <= layout.height - MARGIN + 1


def test_no_arrow_runs_through_a_box(large: tuple[Flow, Picture, Layout]) -> None:
    """Nor over a label: labels stand in boxes. Its own two boxes it may touch at the edge."""
    _, picture, layout = large
    boxes = areas(picture, layout)
    for arrow, curve in zip(picture.arrows, layout.curves, strict=True):
        points = on(curve)
        for number, (left, top, right, bottom) in enumerate(boxes):
            slack = 4.0 if number in (arrow.source, arrow.target) else 0.0
            inside = [
                (x, y) for x, y in points if left + slack < x < right - slack and top + slack < y < bottom - slack
            ]
            assert not inside, (arrow.title, picture.boxes[number].name.text)


def on(curve: tuple[Point, ...]) -> list[Point]:
    points = []
    for begin in range(0, len(curve) - 3, 3):
        for t in (step / 20 for step in range(21)):
            weights = ((1 - t) ** 3, 3 * (1 - t) ** 2 * t, 3 * (1 - t) * t * t, t**3)
            corner = curve[begin : begin + 4]
            points.append(
                (
                    sum(w * x for w, (x, _) in zip(weights, corner, strict=True)),
                    sum(w * y for w, (_, y) in zip(weights, corner, strict=True)),
                )
            )
    return points


def test_an_arrow_leaves_at_its_label(large: tuple[Flow, Picture, Layout]) -> None:
    _, picture, layout = large
    for arrow, curve in zip(picture.arrows, layout.curves, strict=True):
        box, (x, y) = picture.boxes[arrow.source], layout.corners[arrow.source]
        before = sum(tab.width for tab in box.tabs[: arrow.tab])
        if box.tabbed:
            assert x + before < curve[0][0] < x + before + box.tabs[arrow.tab].width
        assert curve[0][1] == pytest.approx(y + box.height, abs=2)


def test_few_arrows_cross(large: tuple[Flow, Picture, Layout]) -> None:
    """Of 60 nodes; with every way an arrow it would be two hundred."""
    _, _, layout = large
    assert layout.crossings <= 25


def test_crossings_are_counted() -> None:
    flow = flow_of("""
flow: cross
numbers: ["1"]
language: en
start: ask
nodes:
  ask: {menu: {prompt: "Press.", keys: {"1": a, "2": b}, otherwise: a}}
  a: {menu: {prompt: "A.", keys: {"1": c, "2": d}, otherwise: c}}
  b: {menu: {prompt: "B.", keys: {"1": c, "2": d}, otherwise: c}}
  c: {hangup: {}}
  d: {hangup: {cause: busy}}
""")
    layout = lay_out(draw(flow))
    assert layout.crossings >= 1, "a and b both lead to c and d: that cannot be drawn without"


def test_a_thousand_nodes_are_drawn_in_reasonable_time() -> None:
    flow = flow_of(large_flow(1000))
    begun = time.monotonic()
    picture = draw(flow)
    layout = lay_out(picture)
    svg = as_svg(picture, layout)
    assert time.monotonic() - begun < 30
    assert svg.count('<g id="n') == 1002


# Words and their widths


@given(st.text(max_size=60), st.floats(min_value=30, max_value=300))
def test_a_text_is_cut_to_its_room(text: str, room: float) -> None:
    cut = fit(text, 12, room)
    assert width(cut.text, 12) <= room
    assert "\n" not in cut.text
    assert all(width(line.text, 12) <= room for line in wrap(text, 12, room, 3))
    assert len(wrap(text, 12, room, 3)) <= 3


def test_a_text_that_fits_is_whole() -> None:
    assert fit("press 1", 12, 200).text == "press 1"
    assert [line.text for line in wrap("one two three", 12, 60, 3)] == ["one two", "three"]


def test_letters_of_unknown_width_are_held_to_what_was_counted() -> None:
    assert fit("Grüße, ¿qué tal?", 12, 300).sure
    assert not fit("こんにちは", 12, 300).sure


# The file


def test_the_same_flow_gives_the_same_bytes() -> None:
    program = (
        "from ivr.loader import load_text; from tests.fakes.large_flow import large_flow;"
        "from ivr.drawing.picture import draw; from ivr.drawing.layout import lay_out;"
        "from ivr.drawing.svg import as_svg;"
        "p = draw(load_text(large_flow(40).encode(), 'x')[0]); print(as_svg(p, lay_out(p)), end='')"
    )
    runs = [
        subprocess.run(
            [sys.executable, "-c", program],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        )
        for seed in ("1", "2")
    ]
    assert runs[0].stdout == runs[1].stdout != b""
    assert runs[0].stderr == b"", "nothing is said on the side"


NASTY = ('<script>alert("1")</script>', "]]> & ' \" -->", "javascript:alert(1)", "</text></g></svg>", "\u202eabc\u200b")


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(NASTY) | st.text(min_size=1, max_size=200))
def test_no_text_of_an_admin_becomes_markup(text: str) -> None:
    text = text.replace("{", "").replace("}", "").replace("\x00", "")
    flow = flow_of("""
flow: nasty
numbers: ["1"]
language: en
start: here
nodes:
  here: {say: Hello., next: done}
  done: {hangup: {}}
""")
    flow = Flow(**{name: getattr(flow, name) for name in flow.__dataclass_fields__} | {"description": text})
    here = flow.nodes["here"].model_copy(update={"description": text, "tags": (text,)})
    flow = Flow(
        **{name: getattr(flow, name) for name in flow.__dataclass_fields__}
        | {"nodes": {**flow.nodes, "here": here}, "name": text}
    )
    picture = draw(flow)
    harmless(as_svg(picture, lay_out(picture)))


def harmless(svg: str) -> None:
    allowed = {"svg", "title", "style", "defs", "marker", "path", "rect", "text", "g", "a"}
    root = ElementTree.fromstring(svg)
    for element in root.iter():
        assert element.tag.removeprefix(SVG) in allowed
        for name, value in element.attrib.items():
            assert not name.startswith("on")
            assert "url(" not in value
            if "href" in name:
                assert value.startswith("#n")
    style = "".join(element.text or "" for element in root.iter(f"{SVG}style"))
    assert style.count("url(") == style.count("url(#tip)")
    assert "@import" not in style


def test_a_large_drawing_is_harmless_too(large: tuple[Flow, Picture, Layout]) -> None:
    _, picture, layout = large
    harmless(as_svg(picture, layout))


def brightness(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    dark, bright = sorted((brightness(one), brightness(other)))
    return (bright + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_texts_stand_out(colours: dict[str, str]) -> None:
    for ink, ground in product(("ink", "soft"), ("paper", "box")):
        assert contrast(colours[ink], colours[ground]) >= 4.5
    assert contrast(colours["line"], colours["paper"]) >= 3
    assert all(contrast(ON_STRIP, strip) >= 4.5 for strip in STRIPS.values())


def test_words_keep_away_from_the_outline() -> None:
    picture = draw(flow_of(large_flow(20)))
    for box in picture.boxes:
        if not box.outside:
            lines = [line.width for line in box.lines]
            jumps = [jump.label.width + 20 + jump.target.width for jump in box.jumps]
            assert max([box.name.width, *lines, *jumps]) <= box.width - 2 * EDGE + 1
            assert sum(tab.width for tab in box.tabs) <= box.width + 0.01
            assert all(tab.label.width < tab.width for tab in box.tabs)


# The command


def test_the_command_draws_a_file(tmp_path: Path) -> None:
    source, drawing = tmp_path / "large.yaml", tmp_path / "large.svg"
    source.write_text(large_flow(60))
    result = CliRunner().invoke(app, ["dialplan", "graph", str(source), "-o", str(drawing)])
    assert result.exit_code == 0
    assert "60 nodes" in result.output
    assert "cross" in result.output
    assert ElementTree.parse(drawing).getroot().tag == f"{SVG}svg"


def test_the_command_says_which_flows_there_are(tmp_path: Path) -> None:
    config = tmp_path / "cordboard.yaml"
    config.write_text((ROOT / "cordboard.yaml").read_text())
    (tmp_path / "dialplans").mkdir()
    (tmp_path / "dialplans" / "a.yaml").write_text(large_flow(20))
    run = CliRunner().invoke(app, ["dialplan", "graph", "nowhere", "-c", str(config)])
    assert run.exit_code == 2
    assert "there is no flow or file 'nowhere'; there are: large" in run.output


def test_a_file_with_errors_is_not_drawn(tmp_path: Path) -> None:
    source = tmp_path / "bad.yaml"
    source.write_text("flow: bad\n")
    run = CliRunner().invoke(app, ["dialplan", "graph", str(source), "-o", str(tmp_path / "bad.svg")])
    assert run.exit_code == 2
    assert "bad.yaml:1:1" in run.output
    assert not (tmp_path / "bad.svg").exists()


def test_a_file_that_takes_in_others_is_drawn_with_them(tmp_path: Path) -> None:
    (tmp_path / "part.yaml").write_text("prompts: {hello: Hello there.}")
    source = tmp_path / "flow.yaml"
    source.write_text(
        """
flow: whole
include: [part.yaml]
numbers: ["1"]
language: en
start: here
nodes:
  here: {say: hello, next: done}
  done: {hangup: {}}
"""
    )
    drawing = tmp_path / "flow.svg"
    run = CliRunner().invoke(
        app, ["dialplan", "graph", str(source), "-o", str(drawing), "-c", str(tmp_path / "none.yaml")]
    )
    assert run.exit_code == 0, run.output
    assert "“Hello there.”" in drawing.read_text()
