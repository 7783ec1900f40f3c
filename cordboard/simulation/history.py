"""The last days as they were: who called when, how long they talked, how long they would have waited, who was at work.

Decides what is taken from the record and what has to be estimated: who was answered has a patience that nobody saw, who
hung up a talk that never was. A call counts with its last queue. It refuses to know how a day is played.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from random import Random

from acd.codec import NotDecodable
from acd.facts import CallerJoined
from acd.model import WaitingCaller
from acd.replay import fact_of
from acd.simulate.day import Turn, Visit
from acd.simulate.patience import Wait, mean_patience, median_patience
from cordboard.events import Event
from cordboard.records import CallRecord
from cordboard.storage.reader import CallCursor, CallFilter, Reader
from cordboard.storage.routing import RoutingStore

_STATES = "agent.state"
_PAGE = 500


@dataclass(frozen=True, slots=True)
class QueuePast:
    """What was learned of a queue's callers."""

    calls: int
    mean_handling_s: float | None  # None: nobody was answered
    mean_patience_s: float | None  # maximum likelihood, exponential, answered callers censored; None: nobody hung up
    median_patience_s: float | None  # Kaplan-Meier; None: never seen


@dataclass(slots=True)
class Past:
    days: list[list[Visit]] = field(default_factory=list)
    turns: list[list[Turn]] = field(default_factory=list)  # of each day
    queues: dict[str, QueuePast] = field(default_factory=dict)
    left_out: int = 0  # calls of queues that are no more


async def read_past(
    reader: Reader, routing: RoutingStore, now: float, days: int, zone: tzinfo, queues: Iterable[str], seed: int
) -> Past:
    """The days before today that had calls. Raises `DatabaseUnavailable`."""
    midnight = datetime.fromtimestamp(now, zone).replace(hour=0, minute=0, second=0, microsecond=0)
    since, until = (midnight - timedelta(days=days)).timestamp(), midnight.timestamp()
    records = [one async for one in _records(reader, since, until) if one.queue is not None]
    callers = await _callers(routing, since, until)
    states = [event async for event in reader.events_between(since - 7 * 86_400, until, frozenset({_STATES}))]
    return compose(records, callers, states, zone, frozenset(queues), seed)


def compose(
    records: Sequence[CallRecord],
    callers: Mapping[str, WaitingCaller],
    states: Iterable[Event],
    zone: tzinfo,
    queues: frozenset[str],
    seed: int,
) -> Past:
    """`callers`: what the engine was told of them, where the routing log still has it."""
    past = Past()
    known = [one for one in records if one.queue in queues and one.queued_at is not None]
    past.left_out = sum(1 for one in records if one.queue is not None) - len(known)
    of_queue: dict[str, list[CallRecord]] = {}
    for one in known:
        of_queue.setdefault(one.queue or "", []).append(one)
    past.queues = {queue: _learned(of_queue[queue]) for queue in sorted(of_queue)}
    talks = {queue: [one.talk_s for one in calls if one.talk_s > 0] for queue, calls in of_queue.items()}
    dates: dict[datetime, list[Visit]] = {}
    for one in sorted(known, key=lambda record: (record.queued_at or 0.0, record.call_id)):
        midnight = _midnight(one.queued_at or 0.0, zone)
        visit = _visit(one, callers.get(one.call_id), past.queues, talks, midnight.timestamp(), seed)
        dates.setdefault(midnight, []).append(visit)
    events = sorted(states, key=lambda event: event.seq)
    for midnight in sorted(dates):
        past.days.append(dates[midnight])
        past.turns.append(list(_turns(events, midnight.timestamp())))
    return past


def _learned(calls: list[CallRecord]) -> QueuePast:
    waits = [Wait(one.wait_s, one.outcome == "abandoned_in_queue") for one in calls]
    talks = [one.talk_s for one in calls if one.talk_s > 0]
    mean = sum(talks) / len(talks) if talks else None
    return QueuePast(len(calls), mean, mean_patience(waits), median_patience(waits))


def _visit(
    record: CallRecord,
    caller: WaitingCaller | None,
    learned: Mapping[str, QueuePast],
    talks: Mapping[str, list[float]],
    midnight: float,
    seed: int,
) -> Visit:
    """What is not on record is drawn, from a source of chance of this call's own."""
    queue = record.queue or ""
    chance = Random(f"{seed}/{record.call_id}")
    handling_s = record.talk_s or (chance.choice(talks[queue]) if talks[queue] else 0.0)
    patience: float | None = record.wait_s
    if record.outcome != "abandoned_in_queue":
        mean = learned[queue].mean_patience_s
        patience = None if mean is None else record.wait_s + chance.expovariate(1.0 / mean)
    if caller is None or caller.queue != queue:
        return Visit((record.queued_at or 0.0) - midnight, queue, handling_s, patience)
    return Visit(
        (record.queued_at or 0.0) - midnight,
        queue,
        handling_s,
        patience,
        caller.head_start,
        caller.requirement,
        caller.preferred,
        caller.preferred_s,
    )


def _turns(states: Iterable[Event], midnight: float) -> Iterator[Turn]:
    """Who came and went on a day, and who was there when it began."""
    now: dict[str, str] = {}
    begun = False
    for event in states:
        if event.at >= midnight + 86_400:
            break
        if event.at >= midnight and not begun:
            begun = True
            yield from (Turn(0.0, agent, state) for agent, state in now.items() if state != "out")
        agent = event.agent or ""
        state = {"logged_out": "out", "not_ready": "break"}.get(str(event.data.get("state")), "in")
        if now.get(agent, "out") != state:
            now[agent] = state
            if begun:
                yield Turn(event.at - midnight, agent, state)
    if not begun:
        yield from (Turn(0.0, agent, state) for agent, state in now.items() if state != "out")


def _midnight(at: float, zone: tzinfo) -> datetime:
    return datetime.fromtimestamp(at, zone).replace(hour=0, minute=0, second=0, microsecond=0)


async def _records(reader: Reader, since: float, until: float) -> AsyncIterator[CallRecord]:
    cursor: CallCursor | None = None
    while True:
        page = await reader.calls(_PAGE, cursor, CallFilter(since=since, until=until))
        for record in page:
            yield record
        if len(page) < _PAGE or page[-1].ended_at is None:
            return
        cursor = CallCursor(page[-1].ended_at, page[-1].call_id)


async def _callers(routing: RoutingStore, since: float, until: float) -> dict[str, WaitingCaller]:
    callers: dict[str, WaitingCaller] = {}
    async for entry in routing.joined(since, until):
        try:
            fact = fact_of(entry)
        except NotDecodable:
            continue  # of another version; what the record has is enough
        if isinstance(fact, CallerJoined):
            callers[fact.caller.call] = fact.caller
    return callers
