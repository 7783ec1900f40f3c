"""One request and its answer on the wire, by aiohttp.

Decides what is trusted of a server: nothing beyond the first 64 KiB, no redirect, no cookie, no compressed answer, and
only certificates that this machine trusts. It says of a failure whether anything was sent. It refuses to know how often
something is tried, and keeps nothing of what it sends and reads.
"""

from __future__ import annotations

import asyncio
import json
import ssl
from types import SimpleNamespace
from typing import Any, Protocol

import aiohttp
from multidict import CIMultiDict
from yarl import URL

from cordboard.lookups.answer import Reply

LONGEST_ANSWER = 64 * 1024
LONGEST_HEADER = 8190

KEEP_ALIVE_S = 4.0
"""An idle connection is kept for less time than servers commonly keep theirs (5 s), so that it is ours to close."""

_TRANSPORT_ERRORS = (aiohttp.ClientError, OSError, asyncio.IncompleteReadError)


class Failure(Exception):
    """There is no reply. `reason` is one word; `sent`: the request may have reached the server."""

    def __init__(self, reason: str, *, sent: bool, final: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.sent = sent
        self.final = final
        """Another try would fail as well."""


class Exchange(Protocol):
    async def __call__(self, method: str, url: URL, headers: dict[str, str], body: Any, seconds: float, /) -> Reply:
        """Raises `Failure`."""


class HttpExchange:
    """Made on the loop; `close` at the end."""

    def __init__(self, at_once: int, tls: ssl.SSLContext | None = None) -> None:
        trace = aiohttp.TraceConfig()
        trace.on_request_headers_sent.append(_headers_sent)
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=at_once, keepalive_timeout=KEEP_ALIVE_S, ssl=ssl.create_default_context() if tls is None else tls
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "cordboard"},
            auto_decompress=False,
            raise_for_status=False,
            timeout=aiohttp.ClientTimeout(total=None),
            trace_configs=[trace],
            trust_env=False,
            max_line_size=LONGEST_HEADER,
            max_field_size=LONGEST_HEADER,
        )

    async def __call__(self, method: str, url: URL, headers: dict[str, str], body: Any, seconds: float) -> Reply:
        given: CIMultiDict[str] = CIMultiDict(headers)
        data = None
        fate = SimpleNamespace(sent=False)
        try:
            if body is not None:
                given.setdefault("Content-Type", "application/json")
                data = json.dumps(body, ensure_ascii=False, allow_nan=False).encode()
            async with (
                asyncio.timeout(seconds),
                self._session.request(
                    method, url, headers=given, data=data, allow_redirects=False, trace_request_ctx=fate
                ) as response,
            ):
                return await _reply(response)
        except TimeoutError:
            raise Failure("timeout", sent=fate.sent) from None
        except (aiohttp.ClientConnectorCertificateError, aiohttp.ClientConnectorSSLError):
            raise Failure("tls", sent=False, final=True) from None
        except _TRANSPORT_ERRORS:
            raise Failure("lost" if fate.sent else "unreachable", sent=fate.sent) from None
        except ValueError:  # a body, a header or an address that cannot be written
            raise Failure("not_sendable", sent=fate.sent, final=True) from None

    async def close(self) -> None:
        await self._session.close()


async def _headers_sent(
    _session: aiohttp.ClientSession, context: Any, _what: aiohttp.TraceRequestHeadersSentParams
) -> None:
    """Said just before the first byte of a request leaves."""
    context.trace_request_ctx.sent = True


async def _reply(response: aiohttp.ClientResponse) -> Reply:
    if response.headers.get("Content-Encoding", "identity") != "identity":
        response.close()
        return Reply(response.status, None)
    body = bytearray()
    async for piece in response.content.iter_any():
        body += piece
        if len(body) > LONGEST_ANSWER:
            response.close()
            return Reply(response.status, None)
    return Reply(response.status, bytes(body))
