"""Tells a transcript while it happens: the clock and the printing around the pure `transcript`."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from cordboard.phones import steady_clock
from cordboard.phones.live_events import Event
from cordboard.phones.transcript import Moment, Transcript, moment_of

_INTERVAL = 0.1

Show = Callable[[str], None]


class Narrator:
    """Times count from `started_at`, which is when it was made."""

    def __init__(self, show: Show) -> None:
        self._show = show
        self.started_at = steady_clock.now()
        self._transcript = Transcript(self.started_at)
        self._task: asyncio.Task[None] | None = None

    def tell(self, kind: str, at: float | None = None, **data: Any) -> None:
        """Something that the phone saw, now or at `at`."""
        self._transcript.add(Moment(steady_clock.now() if at is None else at, kind, data))

    def tell_event(self, event: Event) -> None:
        """Something that the service saw."""
        self._transcript.add(moment_of(event))

    async def __aenter__(self) -> Self:
        self._task = asyncio.get_running_loop().create_task(self._run(), name="narrator")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._task is not None
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task
        self._say(self._transcript.rest())

    async def _run(self) -> None:
        while True:
            self._say(self._transcript.ready(steady_clock.now()))
            await asyncio.sleep(_INTERVAL)

    def _say(self, lines: list[str]) -> None:
        for line in lines:
            self._show(line)
