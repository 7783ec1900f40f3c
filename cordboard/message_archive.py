"""The archive of messages: drafts become messages, rows say so, old ones go, and what was left behind is found.

Decides that nothing that a caller said is lost: the raw file goes only when the finished one is on record, or when
nothing was said in it. Callers never wait for any of this but for the row. It refuses to know flows and the PBX
(`message_desk` does).
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

import soundfile
import structlog

from cordboard.events import Note
from cordboard.message import FALLBACK_BOX, Message, MessageState, from_id
from cordboard.message_files import MessageFiles
from cordboard.recording_files import NothingWrittenError, be_patient
from cordboard.storage.errors import DatabaseUnavailable

log = structlog.get_logger()

QUIET_S = 10.0
"""A caller whose phone sends nothing while they are silent leaves pauses in the file."""

RETRY_S = 5.0
FIND_EVERY_S = 30.0
RETENTION_EVERY_S = 3600.0
AT_ONCE = 200
DAY_S = 86_400.0
LEAST_S = 1.0
"""What is found and has less to hear than this was no message."""


class Store(Protocol):
    """`storage.messages.MessageStore` is the real one. Raises `DatabaseUnavailable`."""

    async def put(self, message: Message, /) -> None: ...
    async def get(self, name: str, /) -> Message | None: ...
    async def known(self, names: Collection[str], /) -> set[str]: ...
    async def unfinished(self) -> list[Message]: ...
    async def older_than(self, at: float, limit: int, /) -> list[Message]: ...
    async def new_by_box(self) -> dict[str, int]: ...


class NotReady(Exception):
    """The message is still being made. The text can be shown."""


class MessageArchive:
    """`prepare`, `run` (in a task); what is left when it is cancelled, the next start finds."""

    def __init__(
        self,
        files: MessageFiles,
        store: Store,
        *,
        clock: Callable[[], float],
        note: Note,
        in_use: Callable[[], Collection[str]],
        here: Callable[[str], bool],
        caller_of: Callable[[str], Awaitable[str]],
        keep_days: int | None,
        quiet_s: float = QUIET_S,
        find_every_s: float = FIND_EVERY_S,
    ) -> None:
        """`in_use`: those that are recorded or reviewed now; `here(call_id)`: whether that caller is still in the PBX;
        `caller_of(call_id)`: their number, "" if unknown."""
        self.new: Counter[str] = Counter()
        self._files = files
        self._store = store
        self._clock = clock
        self._note = note
        self._in_use = in_use
        self._here = here
        self._linked = asyncio.Event()
        self._caller_of = caller_of
        self._keep_days = keep_days
        self._quiet_s = quiet_s
        self._find_every_s = find_every_s
        self._making: dict[str, Message] = {}
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="messages", initializer=be_patient)
        self._work: asyncio.Queue[Coroutine[Any, Any, None]] = asyncio.Queue()

    async def prepare(self) -> None:
        """Raises `DatabaseUnavailable`."""
        try:
            await self._in_thread(self._files.prepare)
        except OSError as error:
            log.error("the folder for messages cannot be used", reason=type(error).__name__)
        self.new = Counter(await self._store.new_by_box())
        for message in await self._store.unfinished():
            self._begin(message)

    def linked(self) -> None:
        """It is known who is in the PBX: drafts that nobody speaks can be told from others."""
        self._linked.set()

    async def run(self) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._retain(), name="messages: retention")
                group.create_task(self._find(), name="messages: found files")
                while True:
                    group.create_task(_safely(await self._work.get()), name="messages: work")
        finally:
            while not self._work.empty():
                self._work.get_nowait().close()
            self._thread.shutdown(wait=False, cancel_futures=True)

    # what the desk asks for --------------------------------------------------------------------------------------

    def judge(self, name: str, then: Callable[[float], None]) -> None:
        """`then` is told how many seconds of a draft can be heard."""

        async def judge() -> None:
            then(await asyncio.to_thread(self._files.heard_s, name))  # a caller waits: not behind other work

        self._work.put_nowait(judge())

    def drop(self, name: str) -> None:
        """Nobody wants this draft."""

        async def drop() -> None:
            await self._in_thread(self._files.forget_raw, name)

        self._work.put_nowait(drop())

    def keep(self, message: Message, then: Callable[[], None] = lambda: None) -> None:
        """A draft becomes a message; `then` when it is on record."""
        self._making[message.id] = message

        async def keep() -> None:
            await self._put(message)
            self.new[message.box] += 1
            then()
            await self._finish(message)

        self._work.put_nowait(keep())

    # what people ask for -----------------------------------------------------------------------------------------

    async def find(self, name: str) -> Message | None:
        return self._making.get(name) or await self._store.get(name)

    async def mark(self, message: Message, state: MessageState) -> None:
        """Raises `DatabaseUnavailable`, with nothing changed."""
        before, message.state = message.state, state
        try:
            await self._store.put(message)
        except DatabaseUnavailable:
            message.state = before
            raise
        self._count(message.box, before, state)

    async def delete(self, message: Message, by: str) -> None:
        """Remove the sound and who called; that it was there stays. Raises `NotReady`, `OSError`."""
        if message.id in self._making:
            raise NotReady("This message is still being made.")
        await self._in_thread(self._files.delete, message.id, message.file)
        before, message.state, message.caller = message.state, MessageState.DELETED, ""
        await self._put(message)
        self._count(message.box, before, message.state)
        self._tell("message.deleted", message, {"reason": by})

    def _count(self, box: str, before: MessageState, after: MessageState) -> None:
        self.new[box] += (after is MessageState.NEW) - (before is MessageState.NEW)

    # one message -------------------------------------------------------------------------------------------------

    def _begin(self, message: Message) -> None:
        self._making[message.id] = message
        self._work.put_nowait(self._finish(message))

    async def _finish(self, message: Message) -> None:
        """Until it can be fetched, or it is certain that there will never be anything."""
        while True:
            try:
                done = await self._in_thread(self._files.finish, message.id, message.at)
                break
            except NothingWrittenError as nothing:
                log.error("a message has no sound", reason=str(nothing))
                before, message.state, message.caller = message.state, MessageState.DELETED, ""
                await self._put(message)
                self._count(message.box, before, message.state)
                del self._making[message.id]
                return
            except (OSError, soundfile.SoundFileError) as error:
                log.error("a message cannot be finished", reason=type(error).__name__)
                await asyncio.sleep(RETRY_S)
        message.file, message.seconds, message.size = done.file, round(done.seconds, 3), done.size
        await self._put(message)
        del self._making[message.id]
        await self._in_thread(self._files.forget_raw, message.id)
        self._tell("message.recorded", message, {"seconds": message.seconds})

    async def _put(self, message: Message) -> None:
        while True:
            try:
                await self._store.put(message)
            except DatabaseUnavailable:
                await asyncio.sleep(RETRY_S)  # the writer of events raises the alarm
            else:
                return

    # what was left behind ----------------------------------------------------------------------------------------

    async def _find(self) -> None:
        """Drafts that a crash or a lost link left, and what the plain dialplan recorded."""
        await self._linked.wait()
        while True:
            try:
                await self._find_drafts()
                await self._find_fallbacks()
            except (DatabaseUnavailable, OSError) as error:
                log.warning("left messages are not looked for", reason=type(error).__name__)
            await asyncio.sleep(self._find_every_s)

    async def _find_drafts(self) -> None:
        for name in await self._in_thread(self._files.raws):
            message = from_id(name)
            quiet = await self._in_thread(self._files.quiet_for, name)
            if message is None or quiet is None or quiet < self._quiet_s:
                continue
            if name in self._in_use() or name in self._making or self._here(message.call):
                continue
            if await self._store.get(name) is None and await self._in_thread(self._files.heard_s, name) >= LEAST_S:
                message.caller = await self._caller_of(message.call)
                self.keep(message)
            else:
                await self._in_thread(self._files.forget_raw, name)

    async def _find_fallbacks(self) -> None:
        found = {
            f"{FALLBACK_BOX}.{one.call}": one for one in await self._in_thread(self._files.fallbacks, self._quiet_s)
        }
        for name in found.keys() - await self._store.known(found.keys()):
            one = found[name]
            done = one.finished
            caller = await self._caller_of(one.call)
            message = Message(name, FALLBACK_BOX, one.call, caller, one.at, done.seconds, done.size, file=done.file)
            await self._put(message)
            self.new[FALLBACK_BOX] += 1
            self._tell("message.recorded", message, {"seconds": message.seconds})

    async def _retain(self) -> None:
        if self._keep_days is None:
            return
        while True:
            try:
                while old := await self._store.older_than(self._clock() - self._keep_days * DAY_S, AT_ONCE):
                    for message in old:
                        await self.delete(message, "retention")
            except (DatabaseUnavailable, OSError, NotReady) as error:
                log.warning("old messages are not deleted", reason=type(error).__name__)
            await asyncio.sleep(RETENTION_EVERY_S)

    async def _in_thread(self, work: Callable[..., Any], *arguments: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, *arguments)

    def _tell(self, kind: str, message: Message, data: dict[str, Any]) -> None:
        self._note(kind, call_id=message.call, data={"message": message.id, "box": message.box} | data)


async def _safely(work: Coroutine[Any, Any, None]) -> None:
    try:
        await work
    except Exception:
        log.exception("work on a message failed; the next start tries again")
