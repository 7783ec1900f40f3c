"""What agents press during a talk, and what destinations mean, against a PBX in memory."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from acd.destinations import ToAgent, ToFlow, ToNumber, ToQueue
from acd.errors import AcdError, NotAllowed, UnknownAgent
from cordboard.talk_desk import COMMANDS, Site, TalkDesk
from cordboard.talk_keys import DIAL_LIMIT_S, STAR_LIMIT_S, TalkKeys
from pbx.orders import SpyMode
from tests.fakes.talk_floor import AGENTS, OUTSIDE, TalkFloor

CODES = {"*1": "hold", "*2": "consult", "*3": "complete", "*6": "transfer", "*7": "requeue", "*8": "record"}


@dataclass(frozen=True)
class Flow:
    name: str = "main"
    numbers: tuple[str, ...] = ("100",)


class Desk:
    """An agent's keys, and what they lead to."""

    def __init__(self, *, trunk: bool = True) -> None:
        self.floor = TalkFloor()
        site = Site(
            AGENTS, {"1003"}, {"7001": "support"}, {"sales", "support"}, ("+1555", "0"), lambda: [Flow()], trunk
        )
        self.desk = TalkDesk(self.floor.distributor, site)
        self.recorded: list[str] = []
        control, supervision = self.floor.control, self.floor.distributor.supervision
        self.keys = TalkKeys(CODES, self.desk, control, supervision, self.floor.time, self.recorded.append)

    def press(self, keys: str, agent: str = "1001") -> None:
        for key in keys:
            self.keys.press(self.floor.leg(agent), key)
        self.floor.time.advance(1)

    @property
    def layout(self) -> str:
        return self.floor.distributor.talks.layout("ann")


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_hold_and_again(desk: Desk) -> None:
    desk.press("*1")
    assert desk.layout == "held"
    desk.press("*1")
    assert desk.layout == "together"


def test_consult_and_complete(desk: Desk) -> None:
    desk.press("*2")
    assert desk.layout == "held"
    desk.press("1002#")
    desk.floor.time.advance(3)
    assert desk.layout == "consult"
    desk.press("*3")
    assert desk.floor.with_whom() == {desk.floor.leg("1002")}


def test_to_a_queue_by_its_number(desk: Desk) -> None:
    desk.press("*67001#")
    assert desk.floor.back == [("ann", ToQueue("support"))]


@pytest.mark.parametrize("digits", ["9999#", "#", "12*", "9" * 40])
def test_a_destination_that_is_none_puts_the_agent_back(desk: Desk, digits: str) -> None:
    desk.press("*6")
    desk.press(digits)
    assert desk.layout == "together"
    assert desk.floor.with_whom() == {desk.floor.leg("1001")}


def test_a_destination_that_nobody_finishes(desk: Desk) -> None:
    desk.press("*610")
    desk.floor.time.advance(DIAL_LIMIT_S)
    assert desk.layout == "together"


def test_a_star_is_soon_forgotten(desk: Desk) -> None:
    desk.press("*")
    desk.floor.time.advance(STAR_LIMIT_S)
    desk.press("7")
    assert desk.floor.back == []
    assert desk.layout == "together"


def test_other_keys_are_the_callers_business(desk: Desk) -> None:
    desk.press("123#*9")
    assert desk.layout == "together"
    assert desk.floor.back == []


def test_the_recordings_key(desk: Desk) -> None:
    desk.press("*8")
    assert desk.recorded == ["ann"]


def test_whoever_is_only_consulted_commands_nothing(desk: Desk) -> None:
    desk.press("*21002#")
    desk.floor.time.advance(3)
    desk.press("*7", agent="1002")
    assert desk.floor.back == []


def test_dialling_on_after_the_talk_was_taken_over_changes_nothing(desk: Desk) -> None:
    desk.floor.distributor.supervision.watch("ann", "1003", SpyMode.LISTEN)
    desk.floor.time.advance(3)
    desk.press("*61002")
    leg = desk.floor.leg("1001")
    desk.floor.distributor.supervision.take_over("ann", "1003")
    desk.keys.press(leg, "#")
    desk.floor.time.advance(3)
    assert desk.floor.with_whom() == {desk.floor.leg("1003")}


def test_supervisors_keys(desk: Desk) -> None:
    supervision = desk.floor.distributor.supervision
    supervision.watch("ann", "1003", SpyMode.LISTEN)
    desk.floor.time.advance(3)
    for key, mode in (("5", "whisper"), ("6", "barge"), ("4", "listen")):
        desk.press(key, agent="1003")
        assert supervision.of_call("ann") == [("1003", mode)]
    desk.press("7", agent="1003")
    assert desk.floor.with_whom() == {desk.floor.leg("1003")}


# Destinations


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("agent:1002", ToAgent("1002")),
        ("1002", ToAgent("1002")),
        ("queue:support", ToQueue("support")),
        ("7001", ToQueue("support")),
        ("flow:main", ToFlow("main", "100")),
        ("100", ToFlow("main", "100")),
        (f"number:{OUTSIDE}", ToNumber(OUTSIDE)),
        ("0123", ToNumber("0123")),
    ],
)
def test_what_a_destination_means(desk: Desk, text: str, meant: object) -> None:
    assert desk.desk.destination(text) == meant


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "missing"),
        ("agent:1999", "1999"),
        ("queue:nowhere", "there are: sales, support"),
        ("flow:nowhere", "no flow"),
        ("number:+4930123", "transfers.prefixes"),
        ("900123", "transfers.prefixes"),
        ("number:0123&PJSIP/1", "digits only"),
        ("number:", "digits only"),
        ("somewhere:else", "agent:NUMBER"),
    ],
)
def test_what_is_no_destination(desk: Desk, text: str, said: str) -> None:
    with pytest.raises(AcdError, match=said):
        desk.desk.destination(text)


def test_without_a_trunk_nobody_outside_is_reached() -> None:
    with pytest.raises(AcdError, match="no trunk"):
        Desk(trunk=False).desk.destination("0123")


def test_only_people_are_consulted_and_only_supervisors_supervise(desk: Desk) -> None:
    with pytest.raises(AcdError, match="Only a person"):
        desk.desk.command("ann", "consult", "queue:support")
    with pytest.raises(NotAllowed, match=r"agents\.1002\.supervisor"):
        desk.desk.supervise("ann", "1002", "listen")
    with pytest.raises(UnknownAgent):
        desk.desk.supervise("ann", "1999", "listen")
    with pytest.raises(AcdError, match="no mode"):
        desk.desk.supervise("ann", "1003", "sing")
    with pytest.raises(AcdError, match="there are: hold"):
        desk.desk.command("ann", "sing")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_known_and_refused_for_a_call_that_is_not_there(desk: Desk, command: str) -> None:
    with pytest.raises(AcdError, match="in no talk"):
        desk.desk.command("bob", command, "agent:1002")
