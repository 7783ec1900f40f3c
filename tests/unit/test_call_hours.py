"""A caller at a closed door, and at closing time."""

from __future__ import annotations

from tests.fakes.brain import FLOW, Brain
from tests.fakes.switch import PhoneScript

OLD = "sales: {to_queue: {queue: sales, then: survey, otherwise: sorry}}"
NEW = """sales: {to_queue: {queue: sales, then: survey, otherwise: {closed: closed, else: sorry}}}
  closed: {say: Closed, next: bye}"""


def brain() -> Brain:
    made = Brain(text=FLOW.replace(OLD, NEW))
    made.pbx.phones["1001"] = PhoneScript.rings_on()
    return made


def test_outside_the_hours_a_caller_goes_to_the_node_for_it() -> None:
    made = brain()
    made.distributor.close_queue("sales", made.time.now())
    made.in_menu("c1")
    made.pbx.press("c1", "1")
    made.time.settle()
    assert made.heard("c1")[-1] == "Closed"
    assert made.music("c1") == ""
    assert made.pbx.endpoints == {}


def test_at_closing_time_whoever_waits_is_served_or_sent_on() -> None:
    made = brain().in_queue("c1")
    made.distributor.close_queue("sales", made.time.now())
    made.pbx.answer_leg(made.leg())
    made.time.settle()
    assert made.phase("c1") == "talk"
    made = brain().in_queue("c2")
    leg = made.leg()
    made.distributor.close_queue("sales", made.time.now(), leave=True)
    made.time.settle()
    assert leg in made.hung_up()
    assert made.heard("c2")[-1] == "Closed"


def test_a_restart_after_closing_time_keeps_whoever_waited() -> None:
    before = brain().in_queue("c1")
    before.time.advance(5)
    closed_at = before.time.now()
    before.killed()
    after = Brain(before.pbx, life=2, text=FLOW.replace(OLD, NEW), linked=False)
    after.distributor.close_queue("sales", closed_at)
    after.pbx.up = True
    after.pbx.restore_link(after.pbx.look())
    after.time.settle()
    assert after.phase("c1") == "queue"
    assert after.distributor.position("c1") == 1


def test_a_kept_place_is_as_old_as_it_was_before_closing_time() -> None:
    text = FLOW.replace(OLD, NEW.replace("queue: sales,", 'queue: sales, keys: {"5": aside},')) + "\n"
    text = text.replace("closed: {say:", "aside: {say: Aside, next: sales}\n  closed: {say:")
    made = Brain(text=text, agents=()).in_queue("c1")
    made.time.advance(5)
    made.pbx.press("c1", "5")
    made.time.settle()
    made.distributor.close_queue("sales", made.time.now())
    made.time.advance(1)
    assert made.phase("c1") == "queue"
