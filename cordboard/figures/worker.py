"""`python -m cordboard.figures.worker`: one question, as JSON on its input, is answered as JSON on its output.

A process of its own: folding a busy day takes seconds that no call must wait. The database's address comes on the input
because it may hold a password.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from typing import Any

from cordboard.figures.asking import answer, from_json
from cordboard.storage.errors import StorageError


async def do(job: dict[str, Any]) -> dict[str, Any]:
    try:
        return {"report": await answer(job["database"], from_json(job["question"]))}
    except StorageError as error:
        return {"error": f"{type(error).__name__}: {error}"}


def main() -> None:
    os.nice(10)  # calls go first
    json.dump(asyncio.run(do(json.load(sys.stdin))), sys.stdout)


if __name__ == "__main__":
    main()
