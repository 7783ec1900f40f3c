"""A queue that rings all: every free phone at once, one winner, and nobody else the worse for it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from acd import facts as f
from acd.facts import OfferFailure
from acd.model import QueueSpec, WaitingCaller
from acd.orders import ConnectTalk, MakeOffer, WithdrawOffer
from acd.skills import Need, Relaxed, Requirement
from acd.strategies import Strategy
from tests.fakes.engine_driver import EngineDriver, agent_spec

ALL = QueueSpec("sales", ring_s=20, wrap_up_s=10.0, strategy=Strategy.RING_ALL)
TEAM = tuple(agent_spec(agent) for agent in ("a", "b", "c"))


def desk(*queues: QueueSpec) -> EngineDriver:
    return EngineDriver(*(queues or (ALL,)), agents=TEAM)


def test_every_free_agent_is_rung_the_longest_idle_first() -> None:
    d = desk()
    d.tell(f.AgentPaused("b", "tea"))
    orders = d.join("anna")
    assert [order.agent for order in orders if isinstance(order, MakeOffer)] == ["a", "c"]
    d.tell(f.AgentReady("b"))
    assert d.ringing() == {"a": "anna", "b": "anna", "c": "anna"}, "who becomes free while it rings is rung too"


def test_the_first_answer_wins_and_the_others_are_told_in_the_same_step() -> None:
    d = desk()
    d.join("anna")
    legs = {agent: d.offer("anna", agent) for agent in ("a", "b", "c")}
    orders = d.answer("anna", "b")
    assert [order for order in orders if isinstance(order, ConnectTalk | WithdrawOffer)] == [
        ConnectTalk(legs["b"], "anna", "b"),
        WithdrawOffer(legs["a"], elsewhere=True),
        WithdrawOffer(legs["c"], elsewhere=True),
    ]
    assert d.ringing() == {"b": "anna"}
    assert [(note.agent, note.data["reason"]) for note in d.notes("offer.withdrawn")] == [
        ("a", "answered_elsewhere"),
        ("c", "answered_elsewhere"),
    ]


def test_a_second_answer_under_way_comes_to_nothing() -> None:
    d = desk()
    d.join("anna")
    late = d.offer("anna", "c")
    d.answer("anna", "a")
    assert d.tell(f.OfferAnswered(late)) == []
    assert d.tell(f.TalkStarted(late)) == []
    assert d.tell(f.OfferFailed(late, OfferFailure.NO_ANSWER)) == []
    assert d.engine.ignored["OfferAnswered"] == 1
    assert d.state("c") == "ready"


def test_losers_keep_their_place_in_the_idle_order_and_have_missed_nothing() -> None:
    one_by_one = QueueSpec("help")
    d = EngineDriver(ALL, one_by_one, agents=tuple(agent_spec(agent, "sales", "help") for agent in ("a", "b", "c")))
    for number in range(4):
        d.join(f"call{number}")
        d.talk(f"call{number}", "c")
        d.end_talk(f"call{number}")
        d.pass_time(10)
    assert d.state("a") == "ready", "four calls that another took are no miss"
    d.join("help1", "help")
    d.join("help2", "help")
    assert d.ringing() == {"a": "help1", "b": "help2"}


def test_losers_keep_their_turn() -> None:
    in_turn = QueueSpec("help", strategy=Strategy.ROUND_ROBIN)
    d = EngineDriver(ALL, in_turn, agents=tuple(agent_spec(agent, "sales", "help") for agent in ("a", "b", "c")))
    d.join("anna")
    d.talk("anna", "a")
    d.end_talk("anna")
    d.pass_time(10)
    for number in range(3):
        d.join(f"help{number}", "help")
    assert d.ringing() == {"b": "help0", "c": "help1", "a": "help2"}


def test_the_next_caller_rings_with_all_who_lost() -> None:
    d = desk()
    d.join("anna")
    d.join("bert")
    assert set(d.ringing().values()) == {"anna"}, "first come, first served: nothing rings for the second yet"
    d.talk("anna", "b")
    assert d.ringing() == {"a": "bert", "c": "bert"}
    assert d.engine.position("bert") == 1


def test_who_does_not_answer_rests_and_is_rung_again() -> None:
    d = desk()
    d.join("anna")
    d.fail("anna", OfferFailure.REFUSED, "a")
    assert d.ringing() == {"b": "anna", "c": "anna"}
    d.pass_time(5)
    assert d.ringing() == {"a": "anna", "b": "anna", "c": "anna"}


def test_a_ring_that_nobody_answers_is_a_miss_of_all() -> None:
    d = desk()
    d.join("anna")
    for _ in range(3):
        for agent in ("a", "b", "c"):
            d.fail("anna", agent=agent)
        d.pass_time(5)
    assert {d.state(agent) for agent in ("a", "b", "c")} == {"not_ready"}
    assert d.engine.position("anna") == 1


def test_an_agent_who_steps_away_stops_only_their_own_phone() -> None:
    d = desk()
    d.join("anna")
    d.tell(f.AgentLoggedOut("b"))
    assert d.ringing() == {"a": "anna", "c": "anna"}


@pytest.mark.parametrize("left", [f.CallerLeft("anna"), f.QueueRemoved("sales")])
def test_when_the_caller_goes_every_phone_stops_and_it_was_missed(left: f.Fact) -> None:
    d = desk()
    d.join("anna")
    legs = [d.offer("anna", agent) for agent in ("a", "b", "c")]
    orders = d.tell(left)
    assert [order for order in orders if isinstance(order, WithdrawOffer)] == [WithdrawOffer(leg) for leg in legs]
    assert d.ringing() == {}


def test_max_wait_ends_all_rings_but_not_an_answer() -> None:
    d = desk(replace(ALL, max_wait_s=10.0))
    d.join("anna")
    d.pass_time(10)
    assert d.ringing() == {}
    assert d.released() == {"anna": "timeout"}
    d.join("bert")
    d.pass_time(9)
    d.answer("bert", "a")
    d.pass_time(2)
    assert d.ringing() == {"a": "bert"}, "being connected"
    d.fail("bert", OfferFailure.LOST)
    assert d.ringing() == {}, "overdue: no second chance"
    assert d.released() == {"anna": "timeout", "bert": "timeout"}


def test_an_answer_that_comes_to_nothing_rings_all_others_again() -> None:
    d = desk()
    d.join("anna")
    d.answer("anna", "b")
    d.fail("anna", OfferFailure.LOST)
    assert d.ringing() == {"a": "anna", "c": "anna"}
    d.pass_time(5)
    assert d.ringing() == {"a": "anna", "b": "anna", "c": "anna"}


def test_each_ring_has_its_own_deadline() -> None:
    d = desk()
    d.tell(f.AgentPaused("c", "tea"))
    d.join("anna")
    d.pass_time(15)
    d.tell(f.AgentReady("c"))
    d.pass_time(10)
    assert d.ringing() == {"c": "anna"}, "the PBX said nothing about the others for 25 s"
    d.pass_time(6)
    assert d.ringing() == {"a": "anna", "b": "anna", "c": "anna"}, "rested, and rung again"


def test_a_relaxed_requirement_rings_more_phones_beside_those_that_ring() -> None:
    need = Requirement((Need("es", 3),), relax=(Relaxed(10.0),))
    d = EngineDriver(replace(ALL, requirement=need), agents=(agent_spec("a", es=4), agent_spec("b")))
    d.join("anna")
    assert d.ringing() == {"a": "anna"}
    d.pass_time(10)
    assert d.ringing() == {"a": "anna", "b": "anna"}


def test_the_preferred_agent_is_rung_alone_and_then_all() -> None:
    d = desk()
    d.join("anna", preferred="b", preferred_s=30.0)
    assert d.ringing() == {"b": "anna"}
    d.pass_time(15)
    d.fail("anna")
    assert d.ringing() == {"a": "anna", "c": "anna"}
    d.pass_time(5)
    assert d.ringing() == {"a": "anna", "b": "anna", "c": "anna"}


def test_an_agent_of_two_queues_takes_whoever_came_first() -> None:
    d = EngineDriver(ALL, QueueSpec("help"), agents=(agent_spec("a"), agent_spec("b", "sales", "help")))
    d.tell(f.AgentPaused("b", "tea"))
    d.join("anna")
    d.join("zoe", "help")
    d.tell(f.AgentReady("b"))
    assert d.ringing() == {"a": "anna", "b": "anna"}
    d.talk("anna", "a")
    assert d.ringing() == {"b": "zoe"}


def test_a_queue_that_begins_to_ring_all_does_so_at_once_and_one_that_ends_it_rings_on() -> None:
    d = desk(replace(ALL, strategy=Strategy.LONGEST_IDLE))
    d.join("anna")
    d.join("bert")
    assert d.ringing() == {"a": "anna", "b": "bert"}
    d.tell(f.QueueSet(ALL))
    assert d.ringing() == {"a": "anna", "b": "bert", "c": "anna"}
    d.tell(f.QueueSet(replace(ALL, strategy=Strategy.LONGEST_IDLE)))
    assert d.ringing() == {"a": "anna", "b": "bert", "c": "anna"}
    d.fail("anna", agent="a")
    d.fail("bert", agent="b")
    d.pass_time(5)
    assert sorted(d.ringing().values()) == ["anna", "bert"], "c still rings for anna: one more would be two"


def test_blind_nothing_new_rings_and_afterwards_all_do() -> None:
    d = desk()
    d.tell(f.SwitchLost())
    d.join("anna")
    assert d.ringing() == {}
    d.tell(f.SwitchFound())
    assert d.ringing() == {"a": "anna", "b": "anna", "c": "anna"}


def test_a_caller_of_before_a_restart_is_rung_with_all_at_their_old_rank() -> None:
    d = desk()
    d.tell(f.AgentPaused("a", ""))
    d.tell(f.AgentPaused("b", ""))
    d.tell(f.AgentPaused("c", ""))
    d.join("bert")
    d.tell(f.CallerJoined(WaitingCaller("anna", "sales", d.now - 60)))
    d.tell(f.AgentReady("b"))
    d.tell(f.AgentReady("c"))
    assert d.ringing() == {"b": "anna", "c": "anna"}
