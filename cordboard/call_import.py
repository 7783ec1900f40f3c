"""Puts calls on record that the service never saw: those that the PBX served alone and wrote down in its own file.

Decides when the PBX's file is read, which of its calls are nobody's yet, and when the file may go. The file is taken
away by renaming it (Asterisk 22 opens it anew for each line) and removed only when all that was learned from it is in
the database, so that it neither grows without bound nor loses a call to a crash. Doing it twice does no harm: a call
has one closed record, whoever writes it first. It refuses to know what the lines look like (`unattended`).
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable, Collection, Container, Iterable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Protocol

import structlog

from cordboard.clock import Clock
from cordboard.journal import Journal
from cordboard.records import IMPORTED
from cordboard.storage.errors import DatabaseUnavailable
from cordboard.unattended import Reading, UnattendedCall, read_calls

log = structlog.get_logger()

EVERY_S = 600.0
"""While all goes well: the calls in the file are on record already, and it only has to be kept short."""

CHUNK = 200
"""Calls looked up, and at most put on record, at once: a millisecond or two of the event loop."""

FLUSH_PATIENCE_S = 10.0


class Flusher(Protocol):
    async def flush(self, timeout_s: float, /) -> bool: ...


class ClosedCalls(Protocol):
    async def recorded(self, call_ids: Collection[str], /) -> set[str]: ...


class LiveCalls(Protocol):
    def __contains__(self, call_id: str, /) -> bool: ...


@dataclass(frozen=True, slots=True)
class CallFiles:
    """What the PBX leaves behind: its own notes of the calls, and the messages that callers spoke."""

    calls: Path
    voicemail: Path

    @property
    def taken(self) -> Path:
        """The notes that are being worked on."""
        return self.calls.with_name(f"{self.calls.name}.1")

    def take(self) -> bool:
        """Rename the file of calls, atomically. False: there is none."""
        try:
            self.calls.rename(self.taken)
        except FileNotFoundError:
            return False
        return True

    def read(self) -> tuple[Reading, int]:
        """The taken file, and how many bytes of it were read."""
        with self.taken.open(encoding="utf-8", errors="replace", newline="\n") as lines:
            size = os.fstat(lines.fileno()).st_size
            return read_calls(lines), size

    def drop(self, size: int) -> bool:
        """Remove the taken file, unless a line was still on its way into it when it was read."""
        if self.taken.stat().st_size != size:
            return False
        self.taken.unlink()
        return True

    def message_of(self, call_id: str) -> str | None:
        """The message that the caller left, as a path within the recordings."""
        message = self.voicemail / f"{call_id}.wav"
        return f"{self.voicemail.name}/{message.name}" if message.is_file() else None


class CallImport:
    """`wake` after every look at the whole PBX; `run` does the rest, for as long as the service lives."""

    def __init__(
        self,
        files: CallFiles,
        agents: Container[str],
        journal: Journal,
        writer: Flusher,
        database: ClosedCalls,
        live: LiveCalls,
        linked: Callable[[], bool],
        clock: Clock,
        settle_s: float,
    ) -> None:
        self._files = files
        self._agents = agents
        self._journal = journal
        self._writer = writer
        self._database = database
        self._live = live
        self._linked = linked
        self._clock = clock
        self._settle_s = settle_s
        self._wanted = asyncio.Event()

    def wake(self) -> None:
        """The link is up and everyone who is in the PBX is known."""
        self._wanted.set()

    async def run(self) -> None:
        pause = EVERY_S
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._wanted.wait()
            self._wanted.clear()
            # Without a link there are calls that we have not seen yet, and shall.
            pause = EVERY_S if not self._linked() or await self.collect() else self._settle_s

    async def collect(self) -> bool:
        """Put on record what is nobody's. False: not everything could be judged or written now, so come again soon."""
        try:
            # What a predecessor, or the last attempt, left comes first.
            if self._files.taken.exists() and not await self._import_taken():
                return False
            return not self._files.take() or await self._import_taken()
        except DatabaseUnavailable:
            return False  # the writer has raised the alarm
        except OSError as error:
            log.error("the PBX's file of calls cannot be read or moved", reason=type(error).__name__)
            return False

    async def _import_taken(self) -> bool:
        # In this order nothing is missed: a call is open here, or its record is in the database once that is flushed,
        # or the service never had it. What is still on its way from the PBX has the settling time to get here.
        ours = set(self._journal.records)
        if not await self._writer.flush(FLUSH_PATIENCE_S):
            return False
        reading, size = await asyncio.to_thread(self._files.read)
        nobodys = (
            call
            for call in reading.calls.values()
            if call.call_id not in ours and not call.is_feature_call(self._agents)
        )
        imported, settled = 0, True
        while chunk := list(islice(nobodys, CHUNK)):
            recorded = await self._database.recorded([call.call_id for call in chunk])
            missing = [call for call in chunk if call.call_id not in recorded]
            ripe = self._ripe(missing)
            settled = settled and len(ripe) == len(missing)
            for call in ripe:
                self._note(call)
            imported += len(ripe)
            if ripe and not await self._writer.flush(FLUSH_PATIENCE_S):
                return False
        if imported:
            log.info("calls put on record that only the PBX saw", count=imported)
        if not settled or not self._files.drop(size):
            return False
        if reading.damaged:
            log.warning("lines in the PBX's file of calls that cannot be understood", count=reading.damaged)
        return True

    def _ripe(self, calls: Iterable[UnattendedCall]) -> list[UnattendedCall]:
        """Those that are over for good, and so long ago that no word of them is still on its way to us.

        A call that ended in the future ended before somebody set the clock back.
        """
        now = self._clock()
        return [
            call
            for call in calls
            if abs(now - call.ended_at) >= self._settle_s
            and call.call_id not in self._live
            and self._journal.records.get(call.call_id) is None
        ]

    def _note(self, call: UnattendedCall) -> None:
        data = call.event_data(self._agents)
        if (message := self._files.message_of(call.call_id)) is not None:
            data["voicemail"] = message
        self._journal.note(IMPORTED, call_id=call.call_id, data=data)
