"""The notice that a talk may be recorded: to its end, before the queue, once; whatever happens meanwhile."""

from __future__ import annotations

import pytest

from tests.fakes.brain import FLOW, Brain

TEXT = "You may be recorded"
NOTICES = {"sales": {"en": TEXT, "es": "Grabada"}}
TWICE = FLOW.replace("survey: {say: Survey, bargein: false, next: bye}", "survey: {say: Survey, next: sales}")


def brain(*agents: str, text: str = FLOW, notices: dict[str, dict[str, str]] = NOTICES) -> Brain:
    return Brain(agents=agents, text=text, notices=notices)


def position(made: Brain, call: str = "c1") -> int | None:
    return made.distributor.position(call)


def test_it_is_said_to_its_end_and_then_they_join_with_the_time_counted() -> None:
    made = brain("1001").in_queue("c1")
    began = made.time.now()
    assert made.heard("c1")[-1] == TEXT
    made.time.advance(0.9)
    assert position(made) is None
    assert "offer.made" not in made.kinds("c1"), "nobody is rung for somebody who was not told yet"
    made.time.advance(0.2)
    assert "offer.made" in made.kinds("c1")
    assert made.music("c1") == "default"
    caller = made.distributor.engine.caller("c1")
    assert caller is not None
    assert caller.joined_at == began
    made.time.advance(5)
    assert made.phase("c1") == "talk"
    assert [data for kind, _, data in made.notes if kind == "queue.notice"] == [{"language": "en"}]


def test_no_key_cuts_it_short_or_leads_out() -> None:
    plain = "sales: {to_queue: {queue: sales, then: survey, otherwise: sorry}}"
    text = FLOW.replace(plain, plain.replace("sorry}}", "sorry, keys: {'5': bye}}}"))
    made = brain(text=text).in_queue("c1")
    made.pbx.press("c1", "5")
    made.time.advance(1.5)
    assert made.phase("c1") == "queue"
    assert position(made) == 1
    made.pbx.press("c1", "5")
    made.time.settle()
    assert made.heard("c1")[-1] == "Bye"


def test_each_text_is_said_once_a_call() -> None:
    made = brain("1001", text=TWICE).in_queue("c1")
    made.time.advance(5)
    made.pbx.hang_up(made.leg())
    made.time.advance(1.5)
    assert made.heard("c1") == ["Hello", "Menu", TEXT, "Survey"]
    assert position(made) == 1, "back in the queue at once"


def test_another_queue_says_nothing() -> None:
    made = brain(notices={"support": {"en": TEXT}}).in_queue("c1")
    assert position(made) == 1
    assert TEXT not in made.heard("c1")


def test_without_a_text_in_their_language_they_hear_the_first() -> None:
    made = brain(notices={"sales": {"de": "Aufnahme", "es": "Grabada"}}).in_queue("c1")
    assert made.heard("c1")[-1] == "Aufnahme"


def test_whoever_hangs_up_meanwhile_is_gone_and_was_never_in_line() -> None:
    made = brain().in_queue("c1")
    made.pbx.hang_up("c1")
    made.time.advance(10)
    assert made.ended("c1") == {"outcome": "abandoned_in_queue", "ended_by": "caller"}
    assert "queue.joined" not in made.kinds("c1")


def test_without_a_voice_they_join_untold_and_somebody_hears_of_it() -> None:
    made = brain()
    made.prompts.missing.add(TEXT)
    made.in_queue("c1")
    assert position(made) == 1
    assert made.untold == ["c1"]
    assert "prompt.missing" in made.kinds("c1")


def test_a_lost_link_in_the_midst_of_it_and_they_hear_it_again() -> None:
    made = brain().in_queue("c1")
    made.time.advance(0.5)
    made.lose_link()
    made.time.advance(2)
    assert position(made) is None
    made.restore_link()
    made.time.advance(0.5)
    assert made.heard("c1").count(TEXT) == 2
    assert position(made) is None
    made.time.advance(1)
    assert position(made) == 1


def test_an_end_that_is_never_told_keeps_nobody_out() -> None:
    made = brain().in_menu("c1")
    made.pbx.seconds_per_file = None
    made.pbx.press("c1", "1")
    made.time.advance(5.9)
    assert position(made) is None
    made.time.advance(0.2)
    assert position(made) == 1
    assert "command.overdue" in made.kinds("c1")


@pytest.mark.parametrize("killed_after", [0.5, 1.5])
def test_after_a_restart_they_wait_on(killed_after: float) -> None:
    made = brain().in_queue("c1")
    made.time.advance(killed_after)
    made = made.successor(agents=(), notices=NOTICES)
    made.time.advance(1)
    assert position(made) == 1
