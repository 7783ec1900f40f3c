"""The link's own life on the fake PBX: refusals, silence, floods, restarts, and an end that leaves nothing behind."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest
import uvloop
from structlog.testing import capture_logs

from pbx.connection import SessionLimits
from pbx.facts import CallArrived, ChannelGone, CommandDone, Fact, LinkDown, LinkUp, Looked, OrderFailed, PhoneState
from pbx.link import LinkSettings, PbxLink
from pbx.orders import Answer, HangUp, KeepAlive, Look, Play, RingPhone, TakeOver
from tests.contract.switch_rig import LIMITS, WITHIN, Facts
from tests.fakes.ami_server import FakeAsterisk

TLS = Path(__file__).parent.parent / "data" / "tls"

Start = Callable[..., Awaitable[PbxLink]]


@pytest.fixture
async def pbx() -> AsyncIterator[FakeAsterisk]:
    async with FakeAsterisk() as fake:
        yield fake


@pytest.fixture
def facts() -> Facts:
    return Facts()


@pytest.fixture
async def start(pbx: FakeAsterisk, facts: Facts) -> AsyncIterator[Start]:
    """Start a link; whatever the test does to it, closing it ends every task."""
    before = asyncio.all_tasks()
    started: list[tuple[PbxLink, asyncio.Task[None]]] = []

    async def begin(sink: Callable[[Fact], None] = facts, up: bool = True, **changes: object) -> PbxLink:
        settings = LinkSettings("127.0.0.1", pbx.port, pbx.user, pbx.secret, limits=LIMITS, backoff_first=0.02)
        link = PbxLink(replace(settings, **changes), sink)  # type: ignore[arg-type]
        started.append((link, asyncio.create_task(link.run())))
        if up:
            await until(lambda: link.counters().up)
        return link

    yield begin
    for link, running in started:
        await link.close()
        await asyncio.wait_for(running, WITHIN)
        assert not link.counters().up
    assert asyncio.all_tasks() - before - {asyncio.current_task()} == set()


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(WITHIN):
        while not holds():  # noqa: ASYNC110 - much of what is awaited is the fake's plain state
            await asyncio.sleep(0.005)


async def test_silence_is_noticed_and_the_link_begins_again(pbx: FakeAsterisk, facts: Facts, start: Start) -> None:
    await start()
    pbx.silent = True
    await facts.has(LinkDown("no answer to a ping"))
    pbx.silent = False
    await facts.next(LinkUp, 2)


async def test_a_restarted_pbx_is_found_again_with_another_start_time(
    pbx: FakeAsterisk, facts: Facts, start: Start
) -> None:
    await start()
    await pbx.stop()
    await facts.next(LinkDown)
    await pbx.start()
    await facts.next(LinkUp, 2)
    assert facts.of(LinkUp)[0].snapshot.started_at > 1.7e9


async def test_nothing_is_resent_after_a_lost_link(pbx: FakeAsterisk, facts: Facts, start: Start) -> None:
    link = await start()
    pbx.ignore = {"Originate", "Hangup"}
    link.send(RingPhone("cb-1", "1001", 5, "1", "n"))
    link.send(HangUp("c"))
    await until(lambda: len(pbx.actions) > 0 and bool(pbx.sent("Hangup")))
    pbx.ignore = set()
    pbx.reset()
    await facts.next(LinkUp, 2)
    link.send(Look())
    await facts.next(Looked)
    assert len(pbx.sent("Originate")) == 1
    assert len(pbx.sent("Hangup")) == 1
    assert facts.of(OrderFailed) == []


async def test_an_order_without_an_answer_is_of_unknown_fate(pbx: FakeAsterisk, facts: Facts, start: Start) -> None:
    link = await start(limits=SessionLimits(action=0.05))
    pbx.ignore = {"Hangup", "AGI", "Status"}
    channel = pbx.world.call()
    await facts.next(CallArrived)
    link.send(HangUp(channel))
    link.send(KeepAlive(channel, 5))
    link.send(Answer(channel, "a"))
    link.send(Look())
    for order in ("HangUp", "Answer"):
        await facts.has(OrderFailed(channel, order, "no answer", unknown=True))
    await facts.has(OrderFailed("", "Look", "no answer", unknown=True))
    assert link.counters().up
    assert link.counters().orders_failed == 3


async def test_refusals_are_told_in_our_words(pbx: FakeAsterisk, facts: Facts, start: Start) -> None:
    link = await start()
    channel = pbx.world.call()
    await facts.next(CallArrived)
    pbx.refuse = {"Hangup": "Permission denied", "Originate": "Extension does not exist.", "AGI": "Failed to add"}
    link.send(HangUp(channel))
    link.send(RingPhone("cb-1", "1001", 5, "", ""))
    link.send(Answer(channel, "a"))
    await facts.has(OrderFailed(channel, "HangUp", "not permitted"))
    await facts.has(OrderFailed("cb-1", "RingPhone", "no such channel"))
    await facts.has(OrderFailed(channel, "Answer", "refused"))


async def test_orders_before_the_link_is_up_fail_and_never_inside_send(facts: Facts, start: Start) -> None:
    link = await start(up=False)
    link.send(HangUp("c"))
    assert facts.all == []
    await facts.has(OrderFailed("c", "HangUp", "link down"))


async def test_sending_from_inside_the_sink_is_fine(pbx: FakeAsterisk, facts: Facts, start: Start) -> None:
    def eager(fact: Fact) -> None:
        facts(fact)
        if isinstance(fact, CallArrived):
            link.send(Answer(fact.channel, "a"))
            link.send(Play(fact.channel, "p", ("/x",)))

    link = await start(sink=eager)
    channel = pbx.world.call()
    await facts.has(CommandDone(channel, "p", ok=True))


async def test_what_happens_between_login_and_the_first_look_comes_after_it(
    pbx: FakeAsterisk, facts: Facts, start: Start
) -> None:
    pbx.booted = False
    await start(up=False)
    await until(lambda: pbx.logins == 1)
    channel = pbx.world.call()
    pbx.world.phone_state("1001", "NOT_INUSE")
    assert facts.all == []
    pbx.boot()
    up = await facts.next(LinkUp)
    assert [seen.channel for seen in up.snapshot.channels] == [channel]
    assert up.snapshot.phones == {"1001": PhoneState.IDLE}
    arrived = await facts.next(CallArrived)
    assert facts.all.index(up) < facts.all.index(arrived)


@pytest.mark.parametrize(
    ("knob", "value"),
    [("dangerous", True), ("secret", "another"), ("booted", False)],
    ids=["dangerous", "secret", "boot"],
)
async def test_a_pbx_that_must_not_be_used_is_not(
    pbx: FakeAsterisk, facts: Facts, start: Start, knob: str, value: object
) -> None:
    good = getattr(pbx, knob)
    setattr(pbx, knob, value)
    link = await start(up=False, boot=0.05, secret="not-a-secret")
    await until(lambda: pbx.connections > 1)
    assert facts.of(LinkUp) == []
    assert link.counters().connects == 0
    setattr(pbx, knob, good)
    await facts.next(LinkUp)


async def test_a_plain_login_where_there_is_no_challenge(pbx: FakeAsterisk, start: Start) -> None:
    pbx.md5 = False
    link = await start()
    assert link.counters().connects == 1


async def test_what_is_not_ami_is_left_alone(facts: Facts, start: Start) -> None:
    def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example.net ESMTP\r\n")
        writer.close()

    server = await asyncio.start_server(mute, "127.0.0.1", 0)
    with capture_logs() as logs:
        link = await start(up=False, port=server.sockets[0].getsockname()[1])
        await until(lambda: bool(logs))
    assert logs[0]["reason"] == "this is not an Asterisk Manager Interface"
    await link.close()
    server.close()


async def test_tls(facts: Facts, start: Start) -> None:
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(TLS / "localhost.pem", TLS / "localhost.key")
    trusting = ssl.create_default_context(cafile=str(TLS / "localhost.pem"))
    async with FakeAsterisk(serving) as pbx:
        await start(port=pbx.port, tls=trusting)
        channel = pbx.world.call()
        assert (await facts.next(CallArrived)).channel == channel


async def test_a_certificate_that_is_not_trusted_is_refused(facts: Facts, start: Start) -> None:
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(TLS / "localhost.pem", TLS / "localhost.key")
    async with FakeAsterisk(serving) as pbx:
        with capture_logs() as logs:
            link = await start(up=False, port=pbx.port, tls=ssl.create_default_context())
            await until(lambda: bool(logs))
        assert "CERTIFICATE_VERIFY_FAILED" in logs[0]["reason"]
        assert link.counters().connects == 0


async def test_a_flood_of_events_is_read_and_counted(pbx: FakeAsterisk, facts: Facts, start: Start) -> None:
    link = await start()
    pbx.flood(20_000)
    channel = pbx.world.call()
    assert (await facts.next(CallArrived)).channel == channel
    assert link.counters().unknown_events >= 20_000
    assert facts.of(LinkDown) == []


async def test_an_overfull_inbox_drops_counts_and_looks(pbx: FakeAsterisk, facts: Facts, start: Start) -> None:
    link = await start(inbox=10)
    for _ in range(100):
        pbx.world.call()
    looked = await facts.next(Looked)
    assert len(looked.snapshot.channels) == 100
    counters = link.counters()
    assert counters.facts_dropped > 0
    assert len(facts.of(CallArrived)) + counters.facts_dropped == 100


async def test_a_handler_that_fails_does_not_stop_the_link(
    pbx: FakeAsterisk, facts: Facts, start: Start, capsys: pytest.CaptureFixture[str]
) -> None:
    def fragile(fact: Fact) -> None:
        facts(fact)
        if isinstance(fact, CallArrived):
            raise RuntimeError("a bug")

    link = await start(sink=fragile)
    channel = pbx.world.call()
    pbx.world.hang_up(channel)
    await facts.has(ChannelGone(channel, 16))
    assert link.counters().handler_errors == 1


async def test_a_pbx_that_does_not_read_is_given_up(pbx: FakeAsterisk, facts: Facts, start: Start) -> None:
    link = await start(limits=replace(LIMITS, ping_every=60, action=60, write_buffer=10_000))
    pbx.sessions[0].transport.pause_reading()

    def more() -> bool:
        for number in range(500):
            link.send(KeepAlive(f"channel-{number}", 5))
        return bool(facts.of(LinkDown))

    await until(more)
    assert facts.of(LinkDown) == [LinkDown("the PBX does not read")]


async def test_orders_of_one_turn_leave_in_one_piece(pbx: FakeAsterisk, facts: Facts, start: Start) -> None:
    link = await start()
    reads = pbx.sessions[0].reads
    for number in range(20):
        link.send(KeepAlive(f"channel-{number}", 5))
    await until(lambda: len(pbx.sent("AbsoluteTimeout")) == 20)
    assert pbx.sessions[0].reads - reads <= 2  # a ping may come between


async def test_garbage_on_a_channel_gives_it_up(pbx: FakeAsterisk, facts: Facts, start: Start) -> None:
    link = await start()
    channel = pbx.world.call()
    await facts.next(CallArrived)
    pbx.world.garble_next = True
    link.send(Answer(channel, "a"))
    await until(lambda: pbx.world.channels[channel].context == "cordboard-fallback")
    assert link.counters().garbled_replies == 1


async def test_a_stray_stop_costs_a_prompt_nothing(pbx: FakeAsterisk, facts: Facts, start: Start) -> None:
    link = await start()
    pbx.world.keep_stray_stops = True
    channel = pbx.world.call()
    await facts.next(CallArrived)
    pbx.world.do_stop(pbx.world.channels[channel])
    link.send(Play(channel, "p", ("/x",)))
    await facts.has(CommandDone(channel, "p", ok=True))
    assert pbx.world.channels[channel].played == ["/x", "/x"]


async def test_a_second_take_over_fences_the_first(pbx: FakeAsterisk, facts: Facts, start: Start) -> None:
    link = await start()
    pbx.world.long_files.add("/long")
    channel = pbx.world.call()
    await facts.next(CallArrived)
    link.send(Play(channel, "p", ("/long",)))
    link.send(TakeOver(channel, "one"))
    link.send(TakeOver(channel, "two"))
    await facts.has(CommandDone(channel, "two", ok=True))
    assert [fact.token for fact in facts.of(CommandDone)] == ["two"]
    await until(lambda: link.counters().stale_replies == 2)


async def test_closing_at_once_and_closing_twice(start: Start) -> None:
    link = await start(up=False)
    await link.close()
    await link.close()


def test_it_all_works_on_uvloop_too() -> None:
    """The service runs on uvloop, whose transports are not asyncio's by type and differ in small ways."""

    async def scene() -> None:
        facts = Facts()
        async with FakeAsterisk() as pbx:
            link = PbxLink(LinkSettings("127.0.0.1", pbx.port, pbx.user, pbx.secret, limits=LIMITS), facts)
            running = asyncio.create_task(link.run())
            await facts.next(LinkUp)
            channel = pbx.world.call()
            await facts.next(CallArrived)
            link.send(Play(channel, "p", ("/x",)))
            await facts.has(CommandDone(channel, "p", ok=True))
            pbx.reset()
            await facts.next(LinkUp, 2)
            await link.close()
            await asyncio.wait_for(running, WITHIN)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(scene())
