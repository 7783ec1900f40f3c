"""Everything about recordings in one place: made here once, started and stopped with the service.

Decides only who is told what: the recorder hears the journal and the PBX, the archive keeps what it makes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncEngine

from cordboard.journal import Journal
from cordboard.recorder import ORDERS, NoTalk, Recorder, RecordingRefused, TalkNow
from cordboard.recording import Recording, RecordRule
from cordboard.recording_archive import NotDeletable, RecordingArchive
from cordboard.recording_files import RecordingFiles
from cordboard.storage.reader import Reader
from cordboard.storage.recordings import RecordingCursor, RecordingFilter, RecordingStore
from cordboard.web.ports import CommandRefused, NotFound, RecordingHealth, View
from pbx.facts import Fact, LinkUp, Looked, OrderFailed
from pbx.ports import Switch

FOLDER = "calls"
"""Below the recordings folder."""


class Recordings:
    """`prepare`, `run` (in a task) and `close`, each once. Every fact goes through `fact`, after everybody else."""

    def __init__(
        self,
        root: Path,
        database: AsyncEngine,
        reader: Reader,
        journal: Journal,
        *,
        switch: Switch,
        clock: Callable[[], float],
        rules: Mapping[str, RecordRule],
        talks: Callable[[], Iterable[TalkNow]],
        keep_days: int | None,
        min_free_bytes: int,
    ) -> None:
        self.files = RecordingFiles(root, FOLDER)
        self.store = RecordingStore(database)
        self._reader = reader
        self._note = journal.note
        self._talks = talks
        self.archive = RecordingArchive(
            self.files,
            self.store,
            clock=clock,
            note=journal.note,
            running=lambda: self.recorder.running(),  # noqa: PLW0108 - made below
            who=self._who,
            keep_days=keep_days,
            min_free_bytes=min_free_bytes,
        )
        self.recorder = Recorder(rules, switch=switch, clock=clock, note=journal.note, archive=self.archive)
        journal.listen(self.recorder.noted)

    async def prepare(self) -> None:
        """Raises `DatabaseUnavailable`."""
        await self.archive.prepare()
        self.recorder.left(await self.store.unfinished())

    async def run(self) -> None:
        await self.archive.run()

    async def close(self) -> None:
        await self.archive.close()

    def fact(self, fact: Fact) -> None:
        match fact:
            case LinkUp(snapshot=snapshot):
                self.recorder.linked(snapshot, self._talks())
                self.archive.linked()
            case Looked(snapshot=snapshot):
                self.recorder.looked(snapshot)
            case OrderFailed(order=order) if order in ORDERS:
                self.recorder.order_failed(fact)
            case _:
                pass

    # web.ports.RecordingDesk -------------------------------------------------------------------------------------

    def command(self, call_id: str, command: str) -> View:
        try:
            self.recorder.command(call_id, command)
        except NoTalk as error:
            raise NotFound(str(error)) from None
        except RecordingRefused as error:
            raise CommandRefused(str(error)) from None
        return {"call_id": call_id, "state": self.recorder.state(call_id)}

    async def page(self, limit: int, before: RecordingCursor | None, wanted: RecordingFilter) -> list[Recording]:
        return await self.store.page(limit, before, wanted)

    def file(self, recording: Recording) -> Path:
        return self.files.finished(recording.path)

    def fetched(self, recording: Recording) -> None:
        self._note(
            "recording.fetched",
            call_id=recording.call_id,
            agent=recording.agent or None,
            queue=recording.queue or None,
            data={"recording": recording.recording},
        )

    async def delete(self, recording: Recording) -> None:
        try:
            await self.archive.delete(recording, "request")
        except NotDeletable as error:
            raise CommandRefused(str(error)) from None

    def health(self) -> RecordingHealth:
        counts = self.archive.counts
        return RecordingHealth(counts.trouble, counts.ready, counts.failed, counts.incomplete)

    async def find(self, recording: str) -> Recording | None:
        """As it is now: what the process knows of those that are being made, and the database of the others."""
        return self.archive.unsaved(recording) or await self.store.get(recording)

    async def _who(self, call_id: str) -> tuple[str, str]:
        """Agent and queue of the last talk of a call, "" when nothing is known."""
        history = await self._reader.call(call_id)
        talks = [event for event in history.events if event.kind == "talk.started"] if history is not None else []
        return (talks[-1].agent or "", talks[-1].queue or "") if talks else ("", "")
