"""REST for surveys: what callers' answers come to, and the answers."""

from __future__ import annotations

from typing import get_args

from aiohttp import web

from cordboard.figures.days import BadInterval
from cordboard.survey import By
from cordboard.web.ports import SurveyAnswers
from cordboard.web.query import whole
from cordboard.web.render import answer

LARGEST_PAGE = 1_000
GROUPS: tuple[By, ...] = get_args(By)
_WANTED = ("queue", "agent", "survey")
_KNOWN = {*_WANTED, "from", "to", "token"}


class SurveysApi:
    """`GET /api/surveys?by=&from=&to=&queue=&agent=&survey=` and `GET /api/surveys/answers`, all of them optional."""

    def __init__(self, surveys: SurveyAnswers) -> None:
        self._surveys = surveys

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/api/surveys", self.figures), web.get("/api/surveys/answers", self.answers)]

    async def figures(self, request: web.Request) -> web.Response:
        query = _query(request, {"by"})
        wanted = query.get("by") or "question"
        by = next((group for group in GROUPS if group == wanted), None)
        if by is None:
            raise web.HTTPBadRequest(text=f"by must be one of {', '.join(GROUPS)}.")
        try:
            found = await self._surveys.figures(by, query.get("from"), query.get("to"), **_filter(query))
        except BadInterval as error:
            raise _bad(error) from None
        return answer(found)

    async def answers(self, request: web.Request) -> web.Response:
        """The newest first."""
        query = _query(request, {"limit", "after"})
        limit, after = whole(query.get("limit"), "limit", 100), whole(query.get("after"), "after", 0)
        if not 1 <= limit <= LARGEST_PAGE:
            raise web.HTTPBadRequest(text=f"limit must be 1 to {LARGEST_PAGE}.")
        try:
            found = await self._surveys.answers(query.get("from"), query.get("to"), limit, after, **_filter(query))
        except BadInterval as error:
            raise _bad(error) from None
        return answer({"answers": [one.view() for one in found]})


def _query(request: web.Request, more: set[str]) -> dict[str, str]:
    unknown = sorted(request.query.keys() - _KNOWN - more)
    if unknown:
        raise web.HTTPBadRequest(text=f"Unknown in the query: {', '.join(unknown)[:200]}.")
    return {name: value for name, value in request.query.items() if value}


def _filter(query: dict[str, str]) -> dict[str, str | None]:
    return {name: query.get(name) for name in _WANTED}


def _bad(error: BadInterval) -> web.HTTPBadRequest:
    text = str(error)
    return web.HTTPBadRequest(text=f"{text[:1].upper()}{text[1:]}.")
