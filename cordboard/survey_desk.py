"""What callers answer to surveys goes on record, and comes back as figures.

Decides whose an answer is: the agent who talked last in the call, and the queue where the caller waited last. Nothing
waits for the disk: the writer keeps answers, as it keeps events, while the database is away.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any
from zoneinfo import ZoneInfo

from cordboard.clock import Clock
from cordboard.events import Note
from cordboard.figures.days import BadInterval, at_clock, midnight, moment
from cordboard.outside import Done
from cordboard.records import CallRecords
from cordboard.storage.surveys import SurveyStore
from cordboard.survey import Answer, By, Scores, results
from ivr.ports import Handle, Timers
from ivr.requests import OK, SurveyAnswer

DAYS = 30
"""So many days before now are asked for when nobody says from when."""


class SurveyDesk:
    def __init__(
        self,
        store: SurveyStore,
        keep: Callable[[Answer], None],
        flush: Callable[[], Awaitable[object]],
        records: CallRecords,
        note: Note,
        timers: Timers,
        clock: Clock,
        time_zone: str,
    ) -> None:
        self._store = store
        self._keep = keep
        self._flush = flush
        self._records = records
        self._note = note
        self._timers = timers
        self._clock = clock
        self._zone = ZoneInfo(time_zone)

    def begin(self, call: str, what: SurveyAnswer, done: Done) -> Handle:
        record = self._records.get(call)
        agent = (record.agent if record is not None else None) or ""
        queue = (record.queue if record is not None else None) or ""
        self._keep(
            Answer(
                call,
                what.survey,
                what.question,
                what.type,
                what.score,
                self._clock(),
                agent,
                queue,
                what.flow,
                what.node,
            )
        )
        data = {"survey": what.survey, "question": what.question, "type": what.type, "score": what.score}
        self._note("survey.answered", call_id=call, agent=agent or None, queue=queue or None, data=data)
        return self._timers.after(0.0, lambda: done(OK, ()))

    async def figures(
        self, by: By, begin: str | None = None, end: str | None = None, **wanted: str | None
    ) -> dict[str, Any]:
        """What the answers of a time come to, in groups. Raises `BadInterval`, `DatabaseUnavailable`."""
        first, last = self._between(begin, end)
        await self._flush()
        groups: dict[str, Scores] = {}
        for one in await self._store.counts(first, last, **wanted):
            match by:
                case "question":
                    name = f"{one.survey}/{one.question}"
                case "day":
                    name = at_clock(midnight(one.at, self._zone), self._zone)[:10]
                case "queue":
                    name = one.queue
                case "agent":
                    name = one.agent
            groups.setdefault(name, Scores.empty()).add(one.type, one.score, one.times)
        return {
            "from": first,
            "to": last,
            "time_zone": self._zone.key,
            "by": by,
            "groups": {name: results(scores).view() for name, scores in sorted(groups.items())},
        }

    async def answers(
        self, begin: str | None = None, end: str | None = None, limit: int = 100, after: int = 0, **wanted: str | None
    ) -> list[Answer]:
        """The newest first. Raises `BadInterval`, `DatabaseUnavailable`."""
        first, last = self._between(begin, end)
        await self._flush()
        return await self._store.page(first, last, limit, after, **wanted)

    def _between(self, begin: str | None, end: str | None) -> tuple[float, float]:
        now = self._clock()
        last = moment(end, self._zone, now) if end else now + 1.0
        first = moment(begin, self._zone, now) if begin else midnight(now - DAYS * 86_400, self._zone)
        if first >= last:
            raise BadInterval("the time ends before it begins")
        return first, last
