"""`/health` for whoever watches the service, `/metrics` for Prometheus. Neither holds personal data; both are open."""

from __future__ import annotations

import asyncio

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from cordboard.storage.errors import DatabaseUnavailable
from cordboard.web.ports import WebDeps
from cordboard.web.render import answer

DATABASE_PATIENCE_S = 2.0


class Health:
    def __init__(self, deps: WebDeps) -> None:
        self._deps = deps

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/health", self.health), web.get("/metrics", self.metrics)]

    async def health(self, _request: web.Request) -> web.Response:
        """200 when calls can be served and written down, else 503; the body says what is wrong.

        Talks that cannot be recorded are no reason to take the service out of use, nor are dialplans that could not be
        taken over: degraded, and 200.
        """
        pbx, storage = self._deps.pbx_health(), self._deps.storage_health()
        readable = await self._database_answers()
        recordings, dialplans = self._deps.recordings.health(), self._deps.dialplans
        canary = dialplans.versions.canary
        well = pbx.linked and readable and not storage.failing
        return answer(
            {
                "status": "ok" if well and not recordings.trouble and not dialplans.trouble else "degraded",
                "pbx": {"ok": pbx.linked, "version": pbx.version, "detail": pbx.detail},
                "database": {
                    "ok": readable and not storage.failing,
                    "pending": storage.pending,
                    "dropped": storage.dropped,
                    "detail": storage.detail,
                },
                "recordings": {"ok": not recordings.trouble, "detail": recordings.trouble},
                "dialplans": {
                    "ok": not dialplans.trouble,
                    "version": dialplans.versions.live,
                    "canary": canary.version if canary is not None else None,
                    "detail": dialplans.trouble,
                },
                "switches_on": self._deps.switches.on,
                "versions": self._deps.versions,
            },
            status=200 if well else 503,
        )

    async def metrics(self, _request: web.Request) -> web.Response:
        return web.Response(body=generate_latest(self._deps.registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def _database_answers(self) -> bool:
        try:
            async with asyncio.timeout(DATABASE_PATIENCE_S):
                await self._deps.history.check()
        except (DatabaseUnavailable, TimeoutError):
            return False
        return True
