"""`python -m cordboard.replay_worker`: one job, as JSON on its input, is answered as JSON on its output.

A process of its own: replaying an hour takes seconds that no call must wait. The database's address comes on the input
because it may hold a password.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from typing import Any
from zoneinfo import ZoneInfo

from acd.snapshot import SnapshotMismatch
from cordboard.explaining import explain_call
from cordboard.replaying import extend_states
from cordboard.storage.engine import open_engine
from cordboard.storage.errors import StorageError
from cordboard.storage.routing import RoutingStore


async def do(job: dict[str, Any]) -> dict[str, Any]:
    database = open_engine(job["database"])
    store = RoutingStore(database)
    try:
        if "call" in job:
            return {"explanation": await explain_call(store, job["call"], ZoneInfo(job["zone"]))}
        replayed = await extend_states(store)
        forgotten = await store.forget(job["before"])
        return {
            "facts": replayed.facts,
            "differences": [str(one) for one in replayed.differences],
            "forgotten": forgotten,
        }
    except (StorageError, SnapshotMismatch) as error:
        return {"error": f"{type(error).__name__}: {error}"}
    finally:
        await database.dispose()


def main() -> None:
    os.nice(10)  # calls go first
    json.dump(asyncio.run(do(json.load(sys.stdin))), sys.stdout)


if __name__ == "__main__":
    main()
