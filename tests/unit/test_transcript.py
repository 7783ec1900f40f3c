"""A call told as text."""

from __future__ import annotations

from typing import Any

import pytest

from cordboard.phones.ending import Ending, Who, ending_of
from cordboard.phones.live_events import OurAgent, OurCall
from cordboard.phones.transcript import Moment, Transcript, line, moment_of, words


def event(kind: str, at: float = 100.0, **fields: Any) -> dict[str, Any]:
    return {"seq": 1, "at": at, "kind": kind, "call_id": "c-1", "agent": None, "queue": None, "data": {}, **fields}


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (event("prompt.started", data={"node": "main_menu", "prompt": "x", "language": "en"}), "main_menu (en)"),
        (event("key.pressed"), "key received by the service"),
        (event("menu.outcome", data={"node": "main_menu", "outcome": "no_input"}), "menu main_menu: no input"),
        (event("queue.joined", queue="sales", data={"position": 1}), "in queue sales at position 1"),
        (event("queue.position", data={"queue": "sales", "position": 2}), "now at position 2 in queue sales"),
        (event("offer.made", agent="1001"), "offered to agent 1001"),
        (event("offer.ringing", agent="1001"), "agent 1001's phone rings"),
        (event("offer.failed", agent="1001", data={"reason": "no_answer"}), "did not take it: no answer"),
        (event("talk.started", data={"agent": "1001"}), "connected to agent 1001"),
        (event("talk.ended", data={"ended_by": "agent"}), "talk ended by the agent"),
        (event("call.ended", data={"outcome": "talked", "ended_by": "caller"}), "record: talked, ended by the caller"),
        (event("agent.state", agent="1001", data={"state": "wrap_up"}), "agent 1001 is wrap up"),
        (event("prompt.ended", data={"interrupted": True}), "prompt interrupted"),
    ],
)
def test_events_of_the_service_in_words(told: dict[str, Any], expected: str) -> None:
    assert expected in words(moment_of(told))


def test_every_kind_is_told_even_without_its_data_and_unknown_ones_by_name() -> None:
    for kind in ("call.arrived", "prompt.started", "queue.joined", "offer.failed", "talk.started", "call.ended"):
        assert words(moment_of(event(kind)))
    assert words(moment_of({"at": 1, "kind": "survey.started"})) == "survey started"


def test_a_line_gives_seconds_since_the_beginning() -> None:
    moment = Moment(1000.412, "prompt.started", {"node": "main_menu", "language": "en"})
    assert line(moment, 1000.0) == "  0.412 s  prompt started: main_menu (en)"
    assert line(Moment(1123.4, "phone.ringing"), 1000.0) == "123.400 s  ringing"


def test_late_moments_are_put_where_they_belong() -> None:
    transcript = Transcript(0.0, patience=0.2)
    transcript.add(Moment(1.10, "phone.answered"))
    transcript.add(Moment(1.05, "call.answered"))
    transcript.add(Moment(1.30, "phone.key", {"keys": "2"}))
    assert transcript.ready(1.2) == []
    assert transcript.ready(1.31) == ["  1.050 s  answered by the service", "  1.100 s  answered"]
    transcript.add(Moment(1.28, "prompt.started", {"node": "menu"}))
    assert transcript.rest() == ["  1.280 s  prompt started: menu", "  1.300 s  key sent: 2"]
    assert transcript.rest() == []


def test_our_call_is_known_by_its_number_and_then_by_its_id() -> None:
    ours = OurCall("+15550100123")
    assert not ours.owns(event("prompt.started"))
    assert not ours.owns(event("call.arrived", call_id="c-0", data={"caller": "+15550100999"}))
    assert ours.owns(event("call.arrived", data={"caller": "15550100123"}))
    assert ours.owns(event("prompt.started"))
    assert not ours.owns(event("prompt.started", call_id="c-2"))
    assert not ours.owns(event("call.arrived", call_id="c-3", data={"caller": "+15550100123"}))


def test_an_agents_events() -> None:
    ours = OurAgent("1001")
    assert ours.owns(event("offer.made", agent="1001"))
    assert not ours.owns(event("offer.made", agent="1002"))
    assert not ours.owns(event("call.arrived"))


@pytest.mark.parametrize(
    ("text", "facts", "ending"),
    [
        ("486 Busy Here,Q.850;cause=17", (False, True, False), Ending("486 Busy Here", Who.THEM, 486, 17)),
        ("404 Not Found", (False, True, False), Ending("404 Not Found", Who.THEM, 404)),
        ("Connection reset by peer [104]", (False, True, True), Ending("the far end hung up", Who.THEM)),
        ("Connection reset by peer [104]", (False, False, False), Ending("the caller gave up", Who.THEM)),
        (
            "Connection reset by peer [104],Q.850;cause=127",
            (False, False, True),
            Ending("the far end hung up", Who.THEM, None, 127),
        ),
        ("Rejected by user", (True, True, True), Ending("we hung up", Who.US)),
        ("Rejected by user", (True, True, False), Ending("we gave up", Who.US)),
        ("Busy Here", (True, False, False), Ending("we refused", Who.US, 486)),
        ("rtp stream error", (False, True, True), Ending("rtp stream error", Who.NOBODY)),
        ("Connection timed out [110]", (False, True, False), Ending("Connection timed out [110]", Who.NOBODY)),
    ],
)
def test_how_a_call_ended(text: str, facts: tuple[bool, bool, bool], ending: Ending) -> None:
    by_us, outgoing, answered = facts
    assert ending_of(text, by_us=by_us, outgoing=outgoing, answered=answered) == ending
