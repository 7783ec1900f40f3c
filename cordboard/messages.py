"""Everything about callers' messages in one place: made here once, started and stopped with the service.

Decides only who is told what: the desk hears the journal and the PBX, the archive keeps what it makes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncEngine

from cordboard.journal import Journal
from cordboard.message import Message, MessageState
from cordboard.message_archive import MessageArchive, NotReady
from cordboard.message_desk import MessageDesk
from cordboard.message_files import MessageFiles
from cordboard.outside import OutsideDesks
from cordboard.storage.messages import MessageCursor, MessageFilter, MessageStore
from cordboard.storage.reader import Reader
from cordboard.web.ports import CommandRefused
from ivr.ports import Timers
from ivr.requests import KeepRequest, RecordRequest
from pbx.facts import Fact, LinkUp
from pbx.ports import Switch

FOLDER = "messages"
"""Below the recordings folder."""


class Messages:
    """`prepare`, `run` (in a task), each once. Every fact goes through `fact`, after everybody else."""

    def __init__(
        self,
        root: Path,
        database: AsyncEngine,
        reader: Reader,
        journal: Journal,
        outside: OutsideDesks,
        *,
        switch: Switch,
        timers: Timers,
        clock: Callable[[], float],
        refusal: Callable[[], str],
        here: Callable[[str], bool],
        keep_days: int | None,
        quiet_s: float | None = None,
        find_every_s: float | None = None,
    ) -> None:
        """`refusal()`: why nothing should be recorded now, ""; `here(call_id)`: whether the caller is in the PBX."""
        self.files = MessageFiles(root, FOLDER)
        self._store = MessageStore(database)
        self._reader = reader
        self._note = journal.note
        patience = {"quiet_s": quiet_s, "find_every_s": find_every_s}
        self.archive = MessageArchive(
            self.files,
            self._store,
            clock=clock,
            note=journal.note,
            in_use=lambda: self.desk.in_use(),  # noqa: PLW0108 - made below
            here=here,
            caller_of=self._caller_of,
            keep_days=keep_days,
            **{name: value for name, value in patience.items() if value is not None},
        )

        def trouble() -> str:
            return refusal() or ("" if self.files.writable() else "the folder for messages cannot be written")

        self.desk = MessageDesk(self.archive, switch, timers, clock, trouble, self.files.playable)
        outside.add(RecordRequest, self.desk.record)
        outside.add(KeepRequest, self.desk.keep)
        journal.listen(self.desk.noted)

    async def prepare(self) -> None:
        """Raises `DatabaseUnavailable`."""
        await self.archive.prepare()

    async def run(self) -> None:
        await self.archive.run()

    def fact(self, fact: Fact) -> None:
        self.desk.fact(fact)
        if isinstance(fact, LinkUp):
            self.archive.linked()

    # web.ports.MessageBoxes --------------------------------------------------------------------------------------

    async def page(self, limit: int, before: MessageCursor | None, wanted: MessageFilter) -> list[Message]:
        return await self._store.page(limit, before, wanted)

    async def find(self, name: str) -> Message | None:
        return await self.archive.find(name)

    def file(self, message: Message) -> Path:
        return self.files.finished(message.file)

    def fetched(self, message: Message) -> None:
        self._note("message.fetched", call_id=message.call, data={"message": message.id, "box": message.box})

    async def mark(self, message: Message, state: MessageState) -> None:
        await self.archive.mark(message, state)

    async def delete(self, message: Message) -> None:
        try:
            await self.archive.delete(message, "request")
        except NotReady as error:
            raise CommandRefused(str(error)) from None

    def new(self) -> Mapping[str, int]:
        return self.archive.new

    async def _caller_of(self, call_id: str) -> str:
        """As it arrived, or as it was put on record afterwards."""
        history = await self._reader.call(call_id)
        events = history.events if history is not None else []
        return next((str(event.data["caller"]) for event in events if event.data.get("caller")), "")
