"""Which talk an agent was wrapping up when the service ended."""

from __future__ import annotations

from dataclasses import replace

import pytest

from acd.aftercare import LastTalk
from cordboard.events import AgentState, Event
from cordboard.records import CallRecord, CallRecords
from cordboard.storage.reader import CallFilter
from cordboard.wrap_ups import talks_in_wrap_up

WRAPPING_UP = AgentState("1001", "wrap_up", "", 100.0)
RECORD = CallRecord("c1", 10.0, queue="sales", agent="1001", talk_ended_at=100.0, ended_at=100.2, outcome="talked")
ANY = CallFilter()


class Closed:
    """The closed calls of a database."""

    def __init__(self, *records: CallRecord) -> None:
        self.records = records

    async def calls(self, limit: int = 50, before: None = None, wanted: CallFilter = ANY) -> list[CallRecord]:
        return [one for one in self.records if one.agent == wanted.agent][:limit]


async def test_a_closed_call_is_found_and_hears_what_it_led_to() -> None:
    records = CallRecords()
    assert await talks_in_wrap_up([WRAPPING_UP], records, Closed(RECORD)) == {"1001": LastTalk("c1", "sales")}
    told = records.apply(Event(9, 105.0, "call.disposition", "c1", "1001", "sales", {"code": "sold"}))
    assert told == replace(RECORD, disposition="sold")


async def test_a_call_that_goes_on_without_the_agent_is_found() -> None:
    records = CallRecords()
    for at, kind in ((10.0, "call.arrived"), (20.0, "queue.joined"), (30.0, "talk.started"), (100.0, "talk.ended")):
        records.apply(Event(1, at, kind, "c2", "1001", "sales", {}))
    assert await talks_in_wrap_up([WRAPPING_UP], records, Closed()) == {"1001": LastTalk("c2", "sales")}


@pytest.mark.parametrize(("given", "told"), [("sold", "sold"), ("none_given", "")])
async def test_what_was_given_already(given: str, told: str) -> None:
    found = await talks_in_wrap_up([WRAPPING_UP], CallRecords(), Closed(replace(RECORD, disposition=given)))
    assert found == {"1001": LastTalk("c1", "sales", told)}


async def test_an_older_talk_is_not_the_one() -> None:
    older = replace(RECORD, talk_ended_at=50.0)
    assert await talks_in_wrap_up([WRAPPING_UP], CallRecords(), Closed(older)) == {}


async def test_who_is_not_in_wrap_up_owes_nothing() -> None:
    assert await talks_in_wrap_up([WRAPPING_UP._replace(state="ready")], CallRecords(), Closed(RECORD)) == {}
