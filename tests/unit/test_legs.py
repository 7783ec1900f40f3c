"""Each agent's part of a call, from the call's events."""

from __future__ import annotations

from typing import Any

from cordboard.events import Event
from cordboard.legs import TalkLeg, legs_of


def event(at: float, kind: str, agent: str | None = None, **data: Any) -> Event:
    return Event(int(at), at, kind, "c", agent, "sales" if agent else None, data)


def test_one_agent_who_held_twice() -> None:
    (leg,) = legs_of(
        [
            event(10, "talk.started", "1001", offer="o1"),
            event(20, "talk.held", "1001", offer="o1", by="phone"),
            event(25, "talk.resumed", "1001", offer="o1"),
            event(30, "talk.held", "1001", offer="o1", by="service"),
            event(33, "talk.ended", "1001", offer="o1", ended_by="caller"),
        ]
    )
    assert leg == TalkLeg("1001", "sales", 10, 33, 23.0, 8.0, 2, "caller")


def test_a_consultation_a_transfer_and_somebody_outside() -> None:
    legs = legs_of(
        [
            event(10, "talk.started", "1001", offer="o1"),
            event(11, "talk.held", "1001", offer="o1", by="service"),
            event(15, "talk.consulted", "1002", offer="o2"),
            event(18, "talk.consult_ended", "1002", offer="o2", ended_by="agent"),
            event(20, "talk.consulted", "1003", offer="o3"),
            event(24, "talk.ended", "1001", offer="o1", ended_by="transfer"),
            event(24, "talk.started", "1003", offer="o3"),
            event(40, "talk.ended", "1003", offer="o3", ended_by="transfer"),
            event(45, "talk.outside_started"),
            event(60, "talk.outside_ended"),
        ]
    )
    assert [(leg.agent, leg.talk_s, leg.hold_s, leg.ended_by, leg.consulted) for leg in legs] == [
        ("1001", 14.0, 13.0, "transfer", False),
        ("1002", 3.0, 0.0, "agent", True),
        ("1003", 20.0, 0.0, "transfer", False),
        (None, 15.0, 0.0, "unknown", False),
    ]


def test_what_goes_on_has_no_end_and_what_the_call_ended_has_one() -> None:
    begun = [event(10, "talk.started", "1001", offer="o1"), event(12, "talk.held", "1001", offer="o1", by="phone")]
    assert legs_of(begun)[0].ended_at is None
    (leg,) = legs_of([*begun, event(20, "call.ended", ended_by="unknown")])
    assert (leg.ended_at, leg.hold_s, leg.ended_by) == (20, 8.0, "unknown")


def test_whom_a_flow_rang_is_a_leg_as_well() -> None:
    legs = legs_of(
        [
            event(5, "transfer.started", "1001", to="agent"),
            event(10, "transfer.answered", "1001"),
            event(30, "transfer.ended", "1001", outcome="talked"),
            event(31, "transfer.started", to="number"),
            event(40, "transfer.ended", outcome="busy"),
        ]
    )
    assert [(leg.agent, leg.talk_s) for leg in legs] == [("1001", 20.0)]
