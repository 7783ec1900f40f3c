"""One job in a process of its own: long computations that no call must notice. JSON in, JSON out.

Decides that a job ends: in time, or not at all. It refuses to know what the job is; a worker reads it from its standard
input and answers on its standard output, an object whose `error` says what went wrong.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any


class WorkerFailed(Exception):
    """There is no answer; the text is for whoever asked."""


async def work_elsewhere(module: str, job: dict[str, Any], limit_s: float) -> dict[str, Any]:
    """Run `python -m module`. Raises `WorkerFailed`."""
    worker = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        module,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(limit_s):
            output, _ = await worker.communicate(json.dumps(job).encode())
        answer: dict[str, Any] = json.loads(output)
    except TimeoutError:
        raise WorkerFailed(f"it took longer than {limit_s:g} s") from None
    except ValueError:
        raise WorkerFailed("its process ended without an answer") from None
    finally:
        if worker.returncode is None:
            worker.kill()
            await worker.wait()
    if "error" in answer:
        raise WorkerFailed(answer["error"])
    return answer
