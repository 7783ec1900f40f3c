"""An archive that keeps what it is told, and a database of recordings in memory."""

from __future__ import annotations

from copy import deepcopy

from cordboard.recording import Recording, RecordingState
from cordboard.storage.errors import DatabaseUnavailable


class KeepingArchive:
    """What a recorder handed over. `trouble` makes it refuse."""

    def __init__(self) -> None:
        self.trouble = ""
        self.rows: dict[str, Recording] = {}
        self.finished: list[Recording] = []

    def refusal(self) -> str:
        return self.trouble

    def save(self, recording: Recording) -> None:
        self.rows[recording.recording] = deepcopy(recording)

    def finish(self, recording: Recording) -> None:
        self.finished.append(deepcopy(recording))


class MemoryStore:
    """A `recording_archive.Store`. `away` makes it unavailable."""

    def __init__(self) -> None:
        self.away = False
        self.rows: dict[str, Recording] = {}
        self.puts = 0

    async def put(self, rows: list[Recording]) -> None:
        self._check()
        self.puts += 1
        self.rows |= {row.recording: deepcopy(row) for row in rows}

    async def get(self, recording: str) -> Recording | None:
        self._check()
        return deepcopy(self.rows.get(recording))

    async def older_than(self, started_at: float, limit: int) -> list[Recording]:
        self._check()
        old = [row for row in self.rows.values() if row.state is RecordingState.READY and row.started_at < started_at]
        return deepcopy(sorted(old, key=lambda row: row.started_at)[:limit])

    def _check(self) -> None:
        if self.away:
            raise DatabaseUnavailable("away")
