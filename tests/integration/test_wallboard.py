"""The wallboard: its feed over a real WebSocket, the page in a real Chromium. Queues and agents are played by hand."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestServer
from playwright.async_api import Browser, expect

from cordboard.events import Event
from cordboard.web.board import EVERY_S, STILL_S, Board
from cordboard.web.guard import add_headers, errors_as_json, token_check
from cordboard.web.page import page_routes
from cordboard.web.ports import PbxHealth
from tests.chromium import chromium, page_at

pytestmark = pytest.mark.asyncio(loop_scope="module")

TOKEN = "a-token-for-tests"


def queue(name: str, waiting: int = 0, waited: float = 0.0, **more: Any) -> dict[str, Any]:
    """A queue's view, with what a wall must not show."""
    return {
        "name": name,
        "waiting": waiting,
        "waiting_since": time.time() - waited if waiting else None,
        "longest_wait_s": waited,
        "callers": [{"call": "c-1", "number": "600111222"}] * waiting,
        "warn_wait_s": 30,
        "alarm_wait_s": 90,
        "open": True,
        "opens_at": None,
        **more,
    }


def agent(number: str, state: str = "ready", *queues: str, since: float = 0.0, **more: Any) -> dict[str, Any]:
    return {
        "id": number,
        "name": f"Agent {number}",
        "queues": list(queues or ("sales",)),
        "queue": None,
        "state": state,
        "reason": "",
        "since": time.time() - since,
        "reachable": True,
        "phone_busy": False,
        "free": state == "ready",
        "after_talk": None,
        "wrap_up_ends_at": None,
        "disposition_owed": False,
        "call": "c-1",
        "data": {"customer": "600111222"},
        **more,
    }


@dataclass
class Floor:
    """What the board's feed needs of the process."""

    shown_queues: list[dict[str, Any]] = field(default_factory=lambda: [queue("sales"), queue("support")])
    shown_agents: list[dict[str, Any]] = field(default_factory=lambda: [agent("1001")])
    linked: bool = True
    asked: int = 0
    listeners: list[Callable[[Event], None]] = field(default_factory=list)
    journal: Any = None
    clock: Callable[[], float] = time.time

    def __post_init__(self) -> None:
        self.journal = self

    def listen(self, listener: Callable[[Event], None]) -> None:
        self.listeners.append(listener)

    def queues(self) -> list[dict[str, Any]]:
        self.asked += 1
        return [dict(one) for one in self.shown_queues]

    def agents(self) -> list[dict[str, Any]]:
        return [dict(one) for one in self.shown_agents]

    def pbx_health(self) -> PbxHealth:
        return PbxHealth(self.linked)

    def happens(self, kind: str = "agent.state") -> None:
        for listener in self.listeners:
            listener(Event(1, time.time(), kind, None, None, None, {}))


@asynccontextmanager
async def serving(floor: Floor, port: int | None = None) -> AsyncIterator[TestServer]:
    async def queues(_request: web.Request) -> web.Response:
        return web.json_response({"queues": []})

    board: Any = Board(floor)  # type: ignore[arg-type]  # as much of the process as a board needs
    app = web.Application(middlewares=[errors_as_json, token_check(TOKEN)])
    app.add_routes([*page_routes("Test & Sons"), *board.routes(), web.get("/api/queues", queues)])
    app.on_response_prepare.append(add_headers)
    app.on_shutdown.append(board.close)
    async with TestServer(app, port=port) as server:
        yield server


@pytest.fixture
def floor() -> Floor:
    return Floor()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as running:
        yield running


# The feed


@asynccontextmanager
async def watching(server: TestServer) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    async with (
        aiohttp.ClientSession() as http,
        http.ws_connect(server.make_url(f"/api/wallboard?token={TOKEN}")) as feed,
    ):
        yield feed


async def frame(feed: aiohttp.ClientWebSocketResponse) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(await feed.receive_str(timeout=STILL_S + 2))
    return content


async def test_the_first_frame_is_everything_the_next_ones_what_changed(floor: Floor) -> None:
    async with serving(floor) as server, watching(server) as feed:
        first = await frame(feed)
        assert first["whole"]
        assert [one["name"] for one in first["queues"]] == ["sales", "support"]
        floor.shown_queues = [queue("sales", 1), queue("help")]
        floor.happens("queue.joined")
        second = await frame(feed)
        assert not second["whole"]
        assert [(one["name"], one["waiting"]) for one in second["queues"]] == [("sales", 1), ("help", 0)]
        assert second["agents"] == []
        assert second["gone"] == {"queues": ["support"], "agents": []}


async def test_no_caller_is_shown_on_a_wall(floor: Floor) -> None:
    floor.shown_queues = [queue("sales", 2, 5.0)]
    async with serving(floor) as server, watching(server) as feed:
        text = json.dumps(await frame(feed))
    assert "600111222" not in text
    assert "c-1" not in text


async def test_however_much_happens_it_is_looked_at_twice_a_second(floor: Floor) -> None:
    async with serving(floor) as server, watching(server) as one, watching(server) as other:
        for feed in (one, other):
            await frame(feed)
        began, asked = time.monotonic(), floor.asked
        for number in range(200):
            floor.shown_agents = [agent("1001", since=number)]
            floor.happens()
            await asyncio.sleep(0.005)
        await frame(one)
        await frame(other)
        assert floor.asked - asked <= (time.monotonic() - began) / EVERY_S + 1


async def test_that_nothing_changes_is_said_too(floor: Floor) -> None:
    async with serving(floor) as server, watching(server) as feed:
        await frame(feed)
        still = await frame(feed)
    assert still["queues"] == still["agents"] == []


async def test_the_feed_needs_the_token(floor: Floor) -> None:
    async with serving(floor) as server, aiohttp.ClientSession() as http:
        async with http.get(server.make_url("/api/wallboard")) as answer:
            assert answer.status == 401
        async with http.get(server.make_url("/wallboard")) as answer:
            text = await answer.text()
    assert "Test &amp; Sons" in text
    assert TOKEN not in text


# The page


def address(server: TestServer, extra: str = "", token: str = TOKEN) -> str:
    return f"{server.make_url('/wallboard')}{extra}#token={token}"


async def test_thresholds_states_and_words(floor: Floor, browser: Browser) -> None:
    figures = {"offered": 120, "answered": 110, "abandoned": 8, "service_level": 0.8421}
    floor.shown_queues = [
        queue(
            "sales",
            3,
            45.0,
            expected_wait_s=130,
            today={**figures, "service_level_formula": "answered in 20 s / offered"},
        ),
        queue("support", 1, 100.0),
        queue("gold", 1, 1.0),
        queue("quiet"),
        queue("night", open=False, opens_at=time.time() + 100),
    ]
    floor.shown_agents = [
        agent("1001", "talking", "sales", "support", since=125, queue="sales"),
        agent("1002", "not_ready", "sales", "support", since=60, reason="lunch"),
        agent("1003", "ready", "quiet", reachable=False, free=False),
        agent("1004", "logged_out", "gold"),
        agent("1005", "ready", "sales", name="<img src=x onerror=alert(1)>"),
    ]
    async with serving(floor) as server, page_at(browser, address(server), locale="en-US") as page:
        sales = page.locator(".tile[data-queue=sales]")
        await expect(sales.locator(".badge")).to_have_text("▲ long wait")
        await expect(sales.locator(".waiting dd")).to_have_text("3")
        await expect(sales.locator(".expected dd")).to_have_text("≤ 2:10")
        await expect(sales.locator(".level dd")).to_have_text("84.2 %")
        await expect(page.locator("#formulas")).to_contain_text("service level: answered in 20 s / offered")
        for key, count in (("free", 1), ("talking", 1), ("wrap_up", 0), ("not_ready", 1), ("logged_out", 0)):
            await expect(sales.locator(f".{key} dd")).to_have_text(str(count))
        await expect(page.locator(".tile[data-queue=support] .badge")).to_have_text("■ alarm")
        await expect(page.locator(".tile[data-queue=gold] .badge")).to_have_text("■ nobody logged in")
        await expect(page.locator(".tile[data-queue=quiet] .badge")).to_have_text("● calm")
        await expect(page.locator(".tile[data-queue=night] .badge")).to_contain_text("○ closed")
        await expect(page.locator("[data-agent='1001'] .state")).to_have_text("talking · sales")
        await expect(page.locator("[data-agent='1001'] .lasting")).to_have_text(re.compile(r"^2:\d\d$"))
        await expect(page.locator("[data-agent='1002'] .state")).to_have_text("not ready · lunch")
        await expect(page.locator("[data-agent='1003'] .state")).to_have_text("phone not connected")
        await expect(page.locator("[data-agent='1005'] strong")).to_have_text("<img src=x onerror=alert(1)>")
        await expect(page.locator("#away")).to_have_text("Logged out: Agent 1004")
        assert TOKEN not in page.url
        live = page.locator("[aria-live=polite]")
        await expect(live).not_to_be_empty()
        floor.shown_queues = [queue("quiet", 1, 31.0), *floor.shown_queues[:3]]
        floor.happens()
        await expect(live).to_have_text("quiet: long wait, 1 waiting")


async def test_a_wait_ticks_and_crosses_its_threshold_by_itself(floor: Floor, browser: Browser) -> None:
    floor.shown_queues = [queue("sales")]
    async with serving(floor) as server, page_at(browser, address(server), locale="en-US") as page:
        tile = page.locator(".tile[data-queue=sales]")
        await expect(tile.locator(".longest dd")).to_have_text("–")
        floor.shown_queues = [queue("sales", 1, 27.0)]
        floor.happens()
        await expect(tile.locator(".longest dd")).to_have_text("0:28")
        await expect(tile.locator(".badge")).to_have_text("● calm")
        await expect(tile.locator(".badge")).to_have_text("▲ long wait")
        await expect(tile.locator(".longest dd")).to_have_text("0:31")


async def test_in_spanish_and_for_some_queues_only(floor: Floor, browser: Browser) -> None:
    floor.shown_agents = [agent("1001", "wrap_up", "sales"), agent("1002", "ready", "support")]
    async with serving(floor) as server, page_at(browser, address(server, "?queues=sales"), locale="es-MX") as page:
        await expect(page.locator("#queues-title")).to_have_text("Colas")
        await expect(page.locator("[data-agent='1001'] .state")).to_have_text("cierre")
        await expect(page.locator(".tile")).to_have_count(1)
        await expect(page.locator(".agent")).to_have_count(1)
        assert await page.evaluate("document.documentElement.lang") == "es"
        assert page.url.endswith("/wallboard?queues=sales")


@pytest.mark.parametrize("scheme", ["dark", "light"])
async def test_every_text_has_contrast(floor: Floor, browser: Browser, scheme: Any) -> None:
    """WCAG AA: 4.5 to 1, on the ground that is really behind it."""
    floor.shown_queues = [
        queue("calm", 1),
        queue("warn", 1, 45.0),
        queue("alarm", 1, 100.0),
        queue("closed", open=False),
    ]
    states = ("ready", "offering", "talking", "wrap_up", "not_ready", "hold")
    floor.shown_agents = [agent(str(1000 + n), state, "calm", "warn", "alarm") for n, state in enumerate(states)]
    floor.shown_agents.append(agent("1010", "ready", "calm", reachable=False, free=False))
    async with serving(floor) as server, page_at(browser, address(server), color_scheme=scheme) as page:
        await expect(page.locator(".tile.is-alarm .badge")).to_be_visible()
        found = await page.evaluate(CONTRASTS)
    assert len(found) > 40
    assert [one for one in found if one["ratio"] < 4.5] == []


async def test_a_lost_pbx_and_a_lost_service_are_told(floor: Floor, browser: Browser) -> None:
    async with serving(floor) as server, page_at(browser, address(server), locale="en-US") as page:
        port = server.port
        await expect(page.locator("#link")).to_have_text("● live")
        await expect(page.locator("#stale")).to_be_hidden()
        floor.linked = False
        floor.happens("link.down")
        await expect(page.locator("#stale")).to_contain_text("The telephone system is not connected")
        await server.close()
        await expect(page.locator("#link")).to_have_text("✕ no live data")
        await expect(page.locator("#stale")).to_contain_text("Not live since")
        await expect(page.locator("[aria-live=polite]")).to_have_text("no live data")
        async with serving(Floor(shown_queues=[queue("sales", 7)]), port=port):
            await expect(page.locator(".tile[data-queue=sales] .waiting dd")).to_have_text("7", timeout=10_000)
            await expect(page.locator("#link")).to_have_text("● live")
            await expect(page.locator("#stale")).to_be_hidden()
            await expect(page.locator(".tile")).to_have_count(1)


async def test_a_feed_that_falls_silent_is_no_feed(floor: Floor, browser: Browser) -> None:
    async with serving(floor) as server, page_at(browser, address(server), locale="en-US") as page:
        await expect(page.locator("#link")).to_have_text("● live")
        await page.evaluate("heardAt -= 8500")  # as if that long ago
        await page.evaluate("tick()")
        await expect(page.locator("#link")).to_have_text("✕ no live data")


async def test_the_door(floor: Floor, browser: Browser) -> None:
    async with serving(floor) as server, page_at(browser, address(server, token="wrong"), locale="en-US") as page:
        await expect(page.locator("#door-note")).to_have_text("That token is not the right one.")
        await expect(page.locator("#board")).to_be_hidden()
        await page.fill("#token", TOKEN)
        await page.click("#door button")
        await expect(page.locator(".tile")).to_have_count(2)


CONTRASTS = """() => {
  const rgb = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = (color) => {
    const [r, g, b] = color.map((part) => part / 255).map(
      (part) => part <= .04045 ? part / 12.92 : ((part + .055) / 1.055) ** 2.4);
    return .2126 * r + .7152 * g + .0722 * b;
  };
  const ground = (node) => {
    for (let one = node; one; one = one.parentElement) {
      const color = rgb(getComputedStyle(one).backgroundColor);
      if (color.length < 4 || color[3] > 0) return color.slice(0, 3);
    }
    return [255, 255, 255];
  };
  return [...document.querySelectorAll("main *, body > header *")]
    .filter((node) => node.childElementCount === 0 && node.textContent.trim() && node.getClientRects().length)
    .map((node) => {
      const pair = [light(rgb(getComputedStyle(node).color).slice(0, 3)), light(ground(node))].sort((a, b) => b - a);
      return { text: node.textContent, ratio: (pair[0] + .05) / (pair[1] + .05) };
    });
}"""
