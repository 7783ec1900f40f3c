"""Whether a drawing can be read, measured in a real Chromium: it knows how wide words really are."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from ivr.drawing.layout import lay_out
from ivr.drawing.picture import draw
from ivr.drawing.svg import DARK, LIGHT, as_svg
from ivr.loader import load_text
from tests.chromium import chromium, page_at
from tests.fakes.large_flow import large_flow

pytestmark = pytest.mark.asyncio(loop_scope="module")

MEASURE = """() => {
  const area = (it) => { const b = it.getBoundingClientRect(); return [b.left, b.top, b.right, b.bottom]; };
  const texts = (it) => [...it.querySelectorAll('text')].map((text) => ({words: text.textContent, area: area(text)}));
  const boxes = [...document.querySelectorAll('g[id]')];
  return {
    boxes: boxes.map((box) => ({rim: area(box.querySelector('.rim')), texts: texts(box)})),
    texts: texts(document),
    arrows: document.querySelectorAll('.arrow').length,
    paper: getComputedStyle(document.querySelector('.paper')).fill,
  };
}"""

ODD = """
flow: odd
description: "Letters of the world"
numbers: ["100", "101", "102", "103", "104", "105", "106", "107", "108", "109", "110", "111", "112", "+15551234567"]
language: en
start: wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww
nodes:
  wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww:
    say: "WWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWW %%%%%%%%%%% @@@@@@@@@@ MMMMMMMMMMMMMMMM"
    next: world
  world: {say: "こんにちは、お電話ありがとうございます。最初にお名前をどうぞ。", next: arabic}
  arabic: {say: "مرحبا بكم في خدمة العملاء ﷽ شكرا لاتصالكم بنا اليوم", next: emoji}
  emoji: {say: "A 👩‍👩‍👧‍👦 family, 🚲🚲🚲 bikes, ŁØŒÆŊ, and ﬃ ligatures", next: iii}
  iii:
    menu:
      prompt: "iiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiii llllllllllllllllllllllllllllllllllllllllllllllll"
      keys: {"0": a, "1": b, "2": c, "3": d, "4": e, "5": f, "6": g, "7": h, "8": i, "9": j, "*": k, "#": iii}
      otherwise: l
  a: {hangup: {}}
  b: {hangup: {}}
  c: {hangup: {}}
  d: {hangup: {}}
  e: {hangup: {}}
  f: {hangup: {}}
  g: {hangup: {}}
  h: {hangup: {}}
  i: {hangup: {}}
  j: {hangup: {}}
  k: {hangup: {}}
  l: {hangup: {}}
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as running:
        yield running


async def measured(browser: Browser, folder: Path, text: str, scheme: str = "light") -> dict[str, Any]:
    flow, problems = load_text(text.encode(), "flow.yaml", {"sales", "support"})
    assert flow is not None, problems
    picture = draw(flow)
    file = folder / "flow.svg"
    file.write_text(as_svg(picture, lay_out(picture)), encoding="utf-8")
    async with page_at(browser, file.as_uri(), color_scheme=scheme) as page:
        found: dict[str, Any] = await page.evaluate(MEASURE)
    assert len(found["boxes"]) == len(picture.boxes)
    assert found["arrows"] == len(picture.arrows)
    return found


@pytest.mark.parametrize("text", [large_flow(60), large_flow(60, 2), ODD], ids=["large", "another", "odd letters"])
async def test_every_word_is_inside_its_box_and_covers_no_other(browser: Browser, tmp_path: Path, text: str) -> None:
    found = await measured(browser, tmp_path, text)
    for box in found["boxes"]:
        left, _, right, _ = box["rim"]
        for written in box["texts"]:
            assert left < written["area"][0] <= written["area"][2] < right, written["words"]
    areas = [(text["area"], text["words"]) for text in found["texts"]]
    for index, (one, words) in enumerate(areas):
        for other, others in areas[index + 1 :]:
            # Lines of text have some space above and below their letters.
            apart = one[2] < other[0] or other[2] < one[0] or one[3] - 3 < other[1] or other[3] - 3 < one[1]
            assert apart, (words, others)


@pytest.mark.parametrize(("scheme", "colours"), [("light", LIGHT), ("dark", DARK)])
async def test_it_follows_the_readers_light_or_dark(
    browser: Browser, tmp_path: Path, scheme: str, colours: dict[str, str]
) -> None:
    found = await measured(browser, tmp_path, large_flow(20), scheme)
    paper = colours["paper"]
    red, green, blue = (int(paper[at : at + 2], 16) for at in (1, 3, 5))
    assert found["paper"] == f"rgb({red}, {green}, {blue})"
