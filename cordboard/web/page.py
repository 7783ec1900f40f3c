"""The status page and the wallboard: files, read once. They hold no data; that comes over the API, with the token."""

from __future__ import annotations

import html
from pathlib import Path

from aiohttp import web
from aiohttp.typedefs import Handler

STATIC = Path(__file__).parent / "static"
FILES = {
    "/": ("index.html", "text/html"),
    "/status.css": ("status.css", "text/css"),
    "/status.js": ("status.js", "text/javascript"),
    "/common.js": ("common.js", "text/javascript"),
    "/wallboard": ("wallboard.html", "text/html"),
    "/wallboard.css": ("wallboard.css", "text/css"),
    "/wallboard.js": ("wallboard.js", "text/javascript"),
    "/wallboard-words.js": ("wallboard-words.js", "text/javascript"),
    "/favicon.svg": ("favicon.svg", "image/svg+xml"),
}


def page_routes(company: str) -> list[web.RouteDef]:
    routes = []
    for path, (name, content_type) in FILES.items():
        text = (STATIC / name).read_text(encoding="utf-8")
        if content_type == "text/html":
            text = text.replace("{{company}}", html.escape(company))
        routes.append(web.get(path, _serving(text, content_type)))
    return routes


def _serving(text: str, content_type: str) -> Handler:
    async def serve(_request: web.Request) -> web.StreamResponse:
        return web.Response(text=text, content_type=content_type, charset="utf-8")

    return serve
