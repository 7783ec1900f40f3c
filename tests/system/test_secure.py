"""A card number is typed on a real phone, between two recorded talks: then it is nowhere but where it was sent."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from cordboard.phones.softphone import AnswerAfter
from tests.system.site import Site
from tests.system.test_recording import CALLER, Heard, recorded

pytestmark = pytest.mark.system

CARD = "4929737115608843"
PIECES = re.compile(rf"(?<![0-9.])(?:{'|'.join(CARD[at : at + 6] for at in range(len(CARD) - 5))})(?![0-9])|{CARD}")
"""Six of its digits in a row, but not within a time or a port."""
FLOW = """
flow: pay
numbers: ["190"]
language: en
start: first
services:
  bank: {{url: "http://127.0.0.1:{port}"}}
nodes:
  first: {{to_queue: {{queue: support, then: card, otherwise: done}}}}
  card:
    ask: {{type: digits, length: 12-19, check: luhn, secure: true, save: card, prompt: Goodbye., tries: 1}}
    next: pay
    otherwise: done
  pay: {{http: {{service: bank, post: /pay, body: {{card: "{{card}}"}}}}, next: second, otherwise: done}}
  second: {{to_queue: {{queue: support, then: done, otherwise: done}}}}
  done: {{hangup: {{}}}}
"""


class Bank:
    """Takes cards."""

    def __init__(self) -> None:
        self.paid: list[Any] = []

    async def start(self) -> TestServer:
        app = web.Application()
        app.router.add_post("/pay", self._pay)
        server = TestServer(app, host="127.0.0.1")
        await server.start_server()
        return server

    async def _pay(self, request: web.Request) -> web.Response:
        self.paid.append(await request.json())
        return web.json_response({})


async def variables_of_all_channels(site: Site) -> str:
    channels = await site.pbx.cli("core show channels concise")
    names = [line.split("!")[0] for line in channels.splitlines() if "!" in line]
    assert names
    return "\n".join([await site.pbx.cli(f"core show channel {name}") for name in names])


def everything_written(site: Site) -> Iterator[tuple[str, str]]:
    """Every file that Asterisk or we wrote, and every row."""
    for path in sorted(site.folder.rglob("*")):
        if path.is_file() and not path.is_relative_to(site.folder / "recordings") and "asterisk-root" not in path.parts:
            yield str(path), path.read_bytes().decode("latin-1")
    with sqlite3.connect(f"file:{site.folder / 'var' / 'cordboard.db'}?mode=ro", uri=True) as database:
        for (table,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            for row in database.execute(f"SELECT * FROM {table}").fetchall():
                yield table, repr(row)


async def test_what_was_typed_in_a_secure_step_is_nowhere(tmp_path: Path) -> None:
    bank = Bank()
    server = await bank.start()
    (tmp_path / "pay.yaml").write_text(FLOW.format(port=server.port))
    changes = {
        "queues.support.record": "always",
        "queues.support.record_silently": True,
        "lookups.allow": [f"http://127.0.0.1:{server.port}"],
    }
    site = Site(changes, tmp_path)
    try:
        await site.start()
        phone = await site.agent("1001", AnswerAfter(0.2))
        call = await site.call("190")
        call.say_tone(CALLER)
        theirs = await phone.wait_incoming()
        theirs.say_tone(1100)
        first = (await site.event("recording.started"))["data"]["recording"]
        await asyncio.sleep(1.0)
        await theirs.hang_up()

        await site.event("prompt.started", node="card")
        begun = len(site.events)
        await call.send_digits(CARD[:10])
        await site.until(lambda: _pressed(site, begun) == 10, 10, "ten keys")
        while_typing = await variables_of_all_channels(site)
        await call.send_digits(CARD[10:] + "#")

        theirs = await phone.wait_incoming()
        theirs.say_tone(1100)
        mark = next(i for i, event in enumerate(site.events) if event["kind"] == "recording.stopped")
        second = (await site.event("recording.started", after=mark))["data"]["recording"]
        assert bank.paid == [{"card": CARD}]
        afterwards = await variables_of_all_channels(site)
        await asyncio.sleep(1.0)
        await call.hang_up()
        await site.event("call.ended")

        keys = [event for event in site.events[begun:] if event["kind"] == "key.pressed"]
        assert len(keys) == len(CARD) + 1
        assert all(event["data"] == {} for event in keys)
        for recording in (first, second):
            heard: Heard = await recorded(site, recording)  # fails for any sound that is not one of the two tones
            assert heard.caller.any()
        assert theirs.received_digits == ""
        for shown in (while_typing, afterwards):
            assert "CB_MEMORY" in shown
            assert PIECES.search(shown) is None
        await site.audit()
        written = list(everything_written(site))
        assert any("+15550100000" in text for _, text in written), "what is looked through has the caller's number"
        for where, text in written:
            assert PIECES.search(text) is None, where
            assert not (where.endswith(".log") and "DTMF" in text), where
    finally:
        await site.close()
        await server.close()


def _pressed(site: Site, after: int) -> int:
    return sum(event["kind"] == "key.pressed" for event in site.events[after:])
