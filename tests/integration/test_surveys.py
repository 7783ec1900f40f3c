"""Answers to surveys on a real database (SQLite and PostgreSQL), and over real HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from cordboard.figures.days import BadInterval
from cordboard.journal import Journal
from cordboard.storage.engine import open_engine
from cordboard.storage.errors import DatabaseUnavailable
from cordboard.storage.migrate import migrate
from cordboard.storage.sink import open_sink
from cordboard.storage.surveys import SurveyStore
from cordboard.storage.writer import Writer
from cordboard.survey_desk import SurveyDesk
from cordboard.web.app import make_app
from cordboard.web.ports import WebDeps
from ivr.requests import SurveyAnswer, SurveyType
from tests.fakes.virtual_time import VirtualTime

NOON = 1_800_014_400.0  # 2027-01-15 12:00 UTC
TOKEN = "a-token-for-tests"


class Centre:
    """Calls that had talks, and what their callers answer."""

    def __init__(self, url: str) -> None:
        self.now = NOON
        self.engine = open_engine(url)
        self.writer = Writer(open_sink(self.engine), linger_s=0.0)
        self.journal = Journal(lambda: self.now, self.writer)
        self.timers = VirtualTime()
        self.events: list[Any] = []
        self.journal.listen(self.events.append)
        self.desk = SurveyDesk(
            SurveyStore(self.engine),
            self.writer.survey,
            self.writer.flush,
            self.journal.records,
            self.journal.note,
            self.timers,
            lambda: self.now,
            "America/Bogota",
        )

    def talked(self, call: str, agent: str, queue: str) -> None:
        self.journal.note("call.arrived", call_id=call, data={"caller": "+15550142", "origin": "public"})
        self.journal.note("queue.joined", call_id=call, queue=queue)
        self.journal.note("talk.started", call_id=call, agent=agent, queue=queue, data={"offer": f"o-{call}"})

    def answers(self, call: str, type_: SurveyType, score: int) -> list[str]:
        outcomes: list[str] = []
        what = SurveyAnswer("after", f"the-{type_}", type_, score, "shop", "how")
        self.desk.begin(call, what, lambda outcome, _values: outcomes.append(outcome))
        assert outcomes == [], "nobody is answered before they have asked"
        self.timers.advance(0.0)
        return outcomes


@pytest.fixture
async def centre(database_url: str) -> AsyncIterator[Centre]:
    centre = Centre(database_url)
    await migrate(centre.engine)
    running = asyncio.create_task(centre.writer.run())
    yield centre
    await centre.writer.close()
    await running
    await centre.engine.dispose()


async def test_an_answer_is_filed_under_the_last_agent_and_queue_of_its_call(centre: Centre) -> None:
    centre.talked("c1", "1001", "sales")
    centre.journal.note("talk.started", call_id="c1", agent="1002", queue="sales", data={"offer": "o-2"})
    assert centre.answers("c1", "csat", 4) == ["ok"]
    [answer] = await centre.desk.answers()
    assert answer.view() == {
        "call_id": "c1",
        "survey": "after",
        "question": "the-csat",
        "type": "csat",
        "score": 4,
        "at": NOON,
        "agent": "1002",
        "queue": "sales",
        "flow": "shop",
        "node": "how",
    }
    [event] = [one for one in centre.events if one.kind == "survey.answered"]
    assert (event.call_id, event.agent, event.queue) == ("c1", "1002", "sales")
    assert event.data == {"survey": "after", "question": "the-csat", "type": "csat", "score": 4}


async def test_whoever_talked_with_nobody_has_no_agent(centre: Centre) -> None:
    centre.answers("c9", "nps", 10)
    [answer] = await centre.desk.answers()
    assert (answer.agent, answer.queue) == ("", "")


async def test_who_is_asked_again_answers_in_the_place_of_before(centre: Centre) -> None:
    centre.talked("c1", "1001", "sales")
    centre.answers("c1", "csat", 2)
    await centre.writer.flush()
    centre.now += 5
    centre.answers("c1", "csat", 5)
    [answer] = await centre.desk.answers()
    assert answer.score == 5


async def filled(centre: Centre) -> None:
    for number, (agent, queue, content, recommends) in enumerate(
        (("1001", "sales", 5, 10), ("1001", "sales", 2, 3), ("1002", "support", 4, 9), ("1002", "sales", 5, 7))
    ):
        centre.talked(f"c{number}", agent, queue)
        centre.answers(f"c{number}", "csat", content)
        centre.answers(f"c{number}", "nps", recommends)
        centre.now += 6 * 3600
    await centre.writer.flush()


async def test_figures_by_queue_agent_and_day(centre: Centre) -> None:
    await filled(centre)
    by_queue = (await centre.desk.figures("queue"))["groups"]
    assert {name: (one["csat"], one["csat_mean"], one["nps"]) for name, one in by_queue.items()} == {
        "sales": (0.666667, 4.0, 0.0),
        "support": (1.0, 4.0, 100.0),
    }
    by_agent = (await centre.desk.figures("agent"))["groups"]
    assert {name: (one["csat_answers"], one["nps"]) for name, one in by_agent.items()} == {
        "1001": (2, 0.0),
        "1002": (2, 50.0),
    }
    by_day = (await centre.desk.figures("day"))["groups"]
    assert {name: one["csat_answers"] for name, one in by_day.items()} == {"2027-01-15": 3, "2027-01-16": 1}
    by_question = (await centre.desk.figures("question", agent="1001"))["groups"]
    assert {name: (one["csat"], one["nps"]) for name, one in by_question.items()} == {
        "after/the-csat": (0.5, None),
        "after/the-nps": (None, 0.0),
    }


async def test_a_time_that_ends_before_it_begins_is_refused(centre: Centre) -> None:
    with pytest.raises(BadInterval):
        await centre.desk.figures("day", "2027-01-16", "2027-01-15")


async def test_a_database_that_is_away_is_told(tmp_path: Path) -> None:
    away = Centre(f"sqlite+aiosqlite:///{tmp_path}")  # a folder
    with pytest.raises(DatabaseUnavailable):
        await SurveyStore(away.engine).counts(0, NOON)
    await away.writer.close()
    await away.engine.dispose()


@pytest.fixture
async def client(centre: Centre) -> AsyncIterator[TestClient[Any, Any]]:
    await filled(centre)
    deps: dict[str, Any] = {one.name: None for one in fields(WebDeps)}
    deps |= {"token": TOKEN, "company": "Test", "versions": {}, "surveys": centre.desk, "allowed_hosts": frozenset()}
    deps |= {"journal": centre.journal}
    client = TestClient(TestServer(make_app(WebDeps(**deps))))
    await client.start_server()
    yield client
    await client.close()


async def ask(client: TestClient[Any, Any], path: str) -> tuple[int, Any]:
    async with client.get(path, headers={"Authorization": f"Bearer {TOKEN}"}) as answer:
        return answer.status, await answer.json()


async def test_over_http(client: TestClient[Any, Any]) -> None:
    status, found = await ask(client, "/api/surveys?by=agent&queue=sales")
    assert (status, found["by"], sorted(found["groups"])) == (200, "agent", ["1001", "1002"])
    assert found["groups"]["1002"]["csat"] == 1.0
    status, found = await ask(client, "/api/surveys/answers?limit=2&survey=after")
    assert (status, len(found["answers"])) == (200, 2)
    assert found["answers"][0]["call_id"] == "c3"


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("/api/surveys?by=moon", "by must be one of question, queue, agent, day."),
        ("/api/surveys?from=never", "A time is written as"),
        ("/api/surveys?limit=3", "Unknown in the query: limit."),
        ("/api/surveys/answers?limit=0", "limit must be 1 to 1000."),
    ],
)
async def test_what_cannot_be_asked(client: TestClient[Any, Any], path: str, says: str) -> None:
    status, found = await ask(client, path)
    assert status == 400
    assert says in str(found)
