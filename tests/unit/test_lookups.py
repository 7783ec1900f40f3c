"""When a request is sent, how often, for whom, and that everybody gets exactly one answer. No network."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from prometheus_client import generate_latest
from structlog.testing import capture_logs

from cordboard.lookups import lookups as module
from cordboard.lookups.allow_list import AllowList
from cordboard.lookups.answer import Reply
from cordboard.lookups.breaker import Rules
from cordboard.lookups.exchange import Failure
from cordboard.lookups.lookups import Limits, Lookups
from cordboard.web.lookup_metrics import LookupCollector
from cordboard.web.metrics import make_registry
from ivr.requests import HttpRequest, Saved, SecretName
from ivr.values import Kind
from tests.fakes.virtual_time import VirtualTime
from tests.fakes.web_service import FakeExchange

URL = "https://billing.example.com/customers/4711"
GET = HttpRequest("billing", "GET", URL, save=(Saved("tier", ("tier",), Kind.TEXT),))
POST = HttpRequest("billing", "POST", URL, body={"a": 1})
GOLD = Reply(200, b'{"tier": "gold"}')
LIMITS = Limits(at_once=4, at_once_per_service=3, breaker=Rules(in_a_row=3, pause_s=10.0))


class Desk:
    """Lookups with everything around them, and what they answered."""

    def __init__(self, limits: Limits = LIMITS) -> None:
        self.exchange = FakeExchange()
        self.time = VirtualTime()
        self.notes: list[tuple[str, str, dict[str, Any]]] = []
        self.answers: list[tuple[str, tuple[Any, ...]]] = []
        self.lookups = Lookups(
            self.exchange,
            AllowList(["https://billing.example.com", "https://crm.example.com"]),
            {"BILLING": "s3cret"},
            lambda kind, *, call_id, data: self.notes.append((kind, call_id, data)),
            self.time.now,
            limits,
        )

    def ask(self, request: HttpRequest, call: str = "c1") -> module.Waiter:
        return self.lookups.begin(call, request, lambda outcome, values: self.answers.append((outcome, values)))

    async def settle(self) -> None:
        """Until nothing more happens by itself."""
        for _ in range(20):
            await asyncio.sleep(0)

    async def answer(self, request: HttpRequest) -> tuple[str, tuple[Any, ...]]:
        answered: asyncio.Future[tuple[str, tuple[Any, ...]]] = asyncio.get_running_loop().create_future()
        self.lookups.begin("c1", request, lambda outcome, values: answered.set_result((outcome, values)))
        async with asyncio.timeout(5):
            return await answered

    @property
    def reasons(self) -> list[str]:
        return [data.get("reason", "") for _, _, data in self.notes]


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "pause_s", lambda _tried: 0.0)


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    desk = Desk()
    yield desk
    for sent in desk.exchange.sent:
        sent.answer.cancel()
    await desk.lookups.close()


async def test_an_answer_comes_later_once_and_is_noted_without_anything_personal(desk: Desk) -> None:
    desk.ask(replace(GET, url=f"{URL}?number=555123456", headers=(("X-Key", ("v", SecretName("BILLING"))),)))
    await desk.settle()
    assert not desk.answers
    desk.exchange.sent[0].reply(body=b'{"tier": "gold"}')
    desk.time.advance(0.25)
    await desk.settle()
    assert desk.answers == [("ok", (("tier", "gold"),))]
    assert desk.notes == [("http.ended", "c1", {"service": "billing", "outcome": "ok", "ms": 250})]
    assert desk.exchange.sent[0].headers == {"X-Key": "vs3cret"}
    assert desk.exchange.sent[0].seconds == pytest.approx(GET.timeout_s, abs=0.01)


@pytest.mark.parametrize("url", ["https://evil.test/", "http://billing.example.com/", "nonsense"])
async def test_what_is_not_allowed_is_never_sent(desk: Desk, url: str) -> None:
    assert await desk.answer(replace(GET, url=url)) == ("failed", ())
    assert desk.reasons == ["not_allowed"]
    assert desk.exchange.sent == []


async def test_the_answer_never_comes_before_the_handle(desk: Desk) -> None:
    handle = desk.ask(replace(GET, url="https://evil.test/"))
    assert desk.answers == []
    handle.cancel()
    handle.cancel()
    await desk.settle()
    assert desk.answers == []


async def test_a_question_is_tried_again_after_what_may_pass(desk: Desk) -> None:
    desk.exchange.script = [Failure("timeout", sent=True), Reply(503, b""), GOLD]
    assert await desk.answer(replace(GET, tries=3)) == ("ok", (("tier", "gold"),))
    assert len(desk.exchange.sent) == 3


async def test_the_tries_are_counted(desk: Desk) -> None:
    desk.exchange.script = [Reply(503, b"")] * 2
    assert await desk.answer(replace(GET, tries=2)) == ("failed", ())
    assert desk.reasons == ["status_503"]
    assert len(desk.exchange.sent) == 2


@pytest.mark.parametrize("status", [200, 302, 400, 404, 429])
async def test_what_will_not_pass_is_not_tried_again(desk: Desk, status: int) -> None:
    desk.exchange.script = [Reply(status, b"<html>")]
    await desk.answer(replace(GET, tries=3))
    assert len(desk.exchange.sent) == 1


async def test_a_certificate_that_is_not_trusted_is_not_tried_again(desk: Desk) -> None:
    desk.exchange.script = [Failure("tls", sent=False, final=True)]
    assert await desk.answer(replace(GET, tries=3)) == ("failed", ())
    assert len(desk.exchange.sent) == 1


async def test_an_order_of_unknown_fate_is_never_sent_again(desk: Desk) -> None:
    for result in (Failure("timeout", sent=True), Failure("lost", sent=True), Reply(500, b""), Reply(503, b"")):
        desk.exchange.script, desk.exchange.sent = [result], []
        assert (await desk.answer(replace(POST, service=repr(result), tries=3)))[0] == "failed"
        assert len(desk.exchange.sent) == 1


async def test_an_order_of_which_nothing_was_sent_is_tried_again(desk: Desk) -> None:
    desk.exchange.script = [Failure("unreachable", sent=False), Reply(201, b"")]
    assert await desk.answer(replace(POST, tries=2)) == ("ok", ())
    assert [one.body for one in desk.exchange.sent] == [{"a": 1}, {"a": 1}]


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
async def test_an_order_that_may_be_given_twice_is(desk: Desk, method: Any) -> None:
    desk.exchange.script = [Failure("timeout", sent=True), Reply(200, b"")]
    assert await desk.answer(replace(POST, method=method, tries=2)) == ("ok", ())


async def test_no_try_begins_after_the_time_for_all_of_them() -> None:
    desk = Desk(Limits(longest_s=0.0))
    desk.exchange.script = [GOLD]
    assert await desk.answer(replace(GET, tries=3)) == ("failed", ())
    assert desk.exchange.sent == []
    await desk.lookups.close()


async def test_identical_questions_share_one_flight_and_each_takes_its_own_values(desk: Desk) -> None:
    desk.ask(GET, "c1")
    await desk.settle()
    desk.ask(replace(GET, save=()), "c2")
    desk.ask(replace(GET, save=(Saved("n", ("n",), Kind.NUMBER),)), "c3")
    await desk.settle()
    assert len(desk.exchange.sent) == 1
    desk.exchange.sent[0].reply(body=b'{"tier": "gold"}')
    await desk.settle()
    assert desk.answers == [("ok", (("tier", "gold"),)), ("ok", ()), ("failed", ())]
    assert [call for _, call, _ in desk.notes] == ["c1", "c2", "c3"]


@pytest.mark.parametrize(
    "other",
    [
        replace(GET, url=f"{URL}?x=1"),
        replace(GET, headers=(("X-Tenant", ("b",)),)),
        replace(GET, service="other"),
        replace(GET, secret=True),
        POST,
    ],
)
async def test_what_differs_is_asked_apart(desk: Desk, other: HttpRequest) -> None:
    desk.ask(GET)
    desk.ask(other)
    await desk.settle()
    assert len(desk.exchange.sent) == 2


async def test_orders_are_never_shared(desk: Desk) -> None:
    desk.ask(POST)
    desk.ask(POST)
    await desk.settle()
    assert len(desk.exchange.sent) == 2


async def test_a_flight_goes_on_while_somebody_waits_and_is_given_up_with_the_last(desk: Desk) -> None:
    first, second = desk.ask(GET, "c1"), desk.ask(GET, "c2")
    await desk.settle()
    first.cancel()
    await desk.settle()
    assert desk.exchange.cancelled == 0
    second.cancel()
    third = desk.ask(GET, "c3")  # not the one that is being given up
    await desk.settle()
    assert desk.exchange.cancelled == 1
    assert len(desk.exchange.sent) == 2
    desk.exchange.sent[1].reply(body=GOLD.body or b"")
    await desk.settle()
    assert desk.answers == [("ok", (("tier", "gold"),))]
    assert [data["outcome"] for _, _, data in desk.notes] == ["dropped", "dropped", "ok"]
    third.cancel()


async def test_cancelled_before_it_began(desk: Desk) -> None:
    desk.ask(GET).cancel()
    await desk.settle()
    assert desk.exchange.sent == []
    assert [lane.running for lane in desk.lookups.lanes] == [0]


async def test_an_order_goes_on_when_the_caller_has_left(desk: Desk) -> None:
    desk.ask(POST).cancel()
    await desk.settle()
    desk.exchange.sent[0].reply(201)
    await desk.settle()
    assert desk.answers == []
    assert [data["outcome"] for _, _, data in desk.notes] == ["ok"]


async def test_a_good_answer_is_kept_as_long_as_the_flow_says(desk: Desk) -> None:
    cached = replace(GET, cache_s=60.0)
    desk.exchange.script = [GOLD]
    assert await desk.answer(cached) == ("ok", (("tier", "gold"),))
    desk.time.advance(59.0)
    assert await desk.answer(cached) == ("ok", (("tier", "gold"),))
    assert desk.notes[-1][2]["cached"] is True
    assert len(desk.exchange.sent) == 1
    desk.exchange.script = [Reply(200, b'{"tier": "silver"}')]
    assert await desk.answer(replace(cached, cache_s=10.0)) == ("ok", (("tier", "silver"),)), "too old for this one"
    desk.time.advance(61.0)
    desk.exchange.script = [GOLD]
    assert await desk.answer(cached) == ("ok", (("tier", "gold"),))
    assert len(desk.exchange.sent) == 3


@pytest.mark.parametrize(
    ("request_", "reply"),
    [
        (replace(GET, cache_s=60.0), Reply(404, b"{}")),
        (replace(GET, cache_s=60.0), Reply(500, b"{}")),
        (replace(GET, cache_s=60.0), Reply(200, None)),
        (replace(GET, cache_s=0.0), GOLD),
        (replace(GET, cache_s=60.0, secret=True), GOLD),
        (replace(POST, cache_s=60.0), Reply(200, b"{}")),
    ],
)
async def test_what_is_never_kept(desk: Desk, request_: HttpRequest, reply: Reply) -> None:
    desk.exchange.script = [reply, reply]
    first = await desk.answer(request_)
    assert await desk.answer(request_) == first
    assert len(desk.exchange.sent) == 2


async def test_the_cache_is_bounded(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CACHED_BYTES", 20_000)
    small = Desk()
    body = b'{"tier": "%s"}' % (b"x" * 4_000)
    for number in range(10):
        small.exchange.script = [Reply(200, body)]
        await small.answer(replace(GET, url=f"{URL}/{number}", cache_s=60.0, save=()))
    small.exchange.script = [Reply(200, body)]
    await small.answer(replace(GET, url=f"{URL}/9", cache_s=60.0, save=()))
    assert len(small.exchange.sent) == 10, "the newest is kept"
    small.exchange.script = [Reply(200, body)]
    await small.answer(replace(GET, url=f"{URL}/0", cache_s=60.0, save=()))
    assert len(small.exchange.sent) == 11, "the oldest had to go"
    await small.lookups.close()


async def test_a_service_that_fails_is_left_alone_and_tried_again(desk: Desk) -> None:
    with capture_logs() as logs:
        desk.exchange.script = [Reply(500, b"")] * 3
        for _ in range(3):
            await desk.answer(GET)
        assert await desk.answer(GET) == ("failed", ())
        assert desk.reasons[-1] == "left_alone"
        assert len(desk.exchange.sent) == 3
        desk.exchange.script = [GOLD]
        other = replace(GET, service="crm", url="https://crm.example.com/1")
        assert (await desk.answer(other))[0] == "ok", "others are asked as before"
        desk.time.advance(10.0)
        desk.exchange.script = [GOLD]
        assert (await desk.answer(GET))[0] == "ok"
    assert [entry["log_level"] for entry in logs] == ["warning", "info"]
    assert "4711" not in str(logs)


@pytest.mark.parametrize("reply", [Reply(404, b""), Reply(400, b""), Reply(200, b"<html>")])
async def test_a_service_that_answers_is_no_failing_one(desk: Desk, reply: Reply) -> None:
    desk.exchange.script = [reply] * 30
    for _ in range(30):
        await desk.answer(GET)
    assert len(desk.exchange.sent) == 30


async def test_tries_of_one_request_count_each(desk: Desk) -> None:
    desk.exchange.script = [Failure("unreachable", sent=False)] * 5
    assert (await desk.answer(replace(GET, tries=5)))[0] == "failed"
    assert len(desk.exchange.sent) == 3
    assert desk.reasons == ["unreachable"]


async def test_a_trial_that_the_caller_leaves_lets_the_next_one_try(desk: Desk) -> None:
    desk.exchange.script = [Reply(500, b"")] * 3
    for _ in range(3):
        await desk.answer(GET)
    desk.time.advance(10.0)
    handle = desk.ask(GET)
    await desk.settle()
    assert await desk.answer(replace(GET, url=f"{URL}/2")) == ("failed", ()), "one trial at a time"
    handle.cancel()
    await desk.settle()
    desk.exchange.script = [GOLD]
    assert (await desk.answer(GET))[0] == "ok"


async def test_too_many_at_once_for_a_service_and_in_all(desk: Desk) -> None:
    for number in range(3):
        desk.ask(replace(GET, url=f"{URL}/{number}"))
    assert await desk.answer(replace(GET, url=f"{URL}/9")) == ("failed", ())
    desk.ask(replace(GET, service="crm", url="https://crm.example.com/1"))
    assert await desk.answer(replace(GET, service="crm", url="https://crm.example.com/2")) == ("failed", ())
    assert [reason for reason in desk.reasons if reason] == ["too_many", "too_many"]
    desk.exchange.sent[0].reply(body=b'{"tier": "gold"}')
    await desk.settle()
    desk.exchange.script = [GOLD]
    assert (await desk.answer(replace(GET, url=f"{URL}/9")))[0] == "ok"


async def test_a_fault_of_our_own_is_an_answer_too_and_tells_nothing(desk: Desk) -> None:
    desk.exchange.script = [RuntimeError(f"bug at {URL}")]
    with capture_logs() as logs:
        assert await desk.answer(GET) == ("failed", ())
    assert desk.reasons == ["broken"]
    assert "4711" not in str(logs)
    assert [lane.running for lane in desk.lookups.lanes] == [0]


async def test_a_secret_that_nobody_has_is_a_fault(desk: Desk) -> None:
    assert await desk.answer(replace(GET, headers=(("X", (SecretName("OTHER"),)),))) == ("failed", ())


async def test_a_stop_answers_whoever_waits_and_lets_orders_end(desk: Desk) -> None:
    desk.ask(GET)
    desk.ask(POST)
    await desk.settle()
    closing = asyncio.create_task(desk.lookups.close())
    await desk.settle()
    assert not closing.done()
    desk.exchange.sent[1].reply(201)
    await closing
    await desk.settle()
    assert sorted(desk.answers) == [("failed", ()), ("ok", ())]
    assert await desk.answer(GET) == ("failed", ())


def test_a_request_shows_no_values() -> None:
    shown = repr(replace(POST, url=f"{URL}?pin=9876", body={"pin": "9876"}, headers=(("X", ("9876",)),), secret=True))
    assert "9876" not in shown
    assert "4711" not in shown


async def test_figures(desk: Desk) -> None:
    desk.exchange.script = [GOLD, Reply(404, b""), *[Reply(500, b"")] * 3]
    await desk.answer(replace(GET, cache_s=60.0))
    await desk.answer(replace(GET, cache_s=60.0))
    for _ in range(4):
        await desk.answer(GET)
    registry = make_registry(LookupCollector(lambda: desk.lookups.lanes, desk.time.now))
    text = generate_latest(registry).decode()
    labels = 'origin="https://billing.example.com"'
    for line in (
        f'cordboard_lookups_total{{{labels},outcome="ok",service="billing"}} 2.0',
        f'cordboard_lookups_total{{{labels},outcome="failed",service="billing"}} 3.0',
        f'cordboard_lookup_tries_total{{{labels},service="billing"}} 5.0',
        f'cordboard_lookups_spared_total{{{labels},service="billing"}} 1.0',
        f'cordboard_lookups_left_alone{{{labels},service="billing"}} 1.0',
        f'cordboard_lookup_seconds_bucket{{le="+Inf",{labels},service="billing"}} 5.0',
        f'cordboard_lookup_seconds_count{{{labels},service="billing"}} 5.0',
    ):
        assert line in text
