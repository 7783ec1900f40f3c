"""A real Chromium for the tests of the pages: Debian's, from the private root, driven by playwright."""

from __future__ import annotations

import contextlib
import os
import platform
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, Page, async_playwright

INSTALLED = Path(os.environ.get("CORDBOARD_ROOT", Path(__file__).parent.parent / "var"))
LAUNCHER = INSTALLED / "bin" / "chromium"
LIBATOMIC = INSTALLED / "asterisk-root" / "usr" / "lib" / f"{platform.machine()}-linux-gnu" / "libatomic.so.1"
"""Playwright's driver needs it, and a bare machine has none; the browser's own packages brought it."""


@contextlib.contextmanager
def library_for_the_driver() -> Iterator[None]:
    """That one library, in a folder of its own: with all of the private root's the driver would not start."""
    before = os.environ.get("LD_LIBRARY_PATH")
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / LIBATOMIC.name).symlink_to(LIBATOMIC.resolve())
        os.environ["LD_LIBRARY_PATH"] = folder if before is None else f"{folder}:{before}"
        try:
            yield
        finally:
            if before is None:
                del os.environ["LD_LIBRARY_PATH"]
            else:
                os.environ["LD_LIBRARY_PATH"] = before


@contextlib.asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    assert LAUNCHER.exists(), "the browser is missing: python asterisk/install.py asterisk chromium"
    with library_for_the_driver():
        play = await async_playwright().start()
    try:
        browser = await play.chromium.launch(
            executable_path=str(LAUNCHER),
            args=[
                # It runs through a loader, so /proc/self/exe is no Chromium: pages are started by the launcher too.
                *("--no-zygote", f"--browser-subprocess-path={LAUNCHER}"),
                *("--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking"),
            ],
        )
        try:
            yield browser
        finally:
            await browser.close()
    finally:
        await play.stop()


@contextlib.asynccontextmanager
async def page_at(browser: Browser, address: str, **context: Any) -> AsyncIterator[Page]:
    """An open page. Whatever it complains of on its console is an error of the test."""
    complaints: list[str] = []
    opened = await browser.new_context(viewport={"width": 1920, "height": 1080}, **context)
    page = await opened.new_page()
    page.on("pageerror", lambda error: complaints.append(str(error)))
    await page.goto(address)
    try:
        yield page
    finally:
        await opened.close()
    assert complaints == []
