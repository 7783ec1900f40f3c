"""REST for one agent: log in and out, pause, ready, more time after a talk, what it led to.

Decides what is asked and how it must look. Whether it can be done the distributor says.
"""

from __future__ import annotations

from aiohttp import web

from cordboard.web.body import body_of
from cordboard.web.ports import WebDeps
from cordboard.web.render import answer

COMMANDS = "login|logout|pause|ready"
LONGEST_REASON = 100
LONGEST_EXTENSION_S = 7200


class AgentApi:
    """One method per route."""

    def __init__(self, deps: WebDeps) -> None:
        self._deps = deps

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/api/agents", self.agents),
            web.post(f"/api/agents/{{agent}}/{{command:{COMMANDS}}}", self.command),
            web.post("/api/agents/{agent}/wrap-up", self.extend_wrap_up),
            web.post("/api/agents/{agent}/disposition", self.classify),
        ]

    async def agents(self, _request: web.Request) -> web.Response:
        return answer({"agents": self._deps.agents()})

    async def command(self, request: web.Request) -> web.Response:
        reason = (await body_of(request, {"reason"})).get("reason") or ""
        if not isinstance(reason, str) or len(reason) > LONGEST_REASON or not (reason.isprintable()):
            raise web.HTTPBadRequest(text=f"reason must be a text of at most {LONGEST_REASON} characters.")
        agent = self._deps.command_agent(request.match_info["agent"], request.match_info["command"], reason)
        return answer({"agent": agent})

    async def extend_wrap_up(self, request: web.Request) -> web.Response:
        """`{"extend": seconds}`, or nothing for the usual time."""
        seconds = (await body_of(request, {"extend"})).get("extend")
        number = isinstance(seconds, (int, float)) and not isinstance(seconds, bool)
        if seconds is not None and not (number and 1 <= seconds <= LONGEST_EXTENSION_S):
            raise web.HTTPBadRequest(text=f"extend must be 1 to {LONGEST_EXTENSION_S} seconds.")
        return answer({"agent": self._deps.extend_wrap_up(request.match_info["agent"], seconds)})

    async def classify(self, request: web.Request) -> web.Response:
        """`{"code": "sold"}`, by the disposition's name or its digit."""
        code = (await body_of(request, {"code"})).get("code")
        if not isinstance(code, str) or not code:
            raise web.HTTPBadRequest(text='code must be the name or the digit of a disposition, as {"code": "sold"}.')
        return answer({"agent": self._deps.classify(request.match_info["agent"], code[:LONGEST_REASON])})
