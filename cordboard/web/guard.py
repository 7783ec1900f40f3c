"""Who may come in: the token for the API, the Host header against DNS rebinding, and what browsers are told to forbid.

There is no CORS: another site's script can neither read us nor, lacking the token, make us do anything.
"""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Awaitable, Callable

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from cordboard.storage.errors import DatabaseUnavailable
from cordboard.web.ports import CommandRefused, NoAnswer, NotFound, UnknownAgent

log = structlog.get_logger()

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def failure(status: int, text: str) -> web.Response:
    return web.json_response({"error": text}, status=status)


async def add_headers(_request: web.Request, response: web.StreamResponse) -> None:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)


def host_check(allowed: frozenset[str]) -> Middleware:
    """Refuse names that are not ours. Bare addresses pass: rebinding needs a name."""
    names = {"localhost", *(name.lower() for name in allowed)}

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        host = _name(request.headers.get("Host", ""))
        if host not in names and not _is_address(host):
            return failure(421, "This host name is not one of ours; add it to web.allowed_hosts.")
        return await handler(request)

    return check


def token_check(token: str) -> Middleware:
    """Everything under /api needs the token."""
    expected = token.encode()

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path == "/api" or request.path.startswith("/api/"):
            scheme, _, given = request.headers.get("Authorization", "").partition(" ")
            if scheme.lower() != "bearer":
                given = request.query.get("token", "")
            if not hmac.compare_digest(given.strip().encode("utf-8", "surrogateescape"), expected):
                refusal = failure(401, "The token is missing or wrong.")
                refusal.headers["WWW-Authenticate"] = "Bearer"
                return refusal
        return await handler(request)

    return check


@web.middleware
async def errors_as_json(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    try:
        return await handler(request)
    except (UnknownAgent, NotFound) as error:
        return failure(404, str(error))
    except CommandRefused as error:
        return failure(409, str(error))
    except NoAnswer as error:
        return failure(503, str(error))
    except DatabaseUnavailable:
        return failure(503, "The database does not answer; try again later.")
    except web.HTTPException as error:
        if error.status < 400:
            raise
        answer = failure(
            error.status, error.text if error.text and error.text[:3] != str(error.status) else error.reason
        )
        if "Allow" in error.headers:
            answer.headers["Allow"] = error.headers["Allow"]
        return answer
    except Exception:
        # Route, not path: a path may hold a person's number.
        resource = request.match_info.route.resource
        log.exception("request failed", route=resource.canonical if resource else "", method=request.method)
        return failure(500, "Something went wrong here; it is in the log.")


def _name(host: str) -> str:
    """The Host header without its port."""
    host = host.strip().lower()
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
