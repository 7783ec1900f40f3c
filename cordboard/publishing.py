"""Publishing: which version of the dialplans calls meet, and how that changes.

Decides that a version is on disk before a call meets it, that one change follows the other, which version a rollback
leads to, and what is served after a start when the folder is not what was published. It refuses to know which call gets
which version (`ivr.versions`) and how files are judged (`ivr.library`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import structlog

from cordboard.dialplan_versions import Files, Outcome, Source, State, Version, hash_of
from cordboard.events import Event
from cordboard.storage.dialplans import VersionStore
from cordboard.web.ports import CommandRefused, NotFound
from ivr.dialplans import Dialplans
from ivr.errors import DialplanErrors
from ivr.folder import read_folder, read_tests
from ivr.library import DialplanLibrary, Reading
from ivr.loader import load_files
from ivr.problems import Problem
from ivr.sources import TESTS
from ivr.versions import Canary, Versions

log = structlog.get_logger()

AT_THE_START = "as the folder was at a start"


class Note(Protocol):
    def __call__(self, kind: str, *, data: dict[str, Any]) -> None: ...


class Publisher:
    """`begin` once; the others at any time, one after the other however many ask. Every method raises
    `DatabaseUnavailable`, and changes nothing then."""

    def __init__(
        self,
        folder: Path,
        library: DialplanLibrary,
        store: VersionStore,
        *,
        note: Note,
        clock: Callable[[], float],
        folder_wins: bool = True,
        keep: int | None = None,
    ) -> None:
        """`folder_wins`: a folder that was changed is published at the start. `keep`: so many versions are kept, None:
        all."""
        self.trouble = ""
        self.in_use: Callable[[], Collection[int]] = frozenset
        """Those that calls have begun with: none before there are calls."""
        self._folder = folder
        self._library = library
        self._store = store
        self._note = note
        self._clock = clock
        self._folder_wins = folder_wins
        self._keep = keep
        self._recovered: frozenset[int] = frozenset()
        self._lock = asyncio.Lock()

    # the start

    async def begin(self, recovered: Collection[int] = ()) -> tuple[Problem, ...]:
        """Serve what was published last, or the folder; and have at hand what calls of a predecessor began with.

        Raises `DialplanErrors` when there is nothing that could be served. A text that no voice can speak is no reason:
        callers in other languages are still better served by us than by nobody. The findings are for the log.
        """
        async with self._lock:
            live = await self._store.in_state(State.LIVE)
            findings = await self._begin(live)
            await self._resume_canary()
            if live is not None:
                recovered = {*recovered, live.number}  # calls of a moment ago, whose events are lost
            for number in sorted({*recovered} - self._library.versions.loaded.keys() - {0}):
                dialplans = (await self._load(number, lenient=True)).dialplans
                if dialplans is not None:
                    self._have(number, dialplans)
                    self._recovered |= {number}
            return findings

    async def _begin(self, live: Version | None) -> tuple[Problem, ...]:
        if live is None:
            files = await self._read_folder()
            reading = await self._library.read(files, str(self._folder))
            if reading.dialplans is None:
                raise DialplanErrors(reading.problems)
            await self._make_live(self._new(files, Source.FOLDER, "", AT_THE_START), files, reading.dialplans, "start")
            return reading.findings
        refused: tuple[Problem, ...] = ()
        if self._folder_wins:
            refused = await self._take_changed_folder(live)
            if self._library.versions.live:
                return ()
        reading = await self._load(live.number)
        if reading.dialplans is None:
            refused = (*refused, *reading.problems)
            reading = await self._load(live.number, lenient=True)
            if reading.dialplans is None:
                return await self._instead_of(live, refused)
        if refused:
            self.trouble = f"at the start {self._folder} was refused, version {live.number} is served: {refused[0]}"
            log.error(
                "dialplans refused at the start", served=live.number, problems=len(refused), reason=str(refused[0])
            )
        self._serve(live.number, reading.dialplans)
        return (*refused, *reading.findings)

    async def _instead_of(self, live: Version, refused: tuple[Problem, ...]) -> tuple[Problem, ...]:
        """An older program may have published what this one cannot read: then the folder, though it is not new."""
        text = f"version {live.number}, which was published last, cannot be read any more"
        setting = "" if self._folder_wins else " with dialplans_at_start: folder"
        hint = f"put the folder right and start again{setting}"
        if self._folder_wins:
            refused = (*refused, *await self._take_changed_folder(live, anyway=True))
        findings = tuple(dict.fromkeys((Problem(str(self._folder), 1, 1, text, hint), *refused)))
        if not self._library.versions.live:
            raise DialplanErrors(findings)
        self.trouble = f"{text}; the folder is served"
        log.error("published dialplans cannot be read, the folder is served", version=live.number)
        return findings

    async def _take_changed_folder(self, live: Version, *, anyway: bool = False) -> tuple[Problem, ...]:
        """Publish it when it is not what was last taken over from there and is good; else what is wrong with it.
        `anyway`: although it is not new."""
        try:
            files = await self._read_folder()
        except DialplanErrors as errors:
            return errors.problems
        newest = await self._store.newest(Source.FOLDER)
        if not anyway and hash_of(files) in {live.content_hash, newest.content_hash if newest is not None else ""}:
            return ()
        reading = await self._library.read(files, str(self._folder))
        if reading.dialplans is None or not reading.ok:
            return reading.unspoken or reading.problems
        version = replace(self._new(files, Source.FOLDER, "", AT_THE_START), follows=live.number)
        await self._make_live(version, files, reading.dialplans, "start")
        return ()

    async def _resume_canary(self) -> None:
        version = await self._store.in_state(State.CANARY)
        if version is None:
            return
        reading = await self._load(version.number)
        if reading.dialplans is None:
            self.trouble = self.trouble or f"canary {version.number} was stopped: {reading.problems[0]}"
            log.error("canary cannot be served and is stopped", version=version.number, reason=str(reading.problems[0]))
            await self._store.set_canary(None)
            return
        self._have(version.number, reading.dialplans)
        self._try(version.canary)

    # what people ask for

    async def publish(
        self, files: Files | None = None, *, author: str = "", comment: str = "", stage: bool = False
    ) -> Outcome:
        """The folder as it is now, or these files, for all calls that begin from now on. `stage`: for none yet."""
        async with self._lock:
            source = Source.FOLDER if files is None else Source.REQUEST
            label = str(self._folder) if files is None else ""
            try:
                files = await self._read_folder() if files is None else files
            except DialplanErrors as errors:
                return self._refuse(errors.problems)
            reading = await self._library.read(files, label)
            if reading.dialplans is None or not reading.ok:
                return self._refuse(reading.unspoken or reading.problems)
            same = await self._unchanged(files, stage=stage)
            if same is not None:
                if same.state is State.LIVE:
                    self._have(same.number, reading.dialplans)  # its sounds are looked for anew, and it is good
                    self.trouble = ""
                return Outcome(same, reading.problems, unchanged=True, flows=_names(reading.dialplans))
            version = self._new(files, source, author, comment)
            if stage:
                version = await self._store.add(version, files)
            else:
                version = replace(version, follows=self._library.versions.live)
                version = await self._make_live(version, files, reading.dialplans, "publish")
                await self._prune(version)
            return Outcome(version, reading.problems, flows=_names(reading.dialplans))

    async def go_live(self, number: int) -> Outcome:
        """Publish a version that is there already."""
        async with self._lock:
            return await self._put_in_force(await self._find(number), "publish")

    async def rollback(self, number: int | None = None) -> Outcome:
        """Back to the version that the live one took the place of, or to any other: all calls that begin from now on
        meet it, and no canary."""
        async with self._lock:
            if number is None:
                live = await self._find(self._library.versions.live)
                if live.follows is None:
                    raise CommandRefused(f"There is no version before version {live.number}; name one.")
                number = live.follows
            version = await self._find(number)
            outcome = await self._put_in_force(version, "rollback")
            if outcome.version is not None and self._library.versions.canary is not None:
                await self._stop_canary()
            return outcome

    async def start_canary(self, number: int, share: float, numbers: Collection[str]) -> Outcome:
        """Some callers meet this version from now on; in place of the canary that there is."""
        async with self._lock:
            version = await self._find(number)
            if number == self._library.versions.live:
                raise CommandRefused(f"All calls meet version {number} already.")
            reading = await self._at_hand(version)
            if reading.dialplans is None:
                return self._refuse(reading.problems)
            canary = Canary(number, share, frozenset(numbers))
            await self._store.set_canary(canary)
            self._have(number, reading.dialplans)
            self._try(canary)
            self._note("dialplan.canary_started", data={"version": number, "share": share, "numbers": len(numbers)})
            log.info("canary started", version=number, share=share, numbers=len(numbers))
            return Outcome(await self._find(number), reading.findings, flows=_names(reading.dialplans))

    async def stop_canary(self) -> Version:
        """All callers meet the live version again."""
        async with self._lock:
            return await self._stop_canary()

    async def promote(self) -> Outcome:
        """All callers meet the canary."""
        async with self._lock:
            return await self._put_in_force(await self._find(self._canary().version), "promote")

    async def page(self, limit: int = 50, before: int | None = None) -> list[Version]:
        return await self._store.page(limit, before)

    async def find(self, number: int) -> Version:
        """Raises `NotFound`."""
        return await self._find(number)

    async def files(self, number: int) -> dict[str, bytes]:
        """What was in its folder. Raises `NotFound`."""
        await self._find(number)
        return await self._store.files(number)

    @property
    def versions(self) -> Versions:
        return self._library.versions

    # how it is done

    async def _put_in_force(self, version: Version, how: str) -> Outcome:
        if version.number == self._library.versions.live:
            raise CommandRefused(f"All calls meet version {version.number} already.")
        reading = await self._at_hand(version)
        if reading.dialplans is None:
            return self._refuse(reading.problems)
        # Who goes back does not change what a version once took the place of: a second rollback leads further.
        follows = None if how == "rollback" and version.published_at is not None else self._library.versions.live
        before = self._library.versions.live
        await self._store.go_live(version.number, self._clock(), follows)
        self._put_to_use(version.number, reading.dialplans, before, how)
        published = await self._find(version.number)
        return Outcome(published, reading.findings, flows=_names(reading.dialplans))

    async def _make_live(self, version: Version, files: Files, dialplans: Dialplans, how: str) -> Version:
        """A new one, in one step: no crash leaves it behind as one that nobody has published."""
        made = replace(version, state=State.LIVE, published_at=self._clock())
        made = await self._store.add(made, files)
        self._put_to_use(made.number, dialplans, made.follows, how)
        return made

    def _put_to_use(self, number: int, dialplans: Dialplans, before: int | None, how: str) -> None:
        self._serve(number, dialplans)
        self.trouble = ""
        self._note("dialplan.published", data={"version": number, "before": before, "how": how})
        log.info("dialplans published", version=number, before=before, how=how, flows=len(dialplans))

    def _refuse(self, problems: tuple[Problem, ...]) -> Outcome:
        log.warning("dialplans refused", problems=len(problems), live=self._library.versions.live)
        return Outcome(None, problems)

    def _have(self, number: int, dialplans: Dialplans) -> None:
        versions = self._library.versions
        self._library.versions = Versions({**versions.loaded, number: dialplans}, versions.live, versions.canary)

    def _serve(self, number: int, dialplans: Dialplans) -> None:
        before = self._library.versions
        canary = before.canary if before.canary is not None and before.canary.version != number else None
        served = Versions({**before.loaded, number: dialplans}, number, canary)
        self._library.versions = served.kept_down_to({before.live, *self.in_use(), *self._recovered})

    def _try(self, canary: Canary | None) -> None:
        versions = self._library.versions
        self._library.versions = Versions(versions.loaded, versions.live, canary)

    def _canary(self) -> Canary:
        canary = self._library.versions.canary
        if canary is None:
            raise CommandRefused("There is no canary.")
        return canary

    async def _stop_canary(self) -> Version:
        canary = self._canary()
        await self._store.set_canary(None)
        self._try(None)
        self._note("dialplan.canary_stopped", data={"version": canary.version})
        log.info("canary stopped", version=canary.version)
        return await self._find(canary.version)

    async def _at_hand(self, version: Version) -> Reading:
        """It was good once: what is in memory is served without a question, so that a rollback takes no time."""
        loaded = self._library.versions.loaded.get(version.number)
        return Reading(loaded) if loaded is not None else await self._load(version.number)

    async def _load(self, number: int, *, lenient: bool = False) -> Reading:
        files = await self._store.files(number)
        return await self._library.read(files, f"version {number}", lenient=lenient)

    async def _read_folder(self) -> dict[str, bytes]:
        return await asyncio.to_thread(_everything_in, self._folder)

    async def _find(self, number: int) -> Version:
        version = await self._store.get(number)
        if version is None:
            raise NotFound(f"There is no version {number}.")
        return version

    async def _unchanged(self, files: Files, *, stage: bool) -> Version | None:
        """The version that has this content already: the live one, or the one that was staged last."""
        content = hash_of(files)
        live = await self._find(self._library.versions.live)
        if live.content_hash == content:
            return live
        newest = await self._store.newest() if stage else None
        return newest if newest is not None and newest.content_hash == content else None

    def _new(self, files: Files, source: Source, author: str, comment: str) -> Version:
        return Version(0, self._clock(), author, comment, source, hash_of(files))

    async def _prune(self, live: Version) -> None:
        if self._keep is None:
            return
        loaded = self._library.versions.loaded
        removed = await self._store.prune(self._keep, {*loaded, *((live.follows,) if live.follows is not None else ())})
        if removed:
            log.info("old versions of the dialplans removed", removed=removed, kept=self._keep)


def _everything_in(folder: Path) -> dict[str, bytes]:
    return read_folder(folder) | read_tests(folder)


def _names(dialplans: Dialplans) -> tuple[str, ...]:
    return tuple(flow.name for flow in dialplans)


async def load_version(
    store: VersionStore,
    number: int,
    queues: Collection[str] | None = None,
    agents: Mapping[str, Mapping[str, int]] | None = None,
) -> Dialplans | None:
    """The dialplans of a version, without a service; None when there is no such version. Raises `DialplanErrors`,
    `DatabaseUnavailable`."""
    files = await store.files(number)
    if not files:
        return None
    flows = {name: data for name, data in files.items() if not name.endswith(TESTS)}
    return await asyncio.to_thread(load_files, flows, queues, agents, folder=f"version {number}")


def begun_with(events: Iterable[Event]) -> set[int]:
    """The versions that these calls have begun with."""
    versions = (event.data.get("dialplans") for event in events if event.kind == "flow.started")
    return {version for version in versions if isinstance(version, int)}
