"""The inbox: order, slices, drops that are never silent, handlers that may fail."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import pytest

from pbx.facts import ChannelGone, CommandDone, Fact, LinkDown
from pbx.inbox import CHECK_EVERY, SLICE_SECONDS, Inbox


class SlowLoop:
    """A loop on which handling one fact takes `cost` seconds."""

    def __init__(self) -> None:
        self.calls: deque[Callable[[], None]] = deque()
        self.now = 0.0

    def call_soon(self, callback: Callable[[], None], /) -> None:
        self.calls.append(callback)

    def time(self) -> float:
        return self.now

    def turn(self) -> None:
        """One turn: what was scheduled before it."""
        for _ in range(len(self.calls)):
            self.calls.popleft()()

    def run(self) -> int:
        turns = 0
        while self.calls:
            self.turn()
            turns += 1
        return turns


def facts(count: int) -> list[Fact]:
    return [ChannelGone(str(number), 16) for number in range(count)]


def test_order_is_kept_and_nothing_is_handled_inside_put() -> None:
    loop, heard = SlowLoop(), list[Fact]()
    inbox = Inbox(loop, heard.append)
    for fact in facts(5):
        inbox.put(fact)
    assert heard == []
    assert len(inbox) == 5
    assert loop.run() == 1
    assert heard == facts(5)
    assert inbox.handled == 5


def test_slow_handling_lets_reading_in_between() -> None:
    loop, heard = SlowLoop(), list[Fact]()

    def slow(fact: Fact) -> None:
        loop.now += SLICE_SECONDS
        heard.append(fact)

    inbox = Inbox(loop, slow)
    for fact in facts(3 * CHECK_EVERY):
        inbox.put(fact)
    loop.turn()
    assert len(heard) == CHECK_EVERY
    assert loop.run() == 2
    assert heard == facts(3 * CHECK_EVERY)


def test_what_does_not_fit_is_counted_and_a_look_is_asked_for_once() -> None:
    loop, heard, looks = SlowLoop(), list[Fact](), list[int]()
    inbox = Inbox(loop, heard.append, lambda: looks.append(len(heard)), capacity=3)
    for fact in facts(5):
        inbox.put(fact)
    inbox.put_always(LinkDown("x"))
    loop.run()
    assert heard == [*facts(3), LinkDown("x")]
    assert inbox.dropped == 2
    assert looks == [4]
    inbox.put(CommandDone("c", "t", ok=True))
    loop.run()
    assert looks == [4]


def test_a_handler_that_fails_stops_nobody_else(capsys: pytest.CaptureFixture[str]) -> None:
    loop, heard = SlowLoop(), list[Fact]()

    def fragile(fact: Fact) -> None:
        if fact == ChannelGone("1", 16):
            raise ValueError("typed" * 2)
        heard.append(fact)

    inbox = Inbox(loop, fragile)
    for fact in facts(3):
        inbox.put(fact)
    loop.run()
    assert heard == [ChannelGone("0", 16), ChannelGone("2", 16)]
    assert inbox.handler_errors == 1
    # Which error, and where; its text may quote what a caller typed.
    out = "".join(capsys.readouterr())
    assert "ValueError" in out
    assert "in fragile" in out
    assert "typedtyped" not in out


def test_facts_put_while_handling_come_last() -> None:
    loop, heard = SlowLoop(), list[Fact]()

    def echo(fact: Fact) -> None:
        heard.append(fact)
        if fact == ChannelGone("0", 16):
            inbox.put(LinkDown("echo"))

    inbox = Inbox(loop, echo)
    for fact in facts(2):
        inbox.put(fact)
    loop.run()
    assert heard == [*facts(2), LinkDown("echo")]
