"""The log of a stretch of time, event by event, as much of it as figures are made from.

Decides where reading begins: `RUN_UP_S` before the first interval, so that waits, talks and states that reach into it
are known. Never more than a page is in memory.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from typing import Protocol

from acd.estimates_seen import Seen
from cordboard.events import Event
from cordboard.figures.fold import FOLDS, Fold, Thresholds
from cordboard.figures.intervals import Intervals
from cordboard.figures.today import Today
from cordboard.storage.errors import DatabaseUnavailable

RUN_UP_S = 4 * 3600.0
_RETRY_S = 5.0
_GIVE_WAY_EVERY, _GIVE_WAY_S = 500, 0.005  # calls are handled by the same loop
_FAR = 1e12  # later than anything


class Log(Protocol):
    """`storage.reader.Reader` is the real one."""

    def events_between(self, begin: float, end: float, kinds: frozenset[str]) -> AsyncIterator[Event]: ...


def events_for(log: Log, begin: float, end: float, also: Collection[str] = ()) -> AsyncIterator[Event]:
    return log.events_between(begin - RUN_UP_S, end, frozenset({*FOLDS, *also}))


async def read(log: Log, intervals: Intervals, thresholds: Thresholds, now: float) -> Fold:
    """Fold the log over these intervals. Raises `DatabaseUnavailable`."""
    begin, end = intervals.borders[0], intervals.borders[-1]
    fold = Fold(intervals, thresholds)
    async for event in events_for(log, begin, end):
        fold.apply(event)
    fold.until(min(now, end))
    return fold


async def catch_up(log: Log, today: Today, upto: int) -> Seen:
    """Tell `today` what happened before this process began: events up to number `upto`. Tried until it can be read.

    The answer is what was seen of the queues meanwhile, for expected waits.
    """
    while True:
        today.begin_again()
        seen, read_now = Seen(), 0
        try:
            async for event in events_for(log, today.begin, _FAR, seen.kinds):
                if event.seq > upto:
                    break
                today.earlier(event)
                read_now += 1
                if read_now % _GIVE_WAY_EVERY == 0:
                    await asyncio.sleep(_GIVE_WAY_S)
                seen.note(event.kind, event.call_id, event.agent, event.queue, event.data, event.at)
        except DatabaseUnavailable:
            await asyncio.sleep(_RETRY_S)
        else:
            today.caught_up()
            return seen
