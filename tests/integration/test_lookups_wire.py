"""Requests of flows on real sockets, and servers that do whatever servers do."""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from cordboard.lookups.allow_list import AllowList
from cordboard.lookups.exchange import LONGEST_ANSWER, HttpExchange
from cordboard.lookups.lookups import Limits, Lookups
from ivr.requests import HttpRequest, Saved, SecretName
from ivr.values import Kind

TLS = Path(__file__).parents[1] / "data" / "tls"
TIER = (Saved("tier", ("tier",), Kind.TEXT),)
PATIENCE_S = 0.3

Session = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Client:
    """Lookups on the wire, for the servers of one test."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.exchange = HttpExchange(16, tls)
        self.allow: list[str] = []
        self.reasons: list[str] = []
        self.tls = tls

    def _note(self, _kind: str, *, call_id: str, data: dict[str, Any]) -> None:
        self.reasons.append(data.get("reason", ""))

    async def ask(self, base: str, path: str = "/", method: Any = "GET", **more: Any) -> tuple[str, dict[str, Any]]:
        lookups = Lookups(
            self.exchange, AllowList([base]), {"KEY": "s3cret"}, self._note, time.monotonic, Limits(longest_s=5.0)
        )
        request = HttpRequest("test", method, base + path, timeout_s=PATIENCE_S, **{"save": TIER, **more})
        answered: asyncio.Future[tuple[str, dict[str, Any]]] = asyncio.get_running_loop().create_future()
        lookups.begin("c1", request, lambda outcome, values: answered.set_result((outcome, dict(values))))
        async with asyncio.timeout(6):
            result = await answered
        await lookups.close()
        return result


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    client = Client()
    yield client
    await client.exchange.close()


@contextlib.asynccontextmanager
async def raw_server(session: Session, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """A server that speaks whatever `session` writes. Connections that it leaves open are closed at the end."""
    writers: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            await session(reader, writer)

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    port = server.sockets[0].getsockname()[1]
    yield f"http{'s' if tls else ''}://{'localhost' if tls else '127.0.0.1'}:{port}"
    server.close()
    for writer in writers:
        writer.transport.abort()


async def request_of(reader: asyncio.StreamReader) -> bytes:
    return await reader.readuntil(b"\r\n\r\n")


def answering(raw: bytes) -> Session:
    async def session(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request_of(reader)
        writer.write(raw)
        await writer.drain()
        writer.close()

    return session


def plain(body: bytes, status: str = "200 OK", *headers: str) -> bytes:
    head = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


GOLD = b'{"tier": "gold"}'


@pytest.mark.parametrize(
    ("raw", "outcome", "reason"),
    [
        (plain(GOLD), "ok", ""),
        (plain(GOLD, "404 Not Found"), "not_found", ""),
        (plain(GOLD, "403 Forbidden"), "refused", "status_403"),
        (plain(GOLD, "502 Bad Gateway"), "failed", "status_502"),
        (plain(b"", "302 Found", "Location: http://127.0.0.1:1/"), "failed", "redirect"),
        (plain(b"<html>"), "failed", "not_json"),
        (plain(b'{"tier": 7}'), "failed", "wrong_kind"),
        (plain(b"{}"), "failed", "no_field"),
        (plain(b'{"tier": "%s"}' % (b"x" * LONGEST_ANSWER)), "failed", "too_long"),
        (plain(GOLD, "200 OK", "Content-Encoding: gzip"), "failed", "too_long"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n" + GOLD, "failed", "lost"),  # closed half-way
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "failed", "lost"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 20_000 + b"\r\n\r\n", "failed", "lost"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "failed", "lost"),
        (b"", "failed", "lost"),
    ],
)
async def test_whatever_a_server_answers(client: Client, raw: bytes, outcome: str, reason: str) -> None:
    async with raw_server(answering(raw)) as base:
        assert (await client.ask(base))[0] == outcome
    assert client.reasons == [reason]


async def silent(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    await request_of(reader)


async def dripping(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await request_of(reader)
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    for _ in range(1000):
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.02)


async def dripping_head(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await request_of(reader)
    writer.write(b"HTTP/1.1 200 OK\r\n")
    for number in range(1000):
        writer.write(f"X-{number}: x\r\n".encode())
        await writer.drain()
        await asyncio.sleep(0.02)


async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await request_of(reader)
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        writer.write(b"2000\r\n" + b"x" * 0x2000 + b"\r\n")
        await writer.drain()


@pytest.mark.parametrize(
    ("session", "reason"),
    [(silent, "timeout"), (dripping, "timeout"), (dripping_head, "timeout"), (endless, "too_long")],
)
async def test_a_server_that_never_ends_costs_no_more_than_the_time_for_it(
    client: Client, session: Session, reason: str
) -> None:
    async with raw_server(session) as base:
        began = time.monotonic()
        assert (await client.ask(base))[0] == "failed"
        assert time.monotonic() - began < PATIENCE_S + 1.0
    assert client.reasons == [reason]


async def test_nobody_there(client: Client) -> None:
    async with raw_server(silent) as base:
        pass
    assert (await client.ask(base))[0] == "failed"
    assert client.reasons == ["unreachable"]


async def test_a_certificate_that_nobody_vouches_for(client: Client) -> None:
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(TLS / "localhost.pem", TLS / "localhost.key")
    reached = []

    async def session(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        reached.append(await request_of(reader))

    async with raw_server(session, serving) as base:
        assert (await client.ask(base, headers=(("X-Key", (SecretName("KEY"),)),), tries=2))[0] == "failed"
    assert client.reasons == ["tls"]
    assert reached == [], "not a byte of the request was sent"


async def test_a_certificate_that_is_trusted() -> None:
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(TLS / "localhost.pem", TLS / "localhost.key")
    client = Client(ssl.create_default_context(cafile=str(TLS / "localhost.pem")))
    async with raw_server(answering(plain(GOLD)), serving) as base:
        assert await client.ask(base) == ("ok", {"tier": "gold"})
    await client.exchange.close()


@contextlib.asynccontextmanager
async def site(handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    tcp = web.TCPSite(runner, "127.0.0.1", 0)
    await tcp.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def test_what_is_sent_is_what_was_asked_for(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """And nothing else: no cookie, no proxy of the environment, the address byte for byte."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    seen: list[tuple[str, str, dict[str, str], bytes]] = []

    async def handler(request: web.Request) -> web.Response:
        seen.append((request.method, request.raw_path, dict(request.headers), await request.read()))
        return web.json_response({"tier": "gold"}, headers={"Set-Cookie": "session=1"})

    async with site(handler) as base:
        path = "/customers/a%2Fb%20c?q=%26%3D%2B"
        assert (await client.ask(base, path, headers=(("X-Key", ("k ", SecretName("KEY"))),)))[0] == "ok"
        assert (await client.ask(base, "/orders", "POST", body={"name": "José", "n": 1.5}))[0] == "ok"
    (_, first, headers, _), (method, _, second_headers, body) = seen
    assert first == path
    assert headers["X-Key"] == "k s3cret"
    assert headers["Accept-Encoding"] == "identity"
    assert "Cookie" not in second_headers
    assert method == "POST"
    assert second_headers["Content-Type"] == "application/json"
    assert json.loads(body) == {"name": "José", "n": 1.5}


async def test_connections_are_used_again(client: Client) -> None:
    peers = set()

    async def handler(request: web.Request) -> web.Response:
        assert request.transport is not None
        peers.add(request.transport.get_extra_info("peername"))
        return web.json_response({"tier": "gold"})

    async with site(handler) as base:
        for _ in range(5):
            assert (await client.ask(base))[0] == "ok"
    assert len(peers) == 1


async def test_an_order_whose_fate_is_unknown_arrives_once(client: Client) -> None:
    arrived = []

    async def session(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        arrived.append(await request_of(reader))
        writer.close()

    async with raw_server(session) as base:
        assert (await client.ask(base, "/orders", "POST", body={}, tries=3, save=()))[0] == "failed"
    assert len(arrived) == 1


async def test_a_question_is_asked_again_until_the_service_is_back(client: Client) -> None:
    states = [503, 503, 200]

    async def handler(_request: web.Request) -> web.Response:
        return web.json_response({"tier": "gold"}, status=states.pop(0))

    async with site(handler) as base:
        assert (await client.ask(base, tries=3)) == ("ok", {"tier": "gold"})
    assert states == []


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "a\nb", "a\x00b"])
async def test_a_header_cannot_bring_another_one(client: Client, value: str) -> None:
    reached = []

    async def session(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        reached.append(await request_of(reader))

    async with raw_server(session) as base:
        assert (await client.ask(base, headers=(("X-Key", (value,)),)))[0] == "failed"
    assert reached == []


async def test_a_body_that_is_no_json_is_our_fault(client: Client) -> None:
    async with raw_server(silent) as base:
        assert (await client.ask(base, "/", "POST", body={"n": float("nan")}))[0] == "failed"
    assert client.reasons == ["not_sendable"]


async def test_an_order_is_done_whatever_the_answer_holds(client: Client) -> None:
    async def handler(_request: web.Request) -> web.Response:
        return web.Response(status=204)

    async with site(handler) as base:
        assert (await client.ask(base, "/x", "DELETE", save=()))[0] == "ok"
        assert (await client.ask(base, "/x", "PUT", save=(), body={"a": [1, None]}))[0] == "ok"
