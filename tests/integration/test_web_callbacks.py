"""The list of callbacks over real HTTP, on a real database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer
from playwright.async_api import expect

from cordboard.allowed import Allowed
from cordboard.callback_desk import CallbackDesk
from cordboard.journal import Journal
from cordboard.storage.callbacks import CallbackStore
from cordboard.storage.engine import open_engine
from cordboard.storage.migrate import migrate
from cordboard.storage.reader import Reader
from cordboard.web.app import make_app
from cordboard.web.ports import WebDeps
from tests.chromium import chromium, page_at
from tests.fakes.storage import KeepingWriter

TOKEN = "a-token-for-tests"
NOW = 1_800_000_000.0

Ask = Callable[..., Awaitable[tuple[int, Any]]]
Kinds = list[tuple[str, str | None, dict[str, Any]]]
Client = TestClient[Any, Any]


@pytest.fixture
def notes() -> Kinds:
    return []


@pytest.fixture
async def client(tmp_path: Path, notes: Kinds) -> AsyncIterator[Client]:
    """Two callbacks are on record, and nothing else is there."""
    engine = open_engine(f"sqlite+aiosqlite:///{tmp_path / 'cordboard.db'}")
    await migrate(engine)
    journal = Journal(lambda: NOW, KeepingWriter())

    def note(kind: str, **more: Any) -> None:
        notes.append((kind, more["agent"], more["data"]))
        journal.note(kind, **more)

    desk = CallbackDesk(
        CallbackStore(engine),
        Allowed((), ("+1",), trunk=True),
        "US",
        ("1001", "1002"),
        clock=lambda: NOW,
        note=note,
        own=lambda work, _name: asyncio.create_task(work),
    )
    assert await desk.promise("c1", "+12025550142", "sales", "en", NOW - 10, {}) == "ok"
    assert await desk.promise("c2", "+12025550143", "support", "es", NOW - 99, {"order": "9"}) == "ok"
    notes.clear()
    deps: dict[str, Any] = {one.name: None for one in fields(WebDeps)}
    deps |= {"token": TOKEN, "company": "Test", "versions": {}, "callbacks": desk, "allowed_hosts": frozenset()}
    deps |= {"journal": journal, "history": Reader(engine, lambda: NOW), "clock": lambda: NOW}
    deps |= dict.fromkeys(("live_calls", "queues", "agents"), list)

    async def flush() -> bool:
        return True

    deps["flush"] = flush
    client = TestClient(TestServer(make_app(WebDeps(**deps))))
    await client.start_server()
    yield client
    await client.close()
    await engine.dispose()


@pytest.fixture
def ask(client: Client) -> Ask:
    """`ask(method, path, body)` gives status and content."""

    async def asked(method: str, path: str, body: Any = None) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        async with client.request(method, path, json=body, headers=headers) as answer:
            return answer.status, await answer.json()

    return asked


async def test_the_list_who_has_waited_longest_first(ask: Ask) -> None:
    status, found = await ask("GET", "/api/callbacks")
    assert status == 200
    assert [(one["number"], one["queue"], one["state"]) for one in found["callbacks"]] == [
        ("+12025550143", "support", "open"),
        ("+12025550142", "sales", "open"),
    ]
    assert found["callbacks"][0]["data"] == {"order": "9"}
    _, found = await ask("GET", "/api/callbacks?queue=sales&state=open&limit=1")
    assert [one["call_id"] for one in found["callbacks"]] == ["c1"]
    for bad in ("limit=0", "limit=x", "state=lost", "after=-1"):
        assert (await ask("GET", f"/api/callbacks?{bad}"))[0] == 400


async def test_a_callback_is_claimed_released_annotated_and_done(ask: Ask, notes: Kinds) -> None:
    _, claimed = await ask("POST", "/api/callbacks/1/claim", {"agent": "1001"})
    assert (claimed["callback"]["state"], claimed["callback"]["attempts"]) == ("claimed", 1)
    status, refused = await ask("POST", "/api/callbacks/1/claim", {"agent": "1002"})
    assert (status, refused["error"]) == (409, "Callback 1 is claimed by 1001.")
    await ask("POST", "/api/callbacks/1/release", {"note": "no answer"})
    await ask("POST", "/api/callbacks/1/note", {"note": "after six"})
    await ask("POST", "/api/callbacks/1/claim", {"agent": "1002"})
    _, done = await ask("POST", "/api/callbacks/1/done")
    assert {key: done["callback"][key] for key in ("state", "agent", "attempts", "note")} == {
        "state": "done",
        "agent": "1002",
        "attempts": 2,
        "note": "after six",
    }
    _, open_ones = await ask("GET", "/api/callbacks")
    assert [one["id"] for one in open_ones["callbacks"]] == [2]
    assert notes == [
        ("callback.claimed", "1001", {"callback": 1}),
        ("callback.released", "1001", {"callback": 1}),
        ("callback.claimed", "1002", {"callback": 1}),
        ("callback.closed", "1002", {"callback": 1, "state": "done"}),
    ]


@pytest.mark.parametrize(
    ("path", "body", "status", "text"),
    [
        ("9/claim", {"agent": "1001"}, 404, "There is no callback 9."),
        ("99999999999999999999999999/done", None, 404, "There is no such callback."),
        ("1/claim", None, 409, "Who claims it? An agent is needed."),
        ("1/claim", {"agent": "1003"}, 404, "There is no agent '1003'."),
        ("1/release", None, 409, "Callback 1 is open."),
        ("1/note", {"note": "x" * 501}, 400, "note must be a text of at most 500 characters, on one line."),
        ("1/note", {"note": "a\u0000b"}, 400, "note must be a text of at most 500 characters, on one line."),
        ("1/done", {"who": "me"}, 400, "Unknown in the body: who."),
    ],
)
async def test_what_is_refused_and_why(ask: Ask, path: str, body: Any, status: int, text: str) -> None:
    assert await ask("POST", f"/api/callbacks/{path}", body) == (status, {"error": text})


async def test_the_status_page_shows_whoever_is_to_be_called(client: Client, ask: Ask) -> None:
    async with chromium() as browser, page_at(browser, str(client.make_url(f"/?token={TOKEN}"))) as page:
        rows = page.locator("#callbacks tr")
        await expect(rows).to_have_count(2)
        await expect(rows.first).to_contain_text("+12025550143support")
        await ask("POST", "/api/callbacks/1/claim", {"agent": "1001"})
        await expect(rows.nth(1)).to_contain_text("claimed by 1001")
        for number in (1, 2):
            await ask("POST", f"/api/callbacks/{number}/done", {"note": "<b>called</b>"})
        await expect(page.locator("#callbacks-shown")).to_be_hidden()
