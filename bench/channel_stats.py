"""How the sound of each talk flows, as the PBX counts its packets.

Decides from the text of `pjsip show channelstats`, read twice. It refuses to know who talks and how the text was got.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

PACKETS = 50.0  # a second, of 20 ms
LIMIT = 0.01
"""Sound that misses less of its packets than this is good."""

_LINE = re.compile(
    r"^ *(?P<bridge>[0-9a-f]{8}) (?P<channel>\S+) +\d+:\d\d:\d\d +\w+ +"
    r"(?P<received>\d+K?) +(?P<lost>\d+K?) +\d+ +[\d.]+ +(?P<sent>\d+K?) ",
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class Stream:
    """Packets of one leg until now."""

    received: int
    lost: int  # missing in the sequence of what came
    sent: int


@dataclass(frozen=True, slots=True)
class Flow:
    """The worst of many streams: shares of the packets that there should have been."""

    streams: int
    loss: float  # sent to the PBX and not there, since the beginning of the talk
    unsent: float  # not even sent to the PBX: whoever plays the phones was late
    unrelayed: float  # come from one of the two, and not sent on to the other

    @property
    def flows(self) -> bool:
        return max(self.loss, self.unsent, self.unrelayed) < LIMIT


Streams = Mapping[tuple[str, bool], Stream]
"""By bridge, and whether it is an agent's leg: names of channels are cut off in the text."""


def parse(text: str) -> Streams:
    return {
        (line["bridge"], line["channel"][:1].isdigit()): Stream(
            *(int(line[field].replace("K", "000")) for field in ("received", "lost", "sent"))
        )
        for line in _LINE.finditer(text)
    }


def flow(first: Streams, second: Streams, seconds: float) -> Flow:
    """Between two looks at the same talks, `seconds` apart."""
    expected = seconds * PACKETS
    loss = unsent = unrelayed = 0.0
    for (bridge, agent), now in second.items():
        before, other, other_before = (
            first.get((bridge, agent)),
            second.get((bridge, not agent)),
            first.get((bridge, not agent)),
        )
        if before is None or other is None or other_before is None:
            continue
        received, lost = now.received - before.received, now.lost - before.lost
        loss = max(loss, now.lost / max(now.received + now.lost, 1))
        unsent = max(unsent, 1 - (received + lost) / expected)
        unrelayed = max(unrelayed, 1 - (other.sent - other_before.sent) / max(received, 1))
    return Flow(len(second), loss, unsent, unrelayed)
