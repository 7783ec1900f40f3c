"""What a flow hands over decides who is rung, is shown to the agent, and survives a restart."""

from __future__ import annotations

import json
from typing import Any

from pbx.orders import RingPhone
from tests.fakes.brain import FLOW, Brain
from tests.fakes.switch import PhoneScript

SKILLS = {"1002": {"spanish": 3}}


def routing(more: str) -> str:
    old = "sales: {to_queue: {queue: sales, then: survey, otherwise: sorry}}"
    assert old in FLOW
    return FLOW.replace(old, f"sales: {{to_queue: {{queue: sales, then: survey, otherwise: sorry, {more}}}}}")


def brain(more: str, **other: Any) -> Brain:
    made = Brain(agents=("1001", "1002"), skills=SKILLS, text=routing(more), **other)
    for agent in ("1001", "1002"):
        made.pbx.phones[agent] = PhoneScript.rings_on()
    return made


def successor(before: Brain, more: str) -> Brain:
    after = before.successor(agents=("1001", "1002"), skills=SKILLS, text=routing(more))
    after.time.settle()
    return after


def rung(made: Brain) -> list[str]:
    return [order.endpoint for order in made.pbx.sent(RingPhone)]


def test_whoever_has_the_skills_is_rung() -> None:
    assert rung(brain("skills: {must: {spanish: 2}}").in_queue("c1")) == ["1002"]
    assert rung(brain("skills: {nice: {spanish: 1}}").in_queue("c1")) == ["1002"]


def test_nobody_has_them_until_they_are_not_asked_for_any_more() -> None:
    made = brain("skills: {must: {spanish: 5}, relax: [{after_s: 30, must: {spanish: 3}}]}").in_queue("c1")
    made.time.advance(29)
    assert rung(made) == []
    made.time.advance(1.1)
    assert rung(made) == ["1002"]


def test_a_head_start() -> None:
    made = brain("head_start_s: 30").in_queue("c1")
    assert made.distributor.engine.caller("c1").head_start == 30.0  # type: ignore[union-attr]


def test_the_preferred_agent_alone_at_first() -> None:
    made = brain('prefer: "1002", prefer_s: 5').in_queue("c1")
    made.time.advance(4)
    assert rung(made) == ["1002"]


def test_the_agent_of_last_time() -> None:
    made = brain("prefer: last, prefer_s: 60")
    made.pbx.phones["1001"] = PhoneScript.answers(1.0)
    made.in_talk("c1")
    assert rung(made) == ["1001"]
    made.pbx.hang_up("c1")
    made.time.advance(60)  # 1002 has been idle for longest now
    made.in_queue("c2")
    assert rung(made) == ["1001", "1001"]


def test_what_the_agent_should_see_is_in_no_event() -> None:
    made = brain('data: {who: "{caller_number}"}').in_queue("c1")
    assert made.calls.get("c1").waiting.data == (("who", "+15550100"),)  # type: ignore[union-attr]
    assert made.calls.views()[0]["data"] == {"who": "+15550100"}
    offers = [data for kind, _, data in made.notes if kind.startswith(("offer.", "queue."))]
    assert offers
    assert "+15550100" not in json.dumps(offers)


def test_after_a_restart_the_terms_are_the_same() -> None:
    more = 'skills: {must: {spanish: 2}}, head_start_s: 20, prefer: "1002", prefer_s: 40, data: {tier: gold}'
    before = brain(more).in_queue("c1")
    caller = before.distributor.engine.caller("c1")
    after = successor(before, more)
    assert after.distributor.engine.caller("c1") == caller
    assert after.calls.get("c1").waiting.data == (("tier", "gold"),)  # type: ignore[union-attr]
    after.time.advance(60)
    assert set(rung(after)[1:]) == {"1002"}


def test_in_a_talk_the_data_stay_on_the_screen_after_a_restart() -> None:
    more = "data: {tier: gold}"
    before = brain(more)
    before.pbx.phones["1001"] = before.pbx.phones["1002"] = PhoneScript.answers(0.5)
    after = successor(before.in_talk("c1"), more)
    assert after.phase("c1") == "talk"
    assert after.calls.views()[0]["data"] == {"tier": "gold"}


def test_terms_too_long_for_the_memory_are_read_from_the_flow_again() -> None:
    long = ", ".join(f"{'x' * 38}{n:02d}: 1" for n in range(16))
    more = f"skills: {{must: {{spanish: 3}}, nice: {{{long}}}}}"
    before = brain(more).in_queue("c1")
    assert "xxx" not in before.pbx.memories["c1"]
    caller = before.distributor.engine.caller("c1")
    assert successor(before, more).distributor.engine.caller("c1") == caller


def test_after_the_queue_nothing_is_left_of_it() -> None:
    made = brain("head_start_s: 20, data: {tier: gold}")
    made.pbx.phones["1001"] = made.pbx.phones["1002"] = PhoneScript.answers(0.5)
    made.in_talk("c1")
    made.pbx.hang_up(next(leg for leg in made.pbx.endpoints if leg in made.pbx.channels))
    made.time.settle()
    assert made.phase("c1") == "flow"
    assert made.calls.views()[0]["data"] == {}
    assert "w" not in json.loads(made.pbx.memories["c1"])
