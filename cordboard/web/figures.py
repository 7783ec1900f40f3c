"""REST for figures of any time: what is asked, checked, and answered. How they are computed is for others."""

from __future__ import annotations

from aiohttp import web

from cordboard.figures.days import BadInterval
from cordboard.web.ports import WebDeps
from cordboard.web.render import answer

_KNOWN = {"queue", "from", "to", "step", "token"}


class FiguresApi:
    """`GET /api/figures?queue=&from=&to=&step=`, all of them optional."""

    def __init__(self, deps: WebDeps) -> None:
        self._deps = deps

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/api/figures", self.figures)]

    async def figures(self, request: web.Request) -> web.Response:
        query = request.query
        unknown = sorted(query.keys() - _KNOWN)
        if unknown:
            raise web.HTTPBadRequest(text=f"Unknown in the query: {', '.join(unknown)[:200]}.")
        queue = query.get("queue") or None
        await self._deps.flush()
        try:
            content = await self._deps.figures(
                queue, query.get("from") or None, query.get("to") or None, query.get("step") or None
            )
        except BadInterval as error:
            text = str(error)
            raise web.HTTPBadRequest(text=f"{text[:1].upper()}{text[1:]}.") from None
        there = content["total"]["queues"].keys() | {view["name"] for view in self._deps.queues()}
        if queue is not None and queue not in there:
            raise web.HTTPNotFound(text=f"There is no queue {queue[:80]!r}, and was none in this time.")
        return answer(content)
