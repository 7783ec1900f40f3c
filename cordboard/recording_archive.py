"""The archive of recordings: files become what is kept, rows say so, old ones go, and trouble raises an alarm.

Decides when a raw file is complete (nobody has written it for a while) and that nothing the PBX wrote is lost: the raw
file goes only when the finished one is on record. The talk never waits for any of this. It refuses to know when and why
a talk is recorded (`recorder` does).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import soundfile
import structlog

from cordboard.events import Note
from cordboard.recording import Recording, RecordingState, from_name
from cordboard.recording_files import NothingWrittenError, RecordingFiles, be_patient
from cordboard.storage.errors import DatabaseUnavailable

log = structlog.get_logger()
T = TypeVar("T")

QUIET_S = 1.5
"""Asterisk 22 writes a recording at least once in 1.03 s: two sides fill its buffer of 32 KiB in that time."""

POLL_S = 0.25
RETRY_S = 5.0
WATCH_EVERY_S = 5.0
EXPECTED_AFTER_S = 4.0
RETENTION_EVERY_S = 3600.0
AT_ONCE = 200
DAY_S = 86_400.0
SHORT_S, SHORT_SHARE = 2.0, 0.05
"""A file that is shorter than its talk by more than both was not written to its end: a full disk, a killed PBX."""


class Store(Protocol):
    """`storage.recordings.RecordingStore` is the real one. Raises `DatabaseUnavailable`."""

    async def put(self, rows: list[Recording]) -> None: ...
    async def get(self, recording: str) -> Recording | None: ...
    async def older_than(self, started_at: float, limit: int) -> list[Recording]: ...


@dataclass(slots=True)
class ArchiveCounts:
    """For metrics and health. Totals since the process started."""

    ready: int = 0
    failed: int = 0
    incomplete: int = 0
    deleted: int = 0
    trouble: str = ""  # the alarm: why recordings are not made now


class NotDeletable(Exception):
    """The recording is still being made. The text can be shown."""


class RecordingArchive:
    """A `recorder.Archive`. `run` does the work until it is cancelled; what is left then, the next start finds."""

    def __init__(
        self,
        files: RecordingFiles,
        store: Store,
        *,
        clock: Callable[[], float],
        note: Note,
        running: Callable[[], list[Recording]],
        who: Callable[[str], Awaitable[tuple[str, str]]],
        keep_days: int | None,
        min_free_bytes: int,
        quiet_s: float = QUIET_S,
    ) -> None:
        """`running` are those that the PBX writes now; `who(call_id)` finds agent and queue of a call's last talk."""
        self.counts = ArchiveCounts()
        self._files = files
        self._store = store
        self._clock = clock
        self._note = note
        self._running = running
        self._who = who
        self._keep_days = keep_days
        self._min_free = min_free_bytes
        self._quiet_s = quiet_s
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="recordings", initializer=be_patient)
        self._unsaved: dict[str, Recording] = {}
        self._unsaved_news = asyncio.Event()
        self._saved = asyncio.Condition()
        self._to_finish: asyncio.Queue[Recording] = asyncio.Queue()
        self._linked = asyncio.Event()
        self._disk_trouble = ""
        self._missing: set[str] = set()  # recordings that should be on disk and are not

    # recorder.Archive --------------------------------------------------------------------------------------------

    def refusal(self) -> str:
        return self._disk_trouble

    def save(self, recording: Recording) -> None:
        if recording.state is RecordingState.FAILED:
            self.counts.failed += 1
        self._keep(recording)

    def finish(self, recording: Recording) -> None:
        self._to_finish.put_nowait(deepcopy(recording))

    # the process -------------------------------------------------------------------------------------------------

    async def prepare(self) -> None:
        """Look at the disk once, so that the first talk finds an answer."""
        await self._look_at_disk()

    def linked(self) -> None:
        """It is known what the PBX writes: files that nobody knows can be told from those."""
        self._linked.set()

    async def run(self) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._save_all(), name="recordings: rows")
                group.create_task(self._watch(), name="recordings: disk")
                group.create_task(self._retain(), name="recordings: retention")
                group.create_task(self._find_unknown(), name="recordings: found files")
                while True:
                    recording = await self._to_finish.get()
                    group.create_task(self._finish_safely(recording), name="recordings: finish")
        finally:
            self._thread.shutdown(wait=False, cancel_futures=True)

    async def close(self, within: float = 2.0) -> None:
        """Put the last rows on record."""
        try:
            async with asyncio.timeout(within):
                while self._unsaved:
                    await self._save_some()
        except (TimeoutError, DatabaseUnavailable):
            log.warning("recordings' rows are not written; the next start finds the files", rows=len(self._unsaved))

    def unsaved(self, recording: str) -> Recording | None:
        """What is known of it and not yet on record."""
        return deepcopy(self._unsaved.get(recording))

    async def delete(self, recording: Recording, by: str) -> None:
        """Remove the sound; the row stays and says that it was there. Raises `NotDeletable`, `OSError`."""
        if recording.state not in {RecordingState.READY, RecordingState.FAILED}:
            raise NotDeletable(f"This recording is {recording.state.value}; only a finished one can be deleted.")
        await self._in_thread(self._files.delete, recording.recording, recording.path)
        recording.state, recording.reason = RecordingState.DELETED, by
        self.counts.deleted += 1
        await self._on_record(recording)
        self._tell("recording.deleted", recording, {"reason": by})

    # one recording -----------------------------------------------------------------------------------------------

    async def _finish_safely(self, recording: Recording) -> None:
        try:
            await self._finish(recording)
        except Exception:
            log.exception("a recording could not be finished; the next start tries again")
            self.counts.failed += 1

    async def _finish(self, recording: Recording) -> None:
        """Until it is ready, or it is certain that there will never be anything."""
        await self._complete(recording)
        cuts = [(one.start, one.end) for one in recording.silences if not one.kept]
        while True:
            try:
                done = await self._in_thread(self._files.finish, recording.recording, recording.started_at, cuts)
                break
            except NothingWrittenError as nothing:
                await self._failed(recording, str(nothing))
                return
            except (OSError, soundfile.SoundFileError) as error:
                self._alarm(f"a recording cannot be finished ({type(error).__name__})")
                await asyncio.sleep(RETRY_S)
        recording.path, recording.seconds = done.path, round(done.seconds, 3)
        recording.size, recording.sha256 = done.size, done.sha256
        recording.state = RecordingState.READY
        if recording.ended_at is None:  # nobody saw its end
            recording.ended_at = recording.started_at + recording.seconds
            recording.be_silent_for((), recording.ended_at)
        expected = recording.ended_at - recording.started_at
        if expected - done.seconds > max(SHORT_S, SHORT_SHARE * expected):
            recording.reason = f"only {done.seconds:.0f} of {expected:.0f} s were written"
            self.counts.incomplete += 1
            log.error("a recording is incomplete", seconds=round(done.seconds), expected=round(expected))
        await self._on_record(recording)
        await self._in_thread(self._files.forget_raw, recording.recording)
        self.counts.ready += 1
        self._tell("recording.ready", recording, {"seconds": recording.seconds, "size": recording.size})

    async def _complete(self, recording: Recording) -> None:
        """Until nobody writes the raw file any more. Of a short talk it may come into being only now."""
        last_try = False
        while True:
            waited = await self._in_thread(self._files.quiet_for, recording.recording)
            if waited is None:
                if last_try:
                    return
                last_try = True
                await asyncio.sleep(self._quiet_s)
            elif waited >= self._quiet_s:
                return
            else:
                await asyncio.sleep(max(POLL_S, self._quiet_s - waited))

    async def _failed(self, recording: Recording, reason: str) -> None:
        recording.state, recording.reason = RecordingState.FAILED, reason
        self.counts.failed += 1
        log.error("a recording failed", reason=reason)
        await self._on_record(recording)
        await self._in_thread(self._files.forget_raw, recording.recording)
        self._tell("recording.failed", recording, {"reason": reason})

    # rows --------------------------------------------------------------------------------------------------------

    def _keep(self, recording: Recording) -> None:
        self._unsaved[recording.recording] = deepcopy(recording)
        self._unsaved_news.set()

    async def _on_record(self, recording: Recording) -> None:
        self._keep(recording)
        async with self._saved:
            await self._saved.wait_for(lambda: recording.recording not in self._unsaved)

    async def _save_all(self) -> None:
        while True:
            await self._unsaved_news.wait()
            self._unsaved_news.clear()
            try:
                await self._save_some()
            except DatabaseUnavailable:
                self._unsaved_news.set()  # kept, and tried again; the writer of events raises the alarm
                await asyncio.sleep(1.0)

    async def _save_some(self) -> None:
        rows = dict(self._unsaved)
        await self._store.put(list(rows.values()))
        for name, row in rows.items():
            if self._unsaved.get(name) is row:
                del self._unsaved[name]
        async with self._saved:
            self._saved.notify_all()

    # the disk ----------------------------------------------------------------------------------------------------

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(WATCH_EVERY_S)
            await self._look_at_disk()

    async def _look_at_disk(self) -> None:
        self._disk_trouble = await self._in_thread(self._files.trouble, self._min_free)
        due = self._clock() - EXPECTED_AFTER_S
        self._missing = {
            one.recording
            for one in self._running()
            if one.started_at < due and await self._in_thread(self._files.quiet_for, one.recording) is None
        }
        self._alarm(self._disk_trouble or ("the PBX does not write recordings" if self._missing else ""))

    def _alarm(self, trouble: str) -> None:
        if trouble != self.counts.trouble:
            if trouble:
                log.error("recordings are in trouble", reason=trouble)
            else:
                log.info("recordings are well again")
        self.counts.trouble = trouble

    async def _retain(self) -> None:
        if self._keep_days is None:
            return
        while True:
            try:
                await self._delete_old(self._clock() - self._keep_days * DAY_S)
            except (DatabaseUnavailable, OSError) as error:
                log.warning("old recordings are not deleted", reason=type(error).__name__)
            await asyncio.sleep(RETENTION_EVERY_S)

    async def _delete_old(self, before: float) -> None:
        while old := await self._store.older_than(before, AT_ONCE):
            for recording in old:
                await self.delete(recording, "retention")

    async def _find_unknown(self) -> None:
        """Files that a crash left between the PBX's first sound and our first row, or between the two last steps."""
        await self._linked.wait()
        for name in await self._in_thread(self._files.raws):
            row = from_name(name)
            if row is None or name in self._unsaved or name in {one.recording for one in self._running()}:
                continue
            known = await self._ask(self._store.get, name)
            if known is None:
                row.agent, row.queue = await self._ask(self._who, row.call_id)
                self._keep(row)
                self.finish(row)
            elif known.state not in {RecordingState.RECORDING, RecordingState.FINISHING}:
                await self._in_thread(self._files.forget_raw, name)

    @staticmethod
    async def _ask(question: Callable[[str], Awaitable[T]], about: str) -> T:
        while True:
            try:
                return await question(about)
            except DatabaseUnavailable:
                await asyncio.sleep(RETRY_S)

    async def _in_thread(self, work: Callable[..., Any], *arguments: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, *arguments)

    def _tell(self, kind: str, recording: Recording, data: dict[str, Any]) -> None:
        self._note(
            kind,
            call_id=recording.call_id,
            agent=recording.agent or None,
            queue=recording.queue or None,
            data={"recording": recording.recording} | data,
        )
