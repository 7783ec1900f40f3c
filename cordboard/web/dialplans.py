"""Versions of the dialplans and switches over REST: what is asked, checked, and answered.

Whoever may use the API may publish, from any machine: the files can be sent along.
"""

from __future__ import annotations

import re
from typing import Any

from aiohttp import web

from cordboard.dialplan_versions import MAX_AUTHOR, MAX_COMMENT, Outcome
from cordboard.web.body import body_of
from cordboard.web.ports import DialplanDesk, SwitchDesk
from cordboard.web.query import whole
from cordboard.web.render import answer
from ivr.folder import MAX_FILES
from ivr.node import FILE_PATTERN, NAME_PATTERN

LARGEST_PAGE = 500
LARGEST_FOLDER = 5_000_000
MAX_NUMBERS = 1_000
_FILE = re.compile(FILE_PATTERN)
_NUMBER = re.compile(r"\+?[0-9*#]{1,32}")
_LINE = re.compile(r"[^\x00-\x1f\x7f]*")


class DialplansApi:
    """One method per route."""

    def __init__(self, desk: DialplanDesk) -> None:
        self._desk = desk

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/api/dialplans", self.present),
            web.get("/api/dialplans/versions", self.versions),
            web.get(r"/api/dialplans/versions/{number:\d{1,9}}", self.version),
            web.post("/api/dialplans/publish", self.publish),
            web.post("/api/dialplans/reload", self.reload),
            web.post("/api/dialplans/rollback", self.rollback),
            web.post("/api/dialplans/canary", self.start_canary),
            web.post("/api/dialplans/canary/stop", self.stop_canary),
            web.post("/api/dialplans/canary/promote", self.promote),
        ]

    async def present(self, _request: web.Request) -> web.Response:
        """What calls meet now."""
        versions = self._desk.versions
        live = await self._desk.find(versions.live)
        canary = await self._desk.find(versions.canary.version) if versions.canary is not None else None
        return answer(
            {
                "live": live.view(),
                "canary": canary.view() if canary is not None else None,
                "trouble": self._desk.trouble,
                "flows": [
                    {"name": flow.name, "numbers": list(flow.numbers), "description": flow.description}
                    for flow in versions.current
                ],
            }
        )

    async def versions(self, request: web.Request) -> web.Response:
        """A page, the newest first, and the cursor of the next page."""
        limit = whole(request.query.get("limit"), "limit", 50)
        if not 1 <= limit <= LARGEST_PAGE:
            raise web.HTTPBadRequest(text=f"limit must be 1 to {LARGEST_PAGE}.")
        before = whole(request.query.get("before"), "before", 0) or None
        found = await self._desk.page(limit, before)
        after = found[-1].number if len(found) == limit else None
        return answer({"versions": [one.view() for one in found], "next": after})

    async def version(self, request: web.Request) -> web.Response:
        """One version with everything that was in its folder."""
        number = int(request.match_info["number"])
        version = await self._desk.find(number)
        files = await self._desk.files(number)
        texts = {name: content.decode(errors="replace") for name, content in files.items()}
        return answer({"version": version.view(), "files": texts})

    async def publish(self, request: web.Request) -> web.Response:
        """The service's own folder, `files` that are sent along, or a `version` that is there already."""
        known = {"files", "version", "comment", "author", "stage"}
        body = await body_of(request.clone(client_max_size=LARGEST_FOLDER), known)
        number = _version(body)
        stage = body.get("stage", False)
        if not isinstance(stage, bool):
            raise web.HTTPBadRequest(text="stage must be true or false.")
        if number is not None:
            if len(body) > 1:
                raise web.HTTPBadRequest(text="With a version nothing else can be said: it is there already.")
            return _outcome(await self._desk.go_live(number))
        comment = _text(body, "comment", MAX_COMMENT, lines=True)
        author = _text(body, "author", MAX_AUTHOR)
        files = _files(body["files"]) if "files" in body else None
        return _outcome(await self._desk.publish(files, author=author, comment=comment, stage=stage))

    async def reload(self, request: web.Request) -> web.Response:
        """Publish the service's own folder, without a word."""
        await body_of(request, set())
        return _outcome(await self._desk.publish())

    async def rollback(self, request: web.Request) -> web.Response:
        body = await body_of(request, {"version"})
        return _outcome(await self._desk.rollback(_version(body)))

    async def start_canary(self, request: web.Request) -> web.Response:
        body = await body_of(request, {"version", "share", "numbers"})
        version, share, numbers = _version(body), body.get("share", 0), body.get("numbers", [])
        if version is None:
            raise web.HTTPBadRequest(text="version is missing.")
        if isinstance(share, bool) or not isinstance(share, (int, float)) or not 0 <= share < 1:
            raise web.HTTPBadRequest(text="share must be a number from 0 to below 1; for all calls, publish it.")
        if not isinstance(numbers, list) or len(numbers) > MAX_NUMBERS or not all(map(_is_number, numbers)):
            raise web.HTTPBadRequest(text=f"numbers must be a list of at most {MAX_NUMBERS} numbers such as +15550100.")
        if not share and not numbers:
            raise web.HTTPBadRequest(text="Nobody would meet it: give a share, or numbers.")
        return _outcome(await self._desk.start_canary(version, float(share), numbers))

    async def stop_canary(self, request: web.Request) -> web.Response:
        await body_of(request, set())
        return answer({"version": (await self._desk.stop_canary()).view()})

    async def promote(self, request: web.Request) -> web.Response:
        await body_of(request, set())
        return _outcome(await self._desk.promote())


class SwitchesApi:
    def __init__(self, desk: SwitchDesk) -> None:
        self._desk = desk

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/api/switches", self.switches),
            web.post(f"/api/switches/{{name:{NAME_PATTERN}}}", self.flip),
        ]

    async def switches(self, _request: web.Request) -> web.Response:
        return answer({"switches": self._desk.views()})

    async def flip(self, request: web.Request) -> web.Response:
        body = await body_of(request, {"on", "note", "by"})
        on = body.get("on")
        if not isinstance(on, bool):
            raise web.HTTPBadRequest(text="on must be true or false.")
        note, by = _text(body, "note", MAX_COMMENT), _text(body, "by", MAX_AUTHOR)
        return answer({"switch": await self._desk.flip(request.match_info["name"], on, note=note, by=by)})


def _outcome(outcome: Outcome) -> web.Response:
    problems = [str(problem) for problem in outcome.problems]
    if outcome.version is None:
        text = "The dialplans have errors; the running ones stay."
        return answer({"error": "\n".join([text, *problems]), "problems": problems}, status=422)
    return answer(
        {
            "version": outcome.version.view(),
            "unchanged": outcome.unchanged,
            "flows": list(outcome.flows),
            "warnings": problems,
        }
    )


def _version(body: dict[str, Any]) -> int | None:
    number = body.get("version")
    if number is not None and (isinstance(number, bool) or not isinstance(number, int) or not 0 < number < 10**9):
        raise web.HTTPBadRequest(text="version must be the number of a version.")
    return number


def _text(body: dict[str, Any], name: str, longest: int, *, lines: bool = False) -> str:
    text = body.get(name, "")
    if not isinstance(text, str) or len(text) > longest:
        raise web.HTTPBadRequest(text=f"{name} must be a text of at most {longest} characters.")
    text = text.strip()
    if not all(map(_LINE.fullmatch, text.splitlines() if lines else [text])):
        raise web.HTTPBadRequest(text=f"{name} holds characters that nobody can see.")
    return text


def _files(given: Any) -> dict[str, bytes]:
    if not isinstance(given, dict) or not given:
        raise web.HTTPBadRequest(text="files must be an object, a file's path to its text.")
    if len(given) > MAX_FILES:
        raise web.HTTPBadRequest(text=f"files may be {MAX_FILES} at most.")
    for name, text in given.items():
        if _FILE.fullmatch(name) is None:
            raise web.HTTPBadRequest(
                text=f"{name[:200]!r} is no file of a dialplan's folder such as shared/hours.yaml."
            )
        if not isinstance(text, str):
            raise web.HTTPBadRequest(text=f"files: {name} must be a text.")
    try:
        return {name: text.encode() for name, text in given.items()}
    except UnicodeEncodeError:
        raise web.HTTPBadRequest(text="files hold half a character.") from None


def _is_number(given: Any) -> bool:
    return isinstance(given, str) and _NUMBER.fullmatch(given) is not None
