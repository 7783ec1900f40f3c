"""The service's way to figures of any time: a process for each question, one after the other.

It refuses to know what figures are.
"""

from __future__ import annotations

import asyncio

from cordboard.clock import Clock
from cordboard.figures.asking import question, to_json
from cordboard.figures.fold import Thresholds
from cordboard.figures.report import Report
from cordboard.worker_process import work_elsewhere

LIMIT_S = 300.0
WORKER = "cordboard.figures.worker"


class FiguresDesk:
    def __init__(self, database_url: str, time_zone: str, thresholds: Thresholds, clock: Clock) -> None:
        self._database_url = database_url
        self._time_zone = time_zone
        self._thresholds = thresholds
        self._clock = clock
        self._one_at_a_time = asyncio.Lock()

    async def ask(
        self,
        *,
        queue: str | None = None,
        begin: str | None = None,
        end: str | None = None,
        step: str | None = None,
    ) -> Report:
        """Raises `BadInterval` for what was asked wrongly, `WorkerFailed` when there is no answer."""
        asked = question(self._time_zone, self._thresholds, self._clock(), queue=queue, begin=begin, end=end, step=step)
        job = {"database": self._database_url, "question": to_json(asked)}
        async with self._one_at_a_time:
            report: Report = (await work_elsewhere(WORKER, job, LIMIT_S))["report"]
        return report
