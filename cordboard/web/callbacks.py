"""REST for callbacks: the list of those who were promised a call, and working it."""

from __future__ import annotations

from aiohttp import web

from cordboard.callback import MAX_NOTE, PENDING, CallbackState
from cordboard.callback_desk import COMMANDS
from cordboard.web.body import body_of
from cordboard.web.ports import CallbackDesk
from cordboard.web.query import whole
from cordboard.web.render import answer

LARGEST_PAGE = 500
LARGEST_ID = 2**62


class CallbacksApi:
    """One method per route."""

    def __init__(self, desk: CallbackDesk) -> None:
        self._desk = desk

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/api/callbacks", self.callbacks),
            web.post(f"/api/callbacks/{{callback:[0-9]+}}/{{command:{'|'.join(COMMANDS)}}}", self.command),
        ]

    async def callbacks(self, request: web.Request) -> web.Response:
        """Those that are not closed, who has waited longest first; or those of one state."""
        query = request.query
        limit, after = whole(query.get("limit"), "limit", 100), whole(query.get("after"), "after", 0)
        if not 1 <= limit <= LARGEST_PAGE:
            raise web.HTTPBadRequest(text=f"limit must be 1 to {LARGEST_PAGE}.")
        state = query.get("state")
        if state is not None and state not in set(CallbackState):
            raise web.HTTPBadRequest(text=f"state must be one of {', '.join(CallbackState)}.")
        states = PENDING if state is None else (CallbackState(state),)
        found = await self._desk.page(states, query.get("queue"), limit, after)
        return answer({"callbacks": [one.view() for one in found]})

    async def command(self, request: web.Request) -> web.Response:
        body = await body_of(request, {"agent", "note"})
        number = int(request.match_info["callback"][:20])
        if number > LARGEST_ID:
            raise web.HTTPNotFound(text="There is no such callback.")
        agent, note = _text(body.get("agent"), "agent"), _text(body.get("note"), "note")
        changed = await self._desk.command(number, request.match_info["command"], agent, note)
        return answer({"callback": changed.view()})


def _text(given: object, name: str) -> str:
    if given is None:
        return ""
    if not isinstance(given, str) or len(given) > MAX_NOTE or not given.isprintable():
        raise web.HTTPBadRequest(text=f"{name} must be a text of at most {MAX_NOTE} characters, on one line.")
    return given
