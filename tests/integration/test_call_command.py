"""`cordboard call` against a phone that plays the PBX and a WebSocket that plays the service."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from aiohttp import WSMsgType, web

from cordboard.phones.agent_cli import PhoneOptions, run_phone
from cordboard.phones.caller_cli import CallOptions, run_call, unique_number
from cordboard.phones.listening import hears_tone
from cordboard.phones.phone_call import PhoneCall
from cordboard.phones.softphone import AnswerAfter, RefuseBusy, Softphone
from cordboard.phones.speaking import read_wav

NUMBER = "+15550100177"
NOWHERE = "http://127.0.0.1:9/api/events"


class FakeService:
    """Says events to everybody who listens."""

    def __init__(self) -> None:
        self.url = ""
        self.tokens: list[str | None] = []
        self._sockets: list[web.WebSocketResponse] = []

    async def _events(self, request: web.Request) -> web.WebSocketResponse:
        self.tokens.append(request.headers.get("Authorization"))
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self._sockets.append(socket)
        async for message in socket:
            assert message.type is WSMsgType.TEXT
        return socket

    async def say(self, kind: str, call_id: str = "c-1", agent: str | None = None, **data: Any) -> None:
        event = {"seq": 1, "at": time.time(), "kind": kind, "call_id": call_id, "agent": agent, "queue": None}
        for socket in self._sockets:
            await socket.send_json({**event, "data": data})

    async def say_nonsense(self) -> None:
        for socket in self._sockets:
            for text in ("not json", "[]", '{"hello": 1}', '{"kind": "x", "at": "never"}'):
                await socket.send_str(text)

    async def hang_up(self) -> None:
        for socket in self._sockets:
            await socket.close()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[FakeService]:
        application = web.Application()
        application.router.add_get("/api/events", self._events)
        runner = web.AppRunner(application)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}/api/events"
        try:
            yield self
        finally:
            await runner.cleanup()


@pytest.fixture(autouse=True)
async def nothing_is_left_running() -> AsyncIterator[None]:
    before = asyncio.all_tasks()
    yield
    assert asyncio.all_tasks() - before - {asyncio.current_task()} == set()


@pytest.fixture
async def service() -> AsyncIterator[FakeService]:
    async with FakeService().running() as running:
        yield running


@pytest.fixture
async def pbx() -> AsyncIterator[Softphone]:
    async with await Softphone.caller("127.0.0.1", 9, "100", incoming=AnswerAfter(0.05)) as phone:
        yield phone


def options(pbx: Softphone, lines: list[str], **more: Any) -> CallOptions:
    port = int(pbx.uri.rpartition(":")[2])
    return CallOptions(**{"port": port, "caller_number": NUMBER, "show": lines.append, **more})


async def test_a_whole_call_is_told(pbx: Softphone, service: FakeService, tmp_path: Path) -> None:
    lines: list[str] = []
    wav = tmp_path / "heard.wav"
    command = asyncio.create_task(
        run_call(
            options(
                pbx, lines, events_url=service.url, token="t0", press=("2", "1"), press_after=0.2, talk=0.3, record=wav
            )
        )
    )
    call = await pbx.wait_incoming()
    await call.wait_established()
    await service.say_nonsense()
    await service.say("call.arrived", call_id="other", caller="+15550100999")
    await service.say("call.arrived", caller=NUMBER, dialled="100")
    await service.say("prompt.started", node="main_menu", language="en")
    await call.wait_digits("2")
    assert call.received_digits == "2"  # the second key waits for the second prompt
    await service.say("prompt.started", call_id="other", node="foreign", language="en")
    await service.say("prompt.started", node="submenu", language="en")
    await call.wait_digits("21")
    call.say_tone(440)
    await service.say("talk.started", agent="1001")
    await call.wait_closed()
    await service.say("call.ended", outcome="talked", ended_by="caller")
    assert await command == 0
    assert service.tokens == ["Bearer t0"]
    told = "\n".join(lines)
    for expected in ("ringing", "answered", "prompt started: main_menu (en)", "key sent: 2", "key sent: 1"):
        assert expected in told
    for expected in ("connected to agent 1001", "first sound heard", "ended: we hung up", "record: talked", "recorded"):
        assert expected in told
    assert "foreign" not in told
    assert hears_tone(read_wav(wav), 440)
    times = [float(line.split(" s ")[0]) for line in lines]
    assert times == sorted(times)


async def test_without_the_service_it_says_so_and_goes_by_time(pbx: Softphone) -> None:
    lines: list[str] = []
    command = asyncio.create_task(run_call(options(pbx, lines, events_url=NOWHERE, press=("5",), press_after=0.1)))
    call = await pbx.wait_incoming()
    await call.wait_digits("5")
    await call.hang_up()
    assert await command == 0
    told = "\n".join(lines)
    assert "telling only what the phone sees" in told
    assert "ended: the far end hung up" in told


async def test_a_service_that_stops_in_the_middle_does_not_stop_the_call(pbx: Softphone, service: FakeService) -> None:
    lines: list[str] = []
    command = asyncio.create_task(
        run_call(options(pbx, lines, events_url=service.url, press=("5",), press_after=0.1, hangup_after=20))
    )
    call = await pbx.wait_incoming()
    await call.wait_established()
    await service.hang_up()
    await call.wait_digits("5", 10.0)
    await call.hang_up()
    assert await command == 0
    assert "ended its live events" in "\n".join(lines)


async def test_a_refused_call_fails(pbx: Softphone) -> None:
    pbx.incoming = RefuseBusy()
    lines: list[str] = []
    assert await run_call(options(pbx, lines, events_url=None)) == 1
    assert "ended: 486 Busy Here" in "\n".join(lines)


async def test_it_hangs_up_when_it_has_waited_long_enough(pbx: Softphone) -> None:
    lines: list[str] = []
    assert await run_call(options(pbx, lines, events_url=None, hangup_after=0.4)) == 0
    assert (await (await pbx.wait_incoming()).wait_closed()).reason == "the far end hung up"


async def test_interrupting_it_hangs_up(pbx: Softphone) -> None:
    lines: list[str] = []
    command = asyncio.create_task(run_call(options(pbx, lines, events_url=None)))
    call: PhoneCall = await pbx.wait_incoming()
    await call.wait_established()
    command.cancel()
    with suppress(asyncio.CancelledError):
        await command
    assert (await call.wait_closed()).reason == "the far end hung up"
    assert "interrupted" in "\n".join(lines)


async def test_an_agents_phone_that_cannot_register_fails_with_the_reason() -> None:
    lines: list[str] = []
    phone = PhoneOptions("1001", "secret", port=9, register_timeout=0.3, events_url=None, show=lines.append)
    status = await run_phone(phone)
    assert status == 1
    assert "phone 1001 could not register" in "\n".join(lines)


async def test_an_agents_phone_says_what_it_cannot_do() -> None:
    lines: list[str] = []
    assert await run_phone(PhoneOptions("1001", "secret", refuse="declined", show=lines.append)) == 2
    assert "only as `busy`" in lines[0]


def test_secrets_and_numbers_stay_out_of_reprs() -> None:
    assert "s3cret" not in repr(PhoneOptions("1001", "s3cret"))
    assert "1555" not in repr(CallOptions(token="t0"))
    assert unique_number().startswith("+155501")
