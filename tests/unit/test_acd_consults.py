"""An agent in a talk holds it, asks another agent, hands it over; a supervisor takes it. Checked after every fact."""

from __future__ import annotations

import pytest

from acd import facts as f
from acd.errors import AgentNotFree, NoTalk, NotPossible, UnknownAgent
from acd.orders import ConsultOver, MakeConsult, Note, WithdrawOffer
from acd.states import AgentState as S
from tests.fakes.engine_driver import EngineDriver, agent_spec


@pytest.fixture
def d() -> EngineDriver:
    """Ann talks with agent 1; agents 2 and 3 are free."""
    driver = EngineDriver(agents=tuple(agent_spec(name) for name in "123"))
    driver.join("ann")
    driver.talk("ann")
    return driver


def talk(d: EngineDriver) -> str:
    return d.engine.offers.talks["ann"]


def ask(d: EngineDriver, agent: str = "2") -> str:
    d.tell(f.ConsultAsked("ann", agent))
    return next(order.offer for order in reversed(d.all) if isinstance(order, MakeConsult))


def states(d: EngineDriver) -> list[S]:
    return [d.engine.floor.agents[name].state for name in "123"]


def notes(d: EngineDriver) -> list[tuple[str, str | None]]:
    return [(order.kind, order.agent) for order in d.all if isinstance(order, Note) and order.kind.startswith("talk.")]


def test_hold_and_resume(d: EngineDriver) -> None:
    d.tell(f.TalkHeld(talk(d), "phone"))
    d.tell(f.TalkHeld(talk(d), "phone"))  # told twice, once by each side of the PBX
    assert states(d)[0] is S.HOLD
    d.tell(f.TalkResumed(talk(d)))
    assert states(d)[0] is S.TALKING
    assert notes(d)[1:] == [("talk.held", "1"), ("talk.resumed", "1")]


def test_an_agent_who_holds_is_told_of_the_end_like_any_other(d: EngineDriver) -> None:
    d.tell(f.TalkHeld(talk(d), "service"))
    d.tell(f.CallerLeft("ann"))
    assert states(d)[0] is S.WRAP_UP


def test_a_pause_asked_for_on_hold_happens_after_the_talk(d: EngineDriver) -> None:
    d.tell(f.TalkHeld(talk(d), "service"))
    d.tell(f.AgentPaused("1", "lunch"))
    assert states(d)[0] is S.HOLD
    d.tell(f.TalkEnded(talk(d), f.EndedBy.CALLER))
    assert states(d)[0] is S.NOT_READY


def test_the_one_who_is_asked_is_busy_until_the_consultation_is_over(d: EngineDriver) -> None:
    consult = ask(d)
    assert states(d) == [S.TALKING, S.OFFERING, S.READY]
    d.tell(f.OfferAnswered(consult))
    d.tell(f.TalkStarted(consult))
    assert states(d)[1] is S.TALKING
    d.tell(f.TalkEnded(consult, f.EndedBy.AGENT))
    assert states(d) == [S.TALKING, S.READY, S.READY]
    assert notes(d)[1:] == [("talk.consulted", "2"), ("talk.consult_ended", "2")]


def test_the_talk_moves_to_the_one_who_was_asked(d: EngineDriver) -> None:
    consult = ask(d)
    d.tell(f.OfferAnswered(consult))
    d.tell(f.TalkStarted(consult))
    d.tell(f.TalkMoved("ann", consult))
    assert talk(d) == consult
    assert states(d) == [S.WRAP_UP, S.TALKING, S.READY]
    d.tell(f.CallerLeft("ann"))
    assert states(d)[1] is S.WRAP_UP
    assert notes(d)[1:] == [("talk.consulted", "2"), ("talk.ended", "1"), ("talk.started", "2"), ("talk.ended", "2")]


def test_the_talk_moves_before_the_phone_is_answered(d: EngineDriver) -> None:
    consult = ask(d)
    d.tell(f.TalkMoved("ann", consult))
    assert states(d) == [S.WRAP_UP, S.OFFERING, S.READY]
    assert "ann" not in d.engine.offers.talks
    d.tell(f.OfferAnswered(consult))
    d.tell(f.TalkStarted(consult))
    assert talk(d) == consult
    assert d.engine.offers.consults == {}


@pytest.mark.parametrize("moved", [False, True])
def test_nobody_answers_and_it_is_told(d: EngineDriver, moved: bool) -> None:
    consult = ask(d)
    if moved:
        d.tell(f.TalkMoved("ann", consult))
    orders = d.tell(f.OfferFailed(consult, f.OfferFailure.NO_ANSWER))
    assert ConsultOver(consult, "ann") in orders
    assert states(d)[1] is S.READY
    assert d.engine.offers.consults == {}


def test_an_asked_agent_who_logs_out_is_not_rung_any_more(d: EngineDriver) -> None:
    consult = ask(d)
    orders = d.tell(f.AgentLoggedOut("2"))
    assert WithdrawOffer(consult) in orders
    assert ConsultOver(consult, "ann") in orders


@pytest.mark.parametrize("answered", [False, True])
def test_the_caller_hangs_up_and_the_consultation_is_over_too(d: EngineDriver, answered: bool) -> None:
    consult = ask(d)
    if answered:
        d.tell(f.OfferAnswered(consult))
        d.tell(f.TalkStarted(consult))
    orders = d.tell(f.CallerLeft("ann"))
    assert WithdrawOffer(consult) in orders
    assert states(d) == [S.WRAP_UP, S.READY, S.READY]
    assert d.engine.offers.open == {}


def test_a_phone_that_rings_for_a_consultation_has_its_deadline(d: EngineDriver) -> None:
    consult = ask(d)
    d.pass_time(26)
    assert consult not in d.engine.offers.open
    assert states(d)[1] is S.READY


def test_who_cannot_be_asked(d: EngineDriver) -> None:
    with pytest.raises(NoTalk):
        d.tell(f.ConsultAsked("nobody", "2"))
    with pytest.raises(UnknownAgent):
        d.tell(f.ConsultAsked("ann", "9"))
    with pytest.raises(AgentNotFree, match="talking"):
        d.tell(f.ConsultAsked("ann", "1"))
    d.tell(f.PhoneSeen("3", reachable=False, busy=False))
    with pytest.raises(AgentNotFree, match="cannot be reached"):
        d.tell(f.ConsultAsked("ann", "3"))
    ask(d)
    d.tell(f.PhoneSeen("3", reachable=True, busy=False))
    with pytest.raises(NotPossible):
        d.tell(f.ConsultAsked("ann", "3"))


def test_a_supervisor_takes_a_talk_whose_agent_is_asking_another_one(d: EngineDriver) -> None:
    asked = ask(d, "2")
    d.tell(f.TalkTaken("ann", "3", "cb-super"))
    assert any(isinstance(order, WithdrawOffer) and order.offer == asked for order in d.all)
    assert states(d)[1:] == [S.READY, S.TALKING]
    assert talk(d) == "cb-super"


@pytest.mark.parametrize("before", ["ready", "not ready", "logged out"])
def test_a_supervisor_takes_the_talk_and_is_afterwards_what_they_were(d: EngineDriver, before: str) -> None:
    if before != "ready":
        d.tell(f.AgentPaused("3", "coaching"))
    if before == "logged out":
        d.tell(f.AgentLoggedOut("3"))
    d.tell(f.TalkTaken("ann", "3", "cb-super"))
    assert states(d) == [S.WRAP_UP, S.READY, S.TALKING]
    d.tell(f.CallerLeft("ann"))
    expected = {"ready": S.WRAP_UP, "not ready": S.NOT_READY, "logged out": S.LOGGED_OUT}
    assert states(d)[2] is expected[before]


def test_facts_about_talks_that_are_over_change_nothing(d: EngineDriver) -> None:
    consult = ask(d)
    d.tell(f.CallerLeft("ann"))
    before = d.engine.ignored.total()
    for fact in (
        f.TalkHeld(consult, "phone"),
        f.TalkResumed(consult),
        f.TalkMoved("ann", consult),
        f.TalkTaken("ann", "3", "cb-super"),
    ):
        d.tell(fact)
    assert d.engine.ignored.total() == before + 4
