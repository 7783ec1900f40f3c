"""Why a call went where it did: worked scenarios told in words, claims that come true, and any day at all."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from acd import facts as f
from acd.explain import words
from acd.explain.explanation import Explanation, explain
from acd.explain.fork import Attempt, Fork, Offered
from acd.explain.story import What, tell
from acd.explain.whatif import Change
from acd.explain.words import seconds
from acd.facts import OfferFailure
from acd.model import AgentSpec, QueueSpec, Rules, WaitingCaller
from acd.orders import MakeOffer, QueueResult
from acd.replay import Began, Entry, Replay, began, replay
from acd.skills import Need
from acd.states import AgentState
from tests.fakes.engine_driver import EngineDriver
from tests.fakes.faulty_world import FaultyWorld
from tests.fakes.recorded_engine import record
from tests.unit.test_docs_routing import Play

SCENARIOS = Path(__file__).parents[1] / "data" / "explain"


def played(text: str) -> Play:
    play = Play(text)
    play.run()
    return play


def scenario(name: str) -> str:
    return (SCENARIOS / f"{name}.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", sorted(one.stem for one in SCENARIOS.glob("*.yaml")))
def test_a_worked_scenario_is_explained_in_these_words(name: str) -> None:
    told = "\n".join(played(scenario(name)).explained)
    assert told == (SCENARIOS / f"{name}.txt").read_text(encoding="utf-8")


# What is claimed comes true


def claims(name: str, call: str) -> Explanation:
    return explain(call, played(scenario(name)).log)


def test_the_head_start_that_is_named_is_enough_and_one_second_less_is_not() -> None:
    (claim,) = [one for one in claims("head_start", "bob").what_ifs[0] if one.change is Change.HEAD_START]
    assert (claim.seconds, claim.offered_to, claim.earlier_s) == (41.0, "1001", 65.0)
    without, _, _ = scenario("head_start").partition("  - 105 ")
    for more, first in ((41, "bob"), (39, "cat")):
        changed = without.replace("50 bob joins sales", f"50 bob joins sales with {more} s head start")
        played(changed + f"  - 105 1001 is offered {first}\n")


def test_the_changes_of_skills_and_states_that_are_named_do_what_is_claimed() -> None:
    found = {one.change: one for one in claims("skills_relax", "bob").what_ifs[0]}
    assert found[Change.DEMAND].need == Need("spanish", 2)
    assert found[Change.SKILL].agent == found[Change.DEMAND].offered_to == "1002"
    assert found[Change.READY].agent == "1003"
    steps, _, _ = scenario("skills_relax").partition("  - 40 ")
    played(steps.replace("must: {spanish: 4}", "must: {spanish: 2}") + "  - 10 1002 is offered bob\n")
    played(steps.replace("skills: {spanish: 2}", "skills: {spanish: 4}") + "  - 10 1002 is offered bob\n")
    played(steps.replace("  - 1 1003 pauses\n", "") + "  - 10 1003 is offered bob\n")


def test_the_strategies_that_are_named_choose_whom_is_claimed() -> None:
    (claim,) = [one for one in claims("strategies", "ann").what_ifs[0] if one.change is Change.STRATEGY]
    before, _, _ = scenario("strategies").partition("  - 50 1001 ")
    for strategy in claim.strategies:
        played(before.replace("most_skilled", strategy) + f"  - 50 {claim.offered_to} is offered ann\n")


def test_who_had_waited_on_would_have_been_served_when_it_is_claimed() -> None:
    (claim,) = [one for one in claims("hung_up", "bob").what_ifs[0] if one.change is Change.STAYED]
    assert claim.seconds == 26.0
    steps, _, _ = scenario("hung_up").partition("  - 40 ")
    played(steps + "  - 66 1001 is offered bob\n")


def test_nothing_is_claimed_that_others_would_have_decided() -> None:
    """Had 1002 been ready, ann would have had them: what that changes for bob nobody can know."""
    text = """
queues:
  sales: {}
agents:
  1001: {name: Ana, queues: [sales]}
  1002: {name: Ben, queues: [sales]}
steps:
  - 0 everyone logs in
  - 1 1002 pauses
  - 2 zoe joins sales
  - 2 1001 talks for 50 s
  - 3 ann joins sales
  - 4 bob joins sales
"""
    (others,) = explain("bob", played(text).log).what_ifs
    assert others == []
    (others,) = explain("ann", played(text).log).what_ifs
    assert [(one.change, one.agent, one.earlier_s) for one in others] == [(Change.READY, "1002", None)]


# Any day


@pytest.fixture(scope="module")
def day() -> tuple[FaultyWorld, list[Entry]]:
    world = FaultyWorld(11, callers_per_s=0.7)
    log = record(world.engine, world.queues, world.specs)
    world.run(facts=2_500, check_every=2_500)
    return world, log


def test_every_call_of_a_faulty_day_can_be_explained(day: tuple[FaultyWorld, list[Entry]]) -> None:
    world, log = day
    offers = Counter(order.caller.call for order in world.orders if isinstance(order, MakeOffer))
    calls = list(dict.fromkeys(entry.call for entry in log if entry.kind == "CallerJoined" and entry.call))
    changes = Counter[Change]()
    for call in calls[::80]:
        explanation = explain(call, log)
        moments = [one for stay in explanation.story.stays for one in stay.moments]
        assert sum(one.what is What.OFFERED for one in moments) == offers[call]
        assert sum(one.what is What.JOINED for one in moments) == len(explanation.story.stays) == 1
        for one in moments:
            if one.what is What.WAITS and one.situation is not None:
                assert one.situation.candidates == (), "who could have the call now is never kept from it"
                assert all(barred.reasons for barred in one.situation.barred)
            if one.what is What.OFFERED and one.situation is not None:
                assert one.situation.candidates[0].agent == one.agent or one.agent in {
                    candidate.agent for candidate in one.situation.candidates
                }
        changes.update(one.change for others in explanation.what_ifs for one in others)
        assert call in explanation.text(str)
        json.dumps(explanation.data())
    assert {Change.HEAD_START, Change.STAYED} <= changes.keys()


def test_played_again_without_a_change_the_same_agent_is_offered_the_call(day: tuple[FaultyWorld, list[Entry]]) -> None:
    _, log = day
    offered = 0
    for call in [entry.call for entry in log if entry.kind == "CallerJoined" and entry.call][::61]:
        (stay,) = tell(call, log).stays
        assert stay.before is not None
        again = Fork(call, stay.before, log[stay.first.number - 1 :]).run(Attempt())
        first = stay.offers[0] if stay.offers else None
        assert again == (Offered(first.number, first.at, str(first.agent)) if first is not None else None)
        offered += first is not None
    assert offered >= 3


def test_an_explanation_can_begin_at_a_state(day: tuple[FaultyWorld, list[Entry]]) -> None:
    _, log = day
    call = next(entry.call for entry in log if entry.number > 1_500 and entry.kind == "CallerJoined")
    assert call is not None
    play = Replay()
    for entry in log[:1_400]:
        play.take(entry)
    late = explain(call, log[1_400:], play.state())
    whole = explain(call, log)
    assert late.story.stays == whole.story.stays or late.data()["stays"] == whole.data()["stays"]


def test_a_log_that_cannot_be_followed_says_so(day: tuple[FaultyWorld, list[Entry]]) -> None:
    _, log = day
    damaged = [*log[:900], log[900]._replace(body="{}"), *log[901:]]
    call = next(entry.call for entry in log if entry.number > 950 and entry.kind == "CallerJoined")
    assert call is not None
    text = explain(call, damaged).text(str)
    assert text == (
        "The log cannot be followed further (written by version test): line 901: it was changed after it was written.\n"
    )


def test_a_call_that_was_in_no_queue() -> None:
    log = [began(1, 0.0, Began((QueueSpec("q"),), (), Rules()))]
    assert explain("c-1", log).text(str).startswith("Call c-1 has not been in a queue.\n")


def test_a_restart_of_the_service_makes_two_stays() -> None:
    def run(first: int) -> list[Entry]:
        d = EngineDriver(QueueSpec("sales"))
        log = record(d.engine, [QueueSpec("sales")], [], first=first, at=d.now)
        d.tell(f.AgentSet(AgentSpec("1001", "", "1001", ("sales",))))
        d.tell(f.CallerJoined(WaitingCaller("c-1", "sales", 990.0)))
        if first > 1:
            d.tell(f.AgentLoggedIn("1001"))
            d.talk("c-1")
        return log

    before = run(1)
    explanation = explain("c-1", [*before, *run(len(before) + 1)])
    text = explanation.text(lambda at: f"{at:g}")
    assert "Call c-1 in queue sales: the service was restarted." in text
    assert "Call c-1 in queue sales: answered by 1001 after 10 s." in text
    assert replay([*before, *run(len(before) + 1)]).differences == []


def test_personal_data_never_comes_in() -> None:
    d = EngineDriver(QueueSpec("sales"))
    log = record(d.engine, [QueueSpec("sales")], [])
    d.tell(f.AgentSet(AgentSpec("1001", "Ana Wexler", "1001", ("sales",))))
    d.tell(f.CallerJoined(WaitingCaller("c-1", "sales", d.now, caller_number="+3460", caller_name="Zoe")))
    explanation = explain("c-1", log)
    told = explanation.text(str) + json.dumps(explanation.data())
    assert not [secret for secret in ("Wexler", "+3460", "Zoe") if secret in told]


def test_every_reason_has_words() -> None:
    assert set(QueueResult) - {QueueResult.TALKED} <= words.LEFT.keys()
    assert set(OfferFailure) == words.FAILED.keys()
    assert set(AgentState) - {AgentState.READY} == words.STATES.keys()


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0.0, "0 s"),
        (0.44, "0.4 s"),
        (9.96, "10 s"),
        (59.7, "1 min"),
        (61.0, "1 min 1 s"),
        (3600.0, "1 h"),
        (7500, "2 h 5 min"),
    ],
)
def test_seconds_as_people_say_them(value: float, said: str) -> None:
    assert seconds(value) == said
