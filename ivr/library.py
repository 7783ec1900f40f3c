"""The dialplans at hand: the versions that calls meet, and how files become one of them.

Decides that files are taken whole (every file good, every prompt spoken) or not at all, and that judging them disturbs
nobody. It refuses to know where files and versions are kept, and which of them calls should meet.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from ivr.dialplans import Dialplans
from ivr.errors import DialplanErrors
from ivr.known import Reach
from ivr.loader import load_files
from ivr.problems import Problem
from ivr.prompts import PromptReport, PromptStore
from ivr.sources import TESTS
from ivr.versions import NONE, Chosen, Versions


@dataclass(frozen=True, slots=True)
class Reading:
    """What files are. `dialplans` is None when they are refused for what is written in them; `unspoken` are findings
    too: texts that no voice can speak, sounds that are not there."""

    dialplans: Dialplans | None = None
    problems: tuple[Problem, ...] = ()
    unspoken: tuple[Problem, ...] = ()

    @property
    def ok(self) -> bool:
        return self.dialplans is not None and not self.unspoken

    @property
    def findings(self) -> tuple[Problem, ...]:
        return (*self.problems, *self.unspoken)


class DialplanLibrary:
    """`versions` is what calls meet. `queues` and `agents` are asked at each reading."""

    def __init__(
        self,
        prompts: PromptStore,
        queues: Callable[[], Collection[str]],
        languages: Collection[str] = (),
        agents: Callable[[], Mapping[str, Mapping[str, int]] | None] = lambda: None,
        texts: Mapping[str, Collection[str]] | None = None,
        prefixes: Collection[str] | None = None,
        reach: Reach | None = None,
    ) -> None:
        """`languages`: those that announcements are needed in, beside the dialplans' own; `agents`: with skills;
        `texts`: what else must be spoken, by language; `prefixes`: how numbers begin that may be dialled; `reach`:
        which other systems may be asked."""
        self.versions: Versions = NONE
        self._prompts = prompts
        self._queues = queues
        self._agents = agents
        self._languages = tuple(languages)
        self._texts = texts or {}
        self._prefixes = prefixes
        self._reach = reach

    @property
    def current(self) -> Dialplans:
        return self.versions.current

    def flow_for(self, number: str, call: str, caller_number: str, kept: int = 0) -> Chosen | None:
        """The flow that answers a dialled number now, see `Versions.flow_for`."""
        return self.versions.flow_for(number, call, caller_number, kept)

    async def read(self, files: Mapping[str, bytes], folder: str = "", *, lenient: bool = False) -> Reading:
        """Judge files and speak what is new in them; never raises for what an admin wrote. `folder`: how findings call
        the place. `lenient`: what the site has no more (queues, sounds, ...) is no reason to refuse them."""
        sounds = await self._prompts.find_sounds()
        site = (frozenset(self._queues()), self._agents(), sounds, self._prefixes, self._reach)
        flows = {name: data for name, data in files.items() if not name.endswith(TESTS)}
        try:
            # A large folder takes a second to check: calls must not notice.
            dialplans = await asyncio.to_thread(_load, flows, *(() if lenient else site), folder=folder)
        except DialplanErrors as errors:
            return Reading(None, errors.problems)
        report = await self._prompts.prepare(dialplans, self._languages, self._texts)
        return Reading(dialplans, dialplans.warnings, _unspoken(report, folder or "."))


def _load(files: Mapping[str, bytes], *known: Any, folder: str) -> Dialplans:
    """Collecting garbage while ten thousands of objects are made would halt every thread for nothing: they are none.

    What is frozen is never gone through again. Dialplans go all the same when nobody needs them (there are no cycles in
    them); of other garbage only what is there at this very moment stays.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        dialplans = load_files(files, *known, folder=folder)
        gc.freeze()
        return dialplans
    finally:
        if collecting:
            gc.enable()


def _unspoken(report: PromptReport, folder: str) -> tuple[Problem, ...]:
    """One finding a reason: a voice that is not there fails every text of its language."""
    reasons = sorted({(failure.language, failure.reason) for failure in report.failures})
    return tuple(
        Problem(folder, 1, 1, f"texts in {language!r} cannot be spoken: {reason}") for language, reason in reasons
    )
