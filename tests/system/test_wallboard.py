"""The wallboard in a real Chromium while real calls are served, and while the service is away."""

from __future__ import annotations

import time

import pytest
from playwright.async_api import expect

from cordboard.phones.softphone import AnswerAfter
from tests.chromium import chromium, page_at
from tests.system.site import Site

pytestmark = pytest.mark.system


async def test_a_call_a_break_and_a_restart_as_the_wall_shows_them(site: Site) -> None:
    await site.agent("1001", AnswerAfter(0.5), ready=False)
    address = f"{site.api.url}/wallboard#token={site.api.token}"
    async with chromium() as browser, page_at(browser, address, locale="en-US") as page:
        support = page.locator(".tile[data-queue=support]")
        ana = page.locator("[data-agent='1001']")
        await expect(support.locator(".logged_out dd")).to_have_text("3")
        call = await site.call()
        await site.event("prompt.started")
        await call.send_digits("2")
        await site.event("queue.joined")
        await expect(support.locator(".waiting dd")).to_have_text("1", timeout=1_000)
        await expect(support.locator(".badge")).to_have_text("■ nobody logged in")
        await expect(support.locator(".longest dd")).to_have_text("0:01")

        await site.api.ask("POST", "/api/agents/1001/login", {})
        await expect(ana.locator(".state")).to_have_text("talking · support")
        await expect(support.locator(".waiting dd")).to_have_text("0")
        await expect(support.locator(".talking dd")).to_have_text("1")
        await expect(support.locator(".answered dd")).to_have_text("1")

        await site.kill_service()
        await expect(page.locator("#link")).to_have_text("✕ no live data")
        await expect(page.locator("#stale")).to_contain_text("Not live since")
        began = time.monotonic()
        await site.start_service()
        serves = time.monotonic()
        await expect(page.locator("#link")).to_have_text("● live", timeout=10_000)
        assert time.monotonic() - serves < 6, f"the page took its time ({serves - began:.1f} s for the service itself)"
        await expect(ana.locator(".state")).to_have_text("talking · support")

        await call.hang_up()
        await site.api.ask("POST", "/api/agents/1001/pause", {"reason": "lunch"})
        await expect(ana.locator(".state")).to_have_text("not ready · lunch")
    await site.audit()
