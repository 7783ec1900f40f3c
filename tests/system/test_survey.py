"""A real caller answers a survey by keys after a real talk, and hangs up in the middle of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from cordboard.phones.softphone import AnswerAfter
from tests.system.site import Site

pytestmark = pytest.mark.system

FLOW = """
flow: shop
numbers: ["180"]
language: en
start: wait
nodes:
  wait: {to_queue: {queue: sales, then: how, otherwise: bye}}
  how:
    survey:
      name: after
      questions:
        - {id: content, type: csat, prompt: How content?}
        - {id: again, type: nps, prompt: Would you?}
        - {id: sure, type: nps, prompt: Are you sure?}
        - {id: easy, type: ces, prompt: How easy?}
      between: 1s
    next: bye
  bye: {say: Goodbye., next: done}
  done: {hangup: {}}
"""


async def test_answers_are_filed_under_the_agent_of_the_talk_and_stay_when_the_caller_hangs_up(tmp_path: Path) -> None:
    (tmp_path / "shop.yaml").write_text(FLOW)
    site = Site(dialplans=tmp_path)
    try:
        await site.start()
        agent = await site.agent("1001", AnswerAfter(0.2))
        call = await site.call("180")
        theirs = await agent.wait_incoming()
        await site.event("talk.started", agent="1001")
        await theirs.hang_up()

        await site.event("prompt.started", prompt="how.question")
        await call.send_digits("4")
        await site.event("survey.answered", question="content", score=4)
        await site.event("prompt.started", prompt="how.question.2")
        await call.send_digits("10")
        await site.event("survey.answered", question="again", score=10)
        await site.event("prompt.started", prompt="how.question.3")
        await call.send_digits("1")
        answered = await site.event("survey.answered", question="sure", score=1)
        assert (answered["agent"], answered["queue"]) == ("1001", "sales")
        await site.event("prompt.started", prompt="how.question.4")
        await call.hang_up()
        await site.event("call.ended")

        answers = (await site.api.ask("GET", "/api/surveys/answers"))["answers"]
        assert sorted((one["question"], one["score"]) for one in answers) == [
            ("again", 10),
            ("content", 4),
            ("sure", 1),
        ]
        assert {(one["agent"], one["queue"], one["flow"], one["node"]) for one in answers} == {
            ("1001", "sales", "shop", "how")
        }
        by_agent = (await site.api.ask("GET", "/api/surveys?by=agent"))["groups"]["1001"]
        assert (by_agent["csat"], by_agent["nps"], by_agent["nps_answers"]) == (1.0, 0.0, 2)
        figures = (await site.api.ask("GET", "/api/figures", limit_s=30))["total"]["queues"]["sales"]
        assert {one["name"]: one["value"] for one in figures}["nps"] == 0.0
        await site.audit()
    finally:
        await site.close()
