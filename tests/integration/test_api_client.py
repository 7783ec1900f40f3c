"""The command line and a service that is elsewhere, somebody else, slow or not there: what is said, no traceback."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from typer.testing import CliRunner

from cordboard.api_client import ServiceAddress, ServiceError
from cordboard.cli import app

Serve = Callable[[Callable[[web.Request], Awaitable[web.Response]]], Awaitable[ServiceAddress]]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    servers: list[TestServer] = []

    async def start(handler: Callable[[web.Request], Awaitable[web.Response]]) -> ServiceAddress:
        site = web.Application()
        site.router.add_route("*", "/{path:.*}", handler)
        server = TestServer(site)
        servers.append(server)
        await server.start_server()
        return ServiceAddress("", 0, "token", str(server.make_url("")).rstrip("/"))

    yield start
    for server in servers:
        await server.close()


async def test_a_page_of_a_gateway_is_not_taken_for_a_missing_service(serve: Serve, tmp_path: Path) -> None:
    async def page(_: web.Request) -> web.Response:
        return web.Response(status=502, text="<html>Bad gateway", content_type="text/html")

    service = await serve(page)
    said = f"what answers at {service.url} is no Cordboard: status 502, and not JSON"
    with pytest.raises(ServiceError, match=said):
        await service.ask("GET", "/api/calls")
    with pytest.raises(ServiceError, match=said):
        await service.fetch("/api/messages/x/audio", tmp_path / "x")


async def test_json_that_is_broken_or_no_object(serve: Serve) -> None:
    async def broken(request: web.Request) -> web.Response:
        text = '{"calls": [' if request.path == "/broken" else '["no"]'
        return web.Response(status=500, text=text, content_type="application/json")

    service = await serve(broken)
    with pytest.raises(ServiceError, match="is no Cordboard"):
        await service.ask("GET", "/broken")
    with pytest.raises(ServiceError, match="no"):
        await service.ask("GET", "/list")


async def test_a_slow_service_is_not_said_to_be_down(serve: Serve) -> None:
    over = asyncio.Event()

    async def slow(_: web.Request) -> web.Response:
        await over.wait()
        return web.json_response({})

    service = await serve(slow)
    with pytest.raises(ServiceError, match=r"has not answered within 0\.05 s"):
        await service.ask("GET", "/", limit_s=0.05)
    over.set()


@pytest.mark.parametrize(
    ("url", "token", "said"),
    [
        ("http://127.0.0.1:9", "", "CORDBOARD_SERVICE and CORDBOARD_TOKEN belong together"),
        ("", "token", "CORDBOARD_SERVICE and CORDBOARD_TOKEN belong together"),
        ("127.0.0.1:9", "token", "CORDBOARD_SERVICE must be a URL such as https://"),
        ("http://127.0.0.1:9", "to\r\nken: x", "no service at http://127.0.0.1:9"),
        ("http://127.0.0.1:9", "token\n", "Connect call failed"),
    ],
)
@pytest.mark.parametrize("command", [["messages", "fetch", "x", "x.flac"], ["dialplan", "versions"]])
def test_what_the_environment_says_wrongly(
    command: list[str], url: str, token: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CORDBOARD_SERVICE", url)
    monkeypatch.setenv("CORDBOARD_TOKEN", token)
    done = CliRunner().invoke(app, [*command, "--config", "no-such.yaml"])
    assert done.exit_code == 2
    assert said in done.stderr
