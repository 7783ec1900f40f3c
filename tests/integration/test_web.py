"""The web over real HTTP, on a real SQLite database; the distributor and the PBX are played by hand."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp.test_utils import TestClient, TestServer

from cordboard.allowed import Allowed
from cordboard.callback_desk import CallbackDesk
from cordboard.clock import SteadyClock
from cordboard.customer_desk import CustomerDesk
from cordboard.events import Event
from cordboard.figures.days import BadInterval
from cordboard.journal import Journal, Subscription
from cordboard.messages import Messages
from cordboard.outside import OutsideDesks
from cordboard.recordings import Recordings
from cordboard.storage.callbacks import CallbackStore
from cordboard.storage.customers import CustomerStore
from cordboard.storage.engine import open_engine
from cordboard.storage.migrate import migrate
from cordboard.storage.reader import Reader
from cordboard.storage.sink import open_sink
from cordboard.storage.surveys import SurveyStore
from cordboard.storage.writer import Writer
from cordboard.survey_desk import SurveyDesk
from cordboard.web.app import make_app
from cordboard.web.metrics import RecordingCollector, ServiceCollector, make_registry
from cordboard.web.ports import (
    CommandRefused,
    NoAnswer,
    PbxHealth,
    StorageHealth,
    UnknownAgent,
    WebDeps,
)
from tests.fakes.publishing import PublisherRig
from tests.fakes.switch import FakeSwitch
from tests.fakes.virtual_time import VirtualTime

TOKEN = "a-token-for-tests"
BEARER = {"Authorization": f"Bearer {TOKEN}"}


@dataclass
class Floor:
    """Agents and queues, as far as the web needs them."""

    states: dict[str, str] = field(default_factory=lambda: {"1001": "logged_out"})
    calls: list[dict[str, Any]] = field(default_factory=list)
    linked: bool = True
    commands: list[tuple[str, str, str]] = field(default_factory=list)

    def agents(self) -> list[dict[str, Any]]:
        return [{"id": agent, "state": state} for agent, state in self.states.items()]

    def queues(self) -> list[dict[str, Any]]:
        return [{"name": "sales", "waiting": 2, "longest_wait_s": 1.5}]

    def command(self, agent: str, command: str, reason: str) -> dict[str, Any]:
        if agent not in self.states:
            raise UnknownAgent(f"There is no agent '{agent}'.")
        if command == "pause" and self.states[agent] == "logged_out":
            raise CommandRefused(f"Agent '{agent}' is not logged in.")
        self.commands.append((agent, command, reason))
        self.states[agent] = {"login": "ready", "ready": "ready", "pause": "not_ready"}.get(command, "logged_out")
        return {"id": agent, "state": self.states[agent]}

    def extend(self, agent: str, seconds: float | None) -> dict[str, Any]:
        if self.states.get(agent) != "wrap_up":
            raise CommandRefused(f"Agent '{agent}' is not in wrap-up.")
        self.commands.append((agent, "wrap-up", str(seconds)))
        return {"id": agent, "state": "wrap_up"}

    def classify(self, agent: str, code: str) -> dict[str, Any]:
        if code != "sold":
            raise CommandRefused("It has: 1 sold.")
        self.commands.append((agent, "disposition", code))
        return {"id": agent, "disposition": code}

    async def figures(self, queue: str | None, begin: str | None, end: str | None, step: str | None) -> dict[str, Any]:
        if step == "1w":
            raise BadInterval("a step is written as 30m, 1h, 7d or in seconds")
        if begin == "1900-01-01":
            raise NoAnswer("it took longer than 300 s")
        asked = {"queue": queue, "from": begin, "to": end, "step": step}
        return {"asked": asked, "total": {"queues": {"old": []} if queue == "old" else {}}}

    async def explain(self, call: str) -> dict[str, Any] | None:
        if call == "c-3":
            raise NoAnswer("too busy")
        return {"call": call, "text": "because"} if call == "c-1" else None

    def talk_command(self, call: str, command: str, to: str) -> None:
        if call != "c-1":
            raise CommandRefused(f"Call {call!r} is in no talk.")
        self.commands.append((call, command, to))

    def supervise(self, call: str, supervisor: str, mode: str) -> None:
        if supervisor not in self.states:
            raise UnknownAgent(f"There is no agent {supervisor!r}.")
        self.commands.append((call, supervisor, mode))


class SmallWatchers:
    """The journal with room for three events a watcher."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    @property
    def last_seq(self) -> int:
        return self._journal.last_seq

    def subscribe(self, *, call_id: str | None = None) -> Subscription:
        return self._journal.subscribe(call_id=call_id, capacity=3)

    def listen(self, listener: Callable[[Event], None]) -> None:
        self._journal.listen(listener)


@dataclass
class Site:
    """Everything behind the web."""

    floor: Floor
    journal: Journal
    writer: Writer
    reader: Reader
    deps: WebDeps
    client: TestClient[Any, Any]
    serve: Callable[[WebDeps], Awaitable[TestClient[Any, Any]]]

    def a_call(self, call_id: str, *, ended: bool = True) -> None:
        note = self.journal.note
        note("call.arrived", call_id=call_id, data={"caller": "600111222", "dialled": "100", "origin": "public"})
        note("queue.joined", call_id=call_id, queue="sales", data={"position": 1})
        if ended:
            note("call.ended", call_id=call_id, data={"outcome": "talked", "ended_by": "caller", "cause": 16})


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    engine = open_engine(f"sqlite+aiosqlite:///{tmp_path / 'cordboard.db'}")
    await migrate(engine)
    clock, floor = SteadyClock(), Floor()
    reader, writer = Reader(engine, clock), Writer(open_sink(engine))
    journal = Journal(clock, writer)
    running = asyncio.create_task(writer.run())
    collector = ServiceCollector(
        journal, writer, lambda: floor.linked, lambda: len(floor.calls), floor.queues, floor.agents
    )
    recordings = Recordings(
        tmp_path / "recordings",
        engine,
        reader,
        journal,
        switch=FakeSwitch(VirtualTime()),
        clock=clock,
        rules={},
        talks=tuple,
        keep_days=None,
        min_free_bytes=0,
    )
    messages = Messages(
        tmp_path / "recordings",
        engine,
        reader,
        journal,
        OutsideDesks(VirtualTime()),
        switch=FakeSwitch(VirtualTime()),
        timers=VirtualTime(),
        clock=clock,
        refusal=str,
        here=lambda _call: False,
        keep_days=None,
    )
    callbacks = CallbackDesk(
        CallbackStore(engine),
        Allowed((), (), trunk=False),
        None,
        (),
        clock=clock,
        note=journal.note,
        own=lambda work, _name: asyncio.create_task(work),
    )
    rig = PublisherRig(tmp_path, engine)
    rig.write()
    await rig.start()
    deps = WebDeps(
        token=TOKEN,
        company="Test & Sons",
        versions={"cordboard": "0.1.0"},
        live_calls=lambda: floor.calls,
        queues=floor.queues,
        agents=floor.agents,
        command_agent=floor.command,
        extend_wrap_up=floor.extend,
        classify=floor.classify,
        talk_command=floor.talk_command,
        supervise=floor.supervise,
        explain=floor.explain,
        figures=floor.figures,
        history=reader,
        journal=journal,
        flush=writer.flush,
        pbx_health=lambda: PbxHealth(floor.linked, "22.0"),
        storage_health=lambda: StorageHealth(writer.counts.failing, writer.pending, writer.counts.dropped),
        registry=make_registry(collector, RecordingCollector(recordings.health)),
        recordings=recordings,
        messages=messages,
        callbacks=callbacks,
        dialplans=rig.publisher,
        switches=rig.switches,
        customers=CustomerDesk(CustomerStore(engine), "US", clock=clock, note=journal.note),
        surveys=SurveyDesk(
            SurveyStore(engine), writer.survey, writer.flush, journal.records, journal.note, VirtualTime(), clock, "UTC"
        ),
        clock=clock,
        allowed_hosts=frozenset({"board.example"}),
    )
    clients: list[TestClient[Any, Any]] = []

    async def serve(deps: WebDeps) -> TestClient[Any, Any]:
        client = TestClient(TestServer(make_app(deps)))
        await client.start_server()
        clients.append(client)
        return client

    yield Site(floor, journal, writer, reader, deps, await serve(deps), serve)
    for client in clients:
        await client.close()
    await writer.close()
    await running
    await engine.dispose()


async def get(site: Site, path: str, status: int = 200) -> Any:
    async with site.client.get(path, headers=BEARER) as answer:
        assert answer.status == status, await answer.text()
        return await answer.json()


async def post(site: Site, path: str, body: Any = None, status: int = 200) -> Any:
    data = body if isinstance(body, str) or body is None else json.dumps(body)
    async with site.client.post(path, data=data, headers=BEARER) as answer:
        assert answer.status == status, await answer.text()
        return await answer.json()


# --- who may come in


@pytest.mark.parametrize("path", ["/api/calls", "/api/queues", "/api/events", "/api/nothing", "/api"])
@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {TOKEN}"}])
async def test_the_api_needs_the_token(site: Site, path: str, headers: dict[str, str]) -> None:
    async with site.client.get(path, headers=headers) as answer:
        assert answer.status == 401
        assert await answer.json() == {"error": "The token is missing or wrong."}
        assert answer.headers["WWW-Authenticate"] == "Bearer"


async def test_the_token_may_stand_in_the_address(site: Site) -> None:
    async with site.client.get(f"/api/queues?token={TOKEN}") as answer:
        assert answer.status == 200
    async with site.client.get("/api/queues?token=%FF%00") as answer:
        assert answer.status == 401


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost:8080", 200),
        ("127.0.0.1", 200),
        ("[::1]:8080", 200),
        ("192.0.2.7:8080", 200),
        ("BOARD.example:80", 200),
        ("evil.example:8080", 421),
        ("localhost.evil.example", 421),
        ("", 421),
    ],
)
async def test_a_rebound_name_is_refused(site: Site, host: str, status: int) -> None:
    for path in ("/", "/health", "/api/queues"):
        async with site.client.get(path, headers={**BEARER, "Host": host}) as answer:
            assert answer.status == status


async def test_browsers_are_told_what_to_forbid(site: Site) -> None:
    for path in ("/", "/api/queues", "/api/nothing", "/health"):
        async with site.client.get(path, headers=BEARER) as answer:
            policy = answer.headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy
            assert "unsafe" not in policy
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert "Access-Control-Allow-Origin" not in answer.headers


# --- the status page


PAGES = {
    "/": ("/status.css", "/common.js", "/status.js", "/favicon.svg"),
    "/wallboard": ("/wallboard.css", "/common.js", "/wallboard-words.js", "/wallboard.js", "/favicon.svg"),
}


@pytest.mark.parametrize("address", PAGES)
async def test_a_page_is_whole_and_holds_no_data(site: Site, address: str) -> None:
    site.a_call("c-1")
    async with site.client.get(address) as answer:
        page = await answer.text()
    assert "Test &amp; Sons" in page
    assert "600111222" not in page
    assert TOKEN not in page
    assert "http://" not in page
    assert "https://" not in page
    assert "<script>" not in page
    assert " style=" not in page
    for path in PAGES[address]:
        assert path in page
        async with site.client.get(path) as answer:
            assert answer.status == 200
            assert "innerHTML" not in await answer.text()


# --- health and metrics


async def test_health(site: Site) -> None:
    async with site.client.get("/health") as answer:
        assert answer.status == 200
        content = await answer.json()
    assert content["status"] == "ok"
    assert content["pbx"] == {"ok": True, "version": "22.0", "detail": ""}
    assert content["database"]["ok"] is True
    assert content["versions"] == {"cordboard": "0.1.0"}


async def test_health_without_the_pbx_or_with_a_failing_database(site: Site) -> None:
    site.floor.linked = False
    async with site.client.get("/health") as answer:
        assert answer.status == 503
        assert (await answer.json())["pbx"]["ok"] is False
    site.floor.linked = True
    client = await site.serve(replace(site.deps, storage_health=lambda: StorageHealth(True, 7, 1, "locked")))
    async with client.get("/health") as answer:
        assert answer.status == 503
        assert (await answer.json())["database"] == {"ok": False, "pending": 7, "dropped": 1, "detail": "locked"}


async def test_metrics(site: Site) -> None:
    site.a_call("c-1")
    await site.writer.flush()
    async with site.client.get("/metrics") as answer:
        assert answer.status == 200
        text = await answer.text()
    for line in (
        "cordboard_pbx_linked 1.0",
        'cordboard_events_total{kind="call.arrived"} 1.0',
        'cordboard_queue_waiting{queue="sales"} 2.0',
        'cordboard_agents{state="logged_out"} 1.0',
        "cordboard_storage_records_total 1.0",
        "cordboard_storage_dropped_total 0.0",
    ):
        assert line in text.splitlines()
    assert "600111222" not in text


# --- REST


async def test_queues_agents_and_live_calls(site: Site) -> None:
    site.floor.calls.append({"call_id": "c-9", "phase": "queue"})
    assert await get(site, "/api/queues") == {"queues": site.floor.queues()}
    assert await get(site, "/api/agents") == {"agents": [{"id": "1001", "state": "logged_out"}]}
    assert await get(site, "/api/calls") == {"calls": [{"call_id": "c-9", "phase": "queue"}]}


async def test_a_closed_call_can_be_read_at_once(site: Site) -> None:
    site.a_call("c-1")
    content = await get(site, "/api/calls/c-1")
    assert content["closed"] is True
    assert content["call"]["outcome"] == "talked"
    assert content["call"]["queue"] == "sales"
    assert [event["kind"] for event in content["events"]] == ["call.arrived", "queue.joined", "call.ended"]


async def test_a_live_call_with_its_timeline(site: Site) -> None:
    site.floor.calls.append({"call_id": "c-1", "phase": "queue"})
    site.a_call("c-1", ended=False)
    content = await get(site, "/api/calls/c-1")
    assert content["closed"] is False
    assert content["call"] == {"call_id": "c-1", "phase": "queue"}
    assert len(content["events"]) == 2


async def test_why_a_call_went_where_it_did(site: Site) -> None:
    assert await get(site, "/api/calls/c-1/explain") == {"call": "c-1", "text": "because"}
    assert "in no queue" in (await get(site, "/api/calls/c-2/explain", 404))["error"]
    assert (await get(site, "/api/calls/c-3/explain", 503))["error"] == "too busy"


async def test_an_unknown_call(site: Site) -> None:
    assert await get(site, "/api/calls/c-404", 404) == {"error": "There is no such call."}


async def test_pages_of_closed_calls(site: Site) -> None:
    for n in range(5):
        site.a_call(f"c-{n}")
    first = await get(site, "/api/calls?closed=1&limit=3")
    second = await get(site, f"/api/calls?closed=1&limit=3&before={first['next']}")
    assert [call["call_id"] for call in first["calls"] + second["calls"]] == ["c-4", "c-3", "c-2", "c-1", "c-0"]
    assert second["next"] is None
    assert (await get(site, "/api/calls?closed=1&queue=support"))["calls"] == []


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ("limit=0", "limit must be 1 to 500."),
        ("limit=x", "limit must be a whole number."),
        ("limit=99999999999999999999", "limit must be a whole number."),
        ("since=nan", "since must be unix seconds."),
        ("before=5", "before must be the `next` of an earlier page."),
    ],
)
async def test_a_wrong_question_is_explained(site: Site, query: str, error: str) -> None:
    assert await get(site, f"/api/calls?closed=1&{query}", 400) == {"error": error}


async def test_more_time_after_a_talk_and_what_it_led_to(site: Site) -> None:
    site.floor.states["1001"] = "wrap_up"
    await post(site, "/api/agents/1001/wrap-up", {"extend": 45})
    await post(site, "/api/agents/1001/wrap-up")
    assert await post(site, "/api/agents/1001/disposition", {"code": "sold"}) == {
        "agent": {"id": "1001", "disposition": "sold"}
    }
    assert site.floor.commands == [
        ("1001", "wrap-up", "45"),
        ("1001", "wrap-up", "None"),
        ("1001", "disposition", "sold"),
    ]
    assert await post(site, "/api/agents/1001/disposition", {"code": "won"}, 409) == {"error": "It has: 1 sold."}


@pytest.mark.parametrize("extend", [0, -1, 7201, True, "30", [1]])
async def test_an_extension_that_makes_no_sense(site: Site, extend: Any) -> None:
    site.floor.states["1001"] = "wrap_up"
    refused = await post(site, "/api/agents/1001/wrap-up", {"extend": extend}, 400)
    assert refused == {"error": "extend must be 1 to 7200 seconds."}


@pytest.mark.parametrize("code", [None, 1, "", ["sold"]])
async def test_a_disposition_that_is_none(site: Site, code: Any) -> None:
    refused = await post(site, "/api/agents/1001/disposition", {"code": code}, 400)
    assert "must be the name or the digit" in refused["error"]


async def test_commands_to_agents(site: Site) -> None:
    assert await post(site, "/api/agents/1001/login") == {"agent": {"id": "1001", "state": "ready"}}
    await post(site, "/api/agents/1001/pause", {"reason": "lunch"})
    await post(site, "/api/agents/1001/ready", {})
    await post(site, "/api/agents/1001/logout", {"reason": None})
    assert site.floor.commands == [
        ("1001", "login", ""),
        ("1001", "pause", "lunch"),
        ("1001", "ready", ""),
        ("1001", "logout", ""),
    ]


async def test_commands_that_cannot_be_done(site: Site) -> None:
    assert await post(site, "/api/agents/9/login", status=404) == {"error": "There is no agent '9'."}
    assert await post(site, "/api/agents/1001/pause", status=409) == {"error": "Agent '1001' is not logged in."}
    assert (await post(site, "/api/agents/1001/dance", status=404))["error"] == "Not Found"
    async with site.client.get("/api/agents/1001/login", headers=BEARER) as answer:
        assert answer.status == 405
        assert answer.headers["Allow"] == "POST"
        assert (await answer.json())["error"] == "Method Not Allowed"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("{", 400),
        ("[]", 400),
        ('"x"', 400),
        ("[" * 10_000, 400),
        ({"raeson": "x"}, 400),
        ({"reason": 5}, 400),
        ({"reason": "x" * 101}, 400),
        ({"reason": "line\nbreak"}, 400),
        ({"reason": "x" * 20_000}, 413),
    ],
)
async def test_bodies_that_are_refused(site: Site, body: Any, status: int) -> None:
    assert "error" in await post(site, "/api/agents/1001/login", body, status)
    assert site.floor.commands == []


async def test_a_fault_of_ours_says_nothing_of_itself(site: Site) -> None:
    def broken() -> list[dict[str, Any]]:
        raise RuntimeError("secret detail")

    client = await site.serve(replace(site.deps, queues=broken))
    async with client.get("/api/queues", headers=BEARER) as answer:
        assert answer.status == 500
        assert "secret" not in await answer.text()


# --- live events


async def frames(socket: aiohttp.ClientWebSocketResponse, count: int) -> list[dict[str, Any]]:
    return [await socket.receive_json(timeout=10) for _ in range(count)]


async def test_live_events(site: Site) -> None:
    site.journal.note("before")
    async with site.client.ws_connect("/api/events", headers=BEARER) as socket:
        assert await frames(socket, 1) == [{"type": "hello", "last_seq": 1}]
        site.journal.note("offer.made", call_id="c-1", agent="1001", queue="sales", data={"offer": "o1"})
        (event,) = await frames(socket, 1)
    assert event.pop("at") > 1_600_000_000
    assert event == {
        "seq": 2,
        "kind": "offer.made",
        "call_id": "c-1",
        "agent": "1001",
        "queue": "sales",
        "data": {"offer": "o1"},
    }


async def test_commands_about_talks(site: Site) -> None:
    async def post(path: str, body: dict[str, Any]) -> int:
        return (await site.client.post(f"/api/calls/{path}", json=body, headers=BEARER)).status

    assert await post("c-1/talk/hold", {}) == 200
    assert await post("c-1/talk/transfer", {"to": "queue:sales"}) == 200
    assert await post("c-2/talk/hold", {}) == 409
    assert await post("c-1/talk/sing", {}) == 404
    assert await post("c-1/talk/transfer", {"to": 5}) == 400
    assert await post("c-1/talk/transfer", {"too": "queue:sales"}) == 400
    assert await post("c-1/supervise", {"agent": "1001", "mode": "listen"}) == 200
    assert await post("c-1/supervise", {"agent": "1009", "mode": "listen"}) == 404
    assert await post("c-1/supervise", {"agent": "1001", "mode": "sing"}) == 400
    assert (await site.client.post("/api/calls/c-1/talk/hold")).status == 401
    assert site.floor.commands == [("c-1", "hold", ""), ("c-1", "transfer", "queue:sales"), ("c-1", "1001", "listen")]


async def test_commands_about_talks_on_the_socket(site: Site) -> None:
    async with site.client.ws_connect("/api/events", headers=BEARER) as socket:
        await frames(socket, 1)

        async def ask(text: str) -> dict[str, Any]:
            await socket.send_str(text)
            return (await frames(socket, 1))[0]

        assert await ask('{"do": "hold", "call": "c-1"}') == {"done": "hold", "call": "c-1"}
        assert await ask('{"do": "whisper", "call": "c-1", "agent": "1001"}') == {"done": "whisper", "call": "c-1"}
        refused = await ask('{"do": "hold", "call": "c-2"}')
        assert refused == {"refused": "Call 'c-2' is in no talk.", "do": "hold", "call": "c-2"}
        for nonsense in ("", "[]", "{", '{"do": 1, "call": "c-1"}', '{"do": "sing", "call": "c-1"}', "[" * 4000):
            assert "refused" in await ask(nonsense)
    assert site.floor.commands == [("c-1", "hold", ""), ("c-1", "1001", "whisper")]


async def test_events_of_one_call(site: Site) -> None:
    site.a_call("c-1")
    site.a_call("c-2")
    async with site.client.ws_connect(f"/api/events?call=c-2&since=0&token={TOKEN}") as socket:
        site.a_call("c-3")
        site.journal.note("late", call_id="c-2")
        found = (await frames(socket, 5))[1:]
    assert [frame["seq"] for frame in found] == [4, 5, 6, 10]


async def test_from_the_log_to_live_without_a_gap_or_a_duplicate(site: Site) -> None:
    """Watchers come and go while events are noted all the time."""
    total = 2400  # what comes after the watchers fits into their queues
    noting = asyncio.Event()

    async def note_all() -> None:
        for n in range(total):
            site.journal.note("x", data={"n": n})
            if n == 500:
                noting.set()
            if n % 50 == 0:
                await asyncio.sleep(0.001)

    async def watch(since: int) -> list[int]:
        async with site.client.ws_connect(f"/api/events?since={since}", headers=BEARER) as socket:
            return [frame["seq"] for frame in await frames(socket, total - since + 1) if "seq" in frame]

    work = asyncio.create_task(note_all())
    await noting.wait()
    for since, seen in zip((0, 1, 137, 499), await asyncio.gather(*map(watch, (0, 1, 137, 499))), strict=True):
        assert seen == list(range(since + 1, total + 1))
    await work


async def test_what_the_log_lost_is_said(site: Site) -> None:
    site.journal.note("x")
    await site.writer.flush()
    site.journal.last_seq += 3  # as if the database had refused them
    site.journal.note("x")
    await site.writer.flush()
    site.journal.last_seq += 2
    async with site.client.ws_connect("/api/events?since=0", headers=BEARER) as socket:
        found = await frames(socket, 5)
    assert [frame.get("seq") or frame for frame in found[1:]] == [
        1,
        {"type": "gap", "count": 3, "first": 2, "last": 4},
        5,
        {"type": "gap", "count": 2, "first": 6, "last": 7},
    ]


async def test_a_slow_watcher_is_told_what_was_missed(site: Site) -> None:
    client = await site.serve(replace(site.deps, journal=SmallWatchers(site.journal)))
    async with client.ws_connect("/api/events", headers=BEARER) as socket:
        await frames(socket, 1)
        for _ in range(10):  # without giving the sender a chance
            site.journal.note("x")
        found = await frames(socket, 4)
    assert [frame.get("seq") for frame in found[:3]] == [1, 2, 3]
    assert found[3] == {"type": "gap", "count": 7, "first": 4, "last": 10}


async def test_watchers_leave_no_trace(site: Site) -> None:
    async with site.client.ws_connect("/api/events", headers=BEARER) as socket:
        await frames(socket, 1)
        assert site.journal.watchers == 1
    while site.journal.watchers:  # noqa: ASYNC110 (the server notices in its own time)
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("since", ["-1", "x", "1e3", "9999999999999999"])
async def test_a_since_that_is_no_number(site: Site, since: str) -> None:
    assert await get(site, f"/api/events?since={since}", 400) == {"error": "since must be the number of an event."}


async def test_replay_without_a_database_is_refused_not_faked(site: Site) -> None:
    async def never() -> bool:
        return False

    site.journal.note("x")
    client = await site.serve(replace(site.deps, flush=never))
    async with client.ws_connect("/api/events?since=0", headers=BEARER) as socket:
        await frames(socket, 1)
        end = await socket.receive(timeout=10)
    assert (end.type, end.data) == (aiohttp.WSMsgType.CLOSE, aiohttp.WSCloseCode.TRY_AGAIN_LATER)


async def test_watchers_are_told_when_the_service_ends(site: Site) -> None:
    server = TestServer(make_app(site.deps))
    client = TestClient(server)
    await client.start_server()
    socket = await client.ws_connect("/api/events", headers=BEARER)
    await frames(socket, 1)
    closing = asyncio.create_task(server.close())
    end = await socket.receive(timeout=10)
    assert (end.type, end.data) == (aiohttp.WSMsgType.CLOSE, aiohttp.WSCloseCode.GOING_AWAY)
    await closing
    await client.close()


# --- figures


async def test_figures(site: Site) -> None:
    asked = (await get(site, "/api/figures?queue=sales&from=yesterday&to=today&step=1h"))["asked"]
    assert asked == {"queue": "sales", "from": "yesterday", "to": "today", "step": "1h"}
    assert (await get(site, "/api/figures"))["asked"] == dict.fromkeys(("queue", "from", "to", "step"))
    assert (await get(site, "/api/figures?queue=old"))["asked"]["queue"] == "old"  # it is no more, its past is


@pytest.mark.parametrize(
    ("query", "status", "error"),
    [
        ("step=1w", 400, "A step is written as 30m, 1h, 7d or in seconds."),
        ("since=1", 400, "Unknown in the query: since."),
        ("queue=nowhere", 404, "There is no queue 'nowhere', and was none in this time."),
        ("from=1900-01-01", 503, "it took longer than 300 s"),
    ],
)
async def test_figures_asked_for_wrongly(site: Site, query: str, status: int, error: str) -> None:
    assert (await get(site, f"/api/figures?{query}", status))["error"] == error
