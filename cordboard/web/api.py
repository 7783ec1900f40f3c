"""REST for calls and queues: what is asked, checked, and answered. How calls are kept is for others."""

from __future__ import annotations

from dataclasses import asdict

from aiohttp import web

from cordboard.legs import legs_of
from cordboard.storage.reader import CallCursor, CallFilter
from cordboard.web.ports import WebDeps
from cordboard.web.query import moment, whole
from cordboard.web.render import answer, event_fields, record_fields

LARGEST_PAGE = 500


class Api:
    """One method per route."""

    def __init__(self, deps: WebDeps) -> None:
        self._deps = deps

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/api/calls", self.calls),
            web.get("/api/calls/{call_id}", self.call),
            web.get("/api/calls/{call_id}/explain", self.explain),
            web.get("/api/queues", self.queues),
        ]

    async def calls(self, request: web.Request) -> web.Response:
        """Live calls; with `closed=1` a page of records, the newest first, and the cursor of the next page."""
        query = request.query
        if query.get("closed", "0") not in {"1", "true"}:
            return answer({"calls": self._deps.live_calls()})
        limit = whole(query.get("limit"), "limit", 50)
        if not 1 <= limit <= LARGEST_PAGE:
            raise web.HTTPBadRequest(text=f"limit must be 1 to {LARGEST_PAGE}.")
        wanted = CallFilter(
            queue=query.get("queue"),
            agent=query.get("agent"),
            outcome=query.get("outcome"),
            since=moment(query.get("since"), "since"),
            until=moment(query.get("until"), "until"),
        )
        await self._deps.flush()
        records = await self._deps.history.calls(limit, _cursor(query.get("before")), wanted)
        after = None
        if len(records) == limit:
            after = f"{records[-1].ended_at!r}~{records[-1].call_id}"
        return answer({"calls": [record_fields(record) for record in records], "next": after})

    async def call(self, request: web.Request) -> web.Response:
        """A call's record (or, while it lives, its view), who talked with the caller, and everything that happened."""
        call_id = request.match_info["call_id"]
        live = next((view for view in self._deps.live_calls() if view.get("call_id") == call_id), None)
        await self._deps.flush()
        history = await self._deps.history.call(call_id)
        if history is None and live is None:
            raise web.HTTPNotFound(text="There is no such call.")
        record = history.record if history is not None else None
        return answer(
            {
                "call": record_fields(record) if record is not None else live,
                "closed": record is not None,
                "legs": [asdict(leg) for leg in legs_of(history.events)] if history is not None else [],
                "events": [event_fields(event) for event in history.events] if history is not None else [],
            }
        )

    async def explain(self, request: web.Request) -> web.Response:
        """Why the call went where it did, as data and as `text`."""
        await self._deps.flush()
        explanation = await self._deps.explain(request.match_info["call_id"])
        if explanation is None:
            raise web.HTTPNotFound(text="This call was in no queue, or too long ago.")
        return answer(explanation)

    async def queues(self, _request: web.Request) -> web.Response:
        return answer({"queues": self._deps.queues()})


def _cursor(text: str | None) -> CallCursor | None:
    if text is None:
        return None
    ended_at, separator, call_id = text.partition("~")
    if not separator:
        raise web.HTTPBadRequest(text="before must be the `next` of an earlier page.")
    return CallCursor(moment(ended_at, "before") or 0.0, call_id)
