"""The published dialplans: the set that new calls meet.

Decides that a set is taken over whole (every file good, every prompt spoken) or not at all, so that the running one
stays in use. A call keeps the `Flow` that it was given when it arrived, whatever is published meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import structlog

from ivr.dialplans import Dialplans
from ivr.errors import DialplanErrors
from ivr.flow import Flow
from ivr.known import Reach
from ivr.loader import load_folder
from ivr.problems import Problem
from ivr.prompts import PromptReport, PromptStore

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Published:
    """The outcome of a load. `ok` is False when the set was refused and the one before stays."""

    ok: bool
    version: str
    numbers: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    prompts: PromptReport | None = None


class DialplanLibrary:
    """`queues` and `agents` are asked at each load: they may change while the service runs."""

    def __init__(
        self,
        folder: Path,
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
        self._folder = folder
        self._prompts = prompts
        self._queues = queues
        self._agents = agents
        self._languages = tuple(languages)
        self._texts = texts or {}
        self._prefixes = prefixes
        self._reach = reach
        self._current = Dialplans(())
        self._lock = asyncio.Lock()

    @property
    def current(self) -> Dialplans:
        return self._current

    def flow_for(self, number: str) -> Flow | None:
        """The flow that answers a dialled number now."""
        return self._current.flow_for(number)

    async def load(self) -> Published:
        """The first load. Raises `DialplanErrors`; a text that no voice can speak is only reported.

        Without a voice for one language, callers in the others are still better served by us than by nobody.
        """
        async with self._lock:
            dialplans = await self._read()
            report = await self._prompts.prepare(dialplans, self._languages, self._texts)
            return self._publish(dialplans, report)

    async def reload(self) -> Published:
        """Take the folder over as it is now, or say why not; never raises for what an admin wrote."""
        async with self._lock:
            try:
                dialplans = await self._read()
            except DialplanErrors as errors:
                return self._refuse(errors.problems)
            report = await self._prompts.prepare(dialplans, self._languages, self._texts)
            if not report.ok:
                return self._refuse(self._unspoken(report), report)
            return self._publish(dialplans, report)

    async def _read(self) -> Dialplans:
        sounds = await self._prompts.find_sounds()
        # A large folder takes a second to check: calls must not notice.
        queues, agents = frozenset(self._queues()), self._agents()
        known = (queues, agents, sounds, self._prefixes, self._reach)
        return await asyncio.to_thread(load_folder, self._folder, *known)

    def _publish(self, dialplans: Dialplans, report: PromptReport) -> Published:
        self._current = dialplans
        problems = (*dialplans.warnings, *self._unspoken(report))
        log.info("dialplans published", version=dialplans.version, flows=len(dialplans), problems=len(problems))
        return Published(True, dialplans.version, dialplans.numbers, problems, report)

    def _refuse(self, problems: tuple[Problem, ...], report: PromptReport | None = None) -> Published:
        log.warning("dialplans refused", problems=len(problems), running=self._current.version)
        return Published(False, self._current.version, self._current.numbers, problems, report)

    def _unspoken(self, report: PromptReport) -> tuple[Problem, ...]:
        """One finding a reason: a voice that is not there fails every text of its language."""
        reasons = sorted({(failure.language, failure.reason) for failure in report.failures})
        return tuple(
            Problem(str(self._folder), 1, 1, f"texts in {language!r} cannot be spoken: {reason}")
            for language, reason in reasons
        )
