"""The service's way to figures of any time: a process for each question, one after the other.

It refuses to know what figures are.
"""

from __future__ import annotations

import asyncio
import json
import sys

from cordboard.clock import Clock
from cordboard.figures.asking import question, to_json
from cordboard.figures.fold import Thresholds
from cordboard.figures.report import Report

LIMIT_S = 300.0


class FiguresFailed(Exception):
    """The text is for whoever asked."""


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
        """Raises `BadInterval` for what was asked wrongly, `FiguresFailed` when there is no answer."""
        asked = question(self._time_zone, self._thresholds, self._clock(), queue=queue, begin=begin, end=end, step=step)
        job = json.dumps({"database": self._database_url, "question": to_json(asked)}).encode()
        async with self._one_at_a_time:
            return await _done_elsewhere(job)


async def _done_elsewhere(job: bytes) -> Report:
    worker = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "cordboard.figures.worker",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(LIMIT_S):
            output, _ = await worker.communicate(job)
        content = json.loads(output)
    except TimeoutError:
        raise FiguresFailed(f"it took longer than {LIMIT_S:g} s") from None
    except ValueError:
        raise FiguresFailed("its process ended without an answer") from None
    finally:
        if worker.returncode is None:
            worker.kill()
            await worker.wait()
    if "error" in content:
        raise FiguresFailed(content["error"])
    found: Report = content["report"]
    return found
