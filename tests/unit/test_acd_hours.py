"""A queue that closes and opens: who is kept, who is handed back, and what a lost PBX has to do with it."""

from __future__ import annotations

from acd import facts as f
from acd.model import QueueSpec, WaitingCaller
from tests.fakes.engine_driver import EngineDriver, agent_spec

SALES = QueueSpec("sales", wrap_up_s=0.0)


def close(d: EngineDriver, *, leave: bool = False) -> None:
    d.tell(f.QueueClosed("sales", d.now, leave))


def test_nobody_joins_a_closed_queue() -> None:
    d = EngineDriver(SALES, agents=(agent_spec("1001"),))
    close(d)
    d.pass_time(1)
    d.join("anna")
    assert d.released() == {"anna": "closed"}
    assert d.ringing() == {}
    assert d.notes("queue.left")[0].data == {"reason": "closed"}


def test_whoever_waits_at_closing_time_is_served() -> None:
    d = EngineDriver(SALES, agents=(agent_spec("1001"),))
    d.join("anna")
    d.join("bert")
    close(d)
    assert d.released() == {}
    d.serve("anna")
    assert d.ringing() == {"1001": "bert"}


def test_unless_the_queue_is_cleared() -> None:
    d = EngineDriver(SALES, agents=(agent_spec("1001"),))
    for call in ("anna", "bert", "carl"):
        d.join(call)
    d.answer("anna")
    close(d, leave=True)
    assert d.released() == {"bert": "closed", "carl": "closed"}
    d.tell(f.TalkStarted(d.offer("anna")))
    assert d.engine.position("anna") is None


def test_a_phone_that_rings_at_closing_time_stops() -> None:
    d = EngineDriver(SALES, agents=(agent_spec("1001"),))
    d.join("anna")
    close(d, leave=True)
    assert d.released() == {"anna": "closed"}
    assert d.state("1001") == "ready"


def test_who_was_being_connected_has_no_second_chance() -> None:
    d = EngineDriver(SALES, agents=(agent_spec("1001"),))
    d.join("anna")
    d.answer("anna")
    close(d, leave=True)
    d.fail("anna", f.OfferFailure.LOST)
    assert d.released() == {"anna": "closed"}


def test_open_again() -> None:
    d = EngineDriver(SALES)
    close(d)
    d.tell(f.QueueOpened("sales"))
    d.pass_time(1)
    d.join("anna")
    assert d.released() == {}
    assert [note.kind for note in d.all if getattr(note, "kind", "") in {"queue.closed", "queue.opened"}] == [
        "queue.closed",
        "queue.opened",
    ]


def test_who_came_before_closing_time_comes_back_after_a_restart() -> None:
    d = EngineDriver(SALES)
    d.tell(f.SwitchLost())
    d.tell(f.QueueClosed("sales", d.now))
    d.tell(f.CallerJoined(WaitingCaller("anna", "sales", d.now - 10)))
    d.tell(f.CallerJoined(WaitingCaller("late", "sales", d.now + 10)))
    assert d.released() == {}, "while the PBX cannot be seen nobody is sent anywhere"
    d.tell(f.SwitchFound())
    assert d.released() == {"late": "closed"}
    assert d.engine.position("anna") == 1


def test_twice_closed_and_twice_opened_is_told_once() -> None:
    d = EngineDriver(SALES)
    close(d)
    close(d, leave=True)
    d.tell(f.QueueOpened("sales"))
    d.tell(f.QueueOpened("sales"))
    d.tell(f.QueueOpened("nowhere"))
    assert d.engine.ignored == {"QueueClosed": 1, "QueueOpened": 2}
