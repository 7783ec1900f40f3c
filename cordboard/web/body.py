"""The JSON body of a request, read strictly."""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web


async def body_of(request: web.Request, known: set[str]) -> dict[str, Any]:
    """The JSON object of a request, which may be absent."""
    text = await request.text()
    if not text.strip():
        return {}
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        raise web.HTTPBadRequest(text="The body is not JSON.") from None
    if not isinstance(body, dict):
        raise web.HTTPBadRequest(text="The body must be a JSON object.")
    unknown = sorted(body.keys() - known)
    if unknown:
        raise web.HTTPBadRequest(text=f"Unknown in the body: {', '.join(unknown)[:200]}.")
    return body
