"""What stands in a URL behind the question mark, checked. Every refusal says which value is wrong."""

from __future__ import annotations

import math

from aiohttp import web


def whole(text: str | None, name: str, default: int) -> int:
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= 15):
        raise web.HTTPBadRequest(text=f"{name} must be a whole number.")
    return int(text)


def moment(text: str | None, name: str) -> float | None:
    if text is None:
        return None
    try:
        time = float(text)
    except ValueError:
        time = math.nan
    if not math.isfinite(time):
        raise web.HTTPBadRequest(text=f"{name} must be unix seconds.")
    return time
