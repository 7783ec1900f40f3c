"""A call as a real Asterisk 22 told it, every event of it (`bench.record_ami` wrote it down): the facts in it."""

from __future__ import annotations

from pathlib import Path

from pbx.facts import (
    BridgeEntered,
    BridgeLeft,
    CallArrived,
    CallReturned,
    ChannelGone,
    KeyPressed,
    LegAnswered,
    LegRinging,
    PhoneChanged,
)
from pbx.wire import Reader
from tests.unit.test_translate import Ear

RECORDED = Path(__file__).parent.parent.parent / "bench" / "data" / "one_call.ami"
LEG = "cb-00000001-1"


def test_the_facts_of_a_recorded_call() -> None:
    ear = Ear()
    ear.legs.dialled(LEG)
    reader = Reader()
    for message in reader.feed(b"Asterisk Call Manager/11.0.0\r\n" + RECORDED.read_bytes()):
        ear.translator.event(message)
    arrived = ear.facts[0]
    assert isinstance(arrived, CallArrived)
    assert (arrived.dialled, arrived.endpoint, arrived.caller_number) == ("100", "demo-caller", "+15550100123")
    caller = arrived.channel
    facts = [fact for fact in ear.facts[1:] if not isinstance(fact, PhoneChanged)]
    bridge = next(fact.bridge for fact in facts if isinstance(fact, BridgeEntered))
    assert facts == [
        KeyPressed(caller, "2"),
        LegRinging(LEG),
        LegAnswered(LEG),
        BridgeEntered(LEG, bridge),
        BridgeEntered(caller, bridge),
        BridgeLeft(LEG, bridge),
        BridgeLeft(caller, bridge),
        ChannelGone(LEG, 16),
        CallReturned(caller),
        ChannelGone(caller, 16),
    ]
    assert ear.translator.unknown > 50
