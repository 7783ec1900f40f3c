"""Replays from the database: is every decision still the same, and states to begin later replays at.

Decides how far apart states are. It refuses to know how a decision is replayed, and where it runs: not in the service,
whose calls it would delay (`replay_worker`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from acd.replay import Difference, Replay, State
from acd.snapshot import SnapshotMismatch
from cordboard.storage.engine import open_engine
from cordboard.storage.errors import StorageError
from cordboard.storage.routing import RoutingStore

STATE_EVERY = 20_000
"""Facts between two states: what an explanation replays at most, but for the last hour of the log."""

STATE_LEAST = 2_000
"""Facts that are worth a state of their own at the end of the log."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """`since` is where it began, None when there is nothing."""

    since: float | None = None
    facts: int = 0
    decisions: int = 0
    differences: list[Difference] = field(default_factory=list)
    program: str = ""


async def replay_all(store: RoutingStore) -> Replayed:
    """Everything that the log still has. Raises `DatabaseUnavailable`, `SnapshotMismatch`."""
    start = await store.first_beginning()
    return await _replay(store, start, keep_states=False)


async def extend_states(store: RoutingStore) -> Replayed:
    """From the newest state or beginning to the end, with new states on the way and at the end."""
    return await _replay(store, await store.beginning(await store.last() + 1), keep_states=True)


async def report_replay(database_url: str) -> tuple[list[str], bool]:
    """`replay_all` in words, and whether every decision is the same."""
    database = open_engine(database_url)
    try:
        replayed = await replay_all(RoutingStore(database))
    except (StorageError, SnapshotMismatch) as error:
        return [f"The routing log cannot be replayed: {error}"], False
    finally:
        await database.dispose()
    if replayed.since is None:
        return ["There is nothing to replay yet."], True
    since = datetime.fromtimestamp(replayed.since).astimezone().isoformat(" ", "seconds")
    counts = f"{replayed.facts} facts since {since}, {replayed.decisions} offers made"
    if not replayed.differences:
        return [f"{counts}: every decision is the same again."], True
    return [f"{counts}; written by version {replayed.program or 'unknown'}:", *map(str, replayed.differences)], False


async def _replay(store: RoutingStore, start: State | int | None, *, keep_states: bool) -> Replayed:
    if start is None:
        return Replayed()
    play = Replay(start if isinstance(start, State) else None)
    since = start.at if isinstance(start, State) else None
    facts_at_state = decisions = 0
    async for entry in store.lines(start.number + 1 if isinstance(start, State) else start):
        since = entry.at if since is None else since
        play.take(entry)
        decisions += len(entry.offers.split())
        if keep_states and play.facts - facts_at_state >= STATE_EVERY:
            facts_at_state = play.facts
            await _keep(store, play)
    if keep_states and play.facts - facts_at_state >= STATE_LEAST:
        await _keep(store, play)
    return Replayed(since, play.facts, decisions, play.differences, play.program)


async def _keep(store: RoutingStore, play: Replay) -> None:
    state = play.state()
    if state is not None:
        await store.keep(state)
