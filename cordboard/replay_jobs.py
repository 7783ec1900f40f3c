"""The service's way to replays: a process for each job, and the upkeep of the routing log once an hour.

Decides when, and what is said of a decision that cannot be repeated. It refuses to know how a replay works.
"""

from __future__ import annotations

import asyncio
from typing import Any

import structlog

from cordboard.clock import Clock
from cordboard.worker_process import WorkerFailed, work_elsewhere

log = structlog.get_logger()

WORKER = "cordboard.replay_worker"
UPKEEP_EVERY_S = 3600.0
EXPLANATION_LIMIT_S = 60.0
JOB_LIMIT_S = 900.0
DAY_S = 86_400.0


class ReplayJobs:
    def __init__(self, database_url: str, days: int, clock: Clock, time_zone: str) -> None:
        self._database_url = database_url
        self._days = days
        self._clock = clock
        self._time_zone = time_zone
        self._explaining = asyncio.Lock()

    async def run(self) -> None:
        """Look after the log for as long as the service lives."""
        while True:
            await asyncio.sleep(UPKEEP_EVERY_S)
            await self.upkeep()

    async def upkeep(self) -> None:
        """Repeat the last hour's decisions, keep a state, remove what is too old. What goes wrong is only said."""
        try:
            answer = await self.do({"before": self._clock() - self._days * DAY_S})
        except WorkerFailed as failure:
            log.warning("the routing log could not be looked after", reason=str(failure))
            return
        for difference in answer["differences"]:
            log.error("a decision could not be repeated", difference=difference)
        log.info("routing log", replayed=answer["facts"], removed=answer["forgotten"])

    async def explain(self, call: str) -> dict[str, Any] | None:
        """Why a call went where it did; None when the log does not have it. One at a time. Raises `WorkerFailed`."""
        async with self._explaining:
            answer = await self.do({"call": call, "zone": self._time_zone}, EXPLANATION_LIMIT_S)
        explanation: dict[str, Any] | None = answer["explanation"]
        return explanation

    async def do(self, job: dict[str, Any], limit_s: float = JOB_LIMIT_S) -> dict[str, Any]:
        """One job in a process of its own. Raises `WorkerFailed`."""
        return await work_elsewhere(WORKER, {"database": self._database_url, **job}, limit_s)
