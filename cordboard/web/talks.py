"""Commands about talks, by REST and on the WebSocket. It decides how they are asked for and answered, nothing else."""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web

from cordboard.talk_desk import COMMANDS, SUPERVISION
from cordboard.web.body import body_of
from cordboard.web.ports import CommandRefused, UnknownAgent, WebDeps
from cordboard.web.render import answer

LONGEST = 150


class TalkApi:
    """`POST /api/calls/{call}/talk/{command}` with `{"to": ...}`, `POST /api/calls/{call}/supervise`."""

    def __init__(self, deps: WebDeps) -> None:
        self._deps = deps

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post(f"/api/calls/{{call_id}}/talk/{{command:{'|'.join(COMMANDS)}}}", self.talk),
            web.post("/api/calls/{call_id}/supervise", self.supervise),
        ]

    async def talk(self, request: web.Request) -> web.Response:
        body = await body_of(request, {"to"})
        call, command = request.match_info["call_id"], request.match_info["command"]
        self._deps.talk_command(call, command, _text(body, "to"))
        return answer({"call_id": call, "command": command})

    async def supervise(self, request: web.Request) -> web.Response:
        body = await body_of(request, {"agent", "mode"})
        agent, mode = _text(body, "agent"), _text(body, "mode")
        if not agent or mode not in SUPERVISION:
            raise web.HTTPBadRequest(text=f"agent and mode are needed; mode is one of {', '.join(SUPERVISION)}.")
        self._deps.supervise(request.match_info["call_id"], agent, mode)
        return answer({"call_id": request.match_info["call_id"], "agent": agent, "mode": mode})

    def frame(self, text: str) -> str:
        """One message of a WebSocket; the answer to it, always one."""
        try:
            asked = json.loads(text)
            if not isinstance(asked, dict):
                raise TypeError
            do, call = _text(asked, "do"), _text(asked, "call")
        except (ValueError, TypeError, RecursionError, web.HTTPBadRequest):
            return json.dumps({"refused": 'A command is {"do": ..., "call": ...}.'})
        told = {"do": do, "call": call}
        try:
            if do in SUPERVISION:
                self._deps.supervise(call, _text(asked, "agent"), do)
            elif do in COMMANDS:
                self._deps.talk_command(call, do, _text(asked, "to"))
            else:
                return json.dumps({"refused": f"There is no command {do[:40]!r}.", **told})
        except (CommandRefused, UnknownAgent) as refused:
            return json.dumps({"refused": str(refused), **told})
        except web.HTTPBadRequest as bad:
            return json.dumps({"refused": bad.text, **told})
        return json.dumps({"done": do, "call": call})


def _text(body: dict[str, Any], name: str) -> str:
    value = body.get(name) or ""
    if not isinstance(value, str) or len(value) > LONGEST or not value.isprintable():
        raise web.HTTPBadRequest(text=f"{name} must be a text of at most {LONGEST} characters.")
    return value
