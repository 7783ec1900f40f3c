"""Feature codes: what an agent dials, what happens and what they hear."""

from __future__ import annotations

import pytest

from cordboard.features import Command
from ivr.announcements import Announcement, text_of
from pbx.facts import CommandDone, OrderFailed
from pbx.orders import Answer, Order, Play
from tests.fakes.brain import CODES, Brain


def dial(brain: Brain, code: str, agent: str = "1001", channel: str = "f1") -> None:
    brain.pbx.call(channel, dialled=code, origin="agent", endpoint=agent)
    brain.time.settle()


def said(brain: Brain) -> list[str]:
    return [play.files[0].removeprefix("/en/") for play in brain.pbx.sent(Play)]


def text(announcement: Announcement) -> str:
    return text_of(announcement, "en")


@pytest.mark.parametrize(
    ("before", "code", "state", "hears"),
    [
        (["logout"], "*45", "ready", Announcement.LOGGED_IN),
        ([], "*46", "logged_out", Announcement.LOGGED_OUT),
        ([], "*47", "not_ready", Announcement.PAUSED),
        (["pause"], "*48", "ready", Announcement.READY),
        ([], "*45", "ready", Announcement.ALREADY_LOGGED_IN),
        ([], "*472", "not_ready", Announcement.PAUSED),
        ([], "*473", "ready", Announcement.UNKNOWN_CODE),
        ([], "*49", "ready", Announcement.REFUSED),
        ([], "*501", "ready", Announcement.REFUSED),
        (["logout"], "*47", "logged_out", Announcement.REFUSED),
        ([], "*99", "ready", Announcement.UNKNOWN_CODE),
    ],
)
def test_codes(before: list[str], code: str, state: str, hears: Announcement) -> None:
    brain = Brain()
    for command in before:
        getattr(brain.distributor, command)("1001")
    dial(brain, code)
    assert brain.agent() == state
    assert said(brain) == [text(hears)]
    assert brain.hung_up() == []
    brain.time.advance(1)
    assert brain.hung_up() == ["f1"]
    brain.time.settle()
    assert brain.pbx.channels == {}
    assert len(brain.calls) == 0
    assert not [kind for kind, call, _ in brain.notes if call == "f1"]


def test_more_time_and_what_the_talk_led_to_by_phone() -> None:
    brain = Brain().in_talk("c1")
    dial(brain, "*502", channel="f1")
    brain.pbx.hang_up("c1")
    assert brain.agent() == "wrap_up"
    dial(brain, "*501", channel="f2")
    dial(brain, "*509", channel="f3")
    dial(brain, "*49", channel="f4")
    brain.time.advance(35)
    assert brain.agent() == "wrap_up"
    brain.time.advance(6)
    assert brain.agent() == "ready"
    assert [data["code"] for kind, _, data in brain.notes if kind == "call.disposition"] == ["callback", "sold"]
    classified, unknown = text(Announcement.CLASSIFIED), text(Announcement.UNKNOWN_CODE)
    assert said(brain)[-4:] == [classified, classified, unknown, text(Announcement.EXTENDED)]


def test_somebody_elses_phone() -> None:
    brain = Brain()
    dial(brain, "*46", agent="4711")
    assert said(brain) == [text(Announcement.REFUSED)]
    assert brain.agent() == "ready"


def test_a_stranger_from_outside_dials_a_number_not_a_code() -> None:
    brain = Brain()
    brain.pbx.call("c1", dialled="*46", origin="public", endpoint="1001")
    brain.time.settle()
    assert brain.agent() == "ready"
    assert brain.ended("c1")["outcome"] == "no_such_number"


def test_an_agent_may_call_the_company() -> None:
    brain = Brain()
    brain.pbx.call("c1", dialled="100", origin="agent", endpoint="1001")
    brain.time.advance(1.5)
    assert brain.heard("c1") == ["Hello", "Menu"]


def test_nothing_happens_before_the_answer() -> None:
    brain = Brain()
    brain.pbx.answer_seconds = None
    dial(brain, "*47")
    assert brain.pbx.take()[-1] == Answer("f1", "answer")
    assert brain.agent() == "ready"
    brain.pbx.hang_up("f1")
    assert brain.agent() == "ready"
    brain.pbx.call("f2", dialled="*47", origin="agent", endpoint="1001")
    brain.handle(CommandDone("f2", "answer", ok=False))
    assert brain.agent() == "ready"
    assert brain.hung_up() == ["f2"]


def test_without_a_prompt_the_code_still_works() -> None:
    brain = Brain()
    brain.prompts.missing.add(text(Announcement.PAUSED))
    dial(brain, "*47")
    assert brain.agent() == "not_ready"
    assert brain.hung_up() == ["f1"]


def test_a_refused_command_ends_the_call_once() -> None:
    """A refused hang-up does not: that would go round for ever."""
    brain = Brain()
    dial(brain, "*47")
    brain.handle(OrderFailed("f1", "Play", "not controlled"))
    assert brain.hung_up() == ["f1"]
    brain.handle(OrderFailed("f1", "HangUp", "no such channel"))
    brain.handle(OrderFailed("f1", "Play", "no answer", unknown=True))
    assert brain.hung_up() == ["f1"]


def test_the_link_drops_in_a_feature_call() -> None:
    brain = Brain()
    dial(brain, "*47")
    brain.lose_link()
    brain.time.advance(3)
    brain.restore_link()
    assert brain.hung_up() == ["f1"]
    assert brain.agent() == "not_ready"


def test_a_feature_call_does_not_keep_a_stop_waiting() -> None:
    brain = Brain()
    brain.pbx.seconds_per_file = None
    dial(brain, "*47")
    assert brain.calls.empty.is_set()
    orders: list[Order] = brain.pbx.take()
    assert orders[-1] == Play("f1", "said", (f"/en/{text(Announcement.PAUSED)}",), interruptible=False)


def test_which_digits_are_codes() -> None:
    assert CODES.command("*47") == Command("pause")
    assert CODES.command("*471") == Command("pause", "break")
    assert CODES.command("*473") is None
    assert CODES.command("*49") == Command("wrap_up")
    assert CODES.command("*507") == Command("disposition", "7")
    assert CODES.command("*50") is None
    assert CODES.command("100") is None
    assert CODES.looks_like_one("*1")
    assert not CODES.looks_like_one("100")
